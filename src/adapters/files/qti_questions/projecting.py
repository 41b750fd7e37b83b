"""What is left of a question when it is written as a Canvas quiz or as QTI 3.0 and read again.

Both hold questions with choices only. In both, Markdown becomes plain text and HTML is cleaned; HTML without any
markup, and in QTI 3.0 a single paragraph of text, becomes plain text. Canvas knows no partial credit per choice.
Difficulties are those that the bank knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.drafts import fits
from adapters.files.qti_questions.elements import points, rounded_weight
from adapters.files.qti_questions.texts import Texts
from adapters.files.qti_questions.xml_writing import representable, xhtml
from adapters.files.safe_xml import read_tree
from domain.question_bank.import_checks import difficulty_code, examine
from domain.question_bank.import_refusals import ForbiddenXml
from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Severity,
    TextFormat,
    derived_external_id,
    normalized_id,
)
from domain.question_bank.kinds import QuestionKind

_CHOICE_KINDS: Final = frozenset({QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE})
_AROUND: Final = 8
"""Elements around a text in a written item, which count where the depth of a document is bounded."""
_BLANK: Final = FormattedText(text="")

_Project = Callable[[FormattedText], FormattedText]


def project_canvas_qti(question: ImportedQuestion) -> ImportedQuestion | None:
    """What a Canvas quiz keeps of a question; None where it has none like it."""
    if question.kind not in _CHOICE_KINDS:
        return None
    choices = tuple(replace(choice, weight=None) for choice in question.choices)
    return _sound(_projected(replace(question, choices=choices), _canvas_text))


def project_qti3(question: ImportedQuestion) -> ImportedQuestion | None:
    """What a package of QTI 3.0 keeps of a question; None where it cannot hold it."""
    if question.kind not in _CHOICE_KINDS:
        return None
    return _sound(_projected(replace(question, choices=_with_weights(question)), _qti3_text))


def _projected(question: ImportedQuestion, text: _Project) -> ImportedQuestion:
    choices = tuple(_choice(choice, text) for choice in question.choices)
    stem = text(question.stem)
    derived = derived_external_id(stem.text, [choice.text.text for choice in choices])
    is_single = question.kind is QuestionKind.TRUE_FALSE and len(choices) != 2
    return replace(
        question,
        external_id=normalized_id(question.external_id) or derived,
        domain=representable(question.domain),
        difficulty=difficulty_code(question.difficulty),
        kind=QuestionKind.SINGLE if is_single else question.kind,
        stem=stem,
        choices=choices,
        explanation=_optional(question.explanation, text),
        tags=tuple(dict.fromkeys(filter(None, map(representable, question.tags)))),
        points=points(f"{question.points:f}"),
    )


def _choice(choice: ImportedChoice, text: _Project) -> ImportedChoice:
    return replace(choice, text=text(choice.text), explanation=_optional(choice.explanation, text))


def _optional(found: FormattedText | None, text: _Project) -> FormattedText | None:
    left = text(found) if found is not None else _BLANK
    return left if left.text else None


def _sound(question: ImportedQuestion) -> ImportedQuestion | None:
    """The question, if it would be imported: cleaning may leave a text blank, or make it longer than it may be."""
    faulty = any(problem.severity is Severity.ERROR for problem in examine(question))
    return None if faulty else question


def _with_weights(question: ImportedQuestion) -> tuple[ImportedChoice, ...]:
    """A mapping is for all choices or for none; a choice without a weight counts as it is scored."""
    if all(choice.weight is None for choice in question.choices):
        return question.choices
    several = question.kind is QuestionKind.MULTIPLE
    weights = {choice.key: _weight(choice, several=several) for choice in question.choices}
    if several and not fits(weights, {choice.key for choice in question.choices if choice.correct}):
        return tuple(replace(choice, weight=None) for choice in question.choices)
    return tuple(replace(choice, weight=weights[choice.key]) for choice in question.choices)


def _weight(choice: ImportedChoice, *, several: bool) -> Decimal:
    if choice.weight is not None:
        return rounded_weight(choice.weight)
    return Decimal(int(choice.correct and not several))


def _canvas_text(text: FormattedText) -> FormattedText:
    if text.format is not TextFormat.HTML:
        return FormattedText(text=representable(text.text))
    texts = Texts()
    left = texts.html(representable(text.text))
    return _BLANK if texts.faults else left


def _qti3_text(text: FormattedText) -> FormattedText:
    cleaned = _canvas_text(text)
    if cleaned.format is not TextFormat.HTML:
        return cleaned
    try:
        _, outermost = read_tree(f"{'<div>' * _AROUND}{xhtml(cleaned.text)}{'</div>' * _AROUND}".encode())
    except ForbiddenXml:
        return _BLANK
    return Texts().content(_innermost(outermost))


def _innermost(element: Element) -> Element:
    for _ in range(_AROUND - 1):
        element = element[0]
    return element
