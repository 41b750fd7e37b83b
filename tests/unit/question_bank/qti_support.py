"""Small QTI documents and packages for tests, and questions to be written as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import strategies as st

from adapters.files.qti_questions import CanvasWriter, Qti3Writer, parse_qti
from application.question_bank.ports.exporting import Losses, QuestionWriter
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    Severity,
    TextFormat,
    normalized_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import Report, sort_items

WRITERS: dict[str, QuestionWriter] = {writer.format: writer for writer in (CanvasWriter(), Qti3Writer())}
CP = "http://www.imsglobal.org/xsd/imscp_v1p1"


def report_of(data: bytes | str, name: str = "file.xml") -> Report:
    content = data.encode() if isinstance(data, str) else data
    return sort_items(parse_qti(BytesIO(content), file_name=name, bank="security"))


def written(format_: str, questions: Iterable[ImportedQuestion], losses: Losses | None = None) -> bytes:
    return b"".join(WRITERS[format_].write(questions, losses if losses is not None else Losses()))


def packed(files: Mapping[str, str | bytes]) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def manifest(*resources: str, more: str = "") -> str:
    return f'<manifest xmlns="{CP}" identifier="m">{more}<resources>{"".join(resources)}</resources></manifest>'


def resource(href: str, kind: str = "imsqti_item_xmlv2p2", inside: str = "", identifier: str = "r") -> str:
    return f'<resource identifier="{identifier}" type="{kind}" href="{href}">{inside}<file href="{href}"/></resource>'


def document12(*items: str, title: str = "Ports") -> str:
    return (
        '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">'
        f'<assessment ident="a" title="{title}"><section ident="s">{"".join(items)}</section></assessment>'
        "</questestinterop>"
    )


def field12(label: str, entry: str) -> str:
    pair = f"<fieldlabel>{label}</fieldlabel><fieldentry>{entry}</fieldentry>"
    return f"<qtimetadatafield>{pair}</qtimetadatafield>"


def condition12(test: str, score: str = "", feedback: str = "") -> str:
    shown = f'<displayfeedback feedbacktype="Response" linkrefid="{feedback}"/>' if feedback else ""
    return f"<respcondition><conditionvar>{test}</conditionvar>{score}{shown}</respcondition>"


def chosen12(choice: str) -> str:
    return f'<varequal respident="r">{choice}</varequal>'


def scored12(choice: str, value: str, action: str = "Add", variable: str = "que_score") -> str:
    return condition12(chosen12(choice), f'<setvar varname="{variable}" action="{action}">{value}</setvar>')


def item12(
    *conditions: str,
    ident: str = "q1",
    cardinality: str = "Single",
    fields: str = "",
    labels: str = "",
    more: str = "",
    stem: str = '<mattext texttype="text/plain">Why?</mattext>',
) -> str:
    labels = labels or "".join(
        f'<response_label ident="{letter}"><material><mattext>{letter * 2}</mattext></material></response_label>'
        for letter in "ABC"
    )
    return (
        f'<item ident="{ident}" title="t"><itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata>'
        f"<presentation><material>{stem}</material>"
        f'<response_lid ident="r" rcardinality="{cardinality}"><render_choice>{labels}</render_choice></response_lid>'
        f"</presentation><resprocessing>{''.join(conditions)}</resprocessing>{more}</item>"
    )


def item3(
    body: str = "<p>Why?</p>",
    *,
    ident: str = "q1",
    cardinality: str = "single",
    correct: Iterable[str] = ("A",),
    mapping: str = "",
    outcomes: str = "",
    choices: str = "",
    processing: str = "",
    more: str = "",
) -> str:
    values = "".join(f"<qti-value>{value}</qti-value>" for value in correct)
    choices = choices or "".join(
        f'<qti-simple-choice identifier="{letter}">{letter * 2}</qti-simple-choice>' for letter in "ABC"
    )
    return (
        '<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" '
        f'identifier="{ident}" title="t" time-dependent="false">'
        f'<qti-response-declaration identifier="RESPONSE" cardinality="{cardinality}" base-type="identifier">'
        f"<qti-correct-response>{values}</qti-correct-response>{mapping}</qti-response-declaration>{outcomes}"
        f'<qti-item-body>{body}<qti-choice-interaction response-identifier="RESPONSE" shuffle="true" max-choices="1">'
        f"{choices}</qti-choice-interaction></qti-item-body>{processing}{more}</qti-assessment-item>"
    )


_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
_lines = st.text(st.sampled_from("ab <>&\"'\r\n\t \xa0\u2003é🎲"), min_size=1, max_size=16)
_markup = st.recursive(
    st.sampled_from(
        ["a", "b &amp; c", "&lt;p&gt;", "<br>", " ", "  ", "\n", "é", '<img src="x.png" alt="y">', "&nbsp;"]
    ),
    lambda inner: st.builds(
        "<{0}>{1}</{0}>".format,
        st.sampled_from(["p", "b", "div", "pre", "ul", "li", "code", "script", 'a href="/?a=1&amp;b=2" title="<b>"']),
        st.lists(inner, max_size=3).map("".join),
    ).map(lambda html: html.replace('</a href="/?a=1&amp;b=2" title="<b>">', "</a>")),
    max_leaves=6,
)
_plain_texts = st.builds(FormattedText, text=(_words | _lines).map(trimmed).filter(bool))
_marked_texts = st.builds(
    FormattedText, text=st.lists(_markup, min_size=1, max_size=3).map("".join), format=st.just(TextFormat.HTML)
)
_markdown_texts = st.builds(FormattedText, text=_lines.map(trimmed).filter(bool), format=st.just(TextFormat.MARKDOWN))
texts = _plain_texts | _marked_texts | _marked_texts | _markdown_texts
_ids = (_words | st.sampled_from(["q1", "ace-q1", "1", "_", "a b", "ÄÖ", "a_20_b"])).map(normalized_id).filter(bool)


@st.composite
def questions(draw: st.DrawFn) -> ImportedQuestion:
    """Sound choice questions with whatever an import or an author can put into them."""
    kind = draw(st.sampled_from([QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE]))
    keys = CHOICE_KEYS[: 2 if kind is QuestionKind.TRUE_FALSE else draw(st.integers(2, 5))]
    several = kind is QuestionKind.MULTIPLE
    right = draw(st.sets(st.sampled_from(keys), min_size=1, max_size=len(keys) if several else 1))
    weights = st.none() | st.decimals(min_value=-1, max_value=1, places=draw(st.integers(0, 9)))
    weighted = draw(st.booleans())
    return ImportedQuestion(
        external_id=draw(_ids),
        bank="security",
        domain=draw(_words),
        difficulty=draw(st.none() | st.sampled_from(["easy", "Hard", "medium", "expert"])),
        kind=kind,
        stem=draw(texts),
        choices=tuple(
            ImportedChoice(
                key=key,
                text=draw(texts),
                correct=key in right,
                weight=draw(weights) if weighted else None,
                explanation=draw(st.none() | texts),
                pinned=draw(st.booleans()),
            )
            for key in keys
        ),
        explanation=draw(st.none() | texts),
        tags=tuple(draw(st.lists(_words, max_size=3))),
        points=draw(st.decimals(min_value=Decimal("0.0001"), max_value=9999, places=4)),
        shuffle=draw(st.booleans()),
        origin=Origin(format="bank", file="", record=1, line=0),
    )


def is_sound(question: ImportedQuestion) -> bool:
    return not any(problem.severity is Severity.ERROR for problem in examine(question))
