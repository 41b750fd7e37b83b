"""An import as others see it: told about, stopped, with its rejected records kept up to a limit."""

from __future__ import annotations

import asyncio
import csv
from io import StringIO
from unittest.mock import create_autospec

import pytest

from adapters.memory.question_bank.imports import MemoryImportRegister, MemoryImportWork
from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from adapters.system.clock import SystemClock, TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank import batches as module
from application.question_bank import following
from application.question_bank.batches import Gatherer, RefusedRecords, RejectLines, guarded
from application.question_bank.following import FollowedImport, KeptRejects, NobodyFollows, Stopped
from application.question_bank.import_reading import CancelImport, ImportEnded
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.ports.importing import CancelWork, ImportReader, KnownImport
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import (
    ImportHead,
    ImportMode,
    ImportProgress,
    ImportStatus,
    ImportTally,
    SetFindings,
    running,
)
from domain.question_bank.imported import ImportProblem, Severity
from domain.question_bank.rejects import RejectedRecord
from tests.support.import_files import FIRST, HEADER, SECOND, SlowFile, file_of, order

CHANGED = FIRST.replace("one?", "1?")


def importing(register: MemoryImportRegister | None = None) -> tuple[ImportQuestions, MemoryStore]:
    store = MemoryStore()
    transact = MemoryTransaction(store, MemoryImportWork, SystemClock())
    kept = register or MemoryImportRegister(store)
    return ImportQuestions(transact, TimeOrderedIds(), AsyncioThreads(), kept), store


def problem(record: int, code: str = "duplicate_id") -> ImportProblem:
    return ImportProblem(record=record, line=record, field=None, code=code, severity=Severity.ERROR, message="m")


async def test_whoever_waits_for_an_import_may_have_enough_of_it() -> None:
    """As with Ctrl-C: it stops, leaves nothing behind, and says that it was cancelled."""
    register = MemoryImportRegister(MemoryStore())
    use, store = importing(register)
    file = SlowFile()
    waiting = asyncio.create_task(use(None, ImportOrder(file=file, bank="slow", id="imp_1")))
    assert await asyncio.to_thread(file.begun.wait, 60)

    waiting.cancel()
    file.go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert register._store.tables["question_imports"]["imp_1"].status is ImportStatus.CANCELLED
    assert not store.tables["questions"]


async def test_what_is_unwanted_before_it_begins_does_not_begin() -> None:
    followed = FollowedImport(NobodyFollows(), "imp_1", 10)
    await followed.stop()

    async def work() -> None:
        await asyncio.sleep(10)

    with pytest.raises(Stopped):
        await followed.run(work())


async def test_an_import_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "TELL_SECONDS", 0.0)
    register = MemoryImportRegister(MemoryStore())
    seen: list[ImportProgress] = []
    followed = FollowedImport(register, "imp_1", 10, seen.append)

    async def work() -> str:
        followed.reached(5, 2)
        while len(register.told) < 2:
            await asyncio.sleep(0)
        return "done"

    assert await followed.run(work()) == "done"
    assert register.told[-1] == seen[-1] == ImportProgress(bytes_read=5, bytes_total=10, records=2)


async def test_an_import_that_nobody_follows_needs_no_register() -> None:
    store = MemoryStore()
    transact = MemoryTransaction(store, MemoryImportWork, SystemClock())
    use = ImportQuestions(transact, TimeOrderedIds(), AsyncioThreads())

    assert (await use(None, order(FIRST, SECOND))).created == 2
    assert (await use(None, order(CHANGED, FIRST))).rejected == 2
    assert not await NobodyFollows().tell("imp_1", ImportProgress())


async def test_rejected_records_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "REJECTS_LIMIT", 10)
    monkeypatch.setattr(following, "_PART_BYTES", 4)
    register = MemoryImportRegister(MemoryStore())
    kept = KeptRejects(register, "imp_1")

    for lines in (b"", b"1234\n", b"123456\n", b"12\n", b""):
        await kept.add(lines)
    await kept.close()

    assert (register.rejects, kept.truncated) == ({"imp_1": b"1234\n"}, True)


async def test_more_refused_records_than_are_kept_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REFUSED", 1)
    use, _ = importing()

    assert (await use(None, order(FIRST, CHANGED))).rejects_truncated


def test_refused_records_are_found_by_their_number() -> None:
    refused = RefusedRecords()
    refused.add([problem(3), problem(7, "not_an_editor")])

    assert (3 in refused, 4 in refused, 9 in refused, len(refused)) == (True, False, False, 2)
    assert [refused.problem(record, 1).code for record in (3, 7)] == ["duplicate_id", "not_an_editor"]
    with pytest.raises(KeyError):
        refused.problem(4, 4)


def test_a_format_without_cells_tells_the_record_as_it_is() -> None:
    lines = RejectLines()
    lines.problem(problem(1, "other"))
    lines.problem(problem(2))
    lines.record(RejectedRecord(record=2, line=5, cells=('{"kind": 1}',)))

    assert list(csv.reader(StringIO(lines.take().decode()))) == [
        ["problem-record", "problem-line", "problem-codes", "problem-messages", "record"],
        ["2", "5", "duplicate_id", "m", '{"kind": 1}'],
    ]
    assert lines.take() == b""


def test_rejects_of_rejects_tell_of_their_new_problems_only() -> None:
    lines = RejectLines()
    columns = ("problem-record", "problem-line", "problem-codes", "problem-messages", "question-id")
    lines.record(RejectedRecord(record=1, line=1, cells=columns, is_header=True))
    lines.problem(problem(2))
    lines.record(RejectedRecord(record=2, line=2, cells=("9", "9", "old", "old", "Q1")))

    assert lines.take().decode().splitlines() == [",".join(columns), "2,2,duplicate_id,m,Q1"]


def test_what_a_spreadsheet_takes_for_a_formula_is_guarded() -> None:
    assert guarded(b'1,=1+1,"-a\nb",@x,plain\r\n') == b"1,'=1+1,\"'-a\nb\",'@x,plain\r\n"


def test_a_batch_of_long_questions_is_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH_CHARACTERS", 1)
    items = file_of(f"{HEADER}\n{FIRST}\n{SECOND}".encode()).read("network")

    assert [batch.count for batch in Gatherer(items)] == [1, 1]


async def test_an_import_that_ends_while_it_is_cancelled_has_ended() -> None:
    """Somebody saw it running, and a moment later it was over."""
    reader = create_autospec(ImportReader, instance=True)
    head = ImportHead(id="imp_1", bank="b", file="f", format="csv", mode=ImportMode.DRY_RUN)
    reader.find.return_value = KnownImport(report=running(head), actor_id=None)

    class Ended(MemoryWork, CancelWork):
        async def ask_to_cancel(self, import_id: str) -> bool:
            return False

    store = MemoryStore()
    cancel = CancelImport(reader, MemoryTransaction(store, Ended, SystemClock()))
    with pytest.raises(ImportEnded):
        await cancel(Actor(user_id="usr_a", role=Role.ADMIN, session_id="ses_a"), "imp_1")
    assert not store.audit_log


def test_a_format_need_not_tell_its_records_again() -> None:
    assert list(SlowFile().records({1, 2})) == []


def test_findings_of_a_set_are_told_in_the_order_of_the_file_up_to_a_thousand_and_all_counted() -> None:
    odd, even = (
        SetFindings(problems=[problem(record) for record in range(first, 1_402, 2)], counts={"a": 700, name: 1})
        for first, name in ((3, "b"), (2, "c"))
    )
    both = odd + even

    assert [found.record for found in both.problems] == list(range(2, 1_002))
    assert both.counts == {"a": 1_400, "b": 1, "c": 1}


def test_several_errors_reject_one_record() -> None:
    tally = ImportTally()
    for found in (problem(2), problem(2, "other"), problem(3)):
        tally.problem(found)
    assert (tally.rejected, tally.records) == (2, 2)
