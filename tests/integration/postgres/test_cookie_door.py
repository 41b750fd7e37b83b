"""Coming and going by the cookie door beside the portals: one account, one set of limits; on both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.postgres.admin import PostgresAdminReader
from adapters.postgres.database import Database
from adapters.postgres.housekeeping import Housekeeping
from adapters.system.clock import TimeOrderedIds
from application.admin.views import SessionState
from application.auth.events import AuthAct, Outcome
from application.auth.opening import HeldTokens
from application.auth.own_sessions import ListOwnSessions
from application.auth.registering import Registration
from domain.auth.cookie_sessions import key_of
from domain.auth.limits import LimitSource, SessionLimitReached, WhenFull
from domain.auth.people import EmailTaken, Role, UserStatus
from domain.auth.sessions import (
    MAX_USER_AGENT_LENGTH,
    Door,
    EmailNotVerified,
    InvalidCredentials,
    SessionEnd,
    SessionEnded,
    WrongPortal,
)
from tests.support.admin_builders import ROOT, administration_of
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, Auth, AuthOnPostgres, a_user, auth_on_postgres
from tests.support.cookie_sessions import AT_COOKIE_DOOR, CookieDoor
from tests.support.limit_builders import LimitOffice, an_order, office_in_memory, office_on_postgres
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit


@pytest.fixture
async def door(auth: Auth) -> CookieDoor:
    await auth.add(a_user())
    return CookieDoor(auth=auth)


@pytest.fixture(params=["memory", "postgres"])
def office(request: pytest.FixtureRequest, clock: SettableClock) -> LimitOffice:
    if request.param == "memory":
        return office_in_memory(clock)
    return office_on_postgres(request.getfixturevalue("database"), clock)


async def _live(door: CookieDoor) -> set[str]:
    return {session.id for session in await door.auth.transact(lambda work: work.live_sessions("usr_ada"))}


async def _open(auth: Auth, name: Door) -> str:
    """A sign-in of Ada through that door; the session's id."""
    grant = await auth.enter() if name is Door.PORTAL else await CookieDoor(auth=auth).enter()
    return grant.session.id


async def test_a_sign_up_makes_a_student_who_is_signed_in(auth: Auth) -> None:
    door = CookieDoor(auth=auth)
    grant = await door.sign_up(name="Ada", image=" any text ")
    assert (grant.person.role, grant.person.name, grant.person.image) == (Role.STUDENT, "Ada", "any text")
    assert (await door.read(grant.secret)).person == grant.person
    assert (await door.authenticate(grant.secret)).user_id == grant.person.id
    with pytest.raises(EmailTaken):
        await door.sign_up(EMAIL.upper())


async def test_an_account_that_has_to_be_verified_comes_without_a_session(auth: Auth) -> None:
    admitted = await CookieDoor(auth=auth).register_unverified(
        Registration(email=EMAIL, password=PASSWORD), AT_COOKIE_DOOR
    )
    assert admitted.session is None
    assert await auth.transact(lambda work: work.live_sessions(admitted.person.id)) in ([], ())
    event = auth.events.all[-1]
    assert (event.act, event.user_id, event.session_id) == (AuthAct.REGISTER, admitted.person.id, None)
    assert await auth.enter()


async def test_a_sign_in_tells_from_where_it_came(door: CookieDoor) -> None:
    grant = await door.enter(ip="2001:db8::7", user_agent="x\0" * 500, remember=False)
    session = await door.kept(grant.secret)
    assert session == grant.session
    assert (session.door, session.audience, session.ip) == (Door.COOKIE, Role.STUDENT, "2001:db8::7")
    assert (session.user_agent, session.remember) == ("x" * MAX_USER_AGENT_LENGTH, False)
    event = door.auth.events.all[-1]
    assert (event.act, event.outcome, event.session_id) == (AuthAct.SIGN_IN, Outcome.SUCCEEDED, session.id)


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.ADMIN])
async def test_staff_are_told_where_they_belong_once_they_have_proved_who_they_are(auth: Auth, role: Role) -> None:
    await auth.add(a_user(role=role))
    door = CookieDoor(auth=auth)
    with pytest.raises(InvalidCredentials):
        await door.enter(password="a wrong one")
    with pytest.raises(WrongPortal):
        await door.enter()
    assert not await _live(door)


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}], ids=["disabled", "deleted"])
async def test_whoever_may_not_enter_is_told_what_a_stranger_is_told(
    door: CookieDoor, changes: dict[str, object]
) -> None:
    await door.auth.change_user("usr_ada", **changes)
    for email in (EMAIL, "nobody@example.org", "no address"):
        with pytest.raises(InvalidCredentials):
            await door.enter(email)
    assert len(door.auth.hasher.checks) == 3


async def test_where_addresses_have_to_be_verified_only_the_owner_learns_of_it(
    door: CookieDoor, clock: SettableClock
) -> None:
    strict = replace(door, verified_only=True)
    with pytest.raises(InvalidCredentials):
        await strict.enter(password="a wrong one")
    with pytest.raises(EmailNotVerified):
        await strict.enter()
    assert not await _live(door)
    assert door.auth.events.all[-1].outcome is Outcome.REFUSED
    verified = a_user(email_verified_at=clock.now())
    await door.auth.transact(lambda work: work.save_user(verified))
    assert await strict.enter()


async def test_a_sign_in_with_a_live_secret_ends_that_session(door: CookieDoor) -> None:
    """A browser has one session here; the portals' are other cookies."""
    first, portal = await door.enter(), await door.auth.enter()
    second = await door.enter(held=HeldTokens(secret=first.secret))
    assert second.secret != first.secret
    assert (await door.kept(first.secret)).revoke_reason == SessionEnd.REPLACED
    with pytest.raises(SessionEnded):
        await door.authenticate(first.secret)
    assert await _live(door) == {second.session.id, portal.session.id}
    await door.enter(held=HeldTokens(secret=first.secret))
    assert (await door.kept(first.secret)).revoke_reason == SessionEnd.REPLACED


@pytest.mark.parametrize("secret", ["", "x" * 32, "\ud800", "x" * 10_000])
async def test_a_sign_in_with_nonsense_in_its_hands_is_one_without(door: CookieDoor, secret: str) -> None:
    first = await door.enter()
    second = await door.enter(held=HeldTokens(secret=secret))
    assert await _live(door) == {first.session.id, second.session.id}


async def test_a_sign_in_that_is_refused_ends_nothing(door: CookieDoor) -> None:
    first = await door.enter()
    with pytest.raises(InvalidCredentials):
        await door.enter(password="a wrong one", held=HeldTokens(secret=first.secret))
    assert await door.authenticate(first.secret)


async def test_a_sign_out_ends_the_session_of_the_secret_and_no_other(door: CookieDoor) -> None:
    first, second = await door.enter(), await door.enter()
    assert await door.leave(first.secret)
    assert (await door.kept(first.secret)).revoke_reason == SessionEnd.LOGOUT
    for secret in (first.secret, "x" * 32, "nonsense"):
        assert not await door.leave(secret)
    assert await _live(door) == {second.session.id}
    event = door.auth.events.all[-1]
    assert (event.act, event.user_id, event.session_id) == (AuthAct.SIGN_OUT, "usr_ada", first.session.id)


async def test_whoever_signs_out_everywhere_does_so_at_every_door(door: CookieDoor) -> None:
    here, there = await door.enter(), await door.auth.enter()
    assert await door.auth.sign_out_everywhere(await door.authenticate(here.secret)) == 2
    for opens in (door.authenticate(here.secret), door.auth.authenticate(there.access_token)):
        with pytest.raises(SessionEnded):
            await opens


async def test_one_s_sessions_are_listed_with_the_door_they_came_by(door: CookieDoor, clock: SettableClock) -> None:
    portal = await door.auth.enter()
    clock.advance(seconds=1)
    cookie = await door.enter()
    actor = await door.authenticate(cookie.secret)
    shown = await ListOwnSessions(people=door.auth.reader)(actor)
    assert [(each.id, each.door, each.current) for each in shown] == [
        (cookie.session.id, Door.COOKIE, True),
        (portal.session.id, Door.PORTAL, False),
    ]


@pytest.mark.parametrize("last", list(Door))
async def test_a_sign_in_by_either_door_makes_room_among_the_sessions_of_both(
    door: CookieDoor, clock: SettableClock, last: Door
) -> None:
    opened = []
    for way in (Door.PORTAL, Door.COOKIE, Door.PORTAL, last):
        opened.append(await _open(door.auth, way))
        clock.advance(minutes=1)
    assert await _live(door) == set(opened[1:])
    opened.append(await _open(door.auth, last))
    assert await _live(door) == set(opened[2:])


@pytest.mark.parametrize("last", list(Door))
async def test_a_limit_that_denies_counts_the_sessions_of_both_doors(door: CookieDoor, last: Door) -> None:
    await define_limit(door.auth, LimitSource.ROLE, "student", 2, WhenFull.DENY)
    cookie, portal = await door.enter(), await door.auth.enter()
    with pytest.raises(SessionLimitReached):
        await _open(door.auth, last)
    assert await _live(door) == {cookie.session.id, portal.session.id}
    # What the browser holds makes room for itself.
    assert await door.enter(held=HeldTokens(secret=cookie.secret))


async def test_what_is_used_outlives_what_is_left_alone_whichever_its_door(
    door: CookieDoor, clock: SettableClock
) -> None:
    """A session of this door is renewed once a day, and seen whenever it is used."""
    used = await door.enter()
    clock.advance(minutes=1)
    left_alone = await door.auth.enter()
    refreshed = await door.auth.enter()
    clock.advance(hours=6)
    await door.auth.refresh(Role.STUDENT, refreshed.refresh_token)
    await door.authenticate(used.secret)
    last = await door.enter()
    assert await _live(door) == {used.session.id, refreshed.session.id, last.session.id}
    assert left_alone.session.id not in await _live(door)


async def test_a_lowered_limit_acts_when_a_session_is_renewed(door: CookieDoor, clock: SettableClock) -> None:
    """As it does with a refresh at a portal; the one that is renewed stays."""
    first, _, _ = await door.enter(), await door.enter(), await door.auth.enter()
    await define_limit(door.auth, LimitSource.USER, "usr_ada", 1)
    clock.advance(hours=23)
    assert not (await door.read(first.secret)).renewed
    assert len(await _live(door)) == 3
    clock.advance(hours=1)
    assert (await door.read(first.secret)).renewed
    assert await _live(door) == {first.session.id}


async def test_what_is_renewed_stays_even_if_all_were_seen_at_once(door: CookieDoor, clock: SettableClock) -> None:
    grants = [await door.enter() for _ in range(3)]
    await define_limit(door.auth, LimitSource.USER, "usr_ada", 1)
    clock.advance(days=1)
    for grant in grants:
        await door.authenticate(grant.secret)
    first = min(grants, key=lambda grant: grant.session.id)
    await door.read(first.secret)
    assert await _live(door) == {first.session.id}


async def test_a_refresh_at_a_portal_ends_what_a_lowered_limit_has_no_room_for_here(door: CookieDoor) -> None:
    cookie, portal = await door.enter(), await door.auth.enter()
    await define_limit(door.auth, LimitSource.USER, "usr_ada", 1)
    await door.auth.refresh(Role.STUDENT, portal.refresh_token)
    assert (await door.kept(cookie.secret)).revoke_reason == SessionEnd.EVICTED


async def test_an_enforced_limit_ends_sessions_of_this_door(office: LimitOffice, clock: SettableClock) -> None:
    user_id = await office.admit("ada")
    door, grants = CookieDoor(auth=office.auth), []
    for _ in range(3):
        grants.append(await door.enter("ada@example.org"))
        clock.advance(minutes=1)
    _, enforced = await office.set_user_limit(ROOT, user_id, an_order(1, now=True))
    assert enforced.revoked == 2
    assert await office.live("ada") == {grants[-1].session.id.rpartition("_")[2]}
    assert [(await door.kept(grant.secret)).revoke_reason for grant in grants] == ["evicted", "evicted", None]


async def test_a_session_through_which_an_exam_is_sat_is_given_up_last(door: CookieDoor, clock: SettableClock) -> None:
    opened = door.life.opened("ses_exam", a_user(), NOW, remember=True)
    sits = replace(opened, sits_exam_until=NOW + timedelta(hours=2))
    await door.auth.transact(lambda work: work.add_session(sits, key_of(sits, "x" * 32)))
    clock.advance(minutes=1)
    others = [await _open(door.auth, way) for way in (Door.PORTAL, Door.COOKIE, Door.COOKIE)]
    assert await _live(door) == {"ses_exam", *others[1:]}


async def test_sessions_that_ended_a_month_ago_are_purged_whatever_their_absolute_end(database: Database) -> None:
    """One that slid is told by when it would have ended, not by when it began."""
    now = datetime.now(UTC)
    clock = SettableClock(now - timedelta(days=40))
    door = CookieDoor(auth=auth_on_postgres(database, clock))
    await door.auth.add(a_user())
    await define_limit(door.auth, LimitSource.USER, "usr_ada", 100)
    grants = {"forgotten": await door.enter()}
    for name, days in (("short", 32), ("later", 36), ("used", 29), ("left", 1)):
        clock.set(now - timedelta(days=days))
        grants[name] = await door.enter(remember=name != "short")
    assert await door.leave(grants["left"].secret)
    for days in range(28, 0, -5):
        clock.set(now - timedelta(days=days))
        await door.read(grants["used"].secret)
    await Housekeeping(database, TimeOrderedIds(), batch=2).purge_sessions({})
    kept = {name for name, grant in grants.items() if await door.auth.tokens_of(grant.session.id)}
    assert kept == {"later", "used", "left"}
    assert len(await database.fetch_all("select from auth_sessions")) == 3


async def test_administrators_see_and_end_sessions_of_this_door(door: CookieDoor, clock: SettableClock) -> None:
    clock.set(datetime.now(UTC))
    grant = await door.enter()
    admin = administration_of(door.auth)
    ended = await admin.end_session_of(ROOT, "usr_ada", grant.session.id, "Lost the telephone")
    assert (ended.door, ended.state, ended.revoke_reason) == (Door.COOKIE, SessionState.REVOKED, "admin_revoked")
    with pytest.raises(SessionEnded):
        await door.authenticate(grant.secret)
    if isinstance(door.auth, AuthOnPostgres):
        later = await door.enter()
        found = await PostgresAdminReader(door.auth.database).sessions("usr_ada", ended_too=True, after=None, limit=9)
        assert [(each.id, each.door) for each in found] == [
            (later.session.id, Door.COOKIE),
            (grant.session.id, Door.COOKIE),
        ]
