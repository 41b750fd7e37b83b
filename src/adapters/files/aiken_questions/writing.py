"""The writing of questions in Aiken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, Final

from adapters.files.aiken_questions.parsing import FORMAT, is_answer
from adapters.files.moodle_categories import one_line
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, derived_external_id
from domain.question_bank.kinds import QuestionKind

_OF_CHOICES = frozenset({QuestionKind.SINGLE, QuestionKind.TRUE_FALSE, QuestionKind.MULTIPLE})
_MARKS: Final = re.compile(r"\A\ufeff[\ufeff\s]*")


def project_aiken(question: ImportedQuestion) -> ImportedQuestion | None:
    """Plain texts of one line and one right answer; not even the id is left, it is derived from the texts.

    A byte order mark before the first text would be read as one of the file, so no text begins with it.
    """
    if question.kind not in _OF_CHOICES or sum(choice.correct for choice in question.choices) != 1:
        return None
    stem = _MARKS.sub("", one_line(question.stem.text))
    if not stem or is_answer(stem):
        return None
    texts = [one_line(choice.text.text) for choice in question.choices]
    choices = [
        ImportedChoice(key=choice.key, text=FormattedText(text=text), correct=choice.correct)
        for choice, text in zip(question.choices, texts, strict=True)
    ]
    return replace(
        question,
        external_id=derived_external_id(stem, texts),
        domain="",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text=stem),
        choices=tuple(choices),
        explanation=None,
        tags=(),
        points=Decimal(1),
        shuffle=True,
    )


class AikenWriter(QuestionWriter):
    """Blocks as Moodle reads them: one line for the text, capital letters."""

    format: ClassVar[str] = FORMAT
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    ending: ClassVar[str] = ".txt"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        for question in questions:
            left = project_aiken(question)
            losses.compare(question, left)
            if left is not None:
                options = "".join([f"{choice.key}. {choice.text.text}\n" for choice in left.choices])
                yield f"{left.stem.text}\n{options}ANSWER: {left.answer}\n\n".encode()
