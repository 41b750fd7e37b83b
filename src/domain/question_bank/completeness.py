"""What a question must hold: some of it to be stored at all, the rest of it before it is handed in or published.

A draft may lack anything. It may not hold what no version could: numbers that cannot be kept exactly, texts that are
none, and more of anything than there is room for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from domain.errors import FieldProblem, InvalidInput
from domain.question_bank.bounds import MOST_POINTS, POINTS_PLACES, WEIGHT_PLACES, is_band, is_points, is_weight
from domain.question_bank.content import QuestionContent
from domain.question_bank.import_checks import MAX_TAGS, MOST_ACCEPTED, MOST_BANDS, MOST_PROMPTS, as_seen, examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedQuestion,
    Severity,
    TextFormat,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import QuestionIncomplete
from domain.question_bank.wording import LONGEST_ANSWER

FEWEST_CHOICES, MOST_CHOICES = 2, 10
FEWEST_PROMPTS = 2
# What a draft may lack, and what files are judged by their own rules for; all else that is wrong is wrong in a draft.
_UNSTORABLE = frozenset({"field_too_long", "too_many_combining_marks", "control_character", "undecodable"})
_FIELDS = {
    "question-id": "/externalId",
    "domain": "/topicId",
    "difficulty": "/difficultyId",
    "question-text": "/stem",
    "explanation": "/explanation",
    "tags": "/tags",
}
_TAG = re.compile(r"<[^>]*>|&nbsp;")
_SHOWS_SOMETHING = re.compile(r"<(?:img|math|svg|table)\b", re.IGNORECASE)
_NOTHING = QuestionContent(kind=QuestionKind.SINGLE, stem=FormattedText(text="")).canonical(
    external_id="", bank="", topic=None, difficulty=None
)
_CHOICE_KINDS = frozenset(
    {
        QuestionKind.SINGLE,
        QuestionKind.MULTIPLE,
        QuestionKind.TRUE_FALSE,
        QuestionKind.MATCHING,
        QuestionKind.ORDERING,
    }
)
_OWNERS = {
    "choices": _CHOICE_KINDS,
    "bands": frozenset({QuestionKind.NUMERIC}),
    "accepted": frozenset({QuestionKind.SHORT_TEXT}),
    "prompts": frozenset({QuestionKind.MATCHING}),
}
_Problems: TypeAlias = Iterator[FieldProblem]


def refuse_shapeless(content: QuestionContent) -> None:
    """Refuses what could not be kept as it is: keys out of order, too many parts, numbers without bounds."""
    problems = tuple(_shape(content))
    if problems:
        raise InvalidInput("The question cannot be kept as it is", problems=problems)


def refuse_unsound(question: ImportedQuestion) -> None:
    """Refuses texts that are none or are too long, by the rules by which files are read."""
    problems = tuple(_texts(question))
    if problems:
        raise InvalidInput("The question holds a text that cannot be kept", problems=problems)


def refuse_incomplete(content: QuestionContent) -> None:
    """Refuses what is not yet a question that can be answered and marked, naming everything that it lacks."""
    problems = tuple(missing(content))
    if problems:
        much = "One thing is" if len(problems) == 1 else f"{len(problems)} things are"
        raise QuestionIncomplete(f"{much} to be put right.", problems=problems)


def missing(content: QuestionContent) -> _Problems:
    """Everything that a version lacks before it can be handed in."""
    if is_blank(content.stem):
        yield _problem("/stem", "required", "The question has no text.")
    if content.topic_id is None:
        yield _problem("/topicId", "required", "The question has no topic.")
    if content.difficulty_id is None:
        yield _problem("/difficultyId", "required", "The question has no difficulty.")
    if content.kind in _CHOICE_KINDS:
        yield from _choices(content)
    yield from _KEYS[content.kind](content)


def settled(content: QuestionContent) -> QuestionContent:
    """The content as it is kept: with its tags trimmed and each once, and with what its kind says of its choices.

    All belong into an order, and none is right by itself where prompts are matched, whatever was said.
    """
    content = replace(content, tags=tuple(dict.fromkeys(filter(None, map(trimmed, content.tags)))))
    if content.kind not in (QuestionKind.ORDERING, QuestionKind.MATCHING):
        return content
    correct = content.kind is QuestionKind.ORDERING
    return replace(content, choices=tuple(replace(choice, correct=correct) for choice in content.choices))


def is_blank(text: FormattedText) -> bool:
    """Whether nobody could see anything of it; HTML may show something without any text."""
    if text.format is TextFormat.HTML:
        return not trimmed(_TAG.sub("", text.text)) and not _SHOWS_SOMETHING.search(text.text)
    return not trimmed(text.text)


def normalised(text: FormattedText) -> str:
    """The spelling in which two options are the same. Case tells Co from CO."""
    return as_seen(text.text)


def _shape(content: QuestionContent) -> _Problems:
    yield from _foreign(content)
    yield from _numbers(content)
    for pointer, parts, most in (
        ("/choices", content.choices, len(CHOICE_KEYS)),
        ("/prompts", content.prompts, MOST_PROMPTS),
        ("/bands", content.bands, MOST_BANDS),
        ("/accepted", content.accepted, MOST_ACCEPTED),
        ("/tags", content.tags, MAX_TAGS),
    ):
        if len(parts) > most:
            yield _problem(pointer, "too_many", f"At most {most}.")
    if "".join(choice.key for choice in content.choices) != CHOICE_KEYS[: len(content.choices)]:
        yield _problem("/choices", "keys", "Choices are keyed A, B, C… in their order.")


def _numbers(content: QuestionContent) -> _Problems:
    if not is_points(content.points):
        message = f"More than nothing, less than {MOST_POINTS}, with at most {POINTS_PLACES} decimals."
        yield _problem("/points", "points", message)
    for index, choice in enumerate(content.choices):
        if choice.weight is not None and not is_weight(choice.weight):
            yield _problem(f"/choices/{index}/weight", "weight", f"−1 to 1, with at most {WEIGHT_PLACES} decimals.")
    for index, band in enumerate(content.bands):
        if not is_band(band):
            yield _problem(f"/bands/{index}", "band", "An answer, tolerances from 0 on, and a fraction from 0 to 1.")


def _texts(question: ImportedQuestion) -> _Problems:
    yield from _findings(replace(question, prompts=(), accepted=()))
    yield from _unanswerable(question.accepted)
    others = [(f"/prompts/{index}", prompt.text.text) for index, prompt in enumerate(question.prompts)]
    short = [(index, text) for index, text in enumerate(question.accepted) if len(text) <= LONGEST_ANSWER]
    others += [(f"/accepted/{index}", text) for index, text in short]
    for pointer, text in others:
        # Held to the rules of a stem, as if there were nothing else.
        for problem in _findings(replace(_NOTHING, stem=FormattedText(text=text))):
            yield replace(problem, pointer=pointer)


def _unanswerable(accepted: Sequence[str]) -> _Problems:
    """A text that is longer than any answer may be is one that nobody can give."""
    for index, text in enumerate(accepted):
        if len(text) > LONGEST_ANSWER:
            yield _problem(
                f"/accepted/{index}", "field_too_long", f"An answer has at most {LONGEST_ANSWER} characters."
            )


def _findings(question: ImportedQuestion) -> _Problems:
    for found in examine(question):
        if found.severity is Severity.ERROR and found.code in _UNSTORABLE:
            yield _problem(_pointer(found.field or ""), found.code, found.message)


def _pointer(field: str) -> str:
    """Where the field of a file stands in a question: `option-b` is `/choices/1`."""
    name, _, letter = field.rpartition("-")
    if name in ("option", "explanation") and len(letter) == 1:
        index = CHOICE_KEYS.index(letter.upper())
        return f"/choices/{index}" if name == "option" else f"/choices/{index}/explanation"
    return _FIELDS.get(field, "")


def belongs(part: str, kind: QuestionKind) -> bool:
    """Whether a question of this kind has such a part: what is right differs in its form from kind to kind."""
    return kind in _OWNERS.get(part, (kind,))


def _foreign(content: QuestionContent) -> _Problems:
    for part in _OWNERS:
        if getattr(content, part) and not belongs(part, content.kind):
            yield _problem(f"/{part}", "not_of_kind", f"A question of the kind {content.kind.value} has none.")


def _choices(content: QuestionContent) -> _Problems:
    choices = content.choices
    if len(choices) < FEWEST_CHOICES:
        yield _problem("/choices", "too_few", f"At least {FEWEST_CHOICES} choices.")
    if len(choices) > MOST_CHOICES:
        yield _problem("/choices", "too_many", f"At most {MOST_CHOICES} choices.")
    yield from _distinct("/choices", [choice.text for choice in choices])


def _distinct(pointer: str, texts: Sequence[FormattedText]) -> _Problems:
    seen: set[str] = set()
    for index, text in enumerate(texts):
        if is_blank(text):
            yield _problem(f"{pointer}/{index}", "required", "It says nothing.")
            continue
        said = normalised(text)
        if said in seen:
            yield _problem(f"{pointer}/{index}", "duplicate", "It says the same as one before it.")
        seen.add(said)


def _single(content: QuestionContent) -> _Problems:
    if sum(choice.correct for choice in content.choices) != 1:
        yield _problem("/choices", "one_correct", "Exactly one choice is correct.")
    weights = [choice.weight for choice in content.choices if choice.weight is not None]
    right = [choice.weight for choice in content.choices if choice.correct and choice.weight is not None]
    if weights and max(weights) > min(right, default=Decimal(1)):
        yield _problem("/choices", "weights", "No choice earns more than the correct one.")


def _true_false(content: QuestionContent) -> _Problems:
    if len(content.choices) > 2:
        yield _problem("/choices", "too_many", "Exactly two choices.")
    yield from _single(content)


def _multiple(content: QuestionContent) -> _Problems:
    correct = sum(choice.correct for choice in content.choices)
    if not correct:
        yield _problem("/choices", "none_correct", "At least one choice is correct.")
    elif correct == len(content.choices):
        yield _problem("/choices", "all_correct", "At least one choice is wrong.")
    for index, choice in enumerate(content.choices):
        weight = choice.weight or Decimal(0)
        if (choice.correct and weight < 0) or (not choice.correct and weight > 0):
            message = "A correct choice earns something, a wrong one costs something."
            yield _problem(f"/choices/{index}/weight", "weight", message)
    given = [choice.weight for choice in content.choices if choice.weight is not None]
    if given and sum(weight for weight in given if weight > 0) < Decimal("0.99"):
        yield _problem("/choices", "weights", "The correct choices together earn the full mark.")


def _numeric(content: QuestionContent) -> _Problems:
    if not any(band.fraction == 1 for band in content.bands):
        yield _problem("/bands", "required", "One answer at least earns the full mark.")


def _short_text(content: QuestionContent) -> _Problems:
    if not content.accepted:
        yield _problem("/accepted", "required", "At least one text is accepted.")
    yield from _distinct("/accepted", [FormattedText(text=text) for text in content.accepted])
    yield from _unanswerable(content.accepted)


def _matching(content: QuestionContent) -> _Problems:
    if len(content.prompts) < FEWEST_PROMPTS:
        yield _problem("/prompts", "too_few", f"At least {FEWEST_PROMPTS} prompts.")
    keys = {choice.key for choice in content.choices}
    for index, prompt in enumerate(content.prompts):
        if prompt.choice not in keys:
            yield _problem(f"/prompts/{index}/choiceId", "unknown_choice", "There is no such choice.")
    yield from _distinct("/prompts", [prompt.text for prompt in content.prompts])


def _ordering(content: QuestionContent) -> _Problems:
    if not all(choice.correct for choice in content.choices):
        yield _problem("/choices", "order", "Every choice belongs into the order.")


_KEYS: Mapping[QuestionKind, Callable[[QuestionContent], _Problems]] = {
    QuestionKind.SINGLE: _single,
    QuestionKind.TRUE_FALSE: _true_false,
    QuestionKind.MULTIPLE: _multiple,
    QuestionKind.NUMERIC: _numeric,
    QuestionKind.SHORT_TEXT: _short_text,
    QuestionKind.MATCHING: _matching,
    QuestionKind.ORDERING: _ordering,
}


def _problem(pointer: str, code: str, message: str) -> FieldProblem:
    return FieldProblem(pointer, code, message)
