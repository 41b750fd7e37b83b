"""Looking at practice: the session, the list, the review, the summary."""

from __future__ import annotations

from dataclasses import dataclass

from application.auth.claimants import Caller, claim_of, confirmed
from application.practice.ports.reading import PracticeReader, WantedSessions
from application.practice.views import PracticeView, ReviewItem, SessionView, SummaryView
from domain.auth.people import Actor
from domain.practice.refusals import PracticeSessionNotFound
from domain.practice.results import refuse_during_exam, refuse_early_review


@dataclass(frozen=True, slots=True)
class ReadPracticeSession:
    """A student sees an own session with its questions in its order, own responses included, keys never."""

    practice: PracticeReader

    async def __call__(self, caller: Caller, session_id: str) -> PracticeView:
        found = await self.practice.session(caller.user_id, session_id, claim=claim_of(caller))
        if found is None:
            await confirmed(caller)
            raise PracticeSessionNotFound
        return found


@dataclass(frozen=True, slots=True)
class ListPracticeSessions:
    """A student sees the own sessions, the latest first: all, or those of one package or in one state."""

    practice: PracticeReader

    async def __call__(
        self, actor: Actor, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        return await self.practice.sessions(actor.user_id, wanted, before_id, limit)


@dataclass(frozen=True, slots=True)
class ReviewPractice:
    """A student goes through what was answered: at any time with immediate feedback, at the end with deferred.

    While an exam of the student asks one of the questions nothing is shown.
    """

    practice: PracticeReader

    async def __call__(self, actor: Actor, session_id: str) -> tuple[ReviewItem, ...]:
        found = await self.practice.review(actor.user_id, session_id)
        if found is None:
            raise PracticeSessionNotFound
        refuse_during_exam(found.under_exam)
        refuse_early_review(found.session)
        return found.items


@dataclass(frozen=True, slots=True)
class SummarisePractice:
    """A student sees a session in numbers, as a whole and by topic, but not while an exam asks one of its questions."""

    practice: PracticeReader

    async def __call__(self, actor: Actor, session_id: str) -> SummaryView:
        found = await self.practice.summary(actor.user_id, session_id)
        if found is None:
            raise PracticeSessionNotFound
        refuse_during_exam(found.under_exam)
        return found
