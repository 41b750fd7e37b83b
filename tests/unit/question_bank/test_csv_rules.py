"""The rules of CSV files, each on a small file of its own: encodings, header, quoting, width, blanks, cells."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from decimal import Decimal
from itertools import count, islice
from unittest.mock import patch

import pytest

from adapters.files.csv_questions import CsvOptions, parse_csv, records
from adapters.files.csv_questions.decoding import MAX_RECORD
from adapters.files.csv_questions.writing import CsvWriter
from application.question_bank.ports.exporting import Losses
from domain.question_bank.import_refusals import (
    DuplicateColumn,
    EmptyFile,
    ImportRefused,
    InvalidImportOption,
    MissingColumn,
    MissingHeader,
    UndecodableHeader,
)
from domain.question_bank.imported import BlankRecord, ImportedQuestion, ImportProblem, Origin, TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import HEADER, items_of, report_of, row


def refusal_of(data: bytes | str, options: CsvOptions | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as caught:
        list(items_of(data, options))
    return caught.value


def test_a_plain_file_gives_its_questions_in_order() -> None:
    report = report_of(HEADER + row("S1", notes="yes,no,,") + row("S2", answer='"B,C"'))
    first, second = report.questions
    assert (first.external_id, first.bank, first.domain, first.stem.text) == ("S1", "security", "1.1", "Why?")
    assert [(choice.key, choice.text.text, choice.correct) for choice in first.choices] == [
        ("A", "Alpha", True),
        ("B", "Beta", False),
        ("C", "Gamma", False),
        ("D", "Delta", False),
    ]
    assert [choice.explanation and choice.explanation.text for choice in first.choices] == ["yes", "no", None, None]
    assert (first.kind, second.kind, second.answer) == (QuestionKind.SINGLE, QuestionKind.MULTIPLE, "B,C")
    assert (first.difficulty, first.explanation, first.tags, first.points) == (None, None, (), Decimal(1))
    assert (first.shuffle, first.stem.format) == (True, TextFormat.PLAIN)
    assert second.origin == Origin(format="csv", file="file.csv", record=3, line=3)
    assert report.problems == []


def test_optional_columns_are_read_wherever_they_stand() -> None:
    header = "points,Tags,option-f,option-e,explanation-e,difficulty,explanation," + HEADER
    cells = '"2,5","net; tcp;;net ",six,five,note,hard,Overall.,'
    question = report_of(header + cells + row(answer="EF")).only
    assert (question.points, question.tags, question.difficulty) == (Decimal("2.5"), ("net", "tcp"), "hard")
    assert question.explanation
    assert question.explanation.text == "Overall."
    assert [choice.key for choice in question.choices if choice.correct] == ["E", "F"]
    assert question.choices[4].explanation
    assert question.choices[4].explanation.text == "note"


@pytest.mark.parametrize(
    ("said", "kept"), [("Easy", "easy"), (" HARD ", "hard"), ("medium", "medium"), ("cosmic", None), ("", None)]
)
@pytest.mark.parametrize("answer", ["C", "AC"])
def test_a_difficulty_is_kept_as_its_code_or_not_at_all(said: str, kept: str | None, answer: str) -> None:
    """Else a question would change when its export returns, for the bank knows no other spelling."""
    report = report_of(f"difficulty,{HEADER}{said},{row(answer=answer)}")
    returned = report_of(b"".join(CsvWriter().write(report.questions, Losses()))).only
    assert report.only.difficulty == returned.difficulty == kept
    assert report.only.content_hash == returned.content_hash
    assert [problem.code for problem in report.problems] == (["unknown_difficulty"] if said == "cosmic" else [])


@pytest.mark.parametrize("points", ["0", "-1", "one", "1e3", "1.23456", "٣"])
def test_points_that_are_no_positive_number_are_refused(points: str) -> None:
    assert report_of("points," + HEADER + f"{points}," + row()).errors == {2: "bad_points"}


class TestEncoding:
    @pytest.mark.parametrize(
        ("bom", "encoding"),
        [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
    )
    def test_a_bom_decides(self, bom: bytes, encoding: str) -> None:
        quoted = HEADER.replace("question-id", '"question-id"')
        report = report_of(bom + (quoted + row(text="Größe 😀 日本")).encode(encoding))
        assert report.only.stem.text == "Größe 😀 日本"
        assert report.problems == []

    def test_only_the_bytes_that_are_not_utf8_are_read_as_cp1252_and_counted(self) -> None:
        data = (HEADER + row("S1", "café")).encode() + row("S2", "“café” – é").encode("cp1252") + row("S3").encode()
        report = report_of(data)
        assert [question.stem.text for question in report.questions] == ["café", "“café” – é", "Why?"]
        assert report.remarks == {3: "encoding_guessed"}
        assert report.problems[0].message.startswith("5 bytes")

    @pytest.mark.parametrize("byte", [b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"])
    def test_a_byte_that_cp1252_does_not_know_refuses_its_record_only(self, byte: bytes) -> None:
        data = (HEADER + row("S1", "bad @ byte") + row("S2")).encode().replace(b"@", byte)
        report = report_of(data)
        assert report.errors == {2: "undecodable"}
        assert report.problems[0].field == "question-text"
        assert report.only.external_id == "S2"

    def test_nothing_is_guessed_where_the_encoding_is_known(self) -> None:
        stray = (HEADER + row("S1", "caf@") + row("S2")).encode().replace(b"@", b"\xe9")
        for report in (report_of(codecs.BOM_UTF8 + stray), report_of(stray, CsvOptions(encoding="utf-8"))):
            assert report.errors == {2: "undecodable"}
        cut = codecs.BOM_UTF16_LE + (HEADER + row("S1") + row("S2").rstrip()).encode("utf-16-le")[:-1]
        assert report_of(cut).errors == {3: "undecodable"}

    def test_an_override_is_obeyed(self) -> None:
        data = (HEADER + row(text="Привет")).encode("cp1251")
        assert report_of(data, CsvOptions(encoding="cp1251")).only.stem.text == "Привет"
        utf16 = (HEADER + row(text="é")).encode("utf-16-le")
        assert report_of(utf16, CsvOptions(encoding="utf-16-le")).only.stem.text == "é"
        undefined = (HEADER + row(text="@")).encode().replace(b"@", b"\x81")
        assert report_of(undefined, CsvOptions(encoding="cp1252")).errors == {2: "undecodable"}

    def test_a_header_may_hold_stray_bytes(self) -> None:
        data = (HEADER.replace("\r\n", ",Größe\r\n") + row().replace("\r\n", ",9\r\n")).encode("cp1252")
        report = report_of(data)
        assert [(problem.record, problem.code) for problem in report.problems] == [
            (1, "encoding_guessed"),
            (1, "unknown_column"),
        ]
        assert report.only.external_id == "S1"

    def test_a_header_that_cannot_be_decoded_refuses_the_file(self) -> None:
        data = HEADER.replace("\r\n", ",@\r\n").encode().replace(b"@", b"\x81")
        assert isinstance(refusal_of(data), UndecodableHeader)
        assert isinstance(refusal_of(HEADER.encode("utf-16-be"), CsvOptions(encoding="utf-16-le")), ImportRefused)

    def test_bytes_are_kept_when_decoding_only(self) -> None:
        with pytest.raises(UnicodeEncodeError):
            "é".encode("ascii", "adapters.files.keep-bytes")

    @pytest.mark.parametrize("encoding", ["no-such", "rot13", "base64", "idna", "\0"])
    def test_what_is_no_text_encoding_is_refused(self, encoding: str) -> None:
        with pytest.raises(InvalidImportOption):
            CsvOptions(encoding=encoding)


class TestHeader:
    @pytest.mark.parametrize("name", HEADER.strip().split(","))
    def test_every_column_of_the_contract_is_needed(self, name: str) -> None:
        columns = [column for column in HEADER.strip().split(",") if column != name]
        refusal = refusal_of(",".join(columns))
        assert isinstance(refusal, MissingColumn)
        assert (refusal.problem_code, refusal.field) == ("missing_column", name)
        assert all(column in refusal.detail for column in columns)
        assert refusal.columns == tuple(columns)

    @pytest.mark.parametrize(
        "spell", [str.upper, lambda text: text.replace("-", "_"), lambda text: text.replace("-", " ")]
    )
    def test_case_blanks_quotes_and_joints_do_not_matter(self, spell: object) -> None:
        assert callable(spell)
        header = ",".join(f' "{spell(name)}" ' for name in HEADER.strip().split(","))
        assert report_of("\ufeff\ufeff" + header + "\n" + row()).only.external_id == "S1"

    def test_a_column_named_twice_is_refused_even_in_another_spelling(self) -> None:
        refusal = refusal_of(HEADER.strip() + ",Correct_Answer\n")
        assert isinstance(refusal, DuplicateColumn)
        assert refusal.field == "correct answer"

    def test_unknown_columns_are_named_and_left_out_and_nameless_ones_ignored(self) -> None:
        header = HEADER.strip() + ",created,created,,\r\n"
        report = report_of(header + row().strip() + ",x,y,,\r\n")
        assert [(problem.code, problem.field) for problem in report.problems] == [("unknown_column", "created")] * 2
        assert report.only.external_id == "S1"

    def test_names_in_reports_are_short_and_visible(self) -> None:
        name = "nul \0" + "x" * 1000
        (problem, _) = items_of(HEADER.strip() + f",{name}\r\n" + row())
        assert isinstance(problem, ImportProblem)
        assert problem.field
        assert problem.field.isprintable()
        assert len(problem.field) < 80
        assert all(len(column) < 80 for column in refusal_of(f"domain,{name}").columns)

    @pytest.mark.parametrize("data", ["", "\ufeff", "\r\n \n\n", "sep=;\r\n"])
    def test_a_file_without_text_is_empty(self, data: str) -> None:
        assert isinstance(refusal_of(data), EmptyFile)

    @pytest.mark.parametrize(
        "data", [row(), "question,choice0,answer\n", ",,,\n" + HEADER, '"' + HEADER, "x" * (MAX_RECORD + 1)]
    )
    def test_a_file_that_starts_with_something_else_has_no_header(self, data: str) -> None:
        assert isinstance(refusal_of(data), MissingHeader)

    def test_a_header_alone_is_a_valid_empty_file(self) -> None:
        assert list(items_of(HEADER)) == []

    @pytest.mark.parametrize("line", ["sep=,\r\n", "SEP=;\n", '"sep=,"\r\n', "\r\n\r\nsep=,\r\n", "\ufeffsep=\t\n"])
    def test_the_separator_line_of_excel_is_no_record(self, line: str) -> None:
        question = report_of(line + HEADER + row()).only
        assert question.origin.record == 2
        assert question.origin.line == 2 + line.count("\n")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_found_in_the_header(self, delimiter: str) -> None:
        data = (HEADER + row(answer="AC")).replace(",", delimiter)
        assert report_of(data).only.answer == "A,C"

    def test_another_delimiter_can_be_stated(self) -> None:
        data = (HEADER + row()).replace(",", "^")
        assert report_of(data, CsvOptions(delimiter="^")).only.external_id == "S1"
        assert isinstance(refusal_of(data), MissingHeader)

    @pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n"])
    def test_what_cannot_delimit_is_refused(self, delimiter: str) -> None:
        with pytest.raises(InvalidImportOption):
            CsvOptions(delimiter=delimiter)

    def test_options_are_counted_from_0_or_1_only(self) -> None:
        with pytest.raises(InvalidImportOption):
            CsvOptions(answer_base=2)  # type: ignore[arg-type]
        assert report_of(HEADER + row(answer="2"), CsvOptions(answer_base=1)).only.answer == "B"
        assert report_of(HEADER + row(), CsvOptions(shuffle=False)).only.shuffle is False


class TestQuotingAndWidth:
    def test_quoted_cells_keep_delimiters_quotes_and_line_ends(self) -> None:
        question = report_of(HEADER + row(text='"a,""b""\r\nc\nd\re"')).only
        assert question.stem.text == 'a,"b"\r\nc\nd\re'

    def test_a_broken_quote_refuses_its_record_and_the_next_line_goes_on(self) -> None:
        report = report_of(HEADER + row("S1", '"say "hi" now"') + row("S2"))
        assert report.errors == {2: "bad_quoting"}
        assert (report.only.external_id, report.only.origin.record, report.only.origin.line) == ("S2", 3, 3)

    def test_an_open_quote_is_reported_where_it_starts_and_swallows_nothing_into_the_bank(self) -> None:
        report = report_of(HEADER + row("S1") + "\r\n" + row("S2", '"two\r\nlines"') + row("S3", '"open') + row("S4"))
        assert [question.external_id for question in report.questions] == ["S1", "S2"]
        (problem,) = report.problems
        assert (problem.record, problem.line, problem.code) == (4, 6, "unterminated_quote")

    def test_cells_are_counted(self) -> None:
        short = ",".join(row("S1").split(",")[:8]) + "\r\n"
        long = row("S2").strip() + ",\r\n"
        report = report_of(HEADER + short + long + row("S3"))
        assert report.errors == {2: "too_few_cells", 3: "too_many_cells"}
        assert report.only.external_id == "S3"

    def test_optional_cells_may_be_absent_at_the_end(self) -> None:
        header = HEADER.strip() + ",option-e,explanation,tags,created\r\n"
        report = report_of(header + row("S1") + row("S2").strip() + ",Epsilon\r\n" + row("S3").strip() + ",,,,,\r\n")
        assert [len(question.choices) for question in report.questions] == [4, 5]
        assert report.errors == {4: "too_many_cells"}

    @pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
    def test_every_line_end_is_understood_and_lines_are_counted(self, end: str) -> None:
        data = (HEADER + row("S1", '"a\r\nb"') + "\r\n" + row("S2")).replace("\r\n", end)
        report = report_of(data)
        assert [question.origin.line for question in report.questions] == [2, 5]
        assert report.questions[0].stem.text == f"a{end}b"

    def test_line_separators_of_unicode_do_not_end_a_record(self) -> None:
        assert report_of(HEADER + row(text="a\u2028b\x85c")).only.stem.text == "a\u2028b\x85c"


class TestRows:
    def test_blank_records_are_counted_and_empty_lines_are_none(self) -> None:
        items = list(items_of(HEADER + ",,,,,,,,,,,\r\n\r\n  , \r\n   \r\n" + row("S1")))
        assert items[:3] == [
            BlankRecord(record=2, line=2),
            BlankRecord(record=3, line=4),
            BlankRecord(record=4, line=5),
        ]
        assert isinstance(items[3], ImportedQuestion)
        assert (items[3].origin.record, items[3].origin.line) == (5, 6)

    @pytest.mark.parametrize("id_", ["", "  ", "\u200b"])
    def test_text_without_an_id_is_skipped_and_reported(self, id_: str) -> None:
        report = report_of(HEADER + row(id_))
        assert report.remarks == {2: "skipped_missing_id"}
        assert (report.questions, report.errors) == ([], {})
        assert report.problems[0].severity == "skipped"

    def test_ids_are_normalised(self) -> None:
        report = report_of(HEADER + row(" e\u0301\u200b1 ") + row("01"))
        assert [question.external_id for question in report.questions] == ["\u00e91", "01"]

    def test_texts_are_kept_verbatim_but_for_the_blanks_around_them(self) -> None:
        text = "<script>alert(1)</script>  =1+1 e\u0301"
        assert report_of(HEADER + row(text=f" {text}\u00a0")).only.stem.text == text

    def test_control_characters_are_refused_even_at_the_edge_of_a_cell(self) -> None:
        report = report_of(HEADER + row("S1", "nul \0") + row("S2", "\x1fedge") + row("S3", '"tab\there\n"'))
        assert report.errors == {2: "control_character", 3: "control_character"}
        assert report.only.stem.text == "tab\there"

    def test_a_field_may_be_longer_than_the_csv_module_likes_and_is_refused_for_its_length(self) -> None:
        csv.field_size_limit(131072)
        report = report_of(HEADER + row("S1", "x" * 200_000) + row("S2"))
        assert report.errors == {2: "field_too_long"}
        assert report.only.external_id == "S2"

    def test_all_errors_of_a_record_are_told_at_once(self) -> None:
        problems = report_of("points," + HEADER + "zero," + row(text=" ", options="x,,z,", answer="D")).problems
        assert {(problem.code, problem.field) for problem in problems} == {
            ("missing_text", "question-text"),
            ("bad_points", "points"),
            ("option_gap", "option-b"),
            ("answer_not_an_option", "correct answer"),
        }

    def test_without_options_the_answer_is_not_blamed(self) -> None:
        assert [problem.code for problem in report_of(HEADER + row(options=",,,")).problems] == ["too_few_options"]

    def test_warnings_come_before_their_question(self) -> None:
        first, second, third = items_of(HEADER + row(text="Choose TWO.", answer='"A,A"'))
        assert [getattr(first, "code", ""), getattr(second, "code", "")] == [
            "answer_count_mismatch",
            "repeated_answer_letter",
        ]
        assert isinstance(third, ImportedQuestion)


class TestLaziness:
    def test_questions_come_out_while_the_file_still_comes_in(self) -> None:
        def endless() -> Iterator[bytes]:
            yield HEADER.encode()
            for number in count():
                yield row(f"S{number}").encode()

        assert [getattr(item, "external_id", "") for item in islice(items_of(endless()), 3)] == ["S0", "S1", "S2"]

    @pytest.mark.parametrize("start", ['S2,1.1,"open', "S2,1.1,one line"])
    def test_a_record_without_end_stops_the_reading_instead_of_filling_the_memory(self, start: str) -> None:
        def endless() -> Iterator[bytes]:
            yield (HEADER + row("S1") + start).encode()
            while True:
                yield (b"x" * 79 + (b"\n" if '"' in start else b"x")) * 1000

        report = report_of(endless())
        assert [question.external_id for question in report.questions] == ["S1"]
        assert report.errors == {3: "record_too_long"}

    def test_the_bound_is_on_a_record_and_not_on_the_file(self) -> None:
        with patch.object(records, "MAX_RECORD", 500):
            report = report_of(HEADER + row() * 100 + row(text="x" * 500))
        assert len(report.questions) == 100
        assert report.errors == {102: "record_too_long"}

    def test_nothing_is_read_before_the_first_item_is_asked_for(self) -> None:
        asked: list[int] = []

        def chunks() -> Iterator[bytes]:
            asked.append(1)
            yield HEADER.encode()

        items = parse_csv(chunks(), file="file.csv", bank="security")
        assert asked == []
        assert list(items) == []
        assert asked == [1]
