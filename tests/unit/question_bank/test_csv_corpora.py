"""Real and nasty files: what each must give is written down beside it. Skipped where the files are not at hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.files.csv_questions.decoding import open_text
from adapters.files.csv_questions.header import detect_delimiter, header_line
from domain.question_bank.import_refusals import ImportRefused, MissingColumn, MissingHeader
from domain.question_bank.imported import (
    ImportedQuestion,
    ImportProblem,
    conflicting_duplicate,
    derived_external_id,
    identical_duplicate,
    resolve_duplicates,
)
from tests.unit.question_bank.csv_support import Report, items_of, report_of

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
EXPECTED = CORPORA / "edge" / "EXPECTED.json"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the question files are not beside the repository")


def expectations() -> dict[str, dict[str, Any]]:
    if not EXPECTED.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8"))
    return {name: expected for name, expected in found.items() if name.endswith(".csv")}


def chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(8192):
            yield chunk


def without_duplicates(report: Report) -> tuple[list[ImportedQuestion], list[ImportProblem]]:
    by_record = {question.origin.record: question for question in report.questions}
    verdict = resolve_duplicates(
        (question.origin.record, question.external_id, question.content_hash) for question in report.questions
    )
    problems = list(report.problems)
    for record, first in verdict.collapsed.items():
        problems.append(identical_duplicate(record, by_record.pop(record).origin.line, first))
    for record in verdict.refused:
        question = by_record.pop(record)
        problems.append(conflicting_duplicate(record, question.origin.line, question.external_id))
    return list(by_record.values()), problems


def by_record(problems: list[ImportProblem], *, errors: bool) -> dict[str, str]:
    chosen = [problem for problem in problems if (problem.severity == "error") is errors]
    assert len({problem.record for problem in chosen}) == len(chosen), "one expectation per record"
    return {str(problem.record): ":".join(filter(None, (problem.code, problem.detail))) for problem in chosen}


@pytest.mark.parametrize("name", [name for name, expected in expectations().items() if "fatal" not in expected])
def test_a_nasty_file_gives_exactly_what_is_expected(name: str) -> None:
    expected = expectations()[name]
    report = report_of(chunks_of(CORPORA / "edge" / name))
    accepted, problems = without_duplicates(report)
    assert len(accepted) == expected["ok"]
    assert by_record(problems, errors=True) == expected.get("errors", {})
    assert by_record(problems, errors=False) == expected.get("warnings", {})
    assert len(report.blanks) == expected.get("blank", 0)
    left_out = {problem.record for problem in report.problems if problem.severity != "warning"}
    assert len(report.questions) + len(report.blanks) + len(left_out) == expected["rows"]
    answers = {str(question.origin.record): question.answer for question in accepted}
    assert answers | expected.get("answers", {}) == answers
    texts = {str(question.origin.record): question.stem.text for question in accepted}
    assert texts | expected.get("text", {}) == texts
    ids = [question.external_id for question in accepted]
    assert expected.get("ids", ids) == ids


@pytest.mark.parametrize("name", [name for name, expected in expectations().items() if "fatal" in expected])
def test_a_hopeless_file_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        report_of(chunks_of(CORPORA / "edge" / name))
    reason = ":".join(filter(None, (caught.value.problem_code, caught.value.field)))
    assert reason == expectations()[name]["fatal"]


@pytest.mark.parametrize("name", [name for name, expected in expectations().items() if "delimiter" in expected])
def test_encoding_and_delimiter_are_found(name: str) -> None:
    expected = expectations()[name]
    source = open_text(chunks_of(CORPORA / "edge" / name), None)
    assert expected.get("encoding", source.encoding) == source.encoding
    assert detect_delimiter(header_line(source.lines)[0]) == expected["delimiter"]


@pytest.mark.parametrize("name", ["security", "network", "a1101", "a1102"])
def test_the_practice_platforms_own_files_are_read_whole(name: str) -> None:
    counts = json.loads((CORPORA / "COUNTS.json").read_text("utf-8"))[f"csv/comptia-seed/{name}.csv"]
    report = report_of(chunks_of(CORPORA / "csv" / "comptia-seed" / f"{name}.csv"))
    assert report.problems == []
    choices = [choice for question in report.questions for choice in question.choices]
    assert len(report.questions) == counts["questions"]
    assert len(choices) == counts["options"]
    assert sum(choice.correct for choice in choices) == counts["correct"]
    assert len({question.domain for question in report.questions}) == counts["domains"]
    assert len({question.external_id for question in report.questions}) == counts["questions"]


def test_fourteen_thousand_questions_are_read_with_their_copies_known() -> None:
    seen: Counter[str] = Counter()
    derived: set[str] = set()
    triples = []
    for item in items_of(chunks_of(CORPORA / "csv" / "mmlu_seed_14042.csv")):
        if isinstance(item, ImportedQuestion):
            seen["questions"] += 1
            triples.append((item.origin.record, item.external_id, item.content_hash))
            derived.add(derived_external_id(item.stem.text, [choice.text.text for choice in item.choices]))
        elif isinstance(item, ImportProblem):
            seen[f"{item.severity} {item.code}"] += 1
    assert seen == {"questions": 14042, "warning suspected_mojibake": 27, "warning duplicate_option_text": 9}
    verdict = resolve_duplicates(triples)
    assert (len(verdict.collapsed), len(verdict.refused)) == (0, 0)
    # 105 rows repeat another one under another id; 78 of them name another domain, which is another content.
    assert len(triples) - len(derived) == 105
    assert len(verdict.copies) == 27


@pytest.mark.parametrize(
    ("folder", "refusal"),
    [("java-1z0-808", MissingColumn), ("quizdb", MissingColumn), ("mmlu-original", MissingHeader)],
)
def test_files_of_another_shape_are_refused_and_told_what_was_seen(folder: str, refusal: type[ImportRefused]) -> None:
    paths = sorted((CORPORA / "csv" / folder).glob("*.csv"))
    assert paths
    for path in paths:
        with pytest.raises(refusal) as caught:
            report_of(chunks_of(path))
        assert "Columns seen: " in caught.value.detail


@pytest.mark.parametrize(
    ("name", "records", "accepted", "correct"),
    [
        ("02-questions", 60, 50, 50),
        ("07-questions", 24, 24, 32),
        ("08-questions-abstract-class", 10, 10, 14),
        ("10-questions-packaged", 12, 7, 13),
    ],
)
def test_a_malformed_file_under_the_right_header_gives_its_sound_records(
    name: str, records: int, accepted: int, correct: int
) -> None:
    """Certification files written by hand: stray quotes and code in cells, answers like `A,C`, missing last cells."""
    head, _, body = (CORPORA / "csv" / "java-1z0-808" / f"{name}.csv").read_bytes().partition(b"\n")
    ours = {"ID": "question-id", "topic": "question-id", "Question": "question-text"}
    columns = [ours.get(column, column) for column in head.decode().strip().split(",")]
    columns += [f"explanation-{letter}" for letter in "abcd"]
    report = report_of(",".join(columns).encode() + b"\n" + body)
    assert len(report.questions) == accepted
    assert len(report.questions) + len(report.errors) == records
    assert sum(choice.correct for question in report.questions for choice in question.choices) == correct
