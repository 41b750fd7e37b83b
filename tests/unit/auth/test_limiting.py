"""Session limits at sign-in and at refresh, in conversations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.auth.limiting import end_surplus
from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.ports import AuthWork
from domain.auth.limits import LimitSource, SessionLimitReached, WhenFull
from domain.auth.people import Role
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Door, RefreshReused, Session, SessionEnded
from tests.support.auth_builders import STUDENT_VISIT, AuthInMemory, a_session, a_user, auth_in_memory
from tests.support.session_limits import define_limit, join_group


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account and signs in each minute."""
    auth = auth_in_memory()
    await auth.add(a_user())
    return auth


def holding(grant: Grant) -> Visit:
    """A visit with the tokens of an earlier one."""
    return replace(STUDENT_VISIT, held=HeldTokens(access=grant.access_token, refresh=grant.refresh_token))


async def enter(auth: AuthInMemory, times: int, visit: Visit = STUDENT_VISIT) -> list[Grant]:
    """Signs in, again and again, a minute apart."""
    grants = []
    for _ in range(times):
        auth.clock.advance(minutes=1)
        grants.append(await auth.enter(visit=visit))
    return grants


async def lower(auth: AuthInMemory, limit: int | None, when_full: WhenFull = WhenFull.EVICT_OLDEST) -> None:
    await define_limit(auth, LimitSource.USER, "usr_ada", limit, when_full)


async def change_session(auth: AuthInMemory, grant: Grant, **changes: object) -> None:
    sessions = auth.store.tables["auth_sessions"]
    key = "usr_ada", grant.session.id
    sessions[key] = replace(sessions[key], **changes)


async def opening(auth: AuthInMemory, grants: list[Grant]) -> list[bool]:
    """Which of these sessions live."""
    live = {session.id for session in await auth.reader.live_sessions_of("usr_ada")}
    return [grant.session.id in live for grant in grants]


def reasons(auth: AuthInMemory, grants: list[Grant]) -> list[str | None]:
    sessions: dict[object, Session] = auth.store.tables["auth_sessions"]
    return [sessions["usr_ada", grant.session.id].revoke_reason for grant in grants]


async def test_a_fourth_sign_in_ends_the_session_that_was_seen_least_recently(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    assert [grant.evicted_sessions for grant in grants] == [0, 0, 0]
    await auth.refresh(Role.STUDENT, grants[0].refresh_token)
    grants += await enter(auth, 1)
    assert grants[3].evicted_sessions == 1
    assert await opening(auth, grants) == [True, False, True, True]
    assert reasons(auth, grants) == [None, "evicted", None, None]
    with pytest.raises(SessionEnded):
        await auth.authenticate(grants[1].access_token)


async def test_registration_opens_the_first_session(auth: AuthInMemory) -> None:
    assert (await auth.register("grace@example.org")).evicted_sessions == 0


async def test_the_session_of_the_same_browser_makes_room_itself(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    grants += await enter(auth, 1, holding(grants[2]))
    assert grants[3].evicted_sessions == 0
    assert reasons(auth, grants) == [None, None, "replaced", None]


async def test_a_limit_that_denies_refuses_and_changes_nothing(auth: AuthInMemory) -> None:
    await lower(auth, 2, WhenFull.DENY)
    grants = await enter(auth, 2)
    before = dict(auth.store.tables["auth_sessions"])
    auth.hasher.scheme = "new"
    with pytest.raises(SessionLimitReached):
        await enter(auth, 1)
    assert auth.store.tables["auth_sessions"] == before
    assert auth.store.tables["users"]["usr_ada"].password_hash.startswith("kept:")
    grants += await enter(auth, 1, holding(grants[0]))
    assert reasons(auth, grants) == ["replaced", None, None]


async def test_a_refused_sign_in_leaves_the_session_of_its_browser_alone(auth: AuthInMemory) -> None:
    """The limit was lowered: the browser's own place is not enough."""
    await lower(auth, 2)
    grants = await enter(auth, 2)
    await lower(auth, 1, WhenFull.DENY)
    with pytest.raises(SessionLimitReached):
        await enter(auth, 1, holding(grants[0]))
    assert await opening(auth, grants) == [True, True]


async def test_sessions_of_every_door_and_audience_count(auth: AuthInMemory) -> None:
    cookie = a_session(id="ses_cookie", door=Door.COOKIE, last_seen_at=auth.clock.now() - timedelta(days=1))
    staff = replace(cookie, id="ses_staff", door=Door.PORTAL, audience=Role.INSTRUCTOR)

    async def add(work: AuthWork) -> None:
        for number, session in enumerate((cookie, staff)):
            await work.add_session(session, RefreshToken.first(session, bytes([number]) * 32))

    await auth.transact(add)
    assert [grant.evicted_sessions for grant in await enter(auth, 4)] == [0, 1, 1, 1]


async def test_what_has_ended_takes_no_room(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    await auth.sign_out(HeldTokens(access=grants[0].access_token))
    await change_session(auth, grants[1], idle_expires_at=auth.clock.now())
    grants += await enter(auth, 2)
    assert [grant.evicted_sessions for grant in grants] == [0] * 5
    assert await opening(auth, grants) == [False, False, True, True, True]


async def test_an_exam_is_interrupted_only_when_nothing_else_can_make_room(auth: AuthInMemory) -> None:
    await lower(auth, 2)
    grants = await enter(auth, 2)
    await change_session(auth, grants[0], sits_exam_until=auth.clock.now() + timedelta(hours=2))
    grants += await enter(auth, 1)
    assert await opening(auth, grants) == [True, False, True]
    await lower(auth, 1)
    grants += await enter(auth, 1)
    assert await opening(auth, grants) == [False, False, False, True]
    assert grants[3].evicted_sessions == 2


async def test_an_exam_that_is_over_protects_nothing(auth: AuthInMemory) -> None:
    await lower(auth, 2)
    grants = await enter(auth, 2)
    await change_session(auth, grants[0], sits_exam_until=auth.clock.now())
    grants += await enter(auth, 1)
    assert await opening(auth, grants) == [False, True, True]


async def test_the_first_who_defines_a_limit_decides(auth: AuthInMemory) -> None:
    await define_limit(auth, LimitSource.ROLE, "student", 5)
    await define_limit(auth, LimitSource.ROLE, "admin", 1)
    await define_limit(auth, LimitSource.GROUP, "grp_1", 4)
    await define_limit(auth, LimitSource.GROUP, "grp_2", 2)
    grants = await enter(auth, 5)
    assert await opening(auth, grants) == [True] * 5
    await join_group(auth, "usr_ada", "grp_1")
    grants += await enter(auth, 1)
    assert grants[-1].evicted_sessions == 2
    await join_group(auth, "usr_ada", "grp_2")
    grants += await enter(auth, 1)
    assert grants[-1].evicted_sessions == 3
    await lower(auth, 3)
    grants += await enter(auth, 1)
    assert grants[-1].evicted_sessions == 0


async def test_a_lowered_limit_acts_at_the_next_refresh_and_spares_the_session_that_refreshes(
    auth: AuthInMemory,
) -> None:
    grants = await enter(auth, 3)
    await lower(auth, 1)
    assert await opening(auth, grants) == [True] * 3
    refreshed = await auth.refresh(Role.STUDENT, grants[0].refresh_token)
    assert reasons(auth, grants) == [None, "evicted", "evicted"]
    assert await auth.authenticate(refreshed.access_token)
    for grant in grants[1:]:
        with pytest.raises(SessionEnded):
            await auth.refresh(Role.STUDENT, grant.refresh_token)
    assert await opening(auth, grants) == [True, False, False]


@pytest.mark.parametrize("when_full", WhenFull)
async def test_a_repeated_reply_ends_the_surplus_as_well(auth: AuthInMemory, when_full: WhenFull) -> None:
    """And still not the session that asks, though others were seen later."""
    grants = await enter(auth, 2)
    first = await auth.refresh(Role.STUDENT, grants[0].refresh_token)
    auth.clock.advance(seconds=5)
    grants.append(await auth.enter())
    await lower(auth, 1, when_full)
    again = await auth.refresh(Role.STUDENT, grants[0].refresh_token)
    assert again.refresh_token == first.refresh_token
    assert await opening(auth, grants) == [True, False, False]


async def test_a_refresh_within_the_limit_ends_nothing(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    await lower(auth, 3)
    for grant in grants:
        await auth.refresh(Role.STUDENT, grant.refresh_token)
    assert await opening(auth, grants) == [True] * 3


async def test_a_token_with_two_holders_is_noticed_while_sessions_are_too_many(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    await auth.refresh(Role.STUDENT, grants[2].refresh_token)
    auth.clock.advance(seconds=11)
    await lower(auth, 1)
    with pytest.raises(RefreshReused):
        await auth.refresh(Role.STUDENT, grants[2].refresh_token)
    assert reasons(auth, grants) == ["evicted", None, "refresh_reused"]
    assert list(await auth.audited()) == ["session.refresh_reused"]


async def test_an_ended_session_ends_no_other(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    await auth.sign_out(HeldTokens(access=grants[0].access_token))
    await lower(auth, 1)
    with pytest.raises(SessionEnded):
        await auth.refresh(Role.STUDENT, grants[0].refresh_token)
    assert await opening(auth, grants) == [False, True, True]


async def test_the_surplus_can_be_ended_at_once(auth: AuthInMemory) -> None:
    grants = await enter(auth, 3)
    await lower(auth, 2)

    async def enforce(work: AuthWork) -> int:
        await work.hold_user("usr_ada")
        return await end_surplus(work, "usr_ada", Role.STUDENT)

    assert [await auth.transact(enforce), await auth.transact(enforce)] == [1, 0]
    assert await opening(auth, grants) == [False, True, True]
