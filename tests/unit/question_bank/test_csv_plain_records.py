"""Most records are plain and take a short way through the parser; it gives exactly what the long way gives."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.files.csv_questions import CsvOptions, parse_csv, records_of_csv
from adapters.files.csv_questions.rows import RowReader
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import ImportedQuestion, ParsedItem
from domain.question_bank.rejects import RejectedRecord

HEADER = (
    *("question-id", "domain", "question-text", "option-a", "option-b", "option-c", "option-d", "option-e"),
    *("explanation-a", "explanation-b", "explanation-c", "explanation-d", "correct answer"),
    *("explanation", "difficulty", "tags", "points"),
)
PLAIN = ("q1", "Sums", "What is it?", *"wxyz", "", "Because.", "", "", "", "B", "", "easy", "", "")
# What a glance must not take for plain, wherever it stands.
ODD = (
    *("", " ", "w", " w ", "C", "Choose TWO", "pick one answer", "x\ty", "tab\t", "é", "e\u0301", "\x01", "\\", '"'),
    *(
        "a\nb",
        "x" * 600,
        "y" * 8_200,
        "0",
        "1",
        "True",
        "a",
        "Z",
        "E",
        "AB",
        "A,C",
        "AA",
        "cosmic",
        "HARD",
        "Medium",
        "x;y",
        "2.5",
    ),
)
EVERY_ODD_CELL = [(*PLAIN[:place], cell, *PLAIN[place + 1 :]) for place in range(len(HEADER)) for cell in ODD]


@st.composite
def records(draw: st.DrawFn) -> tuple[str, ...]:
    """A plain record in which a few cells are odd."""
    cells: list[str] = list(PLAIN)
    for place in draw(st.lists(st.integers(0, len(HEADER) - 1), max_size=3)):
        cells[place] = draw(st.sampled_from(ODD))
    return tuple(cells)


RECORDS = records()


def as_file(rows: Sequence[Sequence[str]]) -> list[bytes]:
    text = StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return [text.getvalue().encode()]


def parsed(rows: Sequence[Sequence[str]], **options: Any) -> list[ParsedItem]:
    return list(parse_csv(as_file(rows), file="a.csv", bank="b", options=CsvOptions(**options)))


@example(EVERY_ODD_CELL, None)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.sampled_from([None, 0, 1]))
def test_the_short_way_gives_what_the_long_way_gives(rows: list[tuple[str, ...]], base: int | None) -> None:
    short = parsed(rows, answer_base=base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowReader, "_plain", lambda *_: None)
        long = parsed(rows, answer_base=base)

    assert short == long


def test_a_usual_record_takes_the_short_way() -> None:
    """Or nothing would have been won."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.files.csv_questions.rows.examine", lambda question: pytest.fail("the long way"))
        [item] = parsed(
            [("q1", "Sums", "What is 1 + 1?", "1", "2", "3", "4", "", "", "", "", "", "B", "", "easy", "", "")]
        )
    assert isinstance(item, ImportedQuestion)
    assert examine(item) == []


@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_every_refused_record_is_there_to_be_corrected(rows: list[tuple[str, ...]]) -> None:
    """With its cells, right after its problems; asked for by number it is the same."""
    items = list(parse_csv(as_file(rows), file="a.csv", bank="b", with_rejects=True))
    kept = [item for item in items if isinstance(item, RejectedRecord)]

    assert [item for item in items if item not in kept] == parsed(rows)
    wanted = {item.record for item in kept[1:]}
    assert kept == list(records_of_csv(as_file(rows), wanted))
    assert kept[0].is_header
    assert all(tuple(item.cells) == tuple(rows[item.record - 2]) for item in kept[1:] if len(kept) > 1 and item.cells)
