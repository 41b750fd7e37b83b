"""What only this format can get wrong: it states keys and numbers that other formats imply."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from adapters.files.jsonl_questions.shapes import QuestionLine
from domain.question_bank.imported import CHOICE_KEYS
from domain.question_bank.kinds import QuestionKind

MOST_POINTS: Final = Decimal("9999.9999")
_POINT_DIGITS: Final = 4

_KINDS_WITH: Final = {
    "choices": frozenset(QuestionKind) - {QuestionKind.NUMERIC, QuestionKind.SHORT_TEXT},
    "bands": {QuestionKind.NUMERIC},
    "accepted": {QuestionKind.SHORT_TEXT},
    "prompts": {QuestionKind.MATCHING},
}

_Fault = tuple[str, str, str]


def faults_of(line: QuestionLine) -> Iterator[_Fault]:
    """Field, code and message of everything that makes the line meaningless before its texts are looked at."""
    keys = "".join([choice.key for choice in line.choices])
    if keys != CHOICE_KEYS[: len(keys)]:
        yield "choices", "bad_choice_keys", "Choices are keyed A, B, C… in their order."
    points = Decimal(line.points)
    if not 0 < points <= MOST_POINTS or len(line.points.partition(".")[2]) > _POINT_DIGITS:
        yield "points", "bad_points", f"Points are more than 0 and at most {MOST_POINTS}, with four decimal places."
    if any(choice.weight is not None and abs(Decimal(choice.weight)) > 1 for choice in line.choices):
        yield "choices", "bad_weight", "The weight of a choice lies between -1 and 1."
    for name, kinds in _KINDS_WITH.items():
        if getattr(line, name) and line.kind not in kinds:
            yield name, "field_of_another_kind", f"A question of the kind {line.kind} has no {name}."
