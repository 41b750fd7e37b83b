"""What a student asks to practise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import FieldProblem, InvalidInput
from domain.practice.judging import FeedbackMode
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.scoring import ScoringPolicy

MAX_QUESTIONS = 200
DEFAULT_QUESTIONS = 10
MAX_FILTER_VALUES = 50
MAX_TIME_LIMIT_SECONDS = 24 * 3600


class Source(StrEnum):
    """Which of the questions that match are drawn from."""

    ALL = "all"
    UNSEEN = "unseen"
    INCORRECT = "incorrect"
    FLAGGED = "flagged"
    WEAK = "weak"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReference:
    """A version of a template; versions never change."""

    id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FromTemplate:
    """A student wants what a template says. A package that is named as well has to be that of the template."""

    template_id: str
    exam_package_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which of the questions of a source: of these topics, difficulties and kinds; nothing is no restriction. Equal
    filters are equal values.
    """

    topic_ids: tuple[str, ...] = ()
    difficulty_ids: tuple[str, ...] = ()
    kinds: tuple[QuestionKind, ...] = ()

    @classmethod
    def of(cls, topic_ids: Iterable[str], difficulty_ids: Iterable[str], kinds: Iterable[QuestionKind]) -> Filter:
        return cls(
            topic_ids=tuple(sorted(set(topic_ids))),
            difficulty_ids=tuple(sorted(set(difficulty_ids))),
            kinds=tuple(sorted(set(kinds))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePlan:
    """A package, a filter (empty = no restriction), how many questions, when they are judged and how, and for how long.

    Without a `policy` answers are marked as the package says. `template` is what the plan was taken from.
    """

    exam_package_id: str
    topic_ids: tuple[str, ...] = ()
    difficulty_ids: tuple[str, ...] = ()
    kinds: tuple[QuestionKind, ...] = ()
    count: int = DEFAULT_QUESTIONS
    source: Source = Source.ALL
    feedback: FeedbackMode = FeedbackMode.IMMEDIATE
    certainty: bool = False
    time_limit_seconds: int | None = None
    policy: ScoringPolicy | None = None
    template: TemplateReference | None = None

    @property
    def filter(self) -> Filter:
        return Filter.of(self.topic_ids, self.difficulty_ids, self.kinds)


def refuse_unsound(plan: PracticePlan) -> None:
    """Every number of a plan lies within its bounds, and a filter names a bounded number of values."""
    limit = plan.time_limit_seconds
    broken = {
        "/count": (1 <= plan.count <= MAX_QUESTIONS, f"1 to {MAX_QUESTIONS} questions"),
        "/topicIds": (len(plan.topic_ids) <= MAX_FILTER_VALUES, f"at most {MAX_FILTER_VALUES} topics"),
        "/difficultyIds": (len(plan.difficulty_ids) <= MAX_FILTER_VALUES, f"at most {MAX_FILTER_VALUES} difficulties"),
        "/timeLimitSeconds": (
            limit is None or 1 <= limit <= MAX_TIME_LIMIT_SECONDS,
            f"1 to {MAX_TIME_LIMIT_SECONDS} seconds",
        ),
    }
    problems = tuple(
        FieldProblem(pointer=pointer, code="out_of_range", message=f"A session takes {bounds}.")
        for pointer, (sound, bounds) in broken.items()
        if not sound
    )
    if problems:
        raise InvalidInput(problems=problems)
