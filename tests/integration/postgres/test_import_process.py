"""Reading a file in a process of its own: the same batches as in a thread, and nothing left when it ends."""

from __future__ import annotations

import os
import signal
from asyncio import sleep, subprocess, timeout
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from adapters.files.question_files import QuestionFilesByFormat
from adapters.postgres.question_bank.import_rows import ImportRows
from adapters.system import import_process
from adapters.system.clock import TimeOrderedIds
from adapters.system.import_process import ImportProcesses, ReaderDied
from adapters.system.threads import AsyncioThreads
from application.question_bank.ports.importing import Batch, FileOptions, QuestionFile, QuestionReading
from domain.question_bank.import_refusals import MissingColumn
from domain.question_bank.imported import ImportProblem
from tests.support.import_files import FIRST, HEADER

ROWS = 5_000
CONTENT = "\n".join(
    [
        HEADER,
        *[FIRST.replace("Q1,", f"Q{n},") if n % 50 else f"Q{n},Routing,No answer?,a,b,,,,,,,,," for n in range(ROWS)],
    ]
).encode()


def in_processes() -> ImportProcesses:
    return ImportProcesses(ImportRows(TimeOrderedIds()), large_bytes=1)


def at_path(folder: Path, content: bytes = CONTENT) -> QuestionFile:
    path = folder / "network.csv"
    path.write_bytes(content)
    return QuestionFilesByFormat().from_path(path, FileOptions())


async def read(reading: QuestionReading, file: QuestionFile) -> list[Batch]:
    async with reading.batches(file, bank="network", import_id="imp_1") as batches:
        return [batch async for batch in batches]


def told(batches: list[Batch]) -> tuple[int, list[ImportProblem], bytes]:
    """What they say together, however they are cut."""
    problems = [problem for batch in batches for problem in batch.problems]
    return sum(batch.count for batch in batches), problems, b"".join(batch.rejects for batch in batches)


async def test_a_process_reads_what_a_thread_reads(tmp_path: Path) -> None:
    """Also a file that is open and has no name, wherever it has been read to."""
    expected = await read(AsyncioThreads(), at_path(tmp_path))
    assert sum(batch.count for batch in expected) == ROWS - 100
    with TemporaryFile() as file:
        file.write(CONTENT)
        nameless = QuestionFilesByFormat().from_file("network.csv", file, FileOptions())
        for source in (at_path(tmp_path), nameless):
            batches = await read(in_processes(), source)

            assert [batch.rows.count(b"\n") for batch in batches] == [batch.count for batch in batches]
            assert all(not batch.questions for batch in batches)
            assert told(batches) == told(expected)
            positions = [batch.bytes_read for batch in batches]
            assert positions == sorted(positions)
            assert 0 < positions[0] <= positions[-1] <= len(CONTENT)


async def test_a_file_that_cannot_be_read_is_refused_as_in_a_thread(tmp_path: Path) -> None:
    with pytest.raises(MissingColumn) as caught:
        await read(in_processes(), at_path(tmp_path, CONTENT.replace(b"correct answer", b"solution")))

    assert (caught.value.field, len(caught.value.columns)) == ("correct answer", 14)
    assert "Missing: 'correct answer'" in caught.value.detail


async def test_a_process_that_dies_is_not_taken_for_the_end_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = spied(monkeypatch)

    async def read_and_kill() -> None:
        async with in_processes().batches(at_path(tmp_path), bank="b", import_id="imp_1") as batches:
            async for _ in batches:
                os.kill(started[0].pid, signal.SIGKILL)

    with pytest.raises(ReaderDied):
        await read_and_kill()


async def test_a_process_ends_with_whoever_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = spied(monkeypatch)
    async with in_processes().batches(at_path(tmp_path), bank="b", import_id="imp_1") as batches:
        await anext(batches)
        assert started[0].returncode is None

    assert started[0].returncode is not None


async def test_a_process_ends_though_nobody_takes_what_it_has_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cancels an import while the database is slow leaves a full pipe behind."""
    started = spied(monkeypatch)
    monkeypatch.setattr(import_process, "_AHEAD_BYTES", 1024)
    async with timeout(60), in_processes().batches(at_path(tmp_path), bank="b", import_id="imp_1") as batches:
        await anext(batches)
        while "paused" not in repr(started[0].stdout):
            await sleep(0.01)

    assert started[0].returncode is not None


async def test_small_files_and_files_in_memory_need_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = spied(monkeypatch)
    await read(ImportProcesses(ImportRows(TimeOrderedIds())), at_path(tmp_path))
    assert started == []


def spied(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Process]:
    """The processes that are started from now on."""
    started: list[subprocess.Process] = []
    start = subprocess.create_subprocess_exec

    async def start_and_tell(*arguments: Any, **options: Any) -> subprocess.Process:
        started.append(await start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr("asyncio.create_subprocess_exec", start_and_tell)
    return started
