"""Practice for tests: questions on offer, worlds to practise in (in memory, on PostgreSQL), and sessions as values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from adapters.memory.practice.answering import NoQuickAnswers
from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.practice.sessions import MemoryPracticeWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from application.ports import Clock, Transaction
from application.practice.ports.answering import QuickAnswers
from application.practice.ports.sessions import PracticeWork
from domain.auth.people import Actor, Role
from domain.enrollment.enrolling import Enrollment, EnrollmentEnd
from domain.enrollment.packages import ExamPackage, Tier, Visibility
from domain.enrollment.settings import PackageSettings
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.practice.templates import PracticeTemplate, TemplateVersion
from domain.question_bank.imported import FormattedText, NumericBand
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, Choice, KeyedQuestion, PublicQuestion
from domain.question_bank.scoring import ScoringPolicy
from tests.support import practice_rows as rows
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
    quick: QuickAnswers

    @abstractmethod
    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None: ...

    @abstractmethod
    def withdraw(self, question_id: str, package_id: str = PACKAGE) -> None:
        """The question is archived."""

    @abstractmethod
    def enroll(self, user_id: str, package_id: str = PACKAGE, *, expires_at: datetime | None = None) -> None: ...

    @abstractmethod
    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None: ...

    @abstractmethod
    def allow(self, weekly: int | None, package_id: str = PACKAGE) -> None:
        """The tier has so many sessions in seven days."""

    @abstractmethod
    def mark_by(self, scoring: ScoringPolicy, package_id: str = PACKAGE) -> None:
        """What the package says about marks."""

    @abstractmethod
    def flag(self, user_id: str, question_id: str) -> None: ...

    @abstractmethod
    def publish(self, template: TemplateVersion) -> None: ...


@dataclass(slots=True)
class MemoryWorld(World):
    """Practice on dictionaries."""

    clock: Clock
    store: MemoryStore = field(default_factory=MemoryStore)
    transact: Transaction[PracticeWork] = field(init=False)
    quick: QuickAnswers = field(default_factory=NoQuickAnswers)

    def __post_init__(self) -> None:
        self.transact = MemoryTransaction(self.store, MemoryPracticeWork, self.clock)

    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None:
        self._change(package_id)
        for offer in questions:
            self.store.tables["published_questions"][package_id, offer.id] = PublishedQuestion(
                question=offer.public, key=offer.key, topic_id=offer.topic_id, difficulty_id=offer.difficulty_id
            )

    def withdraw(self, question_id: str, package_id: str = PACKAGE) -> None:
        del self.store.tables["published_questions"][package_id, question_id]

    def enroll(self, user_id: str, package_id: str = PACKAGE, *, expires_at: datetime | None = None) -> None:
        self._change(package_id)
        row = Enrollment(
            id=f"enr_{user_id}_{package_id}",
            user_id=user_id,
            exam_package_id=package_id,
            tier_id=f"tie_{package_id[4:]}",
            started_at=START,
            expires_at=expires_at,
        )
        self.store.tables["enrollments"][user_id, row.id] = row

    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None:
        enrolled = self.store.tables["enrollments"]
        key = user_id, f"enr_{user_id}_{package_id}"
        enrolled[key] = replace(enrolled[key], ended_at=START, end_reason=EnrollmentEnd.CANCELLED)

    def allow(self, weekly: int | None, package_id: str = PACKAGE) -> None:
        tiers = self._change(package_id).tiers
        self._change(package_id, tiers=tuple(replace(tier, weekly_practice_sessions=weekly) for tier in tiers))

    def mark_by(self, scoring: ScoringPolicy, package_id: str = PACKAGE) -> None:
        self._change(package_id, settings=PackageSettings(scoring=scoring))

    def flag(self, user_id: str, question_id: str) -> None:
        self.store.tables["flagged_questions"][user_id, question_id] = self.clock.now()

    def publish(self, template: TemplateVersion) -> None:
        self.store.tables["practice_template_versions"][template.template_id, template.version] = template
        self.store.tables["practice_templates"][template.template_id] = PracticeTemplate(
            id=template.template_id,
            exam_package_id=template.exam_package_id,
            author_id=None,
            title=template.title,
            description=template.description,
            settings=template.settings,
            latest_version=template.version,
            published_version=template.version,
            created_at=template.published_at,
            updated_at=template.published_at,
        )

    def _change(self, package_id: str, **changes: object) -> ExamPackage:
        packages: dict[tuple[str], ExamPackage] = self.store.tables["exam_packages"]
        package = replace(packages.get((package_id,)) or _package(package_id), **changes)  # type: ignore[arg-type]
        packages[package_id,] = package
        return package


def _package(package_id: str) -> ExamPackage:
    slug = package_id.removeprefix("pkg_")
    return ExamPackage(
        id=package_id,
        slug=slug,
        title=slug,
        description="",
        visibility=Visibility.VISIBLE,
        pass_mark=Decimal(75),
        duration_seconds=None,
        version=1,
        tiers=(Tier(id=f"tie_{slug}", name="Standard", is_default=True, self_service=True, active=True),),
    )


@dataclass(slots=True)
class PostgresWorld(World):
    """Practice on a cloned database."""

    cloned: ClonedDatabase
    transact: Transaction[PracticeWork]
    quick: QuickAnswers = field(default_factory=NoQuickAnswers)

    def offer(self, questions: Sequence[Offer], package_id: str = PACKAGE) -> None:
        """Into one bank per package, which is made with the first question."""
        bank_id = f"qbk_{package_id.removeprefix('pkg_')}"
        with self.cloned.administration() as connection:
            connection.execute(rows.PACKAGE, {"package_id": package_id, "bank_id": bank_id, "slug": package_id[4:]})
            with connection.cursor() as cursor:
                topics = {offer.topic_id for offer in questions if offer.topic_id}
                cursor.executemany(rows.TOPIC, [{"id": topic, "bank_id": bank_id} for topic in topics])
                cursor.executemany(rows.QUESTION, [_question_row(offer, bank_id) for offer in questions])
                cursor.executemany(rows.VERSION, [_question_row(offer, bank_id) for offer in questions])

    def withdraw(self, question_id: str, package_id: str = PACKAGE) -> None:
        self._run(rows.WITHDRAW, question_id=question_id)

    def enroll(self, user_id: str, package_id: str = PACKAGE, *, expires_at: datetime | None = None) -> None:
        named = {"user_id": user_id, "package_id": package_id, "slug": package_id[4:]}
        self._run(rows.PACKAGE, **named, bank_id=f"qbk_{package_id.removeprefix('pkg_')}")
        self._run(rows.USER, **named)
        self._run(rows.ENROLLMENT, **named, id=f"enr_{user_id}_{package_id}", at=START, expires_at=expires_at)

    def end_enrollment(self, user_id: str, package_id: str = PACKAGE) -> None:
        self._run(rows.END, user_id=user_id, package_id=package_id)

    def allow(self, weekly: int | None, package_id: str = PACKAGE) -> None:
        self._run(rows.WEEK, weekly=weekly, package_id=package_id)

    def mark_by(self, scoring: ScoringPolicy, package_id: str = PACKAGE) -> None:
        self._run(rows.SETTINGS, settings=_json(PackageSettings(scoring=scoring)), package_id=package_id)

    def flag(self, user_id: str, question_id: str) -> None:
        self._run(rows.FLAG, user_id=user_id, question_id=question_id, at=START)

    def publish(self, template: TemplateVersion) -> None:
        row = {each.name: getattr(template, each.name) for each in fields(template)}
        self._run(rows.TEMPLATE, **row | {"settings": _json(template.settings)})

    def _run(self, statement: str, **params: object) -> None:
        with self.cloned.administration() as connection:
            connection.execute(statement.encode(), params)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


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
