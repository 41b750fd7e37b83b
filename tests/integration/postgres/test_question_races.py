"""Many hands on one question, on PostgreSQL and through two pools: one of them comes first, and nobody loses a word."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.question_bank.taxonomy import PostgresTaxonomyWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from adapters.system.clock import TimeOrderedIds
from application.ports import Transaction
from application.practice.starting import CreatePracticeSession
from application.progress.repeating import ScheduleReviews
from application.question_bank.changes import QuestionChange
from application.question_bank.ports.authoring import AuthoringWork
from application.question_bank.steps import QuestionState, keep
from application.question_bank.taxonomy import ChangeBank
from domain.practice.plans import PracticePlan
from domain.question_bank.completeness import refuse_incomplete
from domain.question_bank.lifecycle import ANYTHING, Expected, VersionStatus, edit, submit, withdraw
from domain.question_bank.lifecycle_refusals import (
    QuestionInUse,
    QuestionNotFound,
    QuestionStale,
    SelfApproval,
)
from domain.question_bank.taxonomy import Bank, BankChange
from tests.support.authoring_builders import ANN, BEN, NET, RITA, ROOT, SAM, text
from tests.support.authoring_stores import OnPostgres, Rows
from tests.support.postgres import ClonedDatabase

ROUNDS = range(6)
_PACKAGE = """
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values ('pkg_net', 'net', 'Net', 'visible', 75, now(), now());
insert into exam_package_tiers (id, exam_package_id, name, is_default) values ('tie_net', 'pkg_net', 'Standard', true);
insert into exam_package_banks (exam_package_id, question_bank_id) values ('pkg_net', 'qbk_net');
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
values ('usr_sam', 'enr_sam', 'pkg_net', 'tie_net', 'active', now());
"""
_SLOT = """
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
values ('usr_sam', 'prs_race', 1, %s, 1, '{A,B}', 1)
"""


@dataclass(slots=True)
class Waiting(Transaction[AuthoringWork]):
    """A unit of work that has done everything and does not commit before it is told to."""

    inner: Transaction[AuthoringWork]
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, unit: Callable[[AuthoringWork], Awaitable[Any]], /) -> Any:
        async def slow(work: AuthoringWork) -> Any:
            result = await unit(work)
            self.reached.set()
            await self.go.wait()
            return result

        return await self.inner(slow)


@pytest.fixture
async def here(database: Database, cloned: ClonedDatabase) -> AsyncIterator[OnPostgres]:
    store = OnPostgres(database=database, clock=None)
    await store.settle()
    yield store
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    assert cloned.keeper.execute(query).fetchall() == [(0,)]


@pytest.fixture
async def there(here: OnPostgres, cloned: ClonedDatabase) -> AsyncIterator[OnPostgres]:
    """The same database as another process sees it."""
    database = Database(cloned.urls.app, pool_min=2, pool_max=4)
    await database.open()
    yield OnPostgres(database=database, clock=None, ids=here.ids)
    await database.close()


async def at_once(*acts: Coroutine[Any, Any, Any]) -> list[Any]:
    """What each of them answered; only refusals may be among the answers that are none."""
    return await asyncio.gather(*acts, return_exceptions=True)


def names(answers: list[Any]) -> Counter[str]:
    return Counter(type(answer).__name__ for answer in answers)


async def waits_for_a_lock(cloned: ClonedDatabase) -> None:
    """Until somebody does."""
    for _ in range(3_000):
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        if cloned.keeper.execute(waiting).fetchall() != [(0,)]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def in_review(store: OnPostgres) -> QuestionState:
    state = await store.begin(ANN)
    return await store.submit(ANN, state.id)


def check(rows: Rows) -> None:
    """What holds after any race."""
    for row in rows.questions.values():
        versions = [kept.version for key, kept in sorted(rows.versions.items()) if key[0] == row.id]
        published = [v.version for v in versions if v.status is VersionStatus.PUBLISHED]
        assert row.published_version == (published[0] if published else None)
        assert (row.latest_version, row.latest_status) == (versions[-1].version, versions[-1].status)
    assert rows.published[NET.id] == sum(row.published_version is not None for row in rows.questions.values())


async def test_of_edits_of_one_revision_one_is_kept(here: OnPostgres, there: OnPostgres) -> None:
    for _ in ROUNDS:
        state = await here.begin(ANN)
        edits = [
            store.edit(ANN, state.id, QuestionChange(stem=text(f"Word {number}")), Expected(rev=1))
            for number, store in enumerate((here, there, here, there))
        ]
        answers = await at_once(*edits)
        assert names(answers) == {"QuestionState": 1, "QuestionStale": 3}
        (kept,) = (answer for answer in answers if isinstance(answer, QuestionState))
        version = (await here.rows()).versions[state.id, 1].version
        assert (version.content, version.rev) == (kept.content, 2)


async def test_edits_that_expect_nothing_are_all_kept(here: OnPostgres, there: OnPostgres) -> None:
    state = await here.begin(ANN)
    words = [f"Word {number}" for number in range(8)]
    edits = [
        store.edit(actor, state.id, QuestionChange(stem=text(word)))
        for word, store, actor in zip(words, (here, there) * 4, (ANN, ANN, BEN, ROOT) * 2, strict=True)
    ]
    assert names(await at_once(*edits)) == {"QuestionState": 8}
    version = (await here.rows()).versions[state.id, 1].version
    assert version.rev == 9
    assert set(version.editors) == {ANN.user_id, BEN.user_id, ROOT.user_id}
    assert len(await here.audited()) == 9


async def test_of_two_edits_of_a_published_question_one_opens_the_draft(here: OnPostgres, there: OnPostgres) -> None:
    for _ in ROUNDS:
        state = await here.begin(ANN)
        published = await here.publish(ROOT, state.id)
        edits = [
            store.edit(ANN, state.id, QuestionChange(stem=text(word)), Expected(etag=published.etag))
            for word, store in (("one", here), ("two", there))
        ]
        assert names(await at_once(*edits)) == {"QuestionState": 1, "QuestionChanged": 1}
    check(await here.rows())


async def test_of_approvals_one_publishes(here: OnPostgres, there: OnPostgres) -> None:
    for _ in ROUNDS:
        state = await in_review(here)
        answers = await at_once(
            *(store.approve(actor, state.id, ANYTHING) for store in (here, there) for actor in (ROOT, RITA))
        )
        assert names(answers) == {"QuestionState": 1, "AlreadyDecided": 3}
    rows = await here.rows()
    check(rows)
    assert rows.published[NET.id] == len(ROUNDS)


async def test_there_is_one_decision(here: OnPostgres, there: OnPostgres) -> None:
    for number in ROUNDS:
        state = await in_review(here)
        acts = [here.approve(ROOT, state.id, Expected(rev=2)), there.request_changes(RITA, state.id, "No.")]
        answers = await at_once(*(acts if number % 2 else reversed(acts)))
        assert sum(isinstance(answer, QuestionState) for answer in answers) == 1
        assert names(answers) <= Counter(["QuestionState", "AlreadyDecided", "QuestionStale"])
        rows = await here.rows()
        assert rows.reviews[state.id, 1, 1].decision == (
            "approved" if rows.questions[state.id].published_version else "changes_requested"
        )
    check(await here.rows())


async def test_what_is_withdrawn_is_not_approved(here: OnPostgres, there: OnPostgres) -> None:
    for number in ROUNDS:
        state = await in_review(here)
        acts = [here.approve(ROOT, state.id, Expected(rev=2)), there.withdraw(ANN, state.id)]
        answers = await at_once(*(acts if number % 2 else reversed(acts)))
        assert sum(isinstance(answer, QuestionState) for answer in answers) == 1
        assert names(answers) <= Counter(["QuestionState", "WrongStatus", "QuestionStale"])
    check(await here.rows())


async def test_an_edit_meets_the_question_before_or_after_its_approval(here: OnPostgres, there: OnPostgres) -> None:
    for number in ROUNDS:
        state = await in_review(here)
        change = QuestionChange(stem=text("Other?"))
        acts = [here.approve(ROOT, state.id, Expected(rev=2)), there.edit(ANN, state.id, change)]
        acts = acts if number % 2 else acts[::-1]
        answers = await at_once(*acts)
        rows = await here.rows()
        assert rows.versions[state.id, 1].version.content == state.content
        assert rows.questions[state.id].published_version == 1
        assert names(answers) in ({"QuestionState": 2}, {"QuestionState": 1, "LockedInReview": 1})
        assert rows.questions[state.id].latest_version == names(answers)["QuestionState"]
    check(await here.rows())


async def test_a_question_is_published_and_archived_in_some_order(here: OnPostgres, there: OnPostgres) -> None:
    for number in ROUNDS:
        state = await here.begin(ANN)
        await here.publish(ROOT, state.id)
        await here.edit(ANN, state.id, QuestionChange(stem=text("Two?")))
        acts = [here.publish(ROOT, state.id), there.archive(ANN, state.id)]
        answers = await at_once(*(acts if number % 2 else reversed(acts)))
        assert names(answers) == {"QuestionState": 2}
    rows = await here.rows()
    check(rows)
    assert all(
        (kept.version.status is VersionStatus.PUBLISHED) == (rows.questions[key[0]].published_version == key[1])
        for key, kept in rows.versions.items()
    )


async def test_one_external_id_is_given_once(here: OnPostgres, there: OnPostgres) -> None:
    answers = await at_once(*(store.begin(ANN, external_id="N-1") for store in (here, there) * 3))
    assert names(answers) == {"QuestionState": 1, "ExternalIdTaken": 5}


async def test_many_questions_of_a_bank_are_counted_together(here: OnPostgres, there: OnPostgres) -> None:
    states = [await here.begin(ANN) for _ in range(8)]
    acts = [store.publish(ROOT, state.id) for store, state in zip((here, there) * 4, states, strict=True)]
    assert names(await at_once(*acts)) == {"QuestionState": 8}
    acts = [store.archive(ROOT, state.id) for store, state in zip((here, there) * 2, states, strict=False)]
    acts += [store.redraft(ROOT, state.id) for store, state in zip((here, there) * 2, states, strict=False)]
    await at_once(*acts)
    rows = await here.rows()
    check(rows)
    assert rows.published[NET.id] == 4


async def test_a_bank_gets_other_slugs_while_its_questions_are_published(here: OnPostgres, there: OnPostgres) -> None:
    """A slug is a key, and whoever publishes shares the bank's row before counting in it."""
    taxonomy = PostgresTransaction(here.database, PostgresTaxonomyWork, TimeOrderedIds())

    async def publish(store: OnPostgres, question_id: str) -> QuestionState:
        for _ in ROUNDS:
            await store.publish(ROOT, question_id)
            await store.archive(ROOT, question_id)
            await store.redraft(ROOT, question_id)
        return await store.publish(ROOT, question_id)

    async def rename(change: Callable[[int], BankChange]) -> list[Bank]:
        return [await ChangeBank(transact=taxonomy)(ROOT, NET.id, change(number)) for number in range(20)]

    states = [await here.begin(ANN) for _ in range(4)]
    answers = await at_once(
        *(publish(store, state.id) for store, state in zip((here, there) * 2, states, strict=True)),
        rename(lambda number: BankChange(slug=f"net-{number}")),
        rename(lambda number: BankChange(title=f"Net {number}")),
    )
    assert names(answers) == {"QuestionState": 4, "list": 2}
    rows = await here.rows()
    check(rows)
    assert rows.published[NET.id] == 4


async def test_bank_and_topic_stay_until_the_question_is_in_them(here: OnPostgres, cloned: ClonedDatabase) -> None:
    """By what a step reads of them, before it writes anything: no foreign key may be there to keep them."""
    waiting = Waiting(here.transact)

    async def read(work: AuthoringWork) -> None:
        await work.bank(NET.id)
        await work.labels(NET.id, "top_route", None)

    reading = asyncio.create_task(waiting(read))
    await waiting.reached.wait()
    for table, id_ in (("question_banks", NET.id), ("question_topics", "top_route")):
        with pytest.raises(psycopg.errors.LockNotAvailable):
            cloned.keeper.execute(f"select from {table} where id = %s for update nowait".encode(), (id_,))
    waiting.go.set()
    await reading


async def test_self_approval_is_judged_by_what_was_written_while_the_approval_waited(
    here: OnPostgres, there: OnPostgres, cloned: ClonedDatabase
) -> None:
    """Root's own edit commits between the moment at which Root asks to approve and the moment of the decision."""
    for expected, refusal in ((ANYTHING, SelfApproval), (Expected(rev=2), QuestionStale)):
        state = await in_review(here)
        waiting = Waiting(here.transact)
        writing = asyncio.create_task(waiting(partial(rewrite_in_review, state.id)))
        await waiting.reached.wait()
        approving = asyncio.create_task(there.approve(ROOT, state.id, expected))
        await waits_for_a_lock(cloned)
        waiting.go.set()
        await writing
        with pytest.raises(refusal):
            await approving
        rows = await here.rows()
        assert rows.versions[state.id, 1].version.editors == (ANN.user_id, ROOT.user_id)
        assert rows.questions[state.id].latest_status is VersionStatus.IN_REVIEW
        await there.approve(RITA, state.id, Expected(rev=5))


async def rewrite_in_review(question_id: str, work: AuthoringWork) -> None:
    """Root withdraws, edits and hands in again, all at once."""
    before, bank = await work.hold_question(question_id), await work.bank(NET.id)
    assert before is not None
    assert bank is not None
    change = QuestionChange(stem=text("Mine."))
    drafted = withdraw(before, ROOT.user_id, work.now)
    edited = edit(drafted, change.of, ROOT.user_id, work.now)
    handed_in = submit(edited, refuse_incomplete, ROOT.user_id, work.now)
    for older, newer in pairwise((before, drafted, edited, handed_in)):
        await keep(work, bank, older, newer)


async def test_a_question_is_drawn_whole_or_not_at_all(
    here: OnPostgres, there: OnPostgres, cloned: ClonedDatabase
) -> None:
    """Practice begins while the question is published, archived and asked to be deleted."""
    cloned.keeper.execute(_PACKAGE)
    practise = CreatePracticeSession(
        ids=TimeOrderedIds(),
        transact=PostgresTransaction(there.database, PostgresPracticeWork, TimeOrderedIds()),
        schedule_reviews=ScheduleReviews(FsrsScheduler()),
    )
    plan = PracticePlan(exam_package_id="pkg_net", topic_ids=("top_route",), count=200)
    for _ in ROUNDS:
        state = await here.begin(ANN)
        drawn, published, deleted, again, _ = await at_once(
            practise(SAM, plan),
            here.publish(ROOT, state.id),
            there.delete(ANN, state.id),
            practise(SAM, plan),
            here.archive(ANN, state.id),
        )
        assert names([deleted]) <= Counter(["NoneType", "QuestionInUse"])
        assert (deleted is None) == isinstance(published, QuestionNotFound)
        assert names([drawn, again]) <= Counter({"PracticeView": 2, "NoQuestions": 2})
    rows = await here.rows()
    check(rows)
    slots = cloned.keeper.execute("select question_id, version from practice_slots").fetchall()
    assert all((question_id, version) in rows.versions for question_id, version in slots)


async def test_a_question_that_is_served_at_this_moment_is_not_deleted(
    here: OnPostgres, cloned: ClonedDatabase
) -> None:
    state = await here.begin(ANN)
    await here.serve((await here.begin(ANN)).id, 1)
    async with await psycopg.AsyncConnection.connect(cloned.superuser) as serving:
        await serving.execute(
            "insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served,"
            " started_at, last_event_at) select user_id, 'prs_race', exam_package_id, status, feedback, 1, 1,"
            " started_at, last_event_at from practice_sessions"
        )
        await serving.execute(_SLOT, (state.id,))
        deleting = asyncio.create_task(here.delete(ANN, state.id))
        await waits_for_a_lock(cloned)
        await serving.commit()
    with pytest.raises(QuestionInUse):
        await deleting
    assert (state.id, 1) in (await here.rows()).versions
