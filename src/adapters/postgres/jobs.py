"""Jobs on the same PostgreSQL, with procrastinate: enqueued in the unit of work, carried out by a worker.

The worker has connections of its own, apart from the pool that serves requests. On one of them it listens for new jobs,
which needs a session of its own: behind a pooler that gives out transactions, turn that off and it looks every few
seconds instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from psycopg.types.json import Jsonb

from adapters.postgres.connections import sever
from application.jobs import Task
from application.ports import Job

if TYPE_CHECKING:
    from procrastinate import App

QUEUE = "ace"

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 2.0
_CUTS = 4
_CUT_SECONDS = 0.25
_GRACE_SECONDS = 10.0
_ATTEMPTS = 12  # pauses of 2, 4, 8 … seconds, more than an hour in all: as long as a mail server may be away
_POOL_SECONDS = 5.0
_CONNECT_SECONDS = 2
_RESCUE = "rescue_stalled_jobs"
_FORGET = "forget_failed_jobs"
_FORGET_HOURS = 30 * 24


def job_record(job: Job) -> dict[str, Any]:
    """The parameters that enqueue a job."""
    payload = Jsonb(dict(job.payload))
    return {
        "queue": QUEUE,
        "task": str(job.name),
        "lock": job.lock,
        "payload": payload,
        "delay": job.delay_seconds,
    }


class JobWorker:
    """Carries out jobs until stopped; survives a database that goes away and comes back.

    A job that fails is tried again with growing pauses; jobs of a worker that died are given to the living.
    """

    def __init__(
        self,
        conninfo: str,
        tasks: Mapping[str, Task],
        *,
        periodic: Mapping[str, str] | None = None,
        concurrency: int = 2,
        listen_notify: bool = True,
        polling_seconds: float = 5.0,
    ) -> None:
        """`periodic` gives some of the tasks a schedule, in the notation of cron, UTC."""
        self._conninfo = conninfo
        self._tasks = tasks
        self._periodic = periodic or {}
        self._concurrency = concurrency
        self._listen_notify = listen_notify
        self._polling_seconds = polling_seconds
        self._connections: WeakSet[Any] = WeakSet()
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._supervisor is not None and not self._supervisor.done()

    async def start(self) -> None:
        """Begins in the background; the database need not be there yet."""
        if not self.running:
            self._supervisor = asyncio.create_task(self._supervise(), name="job worker")

    async def stop(self, grace_seconds: float = _GRACE_SECONDS) -> None:
        """Takes no new jobs and waits for the running ones; those that take too long are aborted and run again later.

        Bounded even if the database is frozen: then the worker's connections are cut.
        """
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        supervisor.cancel()
        await asyncio.wait((supervisor,), timeout=grace_seconds)
        for _ in range(_CUTS):
            if supervisor.done():
                return
            for connection in list(self._connections):
                sever(connection)
            supervisor.cancel()
            await asyncio.wait((supervisor,), timeout=_CUT_SECONDS)
        if not supervisor.done():
            _log.warning("the job worker does not end and is left behind")

    async def run_pending(self) -> None:
        """Carries out what is due and returns when nothing is left."""
        await self._work(wait=False)

    async def _supervise(self) -> None:
        while True:
            try:
                await self._work(wait=True)
            except Exception:
                _log.exception("the job worker ended and is started again")
            await asyncio.sleep(_RESTART_SECONDS)

    async def _work(self, *, wait: bool) -> None:
        app = self._app()
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                wait=wait,
                concurrency=self._concurrency,
                listen_notify=self._listen_notify and wait,
                fetch_job_polling_interval=self._polling_seconds,
                shutdown_graceful_timeout=_GRACE_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )

    def _app(self) -> App:
        from procrastinate import App, PsycopgConnector, RetryStrategy

        connector = PsycopgConnector(
            conninfo=self._conninfo,
            name="ace-jobs",
            min_size=1,
            max_size=self._concurrency + 2,
            timeout=_POOL_SECONDS,
            reconnect_timeout=_POOL_SECONDS,
            kwargs={"connect_timeout": _CONNECT_SECONDS, "prepare_threshold": None},
            configure=self._track,
        )
        app = App(connector=connector)
        retry = RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=2)
        for name, task in self._tasks.items():
            registered = app.task(name=str(name), queue=QUEUE, retry=retry)(_carrying_out(task))
            if name in self._periodic:
                app.periodic(cron=self._periodic[name], queueing_lock=str(name))(registered)
        _add_upkeep(app)
        return app

    async def _track(self, connection: Any) -> None:
        self._connections.add(connection)


def _carrying_out(task: Task) -> Callable[..., Awaitable[None]]:
    async def carry_out(**payload: Any) -> None:
        await task(payload)

    return carry_out


def _add_upkeep(app: App) -> None:
    """What the queue needs to stay whole: jobs of dead workers run again, failed ones are forgotten in the end."""

    @app.periodic(cron="* * * * *", queueing_lock=_RESCUE)
    @app.task(name=_RESCUE, queue=QUEUE)
    async def rescue(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(queue=QUEUE):
            await app.job_manager.retry_job(job)

    @app.periodic(cron="43 3 * * *", queueing_lock=_FORGET)
    @app.task(name=_FORGET, queue=QUEUE)
    async def forget(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(_FORGET_HOURS, queue=QUEUE, include_failed=True, include_aborted=True)
