"""What is right in a GIFT question, told by the signs and percentages of its choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.files.whole_shares import whole_shares
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.kinds import QuestionKind

_WRONG: Final = Decimal(-1)
_PLACES: Final = Decimal("0.0000001")
"""A percentage with five decimal places, as Moodle writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`=` or `~` before a choice, and its percentage as a fraction of the mark, where it has one."""

    is_right: bool
    weight: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The kind of the question, and for every choice whether it is correct and what it weighs."""

    kind: QuestionKind
    correct: tuple[bool, ...]
    weights: tuple[Decimal | None, ...]


def judge(marks: Sequence[Mark], *, unweighted: bool = False) -> Verdict:
    """Choices that earn the whole mark are correct: one of them is a single choice, several are a multiple one.

    Where none does, all that earn something belong to the answer, and what rounding took from the whole mark is given
    back. `unweighted` are questions whose percentages were only written because Moodle needs them.
    """
    whole = tuple(mark.is_right if mark.weight is None else mark.weight == 1 for mark in marks)
    weights = tuple(mark.weight for mark in marks)
    if any(whole) and not unweighted:
        kind = QuestionKind.SINGLE if sum(whole) == 1 else QuestionKind.MULTIPLE
        return Verdict(kind=kind, correct=whole, weights=weights)
    partly = tuple(weight is not None and weight > 0 for weight in weights)
    shares: tuple[Decimal | None, ...] = (None,) * len(marks) if unweighted else _shares(weights)
    return Verdict(kind=QuestionKind.MULTIPLE, correct=partly, weights=shares)


def _shares(weights: tuple[Decimal | None, ...]) -> tuple[Decimal | None, ...]:
    """The weights, of which several together earn the whole mark. One alone that nearly does stays what it is."""
    fractions = [weight or Decimal(0) for weight in weights]
    if sum(fraction > 0 for fraction in fractions) < 2:
        return weights
    shares = zip(weights, whole_shares(fractions), strict=True)
    return tuple(None if weight is None else share for weight, share in shares)


def marks_of(question: ImportedQuestion) -> tuple[list[Mark], bool]:
    """How the question is written, and whether its percentages are only there for Moodle.

    Weights that would say something else about what is right when they are read again are left out.
    """
    weights = [None if choice.weight is None else choice.weight.quantize(_PLACES) for choice in question.choices]
    correct = tuple(choice.correct for choice in question.choices)
    is_multiple = question.kind is QuestionKind.MULTIPLE
    kind = QuestionKind.MULTIPLE if is_multiple else QuestionKind.SINGLE
    if any(weight is not None for weight in weights):
        pairs = zip(correct, weights, strict=True)
        marks = [Mark(is_right=right and weight is None, weight=weight) for right, weight in pairs]
        verdict = judge(marks)
        if (verdict.kind, verdict.correct) == (kind, correct):
            return marks, False
    if not is_multiple:
        return [Mark(is_right=right) for right in correct], False
    share = (Decimal(1) / max(1, sum(correct))).quantize(_PLACES)
    return [Mark(is_right=False, weight=share if right else _WRONG) for right in correct], True
