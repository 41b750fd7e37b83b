"""Ports that every area shares: time, identifiers, the unit of work, jobs and the audit log."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

WorkT_co = TypeVar("WorkT_co", bound="Work", covariant=True)
ResultT = TypeVar("ResultT")


class Clock(Protocol):
    """Tells the time in UTC."""

    @abstractmethod
    def now(self) -> datetime: ...


class IdGenerator(Protocol):
    """Makes identifiers; each sorts after all that the same generator made before."""

    @abstractmethod
    def new(self, prefix: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to be done soon, outside the request, but not before `delay_seconds` are over. `name` is one of the
    worker's tasks. Jobs with the same `lock` are done one after the other, in the order in which they were enqueued.
    """

    name: str
    payload: Mapping[str, str | int | bool | None]
    delay_seconds: int = 0
    lock: str | None = None


class JobQueue(Protocol):
    """Takes jobs. On PostgreSQL they are committed or rolled back together with the unit of work that enqueues them."""

    @abstractmethod
    async def enqueue(self, job: Job) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One privileged act: who did what to which subject, how it was before and after, and why. Never a secret."""

    actor_id: str | None
    action: str
    subject: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    reason: str | None = None


class Work(JobQueue, Protocol):
    """What every unit of work offers beside its area's own words."""

    @property
    @abstractmethod
    def now(self) -> datetime:
        """The one instant of this unit of work, read with the data and the same on every replica."""

    @abstractmethod
    async def audit(self, entry: AuditEntry) -> None:
        """Writes exactly one row in this unit of work; if it cannot be written the act does not happen."""

    @abstractmethod
    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part that may fail by itself: an error that leaves it undoes what was done in it, also where the store
        refused, and nothing else. Whoever catches that error may go on with the unit.
        """


class Transaction(Protocol[WorkT_co]):
    """Runs one unit of work: all of it is committed before this returns, or nothing of it happened.

    A refusal raised by the unit rolls back. What must survive a refusal is written by the unit, which then returns the
    refusal for the caller to raise. The unit may run again after a collision with another one, so it must only speak
    to `work`. It has a deadline; past it the outcome is unknown (`OutcomeUnknown`).
    """

    @abstractmethod
    async def __call__(self, unit: Callable[[WorkT_co], Awaitable[ResultT]], /) -> ResultT: ...
