"""What is left of a question that is written as Moodle XML and read again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.files.moodle_questions.fractions import fractions_of, key_of
from adapters.files.moodle_questions.texts import held, held_plain
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Severity,
    TextFormat,
    derived_external_id,
    normalized_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

_KINDS: Final = (QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE)


def project_moodle(question: ImportedQuestion) -> ImportedQuestion | None:
    """Lost are the difficulty, pinned choices, weights finer than Moodle's, and markup that is not allowed here.

    True or false in other words than `True` and `False` becomes a single choice. None: kinds without choices, and
    what would be refused when it is read.
    """
    if question.kind not in _KINDS:
        return None
    stem, choices = held(question.stem), _choices(question)
    kind = _kind(question.kind, choices)
    tags = dict.fromkeys(filter(None, map(held_plain, question.tags)))
    left = replace(
        question,
        external_id=normalized_id(held_plain(question.external_id))
        or derived_external_id(stem.text, [choice.text.text for choice in choices]),
        domain=trimmed(held_plain(question.domain)),
        difficulty=None,
        kind=kind,
        stem=stem,
        choices=choices,
        explanation=_unless_empty(question.explanation),
        tags=tuple(tags),
        bands=(),
        accepted=(),
        prompts=(),
    )
    return None if any(found.severity is Severity.ERROR for found in examine(left)) else left


def _choices(question: ImportedQuestion) -> tuple[ImportedChoice, ...]:
    fractions, unweighted = fractions_of(question)
    key = key_of(question.kind, fractions, unweighted=unweighted)
    return tuple(
        ImportedChoice(
            key=letter,
            text=held(choice.text),
            correct=correct,
            weight=weight,
            explanation=_unless_empty(choice.explanation),
        )
        for letter, choice, correct, weight in zip(
            CHOICE_KEYS, question.choices, key.correct, key.weights, strict=False
        )
    )


def _kind(kind: QuestionKind, choices: tuple[ImportedChoice, ...]) -> QuestionKind:
    """Moodle's true or false knows no other words, and no markup in them."""
    if kind is not QuestionKind.TRUE_FALSE:
        return kind
    texts = [choice.text.text for choice in choices]
    is_plain = all(choice.text.format is TextFormat.PLAIN for choice in choices)
    return kind if is_plain and sorted(texts) == ["False", "True"] else QuestionKind.SINGLE


def _unless_empty(text: FormattedText | None) -> FormattedText | None:
    left = held(text) if text else None
    return left if left and left.text else None
