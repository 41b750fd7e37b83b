"""Items of QTI 1.2 as Canvas, Respondus and text2qti write them.

Facts of the format: an `item` has `itemmetadata` (label and entry pairs; Canvas: `question_type`, `points_possible`;
QTI 1.2: `qmd_topic`, `qmd_levelofdifficulty`, `qmd_keywords`), a `presentation` with `material` and one response, and
`resprocessing`. Choices are the `response_label`s of a `response_lid` (`rcardinality` Single by default, Multiple or
Ordered); `render_choice shuffle="Yes"` mixes them but those with `rshuffle="No"` (Canvas: `lock="Yes"`). `mattext` is
plain text unless its `texttype` is text/html; the HTML stands in it as a string.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.drafts import Draft, Option, Remark, Unsupported
from adapters.files.qti_questions.elements import attribute, descendants, points, text_in
from adapters.files.qti_questions.identifiers import external_id_of
from adapters.files.qti_questions.qti12_scoring import conditions_of, feedback_of, marking
from adapters.files.qti_questions.texts import Texts, joined
from domain.question_bank.imported import FormattedText, trimmed
from domain.question_bank.kinds import QuestionKind

_CHOICE_TYPES: Final = {
    "multiple_choice_question": False,
    "true_false_question": False,
    "multiple_answers_question": True,
}
"""Whether an item of the type may have several right answers."""
_RESPONSES: Final = frozenset({"response_lid", "response_str", "response_num", "response_xy", "response_grp"})
_PICTURES: Final = frozenset({"matimage", "mataudio", "matvideo", "matapplet", "matapplication"})
_ONE_POINT: Final = Decimal(1)
_REFERENCES: Final = frozenset({"bankentry_item", "itemref"})

ITEM_TAGS: Final = frozenset({"item", *_REFERENCES})
"""What is a record of its own in a file: items, and references to items that are somewhere else."""


def read_item(item: Element, domain: str) -> Draft | Unsupported:
    """A choice question, or the type of what is something else. `domain` is the title of what holds the item."""
    if item.tag in _REFERENCES:
        return Unsupported(type=item.tag)
    metadata = _metadata(item)
    declared = metadata.get("question_type", [""])[0]
    presentation = item.find("presentation")
    responses = [] if presentation is None else [*descendants(presentation, *_RESPONSES)]
    if declared and declared not in _CHOICE_TYPES:
        return Unsupported(type=declared)
    if presentation is None or not _is_choice(responses):
        return Unsupported(type=_shape(responses, declared))
    return _draft(item, presentation, responses[0], metadata, domain)


def _draft(
    item: Element, presentation: Element, response: Element, metadata: Mapping[str, Sequence[str]], domain: str
) -> Draft:
    texts = Texts()
    options = [_option(label, texts) for label in response.iter("response_label")]
    several = _takes_several(metadata.get("question_type", [""])[0], response)
    conditions = conditions_of(item, {option.identifier for option in options})
    key = marking(conditions, [option.identifier for option in options], several=several)
    feedback = {attribute(found, "ident"): _material(found, texts) for found in item.iter("itemfeedback")}
    notes, general = feedback_of(conditions, [*feedback], [option.identifier for option in options])
    domain = trimmed(metadata.get("qmd_topic", [domain])[0])
    return Draft(
        identifier=external_id_of(attribute(item, "ident")),
        kind=_kind(metadata, options, several=several),
        stem=_stem(presentation, response, texts),
        options=options,
        correct=key.correct,
        weights=key.weights,
        notes={choice: text for choice in notes if (text := joined([feedback[link] for link in notes[choice]]))},
        explanation=joined([feedback[link] for link in general]),
        points=_points(item, metadata),
        shuffle=any(attribute(render, "shuffle").lower() == "yes" for render in response.iter("render_choice")),
        domain=domain,
        difficulty=next(iter(metadata.get("qmd_levelofdifficulty", ())), None),
        tags=tuple(dict.fromkeys(metadata.get("qmd_keywords", ()))),
        remarks=[*_remarks(item, metadata), *texts.remarks()],
    )


def _metadata(item: Element) -> dict[str, list[str]]:
    """Labels in small letters, each with all its entries; blank ones are left out, but for a topic: it says "none"."""
    metadata: dict[str, list[str]] = {}
    for pair in item.iter("qtimetadatafield"):
        label, entry = text_in(pair.find("fieldlabel")).lower(), text_in(pair.find("fieldentry"))
        if entry or label == "qmd_topic":
            metadata.setdefault(label, []).append(entry)
    return metadata


def _is_choice(responses: Sequence[Element]) -> bool:
    if len(responses) != 1 or responses[0].tag != "response_lid":
        return False
    cardinality = attribute(responses[0], "rcardinality", "Single").lower()
    return cardinality in ("single", "multiple") and any(True for _ in responses[0].iter("render_choice"))


def _shape(responses: Sequence[Element], declared: str) -> str:
    """What to call an item by where its metadata do not, or say something else than it is."""
    found = "+".join(dict.fromkeys(response.tag for response in responses)) or "no response"
    if responses and attribute(responses[0], "rcardinality").lower() == "ordered":
        found = f"{found} ordered"
    return f"{declared} with {len(responses)} {found}" if declared else found


def _takes_several(declared: str, response: Element) -> bool:
    multiple = attribute(response, "rcardinality").lower() == "multiple"
    return _CHOICE_TYPES.get(declared, multiple)


def _kind(metadata: Mapping[str, Sequence[str]], options: Sequence[Option], *, several: bool) -> QuestionKind:
    if several:
        return QuestionKind.MULTIPLE
    declared = metadata.get("question_type", [""])[0]
    is_statement = declared == "true_false_question" and len(options) == 2
    return QuestionKind.TRUE_FALSE if is_statement else QuestionKind.SINGLE


def _option(label: Element, texts: Texts) -> Option:
    pinned = attribute(label, "rshuffle").lower() == "no" or attribute(label, "lock").lower() == "yes"
    return Option(
        identifier=attribute(label, "ident"), text=_material(label, texts) or FormattedText(text=""), pinned=pinned
    )


def _stem(presentation: Element, response: Element, texts: Texts) -> FormattedText:
    """What stands around the choices, with what the response says before its first choice."""
    labels = {found for label in response.iter("response_label") for found in label.iter()}
    shown = [_text(found, texts) for found in presentation.iter() if found not in labels]
    return joined(shown) or FormattedText(text="")


def _material(element: Element, texts: Texts) -> FormattedText | None:
    return joined([_text(found, texts) for found in element.iter()])


def _text(element: Element, texts: Texts) -> FormattedText | None:
    kind = element.tag
    if kind in _PICTURES:
        texts.missing[attribute(element, "uri") or attribute(element, "label") or kind] = None
    if kind not in ("mattext", "matemtext"):
        return None
    text = "".join(element.itertext())
    if attribute(element, "texttype").lower() == "text/html":
        return texts.html(text)
    return FormattedText(text=trimmed(text))


def _points(item: Element, metadata: Mapping[str, Sequence[str]]) -> Decimal:
    """As Canvas states them; else the most that a score can be that is not a percentage."""
    if stated := metadata.get("points_possible"):
        return points(stated[0])
    for variable in item.iter("decvar"):
        if attribute(variable, "varname").upper() != "SCORE" and (most := attribute(variable, "maxvalue")):
            return points(most)
    return _ONE_POINT


def _remarks(item: Element, metadata: Mapping[str, Sequence[str]]) -> Iterator[Remark]:
    if stimulus := metadata.get("parent_stimulus_item_ident"):
        message = "The question belongs to a text that is an item of its own and is not imported."
        yield Remark(code="stimulus_left_out", field="question-text", message=message, detail=stimulus[0])
    if any(text_in(rubric) for rubric in item.iter("rubric")):
        message = "The rubric of the item is not imported."
        yield Remark(code="rubric_left_out", field=None, message=message)
