"""What bounds the account endpoints of the better-auth door, and what is told of them: quotas, the logs, the record."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from application.mail import MailKind
from entrypoints.http.app import Application
from tests.support.account_door import (
    NEW_EMAIL,
    NEW_PASSWORD,
    accounts_at,
    location,
    mailed_link,
    newcomer,
    stranger,
)
from tests.support.account_door_fixtures import ada, app, mailbox
from tests.support.doors import DoorDevice
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD

__all__ = ["ada", "app", "mailbox"]

_NOT_SERVING = {"procrastinate", "httpx"}


@pytest.fixture
async def meagre(
    cloned: ClonedDatabase, module_database: ClonedDatabase, log: list[bytes], tmp_path: Path
) -> AsyncIterator[Application]:
    """A site that mails twice in ten minutes."""
    async with accounts_at(
        module_database, log, tmp_path, more={"mail_requests_per_ten_minutes": 2, "registrations_per_ten_minutes": 2}
    ) as app:
        yield app


def too_many(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.content == b'{"message":"Too many requests. Please try again later."}'
    assert 0 < int(answer.headers["x-retry-after"]) == int(answer.headers["retry-after"]) <= 600
    return True


async def test_asvs_6_3_4_mail_is_counted_at_all_doors_together(meagre: Application) -> None:
    async with stranger(meagre) as nobody:
        body = {"email": "nobody@example.org"}
        assert (await nobody.post("/request-password-reset", **body)).status_code == 200
        assert (await nobody.client.post("/student/auth/request-password-reset", json=body)).status_code == 202
        assert too_many(await nobody.post("/request-password-reset", **body))
        assert too_many(await nobody.post("/send-verification-email", **body))
        at_the_portal = await nobody.client.post("/student/auth/resend-verification", json=body)
        assert at_the_portal.status_code == 429


async def test_who_is_signed_in_is_counted_alone(meagre: Application) -> None:
    async with newcomer(meagre) as ada, newcomer(meagre) as bob:
        told = [await ada.post("/change-email", newEmail=NEW_EMAIL) for _ in range(3)]
        assert [answer.status_code for answer in told[:2]] == [200, 200]
        assert too_many(told[2])
        assert (await bob.post("/change-email", newEmail=NEW_EMAIL)).status_code == 200


async def test_links_that_are_not_good_keep_nobody_from_using_a_good_one(
    app: Application, ada: DoorDevice, mailbox: OutboxMailbox
) -> None:
    """However many there were; nobody guesses the secret of a link."""
    await ada.post("/request-password-reset", email=ada.email, redirectTo="/in")
    link, token = await mailed_link(mailbox, MailKind.RESET_PASSWORD)
    for _ in range(61):
        assert location(await ada.get("/reset-password/guessed?callbackURL=/in")).endswith("error=INVALID_TOKEN")
        assert (await ada.post("/reset-password", newPassword=NEW_PASSWORD, token="guessed")).status_code == 400
        assert (await ada.get("/verify-email?token=guessed")).status_code == 401
    assert location(await ada.get(link)).endswith(f"?token={token}")
    assert (await ada.post("/reset-password", newPassword=NEW_PASSWORD, token=token)).status_code == 200


async def test_neither_password_nor_token_nor_address_is_logged(
    app: Application, ada: DoorDevice, mailbox: OutboxMailbox, log: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """The templates of the addresses are."""
    caplog.set_level(logging.DEBUG)
    app.log.flush()
    log.clear()
    await ada.post("/send-verification-email", email=ada.email)
    secrets = [PASSWORD, NEW_PASSWORD, ada.email, NEW_EMAIL, ada.cookie.partition(".")[0], "a-wrong-guess"]
    link, token = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
    await ada.get(link)
    secrets.append(token)
    await ada.post("/verify-password", password="a-wrong-guess")
    await ada.post("/update-user", name="A Name Of Hers")
    await ada.post("/change-email", newEmail=NEW_EMAIL)
    link, token = await mailed_link(mailbox, MailKind.CHANGE_EMAIL)
    await ada.get(link)
    await ada.post("/request-password-reset", email=NEW_EMAIL, redirectTo="/a-page-of-hers")
    secrets += [token, "A Name Of Hers", "a-page-of-hers"]
    link, token = await mailed_link(mailbox, MailKind.RESET_PASSWORD)
    await ada.get(link)
    await ada.post("/reset-password", newPassword="short", token=token)
    await ada.post(f"/reset-password?token={token}", newPassword=NEW_PASSWORD)
    secrets.append(token)
    app.log.flush()
    # Neither the library of jobs, which is silenced where it serves, nor the client of this test.
    heard = [each.getMessage() for each in caplog.records if each.name.partition(".")[0] not in _NOT_SERVING]
    text = b"".join(log).decode() + "\n".join(heard)
    assert "/api/auth/reset-password/{token}" in text
    assert "/api/auth/verify-email" in text
    assert not [secret for secret in secrets if secret in text]


async def test_each_outcome_is_one_event(
    app: Application, ada: DoorDevice, mailbox: OutboxMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    await ada.post("/send-verification-email", email=ada.email)
    link, _ = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
    caplog.set_level(logging.INFO, logger="ace.security")
    caplog.clear()
    await ada.get(link)
    await ada.get("/verify-email?token=guessed")
    await ada.post("/verify-password", password=PASSWORD)
    await ada.post("/verify-password", password="a-wrong-guess")
    await ada.post("/change-password", newPassword=NEW_PASSWORD, currentPassword="a-wrong-guess")
    await ada.post("/change-password", newPassword=NEW_PASSWORD, currentPassword=PASSWORD)
    await ada.post("/request-password-reset", email=ada.email)
    await ada.post("/reset-password", newPassword=PASSWORD, token="guessed")
    await ada.post("/change-email", newEmail=NEW_EMAIL)
    await ada.post("/delete-user", password="a-wrong-guess")
    await ada.post("/delete-user", password=NEW_PASSWORD)
    told = [record.getMessage() for record in caplog.records if record.name == "ace.security"]
    assert told == [
        "email_verified succeeded",
        "email_verified refused",
        "password_confirmed succeeded",
        "password_confirmed wrong_credentials",
        "password_change_refused wrong_credentials",
        "password_changed succeeded",
        "reset_requested succeeded",
        "password_reset refused",
        "email_change_requested succeeded",
        "account_deleted wrong_credentials",
        "account_deleted succeeded",
    ]
