"""Reads of anybody's exams on PostgreSQL, for administrators."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, TypeAlias

from msgspec import convert
from psycopg import sql
from psycopg.rows import DictRow

from adapters.postgres.connections import Connection
from adapters.postgres.database import Database, Lease, Params
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.exam.overseen import (
    AnswerEntryView,
    EventView,
    FlagView,
    GradeView,
    OverseenDetail,
    OverseenExamSlot,
    OverseenRow,
    OverseenSession,
)
from application.exam.ports.overseeing import LiveSession, NotedSession, OverseeReader, WantedOverseen
from application.ports import Clock
from domain.exam.accommodations import GrantedAccommodation
from domain.exam.connection import CONNECTED_FOR, UNSTABLE_FOR
from domain.exam.connection import Connection as Connected
from domain.exam.flags import Flag
from domain.exam.sessions import ExamRules, ExamSession, ExamStatus
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response

SQL = load("exam/overseeing")
_After: TypeAlias = tuple[datetime, str, str] | None

# For how long a session was silent: beyond the first, within the second.
_SILENCE: Final = {
    Connected.CONNECTED: (None, CONNECTED_FOR),
    Connected.UNSTABLE: (CONNECTED_FOR, UNSTABLE_FOR),
    Connected.LOST: (UNSTABLE_FOR, None),
}
# A response in the record, by the names that its entry gives the fields.
_RESPONSE: Final = {
    "choiceIds": "choice_ids",
    "numericValue": "numeric_value",
    "text": "text",
    "order": "order",
    "pairs": "pairs",
}


class PostgresOverseeReader(OverseeReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def sessions(self, wanted: WantedOverseen, after: _After, limit: int) -> tuple[OverseenRow, ...]:
        """Planned with its values and not prepared: a plan that is to fit any filters would read all sessions."""
        query, params = page_of_sessions(wanted, after, limit, self._now())

        async def read(connection: Connection, lease: Lease) -> list[DictRow]:
            lease.committing = True
            return await (await connection.execute(query, params, prepare=False)).fetchall()

        return tuple(_row(row, row["open_flags"]) for row in await self._database.run(read))

    async def session(self, user_id: str, session_id: str) -> OverseenDetail | None:
        params = {"user_id": user_id, "session_id": session_id, "now": self._now()}
        row = await self._database.fetch_one(SQL["oversee_session"], params)
        if row is None:
            return None
        flags = FlagView.every(entities(row["flags"] or (), Flag))
        return OverseenDetail(
            row=_row(row, sum(flag.resolved_at is None for flag in flags)),
            rules=entity(row["rules"], ExamRules),
            snapshot=None if row["snapshot"] is None else row["snapshot"].encode(),
            slots=entities(row["slots"] or (), OverseenExamSlot),
            grades=entities(row["grades"] or (), GradeView),
            flags=flags,
            events=row["events"] or {},
            record_count=row["record_count"],
            record_hash=row["record_hash"],
        )

    async def has_session(self, user_id: str, session_id: str) -> bool:
        params = {"user_id": user_id, "session_id": session_id}
        return _found(await self._database.fetch_one(SQL["has_session"], params))

    async def events(
        self, user_id: str, session_id: str, type_: str | None, before: int | None, limit: int
    ) -> tuple[EventView, ...]:
        place = {"user_id": user_id, "session_id": session_id, "type": type_, "before": before, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_events"], place), EventView)

    async def answers(
        self, user_id: str, session_id: str, slot: int | None, after: int, limit: int
    ) -> tuple[AnswerEntryView, ...]:
        place = {"user_id": user_id, "session_id": session_id, "slot": slot, "after": after, "limit": limit}
        return tuple(_answer(row) for row in await self._database.fetch_all(SQL["list_answers"], place))

    async def noted(self, sessions: Sequence[tuple[str, str]], client_event_id: str) -> tuple[NotedSession, ...]:
        params = {
            "user_ids": [user_id for user_id, _ in sessions],
            "session_ids": [session_id for _, session_id in sessions],
            "client_event_id": client_event_id,
            "now": self._now(),
        }
        rows = await self._database.fetch_all(SQL["noted_sessions"], params)
        return tuple(
            NotedSession(session=entity(row, ExamSession), content=row["content"], now=row["now"]) for row in rows
        )

    async def live_without(
        self, exam_package_id: str, client_event_id: str, limit: int, after: tuple[str, str] | None = None
    ) -> tuple[LiveSession, ...]:
        user_id, session_id = after or (None, None)
        params = {"exam_package_id": exam_package_id, "client_event_id": client_event_id, "limit": limit}
        place = {"after_user_id": user_id, "after_id": session_id, "now": self._now()}
        rows = await self._database.fetch_all(SQL["live_without"], params | place)
        return tuple(LiveSession(session=entity(row, ExamSession), now=row["now"]) for row in rows)

    async def has_package(self, exam_package_id: str) -> bool:
        return _found(await self._database.fetch_one(SQL["is_package"], {"exam_package_id": exam_package_id}))

    async def granted(self, user_id: str) -> GrantedAccommodation | None:
        row = await self._database.fetch_one(SQL["granted"], {"user_id": user_id})
        return None if row is None else entity(row, GrantedAccommodation)

    async def has_student(self, user_id: str) -> bool:
        return _found(await self._database.fetch_one(SQL["is_student"], {"user_id": user_id}))

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


def page_of_sessions(
    wanted: WantedOverseen, after: _After, limit: int, now: datetime | None
) -> tuple[sql.Composed, Params]:
    """The statement that reads least, and its values."""
    at, user, id_ = after or (None, None, None)
    beyond, within = _SILENCE.get(wanted.connection, (None, None)) if wanted.connection else (None, None)
    params = {
        "statuses": [status.value for status in _statuses(wanted)],
        "exam_package_id": wanted.exam_package_id,
        "user_id": wanted.user_id,
        "since": wanted.since,
        "until": wanted.until,
        "flagged": wanted.flagged,
        "silent_beyond": beyond,
        "silent_within": within,
        "after_at": at,
        "after_user": user,
        "after_id": id_,
        "limit": limit,
        "now": now,
    }
    joined = sql.SQL(
        "{} join ({}) found on found.user_id = s.user_id and found.id = s.id"
        " order by s.created_at desc, s.user_id desc, s.id desc"
    )
    return joined.format(sql.SQL(SQL["show_sessions"]), sql.SQL(_source(wanted))), params


def _source(wanted: WantedOverseen) -> LiteralString:
    """What leads: the student, the flags, or the time."""
    if wanted.user_id is not None:
        return SQL["sessions_of_student"]
    return SQL["flagged_sessions"] if wanted.flagged else SQL["newest_sessions"]


def _statuses(wanted: WantedOverseen) -> tuple[ExamStatus, ...]:
    """Only of an active session somebody is waited for."""
    every = wanted.statuses or tuple(ExamStatus)
    if wanted.connection is None:
        return every
    waited_for = wanted.connection is not Connected.NONE
    return tuple(status for status in every if (status is ExamStatus.ACTIVE) == waited_for)


def _row(row: Mapping[str, Any], open_flags: int) -> OverseenRow:
    return OverseenRow(
        overseen=OverseenSession.read(entity(row, ExamSession), row["now"]),
        user_name=row["user_name"],
        user_email=row["user_email"],
        open_flags=open_flags,
    )


def _answer(row: Mapping[str, Any]) -> AnswerEntryView:
    told = json.loads(row["content"])
    given = {field: told[name] for name, field in _RESPONSE.items() if name in told}
    return AnswerEntryView(
        position=row["position"],
        slot=row["slot"],
        revision=row["revision"],
        response=convert(given, Response) if given else None,
        certainty=Certainty(told["certainty"]) if "certainty" in told else None,
        autosave=row["autosave"],
        at=row["at"],
        effective_at=row["effective_at"],
    )


def _found(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["found"] is True
