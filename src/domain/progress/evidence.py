"""What a student's answers say about each topic of a package: recent ones more than old ones, repeated ones less."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from domain.enrollment.settings import PackageSettings
from domain.question_bank.blueprints import Blueprint

HALF_LIFE_DAYS = 45
EXPOSURE_WINDOW = timedelta(days=30)
MOST_ANSWERS = 5_000
"""So many of a student's answers are looked at, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """An answer that may be judged: how much of its mark was earned, from 0 (also where the mark is below) to 1.

    `topic_id` is that of the question when it was asked; None: it had none.
    """

    question_id: str
    topic_id: str | None
    fraction: float
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """How all students did: `earned` is the sum of the fractions of `responses` answers."""

    responses: int = 0
    earned: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTopic:
    """A topic of a package's visible banks. The questions that have none stand together under None."""

    id: str | None
    name: str | None = None
    published: int = 0
    facility: Facility = Facility()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageEvidence:
    """All that estimates of a student in a package are made from. `enrolled`: now or once; `at`: as of when.

    `answers` are the newest judged ones on questions of the package's visible banks, in whatever session they were
    given. `pass_mark` is a percentage.
    """

    at: datetime
    visible: bool
    enrolled: bool
    pass_mark: Decimal
    settings: PackageSettings = field(default_factory=PackageSettings)
    blueprint: Blueprint | None = None
    topics: tuple[PackageTopic, ...] = ()
    answers: tuple[JudgedAnswer, ...] = ()


@dataclass(slots=True, kw_only=True)
class TopicEvidence:
    """Sums over a student's answers in a topic: how many, Σf, Σw (the effective number of answers) and Σw·f."""

    answers: int = 0
    total: float = 0.0
    effective: float = 0.0
    earned: float = 0.0


NO_EVIDENCE = TopicEvidence()


def fraction(mark: Decimal, max_mark: Decimal) -> float:
    """How much of its mark an answer earned; less than nothing is nothing."""
    return min(1.0, max(0.0, float(mark / max_mark))) if max_mark > 0 else 0.0


def weight(age: timedelta, exposures: int) -> float:
    """w = 0.5^(age / 45 days) · 0.5^k, for an answer to a question that was answered k times in the 30 days before.

    The age counts in whole days: what was answered within a day has its full weight.
    """
    return float(0.5 ** (max(age.days, 0) / HALF_LIFE_DAYS + exposures))


def gather(answers: Iterable[JudgedAnswer], at: datetime) -> Mapping[str | None, TopicEvidence]:
    """The evidence by topic. The order in which the answers come makes no difference."""
    gathered: defaultdict[str | None, TopicEvidence] = defaultdict(TopicEvidence)
    recent: defaultdict[str, deque[datetime]] = defaultdict(deque)
    for answer in sorted(answers, key=_order):
        earlier = recent[answer.question_id]
        while earlier and answer.answered_at - earlier[0] > EXPOSURE_WINDOW:
            earlier.popleft()
        weighed = weight(at - answer.answered_at, len(earlier))
        earlier.append(answer.answered_at)
        topic = gathered[answer.topic_id]
        topic.answers += 1
        topic.total += answer.fraction
        topic.effective += weighed
        topic.earned += weighed * answer.fraction
    return gathered


def _order(answer: JudgedAnswer) -> tuple[datetime, str, float, str]:
    """Total but for answers that are equal."""
    return answer.answered_at, answer.question_id, answer.fraction, answer.topic_id or ""
