"""The lists of administrators: filters, words, pages, and that none of them reads a whole table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from adapters.postgres.admin import PostgresAdminReader
from adapters.postgres.admin.reading import list_of_acts, list_of_users
from adapters.postgres.database import Database
from application.admin.ports import AuditFilter, InvitationFilter, UserFilter, UserState
from application.admin.views import SessionState
from domain.auth.invitations import InvitationState
from domain.auth.people import Role, UserStatus
from domain.auth.sessions import SessionEnd
from tests.support.admin_builders import Administration, administration_of, root
from tests.support.auth_builders import NOW, a_session, a_user, auth_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def admin(database: Database, clock: SettableClock) -> Administration:
    return administration_of(auth_on_postgres(database, clock))


@pytest.fixture
def reader(database: Database) -> PostgresAdminReader:
    return PostgresAdminReader(database)


async def _people(admin: Administration, *people: dict[str, Any]) -> None:
    for number, values in enumerate(people):
        await admin.auth.add(a_user(**{"id": f"usr_{number}", "email": f"{number}@x.org", "username": None} | values))


async def _found(reader: PostgresAdminReader, **chosen: Any) -> list[str]:
    return [user.id for user in await reader.users(UserFilter(**chosen), after=None, limit=100)]


async def test_a_person_is_shown_as_kept_and_nothing_of_the_password(
    admin: Administration, reader: PostgresAdminReader
) -> None:
    await admin.settle(a_user(email_verified_at=NOW))
    await admin.open(a_session(id="ses_later", last_seen_at=NOW + timedelta(hours=1)))
    shown = await reader.user("usr_ada")
    assert shown is not None
    assert (shown.email, shown.username, shown.name, shown.role) == ("ada@example.org", "ada", "Ada", Role.STUDENT)
    assert (shown.status, shown.email_verified_at, shown.deleted_at) == (UserStatus.ACTIVE, NOW, None)
    assert shown.last_seen_at == NOW + timedelta(hours=1)
    assert "kept:" not in repr(shown)
    assert await reader.users(UserFilter(), after=None, limit=5) == (shown,)
    assert await reader.user("usr_nobody") is None


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ({}, ["usr_4", "usr_2", "usr_1", "usr_0"]),
        ({"state": UserState.ACTIVE}, ["usr_4", "usr_1", "usr_0"]),
        ({"state": UserState.DISABLED}, ["usr_2"]),
        ({"state": UserState.DELETED}, ["usr_5", "usr_3"]),
        ({"role": Role.INSTRUCTOR}, ["usr_1"]),
        ({"role": Role.STUDENT, "state": UserState.DELETED}, ["usr_3"]),
        ({"role": Role.ADMIN}, []),
        ({"role": Role.STUDENT, "text": "0"}, ["usr_0"]),
        ({"state": UserState.DELETED, "text": "org"}, ["usr_5", "usr_3"]),
    ],
)
async def test_people_are_listed_by_role_and_state_the_newest_first(
    admin: Administration, reader: PostgresAdminReader, chosen: dict[str, Any], ids: list[str]
) -> None:
    disabled = {"status": UserStatus.DISABLED}
    await _people(
        admin,
        {},
        {"role": Role.INSTRUCTOR},
        disabled,
        {"deleted_at": NOW},
        {},
        disabled | {"deleted_at": NOW, "role": Role.INSTRUCTOR},
    )
    assert await _found(reader, **chosen) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ada", ["usr_1", "usr_0"]),
        ("ADA love", ["usr_0"]),
        ("lov ad", ["usr_0"]),
        ("lace", []),
        ("ada.lovelace@example.org", ["usr_0"]),
        ("example", ["usr_2", "usr_0"]),
        ("countess_of", ["usr_0"]),
        ("o'bri", ["usr_1"]),
        ("jean-luc", ["usr_2"]),
        ("luc", ["usr_2"]),
        ("ÉLODIE", ["usr_3"]),
        ("हिन्", ["usr_4"]),
        ("王", ["usr_5"]),
        ("' | ada", ["usr_1", "usr_0"]),
        ("ada & !lovelace", ["usr_0"]),
        ("ada:* <-> \\", ["usr_1", "usr_0"]),
        ("ada nobody", []),
        ("", ["usr_5", "usr_4", "usr_3", "usr_2", "usr_1", "usr_0"]),
        (" .,' ", ["usr_5", "usr_4", "usr_3", "usr_2", "usr_1", "usr_0"]),
    ],
)
async def test_people_are_found_by_the_beginnings_of_words(
    admin: Administration, reader: PostgresAdminReader, text: str, ids: list[str]
) -> None:
    """All words, in any order, in any case; the signs of the query language are only gaps between words."""
    await _people(
        admin,
        {"email": "ada.lovelace@example.org", "username": "countess_of_it", "name": "Ada Lovelace"},
        {"email": "o+b@school.edu", "name": "Ada O'Brien"},
        {"email": "jl@mail.example.com", "name": "Jean-Luc"},
        {"name": "Élodie"},
        {"name": "हिन्दी"},
        {"name": "王小明"},
    )
    assert await _found(reader, text=text) == ids


@pytest.mark.parametrize("text", [None, "ada"])
async def test_pages_of_people_neither_repeat_nor_skip(
    admin: Administration, reader: PostgresAdminReader, text: str | None
) -> None:
    await _people(admin, *({"id": f"usr_{number:02}"} for number in range(7)))
    seen: list[str] = []
    for size in (3, 3, 1):
        found = await reader.users(UserFilter(text=text), after=seen[-1] if seen else None, limit=3)
        assert len(found) == size
        seen += [user.id for user in found]
    assert seen == [f"usr_{number:02}" for number in reversed(range(7))]


async def test_sessions_are_live_ones_unless_ended_ones_are_wanted_too(
    admin: Administration, reader: PostgresAdminReader
) -> None:
    await admin.settle(a_user(), root())
    await admin.open(a_session(id="ses_1", user_agent="a telephone", ip="192.0.2.9"))
    await admin.open(a_session(id="ses_2", revoked_at=NOW, revoke_reason=SessionEnd.LOGOUT.value))
    await admin.open(a_session(id="ses_3", idle_expires_at=LONG_AGO))
    live = await reader.sessions("usr_ada", ended_too=False, after=None, limit=9)
    assert [(session.id, session.state) for session in live] == [
        ("ses_ada", SessionState.LIVE),
        ("ses_1", SessionState.LIVE),
    ]
    assert (live[1].user_agent, live[1].ip, live[1].expires_at) == ("a telephone", "192.0.2.9", NOW + timedelta(days=7))
    ended = await reader.sessions("usr_ada", ended_too=True, after="ses_ada", limit=9)
    assert [(session.id, session.state, session.revoke_reason) for session in ended] == [
        ("ses_3", SessionState.EXPIRED, None),
        ("ses_2", SessionState.REVOKED, "logout"),
        ("ses_1", SessionState.LIVE, None),
    ]


async def test_invitations_are_listed_by_what_became_of_them(
    admin: Administration, reader: PostgresAdminReader, cloned: ClonedDatabase
) -> None:
    cloned.keeper.execute(
        "insert into users (id, email, role, password_hash, created_at, updated_at)"
        " values ('usr_ada', 'a@x.org', 'admin', '!', now(), now());"
        "insert into invitations (id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by,"
        "                         revoked_at) values"
        " ('inv_1', 'a@x.org', 'admin', 'usr_ada', now(), now() + interval '1 day', now(), 'usr_ada', null),"
        " ('inv_2', 'b@x.org', 'instructor', 'usr_ada', now(), now() + interval '1 day', null, null, now()),"
        " ('inv_3', 'b@x.org', 'instructor', null, now(), now() + interval '1 day', null, null, null),"
        " ('inv_4', 'c@x.org', 'admin', null, now(), now() - interval '1 day', null, null, null)"
    )

    async def listed(**chosen: Any) -> list[str]:
        return [view.id for view in await reader.invitations(InvitationFilter(**chosen), after=None, limit=9)]

    everything = await reader.invitations(InvitationFilter(), after=None, limit=9)
    assert [(view.id, view.state) for view in everything] == [
        ("inv_4", InvitationState.EXPIRED),
        ("inv_3", InvitationState.OPEN),
        ("inv_2", InvitationState.REVOKED),
        ("inv_1", InvitationState.ACCEPTED),
    ]
    for view in everything:
        assert await listed(state=view.state) == [view.id]
    assert await listed(role=Role.ADMIN) == ["inv_4", "inv_1"]
    assert await listed(email="B@x.org", role=Role.INSTRUCTOR) == ["inv_3", "inv_2"]
    assert await listed(email="b@x.org", state=InvitationState.OPEN) == ["inv_3"]
    (last,) = await reader.invitations(InvitationFilter(), after="inv_2", limit=9)
    assert last.id == "inv_1"


def _write_log(cloned: ClonedDatabase) -> None:
    """Four acts, a minute apart but for two of the same moment."""
    cloned.keeper.execute(
        "insert into audit_log (id, at, actor_id, action, subject, before, after, reason, request_id, ip) values"
        " ('aud_1', '2030-01-15T09:01Z', 'usr_root', 'user.changed', 'usr_ada', '{\"role\": \"student\"}',"
        "  '{\"role\": \"admin\"}', 'why', 'req_1', '192.0.2.1'),"
        " ('aud_2', '2030-01-15T09:02Z', 'usr_root', 'user.deleted', 'usr_ada', null, null, null, null, null),"
        " ('aud_3', '2030-01-15T09:02Z', null, 'user.changed', 'usr_bob', null, null, null, null, null),"
        " ('aud_0', '2030-01-15T09:03Z', 'usr_ada', 'user.changed', 'usr_bob', null, null, null, null, null)"
    )


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ({}, ["aud_0", "aud_3", "aud_2", "aud_1"]),
        ({"actor_id": "usr_root"}, ["aud_2", "aud_1"]),
        ({"subject": "usr_bob"}, ["aud_0", "aud_3"]),
        ({"action": "user.changed"}, ["aud_0", "aud_3", "aud_1"]),
        ({"action": "user.changed", "subject": "usr_bob", "actor_id": "usr_ada"}, ["aud_0"]),
        ({"action": "user"}, []),
        ({"since": NOW + timedelta(minutes=2)}, ["aud_0", "aud_3", "aud_2"]),
        ({"until": NOW + timedelta(minutes=2)}, ["aud_1"]),
        ({"since": NOW + timedelta(minutes=2), "until": NOW + timedelta(minutes=3)}, ["aud_3", "aud_2"]),
    ],
)
async def test_the_log_is_read_by_who_what_whom_and_when(
    reader: PostgresAdminReader, cloned: ClonedDatabase, chosen: dict[str, Any], ids: list[str]
) -> None:
    _write_log(cloned)
    found = await reader.audit_log(AuditFilter(**chosen), after=None, limit=9)
    assert [entry.id for entry in found] == ids
    paged: list[Any] = []
    for _ in ids:
        after = (paged[-1].at, paged[-1].id) if paged else None
        paged += await reader.audit_log(AuditFilter(**chosen), after=after, limit=1)
    assert paged == list(found)


async def test_an_entry_tells_everything_that_was_written(reader: PostgresAdminReader, cloned: ClonedDatabase) -> None:
    _write_log(cloned)
    *_, entry = await reader.audit_log(AuditFilter(), after=None, limit=9)
    assert (entry.before, entry.after) == ({"role": "student"}, {"role": "admin"})
    assert (entry.reason, entry.request_id, entry.ip) == ("why", "req_1", "192.0.2.1")


_MANY = 3_000
_FILL = f"""
    insert into users (id, email, name, role, status, password_hash, created_at, updated_at, deleted_at)
    select 'usr_' || lpad(n::text, 8, '0'), 'person' || n || '@example.org', md5(n::text),
           case when n % 100 = 0 then 'admin' else 'student' end,
           case when n % 90 = 0 then 'disabled' else 'active' end,
           '!', now(), now(), case when n % 80 = 0 then now() end
    from generate_series(1, {_MANY}) n;
    insert into audit_log (id, at, actor_id, action, subject)
    select 'aud_' || lpad(n::text, 8, '0'), now() - n * interval '1 minute', 'usr_' || n % 40, 'act_' || n % 40,
           'usr_' || n % 900
    from generate_series(1, {_MANY}) n;
    analyze users, audit_log
"""


def _shapes() -> Sequence[tuple[sql.Composed, Any]]:
    """Every list of people and acts that one filter makes, and its next page."""
    now = datetime.now(UTC)
    people: list[dict[str, Any]] = [
        {},
        {"role": Role.ADMIN},
        *({"state": state} for state in UserState),
        {"text": "person42"},
    ]
    people += [{"text": "nobody"}, {"role": Role.STUDENT, "text": "person"}]
    acts: list[dict[str, Any]] = [
        {},
        {"actor_id": "usr_1"},
        {"subject": "usr_1"},
        {"action": "act_1"},
        {"since": now, "until": now},
    ]
    return [
        *(list_of_users(UserFilter(**chosen), after, 21) for chosen in people for after in (None, "usr_00001500")),
        *(list_of_acts(AuditFilter(**chosen), after, 21) for chosen in acts for after in (None, (now, "aud_1"))),
    ]


def test_no_list_reads_a_whole_table(cloned: ClonedDatabase) -> None:
    """And words are looked up, however few or many people may have them."""
    cloned.keeper.execute(_FILL.encode())
    with psycopg.connect(cloned.urls.app, autocommit=True) as connection:
        for query, params in _shapes():
            plan = connection.execute(sql.SQL("explain ") + query, params).fetchall()
            assert "Seq Scan" not in str(plan), (query.as_string(connection), plan)
            assert "users_search" in str(plan) or not params.get("words"), (query.as_string(connection), plan)
