"""Rules of GIFT, Aiken and written CSV, case by case, and files that were made to hurt."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.files.aiken_questions import AikenWriter, parse_aiken
from adapters.files.csv_questions import parse_csv
from adapters.files.csv_questions.writing import CsvWriter, project_csv
from adapters.files.gift_questions import GiftWriter, parse_gift
from adapters.files.jsonl_questions import parse_jsonl
from application.question_bank.ports.exporting import LOSSES_KEPT, ExportShape, Losses, QuestionWriter
from domain.question_bank.import_refusals import EmptyFile, ImportRefused
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, ImportProblem, Origin
from domain.question_bank.kinds import QuestionKind

NOWHERE = Origin(format="bank", file="", record=0, line=0)


def gift(content: str | bytes) -> list[Any]:
    raw = content if isinstance(content, bytes) else content.encode()
    return list(parse_gift(io.BytesIO(raw), file_name="f.gift", bank="bank"))


def aiken(content: str | bytes) -> list[Any]:
    raw = content if isinstance(content, bytes) else content.encode()
    return list(parse_aiken(io.BytesIO(raw), file_name="f.txt", bank="bank"))


def only(items: list[Any]) -> ImportedQuestion:
    (question,) = [item for item in items if isinstance(item, ImportedQuestion)]
    return question


def errors(items: list[Any]) -> dict[int, str]:
    """The first error of each record."""
    found = [item for item in items if isinstance(item, ImportProblem) and item.severity == "error"]
    return {item.record: item.code for item in reversed(found)}


def a_question(**changes: Any) -> ImportedQuestion:
    choices = tuple(
        ImportedChoice(key=key, text=FormattedText(text=text), correct=key == "B")
        for key, text in zip("ABCD", ("21", "443", "80", "8080"), strict=True)
    )
    question = ImportedQuestion(
        external_id="Q1",
        bank="bank",
        domain="Ports",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text="HTTPS?"),
        choices=choices,
        explanation=None,
        tags=("net", "tls"),
        points=Decimal(1),
        shuffle=True,
        origin=NOWHERE,
    )
    return replace(question, **changes)


def written(writer: QuestionWriter, *questions: ImportedQuestion) -> str:
    return b"".join(writer.write(questions, Losses())).decode()


def test_gift_is_written_as_people_write_it() -> None:
    assert written(GiftWriter(), a_question(), a_question(external_id="Q2", domain="")) == (
        "$CATEGORY: $course$/top/Ports\n\n"
        "// [id:Q1] [tag:net] [tag:tls]\n[plain]HTTPS?{\n\t~21\n\t=443\n\t~80\n\t~8080\n}\n\n"
        "$CATEGORY: $course$/top\n\n"
        "// [id:Q2] [tag:net] [tag:tls]\n[plain]HTTPS?{\n\t~21\n\t=443\n\t~80\n\t~8080\n}\n\n"
    )


def test_several_answers_are_weighed_for_moodle_and_read_without_weights() -> None:
    question = a_question()
    both = tuple(replace(choice, correct=choice.key in "AB") for choice in question.choices)
    text = written(GiftWriter(), replace(question, kind=QuestionKind.MULTIPLE, choices=both))
    assert "~%50%21" in text
    assert "~%-100%80" in text
    read = only(gift(text))
    assert (read.kind, read.answer) == (QuestionKind.MULTIPLE, "A,B")
    assert {choice.weight for choice in read.choices} == {None}


def test_categories_are_reported_and_name_the_domain_of_what_follows() -> None:
    items = gift("$CATEGORY: $course$/top/Net//Work/Ports\nWhy?{=a ~b}\n\n$CATEGORY: top\n\nHow?{=a ~b}\n")
    questions = [item for item in items if isinstance(item, ImportedQuestion)]
    assert [(each.domain, each.origin.record, each.origin.line) for each in questions] == [
        ("Net/Work/Ports", 2, 2),
        ("", 4, 6),
    ]
    assert [item.detail for item in items if isinstance(item, ImportProblem) and item.severity == "skipped"] == [
        "category",
        "category",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Why?{=a ~b", "unclosed_brace"),
        ("Why? }{=a ~b}", "stray_brace"),
        ("Why?{=a ~b} or {=c ~d}", "stray_brace"),
        ("Why?{=a ~{b}}", "stray_brace"),
        ("Why?{=%101%a ~b}", "bad_weight"),
        ("Why?{=#ff0000 ~#00ff00}", "missing_option_text"),
        ("Why?{x =a ~b}", "bad_answers"),
        ("Why?{~a ~b}", "missing_answer"),
        ("{=a ~b}", "missing_text"),
        ("Why?{=b" + "~a" * 27 + "}", "too_many_options"),
        ("Why?\0{=a ~b}", "control_character"),
        (b"Why?\xff{=a ~b}", "undecodable"),
        (b"Why?\xed\xa0\x80{=a ~b}", "undecodable"),
    ],
)
def test_gift_that_means_nothing_is_one_error_and_the_next_question_is_read(text: str | bytes, code: str) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    items = gift(raw + b"\n\nWho?{=a ~b}\n")
    assert errors(items) == {1: code}
    assert only(items).origin.record == 2


def test_gift_ids_and_tags_stand_in_comments_and_end_in_their_line() -> None:
    question = only(gift("// [id:a\\]b] and [tag:x]\n// [tag:x] [tag: y ]\nWhy?{=a ~b}"))
    assert (question.external_id, question.tags) == ("a]b", ("x", "y"))
    open_ended = only(gift("// see [id:\n// the list]\nWhy?{=a ~b}"))
    assert open_ended.external_id.startswith("h-")


def test_gift_names_what_it_cannot_take_by_type_and_title() -> None:
    problem = gift("::Pi:: How much?{#3.14:0.01}")[0]
    assert (problem.severity, problem.code, problem.detail) == ("skipped", "unsupported", "numerical")
    assert "'Pi'" in problem.message


def test_gift_markup_is_cleaned_and_its_loss_is_told() -> None:
    items = gift('[html]<p onclick\\="x()">Which?<script>x()</script></p>{=<b>a</b> ~b}')
    assert only(items).stem.text == "<p>Which?</p>"
    assert "markup_removed" in {item.code for item in items if isinstance(item, ImportProblem)}


@pytest.mark.parametrize("parse", [gift, aiken])
def test_text_formats_are_strict_about_their_encoding_and_follow_the_byte_order_mark(
    parse: Callable[[bytes], list[Any]],
) -> None:
    text = "Où?{=é ~b}\n" if parse is gift else "Où?\nA. é\nB. b\nANSWER: A\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert only(parse(text.encode(encoding))).stem.text == "Où?"
    assert errors(parse(text.encode("cp1252"))) == {1: "undecodable"}
    with pytest.raises(EmptyFile):
        parse(b"")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Why?\nA. x\nB. y\nANSWER: C", "answer_not_an_option"),
        ("Why?\nA. x\nB. y\nANSWER:", "missing_answer"),
        ("Why?\nA. x\nB. y", "missing_answer"),
        ("Why?\nA. x\nB. y\nANSWER: A, B", "bad_answer"),
        ("Why?\nANSWER: A", "too_few_options"),
        ("Why?\nA. x\nANSWER: A", "too_few_options"),
        ("Why?\nA. x\nC. y\nANSWER: A", "unexpected_line"),
        ("Why?\nA. x\nB. y\nand more\nANSWER: A", "unexpected_line"),
        ("Why?\nA. \nB. y\nANSWER: B", "too_few_options"),
    ],
)
def test_aiken_that_means_nothing_is_one_error_and_the_next_question_is_read(text: str, code: str) -> None:
    items = aiken(f"{text}\n\nWho?\nA) x\nB) y\nanswer: b\n")
    assert errors(items) == {1: code}
    assert only(items).answer == "B"


def test_an_answer_ends_its_question_without_an_empty_line() -> None:
    items = aiken("Why?\nA. x\nB. y\nANSWER: A\nWho?\nA. x\nB. y\nANSWER: B\n")
    questions = [item for item in items if isinstance(item, ImportedQuestion)]
    assert [(question.answer, question.origin.line) for question in questions] == [("A", 1), ("B", 5)]


def test_aiken_holds_one_line_and_one_answer() -> None:
    assert written(AikenWriter(), a_question(stem=FormattedText(text="HTTPS\n\nport?"))) == (
        "HTTPS port?\nA. 21\nB. 443\nC. 80\nD. 8080\nANSWER: B\n\n"
    )
    losses = Losses()
    list(AikenWriter().write([a_question()], losses))
    assert losses.counts == {"id_changed": 1, "domain_changed": 1, "tags_changed": 1}


def test_csv_has_as_many_options_as_the_richest_question_needs() -> None:
    question = a_question()
    more = tuple(replace(question.choices[0], key=key, text=FormattedText(text=f"no {key}")) for key in "EF")
    rich = replace(question, external_id="Q2", choices=(*question.choices, *more))
    first, *rows = written(CsvWriter(), question, rich).splitlines()
    assert first == (
        "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
        "explanation-a,explanation-b,explanation-c,explanation-d,correct answer,"
        "option-e,explanation-e,option-f,explanation-f,explanation,difficulty,tags,points"
    )
    assert rows == [
        "Q1,Ports,HTTPS?,21,443,80,8080,,,,,B,,,,,,,net;tls,1",
        "Q2,Ports,HTTPS?,21,443,80,8080,,,,,B,no E,,no F,,,,net;tls,1",
    ]
    assert written(CsvWriter()).splitlines()[0].startswith("question-id,domain,question-text,option-a")


def test_csv_that_is_told_its_shape_comes_row_by_row_and_is_the_same_file() -> None:
    taken = []

    def questions() -> Iterator[ImportedQuestion]:
        for number in range(3):
            taken.append(number)
            yield a_question(external_id=f"Q{number}")

    rows = CsvWriter().write(questions(), Losses(), ExportShape(most_choices=5))
    header = next(rows)
    assert (b"option-e,explanation-e,explanation," in header, taken) == (True, [])
    next(rows)
    assert taken == [0]
    for writer in (CsvWriter(), CsvWriter(excel_safe=True)):
        told = b"".join(writer.write(questions(), Losses(), ExportShape(most_choices=2)))
        assert told == b"".join(writer.write(questions(), Losses()))


def test_csv_never_puts_an_option_into_another_column() -> None:
    choices = [replace(a_question().choices[0], key=key, correct=key == "A") for key in "ABCDEF"]
    rows = CsvWriter().write([a_question(choices=tuple(choices))], Losses(), ExportShape(most_choices=5))
    next(rows)
    with pytest.raises(ValueError, match="more options"):
        next(rows)


def test_formulas_are_verbatim_unless_a_spreadsheet_is_to_open_the_file() -> None:
    question = a_question(external_id="=1", stem=FormattedText(text="-2+3?"), explanation=FormattedText(text="@x"))
    assert "=1,Ports,-2+3?," in written(CsvWriter(), question)
    safe = written(CsvWriter(excel_safe=True), question)
    assert "'=1,Ports,'-2+3?," in safe
    assert ",'@x," in safe
    again = only(list(parse_csv([safe.encode()], file="f", bank="bank")))
    assert replace(again, origin=NOWHERE) == project_csv(question, excel_safe=True)
    losses = Losses()
    list(CsvWriter(excel_safe=True).write([question], losses))
    assert losses.counts == {"id_changed": 1, "text_changed": 1, "explanations_lost": 1}


def test_only_the_first_thousand_losses_are_kept_and_all_are_counted() -> None:
    losses = Losses()
    for number in range(LOSSES_KEPT + 5):
        losses.add("points_lost", str(number), "The points are lost.")
    assert losses.counts == {"points_lost": LOSSES_KEPT + 5}
    assert [loss.external_id for loss in losses.kept[-2:]] == ["998", "999"]


MIB = 1024 * 1024
_HOSTILE: dict[str, bytes] = {
    "braces": b"{" * (10 * MIB),
    "short lines of braces": b"{{{{{{{{{{{{{{{\n" * (128 * 1024),
    "choices": b"Why?{" + b"~a=b" * (MIB // 4) + b"}",
    "escapes": b"Why?{=" + b"\\" * MIB + b" ~b}",
    "feedback": b"Why?{=a" + b"#" * MIB + b" ~b}",
    "colons": b"::" + b":" * MIB + b"Why?{=a ~b}",
    "blanks": b"Why?{=a" + b" " * MIB + b"~b}",
    "broken lines": b"Why?{=a" + b" \n x" * (200 * 1024) + b"~b}",
    "comments": b"// [id:" * (200 * 1024) + b"\nWhy?{=a ~b}",
    "tags": b"// " + b"[tag:a] " * (200 * 1024) + b"\nWhy?{=a ~b}",
    "categories": b"$CATEGORY: $course$/top/" + b"/" * MIB + b"\n",
    "options": b"Why?\n" + b"A. x\n" * (200 * 1024) + b"ANSWER: A\n",
    "answers": b"ANSWER: " * (200 * 1024),
    "nothing": b"\n" * MIB,
    "nul": b"\0" * (10 * MIB),
}


@pytest.mark.parametrize("name", _HOSTILE)
@pytest.mark.parametrize(
    "parse",
    [parse_gift, parse_aiken, parse_jsonl],
    ids=["gift", "aiken", "jsonl"],
)
def test_files_that_were_made_to_hurt_are_read_in_linear_time(parse: Callable[..., Any], name: str) -> None:
    started = time.process_time()
    try:
        found = [type(item) for item in parse(io.BytesIO(_HOSTILE[name]), file_name="f", bank="bank")]
    except ImportRefused:
        found = []
    # Quadratic time would be minutes here; the bound leaves room for a slow machine.
    assert time.process_time() - started < 20
    assert found.count(ImportedQuestion) <= 1
