"""The writing of questions in GIFT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, Final

from adapters.files.decimal_text import spelled
from adapters.files.gift_questions.anatomy import CATEGORY, MULTIPLE, comment_text
from adapters.files.gift_questions.marks import judge, marks_of
from adapters.files.gift_questions.questions import FORMAT, TRUE_FALSE
from adapters.files.gift_questions.syntax import held, write_text
from adapters.files.moodle_categories import category_of, domain_of, one_line
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, TextFormat
from domain.question_bank.kinds import QuestionKind

_WRITTEN: Final = frozenset({QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE})


def project_gift(question: ImportedQuestion) -> ImportedQuestion | None:
    """What GIFT can say: questions of choices with weights, feedback, tags and domain; no points, difficulty, order."""
    if question.kind not in _WRITTEN or any(mark in question.external_id for mark in "\r\n"):
        return None
    marks, unweighted = marks_of(question)
    verdict = judge(marks, unweighted=unweighted)
    choices = tuple(
        ImportedChoice(
            key=choice.key,
            text=held(choice.text),
            correct=correct,
            weight=weight,
            explanation=_held(choice.explanation),
        )
        for choice, correct, weight in zip(question.choices, verdict.correct, verdict.weights, strict=True)
    )
    left = replace(
        question,
        domain=domain_of(category_of(one_line(question.domain))),
        difficulty=None,
        kind=verdict.kind,
        stem=held(question.stem),
        choices=choices,
        explanation=_held(question.explanation),
        tags=tuple(dict.fromkeys(filter(None, map(one_line, question.tags)))),
        points=Decimal(1),
        shuffle=True,
    )
    is_true_false = question.kind is QuestionKind.TRUE_FALSE and _says_true_and_false(left)
    return replace(left, kind=QuestionKind.TRUE_FALSE) if is_true_false else left


class GiftWriter(QuestionWriter):
    """Blocks of GIFT as Moodle reads them; where the domain changes, a category says so."""

    format: ClassVar[str] = FORMAT
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    ending: ClassVar[str] = ".gift"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        domain = ""
        for question in questions:
            left = project_gift(question)
            losses.compare(question, left)
            if left is None:
                continue
            if left.domain != domain:
                domain = left.domain
                yield f"{CATEGORY} {category_of(domain)}\n\n".encode()
            yield _block(left).encode()


def _block(question: ImportedQuestion) -> str:
    _, unweighted = marks_of(question)
    comment = f"// [id:{comment_text(question.external_id)}]"
    comment += "".join([f" [tag:{comment_text(tag)}]" for tag in question.tags])
    comment += f" {MULTIPLE}" if unweighted else ""
    format_ = question.stem.format
    answers = [_true_false(question)] if question.kind is QuestionKind.TRUE_FALSE else _choices(question)
    if question.explanation:
        answers.append(f"\n\t####{write_text(question.explanation, format_)}")
    closing = "\n}" if len(answers) > 1 or question.kind is not QuestionKind.TRUE_FALSE else "}"
    return f"{comment}\n{write_text(question.stem, None)}{{{''.join(answers)}{closing}\n\n"


def _choices(question: ImportedQuestion) -> list[str]:
    marks, _ = marks_of(question)
    lines = []
    for choice, mark in zip(question.choices, marks, strict=True):
        percent = "" if mark.weight is None else f"%{spelled(mark.weight * 100)}%"
        text = write_text(choice.text, question.stem.format)
        lines.append(f"\n\t{'=' if mark.is_right else '~'}{percent}{text}{_feedback(choice, question.stem.format)}")
    return lines


def _true_false(question: ImportedQuestion) -> str:
    """The word, then what is told to whoever was wrong, then to whoever was right."""
    right, wrong = sorted(question.choices, key=lambda choice: not choice.correct)
    told = [_feedback(wrong, question.stem.format), _feedback(right, question.stem.format)]
    if told[1]:
        told[0] = told[0] or "#"
    return right.text.text.upper() + "".join(told)


def _feedback(choice: ImportedChoice, format_: TextFormat) -> str:
    return f"#{write_text(choice.explanation, format_)}" if choice.explanation else ""


def _says_true_and_false(question: ImportedQuestion) -> bool:
    plain = tuple(choice.text.text for choice in question.choices if choice.text.format is TextFormat.PLAIN)
    return plain == TRUE_FALSE and all(choice.weight is None for choice in question.choices)


def _held(text: FormattedText | None) -> FormattedText | None:
    left = None if text is None else held(text)
    return left if left and left.text else None
