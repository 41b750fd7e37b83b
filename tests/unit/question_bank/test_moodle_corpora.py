"""Real Moodle files and nasty ones: what each must give is written down beside it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest

from adapters.files.safe_archive import SafeArchive
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import Report
from tests.unit.question_bank.moodle_support import report_of, written

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
EXPECTED = CORPORA / "edge" / "EXPECTED.json"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the question files are not beside the repository")


def known(path: str, prefix: str) -> dict[str, Any]:
    if not EXPECTED.exists():
        return {}
    found: dict[str, Any] = json.loads((CORPORA / path).read_text("utf-8"))
    return {name: expected for name, expected in found.items() if name.startswith(prefix)}


QUIZZES = known("COUNTS.json", "moodle-xml/")
NASTY = known("edge/EXPECTED.json", "5")
OURS = ("multichoice", "truefalse")


def positive(question: ImportedQuestion) -> int:
    return sum(choice.correct if choice.weight is None else choice.weight > 0 for choice in question.choices)


def refusal_of(name: str) -> str:
    with pytest.raises(ImportRefused) as caught:
        report_of((CORPORA / "edge" / name).read_bytes())
    return ":".join(filter(None, (caught.value.problem_code, caught.value.field)))


def skipped(report: Report) -> Counter[str]:
    return Counter(problem.detail or "" for problem in report.problems if problem.code == "unsupported")


@pytest.mark.parametrize("name", QUIZZES)
def test_a_real_file_gives_what_was_counted_in_it(name: str) -> None:
    counts = QUIZZES[name]
    report = report_of((CORPORA / name).read_bytes())
    assert report.errors == {}
    assert len(report.questions) == sum(counts["types"].get(type_, 0) for type_ in OURS)
    assert sum(len(question.choices) for question in report.questions) == counts["mc_tf_options"]
    assert sum(map(positive, report.questions)) == counts["mc_tf_positive_fraction"]
    others = {type_: count for type_, count in counts["types"].items() if type_ not in (*OURS, "category")}
    assert skipped(report) == others
    kinds = Counter(question.kind for question in report.questions)
    assert kinds[QuestionKind.TRUE_FALSE] == counts["types"].get("truefalse", 0)


def test_the_real_files_are_all_there() -> None:
    assert len(QUIZZES) == 51
    assert sum(sum(counts["types"].get(type_, 0) for type_ in OURS) for counts in QUIZZES.values()) == 27


@pytest.mark.parametrize("name", QUIZZES)
def test_a_real_file_survives_being_written_and_read_again(name: str) -> None:
    first = report_of((CORPORA / name).read_bytes()).questions
    data = written(*first)
    again = report_of(data).questions
    assert [question.content_hash for question in again] == [question.content_hash for question in first]
    assert [question.external_id for question in again] == [question.external_id for question in first]
    assert written(*again) == data


def test_pictures_of_real_questions_are_named() -> None:
    name = "moodle-xml/stack/3-1-23-_Euler-diagram-of-and_.xml"
    report = report_of((CORPORA / name).read_bytes())
    assert [problem.detail for problem in report.problems if problem.code == "file_left_out"] == [
        "Euler diagram and.png"
    ]
    assert 'alt="Euler diagram with dot in intersection"' in report.only.stem.text
    assert "PLUGINFILE" not in report.only.stem.text


@pytest.mark.parametrize("name", [name for name, expected in NASTY.items() if "fatal" in expected])
def test_a_nasty_file_is_refused_with_its_reason(name: str) -> None:
    assert refusal_of(name) == NASTY[name]["fatal"]


def test_fractions_give_the_answers_that_are_expected() -> None:
    path = CORPORA / "edge" / "53_moodle_fractions.xml"
    names = [element.findtext("name/text") for element in parse(path).iter("question")]
    report = report_of(path.read_bytes())
    expected = NASTY[path.name]
    assert len(report.questions) == expected["ok"]
    assert {names[record - 1]: code for record, code in report.errors.items()} == expected["errors"]
    by_name = {names[question.origin.record - 1]: question for question in report.questions}
    answers = {name: question.answer for name, question in by_name.items()}
    assert answers | expected["answers"] == answers
    assert [str(choice.weight) for choice in by_name["partial"].choices] == ["1.00", "0.50", "0"]
    assert by_name["script"].stem.text == "<p>x<img></p>"
    told = {problem.code for problem in report.problems if problem.record == 4}
    assert told >= {"file_left_out", "markup_removed"}


@pytest.mark.parametrize("name", [name for name in known("edge/EXPECTED.json", "6") if name != "64_missing_file.zip"])
def test_a_nasty_archive_is_refused_or_opened_as_expected(name: str) -> None:
    expected = known("edge/EXPECTED.json", "6")[name]
    reason = None
    try:
        with (CORPORA / "edge" / name).open("rb") as file:
            archive = SafeArchive(file)
            assert archive.read(archive.manifest())
            assert sum(inner.endswith(".xml") for inner in archive.names) >= expected["ok"]
    except ImportRefused as refused:
        reason = refused.problem_code
    assert reason == (None if expected.get("fatal", "").startswith("forbidden_xml") else expected.get("fatal"))
