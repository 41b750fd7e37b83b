"""Statistics of the exams of a package: computed from its finished attempts, beside the requests, and remembered."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from application.exam.ports.statistics import QuestionLabel, SampledPackage, StatisticsReader
from domain.auth.people import Actor
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError, Kind
from domain.exam.item_report import Report, report_on
from domain.exam.sampling import AttemptRule, Sample

REMEMBERED: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 20_000
MOST_MARKS: Final = 2_000_000
"""No more are looked at, the latest first: some 300 MB while they are."""
_AT_ONCE: Final = 50
_REST: Final = 60
_SLOW_SECONDS: Final = 0.5
_MOST_ENTRIES: Final = 32
_MOST_WAITING: Final = 4
_PATIENCE_SECONDS: Final = 3.5
_RETRY_AFTER_SECONDS: Final = 3


class StatisticsNotReady(DomainError):
    """The statistics of a large exam are still being computed; they are there when asked for again."""

    code = "exam.statistics_not_ready"
    kind = Kind.UNAVAILABLE
    title = "The statistics are being computed, ask again in a moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What was computed, of how the package was then, and how long it took. `complete`: no attempt was left out."""

    package: SampledPackage
    report: Report
    complete: bool
    seconds: float

    def still_holds(self, package: SampledPackage) -> bool:
        """Whether this may be told for the package as it is now.

        For 15 minutes as long as no grade was given since. After a grade not at all if it is soon computed again, and
        otherwise for sixty times as long as it took, so that large exams are not computed all the time.
        """
        age = package.now - self.package.now
        if (package.finished, package.changed_at) == (self.package.finished, self.package.changed_at):
            return age < REMEMBERED
        rest = timedelta(seconds=_REST * self.seconds)
        return self.seconds >= _SLOW_SECONDS and age < min(REMEMBERED, rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsView:
    """Statistics for one viewer. Questions without a label are in banks that the viewer may not see."""

    exam_package_id: str
    title: str
    rule: AttemptRule
    finished: int
    complete: bool
    computed_at: datetime
    report: Report
    labels: Mapping[str, QuestionLabel]


@dataclass(slots=True)
class StatisticsMemory:
    """What a process has computed lately, and what it is computing: one at a time, each only once."""

    entries: OrderedDict[tuple[str, AttemptRule], Computed] = field(default_factory=OrderedDict)
    running: dict[tuple[str, AttemptRule], asyncio.Task[Computed]] = field(default_factory=dict)
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))


async def compute(reader: StatisticsReader, package: SampledPackage, rule: AttemptRule) -> Computed:
    """The report on a package: read in small pieces, computed in a thread."""
    began = time.monotonic()
    names = await reader.attempts(package.id, rule, MOST_ATTEMPTS + 1)
    wanted = names[:MOST_ATTEMPTS]
    sample, marks = Sample(draws=package.draws), 0
    for start in range(0, len(wanted), _AT_ONCE):
        papers = await reader.papers(wanted[start : start + _AT_ONCE])
        marks += sum(len(paper.marks) for paper in papers)
        await asyncio.to_thread(sample.extend, papers)
        if marks >= MOST_MARKS:
            break
    choices = await reader.choices((each, sample.latest(each)) for each in sample.questions)
    voided = await reader.voided(package.id)
    report = await asyncio.to_thread(report_on, sample, choices, voided)
    seconds = time.monotonic() - began
    return Computed(package=package, report=report, complete=sample.attempts == len(names), seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatistics:
    """Staff read how an exam and its questions do: difficulty, discrimination, reliability, choice by choice.

    By the first, best or last attempt of each student, or by all. Nothing is told of fewer than ten attempts. Those who
    ask while it is being computed wait for the same computation, and are asked to come back if it takes long.
    """

    reader: StatisticsReader
    memory: StatisticsMemory
    patience_seconds: float = _PATIENCE_SECONDS

    async def __call__(self, actor: Actor, exam_package_id: str, rule: AttemptRule) -> StatisticsView:
        package = await self.reader.package(exam_package_id)
        if package is None:
            raise PackageNotFound
        found = await self._computed(package, rule)
        versions = [(item.question_id, item.latest) for item in found.report.items]
        return StatisticsView(
            exam_package_id=package.id,
            title=package.title,
            rule=rule,
            finished=found.package.finished,
            complete=found.complete,
            computed_at=found.package.now,
            report=found.report,
            labels=await self.reader.labels(actor, versions) if versions else {},
        )

    async def _computed(self, package: SampledPackage, rule: AttemptRule) -> Computed:
        known = self.memory.entries.get((package.id, rule))
        if known is not None and known.still_holds(package):
            return known
        task = self._task(package, rule)
        # A task of its own: whoever comes later waits for it too, and it ends when nobody does.
        await asyncio.wait({task}, timeout=self.patience_seconds)
        if not task.done():
            raise StatisticsNotReady(retry_after_seconds=_RETRY_AFTER_SECONDS)
        return task.result()

    def _task(self, package: SampledPackage, rule: AttemptRule) -> asyncio.Task[Computed]:
        key, running = (package.id, rule), self.memory.running
        if key not in running:
            if len(running) >= _MOST_WAITING:
                raise StatisticsNotReady(retry_after_seconds=_RETRY_AFTER_SECONDS)
            # In no request's context: it has more time than that request has.
            running[key] = asyncio.create_task(self._compute(package, rule), context=Context())
            running[key].add_done_callback(lambda task: self._ended(key, task))
        return running[key]

    async def _compute(self, package: SampledPackage, rule: AttemptRule) -> Computed:
        async with self.memory.turn:
            found = await compute(self.reader, package, rule)
        entries = self.memory.entries
        entries[package.id, rule] = found
        entries.move_to_end((package.id, rule))
        while len(entries) > _MOST_ENTRIES:
            entries.popitem(last=False)
        return found

    def _ended(self, key: tuple[str, AttemptRule], task: asyncio.Task[Computed]) -> None:
        del self.memory.running[key]
        if not task.cancelled():
            # Taken note of: when everybody has gone nobody else will.
            task.exception()
