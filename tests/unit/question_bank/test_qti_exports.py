"""What other systems find in an exported package: files, names and rules as Canvas and QTI 3.0 expect them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from xml.etree.ElementTree import Element, fromstring
from zipfile import ZipFile

import pytest

from adapters.files.qti_questions import canvas_writing
from application.question_bank.ports.exporting import Losses
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, Origin, TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.qti_support import report_of, written

QTI3 = "{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}"
QTI12 = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
TEMPLATES = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/"
PLAIN = ImportedQuestion(
    external_id="net 1",
    bank="Network+",
    domain="Ports",
    difficulty="hard",
    kind=QuestionKind.SINGLE,
    stem=FormattedText(text="Which port?"),
    choices=(
        ImportedChoice(key="A", text=FormattedText(text="22"), correct=True),
        ImportedChoice(key="B", text=FormattedText(text="None of these"), correct=False, pinned=True),
    ),
    explanation=None,
    tags=("ssh", "tcp"),
    points=Decimal(1),
    shuffle=True,
    origin=Origin(format="bank", file="", record=1, line=0),
)
EXPLAINED = replace(
    PLAIN,
    explanation=FormattedText(text="SSH."),
    choices=tuple(replace(choice, explanation=FormattedText(text="Note.")) for choice in PLAIN.choices),
)
WEIGHTED = replace(
    PLAIN,
    kind=QuestionKind.MULTIPLE,
    points=Decimal("2.5"),
    choices=tuple(
        replace(choice, weight=Decimal(weight)) for choice, weight in zip(PLAIN.choices, ("1", "-0.5"), strict=True)
    ),
)


def contents(data: bytes) -> dict[str, Element]:
    with ZipFile(BytesIO(data)) as archive:
        return {entry: fromstring(archive.read(entry)) for entry in archive.namelist()}


def item3_of(question: ImportedQuestion) -> Element:
    return contents(written("qti3", [question]))["items/000001.xml"]


def item12_of(question: ImportedQuestion) -> Element:
    (item,) = next(iter(contents(written("canvas_qti", [question])).values())).iter(f"{QTI12}item")
    return item


def texts_of(element: Element, tag: str) -> list[str | None]:
    return [found.text for found in element.iter(tag)]


def test_canvas_finds_a_quiz_its_settings_and_a_manifest_that_joins_them() -> None:
    files = contents(written("canvas_qti", [PLAIN, WEIGHTED]))
    quiz, settings, manifest = files
    folder = quiz.split("/")[0]
    assert (quiz, settings, manifest) == (f"{folder}/{folder}.xml", f"{folder}/assessment_meta.xml", "imsmanifest.xml")
    resources = list(files[manifest].iter("{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}resource"))
    assert [found.get("type") for found in resources] == [
        "imsqti_xmlv1p2",
        "associatedcontent/imscc_xmlv1p1/learning-application-resource",
    ]
    assert [resources[0].get("identifier"), resources[1].get("href")] == [folder, settings]
    assert resources[0][1].get("identifierref") == resources[1].get("identifier")
    values = {found.tag.rpartition("}")[2]: found.text for found in files[settings]}
    assert (values["title"], values["points_possible"], values["shuffle_answers"]) == ("Network+", "3.5", "true")


def test_quizzes_of_different_banks_do_not_replace_each_other() -> None:
    first, again, other = ([replace(PLAIN, bank=bank)] for bank in ("one", "one", "two"))
    assert written("canvas_qti", first) == written("canvas_qti", again)
    assert not set(contents(written("canvas_qti", first))) & set(contents(written("canvas_qti", other))) - {
        "imsmanifest.xml"
    }


def test_a_bank_too_large_for_one_quiz_becomes_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_writing, "QUESTIONS_IN_QUIZ", 2)
    for count in (0, 1, 2, 3, 4, 5):
        questions = [replace(PLAIN, external_id=f"q{number}") for number in range(count)]
        data = written("canvas_qti", questions)
        assert len(contents(data)) == 2 * max(1, -(-count // 2)) + 1
        assert [found.external_id for found in report_of(data, "x.zip").questions] == [f"q{n}" for n in range(count)]


def test_canvas_is_told_type_points_key_and_feedback() -> None:
    item = item12_of(replace(EXPLAINED, kind=QuestionKind.MULTIPLE))
    entries = dict(zip(texts_of(item, f"{QTI12}fieldlabel"), texts_of(item, f"{QTI12}fieldentry"), strict=True))
    assert entries["question_type"] == "multiple_answers_question"
    assert entries["points_possible"] == "1"
    key = item.find(f".//{QTI12}and")
    assert key is not None
    assert [found.tag.rpartition("}")[2] for found in key] == ["varequal", "not"]
    feedback = [found.get("ident") for found in item.iter(f"{QTI12}itemfeedback")]
    assert feedback == ["general_fb", "A_fb", "B_fb"]
    assert [found.get("linkrefid") for found in item.iter(f"{QTI12}displayfeedback")] == feedback
    assert [found.get("rshuffle") for found in item.iter(f"{QTI12}response_label")] == [None, "No"]


@pytest.mark.parametrize(
    ("question", "template"),
    [
        (PLAIN, "match_correct.xml"),
        (WEIGHTED, "map_response.xml"),
        (replace(PLAIN, points=Decimal(2)), None),
        (EXPLAINED, None),
        (replace(WEIGHTED, choices=tuple(replace(c, explanation=PLAIN.stem) for c in WEIGHTED.choices)), None),
    ],
)
def test_qti_3_scores_by_a_template_where_one_says_enough(question: ImportedQuestion, template: str | None) -> None:
    processing = item3_of(question).find(f"{QTI3}qti-response-processing")
    assert processing is not None
    assert processing.get("template") == (template and TEMPLATES + template)
    assert (len(processing) == 0) is (template is not None)


def test_partial_credit_is_a_mapping_in_points() -> None:
    item = item3_of(WEIGHTED)
    mapping = next(item.iter(f"{QTI3}qti-mapping"))
    assert mapping.attrib == {"lower-bound": "0", "upper-bound": "2.5", "default-value": "0"}
    assert [(entry.get("map-key"), Decimal(entry.get("mapped-value", ""))) for entry in mapping] == [
        ("A", Decimal("2.5")),
        ("B", Decimal("-1.25")),
    ]
    score = next(found for found in item.iter(f"{QTI3}qti-outcome-declaration") if found.get("identifier") == "SCORE")
    assert score.get("normal-maximum") == "2.5"


def test_feedback_is_shown_by_an_outcome_that_the_processing_sets() -> None:
    item = item3_of(EXPLAINED)
    outcomes = {found.get("identifier"): found for found in item.iter(f"{QTI3}qti-outcome-declaration")}
    shown = [
        (found.get("outcome-identifier"), found.get("identifier")) for found in item.iter(f"{QTI3}qti-modal-feedback")
    ]
    assert shown == [("FEEDBACK", "A"), ("FEEDBACK", "B"), ("EXPLANATION", "explanation")]
    assert texts_of(outcomes["EXPLANATION"], f"{QTI3}qti-value") == ["explanation"]
    set_outcomes = [found.get("identifier") for found in item.iter(f"{QTI3}qti-set-outcome-value")]
    assert set_outcomes == ["FEEDBACK", "SCORE"]


def test_the_parts_of_an_item_stand_in_the_order_of_the_schema() -> None:
    parts = list(dict.fromkeys(part.tag.removeprefix(QTI3) for part in item3_of(EXPLAINED)))
    assert parts == [
        "qti-response-declaration",
        "qti-outcome-declaration",
        "qti-item-body",
        "qti-response-processing",
        "qti-modal-feedback",
    ]


def test_markup_becomes_xhtml_of_blocks_and_blanks_that_count_stay() -> None:
    html = FormattedText(text='a<br>b &nbsp;<b title="x<y">c</b>', format=TextFormat.HTML)
    code = FormattedText(text="if a:\n    b  c")
    item = item3_of(replace(PLAIN, stem=html, explanation=code))
    body = item.find(f"{QTI3}qti-item-body")
    assert body is not None
    assert [part.tag for part in body] == [f"{QTI3}div", f"{QTI3}qti-choice-interaction"]
    assert [part.tag for part in body[0]] == [f"{QTI3}br", f"{QTI3}b"]
    assert texts_of(item, f"{QTI3}pre") == [code.text]


def test_a_statement_is_known_by_its_identifiers() -> None:
    false_first = replace(
        PLAIN,
        kind=QuestionKind.TRUE_FALSE,
        choices=tuple(
            replace(choice, text=FormattedText(text=text))
            for choice, text in zip(PLAIN.choices, ("False", "True"), strict=True)
        ),
    )
    item = item3_of(false_first)
    assert [found.get("identifier") for found in item.iter(f"{QTI3}qti-simple-choice")] == ["false", "true"]
    assert next(item.iter(f"{QTI3}qti-value")).text == "false"
    assert report_of(written("qti3", [false_first]), "x.zip").only.kind is QuestionKind.TRUE_FALSE


def test_a_manifest_of_qti_3_lists_the_items_with_what_they_cannot_say() -> None:
    files = contents(written("qti3", [PLAIN, replace(PLAIN, external_id="2", domain="", tags=(), difficulty=None)]))
    manifest = files["imsmanifest.xml"]
    namespace = "{http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1}"
    resources = list(manifest.iter(f"{namespace}resource"))
    assert {found.get("type") for found in resources} == {"imsqti_item_xmlv3p0"}
    assert [found.get("href") for found in resources] == ["items/000001.xml", "items/000002.xml"]
    lom = "{http://ltsc.ieee.org/xsd/LOM}"
    assert texts_of(resources[0], f"{lom}string") == ["ssh", "tcp", "Ports"]
    assert texts_of(resources[0], f"{lom}value") == ["difficult", "discipline"]
    assert resources[1].find(f"{namespace}metadata") is None


@pytest.mark.parametrize("format_", ["canvas_qti", "qti3"])
def test_a_question_without_a_domain_has_none_afterwards(format_: str) -> None:
    assert report_of(written(format_, [replace(PLAIN, domain="")]), "x.zip").only.domain == ""


def test_what_is_lost_is_counted_by_what_it_is() -> None:
    losses = Losses()
    written("canvas_qti", [WEIGHTED, replace(PLAIN, stem=replace(PLAIN.stem, format=TextFormat.MARKDOWN))], losses)
    assert losses.counts == {"weights_lost": 1, "format_lost": 1}
    losses = Losses()
    written("qti3", [WEIGHTED, replace(PLAIN, difficulty="expert")], losses)
    assert losses.counts == {"difficulty_lost": 1}


@pytest.mark.parametrize("format_", ["canvas_qti", "qti3"])
def test_questions_are_taken_one_at_a_time(format_: str) -> None:
    """No more than one question is alive at once, however many there are."""
    alive: list[int] = []

    class Counted(str):
        __slots__ = ()

        def __del__(self) -> None:
            alive.pop()

    def made() -> Iterator[ImportedQuestion]:
        for number in range(50):
            alive.append(number)
            assert len(alive) <= 3
            yield replace(PLAIN, external_id=f"q{number}", difficulty=Counted("easy"))

    assert len(report_of(written(format_, made()), "x.zip").questions) == 50
