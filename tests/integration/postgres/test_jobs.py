"""Jobs live and die with the unit of work that enqueues them, and are carried out by a worker that can be stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.jobs import MemoryJobRunner
from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from adapters.postgres.database import Database
from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.idempotency import OnceOnly, once_only
from application.jobs import JobName, Payload, Task
from application.ports import IdGenerator, Job, Work
from tests.support.admin_builders import make_jobs_due
from tests.support.postgres import SettableClock

MAIL = Job(name=JobName.SEND_MAIL, payload={"to": "x", "number": 7, "html": False, "cc": None})


class Inbox:
    """A task that remembers what it was given."""

    def __init__(self) -> None:
        self.got: list[Payload] = []
        self.arrived = asyncio.Event()

    async def __call__(self, payload: Payload) -> None:
        self.got.append(payload)
        self.arrived.set()


@pytest.fixture
def transact(database: Database, ids: IdGenerator) -> PostgresTransaction[PostgresWork]:
    return PostgresTransaction(database, PostgresWork, ids)


@pytest.fixture
def worker(database: Database) -> Callable[..., JobWorker]:
    def make(tasks: Mapping[str, Task], *, listen_notify: bool = True, polling_seconds: float = 30) -> JobWorker:
        return JobWorker(
            database.conninfo, tasks, listen_notify=listen_notify, polling_seconds=polling_seconds, concurrency=1
        )

    return make


@pytest.fixture(autouse=True)
async def nobody_is_left_behind() -> AsyncIterator[None]:
    """A worker or a job that outlasted the patience of `stop` ends before the next test begins."""
    yield
    names = ("job worker", "process job")
    while left := [task for task in asyncio.all_tasks() if task.get_name().startswith(names)]:
        for task in left:
            task.cancel()
        # What they die of is nobody's concern: their database connection is gone.
        await asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), timeout=20)


async def enqueue(work: Work) -> None:
    await work.enqueue(MAIL)


async def statuses(database: Database) -> list[tuple[str, str, int]]:
    rows = await database.fetch_all(
        "select task_name, status::text, attempts from procrastinate_jobs where queueing_lock is null order by id"
    )
    return [(row["task_name"], row["status"], row["attempts"]) for row in rows]


async def test_a_job_is_there_when_its_unit_committed(
    transact: PostgresTransaction[PostgresWork], database: Database
) -> None:
    await transact(enqueue)
    assert await statuses(database) == [("send_mail", "todo", 0)]


async def test_a_job_of_a_unit_that_was_undone_never_was(
    transact: PostgresTransaction[PostgresWork], database: Database
) -> None:
    async def unit(work: PostgresWork) -> None:
        await enqueue(work)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await transact(unit)
    assert await statuses(database) == []


async def test_a_worker_carries_out_what_waits_with_its_payload_and_forgets_it(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    inbox = Inbox()
    await transact(enqueue)
    await worker({JobName.SEND_MAIL: inbox}).run_pending()
    assert inbox.got == [MAIL.payload]
    assert await statuses(database) == []


async def test_a_job_whose_task_fails_waits_for_another_attempt(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    async def fail(payload: Payload) -> None:
        raise RuntimeError("the mail server is away")

    await transact(enqueue)
    await worker({JobName.SEND_MAIL: fail}).run_pending()
    assert await statuses(database) == [("send_mail", "todo", 1)]
    row = await database.fetch_one("select scheduled_at > now() as later from procrastinate_jobs")
    assert row == {"later": True}


@pytest.mark.parametrize(("listen_notify", "polling_seconds"), [(True, 30), (False, 0.05)])
async def test_a_running_worker_notices_a_new_job_by_listening_or_by_looking(
    transact: PostgresTransaction[PostgresWork],
    worker: Callable[..., JobWorker],
    listen_notify: bool,
    polling_seconds: float,
) -> None:
    inbox, first = Inbox(), Inbox()

    async def begin(payload: Payload) -> None:
        await first(payload)

    jobs = worker(
        {JobName.SEND_MAIL: inbox, "begin": begin}, listen_notify=listen_notify, polling_seconds=polling_seconds
    )
    await transact(lambda work: work.enqueue(Job(name="begin", payload={})))
    await jobs.start()
    async with asyncio.timeout(20):
        await first.arrived.wait()
        await listening(transact) if listen_notify else None
        await transact(enqueue)
        await inbox.arrived.wait()
    assert jobs.running
    await jobs.stop()
    assert not jobs.running


async def listening(transact: PostgresTransaction[PostgresWork]) -> None:
    async def ask(work: PostgresWork) -> object:
        return await work._all("select from pg_stat_activity where query like 'LISTEN%%'", {})

    while not await transact(ask):
        await asyncio.sleep(0.01)


async def test_stopping_waits_for_the_running_job(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    begun, finished = asyncio.Event(), asyncio.Event()

    async def slow(payload: Payload) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        finished.set()

    await transact(enqueue)
    jobs = worker({JobName.SEND_MAIL: slow})
    await jobs.start()
    await begun.wait()
    await jobs.stop()
    assert finished.is_set()
    assert await statuses(database) == []


async def test_stopping_is_bounded_and_the_job_that_took_too_long_is_not_lost(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    begun = asyncio.Event()

    async def endless(payload: Payload) -> None:
        begun.set()
        await asyncio.Event().wait()

    await transact(enqueue)
    jobs = worker({JobName.SEND_MAIL: endless})
    await jobs.start()
    await begun.wait()
    before = time.monotonic()
    await jobs.stop(grace_seconds=0.2)
    assert time.monotonic() - before < 8
    ((_, status, _),) = await statuses(database)
    assert status in ("todo", "doing")  # "doing" of a worker that is gone is rescued by the next one


async def test_a_worker_that_was_never_started_can_be_stopped(worker: Callable[..., JobWorker]) -> None:
    await worker({}).stop()


async def test_a_job_of_a_worker_that_died_is_carried_out_by_another(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    inbox = Inbox()
    await transact(enqueue)
    await database.fetch_one("select procrastinate_register_worker_v1()")
    await database.fetch_one("""
        select from procrastinate_workers w, procrastinate_fetch_job_v2(null, w.id) job
    """)
    assert await statuses(database) == [("send_mail", "doing", 0)]
    await database.fetch_one("update procrastinate_workers set last_heartbeat = now() - interval '1 hour' returning id")
    await transact(lambda work: work.enqueue(Job(name="rescue_stalled_jobs", payload={"timestamp": 0})))
    for _ in range(2):
        await worker({JobName.SEND_MAIL: inbox}).run_pending()
    assert inbox.got == [MAIL.payload]


async def test_failed_jobs_are_forgotten_after_a_month(
    transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker], database: Database
) -> None:
    for _ in range(2):
        await transact(enqueue)
    await database.fetch_one("update procrastinate_jobs set status = 'failed' returning id")
    await database.fetch_one("""
        update procrastinate_events set at = now() - interval '31 days'
        where job_id = (select min(id) from procrastinate_jobs) returning id
    """)
    await transact(lambda work: work.enqueue(Job(name="forget_failed_jobs", payload={"timestamp": 0})))
    await worker({}).run_pending()
    assert await statuses(database) == [("send_mail", "failed", 0)]


async def test_a_worker_that_fell_over_gets_up_again(
    worker: Callable[..., JobWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    falls, up = iter([RuntimeError("the database went away"), None]), asyncio.Event()

    async def work(self: JobWorker, *, wait: bool) -> None:
        if (error := next(falls)) is not None:
            raise error
        up.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(JobWorker, "_work", work)
    monkeypatch.setattr("adapters.postgres.jobs._RESTART_SECONDS", 0)
    jobs = worker({})
    await jobs.start()
    async with asyncio.timeout(30):
        await up.wait()
    await jobs.stop()


async def test_a_worker_whose_database_is_not_there_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    jobs = JobWorker("host=/nonexistent", {})
    await jobs.start()
    await asyncio.sleep(0)
    begun = time.monotonic()
    await jobs.stop(grace_seconds=0.2)
    assert time.monotonic() - begun < 8
    assert not jobs.running
    assert "left behind" not in caplog.text


async def test_old_answers_are_purged_and_young_ones_kept(
    database: Database, ids: IdGenerator, clock: SettableClock
) -> None:
    row = await database.fetch_one("select now() as now")
    assert row is not None
    transact = PostgresTransaction(database, PostgresWork, ids, clock)

    async def nothing(work: Work) -> None:
        return None

    for number in range(7):
        clock.set(row["now"] - timedelta(hours=23 if number < 2 else 25))
        token = once_only.set(OnceOnly(user_id="u", key=str(number), fingerprint=b"f", render=lambda _: b"answer"))
        await transact(nothing)
        once_only.reset(token)
    await Housekeeping(database, ids, batch=2).purge_idempotency_keys({})
    left = await database.fetch_all("select key from idempotency_keys order by key")
    assert [row["key"] for row in left] == ["0", "1"]


async def test_sessions_that_expired_a_month_ago_are_purged_with_their_tokens(
    database: Database, ids: IdGenerator
) -> None:
    await database.fetch_one("""
        with person as (
            insert into users (id, email, role, password_hash, created_at, updated_at)
            values ('usr_1', 'a@example.org', 'student', 'x', now(), now()) returning id
        ), session as (
            insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at,
                                       idle_expires_at, absolute_expires_at)
            select person.id, 'ses_' || days, 'portal', 'student', now(), now(), now(),
                   now() - make_interval(days => days), now() - make_interval(days => days)
            from person, (values (-1), (29), (31), (60)) as age (days) returning user_id, id
        )
        insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
        select user_id, id, 0, sha256(id::bytea), now() from session returning generation
    """)
    await Housekeeping(database, ids, batch=1).purge_sessions({})
    sessions = await database.fetch_all("select id from auth_sessions order by id")
    tokens = await database.fetch_all("select session_id from auth_refresh_tokens order by session_id")
    assert [row["id"] for row in sessions] == [row["session_id"] for row in tokens] == ["ses_-1", "ses_29"]


async def test_everything_on_schedule_is_a_task(database: Database, ids: IdGenerator) -> None:
    tasks = Housekeeping(database, ids).tasks()
    assert set(HOUSEKEEPING_SCHEDULE) == set(tasks)
    jobs = JobWorker(database.conninfo, tasks, periodic=HOUSEKEEPING_SCHEDULE)
    await jobs.run_pending()


async def test_the_memory_runner_carries_out_committed_jobs_once_in_order() -> None:
    store = MemoryStore()
    transact = MemoryTransaction(store, MemoryWork, SettableClock())
    inbox = Inbox()

    async def chain(payload: Payload) -> None:
        await transact(enqueue)

    runner = MemoryJobRunner(store, {JobName.SEND_MAIL: inbox, "chain": chain})
    await transact(lambda work: work.enqueue(Job(name="chain", payload={})))
    assert [await runner.run_pending(), await runner.run_pending()] == [2, 0]
    assert inbox.got == [MAIL.payload]


async def test_a_job_that_is_to_wait_is_not_carried_out_before(
    database: Database, transact: PostgresTransaction[PostgresWork], worker: Callable[..., JobWorker]
) -> None:
    inbox = Inbox()
    late = replace(MAIL, delay_seconds=60)
    await transact(lambda work: work.enqueue(late))
    await worker({JobName.SEND_MAIL: inbox}).run_pending()
    assert inbox.got == []
    (row,) = await database.fetch_all(
        "select extract(epoch from scheduled_at - now()) as wait from procrastinate_jobs where task_name = 'send_mail'"
    )
    assert 50 < row["wait"] <= 60
    await make_jobs_due(database)
    await worker({JobName.SEND_MAIL: inbox}).run_pending()
    assert inbox.got == [MAIL.payload]


async def test_jobs_with_the_same_lock_are_done_in_turn_and_others_beside_them(
    database: Database, transact: PostgresTransaction[PostgresWork]
) -> None:
    began: list[str] = []
    first_may_end = asyncio.Event()

    async def task(payload: Payload) -> None:
        began.append(str(payload["name"]))
        if payload["name"] == "first":
            await asyncio.wait_for(first_may_end.wait(), timeout=60)
        if payload["name"] == "other":
            first_may_end.set()

    async def order(work: Work) -> None:
        for name, lock in (("first", "one"), ("second", "one"), ("other", "another")):
            await work.enqueue(Job(name=JobName.SEND_MAIL, payload={"name": name}, lock=lock))

    await transact(order)
    two_at_once = JobWorker(database.conninfo, {JobName.SEND_MAIL: task}, concurrency=2)
    await two_at_once.run_pending()
    await two_at_once.run_pending()
    assert began == ["first", "other", "second"]
    assert await statuses(database) == []
