"""What a version says, as its columns spell it: `choices` and `prompts` for students, `answer_key` for scoring."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.question_bank.imported import FormattedText, ImportedQuestion
from domain.question_bank.kinds import QuestionKind

_encode = msgspec.json.Encoder().encode


def prompt_ids(count: int) -> list[str]:
    """The ids of the prompts of a matching question, in order: `1`, `2`, …"""
    return [str(number) for number in range(1, count + 1)]


def choices_column(question: ImportedQuestion) -> str:
    """What a student may see of the choices, as JSON."""
    return _encode([_choice(choice.key, choice.text, pinned=choice.pinned) for choice in question.choices]).decode()


def prompts_column(question: ImportedQuestion) -> str:
    """The prompts of a matching question, as JSON."""
    ids = prompt_ids(len(question.prompts))
    return _encode([_choice(id_, prompt.text) for id_, prompt in zip(ids, question.prompts, strict=True)]).decode()


def answer_key_column(question: ImportedQuestion) -> str:
    """What a student may not see before the rule allows it, as JSON in the shape of `AnswerKey`."""
    weights = {choice.key: str(choice.weight) for choice in question.choices if choice.weight is not None}
    key: dict[str, Any] = {
        "correct": [choice.key for choice in question.choices if choice.correct],
        "weights": weights or None,
        "explanations": dict(_explanations((choice.key, choice.explanation) for choice in question.choices)),
        "explanation": dict(_explanations([("text", question.explanation)])).get("text"),
    }
    if question.kind is QuestionKind.NUMERIC:
        key["bands"] = question.bands
    elif question.kind is QuestionKind.SHORT_TEXT:
        key["accepted"] = question.accepted
    elif question.kind is QuestionKind.MATCHING:
        pairs = zip(prompt_ids(len(question.prompts)), question.prompts, strict=True)
        key["pairs"] = {id_: prompt.choice for id_, prompt in pairs}
    return _encode(key).decode()


def _choice(id_: str, text: FormattedText, *, pinned: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": id_, "text": text.text, "format": text.format.value}
    return shown | {"pinned": True} if pinned else shown


def _explanations(texts: Iterable[tuple[str, FormattedText | None]]) -> Iterable[tuple[str, dict[str, str]]]:
    return ((key, {"text": text.text, "format": text.format.value}) for key, text in texts if text is not None)
