"""The conversation of an import on memory adapters: modes, reports, repetition, versions."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.question_files import QuestionFilesByFormat
from adapters.memory.question_bank.imports import MemoryImportRegister, MemoryImportWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.ports import Clock
from application.question_bank.imports import ImportOrder, ImportQuestions, PublishingNotAllowed
from application.question_bank.ports.importing import FileOptions, QuestionFile
from domain.auth.people import Actor, Role
from domain.errors import InvalidInput
from domain.question_bank.import_refusals import ImportRefused, MissingColumn
from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus, ImportTally, SetFindings
from domain.question_bank.imported import ImportProblem, Severity

HEADER = (
    "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer"
)
GOOD = [f"Q{n},Routing,What is {n}?,one,two,three,four,,,,,{'ABCD'[n % 4]}" for n in range(1, 6)]
BAD = "Q9,Routing,What is nine?,one,two,three,four,,,,,Z"
INSTRUCTOR = Actor(user_id="usr_i", role=Role.INSTRUCTOR, session_id="ses_i")
ADMIN = Actor(user_id="usr_a", role=Role.ADMIN, session_id="ses_a")


class FixedClock(Clock):
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class Bench:
    """The use case on memory, with what it needs to be asked in one line."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        transact = MemoryTransaction(self.store, MemoryImportWork, FixedClock())
        self.register = MemoryImportRegister(self.store)
        self.import_questions = ImportQuestions(transact, TimeOrderedIds(), AsyncioThreads(), self.register)

    async def __call__(
        self,
        *rows: str,
        mode: ImportMode = ImportMode.ALL_OR_NOTHING,
        publish: bool = False,
        actor: Actor | None = INSTRUCTOR,
    ) -> ImportReport:
        order = ImportOrder(file=file_of(*rows), bank="network", mode=mode, publish=publish)
        return await self.import_questions(actor, order)

    def statuses(self) -> list[str]:
        return [kept.status for kept in self.store.tables["questions"].values()]


def file_of(*rows: str, header: str = HEADER) -> QuestionFile:
    content = io.BytesIO("\n".join([header, *rows]).encode())
    return QuestionFilesByFormat().from_file("network.csv", content, FileOptions())


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped, report.rejected


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_new_questions_are_drafts_and_the_act_is_audited_once(bench: Bench) -> None:
    report = await bench(*GOOD)

    assert report.status is ImportStatus.SUCCEEDED
    assert counts(report) == (5, 0, 0, 0, 0)
    assert set(bench.statuses()) == {"draft"}
    assert [entry.action for entry in bench.store.audit_log] == ["question_bank.imported"]


async def test_the_same_file_again_changes_nothing_and_makes_no_noise(bench: Bench) -> None:
    await bench(*GOOD)
    before = dict(bench.store.tables["questions"])

    report = await bench(*GOOD)

    assert counts(report) == (0, 0, 5, 0, 0)
    assert bench.store.tables["questions"] == before
    assert len(bench.store.audit_log) == 1


async def test_one_wrong_record_keeps_the_whole_file_out(bench: Bench) -> None:
    report = await bench(*GOOD, BAD)

    assert report.status is ImportStatus.REFUSED
    assert counts(report) == (0, 0, 0, 5, 1)
    assert report.problems[0].code == "answer_not_an_option"
    assert not bench.store.tables["questions"]
    assert not bench.store.audit_log


async def test_skipping_what_is_invalid_imports_the_rest(bench: Bench) -> None:
    report = await bench(*GOOD, BAD, mode=ImportMode.SKIP_INVALID)

    assert counts(report) == (5, 0, 0, 0, 1)


async def test_a_dry_run_tells_what_would_happen_and_changes_nothing(bench: Bench) -> None:
    report = await bench(*GOOD, mode=ImportMode.DRY_RUN)

    assert counts(report) == (5, 0, 0, 0, 0)
    assert not bench.store.tables["questions"]
    assert bench.store.tables["question_imports"][report.id] == report


async def test_a_change_to_a_draft_rewrites_the_draft(bench: Bench) -> None:
    await bench(*GOOD)

    report = await bench(GOOD[0].replace("What is 1?", "What is one?"))

    assert counts(report) == (0, 1, 0, 0, 0)
    kept = bench.store.tables["questions"]["network", "Q1"]
    assert (kept.version, kept.status) == (1, "draft")


async def test_a_change_to_a_published_question_opens_a_version_in_review_and_the_published_one_stays(
    bench: Bench,
) -> None:
    await bench(*GOOD, publish=True, actor=ADMIN)

    await bench(GOOD[0].replace("What is 1?", "What is one?"), actor=None)

    kept = bench.store.tables["questions"]["network", "Q1"]
    assert (kept.version, kept.status, kept.published_version) == (2, "in_review", 1)


async def test_publishing_the_same_file_publishes_the_drafts_once(bench: Bench) -> None:
    await bench(*GOOD)

    first, second = await bench(*GOOD, publish=True, actor=ADMIN), await bench(*GOOD, publish=True, actor=ADMIN)

    assert counts(first) == (0, 5, 0, 0, 0)
    assert counts(second) == (0, 0, 5, 0, 0)
    assert set(bench.statuses()) == {"published"}


async def test_an_instructor_may_not_publish(bench: Bench) -> None:
    with pytest.raises(PublishingNotAllowed):
        await bench(*GOOD, publish=True)


async def test_the_operator_may_publish(bench: Bench) -> None:
    assert (await bench(*GOOD, publish=True, actor=None)).created == 5


async def test_a_repeated_record_is_imported_once_and_counted_as_skipped(bench: Bench) -> None:
    report = await bench(GOOD[0], GOOD[1], GOOD[0])

    assert counts(report) == (2, 0, 0, 1, 0)
    assert report.warnings == {"duplicate_identical_of": 1}
    assert report.total == 3


async def test_two_contents_under_one_id_are_both_refused(bench: Bench) -> None:
    report = await bench(GOOD[0], GOOD[0].replace("?", "!"), GOOD[1], mode=ImportMode.SKIP_INVALID)

    assert counts(report) == (1, 0, 0, 0, 2)
    assert [problem.code for problem in report.problems] == ["duplicate_id", "duplicate_id"]


async def test_a_file_without_a_needed_column_is_refused_as_a_whole(bench: Bench) -> None:
    order = ImportOrder(file=file_of(*GOOD, header=HEADER.replace("correct answer", "solution")), bank="network")

    with pytest.raises(MissingColumn):
        await bench.import_questions(INSTRUCTOR, order)
    assert [report.status for report in bench.store.tables["question_imports"].values()] == [ImportStatus.FAILED]


@pytest.mark.parametrize("name", ["questions.docx", "questions"])
def test_an_unknown_format_is_refused(name: str) -> None:
    with pytest.raises(ImportRefused):
        QuestionFilesByFormat().from_file(name, io.BytesIO(), FileOptions())


@pytest.mark.parametrize("slug", ["", "Network", "a b", "-a", "x" * 101, "netz/werk"])
async def test_a_bank_is_named_by_a_slug(bench: Bench, slug: str) -> None:
    with pytest.raises(InvalidInput):
        await bench.import_questions(INSTRUCTOR, ImportOrder(file=file_of(*GOOD), bank=slug))


@given(
    st.lists(
        st.sampled_from([*GOOD, BAD, ",,,,,,,,,,,", ",Routing,No id?,a,b,c,d,,,,,A", GOOD[0].replace("?", "!")]),
        max_size=12,
    )
)
async def test_every_record_is_counted_exactly_once(rows: list[str]) -> None:
    """total = created + updated + unchanged + skipped + rejected, whatever the file holds."""
    report = await Bench()(*rows, mode=ImportMode.SKIP_INVALID)

    assert report.total == len(rows) == sum(counts(report))


def test_a_report_keeps_the_first_thousand_problems_and_counts_all() -> None:
    tally = ImportTally()
    for record in range(2, 1_502):
        tally.problem(
            ImportProblem(record=record, line=record, field=None, code="x", severity=Severity.ERROR, message="m")
        )

    assert len(tally.problems) == 1_000
    assert tally.rejected == 1_500


@given(st.lists(st.sampled_from(Severity), max_size=8), st.integers(0, 8))
def test_a_thousand_remarks_hide_no_error(last: list[Severity], of_the_set: int) -> None:
    """Errors of the records and of the file as a set come first; what is told stays in the order of the file."""

    def problem(record: int, severity: Severity) -> ImportProblem:
        return ImportProblem(record=record, line=record, field=None, code="x", severity=severity, message="m")

    tally = ImportTally()
    for record in range(2, 1_100):
        tally.problem(problem(record, Severity.WARNING))
    for record, severity in enumerate(last, start=1_100):
        tally.problem(problem(record, severity))
    found = [problem(record, Severity.ERROR) for record in range(2, 2 + of_the_set)]
    tally.set_findings(SetFindings(problems=found))

    told = tally.problems
    assert len(told) == 1_000
    assert [p.severity for p in told].count(Severity.ERROR) == last.count(Severity.ERROR) + of_the_set
    assert [p.record for p in told] == sorted(p.record for p in told)


def test_what_two_judgements_find_keeps_its_errors() -> None:
    remarks, errors = (
        SetFindings(
            problems=[
                ImportProblem(record=record, line=record, field=None, code="x", severity=severity, message="m")
                for record in records
            ]
        )
        for severity, records in ((Severity.WARNING, range(2, 1_002)), (Severity.ERROR, [1_500]))
    )

    told = (remarks + errors).problems

    assert (len(told), told[-1].record, told[-1].severity) == (1_000, 1_500, Severity.ERROR)


async def test_an_unknown_difficulty_is_reported_and_left_out(bench: Bench) -> None:
    header, row = f"{HEADER},difficulty", f"{GOOD[0]},cosmic"

    report = await bench.import_questions(INSTRUCTOR, ImportOrder(file=file_of(row, header=header), bank="network"))

    assert (report.created, report.warnings) == (1, {"unknown_difficulty": 1})
