"""Looking at one's own exams: the session, the list, the paper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from application.exam.ports.reading import DueExams, ExamReader, WantedExams
from application.exam.ports.sessions import ExamWork
from application.exam.settling import accepted, hold, refused
from application.exam.sweeping import LapseExam
from application.exam.views import PaperView, SessionView
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.lifecycle import Command, taken
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.starting import sitting_until


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExamSession:
    """A student sees an own session as it stands, with the last snapshot and, once it is finished, what it came to."""

    exams: ExamReader
    lapse_exam: LapseExam

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        found = await self.exams.session(actor.user_id, session_id)
        if found is not None and found.due:
            await self.lapse_exam(actor.user_id, session_id)
            found = await self.exams.session(actor.user_id, session_id)
        if found is None:
            raise ExamSessionNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExamSessions:
    """A student sees the own sessions, the latest first: all, or those of one package or in some of the statuses."""

    exams: ExamReader
    due_exams: DueExams
    lapse_exam: LapseExam

    async def __call__(
        self, actor: Actor, wanted: WantedExams, before: tuple[datetime, str] | None, limit: int
    ) -> tuple[SessionView, ...]:
        for due in await self.due_exams.due_of(actor.user_id):
            await self.lapse_exam(due.user_id, due.id)
        return await self.exams.sessions(actor.user_id, wanted, before, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPaper:
    """A student who sits an exam sees its paper with all that was answered so far: what a browser needs to go on.

    Before the session is started and after it has ended there is no paper to see; what may be seen of it then, and
    when, is for the result to tell.
    """

    exams: ExamReader
    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, session_id: str) -> PaperView:
        accepted(await self.transact(self._sitting(actor, session_id)))
        found = await self.exams.paper(actor.user_id, session_id)
        assert found is not None
        taken(found.session.status, Command.HEARTBEAT)  # it may have ended meanwhile
        return found

    def _sitting(self, actor: Actor, session_id: str) -> Callable[[ExamWork], Awaitable[DomainError | None]]:
        """Whoever sees the paper sits the exam: signing in elsewhere does not put this browser out."""

        async def sit(work: ExamWork) -> DomainError | None:
            held = await hold(work, lambda: self.ids.new("evt"), actor.user_id, session_id)
            try:
                taken(held.session.status, Command.HEARTBEAT)
            except DomainError as refusal:
                return refused(held, refusal)
            await work.mark_sitting(actor.user_id, actor.session_id, sitting_until(held.session, work.now))
            return None

        return sit
