"""Overseeing exams in tests: every act of an administrator on one store, under short names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from adapters.memory.exam.overseeing import MemoryOverseeWork
from adapters.postgres.exam.overseeing import PostgresOverseeWork
from adapters.postgres.exam.overseen import PostgresOverseeReader
from application.exam.accommodating import AccommodationView, SetAccommodation
from application.exam.adjusting import AdjustedSessions, Adjustment, AdjustTimes
from application.exam.flagging import FlagSession, ResolveFlag
from application.exam.overseeing import (
    AdjustTime,
    ForceSubmitExam,
    InvalidateExam,
    PauseExam,
    ReinstateExam,
    ReopenExam,
    ResumeExam,
    TerminateExam,
)
from application.exam.overseen import FlagView, OverseenSession
from application.exam.ports.overseeing import LiveSession, NotedSession, OverseeReader, OverseeWork
from application.exam.settling import hold
from application.ports import AuditEntry, Transaction
from domain.auth.people import Actor
from domain.exam.record import EntryKind
from domain.exam.sessions import LIVE
from tests.support.auth_builders import a_user
from tests.support.exam_builders import ROOT, SESSION, STRANGER, STUDENT
from tests.support.exam_stores import ExamsInMemory, ExamsOnPostgres, ExamStore, exam_store_of
from tests.support.postgres import SettableClock

_COMMANDS = {
    "pause": PauseExam,
    "resume": ResumeExam,
    "force_submit": ForceSubmitExam,
    "terminate": TerminateExam,
    "invalidate": InvalidateExam,
    "reinstate": ReinstateExam,
    "reopen": ReopenExam,
}


@dataclass(frozen=True, slots=True)
class LiveInMemory:
    """Of the reader, what adjusting many sessions asks."""

    store: ExamsInMemory

    async def live_without(
        self, exam_package_id: str, client_event_id: str, limit: int, after: tuple[str, str] | None = None
    ) -> tuple[LiveSession, ...]:
        rows = [row for row in self.store.store.tables["exam_sessions"].values() if row.status in LIVE]
        live = [
            LiveSession(session=row, now=self.store.clock.now())
            for row in sorted(rows, key=lambda row: (row.user_id, row.id))
            if row.exam_package_id == exam_package_id
        ]
        left = (each for each in live if after is None or each.whose > after)
        return tuple(each for each in left if each.whose not in self._noted(client_event_id))[:limit]

    async def has_package(self, exam_package_id: str) -> bool:
        return (exam_package_id,) in self.store.store.tables["exam_packages"]

    async def noted(self, sessions: Sequence[tuple[str, str]], client_event_id: str) -> tuple[NotedSession, ...]:
        told, tables, now = self._noted(client_event_id), self.store.store.tables, self.store.clock.now()
        return tuple(
            NotedSession(session=tables["exam_sessions"][each], content=told[each], now=now)
            for each in sessions
            if each in told
        )

    def _noted(self, client_event_id: str) -> dict[tuple[str, str], str]:
        entries = self.store.store.tables["exam_records"].values()
        told = (entry for entry in entries if entry.client_event_id == client_event_id)
        return {(entry.user_id, entry.session_id): entry.content for entry in told}


@dataclass(frozen=True, slots=True)
class Oversight:
    """Root does something to the first session of the first student, unless a test says something else."""

    store: ExamStore
    actor: Actor = ROOT

    def settle_in(self, *students: Actor) -> None:
        """On dictionaries nobody is somebody before that is said."""
        if isinstance(self.store, ExamsInMemory):
            for student in students:
                person = a_user(id=student.user_id, email=f"{student.user_id}@example.org")
                self.store.store.tables["users"][person.id] = person

    @property
    def transact(self) -> Transaction[OverseeWork]:
        transact: Transaction[OverseeWork] = self.store.unit(MemoryOverseeWork, PostgresOverseeWork)
        return transact

    @property
    def reader(self) -> OverseeReader:
        if isinstance(self.store, ExamsInMemory):
            return LiveInMemory(self.store)  # type: ignore[return-value]
        assert isinstance(self.store, ExamsOnPostgres)
        return PostgresOverseeReader(self.store.database, self.store.clock)

    async def act(
        self,
        command: str,
        reason: str = "why",
        *,
        user_id: str = STUDENT.user_id,
        session_id: str = SESSION,
        **more: Any,
    ) -> OverseenSession:
        if command == "adjust_time":
            adjust = AdjustTime(transact=self.transact, ids=self.store.ids)
            return await adjust(self.actor, user_id, session_id, more["seconds"], reason)
        use_case: Any = _COMMANDS[command](transact=self.transact, ids=self.store.ids)
        done: OverseenSession = await use_case(self.actor, user_id, session_id, reason, **more)
        return done

    async def adjust_all(
        self,
        *sessions: tuple[str, str],
        seconds: int = 300,
        id_: str = "alarm",
        package_id: str | None = None,
        reason: str = "why",
    ) -> AdjustedSessions:
        adjust = AdjustTimes(transact=self.transact, oversee_reader=self.reader, ids=self.store.ids)
        wanted = Adjustment(id=id_, seconds=seconds, reason=reason, sessions=sessions, exam_package_id=package_id)
        return await adjust(self.actor, wanted)

    async def flag(self, type_: str = "noise", note: str | None = None, **session: str) -> FlagView:
        return await FlagSession(transact=self.transact, ids=self.store.ids)(
            self.actor, session.get("user_id", STUDENT.user_id), session.get("session_id", SESSION), type_, note
        )

    async def resolve(self, flag_id: str, note: str | None = None, session_id: str = SESSION) -> FlagView:
        resolve = ResolveFlag(transact=self.transact, ids=self.store.ids)
        return await resolve(self.actor, STUDENT.user_id, session_id, flag_id, note)

    async def grant(
        self, multiplier: str = "1", extra_seconds: int = 0, *, user_id: str = STUDENT.user_id, live: bool = False
    ) -> AccommodationView:
        grant = SetAccommodation(transact=self.transact, ids=self.store.ids)
        return await grant(self.actor, user_id, Decimal(multiplier), extra_seconds, "why", apply_to_live=live)

    async def lapse(self, session_id: str = SESSION) -> None:
        """Time acts on a session."""

        async def unit(work: OverseeWork) -> None:
            await hold(work, lambda: self.store.ids.new("evt"), STUDENT.user_id, session_id)

        await self.transact(unit)

    async def audited(self) -> Sequence[AuditEntry]:
        return await self.store.audit_log()

    async def told(self, session_id: str = SESSION) -> list[str]:
        """The types of the events on record."""
        record = await self.store.record_of(STUDENT.user_id, session_id)
        return [str(entry.type) for entry in record if entry.kind is EntryKind.EVENT]


def oversight_of(request: pytest.FixtureRequest, clock: SettableClock) -> Oversight:
    """Two students who are enrolled in a package with a question of each kind, and somebody of the staff."""
    store = exam_store_of(request, clock)
    store.stock(STUDENT, STRANGER)
    store.admit(ROOT)
    staff = Oversight(store)
    staff.settle_in(STUDENT, STRANGER)
    return staff
