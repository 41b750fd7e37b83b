"""The common case of a refresh at once: the same suite on memory and on PostgreSQL, beside the careful way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from adapters.memory.auth import MemoryQuickRefresh
from adapters.postgres.auth import PostgresQuickRefresh
from adapters.postgres.statements import load
from application.auth.ports import QuickRotation
from domain.auth.limits import DEFAULT_LIMIT, LimitSource
from domain.auth.people import Role, UserStatus
from domain.auth.refresh import RefreshToken, decode_token, digest, encode_token, mask
from domain.auth.sessions import Door, RefreshReused, Session, SessionEnd
from domain.errors import DomainError
from tests.integration.postgres.test_statements import numbered
from tests.support.auth_builders import NOW, Auth, AuthInMemory, AuthOnPostgres, a_session, a_user
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.session_limits import define_limit, join_group

TOKEN, SUCCESSOR = bytes(range(32)), bytes(range(32, 64))
IDLE = timedelta(days=7)


@pytest.fixture
async def quick(auth: Auth) -> Auth:
    """Ada has an account and one session, whose refresh token is `TOKEN`; refreshes are tried at once."""
    if isinstance(auth, AuthOnPostgres):
        auth.quick = PostgresQuickRefresh(auth.database, auth.clock)
    else:
        auth.quick = MemoryQuickRefresh(auth.transact)
    await auth.add(a_user())
    await _open(auth, a_session(), TOKEN)
    return auth


async def _open(auth: Auth, session: Session, token: bytes) -> None:
    await auth.transact(lambda work: work.add_session(session, RefreshToken.first(session, token)))


async def _rotate(auth: Auth, token: bytes = TOKEN, successor: bytes = SUCCESSOR, **changes: Any) -> Session | None:
    assert auth.quick is not None
    rotation = QuickRotation(
        portal=Role.STUDENT,
        token_hash=digest(token),
        successor_hash=digest(successor),
        successor_masked=mask(token, successor),
        idle=IDLE,
    )
    return await auth.quick.rotate(replace(rotation, **changes))


async def _traces(auth: Auth) -> object:
    """Every session and every link there is."""
    if isinstance(auth, AuthInMemory):
        return dict(auth.store.tables["auth_sessions"]), dict(auth.store.tables["auth_refresh_tokens"])
    assert isinstance(auth, AuthOnPostgres)
    return [
        await auth.database.fetch_all("select to_jsonb(s) as row from auth_sessions s order by id"),
        await auth.database.fetch_all("select to_jsonb(t) as row from auth_refresh_tokens t order by 1"),
    ]


async def _careless(_: object) -> Any:
    raise AssertionError("a unit of work was begun")


async def test_the_common_case_needs_no_unit_of_work(quick: Auth, clock: SettableClock) -> None:
    later = clock.advance(hours=1)
    refreshed = await replace(quick, transact=_careless).refresh(Role.STUDENT, encode_token(TOKEN))
    prolonged = replace(a_session(), last_seen_at=later, idle_expires_at=later + IDLE)
    assert refreshed.session == prolonged
    successor = decode_token(refreshed.refresh_token)
    assert await quick.tokens_of("ses_ada") == [(0, later, mask(TOKEN, successor)), (1, None, None)]
    actor = await quick.authenticate(refreshed.access_token)
    assert (actor.user_id, actor.session_id) == ("usr_ada", "ses_ada")


async def test_it_leaves_what_the_careful_way_leaves(quick: Auth, clock: SettableClock) -> None:
    """The same history twice: a session that is prolonged at once, and one with care, three times each."""
    await define_limit(quick, LimitSource.ROLE, "student", 5)
    other = a_session(id="ses_other", user_agent="Ünïcode", ip="192.0.2.1", remember=True)
    await _open(quick, other, bytes(32))
    careful = replace(quick, quick=None)
    token, twin = encode_token(TOKEN), encode_token(bytes(32))
    for minutes in (1, 60 * 24 * 6, 60 * 24 * 6):
        clock.advance(minutes=minutes)
        ours = await replace(quick, transact=_careless).refresh(Role.STUDENT, token)
        theirs = await careful.refresh(Role.STUDENT, twin)
        twins = replace(theirs.session, id="ses_ada", user_agent="", ip="", remember=False)
        assert twins == ours.session
        token, twin = ours.refresh_token, theirs.refresh_token
    chains = [await quick.tokens_of(session) for session in ("ses_ada", "ses_other")]
    told_of = [[(place, used, hidden is None) for place, used, hidden in chain] for chain in chains]
    assert told_of[0] == told_of[1]
    assert [hidden for *_, hidden in told_of[0]] == [True, True, False, True]


async def test_the_absolute_end_is_never_passed(quick: Auth, clock: SettableClock) -> None:
    session = a_session()
    for token, turn in ((TOKEN, 0), (SUCCESSOR, 1), (bytes(32), 2), (b"\x07" * 32, 3)):
        clock.advance(days=6, hours=23)
        prolonged = await _rotate(quick, token, (SUCCESSOR, bytes(32), b"\x07" * 32, b"\x08" * 32)[turn])
        assert prolonged is not None
    assert prolonged is not None
    assert prolonged.idle_expires_at == session.absolute_expires_at


async def _person(auth: Auth, **changes: object) -> None:
    await auth.change_user("usr_ada", **changes)


async def _revoke(auth: Auth) -> None:
    await auth.transact(lambda work: work.end_session("usr_ada", "ses_ada", SessionEnd.REVOKED))


async def _wait(auth: Auth, **time: int) -> None:
    auth.clock.advance(**time)


async def _three_more(auth: Auth) -> None:
    for number in range(DEFAULT_LIMIT):
        await _open(auth, a_session(id=f"ses_{number}"), bytes([number]) * 32)


async def _two_where_one_is_allowed(auth: Auth, source: LimitSource, subject: str) -> None:
    await _open(auth, a_session(id="ses_other", door=Door.COOKIE), b"\x01" * 32)
    await define_limit(auth, source, subject, 1)
    if source is LimitSource.GROUP:
        await join_group(auth, "usr_ada", subject)


DECLINED: dict[str, Callable[[Auth], Awaitable[None]]] = {
    "a revoked session": _revoke,
    "an idle session, at the very end": lambda auth: _wait(auth, days=7),
    "a disabled person": lambda auth: _person(auth, status=UserStatus.DISABLED),
    "a deleted person": lambda auth: _person(auth, deleted_at=NOW),
    "a changed role": lambda auth: _person(auth, role=Role.INSTRUCTOR),
    "too many by default": _three_more,
    "too many of a user": lambda auth: _two_where_one_is_allowed(auth, LimitSource.USER, "usr_ada"),
    "too many of a group": lambda auth: _two_where_one_is_allowed(auth, LimitSource.GROUP, "grp_1"),
    "too many of a role": lambda auth: _two_where_one_is_allowed(auth, LimitSource.ROLE, "student"),
}


@pytest.mark.parametrize("case", DECLINED)
async def test_what_is_not_the_common_case_is_declined_without_a_trace(quick: Auth, case: str) -> None:
    await DECLINED[case](quick)
    before = await _traces(quick)
    assert await _rotate(quick) is None
    assert await _traces(quick) == before


@pytest.mark.parametrize(
    "changes",
    [{"token_hash": digest(b"\x09" * 32)}, {"portal": Role.INSTRUCTOR}, {"portal": Role.ADMIN}],
    ids=["unknown token", "other portal", "another portal"],
)
async def test_a_token_is_good_where_it_belongs(quick: Auth, changes: dict[str, Any]) -> None:
    before = await _traces(quick)
    assert await _rotate(quick, **changes) is None
    assert await _traces(quick) == before


async def test_the_secret_of_a_cookie_session_is_never_used_up(quick: Auth) -> None:
    await _open(quick, a_session(id="ses_cookie", door=Door.COOKIE), b"\x05" * 32)
    before = await _traces(quick)
    assert await _rotate(quick, b"\x05" * 32) is None
    assert await _traces(quick) == before


async def test_a_session_past_its_absolute_end_is_declined(quick: Auth) -> None:
    ended = a_session(id="ses_old", idle_expires_at=NOW, absolute_expires_at=NOW)
    await _open(quick, ended, b"\x06" * 32)
    before = await _traces(quick)
    assert await _rotate(quick, b"\x06" * 32) is None
    assert await _traces(quick) == before


@pytest.mark.parametrize("seconds", [0, 10, 11])
async def test_a_used_token_is_left_to_the_careful_way(quick: Auth, clock: SettableClock, seconds: int) -> None:
    """The same successor within the grace, and afterwards the end of the session, which is audited."""
    first = await quick.refresh(Role.STUDENT, encode_token(TOKEN))
    clock.advance(seconds=seconds)
    before = await _traces(quick)
    assert await _rotate(quick) is None
    assert await _traces(quick) == before
    if seconds <= 10:
        assert (await quick.refresh(Role.STUDENT, encode_token(TOKEN))).refresh_token == first.refresh_token
        assert await quick.audited() == []
        return
    with pytest.raises(RefreshReused):
        await quick.refresh(Role.STUDENT, encode_token(TOKEN))
    assert await quick.audited() == ["session.refresh_reused"]


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        ({}, True),
        ({LimitSource.ROLE: 2}, False),
        ({LimitSource.ROLE: 3}, True),
        ({LimitSource.GROUP: 3, LimitSource.ROLE: 1}, True),
        ({LimitSource.USER: 3, LimitSource.GROUP: 1, LimitSource.ROLE: 1}, True),
        ({LimitSource.USER: 2, LimitSource.GROUP: 9, LimitSource.ROLE: 9}, False),
    ],
    ids=str,
)
async def test_the_limit_that_counts_is_the_one_that_sign_ins_obey(
    quick: Auth, limits: dict[LimitSource, int], fits: bool
) -> None:
    """Three sessions are live; the person's own limit comes before the group's, that before the role's."""
    for number in range(2):
        await _open(quick, a_session(id=f"ses_{number}"), bytes([number]) * 32)
    await join_group(quick, "usr_ada", "grp_1")
    await join_group(quick, "usr_ada", "grp_without_limit")
    subjects = {LimitSource.USER: "usr_ada", LimitSource.GROUP: "grp_1", LimitSource.ROLE: "student"}
    for source, most in limits.items():
        await define_limit(quick, source, subjects[source], most)
    assert (await _rotate(quick) is not None) == fits


async def test_the_lowest_limit_of_several_groups_counts(quick: Auth) -> None:
    await _open(quick, a_session(id="ses_other"), b"\x01" * 32)
    for group, most in (("grp_1", 5), ("grp_2", 1), ("grp_3", 4)):
        await join_group(quick, "usr_ada", group)
        await define_limit(quick, LimitSource.GROUP, group, most)
    assert await _rotate(quick) is None


async def test_sessions_that_ended_do_not_count(quick: Auth, clock: SettableClock) -> None:
    await _three_more(quick)
    await quick.transact(lambda work: work.end_session("usr_ada", "ses_0", SessionEnd.LOGOUT))
    assert await _rotate(quick) is not None


async def test_a_crowd_is_met_with_care_and_the_surplus_ends(quick: Auth, clock: SettableClock) -> None:
    await _three_more(quick)
    clock.advance(minutes=1)
    refreshed = await quick.refresh(Role.STUDENT, encode_token(TOKEN))
    live = await quick.transact(lambda work: work.live_sessions("usr_ada"))
    assert len(live) == DEFAULT_LIMIT
    assert refreshed.session in live


async def test_a_refusal_is_the_careful_ways(quick: Auth) -> None:
    careful = replace(quick, quick=None)
    await _revoke(quick)
    for token in (encode_token(TOKEN), encode_token(SUCCESSOR), "nonsense"):
        assert await _refused(quick, token) == await _refused(careful, token)


async def _refused(auth: Auth, token: str) -> str:
    with pytest.raises(DomainError) as refusal:
        await auth.refresh(Role.STUDENT, token)
    return refusal.value.code


def test_no_table_that_grows_is_read_as_a_whole(module_database: ClonedDatabase) -> None:
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        statement = f"explain (generic_plan) {numbered(load('auth')['rotate_at_once'])}"
        plan = "\n".join(line for (line,) in connection.execute(statement.encode()).fetchall())
    assert "auth_refresh_tokens_hash_unique" in plan
    assert "Seq Scan" not in plan
