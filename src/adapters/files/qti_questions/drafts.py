"""What a reader of one version found in an item, and the way from there to a question or to problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from adapters.files.excerpts import named, with_excerpt
from domain.question_bank.import_checks import difficulty_code, examine
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
    visible,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "qti"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice as a file states it."""

    identifier: str
    text: FormattedText
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A finding about an item; its record is added later."""

    code: str
    field: str | None
    message: str
    detail: str | None = None
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A choice item that was understood: options, and what is right and why by the identifiers of the options."""

    identifier: str
    kind: QuestionKind
    stem: FormattedText
    options: Sequence[Option]
    correct: frozenset[str]
    weights: Mapping[str, Decimal] | None
    notes: Mapping[str, FormattedText]
    explanation: FormattedText | None
    points: Decimal
    shuffle: bool
    domain: str
    difficulty: str | None = None
    tags: tuple[str, ...] = ()
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """An item of a type that is not a choice question."""

    type: str


@dataclass(slots=True)
class Collector:
    """Turns what readers find into parsed items; numbers the records of one file or package and keeps its ids apart."""

    file: str
    bank: str
    with_rejects: bool = False
    _record: int = 0
    _seen: dict[str, bytes] = field(default_factory=dict)

    def collect(self, found: Draft | Unsupported, line: int = 0) -> Iterator[ParsedItem]:
        """One record: a question after its warnings, problems with an error among them, or one that is skipped."""
        origin = self._next(line)
        if isinstance(found, Unsupported):
            message = "Only choice questions are imported from this format."
            yield _problem(origin, None, "unsupported", message, Severity.SKIPPED, visible(found.type, 200))
            return
        question = self._question(found, origin)
        problems = [_remarked(origin, remark) for remark in (*found.remarks, *_adjusted(found))] + examine(question)
        if any(problem.severity is Severity.ERROR for problem in problems):
            shown_as = partial(named, question.external_id, question.stem.text)
            yield from with_excerpt(problems, origin, shown_as) if self.with_rejects else problems
            return
        unique, repeated = self._with_own_id(replace(question, difficulty=difficulty_code(question.difficulty)))
        yield from (*problems, *repeated)
        yield unique

    def failed(self, code: str, message: str, detail: str) -> Iterator[ParsedItem]:
        """A record that cannot be read at all, named by its file."""
        origin = self._next()
        items = [_problem(origin, None, code, message, Severity.ERROR, visible(detail))]
        yield from with_excerpt(items, origin, lambda: detail) if self.with_rejects else items

    def _next(self, line: int = 0) -> Origin:
        self._record += 1
        return Origin(format=FORMAT, file=self.file, record=self._record, line=line)

    def _question(self, draft: Draft, origin: Origin) -> ImportedQuestion:
        weights = draft.weights if _adds_up(draft) else None
        choices = tuple(_choice(draft, weights, place, option) for place, option in enumerate(_present(draft)))
        derived = derived_external_id(draft.stem.text, [choice.text.text for choice in choices])
        return ImportedQuestion(
            external_id=normalized_id(draft.identifier) or derived,
            bank=self.bank,
            domain=draft.domain,
            difficulty=draft.difficulty,
            kind=draft.kind,
            stem=draft.stem,
            choices=choices,
            explanation=draft.explanation,
            tags=draft.tags,
            points=draft.points,
            shuffle=draft.shuffle,
            origin=origin,
        )

    def _with_own_id(self, question: ImportedQuestion) -> tuple[ImportedQuestion, Sequence[ImportProblem]]:
        """The question under an id that no other content of the package has.

        Identifiers are unique within one file at best; a second content under one gets the id of its content.
        """
        content = question.content_hash
        if self._seen.setdefault(question.external_id, content) == content:
            return question, ()
        taken = question.external_id
        derived = derived_external_id(question.stem.text, [choice.text.text for choice in question.choices])
        self._seen.setdefault(derived, content)
        message = (
            f"The identifier {shown(taken)} stands for another item of the package; this one gets an id of its own."
        )
        warning = _problem(question.origin, "question-id", "identifier_repeated", message, Severity.WARNING)
        return replace(question, external_id=derived), (warning,)


def fits(weights: Mapping[str, Decimal], correct: Collection[str]) -> bool:
    """Whether weights of a question with several answers agree with its key: no wrong one earns, no right one costs."""
    return all(weight >= 0 if option in correct else weight <= 0 for option, weight in weights.items())


def _adds_up(draft: Draft) -> bool:
    return draft.weights is None or draft.kind is not QuestionKind.MULTIPLE or fits(draft.weights, draft.correct)


def _present(draft: Draft) -> list[Option]:
    """The options but those that say nothing and are wrong: Canvas keeps the fields that a teacher left blank."""
    return [option for option in draft.options if option.text.text or option.identifier in draft.correct]


def _adjusted(draft: Draft) -> Iterator[Remark]:
    if blank := len(draft.options) - len(_present(draft)):
        message = "Blank options that are wrong answers are left out."
        yield Remark(code="blank_options_left_out", field=None, message=message, detail=str(blank))
    if not _adds_up(draft):
        message = "The scores of the choices contradict the key; they are left out."
        yield Remark(code="weights_left_out", field=None, message=message)


def _choice(draft: Draft, weights: Mapping[str, Decimal] | None, place: int, option: Option) -> ImportedChoice:
    return ImportedChoice(
        # Beyond the last letter any name will do: the examination refuses so many choices.
        key=CHOICE_KEYS[place] if place < len(CHOICE_KEYS) else str(place + 1),
        text=option.text,
        correct=option.identifier in draft.correct,
        weight=weights.get(option.identifier) if weights is not None else None,
        explanation=draft.notes.get(option.identifier),
        pinned=option.pinned,
    )


def _remarked(origin: Origin, remark: Remark) -> ImportProblem:
    detail = visible(remark.detail) if remark.detail is not None else None
    return _problem(origin, remark.field, remark.code, remark.message, remark.severity, detail)


def _problem(
    origin: Origin, field: str | None, code: str, message: str, severity: Severity, detail: str | None = None
) -> ImportProblem:
    return ImportProblem(
        record=origin.record,
        line=origin.line,
        field=field,
        code=code,
        severity=severity,
        message=message,
        detail=detail,
    )
