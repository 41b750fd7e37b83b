"""Passwords at the better-auth door: changed by who knows the present one, and asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.security.passwords import ArgonPasswordHasher
from application.mail import MailKind
from entrypoints.http.app import Application
from tests.support.account_door import (
    CLEARED,
    NEW_PASSWORD,
    audited,
    cookies_of,
    live_sessions,
    refusal,
    stranger,
)
from tests.support.account_door_fixtures import ada, app, mailbox
from tests.support.doors import DoorDevice, device_at
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD

__all__ = ["ada", "app", "mailbox"]

WRONG = "not the password at all"


def change(new: str = NEW_PASSWORD, current: str = PASSWORD, **more: Any) -> dict[str, Any]:
    return {"newPassword": new, "currentPassword": current, **more}


async def test_a_change_keeps_the_other_sessions(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    async with device_at(app, "better-auth", ada.email) as other:
        await other.sign_in()
        user = (await ada.session())["user"]
        answer = await ada.post("/change-password", **change())
        assert (answer.status_code, answer.json()) == (200, {"token": None, "user": user})
        assert list(answer.json()["user"]) == [
            *("name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id")
        ]
        assert cookies_of(answer) == []
        assert await ada.session()
        assert await other.session()
        assert (await mailbox.newest(MailKind.PASSWORD_CHANGED)).to == ada.email
        assert refusal(await other.sign_in()) == (401, "INVALID_EMAIL_OR_PASSWORD")
        other.password = NEW_PASSWORD
        assert (await other.sign_in()).status_code == 200
    assert audited(cloned) == [("user.password_changed", 1)]


async def test_a_change_that_revokes_ends_all_sessions_and_goes_on_in_a_new_one(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase
) -> None:
    async with device_at(app, "better-auth", ada.email) as other, device_at(app, "portal", ada.email) as portal:
        await other.sign_in()
        await portal.sign_in()
        assert live_sessions(cloned) == 3
        before, user = ada.cookie, (await ada.session())["user"]
        answer = await ada.post("/change-password", **change(revokeOtherSessions=True))
        token = answer.json()["token"]
        assert (answer.status_code, answer.json()) == (200, {"token": token, "user": user})
        assert len(cookies_of(answer)) == 1
        assert cookies_of(answer)[0].startswith(f"better-auth.session_token={token}.")
        assert cookies_of(answer)[0].endswith("; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax")
        assert (await ada.session())["session"]["token"] == token
        assert not await other.session()
        assert (await portal.ask("GET", "/student/auth/me")).status_code == 401
        assert live_sessions(cloned) == 1
        other.client.cookies.set("better-auth.session_token", before)
        assert not await other.session()
    assert audited(cloned) == [("user.password_changed", 1)]


async def test_a_browser_that_is_to_forget_its_session_is_to_forget_the_new_one_as_well(ada: DoorDevice) -> None:
    await ada.post("/sign-in/email", email=ada.email, password=PASSWORD, rememberMe=False)
    answer = await ada.post("/change-password", **change(revokeOtherSessions=True))
    token, flag = cookies_of(answer)
    assert token.startswith("better-auth.session_token=")
    assert flag.startswith("better-auth.dont_remember=true.")
    assert not [cookie for cookie in (token, flag) if "Max-Age" in cookie]
    assert await ada.session()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {},
            (
                "[body.newPassword] Invalid input: expected string, received undefined;"
                " [body.currentPassword] Invalid input: expected string, received undefined"
            ),
        ),
        (
            change(revokeOtherSessions="yes"),
            "[body.revokeOtherSessions] Invalid input: expected boolean, received string",
        ),
        (change("x", WRONG), "Password too short"),
        (change("x" * 129, WRONG), "Password too long"),
        # By the units in which the clients of the door count, two of which make one such sign.
        (change("\N{GRINNING FACE}" * 65, WRONG), "Password too long"),
        (change("password", WRONG), "PASSWORD_COMPROMISED"),
        (change("password123", WRONG), "PASSWORD_COMPROMISED"),
        (change(current=WRONG), "Invalid password"),
        (change(current=""), "Invalid password"),
        (change(current="x" * 5000), "Invalid password"),
        (change(PASSWORD), "PASSWORD_UNCHANGED"),
    ],
)
async def test_a_change_is_refused_for_the_first_thing_that_is_wrong(
    ada: DoorDevice, cloned: ClonedDatabase, body: dict[str, Any], told: str
) -> None:
    answer = await ada.post("/change-password", **body)
    assert answer.status_code == 400
    assert told in (answer.json()["message"], answer.json()["code"])
    assert audited(cloned) == []
    assert (await ada.post("/verify-password", password=PASSWORD)).status_code == 200


async def test_a_password_of_four_pairs_is_long_enough_for_the_door_and_too_short_for_the_core(ada: DoorDevice) -> None:
    assert refusal(await ada.post("/change-password", **change("\N{GRINNING FACE}" * 4))) == (400, "PASSWORD_TOO_SHORT")
    assert (await ada.post("/change-password", **change("\N{GRINNING FACE}" * 8))).status_code == 200


async def test_a_person_is_told_whether_this_is_their_password(ada: DoorDevice) -> None:
    right = await ada.post("/verify-password", password=PASSWORD)
    assert (right.status_code, right.content) == (200, b'{"status":true}')
    for guess in (WRONG, "", "x" * 5000):
        wrong = await ada.post("/verify-password", password=guess)
        assert wrong.content == b'{"message":"Invalid password","code":"INVALID_PASSWORD"}'
        assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/verify-password", {}, "password"),
        ("/change-password", {"newPassword": NEW_PASSWORD}, "currentPassword"),
        ("/delete-user", {}, "password"),
        ("/delete-user", {"token": "guessed"}, "password"),
    ],
)
async def test_asvs_6_3_1_the_sixth_guess_of_somebody_signed_in_is_not_checked(
    ada: DoorDevice,
    cloned: ClonedDatabase,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    field: str,
) -> None:
    """Nor the right password after five wrong ones; the answers are alike."""
    checked: list[str] = []
    matches = ArgonPasswordHasher.matches

    async def counted(self: ArgonPasswordHasher, password: str, password_hash: str | None) -> bool:
        checked.append(password)
        return await matches(self, password, password_hash)

    monkeypatch.setattr(ArgonPasswordHasher, "matches", counted)
    answers = [await ada.post(path, **body, **{field: f"{WRONG} {number}"}) for number in range(5)]
    answers.append(await ada.post(path, **body, **{field: PASSWORD}))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (400, b'{"message":"Invalid password","code":"INVALID_PASSWORD"}')
    }
    assert checked == [f"{WRONG} {number}" for number in range(5)]
    assert audited(cloned) == []
    assert await ada.session(), "guessing does not sign the owner out"


SENSITIVE: list[tuple[str, dict[str, Any]]] = [
    ("/update-user", {"name": "Grace"}),
    ("/change-password", change()),
    ("/verify-password", {"password": PASSWORD}),
    ("/change-email", {"newEmail": "elsewhere@example.org"}),
    ("/delete-user", {"password": PASSWORD}),
]


@pytest.mark.parametrize(("path", "body"), SENSITIVE)
async def test_a_session_that_was_revoked_does_nothing_and_its_cookies_go(
    app: Application, ada: DoorDevice, cloned: ClonedDatabase, path: str, body: dict[str, Any]
) -> None:
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'admin_revoked'")
    before = cloned.keeper.execute("select * from users").fetchall()
    answer = await ada.post(path, **body)
    assert answer.content == b'{"message":"Unauthorized","code":"UNAUTHORIZED"}'
    assert answer.status_code == 401
    assert set(cookies_of(answer)) == CLEARED
    assert cloned.keeper.execute("select * from users").fetchall() == before
    async with stranger(app) as nobody:
        anonymous = await nobody.post(path, **body)
        assert refusal(anonymous) == (401, "UNAUTHORIZED")
        assert cookies_of(anonymous) == []
