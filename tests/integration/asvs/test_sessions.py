"""Sessions from end to end: how they begin, what they are made of, and what ends them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import jwt

from adapters.security.token_source import SystemTokenSource
from application.mail import MailKind
from domain.auth.refresh import decode_token
from tests.support.auth_http import bearer, code
from tests.support.mailbox import OutboxMailbox
from tests.support.reviewed_routes import ROUTES
from tests.support.visitors import Visitor, everybody_signs_in_again, student, visitor
from tests.support.whole_site import PASSWORD, WholeSite


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def session_of(person: Visitor) -> str:
    return str(claims(person.access)["sid"])


def alter(site: WholeSite, person: Visitor, change: str) -> None:
    """Time travel: the person's session as if it had begun at another time."""
    site.database.keeper.execute(f"update auth_sessions set {change} where id = %s".encode(), (session_of(person),))


def one(site: WholeSite, question: str, *values: object) -> Any:
    return (site.database.keeper.execute(question.encode(), values).fetchone() or (None,))[0]


async def test_asvs_7_2_2_and_7_2_3_and_11_5_1_every_session_has_secrets_of_its_own(
    ada: Visitor, whole_site: WholeSite
) -> None:
    """Made anew by the operating system's chance, 256 bits of it; identifiers open nothing."""
    async with visitor(whole_site, ada.email) as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 200
        pairs = [(browser.cookies[name] for browser in (ada.client, elsewhere.client)) for name in ada.client.cookies]
        assert all(first != second for first, second in pairs)
        assert len(decode_token(ada.refresh)) == 32
        for public in (session_of(ada), claims(ada.access)["sub"], claims(ada.access)["jti"]):
            assert code(await elsewhere.client.get("/student/auth/me", headers=bearer(public))) == "auth.token_invalid"
    made = {SystemTokenSource().new() for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(token) for token in made} == {32}


async def test_asvs_7_2_4_signing_in_ends_the_session_that_the_browser_held(ada: Visitor) -> None:
    before = ada.access, ada.refresh
    assert (await ada.sign_in()).status_code == 200
    assert (ada.access, ada.refresh) != before
    old = await ada.client.get("/student/auth/me", headers=bearer(before[0]))
    assert code(old) == "auth.session_ended"
    assert code(await ada.post("refresh", refreshToken=before[1])) == "auth.session_ended"
    assert (await ada.me()).status_code == 200


async def test_asvs_7_3_1_a_session_that_is_not_used_ends(ada: Visitor, whole_site: WholeSite) -> None:
    alter(whole_site, ada, "idle_expires_at = now() - interval '1 second'")
    assert code(await ada.me()) == "auth.session_ended"
    assert code(await ada.post("refresh")) == "auth.session_ended"


async def test_asvs_7_3_2_and_10_4_8_refreshing_does_not_prolong_a_session_beyond_its_end(
    ada: Visitor, whole_site: WholeSite
) -> None:
    alter(
        whole_site, ada, "idle_expires_at = now() + interval '1 hour', absolute_expires_at = now() + interval '1 hour'"
    )
    end = one(whole_site, "select absolute_expires_at from auth_sessions where id = %s", session_of(ada))
    assert (await ada.post("refresh")).status_code == 200
    profile = (await ada.me()).json()
    assert datetime.fromisoformat(profile["session"]["expiresAt"]) <= end
    alter(whole_site, ada, "idle_expires_at = now(), absolute_expires_at = now()")
    assert code(await ada.post("refresh")) == "auth.session_ended"


async def test_asvs_7_4_1_after_signing_out_the_tokens_open_nothing(ada: Visitor) -> None:
    access, refresh = ada.access, ada.refresh
    assert (await ada.post("logout")).status_code == 204
    assert code(await ada.client.get("/student/auth/me", headers=bearer(access))) == "auth.session_ended"
    assert code(await ada.post("refresh", refreshToken=refresh)) == "auth.session_ended"


async def test_asvs_7_4_2_disabling_and_deleting_a_person_ends_every_session(whole_site: WholeSite) -> None:
    for method, body in (("PATCH", {"status": "disabled"}), ("DELETE", None)):
        async with student(whole_site) as person, visitor(whole_site, person.email) as elsewhere:
            assert (await elsewhere.sign_in()).status_code == 200
            path = f"/admin/users/{claims(person.access)['sub']}"
            done = await whole_site.ask(method, path, "admin", **({"json": body} if body else {}))
            assert done.is_success, done.text
            for device in (person, elsewhere):
                assert code(await device.me()) == "auth.session_ended"
                assert code(await device.post("refresh")) == "auth.session_ended"
                assert code(await device.sign_in()) == "auth.invalid_credentials"


async def test_asvs_7_4_5_admins_end_one_session_all_of_a_person_and_everybodys(whole_site: WholeSite) -> None:
    async with AsyncExitStack() as stack:
        first, other = [await stack.enter_async_context(student(whole_site)) for _ in range(2)]
        second, third = [await stack.enter_async_context(visitor(whole_site, first.email)) for _ in range(2)]
        for device in (second, third):
            assert (await device.sign_in()).status_code == 200
        person = f"/admin/users/{claims(first.access)['sub']}/auth-sessions"
        one_of_them = await whole_site.ask("POST", f"{person}/{session_of(second)}/revoke", "admin")
        assert one_of_them.is_success, one_of_them.text
        assert [(await device.me()).status_code for device in (first, second, third, other)] == [200, 401, 200, 200]
        of_the_person = await whole_site.ask("POST", f"{person}/revoke-all", "admin")
        assert of_the_person.json()["revoked"] == 2
        assert [(await device.me()).status_code for device in (first, third, other)] == [401, 401, 200]
        everybodys = await whole_site.ask("POST", "/admin/auth-sessions/revoke-all", "admin", json={"reason": "a leak"})
        assert everybodys.is_success, everybodys.text
        assert (await other.me()).status_code == 401
        assert (await whole_site.ask("GET", "/admin/auth/me", "admin")).status_code == 200
        assert code(await whole_site.ask("GET", "/student/auth/me", "student")) == "auth.session_ended"
    await everybody_signs_in_again(whole_site)


async def test_asvs_7_5_1_what_could_lock_the_owner_out_needs_a_fresh_sign_in(
    ada: Visitor, whole_site: WholeSite
) -> None:
    alter(whole_site, ada, "auth_time = auth_time - interval '61 minutes'")
    asked = {"newEmail": f"new-{ada.email}", "currentPassword": PASSWORD}
    stale = await ada.post("change-email", **asked)
    assert (stale.status_code, code(stale)) == (403, "auth.reauthentication_required")
    assert (await ada.sign_in()).status_code == 200
    assert (await ada.post("change-email", **asked)).status_code == 202


async def test_asvs_7_5_2_and_10_4_9_people_see_and_end_their_own_sessions(ada: Visitor, whole_site: WholeSite) -> None:
    async with visitor(whole_site, ada.email) as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 200
        seen = (await ada.client.get("/student/auth/sessions")).json()["items"]
        assert {item["id"]: item["current"] for item in seen} == {session_of(ada): True, session_of(elsewhere): False}
        alter(whole_site, ada, "auth_time = auth_time - interval '61 minutes'")
        stale = await ada.delete(f"sessions/{session_of(elsewhere)}")
        assert (stale.status_code, code(stale)) == (403, "auth.reauthentication_required")
        assert (await ada.sign_in()).status_code == 200
        assert (await ada.delete(f"sessions/{session_of(elsewhere)}")).status_code == 204
        assert code(await elsewhere.me()) == "auth.session_ended"
        assert code(await elsewhere.post("refresh")) == "auth.session_ended"
        assert (await ada.me()).status_code == 200


async def test_asvs_7_6_2_nothing_begins_a_session_but_registering_and_signing_in(
    ada: Visitor, whole_site: WholeSite, mailbox: OutboxMailbox
) -> None:
    """No GET does, and no link in a mail."""
    link = await mailbox.newest(MailKind.VERIFY_EMAIL, ada.email)
    before = whole_site.rows()["auth_sessions"]
    async with visitor(whole_site) as stranger:
        verified = await stranger.post("verify-email", token=link.secret)
        assert verified.status_code == 204
        assert not stranger.client.cookies
    for route, callers in ROUTES.items():
        if not route.changes:
            answer = await whole_site.ask("GET", route.path, callers[0] if callers else None)
            assert "set-cookie" not in answer.headers
    assert whole_site.rows()["auth_sessions"] == before


async def test_asvs_10_4_5_a_refresh_token_that_two_hold_ends_the_session_for_both(
    ada: Visitor, whole_site: WholeSite
) -> None:
    stolen = ada.refresh
    assert (await ada.post("refresh")).status_code == 200
    whole_site.database.keeper.execute(
        "update auth_refresh_tokens set used_at = used_at - interval '11 seconds' where session_id = %s",
        (session_of(ada),),
    )
    thief = await ada.post("refresh", refreshToken=stolen)
    assert code(thief) == "auth.refresh_reused"
    assert code(await ada.post("refresh")) == "auth.session_ended"
    assert code(await ada.me()) == "auth.session_ended"


async def test_asvs_10_4_5_two_tabs_that_refresh_at_once_are_no_thief(ada: Visitor) -> None:
    token = ada.refresh
    answers = await asyncio.gather(*(ada.post("refresh", refreshToken=token) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refreshToken"] for answer in answers}) == 1


async def test_asvs_2_3_4_however_many_sign_in_at_once_a_limit_holds(whole_site: WholeSite) -> None:
    async with AsyncExitStack() as stack:
        person = await stack.enter_async_context(student(whole_site))
        devices = [await stack.enter_async_context(visitor(whole_site, person.email)) for _ in range(12)]
        answers = await asyncio.gather(*(device.sign_in() for device in devices))
        assert {answer.status_code for answer in answers} == {200}
        live = [device for device in (person, *devices) if (await device.me()).status_code == 200]
    assert len(live) == 3
    assert sum(answer.json()["evictedSessions"] for answer in answers) == 10


async def test_asvs_4_1_3_and_15_3_4_our_own_proxies_are_believed_and_what_they_were_told_is_not(
    whole_site: WholeSite,
) -> None:
    """The rightmost address that is not a proxy's: whatever stands before it was written by the client."""
    async with visitor(whole_site, ip="203.0.113.9, 198.51.100.4, 10.0.0.7") as person:
        assert (await person.register()).status_code == 201
        seen = one(whole_site, "select ip from auth_sessions where id = %s", session_of(person))
    assert seen == "198.51.100.4"
