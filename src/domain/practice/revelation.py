"""What a student learns about a question once its rule allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.question_bank.imported import TextFormat
from domain.question_bank.questions import AnswerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a choice is right or wrong; without a choice it is about the question as a whole."""

    choice_id: str | None = None
    text: str
    format: TextFormat = TextFormat.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Revelation:
    """The right choices and the explanations, in the order in which the student saw the choices."""

    correct_choice_ids: tuple[str, ...]
    explanations: tuple[Explanation, ...] = ()


def reveal(key: AnswerKey, choice_order: Sequence[str]) -> Revelation:
    """The key as a student sees it: the general explanation first, then one for each choice that has one."""
    general = [Explanation(text=key.explanation.text, format=key.explanation.format)] if key.explanation else []
    of_choices = [
        Explanation(choice_id=choice, text=key.explanations[choice].text, format=key.explanations[choice].format)
        for choice in choice_order
        if choice in key.explanations
    ]
    return Revelation(
        correct_choice_ids=tuple(choice for choice in choice_order if choice in key.correct),
        explanations=(*general, *of_choices),
    )
