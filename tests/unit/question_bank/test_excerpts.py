"""Rejected records of formats without cells: every one is told, with its source and what is wrong with it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from adapters.files.excerpts import LONGEST_EXCERPT
from adapters.files.question_files import QuestionFilesByFormat
from application.question_bank.batches import Gatherer
from application.question_bank.ports.importing import FileOptions, QuestionFile
from domain.question_bank.imported import ImportedQuestion, ImportProblem, Severity
from domain.question_bank.rejects import RejectedRecord

_GOOD = {
    "kind": "single",
    "stem": {"text": "Which port?"},
    "externalId": "Q1",
    "choices": [{"key": "A", "text": {"text": "80"}, "correct": True}, {"key": "B", "text": {"text": "443"}}],
}
_HEADER = '{"format":"ace-questions","version":1}\n'
_ANSWERS = '<answer fraction="100"><text>a</text></answer><answer fraction="{}"><text>b</text></answer>'
_MOODLE = (
    '<question type="multichoice"><questiontext format="plain_text"><text>Why {0}?</text></questiontext>'
    "<idnumber>Q{0}</idnumber>" + _ANSWERS.replace("{}", "{1}") + "</question>"
)
_ITEM = (
    '<item ident="Q{0}"><itemmetadata><qtimetadata><qtimetadatafield><fieldlabel>question_type</fieldlabel>'
    "<fieldentry>multiple_choice_question</fieldentry></qtimetadatafield></qtimetadata></itemmetadata>"
    "<presentation><material><mattext>Why {0}?</mattext></material>"
    '<response_lid ident="r" rcardinality="Single"><render_choice>'
    '<response_label ident="A"><material><mattext>a</mattext></material></response_label>'
    '<response_label ident="B"><material><mattext>b</mattext></material></response_label>'
    "</render_choice></response_lid></presentation><resprocessing><respcondition><conditionvar>"
    '<varequal respident="r">{1}</varequal></conditionvar><setvar action="Set">100</setvar>'
    "</respcondition></resprocessing></item>"
)
FILES = {
    "jsonl": (
        f'{_HEADER}{json.dumps(_GOOD)}\n{{"kind":"other"}}\nnothing\n',
        {3: '{"kind":"other"}', 4: "nothing"},
    ),
    "gift": (
        "Why?{=a ~b}\n\nWhy {not?\n\n// only this\n\nEssay?{}\n\nWhy?{=a ~b#}}\nmore\n",
        {2: "Why {not?", 4: "Why?{=a ~b#}}\nmore"},
    ),
    "aiken": ("Why?\nA. a\nB. b\nANSWER: A\n\nWhy not?\nA. a\nANSWER: B\n", {2: "Why not?\nA. a\nANSWER: B"}),
    "moodle_xml": (f"<quiz>{_MOODLE.format(1, 0)}{_MOODLE.format(2, 500)}</quiz>", {2: "Q2\nWhy 2?"}),
    "qti": (
        f"<questestinterop>{_ITEM.format(1, 'A')}{_ITEM.format(2, 'C')}</questestinterop>",
        {2: "Q2\nWhy 2?"},
    ),
}
formats = pytest.mark.parametrize("format_", FILES)


def the_file(format_: str, content: str | None = None) -> QuestionFile:
    raw = (FILES[format_][0] if content is None else content).encode("utf-8", "surrogateescape")
    return QuestionFilesByFormat().from_file("f", io.BytesIO(raw), FileOptions(format=format_))


@formats
def test_every_refused_record_is_told_with_its_source_and_no_other(format_: str) -> None:
    lines = b"".join(batch.rejects for batch in Gatherer(the_file(format_).read("bank")))
    header, *rows = csv.reader(io.StringIO(lines.decode(), newline=""))
    assert header[:4] == ["problem-record", "problem-line", "problem-codes", "problem-messages"]
    assert {int(record): source for record, _, _, _, source in rows} == FILES[format_][1]
    assert all(codes and messages for _, _, codes, messages, _ in rows)


@formats
def test_a_record_that_is_refused_has_no_other_outcome(format_: str) -> None:
    items = list(the_file(format_).read("bank"))
    kept = [item.record for item in items if isinstance(item, RejectedRecord)]
    errors = {item.record for item in items if isinstance(item, ImportProblem) and item.severity is Severity.ERROR}
    for place, item in enumerate(items):
        if isinstance(item, RejectedRecord):
            before = items[place - 1]
            assert isinstance(before, ImportProblem)
            assert before.record == item.record
    read = {item.origin.record for item in items if isinstance(item, ImportedQuestion)}
    assert kept == sorted(errors) == sorted(FILES[format_][1])
    assert read.isdisjoint(kept)


@formats
def test_what_is_refused_only_among_others_is_looked_up_again(format_: str) -> None:
    file = the_file(format_)
    (question,) = [item for item in file.read("bank") if isinstance(item, ImportedQuestion)]
    (found,) = file.records({question.origin.record, 99})
    assert (found.record, found.line) == (question.origin.record, question.origin.line)
    assert found.cells == (f"{question.external_id}\n{question.stem.text}",)


def test_an_excerpt_is_bounded_and_always_text() -> None:
    long = '{"stem":"' + "é" * LONGEST_EXCERPT
    (found,) = [
        item for item in the_file("jsonl", f"{_HEADER}{long}\n").read("bank") if isinstance(item, RejectedRecord)
    ]
    assert LONGEST_EXCERPT - 3 <= len(found.cells[0].encode()) <= LONGEST_EXCERPT
    assert long.startswith(found.cells[0][:-1])
    (stray,) = [
        item for item in the_file("aiken", "W\udcff?\nA. a\nB. b\n").read("b") if isinstance(item, RejectedRecord)
    ]
    assert stray.cells == ("",)
