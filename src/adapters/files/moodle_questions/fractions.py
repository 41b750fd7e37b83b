"""What is right in a Moodle question, told by the fraction of the mark that each answer earns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.files.decimal_text import share_of
from adapters.files.whole_shares import whole_shares
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.kinds import QuestionKind

_PERCENT: Final = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?")
_PLACES: Final = Decimal("0.0000001")
"""Moodle keeps percentages with five decimal places."""
_ALL, _NOTHING = Decimal(1), Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """For every answer whether it is correct, and what it weighs where the kind of the question does not tell."""

    correct: tuple[bool, ...]
    weights: tuple[Decimal | None, ...]
    is_ambiguous: bool = False


def read_percent(text: str) -> Decimal | None:
    """The fraction (−1..1) of a percentage; None for what is none."""
    if not _PERCENT.fullmatch(text):
        return None
    fraction = share_of(text)
    return fraction if -1 <= fraction <= 1 else None


def key_of_one(fractions: Sequence[Decimal]) -> Key:
    """One answer may be chosen: correct is the first of those that earn most; partial credit stays in the weights."""
    best = max(fractions, default=_NOTHING)
    place = fractions.index(best) if best > 0 else -1
    correct = tuple(index == place for index in range(len(fractions)))
    if all(fraction == int(right) for fraction, right in zip(fractions, correct, strict=True)):
        return Key(correct=correct, weights=(None,) * len(fractions))
    return Key(correct=correct, weights=tuple(fractions), is_ambiguous=best > 0 and fractions.count(best) > 1)


def key_of_several(fractions: Sequence[Decimal], *, unweighted: bool) -> Key:
    """Several answers may be chosen: correct is each that earns something, and all together earn the whole mark.

    `unweighted` are questions whose fractions were only written because Moodle needs them.
    """
    weights = (None,) * len(fractions) if unweighted else tuple(whole_shares(fractions))
    return Key(correct=tuple(fraction > 0 for fraction in fractions), weights=weights)


def key_of(kind: QuestionKind, fractions: Sequence[Decimal], *, unweighted: bool) -> Key:
    """The key of a question of choices."""
    if kind is QuestionKind.MULTIPLE:
        return key_of_several(fractions, unweighted=unweighted)
    return key_of_one(fractions)


def fractions_of(question: ImportedQuestion) -> tuple[list[Decimal], bool]:
    """The fractions with which a question is written, and whether they are only there for Moodle.

    Weights that would say something else about what is right when they are read again are left out.
    """
    correct = tuple(choice.correct for choice in question.choices)
    if any(choice.weight is not None for choice in question.choices):
        weights = [
            Decimal(int(choice.correct)) if choice.weight is None else choice.weight for choice in question.choices
        ]
        fractions = [max(-_ALL, min(weight, _ALL)).quantize(_PLACES) for weight in weights]
        if key_of(question.kind, fractions, unweighted=False).correct == correct:
            return fractions, False
    if question.kind is not QuestionKind.MULTIPLE:
        return [_ALL if right else _NOTHING for right in correct], False
    share = (_ALL / max(1, sum(correct))).quantize(_PLACES)
    return [share if right else -_ALL for right in correct], True
