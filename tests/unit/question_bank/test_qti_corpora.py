"""Real QTI files and nasty packages: what each must give is written down beside it. Skipped where not at hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import Report
from tests.unit.question_bank.qti_support import report_of

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
EXPECTED = CORPORA / "edge" / "EXPECTED.json"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the question files are not beside the repository")

NOT_IMPORTED: dict[str, tuple[tuple[int, int, int], str]] = {
    "canvas-qti12/all_canvas_simple_1.2.xml": (
        (1, 5, 1),
        "counted is a multiple_dropdowns_question with one menu of 2; three options without any text are left out",
    ),
    "canvas-qti12/canvas_cartridge.zip": (
        (5, 16, 7),
        "counted are the Common Cartridge copy of the quiz (3, 12, 5) and two multiple_dropdowns_questions of 2",
    ),
    "canvas-qti12/edge_cases_1.2.xml": ((1, 2, 1), "counted is a matching_question with one pair"),
    "canvas-qti12/items/canvas_multiple_fib_as_single.xml": (
        (1, 1, 1),
        "counted is a fill_in_multiple_blanks_question with one blank and one answer",
    ),
    "canvas-qti12/test_with_comments.zip": ((0, 2, 0), "two options without any text are left out"),
    "canvas-qti12/with_banks.zip": ((1, 2, 1), "counted is the Common Cartridge copy of the quiz"),
    "qti2/test_qti_2.2.zip": ((2, 8, 1), "two interactions stand in one item with six others: unsupported"),
    "qti3/items/complex-response-processing.xml": ((2, 8, 1), "two interactions stand in one item with six others"),
    "qti3/items/simple-multiple-choice-processing1.xml": ((1, 3, 3), "the item has no text: missing_text"),
    "qti3/items/simple-multiple-choice-processing2.xml": ((1, 3, 3), "the item has no text: missing_text"),
}
"""What COUNTS.json counts and no question is made of: (choice interactions, options, correct values), and why."""


def counted() -> dict[str, dict[str, Any]]:
    if not EXPECTED.exists():
        return {}
    counts: dict[str, dict[str, Any]] = json.loads((CORPORA / "COUNTS.json").read_text("utf-8"))
    return {name.removeprefix("qti/"): count for name, count in counts.items() if name.startswith("qti/")}


def readable() -> list[str]:
    return [name for name, count in counted().items() if "xml_errors" not in count]


def packages() -> dict[str, dict[str, Any]]:
    if not EXPECTED.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8"))
    return {name: expected for name, expected in found.items() if name.endswith(".zip")}


def corpus(name: str) -> Report:
    path = CORPORA / "qti" / name
    return report_of(path.read_bytes(), path.name)


def choices_counted(count: dict[str, Any]) -> tuple[int, ...]:
    """The choice interactions of a file, their options and their correct values, as the counts have them."""
    if "qti12" in count:
        documents = count["qti12"].values()
        keys = ("choice_like_items", "choice_options", "choice_correct_distinct")
        return tuple(sum(document[key] for document in documents) for key in keys)
    return count["interactions"].get("choiceInteraction", 0), count["choice_options"], count["choice_correct_values"]


def choices_read(report: Report) -> tuple[int, int, int]:
    choices = [choice for question in report.questions for choice in question.choices]
    return len(report.questions), len(choices), sum(choice.correct for choice in choices)


def items_counted(name: str, count: dict[str, Any]) -> int:
    if "qti12" not in count:
        return int(count["assessment_items"])
    copies = {name: document for name, document in count["qti12"].items() if name.endswith("assessment_qti.xml")}
    return sum(document["items"] for name, document in count["qti12"].items() if name not in copies)


@pytest.mark.parametrize("name", readable())
def test_every_choice_item_becomes_a_question_or_is_accounted_for(name: str) -> None:
    count = counted()[name]
    report = corpus(name)
    apart = NOT_IMPORTED.get(name, ((0, 0, 0), ""))[0]
    assert tuple(map(sum, zip(choices_read(report), apart, strict=True))) == choices_counted(count)


@pytest.mark.parametrize("name", readable())
def test_every_item_is_a_question_or_skipped_by_its_type_or_an_error(name: str) -> None:
    report = corpus(name)
    skipped = [problem for problem in report.problems if problem.severity == "skipped"]
    references = [problem for problem in skipped if problem.detail == "bankentry_item"]
    assert {problem.code for problem in skipped} <= {"unsupported"}
    assert all(problem.detail for problem in skipped)
    records = len(report.questions) + len(skipped) + len(report.errors) - len(references)
    assert records == items_counted(name, counted()[name])


@pytest.mark.parametrize("name", [name for name in counted() if name not in readable()])
def test_what_is_not_well_formed_is_refused_as_a_whole(name: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        corpus(name)
    reason = ":".join(filter(None, (caught.value.problem_code, caught.value.field)))
    assert reason == "malformed_xml"
    nothing = {"choice_options": 0, "choice_correct_values": 0, "interactions": {}}
    assert not any(choices_counted(nothing | counted()[name]))


@pytest.mark.parametrize("name", list(packages()))
def test_a_nasty_package_gives_exactly_what_is_expected(name: str) -> None:
    expected = packages()[name]
    data = (CORPORA / "edge" / name).read_bytes()
    if fatal := expected.get("fatal"):
        with pytest.raises(ImportRefused) as caught:
            report_of(data, name)
        assert ":".join(filter(None, (caught.value.problem_code, caught.value.field))) == fatal
        return
    report = report_of(data, name)
    errors = {problem.detail: problem.code for problem in report.problems if problem.severity == "error"}
    assert len(report.questions) == expected["ok"]
    assert errors == expected.get("errors", {})


def test_a_canvas_cartridge_gives_each_quiz_once_and_its_banks() -> None:
    report = corpus("canvas-qti12/canvas_cartridge.zip")
    assert len({question.external_id for question in report.questions}) == len(report.questions) == 6
    domains = Counter(question.domain for question in corpus("canvas-qti12/with_banks.zip").questions)
    assert domains == {"First Bank": 2, "Last Bank": 1, "Unfiled Questions": 1, "Some Old Quiz": 1}


def test_canvas_feedback_becomes_explanations() -> None:
    (question,) = corpus("canvas-qti12/items/mc_feedback.xml").questions
    assert question.answer == "A"
    notes = [choice.explanation.text for choice in question.choices if choice.explanation]
    assert notes == [f"<p>Answer {letter} Feedback</p>" for letter in "ABCD"]
    assert question.explanation is not None
    shared = ("General", "General Correct", "General Incorrect")
    assert question.explanation.text == "".join(f"<p>{name} Feedback</p>" for name in shared)


def test_scores_below_and_between_become_weights() -> None:
    scored = corpus("canvas-qti12/items/choice.xml").questions[2]
    assert scored.kind is QuestionKind.MULTIPLE
    assert scored.answer == "A,C,D,G"
    assert [str(choice.weight) for choice in scored.choices] == ["0.25", "-0.1", "0.25", "0.25", "-0.1", "-0.1", "0.25"]
    assert scored.points == 10


def test_a_mapping_becomes_weights_only_where_it_is_used() -> None:
    by_id = {question.external_id: question for question in corpus("qti2/test_qti_2.2.zip").questions}
    water = by_id["multiple-answer"]
    assert [str(choice.weight) for choice in water.choices] == ["0.5", "-1", "-1", "0.5", "-1", "-0.5"]
    assert by_id["Example01-modalFeedback"].kind is QuestionKind.TRUE_FALSE
    assert by_id["Example01-modalFeedback"].points == 10
    unused = corpus("qti3/valid-package.zip").questions
    assert all(choice.weight is None for question in unused for choice in question.choices)


def test_a_school_test_names_the_pictures_that_it_lacks_and_keeps_the_rest() -> None:
    report = corpus("qti3/valid-package.zip")
    assert {question.domain for question in report.questions} == {"Oefentoets biologie"}
    lacking = [problem for problem in report.problems if problem.code == "file_left_out"]
    assert lacking[0].detail == "scru0959.jpg, figb1699.jpg, figa0346.jpg"
    assert len(lacking) == 18
    kinds = Counter(choice.text.format for question in report.questions for choice in question.choices)
    assert kinds[TextFormat.PLAIN] > kinds[TextFormat.HTML]


def test_a_text_of_several_questions_is_told_where_it_is_left_out() -> None:
    report = corpus("canvas-qti12/items/stimulus_with_child_item.xml")
    assert [problem.code for problem in report.problems] == ["unsupported", "stimulus_left_out"]
    assert len(report.questions) == 1
