"""The writing of Moodle XML. Every question is first reduced to what the format can hold, then written whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import ClassVar, Final

from adapters.files.decimal_text import spelled
from adapters.files.moodle_categories import category_of
from adapters.files.moodle_questions.fractions import fractions_of
from adapters.files.moodle_questions.parsing import UNWEIGHTED
from adapters.files.moodle_questions.projecting import project_moodle
from adapters.files.moodle_questions.texts import NAMES
from adapters.files.safe_html import plain_text
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, TextFormat
from domain.question_bank.kinds import QuestionKind

_LONGEST_NAME: Final = 200
_NOTHING: Final = FormattedText(text="", format=TextFormat.HTML)


class MoodleWriter(QuestionWriter):
    """Writes a quiz that Moodle imports: categories by domain, ids as id numbers, partial credit as fractions."""

    format: ClassVar[str] = "moodle_xml"
    media_type: ClassVar[str] = "application/xml"
    ending: ClassVar[str] = ".xml"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        yield b'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n'
        domain: str | None = None
        for question in questions:
            left = project_moodle(question)
            losses.compare(question, left)
            if left is None:
                continue
            if left.domain != domain:
                domain = left.domain
                yield _category(domain).encode()
            yield _question(left).encode()
        yield b"</quiz>\n"


def _category(domain: str) -> str:
    path = _characters(category_of(domain))
    return f'  <question type="category">\n    <category><text>{path}</text></category>\n  </question>\n'


def _question(question: ImportedQuestion) -> str:
    fractions, unweighted = fractions_of(question)
    is_true_false = question.kind is QuestionKind.TRUE_FALSE
    lines = [
        f"<name><text>{_characters(_name(question.stem))}</text></name>",
        _text("questiontext", question.stem),
        _text("generalfeedback", question.explanation or _NOTHING),
        f"<defaultgrade>{spelled(question.points)}</defaultgrade>",
        "<hidden>0</hidden>",
        f"<idnumber>{_characters(question.external_id)}</idnumber>",
        *([] if is_true_false else [f"<single>{_word(question.kind is QuestionKind.SINGLE)}</single>"]),
        f"<shuffleanswers>{_word(question.shuffle)}</shuffleanswers>",
        *([] if is_true_false else ["<answernumbering>ABCD</answernumbering>"]),
        *([f"<{UNWEIGHTED}/>"] if unweighted else []),
        *map(_answer, question.choices, fractions),
        *_tags(question.tags),
    ]
    type_ = "truefalse" if is_true_false else "multichoice"
    return "\n    ".join([f'  <question type="{type_}">', *lines]) + "\n  </question>\n"


def _name(stem: FormattedText) -> str:
    """Moodle lists questions by a name: the beginning of the text in one line."""
    text = plain_text(stem.text) if stem.format is TextFormat.HTML else stem.text
    return " ".join(text.split())[:_LONGEST_NAME]


def _answer(choice: ImportedChoice, fraction: Decimal) -> str:
    feedback = _text("feedback", choice.explanation or _NOTHING)
    text = _characters(choice.text.text)
    percent = spelled(fraction * 100)
    return f'<answer fraction="{percent}" format="{NAMES[choice.text.format]}"><text>{text}</text>{feedback}</answer>'


def _text(tag: str, text: FormattedText) -> str:
    return f'<{tag} format="{NAMES[text.format]}"><text>{_characters(text.text)}</text></{tag}>'


def _tags(tags: tuple[str, ...]) -> list[str]:
    if not tags:
        return []
    return [f"<tags>{''.join(f'<tag><text>{_characters(tag)}</text></tag>' for tag in tags)}</tags>"]


def _characters(text: str) -> str:
    """Markup stands in CDATA, as Moodle writes it; the end of such a section is split between two of them."""
    if "<" in text or "&" in text:
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return text.replace(">", "&gt;")


def _word(value: bool) -> str:
    return "true" if value else "false"
