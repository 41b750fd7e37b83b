"""The reading of a Moodle XML file, question by question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import IO, Final
from xml.etree.ElementTree import Element as XmlElement

from adapters.files.excerpts import named, with_excerpt
from adapters.files.moodle_categories import domain_of
from adapters.files.moodle_questions.fractions import Key, key_of, read_percent
from adapters.files.moodle_questions.texts import TextReader, problem
from adapters.files.safe_xml import Element, read_elements, text_of
from domain.question_bank.import_checks import MAX_TAGS, examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    ImportProblem,
    Origin,
    ParsedItem,
    Severity,
    derived_external_id,
    normalized_id,
    shown,
    trimmed,
    visible,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "moodle_xml"
UNWEIGHTED: Final = "unweighted"
"""An element of our own, which Moodle skips: the fractions were only written because Moodle needs some."""
_TYPES: Final = ("multichoice", "truefalse")
_POINTS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,30})?")
_COMBINED: Final = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback", "hint")
_USUAL: Final = re.compile(r"(?:<p>)?Your answer is (?:correct|partially correct|incorrect)\.(?:</p>)?")
_TRUTH: Final = {"true": "True", "false": "False"}
_MOST_ANSWERS: Final = len(CHOICE_KEYS) + 1


def parse_moodle(file: IO[bytes], *, file_name: str, bank: str, with_rejects: bool = False) -> Iterator[ParsedItem]:
    """Read questions lazily, in file order; memory holds one of them.

    Records are the questions, categories are none: they give the domain of what follows. Raises an `ImportRefused`,
    perhaps after some questions, when the file is no sound XML or not a quiz. `with_rejects` also gives id and
    text of every record with an error.
    """
    domain = ""
    record = 0
    for element in read_elements(file, {"question"}, root={"quiz"}, without={"file"}):
        kind = trimmed(element.get("type", ""))
        if kind == "category":
            domain = domain_of(text_of(element.find("category/text")))
            continue
        record += 1
        origin = Origin(format=FORMAT, file=file_name, record=record, line=element.line)
        if kind in _TYPES:
            items = _QuestionReader(element, origin, bank=bank, domain=domain).items()
            yield from with_excerpt(items, origin, partial(_shown, element)) if with_rejects else items
        else:
            name = trimmed(text_of(element.find("name")))
            message = f"Only questions of choices are imported; {shown(name)} is none."
            yield problem(origin, None, "unsupported", message, Severity.SKIPPED, visible(kind))


def _shown(element: Element) -> str:
    return named(trimmed(text_of(element.find("idnumber"))), trimmed(text_of(element.find("questiontext/text"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    text: FormattedText
    feedback: FormattedText
    fraction: Decimal


class _QuestionReader:
    """Reads one question of choices."""

    __slots__ = ("_bank", "_domain", "_element", "_format", "_origin", "_problems", "_texts")

    def __init__(self, element: Element, origin: Origin, *, bank: str, domain: str) -> None:
        self._element = element
        self._origin = origin
        self._bank = bank
        self._domain = domain
        self._texts = TextReader()
        self._problems: list[ImportProblem] = []
        text = element.find("questiontext")
        self._format = "html" if text is None else text.get("format", "html")

    def items(self) -> Iterator[ParsedItem]:
        """The question after its warnings, or problems with an error among them."""
        question = self._question()
        problems = [*self._texts.problems(self._origin), *self._problems, *examine(question)]
        yield from problems
        if all(found.severity is not Severity.ERROR for found in problems):
            yield question

    def _question(self) -> ImportedQuestion:
        element, texts = self._element, self._texts
        stem = texts.read(element.find("questiontext"), "question-text")
        explanation = texts.read(element.find("generalfeedback"), "explanation", self._format)
        answers = [
            self._answer(answer, place)
            for place, answer in enumerate(islice(element.iterfind("answer"), _MOST_ANSWERS))
        ]
        kind = self._kind()
        unweighted = element.find(UNWEIGHTED) is not None
        key = key_of(kind, [answer.fraction for answer in answers], unweighted=unweighted)
        self._remark(key)
        derived = derived_external_id(stem.text, [answer.text.text for answer in answers])
        return ImportedQuestion(
            external_id=normalized_id(text_of(element.find("idnumber"))) or derived,
            bank=self._bank,
            domain=self._domain,
            difficulty=None,
            kind=kind,
            stem=stem,
            choices=_choices(answers, key),
            explanation=explanation if explanation.text else None,
            tags=self._tags(),
            points=self._points(),
            shuffle=_is_yes(self._word("shuffleanswers")),
            origin=self._origin,
        )

    def _answer(self, element: XmlElement, place: int) -> _Answer:
        letter = _letter(place).lower()
        fraction = read_percent(trimmed(element.get("fraction", "0")))
        if fraction is None:
            message = "What an answer earns is a percentage from -100 to 100."
            self._problems.append(problem(self._origin, "correct answer", "bad_fraction", message))
        text = self._texts.read(element, f"option-{letter}", self._format)
        if self._kind() is QuestionKind.TRUE_FALSE:
            text = FormattedText(text=_TRUTH.get(text.text.lower(), text.text))
        feedback = self._texts.read(element.find("feedback"), f"explanation-{letter}", self._format)
        return _Answer(text=text, feedback=feedback, fraction=fraction or Decimal(0))

    def _kind(self) -> QuestionKind:
        """One answer may be chosen unless the file says otherwise, as in Moodle."""
        if self._element.get("type", "").strip() == "truefalse":
            return QuestionKind.TRUE_FALSE
        return QuestionKind.SINGLE if _is_yes(self._word("single") or "true") else QuestionKind.MULTIPLE

    def _remark(self, key: Key) -> None:
        if key.is_ambiguous:
            message = "Several answers earn the whole mark, of which one may be chosen; the first is shown as right."
            self._warn("correct answer", "several_full_answers", message)
        said = (trimmed(text_of(part.find("text"))) for tag in _COMBINED for part in self._element.iterfind(tag))
        if any(text and not _USUAL.fullmatch(text) for text in said):
            self._warn(None, "feedback_left_out", "Hints and feedback on the answer as a whole are not imported.")

    def _warn(self, field: str | None, code: str, message: str) -> None:
        self._problems.append(problem(self._origin, field, code, message, Severity.WARNING))

    def _tags(self) -> tuple[str, ...]:
        """The tags, each once; of too many only as many as show that."""
        tags = (trimmed(text_of(tag)) for tag in self._element.iterfind("tags/tag"))
        return tuple(islice(dict.fromkeys(filter(None, tags)), MAX_TAGS + 1))

    def _points(self) -> Decimal:
        """The points of the question; what is no number gives 0, which the examination refuses as `bad_points`."""
        text = self._word("defaultgrade") or "1"
        return Decimal(text) if _POINTS.fullmatch(text) else Decimal(0)

    def _word(self, tag: str) -> str:
        return trimmed(text_of(self._element.find(tag)))


def _choices(answers: list[_Answer], key: Key) -> tuple[ImportedChoice, ...]:
    return tuple(
        ImportedChoice(
            key=_letter(place),
            text=answer.text,
            correct=key.correct[place],
            weight=key.weights[place],
            explanation=answer.feedback if answer.feedback.text else None,
        )
        for place, answer in enumerate(answers)
    )


def _letter(place: int) -> str:
    return CHOICE_KEYS[place] if place < len(CHOICE_KEYS) else str(place + 1)


def _is_yes(word: str) -> bool:
    return word not in ("", "0", "false")
