"""One's own account at the better-auth door: name and picture, another address, and leaving for good."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jwt
import pytest

from application.mail import MailKind
from entrypoints.http.app import Application
from tests.support.account_door import (
    CLEARED,
    NEW_EMAIL,
    accounts_at,
    audited,
    cookies_of,
    live_sessions,
    location,
    mailed_link,
    newcomer,
    refusal,
    stranger,
)
from tests.support.account_door_fixtures import ada, app, mailbox
from tests.support.account_http import one
from tests.support.doors import DoorDevice, device_at
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD

__all__ = ["ada", "app", "mailbox"]

DONE = (200, b'{"status":true}')
DELETED = (200, b'{"success":true,"message":"User deleted"}')
WRONG = "not the password at all"


def age(database: ClonedDatabase, interval: str) -> None:
    """Everybody signed in so much earlier."""
    database.keeper.execute(
        "update auth_sessions set created_at = created_at - %(by)s::interval, auth_time = auth_time - %(by)s::interval",
        {"by": interval},
    )


async def test_name_and_picture_are_changed_and_the_cookie_is_sent_again(ada: DoorDevice) -> None:
    before = await ada.session()
    answer = await ada.post("/update-user", name="Grace", image="https://pictures.example/g.png")
    assert (answer.status_code, answer.content) == DONE
    assert cookies_of(answer) == [
        f"better-auth.session_token={ada.cookie}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    ]
    after = await ada.session()
    assert (after["user"]["name"], after["user"]["image"]) == ("Grace", "https://pictures.example/g.png")
    assert after["session"] == before["session"]
    assert after["user"]["updatedAt"] > before["user"]["updatedAt"]
    assert (await ada.post("/update-user", name="Grace H.")).status_code == 200
    assert (await ada.session())["user"]["image"] == "https://pictures.example/g.png"
    assert (await ada.post("/update-user", image=None)).status_code == 200
    assert ((await ada.session())["user"]["name"], (await ada.session())["user"]["image"]) == ("Grace H.", None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "No fields to update"),
        ({"email": None}, "No fields to update"),
        ({"email": ""}, "No fields to update"),
        ({"email": 0, "emailVerified": True, "role": "admin", "id": "usr_1"}, "No fields to update"),
        ({"email": NEW_EMAIL, "name": "Grace"}, "Email can not be updated"),
        ({"email": [], "name": "Grace"}, "Email can not be updated"),
        ({"email": {}, "name": 5}, "Email can not be updated"),
        ({"name": 5}, "[body.name] Invalid input: expected string, received number"),
        ({"name": None}, "[body.name] Invalid input: expected string, received null"),
        ({"name": "Grace", "image": ["x"]}, "[body.image] Invalid input: expected string, received array"),
        ({"name": "x" * 201}, "[body.name] A name has at most 200 characters"),
        ({"image": "x" * 2001}, "[body.image] The address of a picture has at most 2000 characters"),
    ],
)
async def test_nothing_else_is_changed(
    ada: DoorDevice, cloned: ClonedDatabase, body: dict[str, Any], told: str
) -> None:
    before = cloned.keeper.execute("select * from users").fetchall()
    answer = await ada.post("/update-user", **body)
    assert (answer.status_code, answer.json()["message"]) == (400, told)
    assert cookies_of(answer) == []
    assert cloned.keeper.execute("select * from users").fetchall() == before


@pytest.mark.parametrize(
    ("content", "received"),
    [(b"[]", "array"), (b"null", "null"), (b"5", "number"), (b'"x"', "string"), (b"", "undefined")],
)
async def test_an_update_is_an_object(ada: DoorDevice, content: bytes, received: str) -> None:
    headers = {"origin": ada.origin, "content-type": "application/json"}
    answer = await ada.client.post("/api/auth/update-user", content=content, headers=headers)
    told = f"[body] Invalid input: expected record, received {received}"
    assert (answer.status_code, answer.json()) == (400, {"message": told, "code": "VALIDATION_ERROR"})


async def test_a_picture_is_seen_at_the_portal_too(app: Application, ada: DoorDevice) -> None:
    async with device_at(app, "portal", ada.email) as portal:
        await portal.sign_in()
        await ada.post("/update-user", name="Grace")
        assert (await portal.ask("GET", "/student/auth/me")).json()["user"]["name"] == "Grace"


async def moving(device: DoorDevice, mailbox: OutboxMailbox, **more: str) -> tuple[str, str]:
    """Asks for another address; where the mailed link leads, and its token."""
    asked = await device.post("/change-email", newEmail=NEW_EMAIL.upper(), **more)
    assert (asked.status_code, asked.content) == DONE
    return await mailed_link(mailbox, MailKind.CHANGE_EMAIL)


async def test_an_address_is_changed_by_a_link_to_the_new_one(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    old = ada.email
    link, token = await moving(ada, mailbox, callbackURL="/settled")
    assert link == f"/verify-email?token={token}&callbackURL=%2Fsettled"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert list(claims) == ["email", "updateTo", "requestType", "iat", "exp"]
    assert (claims["email"], claims["updateTo"]) == (old, NEW_EMAIL)
    assert claims["requestType"] == "change-email-verification"
    assert (await mailbox.newest(MailKind.CHANGE_EMAIL)).to == NEW_EMAIL
    assert (await mailbox.newest(MailKind.EMAIL_CHANGING)).to == old
    assert (await ada.session())["user"]["email"] == old
    answer = await ada.get(f"/verify-email?token={token}")
    session = await ada.session()
    assert (answer.status_code, answer.json()) == (200, {"status": True, "user": session["user"]})
    assert (session["user"]["email"], session["user"]["emailVerified"]) == (NEW_EMAIL, True)
    assert cookies_of(answer)[0].startswith(f"better-auth.session_token={ada.cookie};")
    assert (await mailbox.newest(MailKind.EMAIL_CHANGED)).to == old
    assert refusal(await ada.get(f"/verify-email?token={token}")) == (401, "USER_NOT_FOUND")
    assert location(await ada.get(link)) == "/settled?error=USER_NOT_FOUND"
    assert audited(cloned) == [("user.email_changed", 1)]


async def test_a_link_to_a_new_address_signs_nobody_in(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    link, _ = await moving(ada, mailbox)
    async with stranger(app) as device:
        answer = await device.get(link)
        assert location(answer) == "/"
        assert cookies_of(answer) == []
    assert live_sessions(cloned) == 1
    assert (await ada.session())["user"]["email"] == NEW_EMAIL


async def test_of_six_who_use_a_link_at_once_one_moves_the_account(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    _, token = await moving(ada, mailbox)
    async with stranger(app) as device:
        answers = await asyncio.gather(*(device.get(f"/verify-email?token={token}") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]
    assert audited(cloned) == [("user.email_changed", 1)]


async def test_who_is_signed_in_as_somebody_else_does_not_complete_a_change(
    app: Application, ada: DoorDevice, mailbox: OutboxMailbox
) -> None:
    link, token = await moving(ada, mailbox)
    async with newcomer(app) as bob:
        assert refusal(await bob.get(f"/verify-email?token={token}")) == (401, "INVALID_USER")
        assert location(await bob.get(link)) == "/?error=INVALID_USER"
    assert (await ada.get(f"/verify-email?token={token}")).status_code == 200


async def test_an_address_in_use_is_answered_alike(app: Application, ada: DoorDevice, mailbox: OutboxMailbox) -> None:
    async with newcomer(app, NEW_EMAIL):
        asked = await ada.post("/change-email", newEmail=NEW_EMAIL)
        assert (asked.status_code, asked.content) == DONE
        assert MailKind.CHANGE_EMAIL not in {mail.kind for mail in await mailbox.mails()}


async def test_an_address_that_was_taken_meanwhile_is_refused_at_the_end(
    app: Application, ada: DoorDevice, mailbox: OutboxMailbox
) -> None:
    link, token = await moving(ada, mailbox, callbackURL="/settled")
    async with newcomer(app, NEW_EMAIL):
        taken = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
        assert refusal(await ada.get(f"/verify-email?token={token}")) == (422, taken)
        assert location(await ada.get(link)) == f"/settled?error={taken}"
    assert (await ada.session())["user"]["email"] == ada.email


async def test_asvs_7_5_1_an_address_is_changed_by_who_signed_in_lately(
    ada: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    assert refusal(await ada.post("/change-email", newEmail=ada.email.upper())) == (400, "Email is the same")
    age(cloned, "1 day")
    assert refusal(await ada.post("/change-email", newEmail=NEW_EMAIL)) == (403, "SESSION_NOT_FRESH")
    assert MailKind.EMAIL_CHANGING not in {mail.kind for mail in await mailbox.mails()}
    await ada.sign_in()
    assert (await ada.post("/change-email", newEmail=NEW_EMAIL)).status_code == 200


@pytest.mark.parametrize("body", [{"password": PASSWORD}, {}, {"password": ""}, {"callbackURL": "/bye"}])
async def test_who_leaves_is_gone_under_every_door_and_frees_the_address(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, body: dict[str, str]
) -> None:
    async with device_at(app, "better-auth", ada.email) as other, device_at(app, "portal", ada.email) as portal:
        await other.sign_in()
        await portal.sign_in()
        old = (await ada.session())["user"]["id"]
        answer = await ada.post("/delete-user", **body)
        assert (answer.status_code, answer.content) == DELETED
        assert set(cookies_of(answer)) == CLEARED
        assert live_sessions(cloned) == 0
        assert not await other.session()
        assert (await portal.ask("GET", "/student/auth/me")).status_code == 401
        assert audited(cloned) == [("user.deleted", 1)]
        assert one(cloned, b"select actor_id = subject from audit_log") is True
        assert refusal(await ada.sign_in()) == (401, "INVALID_EMAIL_OR_PASSWORD")
        assert (await ada.register()).json()["user"]["id"] != old


async def test_who_signed_in_long_ago_leaves_by_password_only(ada: DoorDevice, cloned: ClonedDatabase) -> None:
    age(cloned, "1 day")
    for body in ({}, {"password": ""}):
        assert refusal(await ada.post("/delete-user", **body)) == (400, "SESSION_EXPIRED")
    assert refusal(await ada.post("/delete-user", password=WRONG)) == (400, "INVALID_PASSWORD")
    assert audited(cloned) == []
    answer = await ada.post("/delete-user", password=PASSWORD)
    assert (answer.status_code, answer.content) == DELETED


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"password": 5}, (400, "VALIDATION_ERROR")),
        ({"token": None}, (400, "VALIDATION_ERROR")),
        ({"callbackURL": "https://evil.test"}, (403, "INVALID_CALLBACK_URL")),
        ({"password": WRONG}, (400, "INVALID_PASSWORD")),
        ({"token": "guessed"}, (404, "INVALID_TOKEN")),
        ({"token": "guessed", "password": WRONG}, (400, "INVALID_PASSWORD")),
        ({"token": "guessed", "password": PASSWORD}, (404, "INVALID_TOKEN")),
    ],
)
async def test_a_wrong_word_deletes_nobody(
    ada: DoorDevice, cloned: ClonedDatabase, body: dict[str, Any], told: tuple[int, str]
) -> None:
    assert refusal(await ada.post("/delete-user", **body)) == told
    assert audited(cloned) == []
    assert await ada.session()


async def test_no_link_deletes_anybody(app: Application, ada: DoorDevice, cloned: ClonedDatabase) -> None:
    path = "/delete-user/callback"
    assert refusal(await ada.get(path)) == (400, "VALIDATION_ERROR")
    assert refusal(await ada.get(f"{path}?token=x&callbackURL=/bye")) == (404, "INVALID_TOKEN")
    async with stranger(app) as device:
        assert refusal(await device.get(f"{path}?token=x")) == (404, "FAILED_TO_GET_USER_INFO")
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'logout'")
    dead = await ada.get(f"{path}?token=x")
    assert refusal(dead) == (404, "FAILED_TO_GET_USER_INFO")
    assert set(cookies_of(dead)) == CLEARED


async def test_an_installation_may_keep_everybody(
    cloned: ClonedDatabase, module_database: ClonedDatabase, log: list[bytes], tmp_path: Path
) -> None:
    async with accounts_at(module_database, log, tmp_path, delete_user=False) as app, newcomer(app) as ada:
        answer = await ada.post("/delete-user", password=PASSWORD)
        assert (answer.status_code, answer.content) == (404, b"")
        assert answer.headers["content-type"] == "application/json"
        assert refusal(await ada.post("/delete-user", password=5)) == (400, "VALIDATION_ERROR")
        told = await ada.get("/delete-user/callback?token=x")
        assert (told.status_code, told.json()) == (404, {"message": "Not found", "code": "NOT_FOUND"})
        async with stranger(app) as nobody:
            assert refusal(await nobody.post("/delete-user")) == (401, "UNAUTHORIZED")
        assert await ada.session()
        assert audited(cloned) == []
