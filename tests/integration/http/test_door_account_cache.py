"""The account endpoints of the better-auth door where a copy of the session travels in a cookie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from application.mail import MailKind
from entrypoints.http.app import Application
from tests.support.account_door import (
    CLEARED,
    NEW_EMAIL,
    NEW_PASSWORD,
    accounts_at,
    audited,
    cookies_of,
    empty_mailbox,
    mailed_link,
    newcomer,
    refusal,
)
from tests.support.doors import DoorDevice
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD


@pytest.fixture(scope="module")
async def app(
    module_database: ClonedDatabase, log: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Application]:
    folder = tmp_path_factory.mktemp("site")
    async with accounts_at(module_database, log, folder, cookie_cache_seconds=300) as app:
        yield app


@pytest.fixture
async def ada(app: Application, cloned: ClonedDatabase) -> AsyncIterator[DoorDevice]:
    """Ada's browser, signed in, with a copy of her session."""
    async with newcomer(app) as device:
        assert "better-auth.session_data" in device.client.cookies
        yield device


async def test_the_copy_tells_a_change_at_once(ada: DoorDevice) -> None:
    answer = await ada.post("/update-user", name="Grace")
    assert [cookie.partition("=")[0] for cookie in cookies_of(answer)] == [
        "better-auth.session_token",
        "better-auth.session_data",
    ]
    assert (await ada.session())["user"]["name"] == "Grace"


async def test_a_new_session_has_a_copy_of_its_own(ada: DoorDevice) -> None:
    before = (await ada.session())["session"]["id"]
    body = {"newPassword": NEW_PASSWORD, "currentPassword": PASSWORD, "revokeOtherSessions": True}
    token = (await ada.post("/change-password", **body)).json()["token"]
    session = (await ada.session())["session"]
    assert session["token"] == token
    assert session["id"] != before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/update-user", {"name": "Grace"}),
        ("/change-password", {"newPassword": NEW_PASSWORD, "currentPassword": PASSWORD}),
        ("/verify-password", {"password": PASSWORD}),
        ("/change-email", {"newEmail": NEW_EMAIL}),
        ("/delete-user", {"password": PASSWORD}),
        ("/delete-user", {}),
    ],
)
async def test_a_copy_of_a_session_that_was_revoked_changes_nothing(
    ada: DoorDevice, cloned: ClonedDatabase, path: str, body: dict[str, Any]
) -> None:
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'admin_revoked'")
    before = cloned.keeper.execute("select * from users").fetchall()
    assert await ada.session(), "it is readable until the copy is too old"
    assert refusal(await ada.post(path, **body)) == (401, "UNAUTHORIZED")
    assert cloned.keeper.execute("select * from users").fetchall() == before
    assert audited(cloned) == []


async def test_a_link_gives_a_session_that_was_revoked_no_new_copy(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase
) -> None:
    """It does what it was mailed for, as for anybody who is not signed in."""
    mailbox = empty_mailbox(app)
    assert (await ada.post("/change-email", newEmail=NEW_EMAIL)).status_code == 200
    _, token = await mailed_link(mailbox, MailKind.CHANGE_EMAIL)
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'admin_revoked'")
    assert await ada.session(), "it is readable until the copy is too old"
    answer = await ada.get(f"/verify-email?token={token}")
    assert (answer.status_code, answer.json()["user"]["email"]) == (200, NEW_EMAIL)
    assert set(cookies_of(answer)) == CLEARED
    assert not await ada.session()


async def test_a_link_that_moves_the_address_is_told_by_the_copy(app: Application, ada: DoorDevice) -> None:
    mailbox = empty_mailbox(app)
    await ada.post("/change-email", newEmail=NEW_EMAIL)
    _, token = await mailed_link(mailbox, MailKind.CHANGE_EMAIL)
    answer = await ada.get(f"/verify-email?token={token}")
    assert [cookie.partition("=")[0] for cookie in cookies_of(answer)] == [
        "better-auth.session_token",
        "better-auth.session_data",
    ]
    assert (await ada.session())["user"]["email"] == NEW_EMAIL


async def test_who_leaves_leaves_no_copy(ada: DoorDevice) -> None:
    answer = await ada.post("/delete-user", password=PASSWORD)
    names = [cookie.split(";")[0] for cookie in cookies_of(answer)]
    assert names == [
        *("better-auth.session_token=", "better-auth.session_data=", "better-auth.session_data="),
        "better-auth.dont_remember=",
    ]
    assert not await ada.session()
