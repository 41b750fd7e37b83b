"""Many hands on one template, on PostgreSQL: no session points to nothing, no version is lost, nobody is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.ports import Transaction
from application.practice.ports.templates import TemplateWork
from application.practice.templates import DeleteTemplate, TemplateChange
from domain.errors import DomainError
from domain.practice.plans import FromTemplate
from domain.practice.templates import (
    ExpectedTemplate,
    TemplateContent,
    TemplateInUse,
    TemplateNotFound,
    TemplateSettings,
    TemplateVersion,
)
from tests.support.authoring_builders import ANN, ROOT, SAM
from tests.support.postgres import ClonedDatabase
from tests.support.practice_builders import PostgresWorld, offers
from tests.support.practice_worlds import creating
from tests.support.template_stores import PACKAGE, ROUTING, Beginning, OnPostgres

ROUNDS = range(8)
_WAITING = """
select count(*) from pg_stat_activity
 where datname = current_database() and wait_event_type = 'Lock' and state = 'active'
"""
_LOST = """
select count(*) from practice_sessions s
 where s.template_id is not null
   and not exists (select from practice_template_versions v
                    where v.template_id = s.template_id and v.version = s.template_version)
"""


@dataclass(slots=True)
class Gate:
    """Where somebody stops, until they are told to go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self) -> None:
        self.reached.set()
        await self.go.wait()


@dataclass(slots=True)
class Slow(Transaction[TemplateWork]):
    """A unit of work that has done everything and does not commit before it is told to."""

    inner: Transaction[TemplateWork]
    gate: Gate

    async def __call__(self, unit: Callable[[TemplateWork], Awaitable[Any]], /) -> Any:
        async def slow(work: TemplateWork) -> Any:
            result = await unit(work)
            await self.gate.stop()
            return result

        return await self.inner(slow)


@pytest.fixture
async def store(database: Database, cloned: ClonedDatabase) -> AsyncIterator[OnPostgres]:
    found = OnPostgres(database=database, clock=None)
    await found.settle()
    yield found
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    assert cloned.keeper.execute(query).fetchall() == [(0,)]
    assert cloned.keeper.execute(_LOST.encode()).fetchall() == [(0,)]


async def told(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except DomainError as refusal:
        return refusal.code


async def somebody_waits(cloned: ClonedDatabase) -> None:
    """Until one transaction waits for another."""
    async with asyncio.timeout(30):
        while cloned.keeper.execute(_WAITING.encode()).fetchall() == [(0,)]:
            await asyncio.sleep(0)


async def begin_slowly(store: OnPostgres, template_id: str, gate: Gate, *, before_it_is_kept: bool) -> Any:
    """A session that stops after it has looked for the template, or after it was written."""

    async def start(work: Beginning) -> TemplateVersion | None:
        version = await work.published_template(template_id)
        if before_it_is_kept:
            await gate.stop()
        if version is not None:
            await work.add(version, "prs_slow")
        if not before_it_is_kept:
            await gate.stop()
        return version

    return await store.beginning(start)


@pytest.mark.parametrize("before_it_is_kept", [True, False])
async def test_a_deletion_waits_for_whoever_begins_and_is_refused(
    store: OnPostgres, cloned: ClonedDatabase, before_it_is_kept: bool
) -> None:
    view, gate = await store.published(), Gate()
    beginning = asyncio.create_task(begin_slowly(store, view.template.id, gate, before_it_is_kept=before_it_is_kept))
    await gate.reached.wait()
    deleting = asyncio.create_task(told(store.delete(ANN, view.template.id)))
    await somebody_waits(cloned)
    gate.go.set()
    assert (await beginning, await deleting) == (view.published, TemplateInUse.code)
    assert (await store.shelf()).templates == {view.template.id: view.template}


async def test_whoever_begins_during_a_deletion_finds_nothing(store: OnPostgres, cloned: ClonedDatabase) -> None:
    view, gate = await store.published(), Gate()
    deleting = asyncio.create_task(DeleteTemplate(transact=Slow(store.transact, gate))(ANN, view.template.id))
    await gate.reached.wait()
    beginning = asyncio.create_task(store.begin(view.template.id, "prs_late"))
    await somebody_waits(cloned)
    gate.go.set()
    await deleting
    assert await beginning is None
    assert not (await store.shelf()).versions


async def test_deletion_and_beginning_at_once_leave_one_of_them(store: OnPostgres) -> None:
    for number in ROUNDS:
        view = await store.published()
        deleted, begun = await asyncio.gather(
            told(store.delete(ANN, view.template.id)), told(store.begin(view.template.id, f"prs_{number}"))
        )
        assert (deleted, begun) in ((None, None), (TemplateInUse.code, view.published))
        assert (view.template.id in (await store.shelf()).templates) == (begun is not None)


async def test_a_student_practises_a_template_or_it_goes(store: OnPostgres, cloned: ClonedDatabase) -> None:
    """With all that beginning a session is made of: whoever comes first decides, and both are told the truth."""
    transact = PostgresTransaction(store.database, PostgresPracticeWork, TimeOrderedIds())
    world = PostgresWorld(cloned, transact)
    world.offer(offers(3), PACKAGE)
    world.enroll(SAM.user_id, PACKAGE)
    anything = TemplateContent(title="Anything", settings=TemplateSettings(count=2))
    for number in ROUNDS:
        view = await store.published(anything)
        order = (
            told(creating(world)(SAM, FromTemplate(template_id=view.template.id))),
            told(store.delete(ANN, view.template.id)),
        )
        # Each of them comes first now and then.
        begun, deleted = (
            await asyncio.gather(*order) if number % 2 else reversed(await asyncio.gather(*reversed(order)))
        )
        if deleted is None:
            assert begun == TemplateNotFound.code
        else:
            assert (deleted, begun.session.template_id) == (TemplateInUse.code, view.template.id)
        assert (view.template.id in (await store.shelf()).templates) == (deleted is not None)


async def test_beginners_do_not_keep_an_author_waiting(store: OnPostgres) -> None:
    """Nor the author them: they go on with what was published when they looked."""
    view, gate = await store.published(), Gate()
    beginning = asyncio.create_task(begin_slowly(store, view.template.id, gate, before_it_is_kept=True))
    await gate.reached.wait()
    await store.change(ANN, view.template.id, TemplateChange(count=20))
    await store.publish(ANN, view.template.id)
    hidden = await store.unpublish(ANN, view.template.id)
    gate.go.set()
    assert (await beginning, hidden.template.latest_version) == (view.published, 2)


async def test_a_publication_shows_a_whole_draft_however_it_meets_a_change(store: OnPostgres) -> None:
    """Every version says what some revision said; the last of several changes is never lost."""
    template = await store.written()
    for number in ROUNDS:
        count = 11 + number
        change = TemplateChange(title=f"{count}", count=count)
        await asyncio.gather(
            store.change(ANN, template.id, change),
            store.publish(ROOT, template.id),
            store.publish(ANN, template.id),
        )
        assert (await store.shelf()).templates[template.id].content == change.of(template.content)
    shelf = await store.shelf()
    numbers = [version for _, version in sorted(shelf.versions)]
    assert numbers == list(range(1, shelf.templates[template.id].latest_version + 1))
    told_twice = [(version.title, version.settings.count) for version in shelf.versions.values()]
    assert all(title in (ROUTING.title, f"{count}") for title, count in told_twice)
    assert len(set(told_twice)) == len(told_twice)


async def test_of_two_changes_of_the_same_revision_one_is_made(store: OnPostgres) -> None:
    template = await store.written()
    for revision in range(1, len(ROUNDS)):
        expected = ExpectedTemplate(revision=revision)
        answers = await asyncio.gather(
            *(
                told(store.change(ANN, template.id, TemplateChange(count=20 + 2 * revision + n), expected))
                for n in (0, 1)
            )
        )
        assert sorted(isinstance(answer, str) for answer in answers) == [False, True]
        assert "template.stale" in answers


async def test_a_package_is_provided_for_once_however_often_at_once(store: OnPostgres) -> None:
    await asyncio.gather(*(store.provide(PACKAGE, ROUTING) for _ in range(4)))
    shelf = await store.shelf()
    assert (len(shelf.templates), len(shelf.versions)) == (1, 1)
