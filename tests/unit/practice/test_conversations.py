"""Practising from beginning to end, on memory."""

from __future__ import annotations

import pytest

from application.auth.claimants import Claimant
from application.practice.invalidating import InvalidatePractice
from application.practice.ports.reading import PracticeReader, WantedSessions
from application.practice.ports.sessions import SlotTarget
from application.practice.reading import (
    ListPracticeSessions,
    ReadPracticeSession,
    ReviewPractice,
    SummarisePractice,
)
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.submitting import SubmitPractice
from application.practice.views import PracticeView, ReviewView, SessionView, SummaryView
from application.progress.repeating import ScheduleReviews
from domain.auth.sessions import Forbidden
from domain.enrollment.refusals import EnrollmentRequired
from domain.errors import InvalidInput
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.refusals import (
    PracticeFinished,
    PracticeSessionNotFound,
    ReviewNotAvailable,
    SlotNotFound,
)
from domain.practice.results import Summary, summarise
from domain.practice.sessions import PracticeStatus
from domain.question_bank.questions import Response
from tests.support.postgres import SettableClock
from tests.support.practice_builders import STRANGER, STUDENT, MemoryWorld, offers, session
from tests.support.practice_worlds import ROOT, answering, create, give, invalidate

B = Answer(response=Response.choosing("B"))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def world(clock: SettableClock) -> MemoryWorld:
    world = MemoryWorld(clock)
    world.offer(offers(3))
    world.enroll(STUDENT.user_id)
    return world


async def test_a_student_answers_every_question_and_is_done(world: MemoryWorld) -> None:
    practice = await create(world)
    replies = [
        await give(world, practice.session.id, number, letter) for number, letter in ((1, "B"), (2, "A"), (3, "B"))
    ]
    assert [reply.feedback is not None and reply.feedback.correct for reply in replies] == [True, False, True]
    assert [(reply.answered_count, reply.correct_count) for reply in replies] == [(1, 1), (2, 1), (3, 2)]
    assert [reply.status for reply in replies][1:] == [PracticeStatus.ACTIVE, PracticeStatus.FINISHED]


async def test_a_deferred_session_tells_how_many_were_right_only_at_the_end(world: MemoryWorld) -> None:
    practice = await create(world, feedback=FeedbackMode.DEFERRED, count=2)
    first = await give(world, practice.session.id, 1)
    assert (first.feedback, first.correct_count) == (None, None)
    last = await give(world, practice.session.id, 2)
    assert (last.feedback, last.correct_count) == (None, 2)


async def test_that_time_ran_out_is_kept_although_the_answer_is_refused(
    world: MemoryWorld, clock: SettableClock
) -> None:
    practice = await create(world, time_limit_seconds=60)
    clock.advance(seconds=61)
    with pytest.raises(PracticeFinished):
        await give(world, practice.session.id, 1)
    (kept,) = world.store.tables["practice_sessions"].values()
    assert (kept.status, kept.finished_at, kept.answered_count) == (
        PracticeStatus.FINISHED,
        practice.session.deadline,
        0,
    )


async def test_that_time_ran_out_is_kept_although_resuming_is_refused(world: MemoryWorld, clock: SettableClock) -> None:
    practice = await create(world, time_limit_seconds=60)
    clock.advance(seconds=60)
    with pytest.raises(PracticeFinished):
        await ResumePractice(world.transact)(STUDENT, practice.session.id)
    (kept,) = world.store.tables["practice_sessions"].values()
    assert kept.finished_at == practice.session.deadline
    with pytest.raises(PracticeFinished):
        await PausePractice(world.transact)(STUDENT, practice.session.id)


async def test_finishing_after_the_deadline_finishes_at_the_deadline(world: MemoryWorld, clock: SettableClock) -> None:
    practice = await create(world, time_limit_seconds=60)
    clock.advance(seconds=600)
    finished = await FinishPractice(world.transact)(STUDENT, practice.session.id)
    assert (finished.finished_at, finished.remaining_seconds) == (practice.session.deadline, None)


async def test_a_new_session_tells_its_remaining_time(world: MemoryWorld) -> None:
    assert (await create(world, time_limit_seconds=60)).session.remaining_seconds == 60
    assert (await create(world)).session.remaining_seconds is None


async def test_an_answer_has_to_name_its_question(world: MemoryWorld) -> None:
    practice = await create(world)
    with pytest.raises(InvalidInput):
        await answering(world)(STUDENT, practice.session.id, SlotTarget(), B)


async def test_nobody_reaches_the_session_of_somebody_else(world: MemoryWorld) -> None:
    practice = await create(world)
    session_id = practice.session.id
    with pytest.raises(PracticeSessionNotFound):
        await answering(world)(STRANGER, session_id, SlotTarget(slot=1), B)
    for move in (PausePractice, ResumePractice, FinishPractice):
        with pytest.raises(PracticeSessionNotFound):
            await move(world.transact)(STRANGER, session_id)
    with pytest.raises(SlotNotFound):
        await give(world, session_id, 9)


async def test_who_is_no_longer_enrolled_may_end_a_session_but_not_go_on_with_it(world: MemoryWorld) -> None:
    practice = await create(world)
    await PausePractice(world.transact)(STUDENT, practice.session.id)
    world.end_enrollment(STUDENT.user_id)
    with pytest.raises(EnrollmentRequired):
        await ResumePractice(world.transact)(STUDENT, practice.session.id)
    assert (await FinishPractice(world.transact)(STUDENT, practice.session.id)).status is PracticeStatus.FINISHED


async def test_a_session_that_is_over_is_followed_up_once(world: MemoryWorld, clock: SettableClock) -> None:
    """However it comes to its end: by its last answer, by hand, by time, or because it is void."""
    by_hand, by_answer = await create(world), await create(world, count=1)
    by_time, void = await create(world, time_limit_seconds=60), await create(world)
    assert world.store.jobs == []
    for _ in range(2):
        await FinishPractice(world.transact)(STUDENT, by_hand.session.id)
    await give(world, by_answer.session.id, 1)
    await invalidate(world, void.session.id)
    await invalidate(world, void.session.id)
    clock.advance(seconds=60)
    with pytest.raises(PracticeFinished):
        await give(world, by_time.session.id, 1)
    follow_up = ScheduleReviews.job(STUDENT.user_id)
    assert world.store.jobs == [follow_up] * 4


async def test_what_is_handed_in_is_followed_up_once(world: MemoryWorld) -> None:
    """Whether its last answer ends it or something was left out."""
    practices = [await create(world, feedback=FeedbackMode.DEFERRED) for _ in range(2)]
    for practice, left_out in zip(practices, (0, 1), strict=True):
        answers = {question.question_id: B for question in practice.questions[left_out:]}
        for _ in range(2):
            await SubmitPractice(world.transact)(STUDENT, practice.session.id, answers)
    assert world.store.jobs == [ScheduleReviews.job(STUDENT.user_id)] * 2


async def test_what_a_void_session_counted_is_taken_back(world: MemoryWorld) -> None:
    kept, void = await create(world), await create(world)
    await give(world, kept.session.id, 1)
    for slot in (1, 2):
        await give(world, void.session.id, slot)
    progress = world.store.tables["student_progress"]
    assert progress[STUDENT.user_id].questions_answered == 3
    for _ in range(2):
        view = await invalidate(world, void.session.id, "leaked")
        assert (view.session.invalidation_reason, view.user_id, view.session.status) == (
            "leaked",
            STUDENT.user_id,
            PracticeStatus.INVALIDATED,
        )
        assert world.store.tables["student_progress"][STUDENT.user_id].questions_answered == 1
    (entry,) = world.store.audit_log
    assert (entry.action, entry.actor_id, entry.subject, entry.reason) == (
        *("practice_session.invalidated", ROOT.user_id),
        *(void.session.id, "leaked"),
    )


async def test_time_that_ran_out_is_kept_although_declaring_void_is_refused(
    world: MemoryWorld, clock: SettableClock
) -> None:
    practice = await create(world, time_limit_seconds=60)
    clock.advance(seconds=60)
    with pytest.raises(PracticeFinished):
        await invalidate(world, practice.session.id)
    (kept,) = world.store.tables["practice_sessions"].values()
    assert (kept.status, kept.finished_at) == (PracticeStatus.FINISHED, practice.session.deadline)
    assert world.store.audit_log == []


async def test_only_an_admin_declares_void_what_there_is(world: MemoryWorld) -> None:
    practice = await create(world)
    with pytest.raises(Forbidden):
        await InvalidatePractice(transact=world.transact)(STUDENT, STUDENT.user_id, practice.session.id, "mine")
    for user_id, session_id in ((STRANGER.user_id, practice.session.id), (STUDENT.user_id, "prs_none")):
        with pytest.raises(PracticeSessionNotFound):
            await invalidate(world, session_id, user_id=user_id)
    assert world.store.tables["student_progress"] == {}


class ShelfReader(PracticeReader):
    """Returns what it was given."""

    def __init__(self, review: ReviewView | None = None) -> None:
        self._review = review

    async def session(self, user_id: str, session_id: str, *, claim: Claimant | None = None) -> PracticeView | None:
        view = await self.sessions(user_id, WantedSessions(), None, 1)
        return PracticeView(session=view[0], questions=()) if self._review else None

    async def sessions(
        self, user_id: str, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        return (SessionView.of(session(), session().started_at),)

    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        return self._review

    async def summary(self, user_id: str, session_id: str) -> SummaryView | None:
        view = await self.sessions(user_id, WantedSessions(), None, 1)
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
    assert len(await ListPracticeSessions(shelf)(STUDENT, WantedSessions(), None, 20)) == 1


async def test_a_review_that_is_to_come_is_refused() -> None:
    early = ShelfReader(ReviewView(session=session(feedback=FeedbackMode.DEFERRED), items=()))
    with pytest.raises(ReviewNotAvailable):
        await ReviewPractice(early)(STUDENT, "prs_1")
