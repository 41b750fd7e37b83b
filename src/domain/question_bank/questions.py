"""What a student may see of a question, what only its rule may reveal, and what an answer is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from domain.errors import DomainError, FieldProblem, Kind
from domain.question_bank.imported import FormattedText, NumericBand, TextFormat
from domain.question_bank.kinds import QuestionKind

_ONE_CHOICE = frozenset({QuestionKind.SINGLE, QuestionKind.TRUE_FALSE})


class AnswerInvalid(DomainError):
    """The answer does not fit its question: a choice that is not there, too many choices, or none at all."""

    code = "answer.invalid"
    kind = Kind.INVALID
    title = "The answer does not fit the question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option as a student sees it; `id` is its letter in the version, whatever place it is shown at."""

    id: str
    text: str
    format: TextFormat = TextFormat.PLAIN
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicQuestion:
    """A published version without its key: everything in here may be sent to whoever is answering it."""

    question_id: str
    version: int
    kind: QuestionKind
    stem: str
    stem_format: TextFormat = TextFormat.PLAIN
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...] = ()
    max_mark: Decimal = Decimal(1)
    shuffle: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """What is right and why. `weights` are fractions of the full mark in −1..1, per choice.

    Of a `multiple` question a right choice weighs at least nothing and a wrong one at most nothing. `correct` names the
    choices of an `ordering` question in their right order; `bands` belong to `numeric`, `accepted` to `short_text`,
    and `pairs` (prompt → choice) to `matching`.
    """

    correct: tuple[str, ...] = ()
    bands: tuple[NumericBand, ...] = ()
    accepted: tuple[str, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Decimal] | None = None
    explanations: Mapping[str, FormattedText] = field(default_factory=dict)
    explanation: FormattedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedQuestion:
    """All that scoring needs to know of a version: its kind, the ids of its choices and prompts, and its key."""

    kind: QuestionKind
    choice_ids: tuple[str, ...]
    prompt_ids: tuple[str, ...] = ()
    key: AnswerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was answered. Choices are kept sorted and once each, so that equal answers are equal values.

    `order` names the choices of an `ordering` question from first to last; `pairs` holds (prompt, choice), sorted.
    """

    choice_ids: tuple[str, ...] = ()
    numeric_value: Decimal | None = None
    text: str | None = None
    order: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def choosing(cls, choice_ids: Iterable[str]) -> Response:
        return cls(choice_ids=tuple(sorted(set(choice_ids))))


def refuse_unfit(question: KeyedQuestion, response: Response) -> None:
    """A given answer names at least one choice, only choices of the question, and one only where one is asked for."""
    chosen = response.choice_ids
    if not chosen:
        raise _unfit("required", "Choose at least one option; a question is skipped by not answering it.")
    unknown = [choice for choice in chosen if choice not in question.choice_ids]
    if unknown:
        raise _unfit("unknown_choice", f"The question has no option {unknown[0][:64]}.")
    if question.kind in _ONE_CHOICE and len(chosen) > 1:
        raise _unfit("too_many_choices", "The question takes exactly one option.")


def _unfit(code: str, message: str) -> AnswerInvalid:
    return AnswerInvalid(message, problems=(FieldProblem(pointer="/choiceIds", code=code, message=message),))
