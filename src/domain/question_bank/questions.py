"""What a student may see of a question, what only its rule may reveal, and what an answer is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from domain.errors import DomainError, FieldProblem, Kind
from domain.question_bank.imported import FormattedText, NumericBand, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.numeric import NumberFault, read_number
from domain.question_bank.wording import LONGEST_ANSWER, as_written

_ONE_CHOICE = frozenset({QuestionKind.SINGLE, QuestionKind.TRUE_FALSE})


class AnswerInvalid(DomainError):
    """The answer does not fit its question: not what it asks for, a choice that it lacks, no number, or nothing."""

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


class Answerable(Protocol):
    """What must be known of a version to tell whether an answer fits it: its kind and its names, not its key."""

    @property
    def kind(self) -> QuestionKind: ...

    @property
    def choice_ids(self) -> tuple[str, ...]: ...

    @property
    def prompt_ids(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedQuestion:
    """All that scoring needs to know of a version: its kind, the ids of its choices and prompts, and its key."""

    kind: QuestionKind
    choice_ids: tuple[str, ...]
    prompt_ids: tuple[str, ...] = ()
    key: AnswerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was answered, in one spelling, so that equal answers are equal values.

    Choices are kept sorted and once each; `order` names the choices of an `ordering` question from first to last;
    `pairs` holds (prompt, choice), sorted. The named constructors see to all that.
    """

    choice_ids: tuple[str, ...] = ()
    numeric_value: Decimal | None = None
    text: str | None = None
    order: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def choosing(cls, choice_ids: Iterable[str]) -> Response:
        return cls(choice_ids=tuple(sorted(set(choice_ids))))

    @classmethod
    def counting(cls, number: str) -> Response:
        """Refuses what `read_number` does not take for a number."""
        read = read_number(number)
        if isinstance(read, NumberFault):
            raise _invalid(FieldProblem("/numericValue", read.code, read.message))
        return cls(numeric_value=read)

    @classmethod
    def writing(cls, text: str) -> Response:
        """Nothing but blanks is no answer."""
        if len(text) > LONGEST_ANSWER:
            message = f"An answer has at most {LONGEST_ANSWER} characters."
            raise _invalid(FieldProblem("/text", "too_long", message))
        return cls(text=as_written(text) or None)

    @classmethod
    def arranging(cls, choice_ids: Iterable[str]) -> Response:
        return cls(order=tuple(choice_ids))

    @classmethod
    def matching(cls, pairs: Mapping[str, str]) -> Response:
        return cls(pairs=tuple(sorted(pairs.items())))

    @property
    def is_blank(self) -> bool:
        return self == _BLANK

    @property
    def matched(self) -> Mapping[str, str]:
        """The pairs, by prompt."""
        return dict(self.pairs)

    def renamed(self, names: Mapping[str, str]) -> Response:
        """The same answer with its choices under other names; a name that is not listed stays."""
        return Response(
            choice_ids=tuple(sorted([names.get(choice, choice) for choice in self.choice_ids])),
            numeric_value=self.numeric_value,
            text=self.text,
            order=tuple([names.get(choice, choice) for choice in self.order]),
            pairs=tuple([(prompt, names.get(choice, choice)) for prompt, choice in self.pairs]),
        )


_BLANK = Response()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a kind of question asks for: the field of the answer, and how to say that it is missing."""

    field: str
    pointer: str
    request: str


_CHOICES = _Asked("choice_ids", "/choiceIds", "Choose at least one option")
_ASKED: Mapping[QuestionKind, _Asked] = {
    QuestionKind.SINGLE: _CHOICES,
    QuestionKind.MULTIPLE: _CHOICES,
    QuestionKind.TRUE_FALSE: _CHOICES,
    QuestionKind.NUMERIC: _Asked("numeric_value", "/numericValue", "Give a number"),
    QuestionKind.SHORT_TEXT: _Asked("text", "/text", "Write an answer"),
    QuestionKind.MATCHING: _Asked("pairs", "/pairs", "Match at least one prompt"),
    QuestionKind.ORDERING: _Asked("order", "/order", "Put the options in order"),
}
_ALL_ASKED = tuple(dict.fromkeys(_ASKED.values()))


def refuse_unfit(question: Answerable, response: Response) -> None:
    """An answer gives what its kind of question asks for and nothing else, and names only what the question has.

    One choice where one is asked for, at least one where several are; an order has every choice once; of the prompts
    of a matching question some may be left open.
    """
    if question.kind in _ONE_CHOICE and _is_one_of(question.choice_ids, response):
        return
    problems = (
        tuple(_misplaced(question, response))
        or tuple(_strangers(question, response))
        or _miscounted(question, response)
    )
    if problems:
        raise _invalid(*problems)


def _is_one_of(choice_ids: tuple[str, ...], response: Response) -> bool:
    """Whether one of these choices was chosen and nothing else was said, as in most answers."""
    said_more = response.numeric_value is not None or response.text is not None or response.order or response.pairs
    return not said_more and len(response.choice_ids) == 1 and response.choice_ids[0] in choice_ids


def _misplaced(question: Answerable, response: Response) -> Iterator[FieldProblem]:
    """What was given and not asked for, and what was asked for and not given."""
    asked = _ASKED[question.kind]
    for other in _ALL_ASKED:
        if other is not asked and _gives(response, other):
            yield FieldProblem(other.pointer, "not_asked", f"The question is answered in {asked.pointer[1:]}.")
    if not _gives(response, asked):
        message = f"{asked.request}; a question is skipped by not answering it."
        yield FieldProblem(asked.pointer, "required", message)


def _gives(response: Response, asked: _Asked) -> bool:
    return getattr(response, asked.field) not in (None, ())


def _strangers(question: Answerable, response: Response) -> Iterator[FieldProblem]:
    """The first name in each field that the question does not know."""
    matched = tuple(choice for _, choice in response.pairs)
    for pointer, choices in (("/choiceIds", response.choice_ids), ("/order", response.order), ("/pairs", matched)):
        unknown = next((choice for choice in choices if choice not in question.choice_ids), None)
        if unknown is not None:
            yield FieldProblem(pointer, "unknown_choice", f"The question has no option {unknown[:64]}.")
    unasked = next((prompt for prompt, _ in response.pairs if prompt not in question.prompt_ids), None)
    if unasked is not None:
        yield FieldProblem("/pairs", "unknown_prompt", f"The question has no prompt {unasked[:64]}.")


def _miscounted(question: Answerable, response: Response) -> tuple[FieldProblem, ...]:
    if question.kind in _ONE_CHOICE and len(response.choice_ids) > 1:
        return (FieldProblem("/choiceIds", "too_many_choices", "The question takes exactly one option."),)
    if response.order and sorted(response.order) != sorted(question.choice_ids):
        return (FieldProblem("/order", "not_an_order", "An order names every option of the question once."),)
    return ()


def _invalid(*problems: FieldProblem) -> AnswerInvalid:
    return AnswerInvalid(problems[0].message, problems=problems)
