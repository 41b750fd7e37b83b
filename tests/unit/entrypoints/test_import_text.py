"""What the command line tells of an import: why records were rejected before what was only remarked."""

from __future__ import annotations

from collections import Counter

from domain.question_bank.import_report import ImportHead, ImportMode, ImportReport, ImportTally
from domain.question_bank.imported import ImportProblem, Severity
from entrypoints.cli.import_text import summary

HEAD = ImportHead(id="imp_1", bank="ports", file="ports.gift", format="gift", mode=ImportMode.ALL_OR_NOTHING)


def finding(record: int, severity: Severity, code: str, detail: str | None = None) -> ImportProblem:
    return ImportProblem(
        record=record, line=record, field=None, code=code, severity=severity, message="Why.", detail=detail
    )


def report_of(*found: ImportProblem) -> ImportReport:
    tally = ImportTally()
    for problem in found:
        tally.problem(problem)
    return tally.report(HEAD, None)


def test_an_error_is_told_however_many_remarks_stand_before_it() -> None:
    remarks = [finding(record, Severity.WARNING, "odd") for record in range(1, 1_500)]

    lines = summary(report_of(*remarks, finding(2_000, Severity.ERROR, "bad_answer", "Z"))).splitlines()

    assert "REFUSED" in lines[0]
    assert lines[1:] == ["  record 2000, line 2000: error bad_answer: Why. (Z)", "  odd: 1499"]


def test_of_many_errors_the_first_twenty_are_told() -> None:
    lines = summary(report_of(*(finding(record, Severity.ERROR, "bad") for record in range(1, 31)))).splitlines()

    assert lines[1].startswith("  record 1, ")
    assert Counter(line.startswith("  record") for line in lines) == {True: 20, False: 2}
    assert lines[-1] == "  … 10 more errors; --json lists them"


def test_what_is_left_out_is_counted_and_named() -> None:
    """A number says nothing without its record; a name from the file cannot write to the terminal."""
    told = summary(
        report_of(
            finding(1, Severity.SKIPPED, "unsupported", "matching"),
            finding(2, Severity.SKIPPED, "unsupported", "essay"),
            finding(3, Severity.SKIPPED, "unsupported", "essay"),
            finding(4, Severity.WARNING, "same_content_as", "3"),
            finding(5, Severity.WARNING, "odd", "\x1b[2J"),
        )
    ).splitlines()

    assert told[1:] == ["  odd: 1 (\\x1b[2J)", "  same_content_as: 1", "  unsupported: 3 (essay, matching)"]


def test_of_many_names_a_few_are_told() -> None:
    found = [finding(record, Severity.SKIPPED, "unsupported", f"type {record}") for record in range(1, 9)]

    assert summary(report_of(*found)).endswith("unsupported: 8 (type 1, type 2, type 3, type 4, type 5, …)")
