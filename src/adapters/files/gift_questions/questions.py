"""From the parts of a GIFT question to the canonical one, or to the name of its type where it is none of choices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.files.decimal_text import share_of
from adapters.files.gift_questions.anatomy import Anatomy, Part, parts_of, split_feedback
from adapters.files.gift_questions.marks import Mark, judge
from adapters.files.gift_questions.syntax import read_text
from adapters.files.markup import Markup
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    TextFormat,
    derived_external_id,
    unsigned_zero,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "gift"
TRUE_FALSE: Final = ("True", "False")
_TRUTH: Final = re.compile(r"(?:T|TRUE|F|FALSE)\s*(?:#|\Z)", re.IGNORECASE)
_PERCENT: Final = re.compile(r"\s*%(-?[0-9]{1,3}(?:\.[0-9]{1,12})?)%")
_ARROW: Final = "->"
_MOST_PARTS: Final = len(CHOICE_KEYS) + 1
"""One more than a question may have, so that the examination sees that there are too many."""


class Malformed(Exception):
    """The answers are of a known type and cannot be read; the code says why."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A question of a type that the bank does not take from files, by Moodle's name of it."""

    type: str


def read_question(
    anatomy: Anatomy, markup: Markup, *, domain: str, bank: str, origin: Origin
) -> ImportedQuestion | Unsupported:
    """The question, if it is one of choices; refuses answers that mean nothing (`Malformed`)."""
    answers = anatomy.answers
    if answers is None:
        return Unsupported(type="description")
    stem = read_text(anatomy.stem, markup)
    text = answers.strip()
    if _TRUTH.match(text):
        kind, choices = QuestionKind.TRUE_FALSE, _true_false(text, stem.format, markup)
    else:
        parts = parts_of(text, _MOST_PARTS)
        if type_ := _type_without_choices(text, parts):
            return Unsupported(type=type_)
        kind, choices = _choices(parts, stem.format, markup, unweighted=anatomy.is_unweighted)
    return ImportedQuestion(
        external_id=anatomy.external_id or derived_external_id(stem.text, [choice.text.text for choice in choices]),
        bank=bank,
        domain=domain,
        difficulty=None,
        kind=kind,
        stem=stem,
        choices=choices,
        explanation=_optional(anatomy.general_feedback, stem.format, markup),
        tags=anatomy.tags,
        points=Decimal(1),
        shuffle=True,
        origin=origin,
    )


def _type_without_choices(text: str, parts: list[Part]) -> str | None:
    """Moodle's name for answers that are no choices. Choices there are when at least one is marked with `~`."""
    if not text:
        return "essay"
    if text.startswith("#"):
        return "numerical"
    if not parts:
        return "shortanswer"
    if text[0] not in "=~":
        raise Malformed("bad_answers", "Text stands before the first = or ~ of the answers.", "option-a")
    if any(part.sign == "~" for part in parts):
        return None
    return "matching" if all(_ARROW in part.text for part in parts) else "shortanswer"


def _choices(
    parts: list[Part], format_: TextFormat, markup: Markup, *, unweighted: bool
) -> tuple[QuestionKind, tuple[ImportedChoice, ...]]:
    marks, texts = [], []
    for number, part in enumerate(parts):
        weight, text = _weighted(part.text)
        field = f"option-{CHOICE_KEYS[number % len(CHOICE_KEYS)].lower()}"
        if weight is not None and abs(weight) > 1:
            raise Malformed("bad_weight", "A percentage lies between -100 and 100.", field)
        if not text:
            message = "The option has no text: a # that belongs to it is written \\#." if part.feedback else "No text."
            raise Malformed("missing_option_text", message, field)
        marks.append(Mark(is_right=part.sign == "=", weight=weight))
        texts.append(read_text(text, markup, format_))
    verdict = judge(marks, unweighted=unweighted)
    return verdict.kind, tuple(
        ImportedChoice(
            key=CHOICE_KEYS[number % len(CHOICE_KEYS)],
            text=text,
            correct=verdict.correct[number],
            weight=verdict.weights[number],
            explanation=_optional(parts[number].feedback, format_, markup),
        )
        for number, text in enumerate(texts)
    )


def _true_false(text: str, format_: TextFormat, markup: Markup) -> tuple[ImportedChoice, ...]:
    word, wrong, right = split_feedback(text)
    is_true = word[0] in "Tt"
    return tuple(
        ImportedChoice(
            key=key,
            text=FormattedText(text=said),
            correct=correct,
            explanation=_optional(right if correct else wrong, format_, markup),
        )
        for key, said, correct in zip(CHOICE_KEYS, TRUE_FALSE, (is_true, not is_true), strict=False)
    )


def _weighted(text: str) -> tuple[Decimal | None, str]:
    if found := _PERCENT.match(text):
        return unsigned_zero(share_of(found[1])), text[found.end() :].strip()
    return None, text


def _optional(raw: str, format_: TextFormat, markup: Markup) -> FormattedText | None:
    text = read_text(raw, markup, format_)
    return text if text.text else None
