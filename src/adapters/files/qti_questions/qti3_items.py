"""One question as an item of QTI 3.0.

Facts of the format (1EdTech QTI 3.0: information model, schema `imsqti_asiv3p0_v1p0.xsd` and the examples that
1EdTech publishes): the namespace is `imsqtiasi_v3p0`; the parts of an item stand in the order declarations, body,
response processing, modal feedback. The templates `match_correct` (1 or 0) and `map_response` (the sum of the mapping)
are known by their addresses under purl.imsglobal.org; where the full mark is not 1 or a choice has feedback, the same
rules are written out. Feedback is shown while its outcome holds its identifier, so general feedback has an outcome that
starts with it. A body holds blocks only, so the stem stands in a `div`; text with blanks that count stands in a `pre`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from adapters.files.qti_questions.identifiers import identifier_of
from adapters.files.qti_questions.xml_writing import in_attribute, in_text, representable, xhtml
from domain.question_bank.imported import FormattedText, ImportedQuestion, TextFormat
from domain.question_bank.kinds import QuestionKind

_ITEM: Final = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
_SCHEMA: Final = "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd"
_TEMPLATES: Final = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/"
_COUNTING_BLANKS: Final = re.compile(r"[\t\r\n]|  ")
_RESPONSE: Final = '<qti-variable identifier="RESPONSE"/>'


def item_of(question: ImportedQuestion) -> str:
    """The document of a question that QTI 3.0 can hold."""
    names = _names(question)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<qti-assessment-item xmlns="{_ITEM}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_ITEM} {_SCHEMA}" identifier="{identifier_of(question.external_id)}" '
        f'title="{in_attribute(representable(question.external_id))}" adaptive="false" time-dependent="false">\n'
        f"{_response_declaration(question, names)}{''.join(_outcomes(question))}"
        f"<qti-item-body>\n<div>{_content(question.stem)}</div>\n{_interaction(question, names)}</qti-item-body>\n"
        f"{_processing(question)}{''.join(_feedback(question, names))}</qti-assessment-item>\n"
    )


def _names(question: ImportedQuestion) -> dict[str, str]:
    """The identifiers of the choices. `true` and `false` are what tells a statement from another pair of choices."""
    keys = [choice.key for choice in question.choices]
    if question.kind is not QuestionKind.TRUE_FALSE:
        return {key: key for key in keys}
    first_is_false = question.choices[0].text.text.strip().lower() == "false"
    return dict(zip(keys, ("false", "true") if first_is_false else ("true", "false"), strict=True))


def _cardinality(question: ImportedQuestion) -> str:
    return "multiple" if question.kind is QuestionKind.MULTIPLE else "single"


def _weighted(question: ImportedQuestion) -> bool:
    return any(choice.weight is not None for choice in question.choices)


def _response_declaration(question: ImportedQuestion, names: dict[str, str]) -> str:
    values = "".join(f"<qti-value>{names[choice.key]}</qti-value>" for choice in question.choices if choice.correct)
    return (
        f'<qti-response-declaration identifier="RESPONSE" cardinality="{_cardinality(question)}" '
        f'base-type="identifier">\n<qti-correct-response>{values}</qti-correct-response>\n'
        f"{_mapping(question, names)}</qti-response-declaration>\n"
    )


def _mapping(question: ImportedQuestion, names: dict[str, str]) -> str:
    if not _weighted(question):
        return ""
    # A single choice may cost points; the sum over several never goes below nothing.
    lower = ' lower-bound="0"' if question.kind is QuestionKind.MULTIPLE else ""
    entries = "".join(
        f'<qti-map-entry map-key="{names[choice.key]}" mapped-value="{choice.weight * question.points:f}"/>'
        for choice in question.choices
        if choice.weight is not None
    )
    return f'<qti-mapping{lower} upper-bound="{question.points:f}" default-value="0">{entries}</qti-mapping>\n'


def _outcomes(question: ImportedQuestion) -> Iterator[str]:
    most = f"{question.points:f}"
    yield _outcome("SCORE", "float", "0", f' normal-maximum="{most}"')
    yield _outcome("MAXSCORE", "float", most)
    if _has_notes(question):
        cardinality = _cardinality(question)
        yield f'<qti-outcome-declaration identifier="FEEDBACK" cardinality="{cardinality}" base-type="identifier"/>\n'
    if question.explanation is not None:
        yield _outcome("EXPLANATION", "identifier", "explanation")


def _outcome(identifier: str, kind: str, default: str, more: str = "") -> str:
    return (
        f'<qti-outcome-declaration identifier="{identifier}" cardinality="single" base-type="{kind}"{more}>'
        f"<qti-default-value><qti-value>{default}</qti-value></qti-default-value></qti-outcome-declaration>\n"
    )


def _has_notes(question: ImportedQuestion) -> bool:
    return any(choice.explanation is not None for choice in question.choices)


def _interaction(question: ImportedQuestion, names: dict[str, str]) -> str:
    most = 0 if question.kind is QuestionKind.MULTIPLE else 1
    choices = "".join(
        f'<qti-simple-choice identifier="{names[choice.key]}" fixed="{str(choice.pinned).lower()}">'
        f"{_content(choice.text, wrapped=True)}</qti-simple-choice>\n"
        for choice in question.choices
    )
    return (
        f'<qti-choice-interaction response-identifier="RESPONSE" shuffle="{str(question.shuffle).lower()}" '
        f'max-choices="{most}">\n{choices}</qti-choice-interaction>\n'
    )


def _content(text: FormattedText, *, wrapped: bool = False) -> str:
    if text.format is TextFormat.HTML:
        return f"<div>{xhtml(text.text)}</div>" if wrapped else xhtml(text.text)
    plain = in_text(text.text)
    return f"<pre>{plain}</pre>" if _COUNTING_BLANKS.search(text.text) else plain


def _processing(question: ImportedQuestion) -> str:
    weighted = _weighted(question)
    if not _has_notes(question) and (weighted or question.points == 1):
        template = "map_response" if weighted else "match_correct"
        return f'<qti-response-processing template="{_TEMPLATES}{template}.xml"/>\n'
    score = _MAPPED if weighted else _MATCHED
    shown = f'<qti-set-outcome-value identifier="FEEDBACK">{_RESPONSE}</qti-set-outcome-value>\n'
    return f"<qti-response-processing>\n{shown if _has_notes(question) else ''}{score}</qti-response-processing>\n"


_MAPPED: Final = (
    '<qti-set-outcome-value identifier="SCORE"><qti-map-response identifier="RESPONSE"/></qti-set-outcome-value>\n'
)
_MATCHED: Final = (
    f'<qti-response-condition><qti-response-if><qti-match>{_RESPONSE}<qti-correct identifier="RESPONSE"/></qti-match>'
    '<qti-set-outcome-value identifier="SCORE"><qti-variable identifier="MAXSCORE"/></qti-set-outcome-value>'
    "</qti-response-if></qti-response-condition>\n"
)


def _feedback(question: ImportedQuestion, names: dict[str, str]) -> Iterator[str]:
    for choice in question.choices:
        if choice.explanation is not None:
            yield _shown("FEEDBACK", names[choice.key], choice.explanation)
    if question.explanation is not None:
        yield _shown("EXPLANATION", "explanation", question.explanation)


def _shown(outcome: str, identifier: str, text: FormattedText) -> str:
    return (
        f'<qti-modal-feedback outcome-identifier="{outcome}" identifier="{identifier}" show-hide="show">'
        f"<qti-content-body>{_content(text, wrapped=True)}</qti-content-body></qti-modal-feedback>\n"
    )
