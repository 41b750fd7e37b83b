"""Practice for tests: questions on offer, worlds to practise in (in memory, on PostgreSQL), and sessions as values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from adapters.memory.practice import MemoryPracticeWork, PublishedQuestion
from adapters.memory.store import MemoryStore, MemoryTransaction
from application.ports import Clock, Transaction
from application.practice.ports import PracticeWork
from domain.auth.people import Actor, Role
from domain.enrollment import Enrollment, EnrollmentEnd
from domain.practice.sessions import FeedbackMode, PracticeSession, PracticeSlot
from domain.question_bank.imported import FormattedText, NumericBand
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, Choice, KeyedQuestion, PublicQuestion
from tests.support.postgres import ClonedDatabase

PACKAGE = "pkg_security"
BANK = "qbk_security"
STUDENT = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
STRANGER = Actor(user_id="usr_eve", role=Role.STUDENT, session_id="ses_eve")
START = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
# What must not be seen before its time; every text of a key holds it.
SECRET = "sentinel-of-the-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A published question: `options` letters of which `correct` are right; of an ordering one, in that order.

    `matches` holds the right option of prompt 1, 2, … of a matching question.
    """

    id: str
    options: str = "ABCD"
    correct: str = "B"
    kind: QuestionKind = QuestionKind.SINGLE
    topic_id: str | None = None
    difficulty_id: str | None = "dif_easy"
    points: Decimal = Decimal(1)
    shuffle: bool = True
    explained: bool = True
    bands: tuple[NumericBand, ...] = ()
    accepted: tuple[str, ...] = ()
    matches: str = ""
    pinned: str = ""

    @property
    def public(self) -> PublicQuestion:
        return PublicQuestion(
            question_id=self.id,
            version=1,
            kind=self.kind,
            stem=f"Stem of {self.id}",
            choices=tuple(
                Choice(id=letter, text=f"{letter} of {self.id}", pinned=letter in self.pinned)
                for letter in self.options
            ),
            prompts=tuple(Choice(id=number, text=f"{number} of {self.id}") for number in self.pairs),
            max_mark=self.points,
            shuffle=self.shuffle,
        )

    @property
    def pairs(self) -> dict[str, str]:
        return {str(number): letter for number, letter in enumerate(self.matches, start=1)}

    @property
    def key(self) -> AnswerKey:
        key = AnswerKey(correct=tuple(self.correct), bands=self.bands, accepted=self.accepted, pairs=self.pairs)
        if not self.explained:
            return key
        return replace(
            key,
            explanations={letter: FormattedText(text=f"{SECRET} {letter}") for letter in self.options},
            explanation=FormattedText(text=f"{SECRET} in general"),
        )

    @property
    def keyed(self) -> KeyedQuestion:
        ids = tuple(self.options), tuple(self.pairs)
        return KeyedQuestion(kind=self.kind, choice_ids=ids[0], prompt_ids=ids[1], key=self.key)

    @property
    def wrong(self) -> str:
        return next(letter for letter in self.options if letter not in self.correct)


def offers(
    count: int, *, prefix: str = "qst", topic_id: str | None = None, difficulty_id: str = "dif_easy"
) -> list[Offer]:
    """`count` questions of one topic and difficulty."""
    return [
        Offer(id=f"{prefix}_{number:03}", topic_id=topic_id, difficulty_id=difficulty_id) for number in range(count)
    ]


# One question of each kind.
NUMBER = Offer(
    id="qst_number",
    kind=QuestionKind.NUMERIC,
    options="",
    correct="",
    points=Decimal(2),
    bands=(
        NumericBand(answer=Decimal("98.6")),
        NumericBand(answer=Decimal("98.6"), tol_abs=Decimal("0.5"), fraction=Decimal("0.75")),
    ),
)
TEXT = Offer(
    id="qst_text", kind=QuestionKind.SHORT_TEXT, options="", correct="", accepted=("Domain Name System", "DNS")
)
MATCH = Offer(id="qst_match", kind=QuestionKind.MATCHING, options="ABCD", correct="ABC", matches="ABC")
ORDER = Offer(id="qst_order", kind=QuestionKind.ORDERING, options="ABCDEF", correct="ABCDEF", shuffle=False)
EVERY_KIND = (
    Offer(id="qst_single"),
    Offer(id="qst_multiple", kind=QuestionKind.MULTIPLE, correct="AC"),
    Offer(id="qst_true_false", kind=QuestionKind.TRUE_FALSE, options="AB"),
    NUMBER,
    TEXT,
    MATCH,
    ORDER,
)


def session(*, served: int = 3, feedback: FeedbackMode = FeedbackMode.IMMEDIATE, **changes: object) -> PracticeSession:
    """A session that began at `START`."""
    begun = PracticeSession(
        user_id=STUDENT.user_id,
        id="prs_1",
        exam_package_id=PACKAGE,
        feedback=feedback,
        requested=served,
        served=served,
        started_at=START,
        last_event_at=START,
    )
    return replace(begun, **changes)  # type: ignore[arg-type]


def slot(number: int = 1, offer: Offer | None = None) -> PracticeSlot:
    """An open slot."""
    question = offer or Offer(id=f"qst_{number:03}")
    return PracticeSlot(
        user_id=STUDENT.user_id,
        session_id="prs_1",
        slot=number,
        question_id=question.id,
        version=1,
        choice_order=tuple(question.options),
        max_mark=question.points,
    )


class World(Protocol):
    """A place to practise in, whatever it is made of."""

    transact: Transaction[PracticeWork]

    @abstractmethod
    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None: ...

    @abstractmethod
    def enroll(self, user_id: str, package_id: str = PACKAGE) -> None: ...

    @abstractmethod
    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None: ...


@dataclass(slots=True)
class MemoryWorld(World):
    """Practice on dictionaries."""

    clock: Clock
    store: MemoryStore = field(default_factory=MemoryStore)
    transact: Transaction[PracticeWork] = field(init=False)

    def __post_init__(self) -> None:
        self.transact = MemoryTransaction(self.store, MemoryPracticeWork, self.clock)

    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None:
        for offer in questions:
            self.store.tables["published_questions"][package_id, offer.id] = PublishedQuestion(
                question=offer.public, key=offer.key, topic_id=offer.topic_id, difficulty_id=offer.difficulty_id
            )

    def enroll(self, user_id: str, package_id: str = PACKAGE) -> None:
        row = Enrollment(
            id=f"enr_{user_id}_{package_id}",
            user_id=user_id,
            exam_package_id=package_id,
            tier_id="tie_1",
            started_at=START,
        )
        self.store.tables["enrollments"][user_id, row.id] = row

    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None:
        rows = self.store.tables["enrollments"]
        key = user_id, f"enr_{user_id}_{package_id}"
        rows[key] = replace(rows[key], ended_at=START, end_reason=EnrollmentEnd.CANCELLED)


@dataclass(slots=True)
class PostgresWorld(World):
    """Practice on a cloned database."""

    cloned: ClonedDatabase
    transact: Transaction[PracticeWork]

    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None:
        """Into one bank per package, which is made with the first question."""
        bank_id = f"qbk_{package_id.removeprefix('pkg_')}"
        with self.cloned.administration() as connection:
            connection.execute(_PACKAGE_SQL, {"package_id": package_id, "bank_id": bank_id, "slug": package_id[4:]})
            with connection.cursor() as cursor:
                topics = {offer.topic_id for offer in questions if offer.topic_id}
                cursor.executemany(_TOPIC_SQL, [{"id": topic, "bank_id": bank_id} for topic in topics])
                cursor.executemany(_QUESTION_SQL, [_question_row(offer, bank_id) for offer in questions])
                cursor.executemany(_VERSION_SQL, [_question_row(offer, bank_id) for offer in questions])

    def enroll(self, user_id: str, package_id: str = PACKAGE) -> None:
        with self.cloned.administration() as connection:
            params = {"user_id": user_id, "package_id": package_id, "slug": package_id[4:]}
            connection.execute(_PACKAGE_SQL, params | {"bank_id": f"qbk_{package_id.removeprefix('pkg_')}"})
            connection.execute(_USER_SQL, params)
            connection.execute(_ENROLLMENT_SQL, params | {"id": f"enr_{user_id}_{package_id}", "at": START})

    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None:
        with self.cloned.administration() as connection:
            connection.execute(_END_SQL, {"user_id": user_id, "package_id": package_id})


def _question_row(offer: Offer, bank_id: str) -> dict[str, object]:
    return {
        "id": offer.id,
        "bank_id": bank_id,
        "topic_id": offer.topic_id,
        "difficulty_id": offer.difficulty_id,
        "kind": offer.kind.value,
        "stem": offer.public.stem,
        "choices": msgspec.json.encode(offer.public.choices).decode(),
        "prompts": msgspec.json.encode(offer.public.prompts).decode(),
        "answer_key": msgspec.json.encode(offer.key).decode(),
        "points": offer.points,
        "shuffle": offer.shuffle,
    }


_PACKAGE_SQL = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values (%(package_id)s, %(slug)s, %(slug)s, 'visible', 75, now(), now()) on conflict do nothing
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default)
    values ('tie_' || %(slug)s::text, %(package_id)s, 'Standard', true) on conflict do nothing
), bank as (
    insert into question_banks (id, slug, title, created_at, updated_at)
    values (%(bank_id)s, %(slug)s, %(slug)s, now(), now()) on conflict do nothing
)
insert into exam_package_banks (exam_package_id, question_bank_id) values (%(package_id)s, %(bank_id)s)
on conflict do nothing
"""
_TOPIC_SQL = """
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(id)s, now(), now()) on conflict do nothing
"""
_QUESTION_SQL = """
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(id)s, 1, 1, 'published', %(topic_id)s, %(difficulty_id)s, now(), now())
"""
_VERSION_SQL = """
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, prompts, answer_key,
                               topic_id, difficulty_id, points, shuffle, content_hash, created_at, updated_at)
values (%(id)s, 1, 'published', %(kind)s, %(stem)s, 'plain', %(choices)s, %(prompts)s, %(answer_key)s,
        %(topic_id)s, %(difficulty_id)s, %(points)s, %(shuffle)s, sha256('x'), now(), now())
"""
_USER_SQL = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%(user_id)s, %(user_id)s || '@example.org', 'student', 'x', now(), now()) on conflict do nothing
"""
_ENROLLMENT_SQL = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
values (%(user_id)s, %(id)s, %(package_id)s, 'tie_' || %(slug)s::text, 'active', %(at)s)
"""
_END_SQL = """
update enrollments set status = 'ended', ended_at = started_at, end_reason = 'cancelled'
 where user_id = %(user_id)s and exam_package_id = %(package_id)s and status = 'active'
"""
