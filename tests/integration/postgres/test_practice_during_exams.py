"""What is practised while an exam is under way: not its questions, on every store alike."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from application.practice.attempts import ListAttempts, ScoreAttempts
from application.practice.ports.reading import WantedSessions
from application.practice.reading import ReviewPractice, SummarisePractice
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.submitting import SubmitPractice
from domain.enrollment.settings import OverduePolicy
from domain.exam.sessions import ExamSession, ExamStatus
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.plans import Source
from domain.practice.refusals import ExamUnderWay, NoQuestions
from domain.question_bank.questions import Response
from tests.support.exam_builders import AN_HOUR, START, STRANGER, STUDENT, exam_rules, exam_session, later
from tests.support.exam_stores import ExamsOnPostgres, ExamStore, exam_store_of, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import offers
from tests.support.practice_worlds import create, draw, give

QUESTIONS = offers(6, topic_id="top_1")
ASKED, FREE = QUESTIONS[:4], {each.id for each in QUESTIONS[4:]}


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: SettableClock) -> ExamStore:
    """A package with six questions, which two students practise and sit exams of."""
    found = exam_store_of(request, clock)
    found.stock(STUDENT, STRANGER, paper=QUESTIONS)
    return found


async def practised(store: ExamStore) -> None:
    """So that every source has all six: they were answered wrongly a week ago, and flagged."""
    session = (await create(store, count=6)).session
    for question in QUESTIONS:
        await give(store, session.id, question.id, "A")
        store.flag(STUDENT.user_id, question.id)
    store.clock.set(later(days=7))


async def sits(store: ExamStore, **changes: Any) -> ExamSession:
    return await store.begin(exam_session(at=store.clock.now(), **changes), ASKED)


async def drawn(store: ExamStore, source: Source = Source.ALL, session_id: str = "prs_x") -> set[str]:
    return {question.question_id for question in await draw(store, session_id, source=source, count=50)}


@pytest.mark.parametrize("source", [Source.ALL, Source.INCORRECT, Source.FLAGGED, Source.WEAK])
async def test_no_source_draws_what_the_exam_under_way_asks(store: ExamStore, source: Source) -> None:
    await practised(store)
    assert await drawn(store, source) == {each.id for each in QUESTIONS}
    await sits(store)
    assert await drawn(store, source) == FREE


async def test_what_is_due_is_not_drawn_while_an_exam_asks_it(store: ExamStore) -> None:
    await practised(store)
    due = {question.question_id for question in (await create(store, source=Source.DUE, count=50)).questions}
    assert due == {each.id for each in QUESTIONS}
    await sits(store)
    assert await drawn(store, Source.DUE) == FREE


@pytest.mark.parametrize("wishes", [{}, {"topic_ids": ("top_1",)}, {"difficulty_ids": ("dif_easy",)}])
async def test_whatever_filter_and_what_is_unseen_leave_them_out(store: ExamStore, wishes: dict[str, Any]) -> None:
    for source in (Source.ALL, Source.UNSEEN):
        before = {each.question_id for each in await draw(store, source=source, count=50, **wishes)}
        assert before == {each.id for each in QUESTIONS}
    await sits(store)
    for source in (Source.ALL, Source.UNSEEN):
        found = {each.question_id for each in await draw(store, source=source, count=50, **wishes)}
        assert found == FREE


@pytest.mark.parametrize("status", [ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE])
async def test_it_is_so_as_long_as_the_exam_can_go_on(store: ExamStore, status: ExamStatus) -> None:
    paused_at = store.clock.now() if status is ExamStatus.PAUSED else None
    rules = exam_rules(overdue_policy=OverduePolicy.GRACE, grace_seconds=AN_HOUR)
    await sits(store, status=status, paused_at=paused_at, rules=rules)
    assert await drawn(store) == FREE


async def test_what_has_ended_keeps_nothing_back_although_nobody_swept(store: ExamStore) -> None:
    await sits(store)
    store.clock.set(later(seconds=AN_HOUR + 60))
    assert await drawn(store) == FREE
    store.clock.set(later(seconds=AN_HOUR + 61))
    assert await drawn(store) == {each.id for each in QUESTIONS}


async def test_the_exam_of_somebody_else_keeps_nothing_back(store: ExamStore) -> None:
    await sits(store, user_id=STRANGER.user_id)
    assert await drawn(store) == {each.id for each in QUESTIONS}


async def test_where_the_exam_asks_all_there_is_there_is_nothing_to_practise(store: ExamStore) -> None:
    await store.begin(exam_session(at=store.clock.now()), QUESTIONS)
    with pytest.raises(NoQuestions):
        await create(store, count=5)


B = Answer(response=Response.choosing("B"))


@pytest.mark.parametrize("feedback", FeedbackMode)
async def test_a_session_dealt_before_takes_nothing_while_an_exam_asks_one_of_its_questions(
    store: ExamStore, feedback: FeedbackMode
) -> None:
    """Nor is a repeat told again what was told before; the end of the exam opens it as it was left."""
    session = (await create(store, count=6, feedback=feedback)).session
    asked, free = ASKED[0].id, min(FREE)
    first = await give(store, session.id, asked)
    await sits(store)
    for question_id in (asked, ASKED[1].id, free):
        with pytest.raises(ExamUnderWay):
            await give(store, session.id, question_id)
    for move in (PausePractice, ResumePractice, FinishPractice):
        with pytest.raises(ExamUnderWay):
            await move(store.transact)(STUDENT, session.id)
    for answers in ({}, {asked: B}, {free: B}):
        with pytest.raises(ExamUnderWay):
            await SubmitPractice(store.transact)(STUDENT, session.id, answers)
    store.clock.set(later(seconds=AN_HOUR + 61))
    assert await give(store, session.id, asked) == first
    assert (await give(store, session.id, free)).answered_count == 2
    assert (await FinishPractice(store.transact)(STUDENT, session.id)).answered_count == 2


async def test_what_was_handed_in_before_is_not_told_again_meanwhile(store: ExamStore) -> None:
    session = (await create(store, count=6, feedback=FeedbackMode.DEFERRED)).session
    submit = SubmitPractice(store.transact)
    handed_in = await submit(STUDENT, session.id, {ASKED[0].id: B})
    await sits(store)
    with pytest.raises(ExamUnderWay):
        await submit(STUDENT, session.id, {ASKED[0].id: B})
    with pytest.raises(ExamUnderWay):
        await FinishPractice(store.transact)(STUDENT, session.id)
    store.clock.set(later(seconds=AN_HOUR + 61))
    assert await submit(STUDENT, session.id, {ASKED[0].id: B}) == handed_in


@pytest.mark.parametrize("status", [ExamStatus.SUBMITTED, ExamStatus.TERMINATED])
async def test_an_exam_that_is_over_or_of_another_or_that_asks_other_questions_shuts_nothing(
    store: ExamStore, status: ExamStatus
) -> None:
    session = (await create(store, count=6)).session
    over = {"status": status, "sealed_at": store.clock.now(), "seal_reason": "student"}
    await sits(store, id="exs_over", attempt_no=1, **over)
    await sits(store, user_id=STRANGER.user_id)
    assert (await give(store, session.id, ASKED[0].id)).answered_count == 1


@pytest.fixture
def real(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(START)
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT, STRANGER, paper=QUESTIONS)
    return store


@pytest.mark.parametrize("feedback", FeedbackMode)
async def test_no_read_tells_a_result_of_what_the_exam_asks(
    real: ExamsOnPostgres, database: Database, clock: SettableClock, feedback: FeedbackMode
) -> None:
    """Not even of what had ended before the exam began. The end of the exam opens all of it."""
    session = (await create(real, count=6, feedback=feedback)).session
    for question in QUESTIONS:
        await give(real, session.id, question.id)
    reader = PostgresPracticeReader(database, clock)

    async def told() -> tuple[object, ...]:
        shown, listed = (
            await reader.session(STUDENT.user_id, session.id),
            await reader.sessions(STUDENT.user_id, WantedSessions(), None, 9),
        )
        attempts = await ListAttempts(reader)(STUDENT, None, offset=0, limit=9)
        assert shown is not None
        scores = await ScoreAttempts(reader)(STUDENT)
        return shown.session.correct_count, listed[0].correct_count, attempts.total, len(attempts.sessions), len(scores)

    await sits(real, user_id=STRANGER.user_id)
    assert await told() == (6, 6, 1, 1, 1)
    await sits(real)
    assert await told() == (None, None, 0, 0, 0)
    for refused in (ReviewPractice(reader), SummarisePractice(reader)):
        with pytest.raises(ExamUnderWay):
            await refused(STUDENT, session.id)
    kept_back = await reader.review(STUDENT.user_id, session.id)
    assert kept_back is not None
    assert kept_back.items == (), "no key is even read"
    clock.set(later(seconds=AN_HOUR + 61))
    assert await told() == (6, 6, 1, 1, 1)
    assert len(await ReviewPractice(reader)(STUDENT, session.id)) == 6
    assert (await SummarisePractice(reader)(STUDENT, session.id)).summary.overall.correct == 6
