"""What students have answered, for tests of what is estimated from it: in memory and on PostgreSQL, behind one face."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec
from psycopg.rows import dict_row

from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.progress.evidence import MemoryFacilityWork, MemoryReadinessWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.progress.evidence import PostgresFacilityWork, PostgresReadinessWork
from adapters.postgres.rows import entities
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.ports import Transaction
from application.progress.ports.evidence import FacilityWork, ReadinessWork
from domain.enrollment.enrolling import Enrollment, EnrollmentEnd
from domain.enrollment.packages import ExamPackage, Visibility
from domain.enrollment.settings import PackageSettings
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus
from domain.progress.evidence import PackageEvidence
from domain.progress.readiness import Prediction
from domain.question_bank.blueprints import Blueprint
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, PublicQuestion, Response
from tests.support.enrollment_builders import a_package
from tests.support.postgres import ClonedDatabase, SettableClock

ADA: Final = "usr_ada"
BOB: Final = "usr_bob"
PACKAGE: Final = "pkg_network"
BANK: Final = "qbk_network"
_OVER = (PracticeStatus.FINISHED, PracticeStatus.INVALIDATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer that was given, in a session of its own: as a rule rightly, a moment ago, with immediate feedback."""

    user_id: str = ADA
    question_id: str = "qst_1"
    topic_id: str | None = "top_1"
    mark: Decimal = Decimal(1)
    max_mark: Decimal = Decimal(1)
    ago: timedelta = timedelta(0)
    answered: bool = True
    feedback: FeedbackMode = FeedbackMode.IMMEDIATE
    status: PracticeStatus = PracticeStatus.ACTIVE
    finished_at: datetime | None = None
    deadline: datetime | None = None


def several(topic_id: str | None, right: int, wrong: int = 0, **changes: Any) -> list[Given]:
    """Answers to so many questions of a topic."""
    return [
        Given(question_id=f"qst_{topic_id}_{number}", topic_id=topic_id, mark=Decimal(int(number < right)), **changes)
        for number in range(right + wrong)
    ]


class EvidenceStore(Protocol):
    """One package with one bank; Ada and Bob study."""

    clock: SettableClock
    readiness: Transaction[ReadinessWork]
    facilities: Transaction[FacilityWork]

    @abstractmethod
    def package(self, **changes: Any) -> None:
        """The package says this."""

    @abstractmethod
    def publish(self, question_id: str, topic_id: str | None) -> None: ...

    @abstractmethod
    def withdraw(self, question_id: str) -> None:
        """The question is archived."""

    @abstractmethod
    def enroll(self, user_id: str = ADA, *, ended: bool = False) -> None: ...

    @abstractmethod
    def record(self, session: PracticeSession, slot: PracticeSlot) -> None: ...

    @abstractmethod
    def predictions(self) -> tuple[Prediction, ...]:
        """In the order in which they were shown."""

    @abstractmethod
    def show_and_examine(self, p_pass: float, count: int, *, passed: int, package_id: str = PACKAGE) -> None:
        """So many times Bob was shown this chance; of the exams that followed he passed so many."""

    def give(self, *answers: Given) -> None:
        """Each in a session of its own."""
        for given in answers:
            session, slot = _practice(given, TimeOrderedIds().new("prs"), self.clock.now())
            self.record(session, slot)

    async def evidence(self, user_id: str = ADA, package_id: str = PACKAGE) -> PackageEvidence | None:
        async def unit(work: ReadinessWork) -> PackageEvidence | None:
            return await work.evidence(user_id, package_id)

        return await self.readiness(unit)


@dataclass(slots=True)
class MemoryEvidence(EvidenceStore):
    """On dictionaries."""

    clock: SettableClock
    store: MemoryStore = field(default_factory=MemoryStore)
    readiness: Transaction[ReadinessWork] = field(init=False)
    facilities: Transaction[FacilityWork] = field(init=False)

    def __post_init__(self) -> None:
        self.readiness = MemoryTransaction(self.store, MemoryReadinessWork, self.clock)
        self.facilities = MemoryTransaction(self.store, MemoryFacilityWork, self.clock)
        self.store.tables["exam_packages"][PACKAGE,] = a_package(PACKAGE)

    def package(self, **changes: Any) -> None:
        packages: dict[tuple[str], ExamPackage] = self.store.tables["exam_packages"]
        packages[PACKAGE,] = replace(packages[PACKAGE,], **changes)

    def publish(self, question_id: str, topic_id: str | None) -> None:
        self.store.tables["published_questions"][PACKAGE, question_id] = PublishedQuestion(
            question=PublicQuestion(
                question_id=question_id, version=1, kind=QuestionKind.SINGLE, stem="?", choices=(), max_mark=Decimal(1)
            ),
            key=AnswerKey(correct=("A",)),
            topic_id=topic_id,
        )

    def withdraw(self, question_id: str) -> None:
        del self.store.tables["published_questions"][PACKAGE, question_id]

    def enroll(self, user_id: str = ADA, *, ended: bool = False) -> None:
        enrollment = Enrollment(
            id=f"enr_{user_id}",
            user_id=user_id,
            exam_package_id=PACKAGE,
            tier_id="tier_standard",
            started_at=self.clock.now(),
            ended_at=self.clock.now() if ended else None,
            end_reason=EnrollmentEnd.CANCELLED if ended else None,
        )
        self.store.tables["enrollments"][user_id, enrollment.id] = enrollment

    def record(self, session: PracticeSession, slot: PracticeSlot) -> None:
        self.store.tables["practice_sessions"][session.user_id, session.id] = session
        self.store.tables["practice_slots"][slot.user_id, slot.session_id, slot.slot] = slot

    def predictions(self) -> tuple[Prediction, ...]:
        return tuple(self.store.tables["readiness_predictions"].values())

    def show_and_examine(self, p_pass: float, count: int, *, passed: int, package_id: str = PACKAGE) -> None:
        for number in range(count):
            shown = Prediction(
                user_id=BOB,
                id=TimeOrderedIds().new("rdy"),
                exam_package_id=package_id,
                shown_at=self.clock.now(),
                p_pass=p_pass,
                expected=10,
                lowest=8,
                highest=12,
                need=10,
                questions=20,
                coverage=1,
            )
            self.store.tables["readiness_predictions"][BOB, shown.id] = shown
            self.store.tables["readiness_outcomes"][BOB, shown.id] = number < passed


@dataclass(slots=True)
class PostgresEvidence(EvidenceStore):
    """On a cloned database. Rows that nobody reads here are left out: foreign keys are off for the one who writes."""

    clock: SettableClock
    cloned: ClonedDatabase
    database: Database
    readiness: Transaction[ReadinessWork] = field(init=False)
    facilities: Transaction[FacilityWork] = field(init=False)

    def __post_init__(self) -> None:
        ids = TimeOrderedIds()
        self.readiness = PostgresTransaction(self.database, PostgresReadinessWork, ids, self.clock)
        self.facilities = PostgresTransaction(self.database, PostgresFacilityWork, ids, self.clock)
        package = a_package(PACKAGE)
        self._run(_PACKAGE, {"id": PACKAGE, "bank": BANK, "pass_mark": package.pass_mark})
        for user_id in (ADA, BOB):
            self._run(_USER, {"id": user_id})

    def package(self, **changes: Any) -> None:
        written = {name: _written(value) for name, value in changes.items()}
        for name, value in written.items():
            self._run(f"update exam_packages set {name} = %(value)s where id = %(id)s", {"value": value, "id": PACKAGE})

    def publish(self, question_id: str, topic_id: str | None) -> None:
        self._run(_QUESTION, {"id": question_id, "topic_id": topic_id, "bank": BANK})

    def withdraw(self, question_id: str) -> None:
        self._run(_WITHDRAW, {"id": question_id, "bank": BANK})

    def enroll(self, user_id: str = ADA, *, ended: bool = False) -> None:
        self._run(_ENROLLMENT, {"user_id": user_id, "package": PACKAGE, "at": self.clock.now(), "ended": ended})

    def record(self, session: PracticeSession, slot: PracticeSlot) -> None:
        self._run(_SESSION, asdict(session))
        self._run(
            _SLOT, asdict(slot) | {"choice_order": list(slot.choice_order), "answered": slot.response is not None}
        )

    def predictions(self) -> tuple[Prediction, ...]:
        with self.cloned.keeper.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute("select * from readiness_predictions order by shown_at, id").fetchall()
        return entities(rows, Prediction)

    def show_and_examine(self, p_pass: float, count: int, *, passed: int, package_id: str = PACKAGE) -> None:
        said = {"p_pass": p_pass, "count": count, "passed": passed, "package": package_id, "at": self.clock.now()}
        self._run(_EXAMINED, said | {"user_id": BOB})

    def _run(self, statement: str, params: Mapping[str, Any]) -> None:
        with self.cloned.keeper.transaction():
            self.cloned.keeper.execute("set local session_replication_role = replica")
            self.cloned.keeper.execute(statement.encode(), params)


def _practice(given: Given, session_id: str, now: datetime) -> tuple[PracticeSession, PracticeSlot]:
    at = now - given.ago
    session = PracticeSession(
        user_id=given.user_id,
        id=session_id,
        exam_package_id=PACKAGE,
        status=given.status,
        feedback=given.feedback,
        requested=1,
        served=1,
        started_at=at,
        deadline=given.deadline,
        paused_at=at if given.status is PracticeStatus.PAUSED else None,
        finished_at=given.finished_at or (at if given.status in _OVER else None),
        last_event_at=at,
    )
    slot = PracticeSlot(
        user_id=given.user_id,
        session_id=session_id,
        slot=1,
        question_id=given.question_id,
        version=1,
        topic_id=given.topic_id,
        choice_order=("A", "B"),
        max_mark=given.max_mark,
        response=Response.choosing("A") if given.answered else None,
        correct=given.mark == given.max_mark if given.answered else None,
        mark=given.mark if given.answered else None,
        answered_at=at if given.answered else None,
    )
    return session, slot


def _written(value: object) -> Any:
    """A column's value: documents as JSON."""
    if isinstance(value, PackageSettings | Blueprint):
        return msgspec.json.encode(value).decode()
    return value.value if isinstance(value, Visibility) else value


_PACKAGE = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values (%(id)s, 'network', 'Network', 'visible', %(pass_mark)s, now(), now())
), bank as (
    insert into question_banks (id, slug, title, created_at, updated_at) values (%(bank)s, 'network', 'N', now(), now())
)
insert into exam_package_banks (exam_package_id, question_bank_id) values (%(id)s, %(bank)s)
"""
_USER = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%(id)s, %(id)s || '@example.org', 'student', 'x', now(), now())
"""
_QUESTION = """
with topic as (
    insert into question_topics (id, question_bank_id, name, created_at, updated_at)
    select %(topic_id)s, %(bank)s, %(topic_id)s || ' by name', now(), now() where %(topic_id)s::text is not null
    on conflict do nothing
), bank as (
    update question_banks set published_count = published_count + 1 where id = %(bank)s
)
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status, topic_id,
                       created_at, updated_at)
values (%(id)s, %(bank)s, %(id)s, 1, 1, 'published', %(topic_id)s, now(), now())
"""
_WITHDRAW = """
with bank as (update question_banks set published_count = published_count - 1 where id = %(bank)s)
update questions set published_version = null, latest_status = 'archived' where id = %(id)s
"""
_ENROLLMENT = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, ended_at, end_reason)
values (%(user_id)s, 'enr_' || %(user_id)s, %(package)s, 'tier_1', case when %(ended)s then 'ended' else 'active' end,
        %(at)s, case when %(ended)s then %(at)s::timestamptz end, case when %(ended)s then 'cancelled' end)
"""
_SESSION = """
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at, deadline,
                               paused_at, finished_at, last_event_at)
values (%(user_id)s, %(id)s, %(exam_package_id)s, %(status)s, %(feedback)s, 1, 1, %(started_at)s, %(deadline)s,
        %(paused_at)s, %(finished_at)s, %(last_event_at)s)
"""
_SLOT = """
insert into practice_slots (user_id, session_id, slot, question_id, version, topic_id, choice_order, max_mark, response,
                            correct, mark, answered_at)
values (%(user_id)s, %(session_id)s, %(slot)s, %(question_id)s, 1, %(topic_id)s, %(choice_order)s, %(max_mark)s,
        case when %(answered)s then '{}'::jsonb end, %(correct)s, %(mark)s, %(answered_at)s)
"""
_EXAMINED = """
insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need,
                                   questions, coverage, exam_session_id, passed)
select %(user_id)s, 'rdy_' || gen_random_uuid(), %(package)s, %(at)s, %(p_pass)s, 10, 8, 12, 10, 20, 1, 'exs_' || n,
       n <= %(passed)s
  from generate_series(1, %(count)s) n
"""
