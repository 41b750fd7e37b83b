"""The better-auth door from end to end: how its sessions begin and end, what is counted, and what nobody can write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import unquote

import httpx
import pytest

from adapters.security.passwords import ArgonPasswordHasher
from adapters.system.security_log import LOGGER
from application.mail import MailKind
from entrypoints.settings import BetterAuthSettings
from tests.integration.asvs.test_secrets import requests_of
from tests.support.auth_http import serving
from tests.support.doors import AT_HOME, BASE, TOKEN, DoorDevice, device_at, devices_of
from tests.support.log_lines import logged
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase
from tests.support.reviewed_door import ENDPOINTS
from tests.support.visitors import FROM_ANYWHERE, address
from tests.support.whole_site import PASSWORD, WholeSite

_NEW: Final = "eleven boats under the bridge"
_WRONG: Final = "not the password of anybody"


@pytest.fixture
async def eve(whole_site: WholeSite) -> AsyncIterator[DoorDevice]:
    """A student who has signed up at the door."""
    async with at_the_door(whole_site) as device:
        registered = await device.register()
        assert registered.status_code == 200, registered.text
        yield device


def at_the_door(site: WholeSite, email: str | None = None) -> Any:
    """A browser at the door, which calls us by the name of the tests' clients."""
    return device_at(site.app, "better-auth", email)


def alter(site: WholeSite, session_id: str, change: str) -> None:
    """Time travel: the session as if it had begun at another time."""
    site.database.keeper.execute(f"update auth_sessions set {change} where id = %s".encode(), (session_id,))


def bearer(device: DoorDevice) -> dict[str, str]:
    return {"authorization": f"Bearer {unquote(device.cookie)}"}


async def is_nobody(site: WholeSite, cookie: str) -> bool:
    """Whether neither the door nor the API knows the holder of this cookie any more, however it is shown."""
    held = {"cookie": f"{TOKEN}={cookie}"}
    async with at_the_door(site) as thief:
        answers = [
            await thief.client.get("/student/auth/me", headers=held),
            await thief.client.get("/student/auth/me", headers={"authorization": f"Bearer {unquote(cookie)}"}),
            await thief.client.get(f"{BASE}/list-sessions", headers=held),
        ]
        session = await thief.client.get(f"{BASE}/get-session", headers=held)
    return {answer.status_code for answer in answers} == {401} and session.json() is None


async def test_asvs_7_2_2_and_7_2_3_and_11_5_1_a_session_of_the_door_has_a_secret_of_its_own(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    """190 bits of chance, made anew for each; the store knows no more than its hash."""
    first = eve.cookie
    assert (await eve.sign_in()).status_code == 200
    secrets = [unquote(cookie).partition(".")[0] for cookie in (first, eve.cookie)]
    assert secrets[0] != secrets[1]
    assert {(len(secret), secret.isalnum(), secret.isascii()) for secret in secrets} == {(32, True, True)}
    dump = whole_site.database.keeper.execute(
        "select coalesce(string_agg(t::text, ''), '') from (select s, r from auth_sessions s"
        " left join auth_refresh_tokens r on r.session_id = s.id) t"
    ).fetchone()
    assert dump is not None
    assert not [secret for secret in secrets if secret in dump[0] or secret.encode().hex() in dump[0]]


async def test_asvs_7_2_4_signing_in_at_the_door_ends_the_session_that_the_browser_held(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    before = eve.cookie
    assert (await eve.sign_in()).status_code == 200
    assert await is_nobody(whole_site, before)
    assert await eve.session() is not None


async def test_asvs_7_3_1_a_session_of_the_door_that_is_not_used_ends(eve: DoorDevice, whole_site: WholeSite) -> None:
    cookie = eve.cookie
    alter(whole_site, await eve.session_id(), "idle_expires_at = now() - interval '1 second'")
    assert await is_nobody(whole_site, cookie)


async def test_asvs_7_3_2_readings_do_not_prolong_a_session_of_the_door_beyond_its_end(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    """Read each day for a month: it slides, up to the end that was set when it began, and no further."""
    session_id, cookie = await eve.session_id(), eve.cookie
    for day in range(31):
        alter(
            whole_site,
            session_id,
            "created_at = created_at - interval '1 day', auth_time = auth_time - interval '1 day',"
            " last_seen_at = last_seen_at - interval '1 day', renewed_at = renewed_at - interval '1 day',"
            " idle_expires_at = idle_expires_at - interval '1 day',"
            " absolute_expires_at = absolute_expires_at - interval '1 day'",
        )
        found = await eve.session()
        assert (found is not None) is (day < 29), day
        if found is not None:
            begun, end = (datetime.fromisoformat(found["session"][name]) for name in ("createdAt", "expiresAt"))
            assert end - begun <= timedelta(days=30)
    assert await is_nobody(whole_site, cookie)


async def test_asvs_7_4_1_after_signing_out_at_the_door_the_cookie_opens_nothing(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    cookie = eve.cookie
    assert (await eve.post("/sign-out")).json() == {"success": True}
    assert TOKEN not in eve.client.cookies
    assert await is_nobody(whole_site, cookie)


async def test_asvs_7_4_3_a_new_password_ends_the_others_where_it_is_asked_for(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    """The door's clients say whether; the one who asks stays signed in, with a new cookie."""
    async with at_the_door(whole_site, eve.email) as other:
        assert (await other.sign_in()).status_code == 200
        old, others = eve.cookie, other.cookie
        kept = await eve.post("/change-password", currentPassword=PASSWORD, newPassword=_NEW)
        assert kept.status_code == 200, kept.text
        assert await other.session() is not None
        changed = await eve.post(
            "/change-password", currentPassword=_NEW, newPassword=PASSWORD, revokeOtherSessions=True
        )
        assert changed.status_code == 200, changed.text
        assert await is_nobody(whole_site, others)
        assert await is_nobody(whole_site, old)
        assert await eve.session() is not None


async def test_asvs_7_5_1_what_could_lock_the_owner_out_needs_a_fresh_sign_in_at_the_door(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    stale = "created_at = created_at - interval '25 hours', auth_time = auth_time - interval '25 hours'"
    alter(whole_site, await eve.session_id(), stale)
    refused = await eve.post("/change-email", newEmail=f"new-{eve.email}")
    assert (refused.status_code, refused.json()["code"]) == (403, "SESSION_NOT_FRESH")
    gone = await eve.post("/delete-user")
    assert (gone.status_code, gone.json()["code"]) == (400, "SESSION_EXPIRED")
    assert (await eve.sign_in()).status_code == 200
    assert (await eve.post("/change-email", newEmail=f"new-{eve.email}")).status_code == 200


async def test_asvs_7_5_2_people_see_and_end_their_own_sessions_at_the_door(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    """Those of others neither by their token nor by their handle."""
    async with at_the_door(whole_site, eve.email) as mine, at_the_door(whole_site) as foreign:
        assert (await mine.sign_in()).status_code == 200
        assert (await foreign.register()).status_code == 200
        listed = {item["id"]: item["token"] for item in (await eve.get("/list-sessions")).json()}
        assert set(listed) == {await eve.session_id(), await mine.session_id()}
        foreign_id, foreign_token = await foreign.session_id(), unquote(foreign.cookie).partition(".")[0]
        for token in (foreign_id, foreign_token, listed[await mine.session_id()]):
            assert (await eve.post("/revoke-session", token=token)).json() == {"status": True}
        assert await foreign.session() is not None
        assert await mine.session() is None
        alter(whole_site, await eve.session_id(), "created_at = created_at - interval '25 hours'")
        stale = await eve.get("/list-sessions")
        assert (stale.status_code, stale.json()["code"]) == (403, "SESSION_NOT_FRESH")


async def test_asvs_7_6_2_no_get_of_the_door_begins_a_session(
    eve: DoorDevice, whole_site: WholeSite, mailbox: OutboxMailbox
) -> None:
    """Nor does the link that verifies an address, which is a GET: signing in by it is off unless it is set."""
    assert (await eve.post("/send-verification-email", email=eve.email)).status_code == 200
    link = await mailbox.newest(MailKind.VERIFY_EMAIL, eve.email)
    before = whole_site.rows()["auth_sessions"]
    async with at_the_door(whole_site) as stranger:
        verified = await stranger.client.get(f"{BASE}/verify-email", params={"token": link.secret})
        assert (verified.status_code, verified.json()) == (200, {"status": True, "user": None})
        for method, path in ENDPOINTS:
            if method == "GET":
                await stranger.client.get(path.replace("{token}", "x"), params={"token": "x"})
        assert not stranger.client.cookies
    assert whole_site.rows()["auth_sessions"] == before
    assert BetterAuthSettings().auto_sign_in_after_verification is False


@pytest.fixture
def checked() -> Any:
    """How often a password was compared with a hash."""
    seen: list[str | None] = []
    matches = ArgonPasswordHasher.matches

    async def counted(self: ArgonPasswordHasher, password: str, password_hash: str | None) -> bool:
        seen.append(password_hash)
        return await matches(self, password, password_hash)

    with patch.object(ArgonPasswordHasher, "matches", counted):
        yield seen


async def test_asvs_6_3_1_and_6_3_4_guesses_at_the_door_are_counted_as_at_the_portal_at_once_too(
    eve: DoorDevice, whole_site: WholeSite, checked: list[str | None]
) -> None:
    async with AsyncExitStack() as stack:
        guessers = [await stack.enter_async_context(at_the_door(whole_site, eve.email)) for _ in range(12)]
        for guesser in guessers:
            guesser.password = _WRONG
        answers = await asyncio.gather(*(guesser.sign_in() for guesser in guessers))
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
            (401, "INVALID_EMAIL_OR_PASSWORD")
        }
        assert len(checked) == 5
        right = await eve.sign_in()
        assert (right.status_code, right.json()) == (401, answers[0].json())
        assert len(checked) == 5


async def test_asvs_6_3_1_the_present_password_is_no_oracle_at_the_door(
    eve: DoorDevice, checked: list[str | None]
) -> None:
    """Where it is asked for of somebody who is signed in, it is counted as at a sign-in."""
    told = set()
    for number in range(7):
        if number % 2:
            answer = await eve.post("/verify-password", password=_WRONG)
        else:
            answer = await eve.post("/change-password", currentPassword=_WRONG, newPassword=_NEW)
        told.add((answer.status_code, answer.json()["code"]))
    right = await eve.post("/verify-password", password=PASSWORD)
    assert len(checked) == 5
    assert (right.status_code, right.json()["code"]) in told
    assert (400, "INVALID_PASSWORD") in told


async def test_asvs_2_4_1_and_6_3_4_the_quotas_of_one_address_hold_at_both_facades_together(
    cloned: ClonedDatabase,
) -> None:
    quotas = {"registrations_per_ten_minutes": 2, "mail_requests_per_ten_minutes": 2, "sign_in_failures_per_minute": 4}
    async with serving(cloned, [], **quotas, **FROM_ANYWHERE, **AT_HOME) as app, AsyncExitStack() as stack:
        here = address()
        doors = ("portal", "better-auth", "portal", "better-auth")
        devices = [await stack.enter_async_context(device_at(app, door)) for door in doors]
        for device in devices:
            device.client.headers["x-forwarded-for"] = here
        registered = [(await device.register()).status_code for device in devices]
        assert registered == [201, 200, 429, 429]
        asked = [await _ask_for_mail(device) for device in devices]
        assert [answer.is_success for answer in asked] == [True, True, False, False]
        assert {answer.status_code for answer in asked[2:]} == {429}
        assert asked[3].headers["x-retry-after"] == asked[3].headers["retry-after"]
        for device in devices:
            device.password = _WRONG
        guessed = [(await device.sign_in()).status_code for device in (*devices, *devices[:2])]
        assert guessed == [401, 401, 401, 401, 429, 429]


async def _ask_for_mail(device: Any) -> httpx.Response:
    base = BASE if isinstance(device, DoorDevice) else "/student/auth"
    answer: httpx.Response = await device.client.post(
        f"{base}/request-password-reset", json={"email": device.email}, headers=device.proof
    )
    return answer


_PROTECTED: Final[dict[str, Any]] = {
    "id": "usr_of_my_own",
    "role": "admin",
    "emailVerified": True,
    "createdAt": "2001-01-01T00:00:00.000Z",
    "status": "active",
    "username": "root",
    "mustChangePassword": False,
    "must_change_password": False,
    "userId": "usr_of_my_own",
    "__proto__": {"role": "admin"},
    "constructor": {"prototype": {"role": "admin"}},
}


async def test_asvs_8_2_3_and_15_3_3_nobody_writes_what_is_not_theirs_at_the_door(
    whole_site: WholeSite, eve: DoorDevice
) -> None:
    """Other fields are passed over, as the clients of the door expect; none of them changes anything."""
    async with at_the_door(whole_site) as comer:
        body = {"name": "Comer", "email": comer.email, "password": PASSWORD, **_PROTECTED}
        made = (await comer.client.post(f"{BASE}/sign-up/email", json=body)).json()["user"]
        assert list(made) == ["name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"]
        assert (made["emailVerified"], made["createdAt"][:2]) == (False, "20")
        assert made["id"] != "usr_of_my_own"
        assert made["createdAt"] > "2026"
    before = _row_of(whole_site, eve.email)
    assert (await eve.post("/update-user", name="Eve", **_PROTECTED)).json() == {"status": True}
    assert _row_of(whole_site, eve.email) == {**before, "name": "Eve"}
    for address_ in (eve.email, f"new-{eve.email}"):
        refused = await eve.post("/update-user", name="Mallory", email=address_)
        assert (refused.status_code, refused.json()["code"]) == (400, "EMAIL_CAN_NOT_BE_UPDATED")
    only_others = await eve.post("/update-user", role="admin")
    assert (only_others.status_code, only_others.json()) == (400, {"message": "No fields to update"})
    assert _row_of(whole_site, eve.email) == {**before, "name": "Eve"}


def _row_of(site: WholeSite, email: str) -> dict[str, Any]:
    row = site.database.keeper.execute(
        "select to_jsonb(u) - 'updated_at' from users u where email = %s", (email,)
    ).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


async def test_asvs_13_3_1_and_14_2_1_and_16_2_5_the_log_holds_nothing_secret_of_the_door(
    eve: DoorDevice, whole_site: WholeSite, mailbox: OutboxMailbox
) -> None:
    """Not even of links, which have their token in the path or the query: the log names the route."""
    with logged() as lines:
        seen = [eve.email, PASSWORD, _WRONG, _NEW, eve.cookie, unquote(eve.cookie), unquote(eve.cookie)[:32]]
        await eve.post("/sign-in/email", email=eve.email, password=_WRONG)
        await eve.post("/request-password-reset", email=eve.email, redirectTo="/new-password")
        await eve.post("/send-verification-email", email=eve.email)
        await eve.client.get("/student/auth/me", headers=bearer(eve))
        await eve.post("/revoke-session", token=unquote(eve.cookie)[:32])
        reset = await mailbox.newest(MailKind.RESET_PASSWORD, eve.email)
        verify = await mailbox.newest(MailKind.VERIFY_EMAIL, eve.email)
        assert (await eve.client.get(f"{BASE}/verify-email", params={"token": verify.secret})).status_code == 200
        led = await eve.client.get(f"{BASE}/reset-password/{reset.secret}", params={"callbackURL": "/new-password"})
        assert led.status_code == 302
        done = await eve.post("/reset-password", token=reset.secret, newPassword=_NEW)
        assert done.json() == {"status": True}
        await eve.client.get(f"{BASE}/nowhere/{reset.secret}")
    whole_site.app.log.flush()
    told = "\n".join([*lines.texts, requests_of(whole_site)])
    seen += [reset.secret, verify.secret]
    assert "/api/auth/reset-password/{token}" in told
    assert "/api/auth/verify-email" in told
    assert LOGGER in told
    assert [secret for secret in seen if secret in told] == []


_OLD_SECRET: Final = "the-secret-that-the-application-came-with-0123456789"
_NEW_SECRET: Final = "the-one-that-takes-its-place-and-is-9876543210-long"


async def test_asvs_11_2_2_the_doors_own_secret_changes_while_people_are_signed_in(cloned: ClonedDatabase) -> None:
    """Replicas with the old secret, with both, and with the new one alone, on one database."""

    def replica(*secrets: str) -> Any:
        return serving(cloned, [], **FROM_ANYWHERE, **AT_HOME, better_auth=BetterAuthSettings(secrets=secrets))

    async with (
        replica(_OLD_SECRET) as old,
        replica(_NEW_SECRET, _OLD_SECRET) as both,
        replica(_NEW_SECRET) as new,
        devices_of(old, "better-auth") as (eve,),
    ):
        before = eve.cookie
        assert await _knows(both, before)
        assert not await _knows(new, before)
        async with device_at(both, "better-auth", eve.email) as since:
            assert (await since.sign_in()).status_code == 200
            assert await _knows(new, since.cookie)
            assert await _knows(both, since.cookie)
            assert not await _knows(old, since.cookie)


async def _knows(app: Any, cookie: str) -> bool:
    """Whether the door and the API both know who shows this cookie."""
    async with device_at(app, "better-auth") as device:
        held = {"cookie": f"{TOKEN}={cookie}"}
        session = await device.client.get(f"{BASE}/get-session", headers=held)
        me = await device.client.get("/student/auth/me", headers=held)
        assert (session.json() is not None) is (me.status_code == 200)
        return bool(me.status_code == 200)
