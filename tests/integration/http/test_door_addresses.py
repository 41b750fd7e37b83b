"""Addresses at the better-auth door: verified by a mailed link, and changed by one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from application.auth.addresses import ResendVerification
from application.mail import MailKind
from domain.errors import StoreUnavailable
from entrypoints.http.app import Application
from entrypoints.http.better_auth import email_endpoints
from entrypoints.http.better_auth.email_endpoints import FLOOR_SECONDS
from tests.support.account_door import (
    APP_ORIGIN,
    CLEARED,
    DOOR_KEY,
    accounts_at,
    cookies_of,
    empty_mailbox,
    live_sessions,
    location,
    mailed_link,
    newcomer,
    refusal,
)
from tests.support.account_door_fixtures import ada, app, mailbox, nobody
from tests.support.doors import DoorDevice, device_at
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase

__all__ = ["ada", "app", "mailbox", "nobody"]

VERIFIED = b'{"status":true,"user":null}'


def signed(key: str = DOOR_KEY, **claims: Any) -> str:
    """A token as the door's links have them."""
    now = int(time.time())
    return jwt.encode({"iat": now, "exp": now + 3600, **claims}, key, algorithm="HS256", headers={"typ": None})


def is_verified(database: ClonedDatabase, email: str) -> bool:
    found: bool = database.keeper.execute(
        "select email_verified_at is not null from users where email = %s and deleted_at is null", (email,)
    ).fetchall()[0][0]
    return found


async def test_an_address_is_verified_by_a_mailed_link(
    ada: DoorDevice, nobody: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    await ada.post("/send-verification-email", email=ada.email)
    link, token = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
    assert link == f"/verify-email?token={token}&callbackURL=%2F"
    claims = jwt.decode(token, DOOR_KEY, algorithms=["HS256"])
    assert list(claims) == ["email", "iat", "exp"]
    assert (claims["email"], claims["exp"] - claims["iat"]) == (ada.email, 3600)
    answer = await nobody.get(f"/verify-email?token={token}")
    assert (answer.status_code, answer.content) == (200, VERIFIED)
    assert cookies_of(answer) == [], "no link signs anybody in by default"
    assert (await ada.session())["user"]["emailVerified"] is True
    again = await nobody.get(f"/verify-email?token={token}")
    assert (again.status_code, again.content) == (200, VERIFIED)
    assert location(await nobody.get(link)) == "/"
    assert live_sessions(cloned) == 1


@pytest.mark.parametrize("callback", ["/welcome", "/welcome?step=2", f"{APP_ORIGIN}/a%20b?q=1", "myapp://in"])
async def test_a_link_leads_on_to_the_page_that_it_names(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox, callback: str
) -> None:
    asked = await nobody.post("/send-verification-email", email=ada.email, callbackURL=callback)
    assert (asked.status_code, asked.content) == (200, b'{"status":true}')
    link, token = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
    assert link == f"/verify-email?token={token}&callbackURL={quote(callback, safe='')}"
    guessed = await nobody.get(link.replace(token, "guessed"))
    assert location(guessed) == f"{callback}{'&' if '?' in callback else '?'}error=INVALID_TOKEN"
    assert location(await nobody.get(link)) == callback
    assert (await ada.session())["user"]["emailVerified"] is True


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("", "INVALID_TOKEN"),
        ("guessed", "INVALID_TOKEN"),
        (signed("another key, quite as long as the door's own", email="a@example.org"), "INVALID_TOKEN"),
        (jwt.encode({"email": "a@example.org"}, "", algorithm="none"), "INVALID_TOKEN"),
        (signed(email="a@example.org", iat=1, exp=2), "TOKEN_EXPIRED"),
        (signed(email="nobody@example.org"), "USER_NOT_FOUND"),
    ],
)
async def test_what_is_wrong_with_a_link_is_told(nobody: DoorDevice, token: str, told: str) -> None:
    assert refusal(await nobody.get(f"/verify-email?token={token}")) == (401, told)
    assert refusal(await nobody.get(f"/verify-email?token={token}&callbackURL=")) == (401, told)
    assert location(await nobody.get(f"/verify-email?token={token}&callbackURL=/in")) == f"/in?error={told}"


async def test_a_link_that_was_never_mailed_verifies_nothing(
    ada: DoorDevice, nobody: DoorDevice, cloned: ClonedDatabase
) -> None:
    """Not even one that is signed with the door's own key."""
    token = signed(email=ada.email)
    assert refusal(await nobody.get(f"/verify-email?token={token}")) == (401, "INVALID_TOKEN")
    moving = signed(email=ada.email, updateTo="thief@example.org", requestType="change-email-verification")
    assert refusal(await ada.get(f"/verify-email?token={moving}")) == (401, "INVALID_TOKEN")
    assert is_verified(cloned, ada.email) is False


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/verify-email", "[query.token] Invalid input: expected string, received undefined"),
        ("/verify-email?token=a&token=b", "[query.token] Invalid input: expected string, received array"),
    ],
)
async def test_a_link_has_one_token(nobody: DoorDevice, path: str, told: str) -> None:
    answer = await nobody.get(path)
    assert (answer.status_code, answer.json()) == (400, {"message": told, "code": "VALIDATION_ERROR"})


async def test_who_asks_for_the_mail_learns_nothing_and_waits_alike(
    app: Application, ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox
) -> None:
    async with newcomer(app) as verified:
        await verified.post("/send-verification-email", email=verified.email)
        _, token = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
        await nobody.get(f"/verify-email?token={token}")
        before = len(await mailbox.mails())
        told = set()
        for email in (ada.email, verified.email, "nobody@example.org", f"{'x' * 65}@example.org"):
            started = time.monotonic()
            answer = await nobody.post("/send-verification-email", email=email)
            assert time.monotonic() - started >= FLOOR_SECONDS
            told.add((answer.status_code, answer.content))
        assert told == {(200, b'{"status":true}')}
        assert [mail.to for mail in (await mailbox.mails())[before:]] == [ada.email]


async def test_who_asks_waits_alike_when_the_store_fails(nobody: DoorDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(ResendVerification, "__call__", fail)
    started = time.monotonic()
    answer = await nobody.post("/send-verification-email", email="nobody@example.org")
    assert time.monotonic() - started >= FLOOR_SECONDS
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_who_is_signed_in_is_told_at_once_what_is_wrong_with_the_address(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_endpoints, "FLOOR_SECONDS", longer := 5.0)
    started = time.monotonic()
    assert refusal(await ada.post("/send-verification-email", email="b@example.org")) == (400, "EMAIL_MISMATCH")
    own = await ada.post("/send-verification-email", email=ada.email.upper())
    assert (own.status_code, own.content) == (200, b'{"status":true}')
    assert time.monotonic() - started < longer
    _, token = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
    await nobody.get(f"/verify-email?token={token}")
    already = await ada.post("/send-verification-email", email=ada.email)
    assert refusal(already) == (400, "EMAIL_ALREADY_VERIFIED")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/send-verification-email", {}, (400, "VALIDATION_ERROR")),
        ("/send-verification-email", {"email": "nobody"}, (400, "VALIDATION_ERROR")),
        ("/send-verification-email", {"email": "x", "callbackURL": "//evil.test"}, (403, "INVALID_CALLBACK_URL")),
        ("/change-email", {"newEmail": "x", "callbackURL": "//evil.test"}, (403, "INVALID_CALLBACK_URL")),
        ("/change-email", {"newEmail": "nobody"}, (400, "VALIDATION_ERROR")),
        ("/change-email", {"newEmail": f"{'x' * 65}@example.org"}, (400, "VALIDATION_ERROR")),
    ],
)
async def test_what_is_asked_for_wrongly_is_refused(
    ada: DoorDevice, path: str, body: dict[str, str], told: tuple[int, str]
) -> None:
    assert refusal(await ada.post(path, **body)) == told


async def test_a_dead_session_asks_as_nobody_and_its_cookies_go(ada: DoorDevice, cloned: ClonedDatabase) -> None:
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'logout'")
    answer = await ada.post("/send-verification-email", email="b@example.org")
    assert answer.status_code == 200
    assert set(cookies_of(answer)) == CLEARED


@pytest.fixture
async def welcoming(
    cloned: ClonedDatabase, module_database: ClonedDatabase, log: list[bytes], tmp_path: Path
) -> AsyncIterator[Application]:
    """A door at which a verification signs in."""
    async with accounts_at(
        module_database, log, tmp_path, require_email_verification=True, auto_sign_in_after_verification=True
    ) as app:
        yield app


async def test_where_it_is_wanted_a_verification_signs_in(welcoming: Application, cloned: ClonedDatabase) -> None:
    mailbox = empty_mailbox(welcoming)
    async with newcomer(welcoming) as ada:
        assert refusal(await ada.sign_in()) == (403, "EMAIL_NOT_VERIFIED")
        assert live_sessions(cloned) == 0
        link, _ = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
        ada.client.headers["sec-fetch-site"] = "cross-site"  # as from a page that shows mail
        answers = await asyncio.gather(*(ada.get(link) for _ in range(4)))
        assert {location(answer) for answer in answers} == {"/"}
        (cookie,) = (line for answer in answers for line in cookies_of(answer))
        assert cookie.startswith("better-auth.session_token=")
        assert cookie.endswith("; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax")
        session = await ada.session()
        assert (session["user"]["email"], session["user"]["emailVerified"]) == (ada.email, True)
        lasts = datetime.fromisoformat(session["session"]["expiresAt"]) - datetime.now(UTC)
        assert timedelta(days=6, hours=23) < lasts <= timedelta(days=7)
        assert live_sessions(cloned) == 1


async def test_a_verification_signs_in_whose_address_it_is(welcoming: Application, cloned: ClonedDatabase) -> None:
    """Also in the browser of somebody else, whose session ends; one's own session goes on."""
    mailbox = empty_mailbox(welcoming)
    async with newcomer(welcoming) as bob:
        await bob.get((await mailed_link(mailbox, MailKind.VERIFY_EMAIL))[0])
        async with newcomer(welcoming) as ada, device_at(welcoming, "portal", ada.email):
            link, _ = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
            assert len(cookies_of(await bob.get(link))) == 1
            assert (await bob.session())["user"]["email"] == ada.email
            assert live_sessions(cloned) == 1
            cloned.keeper.execute("update users set email_verified_at = null where email = %s", (ada.email,))
            await ada.post("/send-verification-email", email=ada.email)
            link, _ = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
            before = bob.cookie
            assert cookies_of(await bob.get(link))[0].startswith(f"better-auth.session_token={before};")
            assert live_sessions(cloned) == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_page_of_another_site_makes_one_person_another(
    welcoming: Application, cloned: ClonedDatabase, site: str
) -> None:
    """It may lead a browser to a link of its own making: that verifies, and whoever is signed in there stays so."""
    mailbox = empty_mailbox(welcoming)
    async with newcomer(welcoming) as bob:
        await bob.get((await mailed_link(mailbox, MailKind.VERIFY_EMAIL))[0])
        async with newcomer(welcoming) as thief:
            link, _ = await mailed_link(mailbox, MailKind.VERIFY_EMAIL)
            bob.client.headers["sec-fetch-site"] = site
            answer = await bob.get(link)
            assert (location(answer), cookies_of(answer)) == ("/", [])
            assert (await bob.session())["user"]["email"] == bob.email
            assert is_verified(cloned, thief.email)
            assert live_sessions(cloned) == 1
