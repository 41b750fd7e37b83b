"""What the OpenAPI document tells of the better-auth door is what the door answers, member by member."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from application.mail import MailKind
from entrypoints.http.better_auth.document import _TOLD
from entrypoints.http.better_auth.document_bodies import BetterAuthError
from tests.support.doors import AT_HOME, BASE, DoorDevice, device_at
from tests.support.mailbox import mail_settings, site_mailbox
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeSite]:
    settings = mail_settings(tmp_path_factory.mktemp("data")) | FROM_ANYWHERE | AT_HOME
    async with whole_site_of(module_database, **settings) as site:
        yield site


class Reader:
    """Reads answers by what is told of them, and remembers of which endpoints."""

    def __init__(self, device: DoorDevice, document: dict[str, Any]) -> None:
        self.device = device
        self.seen: set[str] = set()
        self._paths = document["paths"]

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        return self._read(await self.device.post(path, **body), path, status)

    async def get(self, path: str, status: int = 200, told_as: str | None = None, **query: str) -> Any:
        answer = await self.device.client.get(f"{BASE}{path}", params=query, headers=self.device.proof)
        return self._read(answer, told_as or path, status)

    def _read(self, answer: httpx.Response, path: str, status: int) -> Any:
        assert answer.status_code == status, (path, answer.text)
        template = BASE + path.replace(":token", "{token}")
        (operation,) = self._paths[template].values()
        assert str(status) in operation["responses"], path
        if status == 302:
            return answer.headers["location"]
        body = answer.json()
        told = _TOLD[path].answer if status == 200 else BetterAuthError
        assert msgspec.to_builtins(msgspec.convert(body, told)) == body, path
        if status != 200 and "code" in body:
            assert f"`{body['code']}`" in operation["responses"][str(status)]["description"], path
        self.seen.add(path)
        return body


async def test_every_answer_has_the_members_that_are_told(site: WholeSite) -> None:
    mailbox = site_mailbox(site.container)
    async with device_at(site.app, "better-auth") as device:
        ada = Reader(device, site.app.document())
        email, password, other = device.email, device.password, "eleven boats under the bridge"
        await ada.get("/ok")
        await ada.get("/get-session")
        await ada.get("/list-sessions", 401)
        await ada.post("/sign-up/email", 400, name="Ada", email=email, password="short")
        await ada.post("/sign-up/email", name="Ada", email=email, password=password)
        await ada.post("/sign-up/email", 422, name="Ada", email=email, password=password)
        await ada.post("/sign-in/email", 401, email=email, password=other)
        await ada.post("/sign-in/email", email=email, password=password, callbackURL="/home")
        await ada.get("/get-session")
        listed = await ada.get("/list-sessions")
        await ada.post("/update-user", name="Ada King", image="https://pictures.test/ada.png")
        await ada.post("/update-user", 400, email="x@example.org")
        await ada.post("/verify-password", 400, password=other)
        await ada.post("/verify-password", password=password)
        await ada.post("/change-password", 400, currentPassword=password, newPassword=password)
        await ada.post("/change-password", currentPassword=password, newPassword=other)
        await ada.post("/change-password", currentPassword=other, newPassword=password, revokeOtherSessions=True)
        await ada.post("/revoke-session", token=listed[0]["token"])
        await ada.post("/revoke-other-sessions")
        await ada.post("/change-email", newEmail=f"new-{email}")
        await ada.post("/send-verification-email", 400, email=f"other-{email}")
        await ada.post("/send-verification-email", email=email)
        verify = await mailbox.newest(MailKind.VERIFY_EMAIL, email)
        await ada.get("/verify-email", token=verify.secret)
        await ada.get("/verify-email", 401, token="x")
        await ada.get("/verify-email", 302, token=verify.secret, callbackURL="/home")
        await ada.post("/request-password-reset", email=email, redirectTo="/new")
        reset = await mailbox.newest(MailKind.RESET_PASSWORD, email)
        told_as = "/reset-password/:token"
        await ada.get(f"/reset-password/{reset.secret}", 302, told_as, callbackURL="/new")
        await ada.get(f"/reset-password/{reset.secret}", 403, told_as, callbackURL="//evil.test")
        await ada.post("/reset-password", 400, token="x", newPassword=other)
        await ada.post("/reset-password", token=reset.secret, newPassword=other)
        await ada.post("/sign-in/email", email=email, password=other)
        await ada.post("/revoke-sessions")
        await ada.post("/sign-in/email", email=email, password=other)
        await ada.post("/sign-out")
        await ada.post("/sign-in/email", email=email, password=other)
        await ada.post("/delete-user", 400, password=password)
        await ada.post("/delete-user", password=other)
    assert ada.seen == set(_TOLD) - {"/error"}
