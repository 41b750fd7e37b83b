"""Which session a client means that does not know of sessions: the quiz it was dealt, the round of study it is in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final

from application.practice.ports.reading import WantedSessions
from application.practice.reading import ListPracticeSessions, ReadPracticeSession
from application.practice.views import PracticeView, SessionView
from domain.auth.people import Actor
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import PracticeSessionNotFound, SlotNotFound
from domain.practice.sessions import PracticeStatus
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.lettering import is_wholly_lettered

_PAGE: Final = 100
_READ_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class DealtQuizzes:
    """Sessions that this door can answer: every question by letters, and no question of how sure one is."""

    list_sessions: ListPracticeSessions
    read_session: ReadPracticeSession

    async def asking(
        self, actor: Actor, package_id: str, quiz_id: str | None, question_ids: Collection[str]
    ) -> PracticeView:
        """The quiz of this id, else the latest of the package that asks all these questions; one that is handed in
        only where no other does. Of those that ask as many or more, the latest hundred are looked at.
        """
        if quiz_id is not None:
            named = await self.read_session(actor, quiz_id)
            if not _is_quiz(named) or named.session.exam_package_id != package_id:
                raise PracticeSessionNotFound
            if not _asks(named, question_ids):
                raise SlotNotFound
            return named
        for status in (PracticeStatus.ACTIVE, PracticeStatus.FINISHED):
            wanted = WantedSessions(exam_package_id=package_id, statuses=(status,))
            async for found in self._read(actor, wanted, FeedbackMode.DEFERRED, len(question_ids)):
                if _asks(found, question_ids):
                    return found
        raise PracticeSessionNotFound("No quiz that you were dealt asks all these questions")

    async def studying(self, actor: Actor) -> PracticeView | None:
        """The round of study that the student is in."""
        wanted = WantedSessions(statuses=(PracticeStatus.ACTIVE,))
        async for found in self._read(actor, wanted, FeedbackMode.IMMEDIATE):
            return found
        return None

    async def study(self, actor: Actor, session_id: str) -> PracticeView:
        found = await self.read_session(actor, session_id)
        if found.session.feedback is not FeedbackMode.IMMEDIATE or not _is_answerable(found):
            raise PracticeSessionNotFound
        return found

    async def _read(
        self, actor: Actor, wanted: WantedSessions, feedback: FeedbackMode, questions: int = 1
    ) -> AsyncIterator[PracticeView]:
        """Those of this kind that ask so many questions or more, the latest first, however many others there are."""
        left = _READ_AT_MOST
        async for session in self._listed(actor, wanted):
            if session.feedback is not feedback or session.certainty or session.served < questions:
                continue
            found = await self.read_session(actor, session.id)
            if _is_answerable(found):
                yield found
            left -= 1
            if not left:
                return

    async def _listed(self, actor: Actor, wanted: WantedSessions) -> AsyncIterator[SessionView]:
        before_id: str | None = None
        while True:
            page = await self.list_sessions(actor, wanted, before_id, _PAGE)
            for session in page:
                yield session
            if len(page) < _PAGE:
                return
            before_id = page[-1].id


def _is_answerable(practice: PracticeView) -> bool:
    return not practice.session.certainty and is_wholly_lettered(practice)


def _is_quiz(practice: PracticeView) -> bool:
    return practice.session.feedback is FeedbackMode.DEFERRED and _is_answerable(practice)


def _asks(practice: PracticeView, question_ids: Collection[str]) -> bool:
    return {question.question_id for question in practice.questions}.issuperset(question_ids)


def provide_dealt_quizzes(
    list_practice_sessions: Injected[ListPracticeSessions], read_practice_session: Injected[ReadPracticeSession]
) -> DealtQuizzes:
    return DealtQuizzes(list_practice_sessions, read_practice_session)
