"""`ace exam sweep` and the job of the worker, on a real database and by its own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from adapters.postgres.database import Database
from application.jobs import JobName
from domain.exam.sessions import ExamStatus
from entrypoints.cli.exam import exam
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.support.auth_builders import SECRET
from tests.support.exam_builders import SESSION, STUDENT, exam_session
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

Ace = Callable[..., Awaitable[Result]]
LONG_AGO = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


@pytest.fixture
async def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(LONG_AGO)
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    await store.begin(exam_session(at=LONG_AGO))
    return store


@pytest.fixture
def ace(cloned: ClonedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ace:
    """The command, in a thread because it has its own event loop. It does not take the signals of the process."""
    monkeypatch.setattr("entrypoints.cli.support.stop_on_signals", lambda: None)
    environ = {
        "DATABASE_URL": cloned.urls.app,
        "ACE_OWNER_DATABASE_URL": cloned.urls.owner,
        "ACE_DATA_DIR": str(tmp_path),
    }

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner(env=environ).invoke, exam, arguments)

    return run


def _status(cloned: ClonedDatabase) -> Any:
    return cloned.keeper.execute("select status, sealed_at from exam_sessions").fetchone()


async def test_the_operator_ends_what_is_over(store: ExamsOnPostgres, ace: Ace, cloned: ClonedDatabase) -> None:
    swept = await ace("sweep")
    assert (swept.exit_code, swept.output) == (0, "1 due, 1 ended, 0 failed\n")
    assert _status(cloned) == (ExamStatus.FINISHED.value, LONG_AGO.replace(hour=10))
    again = await ace("sweep", "--json")
    assert again.exit_code == 0
    assert msgspec.json.decode(again.output) == {"due": 0, "ended": 0, "failed": 0}


async def test_a_session_that_cannot_be_ended_is_told_by_the_exit_code(
    store: ExamsOnPostgres, ace: Ace, cloned: ClonedDatabase
) -> None:
    cloned.keeper.execute("update exam_sessions set rules = '7'")
    swept = await ace("sweep")
    assert swept.exit_code == 1
    assert "1 due, 0 ended, 1 failed" in swept.output
    assert _status(cloned)[0] == ExamStatus.ACTIVE.value


async def test_the_worker_sweeps_every_minute(store: ExamsOnPostgres) -> None:
    settings = Settings(database_url=store.cloned.urls.app, secret_keys=(SECRET,))
    container = Container(settings=settings)
    worker = container.job_worker()
    assert worker._periodic[JobName.SWEEP_EXAMS] == "* * * * *"
    await container.database().open()
    await worker._tasks[JobName.SWEEP_EXAMS]({})
    await container.database().close()
    assert (await store.session_of(STUDENT.user_id, SESSION)).status is ExamStatus.FINISHED
