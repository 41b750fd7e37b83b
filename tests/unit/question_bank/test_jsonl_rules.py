"""The rules of Ace JSON Lines: a header with a version, one strict record per line, problems by record and line."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.files.jsonl_questions import parse_jsonl
from adapters.files.jsonl_questions.lines import MAX_LINE
from domain.question_bank.import_refusals import EmptyFile, ImportRefused, MissingHeader, VersionUnknown
from domain.question_bank.imported import ImportedQuestion, ImportProblem, TextFormat

HEADER = b'{"format":"ace-questions","version":1}\n'
CHOICES: list[dict[str, Any]] = [
    {"key": "A", "text": {"text": "21"}},
    {"key": "B", "text": {"text": "443"}, "correct": True},
]
QUESTION: dict[str, Any] = {"externalId": "Q1", "kind": "single", "stem": {"text": "HTTPS?"}, "choices": CHOICES}


def line(**changes: Any) -> bytes:
    stated = {name: value for name, value in (QUESTION | changes).items() if value is not None}
    return json.dumps(stated).encode() + b"\n"


def items_of(content: bytes) -> list[Any]:
    return list(parse_jsonl(io.BytesIO(content), file_name="questions.jsonl", bank="ports"))


def questions_of(content: bytes) -> list[ImportedQuestion]:
    return [item for item in items_of(content) if isinstance(item, ImportedQuestion)]


def errors_of(*lines: bytes) -> dict[int, str]:
    """The first error of each record."""
    items = items_of(HEADER + b"".join(lines))
    found = [item for item in items if isinstance(item, ImportProblem) and item.severity == "error"]
    return {item.record: item.code for item in reversed(found)}


def test_a_question_needs_little_more_than_a_kind_a_text_and_choices() -> None:
    (question,) = questions_of(HEADER + line())
    assert (question.external_id, question.bank, question.answer) == ("Q1", "ports", "B")
    assert (question.points, question.shuffle) == (Decimal(1), True)
    assert (question.tags, question.domain) == ((), "")
    origin = question.origin
    assert (origin.format, origin.file, origin.record, origin.line) == ("jsonl", "questions.jsonl", 2, 2)


def test_lines_without_text_are_no_records_and_the_last_one_needs_no_end() -> None:
    questions = questions_of(b"\xef\xbb\xbf" + HEADER + b"\r\n  \n" + line() + b"\n" + line(externalId="Q2").strip())
    assert [(each.origin.record, each.origin.line) for each in questions] == [(2, 4), (3, 6)]


def test_a_question_without_an_id_is_known_by_its_texts_and_not_by_its_answer() -> None:
    other_answer = [{**choice, "correct": not choice.get("correct", False)} for choice in CHOICES]
    first, second = questions_of(HEADER + line(externalId=None) + line(externalId="", choices=other_answer))
    assert first.external_id.startswith("h-")
    assert first.external_id == second.external_id


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", EmptyFile),
        (b" \n\n", EmptyFile),
        (line(), MissingHeader),
        (b"not json\n", MissingHeader),
        (b'{"format":"something","version":1}\n', MissingHeader),
        (b"\xff\xfe{\n", MissingHeader),
        (b"[" * 100_000 + b"\n", MissingHeader),
        (b"{" * (MAX_LINE + 1), MissingHeader),
        (b'{"format":"ace-questions","version":2}\n' + line(), VersionUnknown),
        (b'{"format":"ace-questions","version":0}\n', VersionUnknown),
    ],
)
def test_a_file_without_its_header_is_refused_as_a_whole(content: bytes, refusal: type[ImportRefused]) -> None:
    with pytest.raises(refusal):
        items_of(content)


def test_a_header_may_say_more_for_people() -> None:
    assert questions_of(b'{"format":"ace-questions","version":1,"note":"from the archive"}\n' + line())


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b'{"kind":"single"\n', "malformed_json"),
        (b"nothing\n", "malformed_json"),
        (b'{"kind":"single","stem":{"text":"\\ud800"}}\n', "malformed_json"),
        (b'{"kind":"single","stem":{"text":"\xff"}}\n', "undecodable"),
        (b'{"kind":"single","stem":{"text":"\xed\xa0\x80"}}\n', "undecodable"),
        (line(stem={"text": "a\0b"}), "control_character"),
        (line(surprise=1), "invalid_field"),
        (line(stem={"text": "x", "colour": "red"}), "invalid_field"),
        (line(kind="riddle"), "invalid_field"),
        (line(stem=None), "invalid_field"),
        (line(points=2), "invalid_field"),
        (line(points="1e9"), "invalid_field"),
        (line(points="1\n"), "invalid_field"),
        (line(points="0"), "bad_points"),
        (line(points="10000"), "bad_points"),
        (line(points="0.00001"), "bad_points"),
        (line(choices=[{**CHOICES[0], "key": "B"}, CHOICES[1]]), "bad_choice_keys"),
        (line(choices=[{**CHOICES[0], "weight": "1.5"}, CHOICES[1]]), "bad_weight"),
        (line(choices=[CHOICES[0]]), "too_few_options"),
        (line(prompts=[{"text": {"text": "x"}, "choice": "A"}]), "field_of_another_kind"),
        (line(kind="numeric", bands=[{"answer": "1"}]), "field_of_another_kind"),
        (line(kind="matching", prompts=[{"text": {"text": "x"}, "choice": "C"}]), "answer_not_an_option"),
        (b'{"kind":"single","stem":' + b"[" * 1_000_000 + b"\n", "invalid_field"),
    ],
)
def test_a_wrong_line_is_one_error_with_its_number_and_the_next_is_read(broken: bytes, code: str) -> None:
    assert errors_of(broken, line()) == {2: code}
    (question,) = questions_of(HEADER + broken + line())
    assert (question.origin.record, question.origin.line) == (3, 3)


def test_a_problem_names_the_field_that_is_wrong() -> None:
    items = items_of(HEADER + line(choices=[CHOICES[0], {**CHOICES[1], "text": {"text": 7}}]))
    assert [(item.field, item.line) for item in items] == [("choices[1].text.text", 2)]


def test_markup_is_cleaned_before_it_is_a_question_and_its_loss_is_told() -> None:
    stem = {"text": "<p onclick='x()'>Which <b>port</b>?<script>alert(1)</script></p>", "format": "html"}
    *problems, question = items_of(HEADER + line(stem=stem))
    assert question.stem.format is TextFormat.HTML
    assert question.stem.text == "<p>Which <b>port</b>?</p>"
    assert [problem.code for problem in problems if problem.code == "markup_removed"] == ["markup_removed"]
    too_deep = {"text": "<b>" * 2_000 + "x", "format": "html"}
    assert errors_of(line(stem=too_deep)) == {2: "markup_too_deep"}


def test_a_difficulty_is_its_code_and_an_unknown_one_is_none() -> None:
    questions = questions_of(HEADER + line(difficulty="Easy") + line(difficulty="cosmic"))
    assert [question.difficulty for question in questions] == ["easy", None]


def test_a_line_without_end_is_passed_over_without_being_kept() -> None:
    endless = b"{" * (3 * MAX_LINE) + b"\n"
    assert errors_of(endless, line()) == {2: "line_too_long"}
    assert [question.origin.line for question in questions_of(HEADER + endless + line())] == [3]
