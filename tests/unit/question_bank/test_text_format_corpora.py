"""Real files in GIFT and Aiken: what each must give is written down beside it. Skipped where they are not at hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.files.aiken_questions import parse_aiken
from adapters.files.gift_questions import parse_gift
from adapters.files.safe_html import sanitised
from domain.question_bank.imported import FormattedText, ImportedQuestion, ImportProblem, ParsedItem, Severity
from domain.question_bank.kinds import QuestionKind

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
COUNTS = CORPORA / "COUNTS.json"

pytestmark = pytest.mark.skipif(not COUNTS.exists(), reason="the question files are not beside the repository")

_TYPES = {
    "Short": "shortanswer",
    "Numerical": "numerical",
    "Matching": "matching",
    "Essay": "essay",
    "Description": "description",
    "Category": "category",
}
_FORMATS = {"moodle": "plain", "plain": "plain", "html": "html", "markdown": "markdown"}
_HUNDRED = Decimal(100)


@dataclass(slots=True)
class Read:
    """What a file gave, sorted by what it is."""

    questions: list[ImportedQuestion] = field(default_factory=list)
    unsupported: Counter[str] = field(default_factory=Counter)
    errors: dict[int, str] = field(default_factory=dict)
    records: set[int] = field(default_factory=set)


def read(items: Iterator[ParsedItem]) -> Read:
    found = Read()
    for item in items:
        if isinstance(item, ImportedQuestion):
            found.questions.append(item)
            found.records.add(item.origin.record)
        elif isinstance(item, ImportProblem) and item.severity is not Severity.WARNING:
            found.records.add(item.record)
            if item.severity is Severity.SKIPPED:
                assert item.code == "unsupported"
                found.unsupported[item.detail or ""] += 1
            else:
                found.errors[item.record] = item.code
    return found


def gift(name: str) -> Read:
    with (CORPORA / name).open("rb") as file:
        return read(parse_gift(file, file_name=name, bank="bank"))


def aiken(name: str) -> Read:
    with (CORPORA / name).open("rb") as file:
        return read(parse_aiken(file, file_name=name, bank="bank"))


def grammar_files() -> list[str]:
    return sorted(f"gift/gift-grammar/{path.name}" for path in (CORPORA / "gift" / "gift-grammar").glob("*.gift"))


def earning(question: ImportedQuestion) -> int:
    """How many choices earn something: that is what the counts call correct."""
    return sum(choice.correct or (choice.weight or 0) > 0 for choice in question.choices)


@pytest.mark.parametrize("name", grammar_files())
def test_every_block_is_imported_or_reported_by_its_type(name: str) -> None:
    counts = json.loads(COUNTS.read_text("utf-8"))[name]
    found = gift(name)
    types = Counter(counts["types"])
    multiple_choice = [question for question in found.questions if question.kind is not QuestionKind.TRUE_FALSE]
    assert found.errors == {}
    assert len(found.records) == counts["blocks"]
    assert len(found.questions) - len(multiple_choice) == types.pop("TF", 0)
    assert len(multiple_choice) == types.pop("MC", 0)
    assert found.unsupported == Counter({_TYPES[type_]: count for type_, count in types.items()})
    assert sum(len(question.choices) for question in multiple_choice) == counts["mc_options"]
    assert sum(map(earning, multiple_choice)) == counts["mc_correct"]


@pytest.mark.parametrize("name", grammar_files())
def test_texts_answers_and_weights_are_those_of_the_grammar(name: str) -> None:
    trees = json.loads((CORPORA / name).with_suffix(".json").read_text("utf-8"))
    expected = [tree for tree in trees if tree["type"] in ("MC", "TF")]
    for question, tree in zip(gift(name).questions, expected, strict=True):
        assert said(question.stem) == told(tree["stem"])
        assert said(question.explanation) == told(tree["globalFeedback"])
        assert tree["id"] is None or question.external_id == tree["id"]
        assert list(question.tags) == (tree["tags"] or [])
        if tree["type"] == "TF":
            assert question.answer == ("A" if tree["isTrue"] else "B")
            right, wrong = sorted(question.choices, key=lambda choice: not choice.correct)
            # The grammar names the first feedback after "true"; Moodle tells it to whoever was wrong.
            assert said(wrong.explanation) == told(tree["trueFeedback"])
            assert said(right.explanation) == told(tree["falseFeedback"])
        else:
            check_choices(question, tree["choices"])


def check_choices(question: ImportedQuestion, trees: list[dict[str, Any]]) -> None:
    if any(tree["isCorrect"] for tree in trees):
        # What earns a part of the mark beside a whole answer is not right.
        assert [choice.correct for choice in question.choices] == [tree["isCorrect"] for tree in trees]
    for choice, tree in zip(question.choices, trees, strict=True):
        assert said(choice.text) == told(tree["text"])
        assert said(choice.explanation) == told(tree["feedback"])
    stated = [None if tree["weight"] is None else Decimal(str(tree["weight"])) / _HUNDRED for tree in trees]
    weights = [choice.weight for choice in question.choices]
    if weights != stated:
        # Several shares of a whole mark, of which the file can only say rounded ones.
        assert sum(weight for weight in weights if weight is not None and weight > 0) == 1
        assert [weight and round(weight, 6) for weight in weights] == [weight and round(weight, 6) for weight in stated]


def said(text: FormattedText | None) -> tuple[str, str] | None:
    return None if text is None else (text.format.value, text.text)


def told(tree: dict[str, str] | None) -> tuple[str, str] | None:
    if tree is None:
        return None
    format_ = _FORMATS[tree["format"]]
    return format_, sanitised(tree["text"]).strip() if format_ == "html" else tree["text"]


def test_a_colour_that_is_not_escaped_is_an_error_and_no_guess() -> None:
    found = gift("gift/tsugi/example_multiple_choice.gift")
    assert len(found.questions) == 4
    assert found.errors == {3: "missing_option_text"}
    assert found.questions[-1].choices[0].text.text == "Correct%100%"


def test_the_other_tool_agrees_about_the_types() -> None:
    assert len(gift("gift/tsugi/example_true_false.gift").questions) == 4
    assert gift("gift/tsugi/example_numerical.gift").unsupported == {"numerical": 5}
    assert gift("gift/tsugi/example_matching.gift").unsupported == {"matching": 2}


def test_a_whole_examination_keeps_its_ids_and_weights() -> None:
    found = gift("gift/aws_exams_derived.gift")
    choices = [choice for question in found.questions for choice in question.choices]
    assert (len(found.questions), len(choices), sum(choice.correct for choice in choices)) == (150, 631, 183)
    assert found.questions[0].external_id == "practice-exam-10-1"
    assert [choice.weight for choice in found.questions[0].choices] == [-1, Decimal("0.5"), -1, -1, Decimal("0.5")]


def test_the_nasty_gift_file_gives_exactly_what_is_expected() -> None:
    expected = json.loads((CORPORA / "edge" / "EXPECTED.json").read_text("utf-8"))["70_gift_edge.txt"]
    found = gift("edge/70_gift_edge.txt")
    assert len(found.questions) == expected["choice_ok"]
    assert found.unsupported == Counter(["category", *expected["unsupported"].values()])
    assert list(found.errors.values()) == list(expected["errors"].values())
    assert {question.domain for question in found.questions} == {"Edge"}
    one, two, true_false, missing_word, _ = found.questions
    assert one.stem.text == "2 = 1 + 1 {really}?"
    assert (two.kind, two.answer) == (QuestionKind.MULTIPLE, "A,B")
    assert [said(choice.explanation) for choice in true_false.choices] == [("markdown", "right"), ("markdown", "wrong")]
    assert missing_word.stem.text == "Missing _____ here."


def test_aiken_is_read_whole() -> None:
    counts = json.loads(COUNTS.read_text("utf-8"))["aiken/aws_single_answer_derived.txt"]
    found = aiken("aiken/aws_single_answer_derived.txt")
    assert found.errors == {}
    assert len(found.questions) == counts["answer_lines"]
    assert sum(len(question.choices) for question in found.questions) == counts["option_lines"]
    assert all(len(question.answer) == 1 for question in found.questions)


def test_aiken_is_read_as_other_tools_write_it_and_an_answer_is_never_guessed() -> None:
    expected = json.loads((CORPORA / "edge" / "EXPECTED.json").read_text("utf-8"))["71_aiken_edge.txt"]
    found = aiken("edge/71_aiken_edge.txt")
    assert len(found.questions) == expected["ok_alt"]
    assert list(found.errors.values()) == list(expected["errors"].values())
    assert [question.answer for question in found.questions] == ["B", "A", "C"]
    assert found.questions[1].stem.text == "Two line\nstem"
