"""Items of QTI 2.1, 2.2 and 3.0 with one choice interaction.

Facts of the format (1EdTech, QTI 2.2 and 3.0 information models and implementation guides, and their published
examples): an item declares a response with its correct values and, where it gives partial credit, a mapping from
choices to scores; the mapping counts only if the response processing uses it (the template `map_response` or the
expression of that name). `normal-maximum` of SCORE or the default of MAXSCORE is the full mark. `shuffle` mixes all
choices but those that are `fixed`. Feedback is shown when an outcome takes the identifier of the feedback.
Names are compared as `elements.name` gives them, so the spelling of the version does not matter here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.drafts import Draft, Option, Remark, Unsupported
from adapters.files.qti_questions.elements import (
    attribute,
    child,
    children,
    descendants,
    fraction,
    name,
    number,
    points,
    text_in,
)
from adapters.files.qti_questions.identifiers import external_id_of
from adapters.files.qti_questions.texts import Texts, joined
from domain.question_bank.imported import FormattedText
from domain.question_bank.kinds import QuestionKind

_NOTHING: Final = Decimal(0)
_ONE_POINT: Final = Decimal(1)
_FEEDBACK: Final = ("feedbackinline", "feedbackblock", "modalfeedback")
_STATEMENT: Final = {"true", "false"}

ITEM_TAGS: Final = frozenset({"assessmentItem", "qti-assessment-item"})
TEST_TAGS: Final = frozenset({"assessmentTest", "qti-assessment-test"})


def read_item(item: Element, domain: str, difficulty: str | None, tags: tuple[str, ...]) -> Draft | Unsupported:
    """A choice question, or what the item asks for instead."""
    body = child(item, "itembody")
    found = [] if body is None else [element for element in body.iter() if name(element).endswith("interaction")]
    if body is None or [name(element) for element in found] != ["choiceinteraction"]:
        return Unsupported(type="+".join(dict.fromkeys(map(_spelt, found))) or "no interaction")
    interaction = found[0]
    declaration = _declaration(item, attribute(interaction, "responseidentifier"))
    texts = Texts()
    choices = [*descendants(interaction, "simplechoice")]
    feedback = dict.fromkeys(descendants(item, *_FEEDBACK))
    options = [
        Option(
            identifier=attribute(choice, "identifier"),
            text=texts.content(choice, feedback),
            pinned=attribute(choice, "fixed").lower() == "true",
        )
        for choice in choices
    ]
    several = _takes_several(declaration, interaction)
    key = _Key(item, declaration, [option.identifier for option in options], several=several)
    notes, explanation = _explained(feedback, {option.identifier for option in options}, texts)
    left_out = [rubric for rubric in descendants(body, "rubricblock") if not _is_shown(rubric)]
    return Draft(
        identifier=external_id_of(attribute(item, "identifier")),
        kind=_kind(options, several=several),
        stem=_stem(body, interaction, {*feedback, *left_out}, texts),
        options=options,
        correct=key.correct,
        weights=key.weights,
        notes=notes,
        explanation=explanation,
        points=key.points,
        shuffle=attribute(interaction, "shuffle").lower() == "true",
        domain=domain,
        difficulty=difficulty,
        tags=tags,
        remarks=[*_remarks(item, left_out), *texts.remarks()],
    )


class _Key:
    """What is right, what each choice is worth, and the full mark."""

    def __init__(self, item: Element, declaration: Element | None, options: Sequence[str], *, several: bool) -> None:
        self._several = several
        scores, most = _mapping(item, declaration, options)
        self.correct = frozenset(_correct_values(declaration)) or self._best(scores)
        stated = _full_mark(item)
        full = max(self._achieved(scores, most), stated or _NOTHING)
        self.points = stated if stated is not None else points(str(full)) if full > 0 else _ONE_POINT
        self.weights: Mapping[str, Decimal] | None = None
        if scores and full > 0:
            self.weights = {option: fraction(score, full) for option, score in scores.items()}

    def _best(self, scores: Mapping[str, Decimal]) -> frozenset[str]:
        best = max(scores.values(), default=_NOTHING)
        least = _NOTHING if self._several else best
        return frozenset(option for option, score in scores.items() if score > 0 and score >= least)

    def _achieved(self, scores: Mapping[str, Decimal], most: Decimal | None) -> Decimal:
        """The score of the full answer."""
        worth = [scores[option] for option in self.correct if option in scores and scores[option] > 0]
        total = sum(worth, _NOTHING) if self._several else max(worth, default=_NOTHING)
        return total if most is None else min(total, most)


def _mapping(
    item: Element, declaration: Element | None, options: Sequence[str]
) -> tuple[dict[str, Decimal], Decimal | None]:
    """The score of every choice and the upper bound of their sum; nothing where the item does not use the mapping."""
    mapping = None if declaration is None else child(declaration, "mapping")
    if mapping is None or not _maps_response(item):
        return {}, None
    default = number(attribute(mapping, "defaultvalue", "0")) or _NOTHING
    scores = dict.fromkeys(options, default)
    for entry in children(mapping, "mapentry"):
        key, value = attribute(entry, "mapkey"), number(attribute(entry, "mappedvalue"))
        if key in scores and value is not None:
            scores[key] = value
    return scores, number(attribute(mapping, "upperbound"))


def _maps_response(item: Element) -> bool:
    processing = child(item, "responseprocessing")
    if processing is None:
        return False
    template = attribute(processing, "template").rpartition("/")[2].removesuffix(".xml")
    return template == "map_response" or any(True for _ in descendants(processing, "mapresponse"))


def _full_mark(item: Element) -> Decimal | None:
    """What the item says that its full mark is."""
    outcomes = {attribute(outcome, "identifier").upper(): outcome for outcome in children(item, "outcomedeclaration")}
    stated: list[str] = []
    if (score := outcomes.get("SCORE")) is not None:
        stated.append(attribute(score, "normalmaximum"))
    if (most := outcomes.get("MAXSCORE")) is not None:
        stated.append(text_in(child(most, "defaultvalue")))
    return next((points(value) for value in stated if value), None)


def _declaration(item: Element, identifier: str) -> Element | None:
    found = children(item, "responsedeclaration")
    return next((known for known in found if attribute(known, "identifier") == identifier), None)


def _correct_values(declaration: Element | None) -> Iterator[str]:
    right = None if declaration is None else child(declaration, "correctresponse")
    if right is not None:
        yield from filter(None, map(text_in, children(right, "value")))


def _takes_several(declaration: Element | None, interaction: Element) -> bool:
    if declaration is not None and (cardinality := attribute(declaration, "cardinality")):
        return cardinality.lower() != "single"
    return attribute(interaction, "maxchoices", "1") != "1"


def _kind(options: Sequence[Option], *, several: bool) -> QuestionKind:
    if several:
        return QuestionKind.MULTIPLE
    named = [option.identifier.lower() for option in options]
    return QuestionKind.TRUE_FALSE if len(named) == 2 and set(named) == _STATEMENT else QuestionKind.SINGLE


def _stem(body: Element, interaction: Element, left_out: Collection[Element], texts: Texts) -> FormattedText:
    """Everything around the choices, then the prompt."""
    around = texts.content(body, {interaction, *left_out})
    prompt = child(interaction, "prompt")
    asked = None if prompt is None else texts.content(prompt, left_out)
    return joined([around, asked]) or FormattedText(text="")


def _explained(
    feedback: Iterable[Element], options: Collection[str], texts: Texts
) -> tuple[dict[str, FormattedText], FormattedText | None]:
    """Feedback called like a choice belongs to it; what is hidden by its outcome, and all the rest, is general."""
    notes: dict[str, list[FormattedText]] = {}
    general: list[FormattedText] = []
    for found in feedback:
        text = texts.content(found)
        identifier = attribute(found, "identifier")
        if identifier in options and attribute(found, "showhide", "show").lower() == "show":
            notes.setdefault(identifier, []).append(text)
        else:
            general.append(text)
    explained = {option: note for option, parts in notes.items() if (note := joined(parts)) is not None}
    return explained, joined(general)


def _is_shown(rubric: Element) -> bool:
    """Whether the rubric is for those who answer, and not for those who mark."""
    views = attribute(rubric, "view").lower().split()
    return not views or "candidate" in views


def _remarks(item: Element, rubrics: Sequence[Element]) -> Iterator[Remark]:
    for stimulus in descendants(item, "assessmentstimulusref"):
        message = "The question belongs to a text in a file of its own, which is not imported."
        detail = attribute(stimulus, "href") or attribute(stimulus, "identifier")
        yield Remark(code="stimulus_left_out", field="question-text", message=message, detail=detail)
    if any(map(text_in, rubrics)):
        message = "The rubric for those who mark is not imported."
        yield Remark(code="rubric_left_out", field=None, message=message)


def _spelt(interaction: Element) -> str:
    """The name of an interaction as QTI 2 spells it, whatever the version."""
    first, *rest = interaction.tag.removeprefix("qti-").split("-")
    return first + "".join(word.capitalize() for word in rest)
