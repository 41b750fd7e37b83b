"""Practising from beginning to end, on memory."""

from __future__ import annotations

import pytest

from adapters.system.clock import TimeOrderedIds
from application.practice.ports import PracticeReader, SlotTarget
from application.practice.reading import (
    ListPracticeSessions,
    ReadPracticeSession,
    ReviewPractice,
    SummarisePractice,
)
from application.practice.sitting import AnswerQuestion, FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.practice.views import PracticeView, ReviewView, SessionView, SummaryView
from domain.errors import InvalidInput
from domain.practice.plans import PracticePlan
from domain.practice.refusals import (
    EnrollmentRequired,
    PracticeFinished,
    PracticeSessionNotFound,
    ReviewNotAvailable,
    SlotNotFound,
)
from domain.practice.results import Summary, summarise
from domain.practice.sessions import FeedbackMode, PracticeStatus
from domain.question_bank.questions import Response
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, STRANGER, STUDENT, MemoryWorld, offers, session


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def world(clock: SettableClock) -> MemoryWorld:
    world = MemoryWorld(clock)
    world.offer(offers(3))
    world.enroll(STUDENT.user_id)
    return world


async def begin(world: MemoryWorld, **wishes: object) -> PracticeView:
    create = CreatePracticeSession(TimeOrderedIds(), world.transact)
    return await create(STUDENT, PracticePlan(exam_package_id=PACKAGE, **wishes))  # type: ignore[arg-type]


async def test_a_student_answers_every_question_and_is_done(world: MemoryWorld) -> None:
    practice = await begin(world)
    answer = AnswerQuestion(world.transact)
    replies = [
        await answer(STUDENT, practice.session.id, SlotTarget(slot=number), Response.choosing(letter))
        for number, letter in ((1, "B"), (2, "A"), (3, "B"))
    ]
    assert [reply.feedback is not None and reply.feedback.correct for reply in replies] == [True, False, True]
    assert [(reply.answered_count, reply.correct_count) for reply in replies] == [(1, 1), (2, 1), (3, 2)]
    assert [reply.status for reply in replies][1:] == [PracticeStatus.ACTIVE, PracticeStatus.FINISHED]


async def test_a_deferred_session_tells_how_many_were_right_only_at_the_end(world: MemoryWorld) -> None:
    practice = await begin(world, feedback=FeedbackMode.DEFERRED, count=2)
    answer = AnswerQuestion(world.transact)
    first = await answer(STUDENT, practice.session.id, SlotTarget(slot=1), Response.choosing("B"))
    assert (first.feedback, first.correct_count) == (None, None)
    last = await answer(STUDENT, practice.session.id, SlotTarget(slot=2), Response.choosing("B"))
    assert (last.feedback, last.correct_count) == (None, 2)


async def test_that_time_ran_out_is_kept_although_the_answer_is_refused(
    world: MemoryWorld, clock: SettableClock
) -> None:
    practice = await begin(world, time_limit_seconds=60)
    clock.advance(seconds=61)
    with pytest.raises(PracticeFinished):
        await AnswerQuestion(world.transact)(STUDENT, practice.session.id, SlotTarget(slot=1), Response.choosing("B"))
    (kept,) = world.store.tables["practice_sessions"].values()
    assert (kept.status, kept.finished_at, kept.answered_count) == (
        PracticeStatus.FINISHED,
        practice.session.deadline,
        0,
    )


async def test_that_time_ran_out_is_kept_although_resuming_is_refused(world: MemoryWorld, clock: SettableClock) -> None:
    practice = await begin(world, time_limit_seconds=60)
    clock.advance(seconds=60)
    with pytest.raises(PracticeFinished):
        await ResumePractice(world.transact)(STUDENT, practice.session.id)
    (kept,) = world.store.tables["practice_sessions"].values()
    assert kept.finished_at == practice.session.deadline
    with pytest.raises(PracticeFinished):
        await PausePractice(world.transact)(STUDENT, practice.session.id)


async def test_finishing_after_the_deadline_finishes_at_the_deadline(world: MemoryWorld, clock: SettableClock) -> None:
    practice = await begin(world, time_limit_seconds=60)
    clock.advance(seconds=600)
    finished = await FinishPractice(world.transact)(STUDENT, practice.session.id)
    assert (finished.finished_at, finished.remaining_seconds) == (practice.session.deadline, None)


async def test_a_new_session_tells_its_remaining_time(world: MemoryWorld) -> None:
    assert (await begin(world, time_limit_seconds=60)).session.remaining_seconds == 60
    assert (await begin(world)).session.remaining_seconds is None


async def test_an_answer_has_to_name_its_question(world: MemoryWorld) -> None:
    practice = await begin(world)
    with pytest.raises(InvalidInput):
        await AnswerQuestion(world.transact)(STUDENT, practice.session.id, SlotTarget(), Response.choosing("B"))


async def test_nobody_reaches_the_session_of_somebody_else(world: MemoryWorld) -> None:
    practice = await begin(world)
    session_id = practice.session.id
    with pytest.raises(PracticeSessionNotFound):
        await AnswerQuestion(world.transact)(STRANGER, session_id, SlotTarget(slot=1), Response.choosing("B"))
    for move in (PausePractice, ResumePractice, FinishPractice):
        with pytest.raises(PracticeSessionNotFound):
            await move(world.transact)(STRANGER, session_id)
    with pytest.raises(SlotNotFound):
        await AnswerQuestion(world.transact)(STUDENT, session_id, SlotTarget(slot=9), Response.choosing("B"))


async def test_who_is_no_longer_enrolled_may_end_a_session_but_not_go_on_with_it(world: MemoryWorld) -> None:
    practice = await begin(world)
    await PausePractice(world.transact)(STUDENT, practice.session.id)
    world.end_enrollment(STUDENT.user_id)
    with pytest.raises(EnrollmentRequired):
        await ResumePractice(world.transact)(STUDENT, practice.session.id)
    assert (await FinishPractice(world.transact)(STUDENT, practice.session.id)).status is PracticeStatus.FINISHED


class ShelfReader(PracticeReader):
    """Returns what it was given."""

    def __init__(self, review: ReviewView | None = None) -> None:
        self._review = review

    async def session(self, user_id: str, session_id: str) -> PracticeView | None:
        view = await self.sessions(user_id, None, 1)
        return PracticeView(session=view[0], questions=()) if self._review else None

    async def sessions(self, user_id: str, before_id: str | None, limit: int) -> tuple[SessionView, ...]:
        return (SessionView.of(session(), session().started_at),)

    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        return self._review

    async def summary(self, user_id: str, session_id: str) -> SummaryView | None:
        view = await self.sessions(user_id, None, 1)
        summary: Summary = summarise(session(), [])
        return SummaryView(session=view[0], summary=summary) if self._review else None


async def test_reading_what_is_not_there_is_refused() -> None:
    nothing = ShelfReader()
    for read in (ReadPracticeSession, ReviewPractice, SummarisePractice):
        with pytest.raises(PracticeSessionNotFound):
            await read(nothing)(STUDENT, "prs_none")


async def test_reading_passes_on_what_is_there() -> None:
    shelf = ShelfReader(ReviewView(session=session(), items=()))
    assert (await ReadPracticeSession(shelf)(STUDENT, "prs_1")).session.id == "prs_1"
    assert (await SummarisePractice(shelf)(STUDENT, "prs_1")).summary.overall.served == 0
    assert await ReviewPractice(shelf)(STUDENT, "prs_1") == ()
    assert len(await ListPracticeSessions(shelf)(STUDENT, None, 20)) == 1


async def test_a_review_that_is_to_come_is_refused() -> None:
    early = ShelfReader(ReviewView(session=session(feedback=FeedbackMode.DEFERRED), items=()))
    with pytest.raises(ReviewNotAvailable):
        await ReviewPractice(early)(STUDENT, "prs_1")
