"""Files that are built to be slow: whatever a cell, a header or a record holds, its cost follows its length."""

from __future__ import annotations

import io
import sys
import tracemalloc
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.csv_questions import CsvOptions, decoding
from adapters.files.csv_questions.header import MAX_COLUMNS, TooManyColumns
from domain.question_bank.answers import AnswerFault, read_answer
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import (
    LONGEST_TEXT,
    MOST_MARKS,
    ImportedQuestion,
    canonical_text,
    derived_external_id,
    has_too_many_marks,
    normalized_id,
)
from tests.unit.question_bank.csv_support import HEADER, Report, items_of, report_of, row

MEBI = 1024 * 1024
# Of each pair the second sorts before the first. U+0F73 counts as a starter and decomposes into such a pair.
MARKS = ("\u0301\u0316", "\u0f73", "\U0001d16d\U0001d165")
COLUMNS = (
    *HEADER.strip().split(","),
    *("tags", "points", "difficulty", "explanation"),
)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Quadratic work on such texts takes minutes to hours, so the bounds can be generous to slow machines."""
    start = process_time()
    yield
    assert process_time() - start < seconds


def with_cell(column: str, cell: str) -> str:
    cells = dict.fromkeys(COLUMNS, "") | {
        "question-id": "S1",
        "domain": "1.1",
        "question-text": "Why?",
        "correct answer": "A",
        **{f"option-{letter}": letter * 3 for letter in "abcd"},
    }
    return ",".join(COLUMNS) + "\n" + ",".join((cells | {column: cell}).values()) + "\n"


def findings(report: Report) -> set[tuple[str, str | None]]:
    return {(problem.code, problem.field) for problem in report.problems}


class TestCombiningMarks:
    @pytest.mark.parametrize("column", COLUMNS)
    def test_no_cell_is_worth_more_time_than_its_length(self, column: str) -> None:
        data = with_cell(column, "a" + MARKS[0] * (2 * MEBI - 1024)).encode()
        with at_most(10):
            report = report_of(data)
        code = {"correct answer": "bad_answer", "points": "bad_points"}.get(column, "field_too_long")
        assert findings(report) == {(code, column)}
        assert report.questions == []

    @pytest.mark.parametrize("column", [column for column in COLUMNS if column != "points"])
    @pytest.mark.parametrize("marks", MARKS)
    def test_a_text_within_its_length_is_refused_for_them(self, column: str, marks: str) -> None:
        report = report_of(with_cell(column, "a" + marks * (MOST_MARKS // len(marks)) + marks[0]))
        assert findings(report) == {("too_many_combining_marks", column)}
        assert report.questions == []

    def test_as_many_as_are_allowed_may_follow_every_letter(self) -> None:
        question = report_of(with_cell("question-text", ("a" + "\u0301" * MOST_MARKS) * 500)).only
        with at_most(10):
            assert question.content_hash

    def test_zero_width_characters_cannot_hide_them_in_an_id(self) -> None:
        hidden = "a" + ("\u0316\u0301" * 10 + "\u200b") * 2
        assert not has_too_many_marks(hidden)
        assert findings(report_of(with_cell("question-id", hidden))) == {("too_many_combining_marks", "question-id")}

    @pytest.mark.parametrize("marks", MARKS)
    def test_normalising_is_safe_for_any_caller(self, marks: str) -> None:
        cell = "a" + marks * (4 * MEBI // len(marks))
        options = ["x", cell]
        with at_most(40):
            for text in (cell, cell[:LONGEST_TEXT]):
                assert canonical_text(text) == text
                assert normalized_id(text) == text
                assert derived_external_id("stem", [text])
                assert isinstance(read_answer(text, options), AnswerFault)

    def test_every_character_that_normalisation_reorders_is_known(self) -> None:
        for character in map(chr, range(sys.maxunicode + 1)):
            reordered = unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0
            assert has_too_many_marks("é" + character * (MOST_MARKS + 1)) is reordered, hex(ord(character))

    @pytest.mark.parametrize("place", range(2 * MOST_MARKS + 3))
    def test_one_mark_too_many_is_found_at_any_place(self, place: int) -> None:
        assert has_too_many_marks("a" * place + "\u0301" * (MOST_MARKS + 1))
        assert not has_too_many_marks("a" * place + "\u0301" * MOST_MARKS + "a" * MOST_MARKS)

    @given(
        before=st.text(max_size=70),
        run=st.text(st.sampled_from("\u0301\u0316\u0f73\u05b0\U0001d165"), max_size=70),
        after=st.text(max_size=70),
    )
    def test_a_run_is_judged_by_itself_wherever_it_stands(self, before: str, run: str, after: str) -> None:
        before, after = before + "a", "a" + after
        expected = len(run) > MOST_MARKS or has_too_many_marks(before) or has_too_many_marks(after)
        assert has_too_many_marks(before + run + after) is expected

    @given(text=st.text(st.sampled_from("ae\u0301\u0316\u0f73\u1100\u1161\u212bé "), max_size=60))
    def test_what_may_be_normalised_is(self, text: str) -> None:
        text = text.strip()
        expected = text if has_too_many_marks(text) else unicodedata.normalize("NFC", text)
        assert canonical_text(text) == expected


class TestHeader:
    @pytest.mark.parametrize("name", ["option-e", "x", "", "\x80"])
    def test_a_header_of_any_number_of_columns_is_judged_at_once(self, name: str) -> None:
        cell = name.encode("latin-1") + b","
        data = HEADER.strip().encode() + b"," + cell * (2 * MEBI // len(cell)) + b"\n"
        with at_most(16), pytest.raises(ImportRefused) as caught:
            list(items_of(data))
        assert isinstance(caught.value, TooManyColumns)
        assert len(caught.value.columns) == 60
        assert len(caught.value.detail) < 2000

    def test_so_many_columns_are_read(self) -> None:
        more = MAX_COLUMNS - len(HEADER.split(","))
        data = HEADER.strip() + ",x" * more + "\n" + row().strip() + ",y" * more + "\n"
        assert report_of(data).only.external_id == "S1"
        with pytest.raises(TooManyColumns):
            report_of(data.replace(",x\n", ",x,x\n"))

    @pytest.mark.parametrize("unit", ["a-", "- _", "a\u0301\u0316", "\x80", "\u0f73"])
    def test_a_name_of_any_length_is_no_column(self, unit: str) -> None:
        data = HEADER.strip() + "," + unit * (MEBI // len(unit)) + "\n" + row().strip() + ",\n"
        with at_most(12):
            assert report_of(data).only.external_id == "S1"


class TestCells:
    @pytest.mark.parametrize(
        ("column", "unit"),
        [
            ("question-text", "choose "),
            ("question-text", "choose" + " " * 1000),
            ("question-text", "choose two "),
            ("question-text", "select the" + " " * 500),
            ("question-text", "√Ã‚â†"),
            ("question-text", "\x01"),
            ("option-a", "√Ã‚â†"),
            ("question-id", "\u200bé"),
            ("tags", ";"),
            ("tags", "a;"),
            ("tags", "\x01;"),
            ("correct answer", "A"),
            ("correct answer", "A and "),
            ("correct answer", "1 "),
            ("points", "1"),
        ],
    )
    def test_no_content_costs_more_than_its_length(self, column: str, unit: str) -> None:
        data = with_cell(column, unit * (2 * MEBI // len(unit))).encode()
        with at_most(12):
            report = report_of(data)
        assert len(report.problems) < 5

    def test_of_too_many_tags_only_so_many_are_kept(self) -> None:
        data = with_cell("tags", ";".join(f"\x01{number}" for number in range(200_000))).encode()
        tracemalloc.start()
        try:
            report = report_of(data)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert ("too_many_tags", "tags") in findings(report)
        assert len(report.problems) < 60
        assert peak < 20 * MEBI

    def test_a_record_has_a_bounded_number_of_findings(self) -> None:
        cells = ["\x01é\u202eÃ©"] * len(COLUMNS)
        assert len(report_of(",".join(COLUMNS) + "\n" + ",".join(cells)).problems) < 50


class TestLines:
    @pytest.mark.parametrize("unit", ["\n", "\r", '"a\n', "é", "😀", ","])
    def test_lines_of_any_length_cost_what_they_hold(self, unit: str) -> None:
        data = (HEADER + unit * (2 * MEBI // len(unit))).encode()
        with at_most(20):  # the findings, hundreds of thousands for one of them, are not kept: no import keeps them
            assert not any(isinstance(item, ImportedQuestion) for item in items_of(data))

    @given(text=st.text(st.sampled_from("ab\r\né"), max_size=40), block=st.integers(1, 8))
    def test_a_line_is_the_same_however_it_arrives(self, text: str, block: int) -> None:
        with patch.object(decoding, "BLOCK_BYTES", block):
            lines = list(decoding.open_text([text.encode()], None).lines)
        assert lines == io.StringIO(text, newline="").readlines()

    def test_a_line_that_ended_is_not_lost_to_the_endless_one_after_it(self) -> None:
        whole = (HEADER + row("S1").replace("\r\n", "\r")).encode()
        with patch.object(decoding, "BLOCK_BYTES", len(whole)), patch.object(decoding, "MAX_RECORD", 2 * len(whole)):
            lines = decoding.open_text([whole, b"x" * 10 * len(whole)], None).lines
            assert [next(lines), next(lines)] == [HEADER, row("S1").replace("\r\n", "\r")]
            with pytest.raises(decoding.RecordTooLong):
                next(lines)

    @given(cell=st.text(st.sampled_from("aé😀\udc80\udcff\ud800"), max_size=20))
    def test_stray_bytes_are_counted_one_by_one(self, cell: str) -> None:
        mended, guessed, unreadable = decoding.mend([cell], guesses=True)
        strays = sum("\ud800" <= character <= "\udfff" for character in cell)
        assert (guessed, unreadable) == ((0, [0]) if "\ud800" in cell else (strays, []))
        assert len(mended[0]) == len(cell)

    @pytest.mark.parametrize("encoding", ["ascii", "gb18030", "utf-16-le"])
    def test_bytes_that_mean_nothing_cost_what_they_weigh(self, encoding: str) -> None:
        head, tail = (HEADER + row(text="@")).split("@")
        data = head.encode(encoding) + b"\xff\xdc" * (MEBI // 4) + tail.encode(encoding)
        with at_most(16):
            assert report_of(data, CsvOptions(encoding=encoding)).errors == {2: "undecodable"}
