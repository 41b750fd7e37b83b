"""Laws of the CSV reader: what is written can be read, however it is written and however it arrives."""

from __future__ import annotations

import codecs
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.files.csv_questions import CsvOptions, decoding
from domain.question_bank.answers import AnswerKey, read_answer
from domain.question_bank.import_checks import DIFFICULTIES
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    normalized_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import HEADER, items_of, report_of, row

LETTERS = "abcdef"
COLUMNS = (
    ["question-id", "domain", "question-text", "correct answer", "difficulty", "points", "explanation", "tags"]
    + [f"option-{letter}" for letter in LETTERS]
    + [f"explanation-{letter}" for letter in LETTERS]
)
BOMS = {"utf-8-sig": b"", "utf-16": b"", "utf-16-be": codecs.BOM_UTF16_BE, "utf-8": b""}

characters = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\t\n\r",;|=')
texts = st.text(characters, min_size=1, max_size=12).map(trimmed).filter(bool)
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8).map(normalized_id).filter(bool)
tags = st.lists(names.filter(lambda name: ";" not in name), max_size=3, unique=True).map(tuple)
optional_texts = st.none() | texts


def formatted(text: str | None) -> FormattedText | None:
    return None if text is None else FormattedText(text=text)


@st.composite
def questions(draw: st.DrawFn) -> ImportedQuestion:
    options = draw(st.lists(texts, min_size=2, max_size=len(LETTERS)))
    correct = draw(st.sets(st.sampled_from(CHOICE_KEYS[: len(options)]), min_size=1))
    return ImportedQuestion(
        external_id=draw(names),
        bank="security",
        domain=draw(names),
        difficulty=draw(st.none() | st.sampled_from(DIFFICULTIES)),
        kind=QuestionKind.MULTIPLE if len(correct) > 1 else QuestionKind.SINGLE,
        stem=FormattedText(text=draw(texts)),
        choices=tuple(
            ImportedChoice(
                key=key,
                text=FormattedText(text=option),
                correct=key in correct,
                explanation=formatted(draw(optional_texts)),
            )
            for key, option in zip(CHOICE_KEYS, options, strict=False)
        ),
        explanation=formatted(draw(optional_texts)),
        tags=draw(tags),
        points=draw(st.decimals(min_value="0.01", max_value=100, places=2)),
        shuffle=True,
        origin=Origin(format="csv", file="file.csv", record=2, line=2),
    )


def cells_of(question: ImportedQuestion) -> dict[str, str]:
    cells = {
        "question-id": question.external_id,
        "domain": question.domain,
        "question-text": question.stem.text,
        "correct answer": question.answer,
        "difficulty": question.difficulty or "",
        "points": str(question.points),
        "explanation": question.explanation.text if question.explanation else "",
        "tags": ";".join(question.tags),
    }
    for choice in question.choices:
        cells[f"option-{choice.key.lower()}"] = choice.text.text
        cells[f"explanation-{choice.key.lower()}"] = choice.explanation.text if choice.explanation else ""
    return cells


def rendered(question: ImportedQuestion, columns: list[str], delimiter: str, end: str) -> str:
    cells = cells_of(question)
    record = ['"' + cells.get(column, "").replace('"', '""') + '"' for column in columns]
    return delimiter.join(columns) + end + delimiter.join(record) + end


@given(
    question=questions(),
    columns=st.permutations(COLUMNS),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    encoding=st.sampled_from(sorted(BOMS)),
    block=st.integers(4, 64),
)
def test_reading_what_was_written_gives_the_question_back(
    question: ImportedQuestion, columns: list[str], delimiter: str, end: str, encoding: str, block: int
) -> None:
    texts_of_options = [choice.text.text for choice in question.choices]
    key = read_answer(question.answer, texts_of_options)
    data = BOMS[encoding] + rendered(question, columns, delimiter, end).encode(encoding)
    with patch.object(decoding, "BLOCK_BYTES", block):
        report = report_of(data)
    if not isinstance(key, AnswerKey):
        assert report.errors == {2: "ambiguous_answer"}
        return
    assert report.errors == {}
    assert report.only == question
    assert report.only.content_hash == question.content_hash


fragments = st.sampled_from(
    [
        HEADER.encode(),
        row("S1", '"two\r\nlines"').encode(),
        row("S2", "café “x”").encode("cp1252"),
        row("S3", "日本 😀").encode(),
        row("S4", answer="AC").encode(),
        b"\r\n",
        b"\r",
        b"\n",
        b'"',
        b",",
        b"\xe2\x80",
        b"\xff",
        b"\x81",
        b"\0",
        codecs.BOM_UTF8,
        codecs.BOM_UTF16_LE,
    ]
)


@settings(max_examples=200)
@given(
    parts=st.lists(fragments, max_size=10).map(b"".join),
    headed=st.booleans(),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    block=st.integers(4, 64),
)
def test_how_the_bytes_arrive_never_matters(parts: bytes, headed: bool, sizes: list[int], block: int) -> None:
    data = HEADER.encode() + parts if headed else parts
    chunks = [b""]
    while rest := data[sum(map(len, chunks)) :]:
        chunks.append(rest[: sizes[len(chunks) % len(sizes)]])
    whole = outcome([data])
    with patch.object(decoding, "BLOCK_BYTES", block):
        assert outcome(chunks) == whole


@given(st.lists(fragments, max_size=12).map(b"".join))
def test_every_record_has_exactly_one_fate(parts: bytes) -> None:
    """Numbers run on from 2 without a gap, so that created, rejected, skipped and blank add up to the whole file."""
    report = report_of(HEADER.encode() + parts)
    refused = set(report.errors)
    skipped = {problem.record for problem in report.problems if problem.severity == "skipped"}
    accepted = [question.origin.record for question in report.questions]
    blank = [item.record for item in report.blanks]
    fates = [*accepted, *refused, *skipped, *blank]
    assert sorted(fates) == list(range(2, 2 + len(fates)))


@given(text=st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1).map(trimmed).filter(bool))
def test_a_file_in_a_stated_encoding_is_read_in_it(text: str) -> None:
    data = (HEADER + row(text='"' + text.replace('"', '""') + '"')).encode("cp1252")
    assert report_of(data, CsvOptions(encoding="cp1252")).only.stem.text == text


@given(question=questions(), points=st.just(Decimal(3)))
def test_a_changed_question_keeps_its_id_and_changes_its_hash(question: ImportedQuestion, points: Decimal) -> None:
    changed = replace(question, points=points)
    assert (changed.content_hash == question.content_hash) == (question.points == points)


def outcome(chunks: list[bytes]) -> object:
    try:
        return list(items_of(chunks))
    except ImportRefused as refusal:
        return type(refusal), refusal.detail
