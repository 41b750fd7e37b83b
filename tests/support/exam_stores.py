"""The stores that exams are checked against, behind one face: dictionaries, and the real database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec
import pytest

from adapters.memory.exam.quick import NoQuickExam
from adapters.memory.exam.starting import MemoryStartWork
from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.store import MemoryTransaction, MemoryWork
from adapters.postgres.database import Database
from adapters.postgres.exam.quick import PostgresQuickExam
from adapters.postgres.exam.starting import PostgresStartWork
from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.question_bank.papers import PostgresPaperReader
from adapters.postgres.rows import entities, entity
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from application.exam.ports.quick import QuickExam
from application.exam.ports.sessions import StartWork
from application.ports import AuditEntry, IdGenerator, Transaction
from application.question_bank.ports.papers import PaperReader
from domain.auth.people import Actor, Role
from domain.auth.sessions import Session
from domain.enrollment.settings import PackageSettings
from domain.exam.grading import Grade
from domain.exam.record import Draft, Entry, append
from domain.exam.sessions import Accommodation, ExamSession, ExamSlot
from domain.exam.voiding import Void
from domain.progress.readiness import Prediction
from domain.question_bank.blueprints import Blueprint
from tests.support import exam_rows as rows
from tests.support.exam_builders import PAPER, exam_slots
from tests.support.exam_papers import MemoryPapers
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, START, MemoryWorld, Offer, PostgresWorld, World

WorkT = TypeVar("WorkT")
_SHORTEST_LIFE = timedelta(days=7)


class ExamStore(World, Protocol):
    """A world to practise in that holds exams as well. `exams` speaks all words of sitting and starting one."""

    clock: SettableClock
    ids: IdGenerator
    exams: Transaction[StartWork]
    quick_exam: QuickExam
    papers: PaperReader

    @abstractmethod
    def unit(self, memory: type[Any], postgres: type[Any]) -> Transaction[Any]:
        """Units of work of a kind that this store has in two forms."""

    @abstractmethod
    def hold_exams(
        self,
        settings: PackageSettings | None = None,
        *,
        duration_seconds: int | None = 3600,
        pass_mark: int = 50,
        blueprint: Blueprint | None = None,
        weekly: int | None = None,
        package_id: str = PACKAGE,
    ) -> None:
        """What the package, which there has to be, says of its exams, and its tier of how many."""

    @abstractmethod
    def admit(self, actor: Actor) -> None:
        """Somebody who is signed in; not enrolled."""

    @abstractmethod
    def accommodate(self, user_id: str, accommodation: Accommodation) -> None: ...

    @abstractmethod
    def void(self, void: Void) -> None: ...

    @abstractmethod
    def foretell(self, prediction: Prediction) -> None: ...

    @abstractmethod
    async def outcome_of(self, prediction: Prediction) -> tuple[str, bool] | None:
        """By which session it was judged, and how."""

    @abstractmethod
    async def sits_until(self, actor: Actor) -> datetime | None: ...

    @abstractmethod
    async def record_of(self, user_id: str, session_id: str) -> Sequence[Entry]:
        """In order."""

    @abstractmethod
    async def slots_of(self, user_id: str, session_id: str) -> Sequence[ExamSlot]:
        """In order."""

    @abstractmethod
    async def grades_of(self, user_id: str, session_id: str) -> Sequence[Grade]:
        """In order."""

    @abstractmethod
    async def snapshot_of(self, user_id: str, session_id: str) -> Any:
        """Read as JSON; None without one."""

    @abstractmethod
    async def audit_log(self) -> Sequence[AuditEntry]:
        """All audit rows, oldest first."""

    async def session_of(self, user_id: str, session_id: str) -> ExamSession:
        """As it is stored."""
        found = await self.exams(lambda work: work.find_session(user_id, session_id))
        assert found is not None
        return found

    async def begin(self, session: ExamSession, paper: Sequence[Offer] = PAPER) -> ExamSession:
        """Puts a session with these questions into the store, without asking anybody."""

        async def add(work: StartWork) -> None:
            await work.add_session(session, exam_slots(session, paper))

        await self.exams(add)
        return session

    async def note(self, user_id: str, session_id: str, *drafts: Draft) -> tuple[Entry, ...]:
        """Appends to the record of a session, now."""

        async def add(work: StartWork) -> tuple[Entry, ...]:
            session = await work.hold_session(user_id, session_id)
            assert session is not None
            entries = []
            for draft in drafts:
                session, entry = append(session, draft, work.now)
                entries.append(entry)
            await work.add_entries(entries)
            await work.save_session(session)
            return tuple(entries)

        return await self.exams(add)

    def stock(self, *students: Actor, paper: Sequence[Offer] = PAPER, package_id: str = PACKAGE, **exams: Any) -> None:
        """A package with these questions that holds exams, and students who are signed in and enrolled."""
        self.offer(paper, package_id)
        self.hold_exams(package_id=package_id, **exams)
        for student in students:
            self.admit(student)
            self.enroll(student.user_id, package_id)


@dataclass(slots=True)
class ExamsInMemory(MemoryWorld, ExamStore):
    """Dictionaries."""

    clock: SettableClock  # pyright: ignore[reportIncompatibleVariableOverride]
    ids: IdGenerator = field(default_factory=TimeOrderedIds)
    exams: Transaction[StartWork] = field(init=False)
    quick_exam: QuickExam = field(default_factory=NoQuickExam)
    papers: PaperReader = field(init=False)

    def __post_init__(self) -> None:
        MemoryWorld.__post_init__(self)
        self.exams = self.unit(MemoryStartWork, PostgresStartWork)
        self.papers = MemoryPapers(self.store)

    def unit(self, memory: type[MemoryWork], postgres: type[Any]) -> Transaction[Any]:
        return MemoryTransaction(self.store, memory, self.clock)

    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None:
        MemoryWorld.offer(self, questions, package_id)
        for offer in questions:
            self.store.tables["asked_versions"][offer.id, 1] = PublishedQuestion(
                question=offer.public, key=offer.key, topic_id=offer.topic_id, difficulty_id=offer.difficulty_id
            )

    def hold_exams(
        self,
        settings: PackageSettings | None = None,
        *,
        duration_seconds: int | None = 3600,
        pass_mark: int = 50,
        blueprint: Blueprint | None = None,
        weekly: int | None = None,
        package_id: str = PACKAGE,
    ) -> None:
        tiers = self._change(package_id).tiers
        self._change(
            package_id,
            settings=settings or PackageSettings(),
            duration_seconds=duration_seconds,
            pass_mark=Decimal(pass_mark),
            blueprint=blueprint,
            tiers=tuple(replace(tier, weekly_exam_sessions=weekly) for tier in tiers),
        )

    def admit(self, actor: Actor) -> None:
        now = self.clock.now()
        self.store.tables["auth_sessions"][actor.user_id, actor.session_id] = Session(
            id=actor.session_id,
            user_id=actor.user_id,
            audience=actor.role,
            auth_time=now,
            created_at=now,
            last_seen_at=now,
            idle_expires_at=now + _SHORTEST_LIFE,
            absolute_expires_at=now + _SHORTEST_LIFE,
        )

    def accommodate(self, user_id: str, accommodation: Accommodation) -> None:
        self.store.tables["exam_accommodations"][user_id] = accommodation

    def void(self, void: Void) -> None:
        self.store.tables["exam_voids"][void.id] = void

    def foretell(self, prediction: Prediction) -> None:
        self.store.tables["readiness_predictions"][prediction.user_id, prediction.id] = prediction

    async def outcome_of(self, prediction: Prediction) -> tuple[str, bool] | None:
        key, tables = (prediction.user_id, prediction.id), self.store.tables
        if key not in tables["readiness_outcomes"]:
            return None
        return tables["readiness_judged"][key], tables["readiness_outcomes"][key]

    async def sits_until(self, actor: Actor) -> datetime | None:
        session: Session = self.store.tables["auth_sessions"][actor.user_id, actor.session_id]
        return session.sits_exam_until

    async def record_of(self, user_id: str, session_id: str) -> Sequence[Entry]:
        return self._rows("exam_records", user_id, session_id)

    async def slots_of(self, user_id: str, session_id: str) -> Sequence[ExamSlot]:
        return self._rows("exam_slots", user_id, session_id)

    async def grades_of(self, user_id: str, session_id: str) -> Sequence[Grade]:
        return self._rows("exam_grades", user_id, session_id)

    async def snapshot_of(self, user_id: str, session_id: str) -> Any:
        kept = self.store.tables["exam_snapshots"].get((user_id, session_id))
        return None if kept is None else msgspec.json.decode(kept)

    async def audit_log(self) -> Sequence[AuditEntry]:
        return self.store.audit_log

    def _rows(self, table: str, user_id: str, session_id: str) -> list[Any]:
        rows = self.store.tables[table]
        return [rows[key] for key in sorted(rows) if key[:2] == (user_id, session_id)]


@dataclass(slots=True)
class ExamsOnPostgres(PostgresWorld, ExamStore):
    """The real database."""

    database: Database = field(kw_only=True)
    clock: SettableClock = field(kw_only=True)
    ids: IdGenerator = field(default_factory=TimeOrderedIds)
    exams: Transaction[StartWork] = field(init=False)
    quick_exam: QuickExam = field(init=False)
    papers: PaperReader = field(init=False)

    def __post_init__(self) -> None:
        self.exams = self.unit(MemoryStartWork, PostgresStartWork)
        self.quick_exam = self.quick_exam_by(self.ids)
        self.papers = PostgresPaperReader(self.database)

    def quick_exam_by(self, ids: IdGenerator) -> QuickExam:
        return PostgresQuickExam(self.database, ids, self.clock)

    def unit(self, memory: type[Any], postgres: type[PostgresWork]) -> Transaction[Any]:
        return PostgresTransaction(self.database, postgres, self.ids, self.clock)

    def hold_exams(
        self,
        settings: PackageSettings | None = None,
        *,
        duration_seconds: int | None = 3600,
        pass_mark: int = 50,
        blueprint: Blueprint | None = None,
        weekly: int | None = None,
        package_id: str = PACKAGE,
    ) -> None:
        self._run(
            rows.PACKAGE,
            settings=_json(settings or PackageSettings()),
            duration_seconds=duration_seconds,
            pass_mark=pass_mark,
            blueprint=None if blueprint is None else _json(blueprint),
            package_id=package_id,
        )
        self._run(rows.TIER, weekly=weekly, package_id=package_id)

    def admit(self, actor: Actor) -> None:
        now = self.clock.now()
        signed_in = {"user_id": actor.user_id, "id": actor.session_id, "role": actor.role.value, "at": now}
        self._run(rows.USER, **signed_in)
        self._run(rows.SIGN_IN, **signed_in, until=now + _SHORTEST_LIFE)

    def accommodate(self, user_id: str, accommodation: Accommodation) -> None:
        given = {"multiplier": accommodation.multiplier, "extra_seconds": accommodation.extra_seconds}
        self._run(rows.ACCOMMODATION, user_id=user_id, **given)

    def void(self, void: Void) -> None:
        self._run(rows.USER, user_id=void.created_by, role=Role.ADMIN.value)
        row = {name: getattr(void, name) for name in void.__slots__}
        self._run(rows.VOID, **row | {"mode": void.mode.value, "accepted": list(void.accepted)})

    def foretell(self, prediction: Prediction) -> None:
        self._run(rows.PREDICTION, **{name: getattr(prediction, name) for name in prediction.__slots__})

    async def outcome_of(self, prediction: Prediction) -> tuple[str, bool] | None:
        row = await self.database.fetch_one(
            "select exam_session_id, passed from readiness_predictions where user_id = %(user)s and id = %(id)s",
            {"user": prediction.user_id, "id": prediction.id},
        )
        assert row is not None
        return None if row["passed"] is None else (row["exam_session_id"], row["passed"])

    async def sits_until(self, actor: Actor) -> datetime | None:
        row = await self.database.fetch_one(
            "select sits_exam_until from auth_sessions where user_id = %(user)s and id = %(id)s",
            {"user": actor.user_id, "id": actor.session_id},
        )
        assert row is not None
        found: datetime | None = row["sits_exam_until"]
        return found

    async def record_of(self, user_id: str, session_id: str) -> Sequence[Entry]:
        rows = await self.database.fetch_all(
            "select * from exam_records where user_id = %(user)s and session_id = %(session)s order by position",
            {"user": user_id, "session": session_id},
        )
        return entities(rows, Entry)

    async def slots_of(self, user_id: str, session_id: str) -> Sequence[ExamSlot]:
        rows = await self.database.fetch_all(
            "select * from exam_slots where user_id = %(user)s and session_id = %(session)s order by slot",
            {"user": user_id, "session": session_id},
        )
        return entities(rows, ExamSlot)

    async def grades_of(self, user_id: str, session_id: str) -> Sequence[Grade]:
        rows = await self.database.fetch_all(
            "select * from exam_grades where user_id = %(user)s and session_id = %(session)s order by revision",
            {"user": user_id, "session": session_id},
        )
        return entities(rows, Grade)

    async def snapshot_of(self, user_id: str, session_id: str) -> Any:
        row = await self.database.fetch_one(
            "select snapshot from exam_sessions where user_id = %(user)s and id = %(session)s",
            {"user": user_id, "session": session_id},
        )
        return None if row is None else row["snapshot"]

    async def audit_log(self) -> Sequence[AuditEntry]:
        rows = await self.database.fetch_all("select * from audit_log order by id")
        return tuple(entity(row, AuditEntry) for row in rows)


def exam_store_of(request: pytest.FixtureRequest, clock: SettableClock, *, at: datetime = START) -> ExamStore:
    """The store that a fixture's parameter asks for: `memory` or `postgres`. It is empty, and its clock stands."""
    clock.set(at)
    if request.param == "memory":
        return ExamsInMemory(clock)
    return exams_on_postgres(request.getfixturevalue("cloned"), request.getfixturevalue("database"), clock)


def exams_on_postgres(cloned: Any, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    ids = TimeOrderedIds()
    practice = PostgresTransaction(database, PostgresPracticeWork, ids, clock)
    quick = PostgresQuickAnswers(database, clock)
    return ExamsOnPostgres(cloned, practice, quick, database=database, clock=clock)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
