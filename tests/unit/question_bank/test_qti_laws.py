"""Laws of the QTI writers: what is written is read again as projected, and the same questions are the same bytes."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.files.qti_questions import project_canvas_qti, project_qti3
from adapters.files.qti_questions.identifiers import external_id_of, identifier_of
from application.question_bank.ports.exporting import Losses
from domain.question_bank.imported import FormattedText, ImportedQuestion, Origin, TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.qti_support import document12, is_sound, item12, questions, report_of, scored12, written

PROJECTIONS = {"canvas_qti": project_canvas_qti, "qti3": project_qti3}
NOWHERE = Origin(format="", file="", record=0, line=0)
FORMATS = pytest.mark.parametrize("format_", list(PROJECTIONS))


def without_origin(question: ImportedQuestion) -> ImportedQuestion:
    return replace(question, origin=NOWHERE)


@FORMATS
@given(given_questions=st.lists(questions(), max_size=3, unique_by=lambda question: question.external_id))
def test_what_is_written_is_read_again_as_the_projection_says(
    format_: str, given_questions: list[ImportedQuestion]
) -> None:
    losses = Losses()
    report = report_of(written(format_, given_questions, losses), "export.zip")
    left = [PROJECTIONS[format_](question) for question in given_questions]
    assert list(map(without_origin, report.questions)) == [without_origin(found) for found in left if found]
    assert report.errors == {}
    assert losses.counts.get("unsupported", 0) == left.count(None)


@FORMATS
@given(question=questions())
def test_a_projection_loses_nothing_more_the_second_time(format_: str, question: ImportedQuestion) -> None:
    left = PROJECTIONS[format_](question)
    if left is not None:
        assert is_sound(left)
        assert PROJECTIONS[format_](left) == left


@FORMATS
@given(question=questions())
def test_a_question_in_plain_text_keeps_what_it_says(format_: str, question: ImportedQuestion) -> None:
    """Characters that XML cannot hold, partial credit in Canvas and odd difficulties aside, nothing is lost."""
    left = PROJECTIONS[format_](question)
    texts = [question.stem, *(choice.text for choice in question.choices)]
    if left is None or any(text.format is TextFormat.HTML for text in texts):
        return
    assert (left.external_id, left.kind, left.points) == (question.external_id, question.kind, question.points)
    assert (left.answer, left.shuffle) == (question.answer, question.shuffle)
    assert [choice.pinned for choice in left.choices] == [choice.pinned for choice in question.choices]
    if "".join(text.text for text in texts).isprintable():
        assert [left.stem.text, *(choice.text.text for choice in left.choices)] == [text.text for text in texts]


@FORMATS
@given(given_questions=st.lists(questions(), max_size=3, unique_by=lambda question: question.external_id))
def test_the_same_questions_are_the_same_bytes_without_a_clock(
    format_: str, given_questions: list[ImportedQuestion]
) -> None:
    data = written(format_, given_questions)
    assert written(format_, iter(given_questions)) == data
    with ZipFile(BytesIO(data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@FORMATS
@given(question=questions(), kind=st.sampled_from(["numeric", "short_text", "matching", "ordering"]))
def test_other_kinds_are_counted_and_left_out(format_: str, question: ImportedQuestion, kind: str) -> None:
    losses = Losses()
    other = replace(question, kind=QuestionKind(kind))
    assert report_of(written(format_, [other], losses), "export.zip").questions == []
    assert losses.counts == {"unsupported": 1}
    assert PROJECTIONS[format_](other) is None


@FORMATS
def test_markup_too_deep_for_a_document_is_left_out(format_: str) -> None:
    deep = FormattedText(text="<b>" * 195 + "a" + "</b>" * 195, format=TextFormat.HTML)
    shallow = replace(deep, text="<b>a</b>")
    question = report_of(document12(item12(scored12("A", "1")))).only
    questions_in_order = [replace(question, explanation=text, external_id=text.text[:9]) for text in (deep, shallow)]
    report = report_of(written(format_, questions_in_order), "export.zip")
    kept = [found.explanation.text for found in report.questions if found.explanation]
    assert kept == ([deep.text] if format_ == "canvas_qti" else []) + [shallow.text]
    assert len(report.questions) == 2


@given(st.text() | st.text(st.sampled_from("ab _-\u00e9")).map("ace-{}".format))
@example("ace-_41_")
def test_every_id_has_an_identifier_that_leads_back_to_it(external_id: str) -> None:
    identifier = identifier_of(external_id)
    assert identifier[0].isalpha() or identifier[0] == "_"
    assert identifier.isascii()
    assert set(identifier) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    assert external_id_of(identifier) == external_id


@given(st.text(), st.text())
@example("ace-_41_", "A")
@example("a b", "ace-a_20_b")
def test_two_ids_never_share_an_identifier(one: str, other: str) -> None:
    assert (identifier_of(one) == identifier_of(other)) is (one == other)


@given(st.text(st.sampled_from("ace-_20fx")))
@example("ace-_ffffff_")
@example("ace-_41_")
def test_an_identifier_of_others_is_an_id_as_it_is(identifier: str) -> None:
    assert external_id_of(identifier) == identifier or identifier_of(external_id_of(identifier)) == identifier
