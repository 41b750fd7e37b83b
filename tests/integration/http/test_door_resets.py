"""Passwords that are set with a mailed link, at the better-auth door."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from application.mail import MailKind
from entrypoints.http.app import Application
from tests.support.account_door import (
    APP_ORIGIN,
    NEW_PASSWORD,
    accounts_at,
    audited,
    cookies_of,
    empty_mailbox,
    live_sessions,
    location,
    mailed_link,
    newcomer,
    refusal,
)
from tests.support.account_door_fixtures import ada, app, mailbox, nobody
from tests.support.account_http import one
from tests.support.doors import SITE, DoorDevice, device_at
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase

__all__ = ["ada", "app", "mailbox", "nobody"]

ASKED = b'{"status":true,"message":"If this email exists in our system, check your email for the reset link"}'


async def asked_for(device: DoorDevice, mailbox: OutboxMailbox, email: str, **more: str) -> str:
    """The token of a link that was asked for."""
    assert (await device.post("/request-password-reset", email=email, **more)).status_code == 200
    return (await mailed_link(mailbox, MailKind.RESET_PASSWORD))[1]


async def test_a_forgotten_password_is_set_by_a_mailed_link(
    app: Application, ada: DoorDevice, nobody: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    asked = await nobody.post("/request-password-reset", email=ada.email.upper(), redirectTo="/reset?step=2")
    assert (asked.status_code, asked.content) == (200, ASKED)
    link, token = await mailed_link(mailbox, MailKind.RESET_PASSWORD)
    assert re.fullmatch("[A-Za-z0-9]{24}", token)
    assert link == f"/reset-password/{token}?callbackURL=%2Freset%3Fstep%3D2"
    for _ in range(2):
        assert location(await nobody.get(link)) == f"{SITE}/reset?step=2&token={token}", "following uses nothing up"
    done = await nobody.post("/reset-password", newPassword=NEW_PASSWORD, token=token)
    assert (done.status_code, done.content) == (200, b'{"status":true}')
    assert cookies_of(done) == [], "nobody is signed in by it"
    assert not await ada.session()
    assert (await mailbox.newest(MailKind.PASSWORD_CHANGED)).to == ada.email
    assert location(await nobody.get(link)) == f"{SITE}/reset?step=2&error=INVALID_TOKEN"
    again = await nobody.post("/reset-password", newPassword=NEW_PASSWORD + "!", token=token)
    assert refusal(again) == (400, "INVALID_TOKEN")
    assert refusal(await ada.sign_in()) == (401, "INVALID_EMAIL_OR_PASSWORD")
    ada.password = NEW_PASSWORD
    user = (await ada.sign_in()).json()["user"]
    assert user["emailVerified"] is False, "a link to a password verifies no address at this door"
    assert audited(cloned) == [("user.password_reset", 1)]


async def test_an_installation_may_keep_the_sessions(
    cloned: ClonedDatabase, module_database: ClonedDatabase, log: list[bytes], tmp_path: Path
) -> None:
    async with accounts_at(module_database, log, tmp_path, revoke_sessions_on_reset=False) as app:
        mailbox = empty_mailbox(app)
        async with newcomer(app) as ada, device_at(app, "portal", ada.email) as portal:
            await portal.sign_in()
            token = await asked_for(ada, mailbox, ada.email)
            assert (await ada.post("/reset-password", newPassword=NEW_PASSWORD, token=token)).status_code == 200
            assert await ada.session()
            assert (await portal.ask("GET", "/student/auth/me")).status_code == 200
            assert live_sessions(cloned) == 2


async def test_the_token_is_taken_from_the_body_or_else_from_the_query(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox
) -> None:
    token = await asked_for(nobody, mailbox, ada.email)
    both = await nobody.post(f"/reset-password?token={token}", newPassword=NEW_PASSWORD, token="x" * 24)
    assert refusal(both) == (400, "INVALID_TOKEN")
    assert (await nobody.post(f"/reset-password?token={token}", newPassword=NEW_PASSWORD, token="")).is_success


@pytest.mark.parametrize(
    ("query", "body", "told"),
    [
        ("", {}, "[body.newPassword] Invalid input: expected string, received undefined"),
        ("", {"newPassword": 5, "token": "x"}, "[body.newPassword] Invalid input: expected string, received number"),
        ("", {"newPassword": "x", "token": 5}, "[body.token] Invalid input: expected string, received number"),
        ("?token=a&token=b", {"newPassword": "x"}, "[query.token] Invalid input: expected string, received array"),
        ("", {"newPassword": "x"}, "Invalid token"),
        ("?token=", {"newPassword": "x", "token": ""}, "Invalid token"),
        ("", {"newPassword": "x", "token": "guessed"}, "Password too short"),
        ("", {"newPassword": "x" * 129, "token": "guessed"}, "Password too long"),
        ("?token=guessed", {"newPassword": NEW_PASSWORD}, "Invalid token"),
    ],
)
async def test_a_reset_is_refused_for_the_first_thing_that_is_wrong(
    nobody: DoorDevice, query: str, body: dict[str, str], told: str
) -> None:
    answer = await nobody.post(f"/reset-password{query}", **body)
    assert (answer.status_code, answer.json()["message"]) == (400, told)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short", "PASSWORD_TOO_SHORT"),
        ("\N{GRINNING FACE}" * 4, "PASSWORD_TOO_SHORT"),
        ("x" * 129, "PASSWORD_TOO_LONG"),
        ("password1", "PASSWORD_COMPROMISED"),
    ],
)
async def test_a_password_that_is_refused_leaves_the_link_good(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox, password: str, told: str
) -> None:
    token = await asked_for(nobody, mailbox, ada.email)
    refused = await nobody.post("/reset-password", newPassword=password, token=token)
    assert refusal(refused) == (400, told)
    assert await ada.session()
    assert (await nobody.post("/reset-password", newPassword=NEW_PASSWORD, token=token)).status_code == 200


async def test_of_six_who_use_a_link_at_once_one_sets_the_password(
    app: Application, ada: DoorDevice, nobody: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    token = await asked_for(nobody, mailbox, ada.email)
    passwords = [f"{NEW_PASSWORD} {number}" for number in range(6)]
    answers = await asyncio.gather(
        *(nobody.post("/reset-password", newPassword=each, token=token) for each in passwords)
    )
    winners = [each for each, answer in zip(passwords, answers, strict=True) if answer.status_code == 200]
    assert len(winners) == 1
    assert [refusal(answer) for answer in answers if answer.status_code != 200] == [(400, "INVALID_TOKEN")] * 5
    async with device_at(app, "better-auth", ada.email, password=winners[0]) as device:
        assert (await device.sign_in()).status_code == 200
    assert audited(cloned) == [("user.password_reset", 1)]


async def test_a_newer_link_replaces_the_one_before(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox
) -> None:
    first = await asked_for(nobody, mailbox, ada.email)
    second = await asked_for(nobody, mailbox, ada.email)
    assert refusal(await nobody.post("/reset-password", newPassword=NEW_PASSWORD, token=first))[1] == "INVALID_TOKEN"
    assert (await nobody.post("/reset-password", newPassword=NEW_PASSWORD, token=second)).status_code == 200


async def test_a_link_that_is_too_old_is_not_good(
    ada: DoorDevice, nobody: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    token = await asked_for(nobody, mailbox, ada.email, redirectTo="/reset")
    cloned.keeper.execute("update one_time_links set expires_at = now() - interval '1 second'")
    followed = await nobody.get(f"/reset-password/{token}?callbackURL=/reset")
    assert location(followed) == f"{SITE}/reset?error=INVALID_TOKEN"
    assert refusal(await nobody.post("/reset-password", newPassword=NEW_PASSWORD, token=token))[1] == "INVALID_TOKEN"


async def test_a_link_is_good_at_either_door(ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox) -> None:
    ours = await asked_for(nobody, mailbox, ada.email)
    at_the_portal = {"token": ours, "password": NEW_PASSWORD}
    assert (await nobody.client.post("/student/auth/reset-password", json=at_the_portal)).status_code == 204
    await nobody.client.post("/student/auth/request-password-reset", json={"email": ada.email})
    theirs = await mailbox.newest(MailKind.RESET_PASSWORD)
    assert theirs.url == f"{SITE}/student/reset-password#token={theirs.token}"
    done = await nobody.post("/reset-password", newPassword=f"{NEW_PASSWORD}!", token=theirs.secret)
    assert done.status_code == 200


async def test_who_asks_learns_nothing_about_accounts(
    ada: DoorDevice, nobody: DoorDevice, app: Application, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    """One answer, whoever has the address, has had it, nobody, or nobody can have it here; mail for one of them."""
    async with newcomer(app, "gone@example.org") as gone:
        cloned.keeper.execute("update users set deleted_at = now() where email = %s", (gone.email,))
    told = set()
    for email in (ada.email, "gone@example.org", "nobody@example.org", f"{'x' * 65}@example.org"):
        answer = await nobody.post("/request-password-reset", email=email, redirectTo="/reset")
        changing = {"x-request-id", "date"}
        headers = sorted((name, value) for name, value in answer.headers.items() if name not in changing)
        told.add((answer.status_code, answer.content, tuple(headers)))
    assert len(told) == 1
    mails = [mail for mail in await mailbox.mails() if mail.kind is MailKind.RESET_PASSWORD]
    assert [mail.to for mail in mails] == [ada.email]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, (400, "VALIDATION_ERROR")),
        ({"email": "nobody"}, (400, "VALIDATION_ERROR")),
        ({"email": "a@example.org", "redirectTo": 5}, (400, "Invalid redirectURL: expected a string")),
        ({"email": "a@example.org", "redirectTo": "https://evil.test"}, (403, "INVALID_REDIRECT_URL")),
        ({"email": "nobody", "redirectTo": "//evil.test"}, (403, "INVALID_REDIRECT_URL")),
    ],
)
async def test_what_is_asked_for_wrongly_is_refused(
    nobody: DoorDevice, cloned: ClonedDatabase, body: dict[str, str], told: tuple[int, str]
) -> None:
    jobs = one(cloned, b"select count(*) from procrastinate_jobs")
    assert refusal(await nobody.post("/request-password-reset", **body)) == told
    assert one(cloned, b"select count(*) from procrastinate_jobs") == jobs


async def test_where_no_page_is_asked_for_the_link_names_none(
    ada: DoorDevice, nobody: DoorDevice, mailbox: OutboxMailbox
) -> None:
    await asked_for(nobody, mailbox, ada.email)
    link, token = await mailed_link(mailbox, MailKind.RESET_PASSWORD)
    assert link == f"/reset-password/{token}?callbackURL="
    assert location(await nobody.get(link)) == f"{SITE}/api/auth/error?error=INVALID_TOKEN"


@pytest.mark.parametrize(
    ("callback", "leads_to"),
    [
        ("/reset", f"{SITE}/reset?error=INVALID_TOKEN"),
        ("/reset?a=%41&error=none&error=two", f"{SITE}/reset?a=A&error=INVALID_TOKEN"),
        (APP_ORIGIN, f"{APP_ORIGIN}/?error=INVALID_TOKEN"),
        (f"{APP_ORIGIN}/a b?q=ä+c", f"{APP_ORIGIN}/a%20b?q=%C3%A4+c&error=INVALID_TOKEN"),
        ("https://APP.example.com:443/../x#part", f"{APP_ORIGIN}/x?error=INVALID_TOKEN#part"),
        ("myapp://reset", "myapp://reset?error=INVALID_TOKEN"),
    ],
)
async def test_a_link_leads_on_to_the_page_that_it_names(nobody: DoorDevice, callback: str, leads_to: str) -> None:
    answer = await nobody.get(f"/reset-password/guessed?callbackURL={quote(callback, safe='')}")
    assert location(answer) == leads_to


@pytest.mark.parametrize(
    "path", ["/reset-password/guessed?", "/verify-email?token=guessed&", "/delete-user/callback?token=x&"]
)
@pytest.mark.parametrize(
    "callback",
    [
        *("https://evil.test", "//evil.test", "/\\evil.test", "/%2fevil.test", "/%5Cevil.test", "\\\\evil.test"),
        *("https:evil.test", "https://evil.test\\@app.example.com", "https://app.example.com@evil.test", "evil.test"),
        *("https://app.example.com.evil.test", "https://app.example.com\\.evil.test", "javascript:alert(1)"),
        *("/x\r\nset-cookie: a=b", f"{APP_ORIGIN}\r\n.evil.test", "\thttps://evil.test", "data:text/html,x"),
        *("http://app.example.com", "https://app.example.com:444", "otherapp://x", "/reset#part", " /reset"),
    ],
)
async def test_asvs_3_7_2_a_link_leads_nowhere_else(nobody: DoorDevice, path: str, callback: str) -> None:
    answer = await nobody.get(f"{path}callbackURL={quote(callback, safe='')}")
    assert refusal(answer) == (403, "INVALID_CALLBACK_URL")
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/reset-password/x", "[query.callbackURL] Invalid input: expected string, received undefined"),
        (
            "/reset-password/x?callbackURL=/a&callbackURL=/b",
            "[query.callbackURL] Invalid input: expected string, received array",
        ),
    ],
)
async def test_a_link_names_one_page(nobody: DoorDevice, path: str, told: str) -> None:
    answer = await nobody.get(path)
    assert (answer.status_code, answer.json()) == (400, {"message": told, "code": "VALIDATION_ERROR"})


@pytest.mark.parametrize("path", ["/reset-password/?callbackURL=/a", "/reset-password/a/b?callbackURL=/a"])
async def test_a_link_has_one_token(nobody: DoorDevice, path: str) -> None:
    answer = await nobody.get(path)
    assert (answer.status_code, answer.content) == (404, b"")
