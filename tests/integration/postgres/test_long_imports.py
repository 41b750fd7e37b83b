"""Imports that outlast a request: answered while they run, and told about until their end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank.import_register import PostgresImportReader, PostgresImportRegister
from adapters.postgres.question_bank.imports import PostgresImportTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.long_imports import ImportInTime
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import ImportReport, ImportStatus
from tests.support.import_files import FIRST, BrokenFile, SlowFile, order
from tests.support.postgres import ClonedDatabase

SOMEBODY = Actor(user_id="usr_somebody", role=Role.ADMIN, session_id="ses_somebody")


@pytest.fixture(autouse=True)
def somebody(cloned: ClonedDatabase) -> None:
    with psycopg.connect(cloned.urls.app) as connection:
        connection.execute(
            """
            insert into users (id, email, role, password_hash, created_at, updated_at)
            values ('usr_somebody', 'somebody@school.example', 'admin', 'none', now(), now())
            """
        )


@pytest.fixture
def in_time(database: Database, ids: TimeOrderedIds) -> ImportInTime:
    transact = PostgresImportTransaction(database, ids, deadline_seconds=30)
    importing = ImportQuestions(transact, ids, AsyncioThreads(), PostgresImportRegister(database))
    return ImportInTime(importing, PostgresImportReader(database), ids, prompt_seconds=0.05)


@dataclass(slots=True)
class Released:
    """Whether the file of an import was given up."""

    times: int = 0

    async def __call__(self) -> None:
        self.times += 1

    async def once(self) -> None:
        """The file is given up right after the end is on record, and never twice."""
        async with asyncio.timeout(60):
            while not self.times:
                await asyncio.sleep(0.01)
        assert self.times == 1


async def ended(reader: PostgresImportReader, import_id: str) -> ImportReport:
    async with asyncio.timeout(60):
        while True:
            found = await reader.find(import_id, SOMEBODY)
            if found is not None and found.report.status is not ImportStatus.RUNNING:
                return found.report
            await asyncio.sleep(0.01)


async def test_a_long_import_is_answered_while_it_runs_and_tells_its_end_later(
    in_time: ImportInTime, database: Database
) -> None:
    file, released, reader = SlowFile(), Released(), PostgresImportReader(database)

    begun = (await in_time(SOMEBODY, ImportOrder(file=file, bank="slow"), released)).report

    assert (begun.status, begun.total, released.times) == (ImportStatus.RUNNING, 0, 0)
    kept = await reader.find(begun.id, SOMEBODY)
    assert kept is not None
    assert (kept.report, kept.actor_id) == (begun, "usr_somebody")
    file.go.set()
    assert (await ended(reader, begun.id)).created == 1
    await released.once()


async def test_a_long_import_that_breaks_off_is_reported_as_failed(in_time: ImportInTime, database: Database) -> None:
    released = Released()
    slow = ImportInTime(in_time.import_questions, in_time.reader, in_time.ids, prompt_seconds=0.0)

    begun = (await slow(SOMEBODY, ImportOrder(file=BrokenFile(), bank="broken"), released)).report

    report = await ended(PostgresImportReader(database), begun.id)
    assert (report.status, report.problems[0].code) == (ImportStatus.FAILED, "import.broken_off")
    await released.once()


async def test_a_short_import_is_answered_with_its_report(in_time: ImportInTime) -> None:
    released = Released()
    prompt = ImportInTime(in_time.import_questions, in_time.reader, in_time.ids)

    report = (await prompt(SOMEBODY, order(FIRST), released)).report

    assert (report.status, report.created, released.times) == (ImportStatus.SUCCEEDED, 1, 1)


async def test_an_import_whose_process_died_is_not_said_to_run_for_ever(
    in_time: ImportInTime, database: Database, cloned: ClonedDatabase
) -> None:
    file = SlowFile()
    begun = (await in_time(SOMEBODY, ImportOrder(file=file, bank="slow"), Released())).report
    with cloned.administration() as connection:
        connection.execute("update question_imports set heard_at = heard_at - interval '31 seconds'")

    found = await PostgresImportReader(database).find(begun.id, SOMEBODY)

    assert found is not None
    assert found.report.status is ImportStatus.FAILED
    file.go.set()
    await in_time.settle()
