"""The lines of the format, field by field, and their way to and from the canonical question."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct

from adapters.files.decimal_text import spelled
from adapters.files.markup import Markup
from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    NumericBand,
    Origin,
    Prompt,
    TextFormat,
    derived_external_id,
    normalized_id,
    unsigned_zero,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "jsonl"
NAME: Final = "ace-questions"
VERSION: Final = 1

# Numbers are text, so that no reader makes binary fractions of them; exponents and endless digits are kept out.
Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,40}(\.[0-9]{1,40})?\Z")]
Key = Annotated[str, Meta(pattern=r"^[A-Z]\Z")]


class Header(Struct, frozen=True):
    """The first line. What else it says is for people."""

    format: str
    version: int


class _Line(Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A part of a question: a field that is not known is refused, one that says the usual is left out."""


class Text(_Line):
    text: str
    format: TextFormat = TextFormat.PLAIN


class ChoiceLine(_Line):
    key: Key
    text: Text
    correct: bool = False
    weight: Number | None = None
    explanation: Text | None = None
    pinned: bool = False


class BandLine(_Line):
    answer: Number
    tol_abs: Number = "0"
    tol_rel: Number = "0"
    fraction: Number = "1"


class PromptLine(_Line):
    text: Text
    choice: Key


class QuestionLine(_Line):
    kind: QuestionKind
    stem: Text
    external_id: str = ""
    domain: str = ""
    difficulty: str | None = None
    choices: tuple[ChoiceLine, ...] = ()
    bands: tuple[BandLine, ...] = ()
    accepted: tuple[str, ...] = ()
    prompts: tuple[PromptLine, ...] = ()
    explanation: Text | None = None
    tags: tuple[str, ...] = ()
    points: Number = "1"
    shuffle: bool = True


def line_of(question: ImportedQuestion) -> QuestionLine:
    """What the format says of a question: all but its bank and its origin."""
    return QuestionLine(
        kind=question.kind,
        stem=_line_text(question.stem),
        external_id=question.external_id,
        domain=question.domain,
        difficulty=question.difficulty,
        choices=tuple(map(_choice_line, question.choices)),
        bands=tuple(
            BandLine(
                answer=spelled(band.answer),
                tol_abs=spelled(band.tol_abs),
                tol_rel=spelled(band.tol_rel),
                fraction=spelled(band.fraction),
            )
            for band in question.bands
        ),
        accepted=question.accepted,
        prompts=tuple(PromptLine(text=_line_text(each.text), choice=each.choice) for each in question.prompts),
        explanation=_optional_line_text(question.explanation),
        tags=question.tags,
        points=spelled(question.points),
        shuffle=question.shuffle,
    )


def question_of(line: QuestionLine, markup: Markup, *, bank: str, origin: Origin) -> ImportedQuestion:
    """The question that a line states, its markup cleaned; one without an id is known by its stem and its choices."""
    return ImportedQuestion(
        external_id=normalized_id(line.external_id) or _derived_id(line),
        bank=bank,
        domain=line.domain,
        difficulty=line.difficulty,
        kind=line.kind,
        stem=_text(line.stem, markup),
        choices=tuple(_choice(choice, markup) for choice in line.choices),
        explanation=_optional_text(line.explanation, markup),
        tags=line.tags,
        points=Decimal(line.points),
        shuffle=line.shuffle,
        bands=tuple(
            NumericBand(
                answer=_number(band.answer),
                tol_abs=_number(band.tol_abs),
                tol_rel=_number(band.tol_rel),
                fraction=Decimal(band.fraction),
            )
            for band in line.bands
        ),
        accepted=line.accepted,
        prompts=tuple(Prompt(text=_text(each.text, markup), choice=each.choice) for each in line.prompts),
        origin=origin,
    )


def _derived_id(line: QuestionLine) -> str:
    texts: Iterable[Text] = (*(choice.text for choice in line.choices), *(prompt.text for prompt in line.prompts))
    return derived_external_id(line.stem.text, [text.text for text in texts])


def _choice_line(choice: ImportedChoice) -> ChoiceLine:
    return ChoiceLine(
        key=choice.key,
        text=_line_text(choice.text),
        correct=choice.correct,
        weight=None if choice.weight is None else spelled(choice.weight),
        explanation=_optional_line_text(choice.explanation),
        pinned=choice.pinned,
    )


def _choice(line: ChoiceLine, markup: Markup) -> ImportedChoice:
    return ImportedChoice(
        key=line.key,
        text=_text(line.text, markup),
        correct=line.correct,
        weight=None if line.weight is None else _number(line.weight),
        explanation=_optional_text(line.explanation, markup),
        pinned=line.pinned,
    )


def _number(text: str) -> Decimal:
    return unsigned_zero(Decimal(text))


def _line_text(text: FormattedText) -> Text:
    return Text(text=text.text, format=text.format)


def _optional_line_text(text: FormattedText | None) -> Text | None:
    return None if text is None else _line_text(text)


def _text(text: Text, markup: Markup) -> FormattedText:
    said = markup.clean(text.text) if text.format is TextFormat.HTML else text.text
    return FormattedText(text=said, format=text.format)


def _optional_text(text: Text | None, markup: Markup) -> FormattedText | None:
    return None if text is None else _text(text, markup)
