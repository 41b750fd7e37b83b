"""The lists of administrators on PostgreSQL: one statement each, composed of what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, LiteralString, TypeAlias

from psycopg import sql

from adapters.postgres.database import Database, Params
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.admin.ports import AdminReader, AuditFilter, InvitationFilter, UserFilter, UserState
from application.admin.views import AuditView, InvitationView, SessionView, UserView
from domain.auth.invitations import Invitation, InvitationState
from domain.auth.sessions import Session

SQL = load("admin")

# By the parameter that has to be there for it.
_Conditions: TypeAlias = Mapping[str, LiteralString]

_USERS: Final[_Conditions] = {
    "user_id": "u.id = %(user_id)s",
    "role": "u.role = %(role)s",
    # The expression of the index users_search.
    "words": "to_tsvector('simple', translate(lower(u.email) || ' ' || lower(coalesce(u.username, '')), '@.+-_', "
    "'     ') || ' ' || lower(u.name)) @@ to_tsquery('simple', lower(%(words)s))",
    "after": "u.id < %(after)s",
}
# Written out, not as a parameter, so that the partial index users_out_of_service is seen to fit.
_USER_STATES: Final[Mapping[UserState | None, LiteralString]] = {
    None: "u.deleted_at is null",
    UserState.ACTIVE: "u.deleted_at is null and u.status = 'active'",
    UserState.DISABLED: "u.deleted_at is null and u.status = 'disabled'",
    UserState.DELETED: "u.deleted_at is not null",
}
_SESSIONS: Final[_Conditions] = {"user_id": "user_id = %(user_id)s", "after": "id < %(after)s"}
_LIVE: Final = "revoked_at is null and least(idle_expires_at, absolute_expires_at) > clock_timestamp()"
_INVITATIONS: Final[_Conditions] = {
    "role": "role = %(role)s",
    "email": "lower(email) = lower(%(email)s)",
    "after": "id < %(after)s",
}
_INVITATION_STATES: Final[Mapping[InvitationState, LiteralString]] = {
    InvitationState.OPEN: "accepted_at is null and revoked_at is null and expires_at > clock_timestamp()",
    InvitationState.EXPIRED: "accepted_at is null and revoked_at is null and expires_at <= clock_timestamp()",
    InvitationState.ACCEPTED: "accepted_at is not null",
    InvitationState.REVOKED: "revoked_at is not null",
}
_ACTS: Final[_Conditions] = {
    "actor_id": "actor_id = %(actor_id)s",
    "subject": "subject = %(subject)s",
    "action": "action = %(action)s",
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
    "after": "(at, id) < (%(after)s, %(after_id)s)",
}
_NEWEST: Final = sql.SQL(" order by id desc limit %(limit)s")
_NEWEST_OF_FOUND: Final = sql.SQL(" order by u.id || '' desc limit %(limit)s")
_LATEST: Final = sql.SQL(" order by at desc, id desc limit %(limit)s")
# What is not ASCII is left to the parser that the index was made with: it knows which of it belongs to words.
_WORD = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff]+")


class PostgresAdminReader(AdminReader):
    """What administrators see of what is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self, chosen: UserFilter, *, after: str | None, limit: int) -> Sequence[UserView]:
        return entities(await self._database.fetch_all(*list_of_users(chosen, after, limit)), UserView)

    async def user(self, user_id: str) -> UserView | None:
        params = {"user_id": user_id}
        row = await self._database.fetch_one(_composed(SQL["list_users"], _USERS, params), params)
        return None if row is None else entity(row, UserView)

    async def sessions(self, user_id: str, *, ended_too: bool, after: str | None, limit: int) -> Sequence[SessionView]:
        params = {"user_id": user_id, "after": after, "limit": limit}
        query = _composed(SQL["list_sessions"], _SESSIONS, params, *(() if ended_too else (_LIVE,)))
        rows = await self._database.fetch_all(query + _NEWEST, params)
        return [SessionView.of(entity(row, Session), row["now"]) for row in rows]

    async def invitations(self, chosen: InvitationFilter, *, after: str | None, limit: int) -> Sequence[InvitationView]:
        rows = await self._database.fetch_all(*list_of_invitations(chosen, after, limit))
        return [InvitationView.of(entity(row, Invitation), row["now"]) for row in rows]

    async def audit_log(
        self, chosen: AuditFilter, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[AuditView]:
        return entities(await self._database.fetch_all(*list_of_acts(chosen, after, limit)), AuditView)


def list_of_users(chosen: UserFilter, after: str | None, limit: int) -> tuple[sql.Composed, Params]:
    params = {
        "role": None if chosen.role is None else chosen.role.value,
        "words": _prefixes(chosen.text or ""),
        "after": after,
        "limit": limit,
    }
    # How many rows have a word that begins so is not known beforehand. In the order of the primary key it would be read
    # until the page is full, which never happens where nobody is found; so words are looked up first, and then sorted.
    order = _NEWEST if params["words"] is None else _NEWEST_OF_FOUND
    return _composed(SQL["list_users"], _USERS, params, _USER_STATES[chosen.state]) + order, params


def list_of_invitations(chosen: InvitationFilter, after: str | None, limit: int) -> tuple[sql.Composed, Params]:
    params = record(chosen) | {"after": after, "limit": limit}
    states = () if chosen.state is None else (_INVITATION_STATES[chosen.state],)
    return _composed(SQL["list_invitations"], _INVITATIONS, params, *states) + _NEWEST, params


def list_of_acts(chosen: AuditFilter, after: tuple[datetime, str] | None, limit: int) -> tuple[sql.Composed, Params]:
    """By time and not by id: replicas make ids by their own clocks."""
    at, entry_id = after or (None, None)
    params = record(chosen) | {"after": at, "after_id": entry_id, "limit": limit}
    return _composed(SQL["list_audit_log"], _ACTS, params) + _LATEST, params


def _composed(statement: LiteralString, known: _Conditions, params: Params, *fixed: LiteralString) -> sql.Composed:
    """The statement where all these hold, and those conditions whose parameter has a value."""
    conditions = [sql.SQL(condition) for condition in fixed]
    conditions += [sql.SQL(condition) for name, condition in known.items() if params.get(name) is not None]
    where = [sql.SQL(" where "), sql.SQL(" and ").join(conditions)] if conditions else []
    return sql.Composed([sql.SQL(statement), *where])


def _prefixes(text: str) -> str | None:
    """The query for rows that have a word beginning with each of the text's words; None if the text has no word."""
    return " & ".join(f"'{word}':*" for word in _WORD.findall(text)) or None
