"""Writing down what time has ended, whether or not anybody asks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from application.exam.ports.reading import DueExam, DueExams
from application.exam.ports.sessions import ExamWork
from application.exam.settling import Held, lapse
from application.jobs import Payload
from application.ports import IdGenerator, Transaction
from domain.errors import DomainError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many sessions were due, how many of them this sweep wrote down, and how many could not be."""

    due: int = 0
    ended: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseExam:
    """A session whose time is over is handed in, becomes overdue or is given up, as its package says: whoever comes
    first, the student, staff or the sweeper, finds and leaves the same.
    """

    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, user_id: str, session_id: str) -> bool:
        """Whether anything changed."""

        async def unit(work: ExamWork) -> bool:
            student = await work.hold_progress(user_id)
            session = await work.hold_session(user_id, session_id)
            if session is None:
                return False
            held = Held(student=student, session=session)
            return await lapse(work, lambda: self.ids.new("evt"), held) is not held

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepExams:
    """Exams end on time also where nobody comes back to them; the longest due first.

    Each session is a unit of work of its own, a few at a time: one that fails is logged, stays for the next sweep and
    stops no other. Sweepers, students and staff may meet over a session, and one of them ends it.
    """

    due_exams: DueExams
    lapse_exam: LapseExam
    at_once: int = 4

    async def __call__(self) -> Swept:
        swept, after = Swept(), None
        while found := await self.due_exams.due(after, self.at_once):
            outcomes = await asyncio.gather(*map(self._end, found))
            swept = Swept(
                due=swept.due + len(outcomes),
                ended=swept.ended + outcomes.count(True),
                failed=swept.failed + outcomes.count(None),
            )
            after = found[-1]
        return swept

    async def job(self, _: Payload) -> None:
        """For the job worker."""
        await self()

    async def _end(self, due: DueExam) -> bool | None:
        """None where it failed."""
        try:
            return await self.lapse_exam(due.user_id, due.id)
        except Exception as error:
            # Only what kind of error: the message of a database may quote what it was given.
            cause = error.code if isinstance(error, DomainError) else type(error).__name__
            _log.error("the exam session %s could not be ended: %s", due.id, cause)
            return None
