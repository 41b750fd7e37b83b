"""Imports as they are followed: the same again under a key, cancelling, the list, and how long they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from adapters.memory.question_bank.imports import MemoryImportRegister
from adapters.memory.store import MemoryStore
from adapters.postgres.database import Database
from adapters.postgres.housekeeping import Housekeeping
from adapters.postgres.question_bank.import_register import (
    PostgresCancelWork,
    PostgresImportReader,
    PostgresImportRegister,
)
from adapters.postgres.question_bank.imports import PostgresImportTransaction
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.idempotency import KeyReused
from application.question_bank import following
from application.question_bank.import_reading import (
    CancelImport,
    ImportEnded,
    ImportNotFound,
    ListImports,
    ReadImport,
    ReadRejects,
)
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.long_imports import ImportInTime
from application.question_bank.ports.importing import ImportReader, ImportRegister, OnceKey
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.question_bank.import_report import ImportMode, ImportProgress, ImportStatus
from domain.question_bank.lifecycle_refusals import BankNotFound
from tests.support.import_files import FIRST, SECOND, SlowFile, order
from tests.support.postgres import ClonedDatabase

ANN, BEN, ADMIN = (
    Actor(user_id=f"usr_{name}", role=role, session_id=f"ses_{name}")
    for name, role in (("ann", Role.INSTRUCTOR), ("ben", Role.INSTRUCTOR), ("admin", Role.ADMIN))
)
BAD = "Q9,Routing,What is nine?,a,b,c,d,,,,,,,Z"
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(cloned: ClonedDatabase) -> Ask:
    """What the database says, to whoever asks in SQL; Ann, Ben and an admin are there."""

    def query(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(cloned.urls.app) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    for actor in (ANN, BEN, ADMIN):
        query(
            """
            insert into users (id, email, role, password_hash, created_at, updated_at)
            values (%s, %s, %s, 'none', now(), now())
            """,
            actor.user_id,
            f"{actor.user_id}@school.example",
            actor.role.value,
        )
    return query


@pytest.fixture
def importing(database: Database, ids: TimeOrderedIds, ask: Ask) -> ImportQuestions:
    transact = PostgresImportTransaction(database, ids, deadline_seconds=60)
    return ImportQuestions(transact, ids, AsyncioThreads(), PostgresImportRegister(database))


@pytest.fixture
def in_time(importing: ImportQuestions, database: Database, ids: TimeOrderedIds) -> ImportInTime:
    return ImportInTime(importing, PostgresImportReader(database), ids)


async def _release() -> None:
    return None


async def test_the_same_file_with_the_same_key_is_one_import(in_time: ImportInTime) -> None:
    key = OnceKey("key-1", b"file")
    first, again = [await in_time(ANN, order(FIRST), _release, key) for _ in range(2)]

    assert (first.replayed, again.replayed) == (False, True)
    assert again.report == first.report
    assert (await in_time(BEN, order(SECOND), _release, key)).report.created == 1
    with pytest.raises(KeyReused):
        await in_time(ANN, order(SECOND), _release, OnceKey("key-1", b"another"))


async def test_what_failed_may_be_tried_again_with_its_key(in_time: ImportInTime, ask: Ask) -> None:
    await in_time(ADMIN, order(FIRST), _release)
    ask("update question_banks set visibility = 'hidden'")
    with pytest.raises(BankNotFound):
        await in_time(ANN, order(FIRST), _release, OnceKey("key-1", b"file"))
    ask("update question_banks set visibility = 'visible'")

    assert (await in_time(ANN, order(FIRST), _release, OnceKey("key-1", b"file"))).report.unchanged == 1


async def test_an_import_that_was_told_to_be_cancelled_leaves_nothing(importing: ImportQuestions, ask: Ask) -> None:
    """Ctrl-C at the last moment: its end is in the register before what it did is committed."""

    def end_before_it_commits(_: ImportProgress) -> None:
        ask("update question_imports set status = 'cancelled' where status = 'running'")

    report = await importing(ANN, order(FIRST), end_before_it_commits)

    assert report.status is ImportStatus.CANCELLED
    assert ask("select status from question_imports") == [("cancelled",)]
    assert ask("select count(*) from questions") == [(0,)]


async def test_a_running_import_is_cancelled_by_its_own_and_by_admins(
    in_time: ImportInTime, database: Database, ids: TimeOrderedIds, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "TELL_SECONDS", 0.05)
    reader = PostgresImportReader(database)
    cancel = CancelImport(reader, PostgresTransaction(database, PostgresCancelWork, ids))
    ask(_SLOW_BANK)
    file = SlowFile()
    slow = ImportInTime(in_time.import_questions, reader, ids, prompt_seconds=0.05)
    begun = (await slow(ANN, ImportOrder(file=file, bank="slow"), _release)).report

    with pytest.raises(Forbidden):
        await cancel(BEN, begun.id)
    with pytest.raises(ImportNotFound):
        await cancel(ADMIN, "imp_none")
    assert (await cancel(ADMIN, begun.id)).status is ImportStatus.RUNNING
    async with asyncio.timeout(60):
        while not ask("select 1 from question_imports where cancel_asked_at is not null"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.2)
        file.go.set()
        await slow.settle()

    found = await reader.find(begun.id, ADMIN)
    assert found is not None
    assert found.report.status is ImportStatus.CANCELLED
    assert (await cancel(ANN, begun.id)).status is ImportStatus.CANCELLED
    assert ask("select count(*) from questions") == [(0,)]
    assert ask("select action, subject from audit_log") == [("question_bank.import_cancelled", f"import:{begun.id}")]
    ended = await in_time(ANN, order(FIRST), _release)
    with pytest.raises(ImportEnded):
        await cancel(ANN, ended.report.id)


_SLOW_BANK = """
    insert into question_banks (id, slug, title, created_at, updated_at) values ('qbk_slow', 'slow', 'S', now(), now())
"""
_HIDDEN = "update question_banks set visibility = 'hidden' where slug = 'network'"


@dataclass(frozen=True, slots=True)
class Followers:
    """What people may find out about an import, by every way there is."""

    reader: ImportReader
    cancel: CancelImport

    async def see(self, viewer: Actor, import_id: str) -> bool:
        listed = await ListImports(self.reader)(viewer, None, after=None, limit=100)
        shown = {import_id in [known.report.id for known in listed]}
        shown.add(
            import_id in [known.report.id for known in await self.reader.page("network", viewer, after=None, limit=9)]
        )
        for ask in (ReadImport(self.reader), ReadRejects(self.reader), self.cancel):
            try:
                await ask(viewer, import_id)
                shown.add(True)
            except ImportNotFound:
                shown.add(False)
            except (Forbidden, ImportEnded):
                shown.add(True)
        assert len(shown) == 1, "one way shows what another one hides"
        return shown.pop()

    async def seeing(self, import_id: str) -> set[str]:
        return {viewer.user_id for viewer in (ANN, BEN, ADMIN) if await self.see(viewer, import_id)}


@pytest.fixture
def followers(database: Database, ids: TimeOrderedIds) -> Followers:
    reader = PostgresImportReader(database)
    return Followers(reader, CancelImport(reader, PostgresTransaction(database, PostgresCancelWork, ids)))


@pytest.mark.parametrize("rows", [(FIRST,), (FIRST, BAD)])
@pytest.mark.parametrize("mode", [ImportMode.ALL_OR_NOTHING, ImportMode.DRY_RUN])
async def test_imports_into_a_bank_are_for_those_who_see_it(
    importing: ImportQuestions, followers: Followers, ask: Ask, rows: tuple[str, ...], mode: ImportMode
) -> None:
    """Whatever became of them, and whatever the bank is called by now."""
    await importing(ADMIN, order(SECOND))
    report = await importing(ADMIN, order(*rows, mode=mode))
    own = await importing(BEN, order(*rows, mode=mode))
    assert await followers.seeing(report.id) == {"usr_ann", "usr_ben", "usr_admin"}

    ask(_HIDDEN)
    assert await followers.seeing(report.id) == {"usr_admin"}
    assert await followers.seeing(own.id) == {"usr_ben", "usr_admin"}
    ask("update question_banks set slug = 'renamed'")
    await importing(ADMIN, order(SECOND))
    assert await followers.seeing(report.id) == {"usr_admin"}

    ask("update question_banks set owner_id = %s where slug = 'renamed'", ANN.user_id)
    ask("insert into question_bank_editors select id, %s from question_banks where slug = 'renamed'", BEN.user_id)
    assert await followers.seeing(report.id) == {"usr_ann", "usr_ben", "usr_admin"}


@pytest.mark.parametrize("mode", [ImportMode.ALL_OR_NOTHING, ImportMode.DRY_RUN])
async def test_imports_into_no_bank_are_their_importers(
    importing: ImportQuestions, followers: Followers, ask: Ask, mode: ImportMode
) -> None:
    """Also when there is a bank of that name later, and for those into a bank that is gone."""
    refused = await importing(ANN, order(FIRST, BAD, mode=mode))
    assert await followers.seeing(refused.id) == {"usr_ann", "usr_admin"}
    later = await importing(ADMIN, order(FIRST))
    assert await followers.seeing(refused.id) == {"usr_ann", "usr_admin"}
    assert await followers.seeing(later.id) == {"usr_ann", "usr_ben", "usr_admin"}

    for table in ("question_search", "question_versions", "questions", "question_topics", "question_banks"):
        ask(f"delete from {table}")
    assert await followers.seeing(later.id) == {"usr_admin"}


async def test_a_running_import_into_a_hidden_bank_is_hidden(
    in_time: ImportInTime, followers: Followers, ids: TimeOrderedIds, ask: Ask
) -> None:
    await in_time(ADMIN, order(FIRST), _release)
    ask(_HIDDEN)
    file = SlowFile()
    slow = ImportInTime(in_time.import_questions, followers.reader, ids, prompt_seconds=0.05)
    begun = (await slow(ADMIN, ImportOrder(file=file, bank="network"), _release)).report

    assert not await followers.see(ANN, begun.id)
    assert not await followers.see(BEN, begun.id)

    file.go.set()
    await slow.settle()


async def test_imports_are_listed_newest_first(importing: ImportQuestions, database: Database) -> None:
    reports = [await importing(None, order(FIRST, bank=bank)) for bank in ("one", "two", "one")]
    reader = PostgresImportReader(database)

    assert [known.report for known in await reader.page(None, ADMIN, after=None, limit=9)] == reports[::-1]
    assert [known.report for known in await reader.page(None, ADMIN, after=reports[1].id, limit=9)] == reports[:1]
    assert [known.report for known in await reader.page("one", ADMIN, after=None, limit=1)] == reports[2:]


async def test_old_imports_are_forgotten_with_what_they_rejected(
    importing: ImportQuestions, database: Database, ids: TimeOrderedIds, cloned: ClonedDatabase, ask: Ask
) -> None:
    """The last success of a bank stays, and so does everything of the last month."""
    for rows in ((FIRST,), (FIRST, BAD), (FIRST,)):
        await importing(None, order(*rows))
    with cloned.administration() as connection:
        connection.execute("update question_imports set created_at = created_at - interval '31 days'")
    recent = await importing(None, order(BAD))

    await Housekeeping(database, ids, batch=1).purge_imports({})

    assert ask("select status, mode from question_imports order by id") == [
        ("succeeded", "all_or_nothing"),
        ("refused", "all_or_nothing"),
    ]
    assert ask("select import_id from question_import_rejects") == [(recent.id,)]


class _Unwanted(MemoryImportRegister):
    """Wants every import to stop."""

    async def tell(self, import_id: str, progress: Any) -> bool:
        return True


async def test_an_import_that_stops_leaves_nothing_in_its_bank(
    database: Database, ids: TimeOrderedIds, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.question_bank.following.TELL_SECONDS", 0.0)
    register: ImportRegister = _Unwanted(MemoryStore())
    use = ImportQuestions(
        PostgresImportTransaction(database, ids, deadline_seconds=60), ids, AsyncioThreads(), register
    )

    report = await use(None, order(*[FIRST.replace("Q1,", f"Q{n},") for n in range(9_000)]))

    assert report.status is ImportStatus.CANCELLED
    assert ask("select count(*) from question_banks") == [(0,)]
