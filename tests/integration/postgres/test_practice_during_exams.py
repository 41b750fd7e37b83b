"""What is practised while an exam is under way: not its questions, on every store alike."""

from __future__ import annotations

from typing import Any

import pytest

from domain.enrollment.settings import OverduePolicy
from domain.exam.sessions import ExamSession, ExamStatus
from domain.practice.plans import Source
from domain.practice.refusals import NoQuestions
from tests.support.exam_builders import AN_HOUR, STRANGER, STUDENT, exam_rules, exam_session, later
from tests.support.exam_stores import ExamStore, exam_store_of
from tests.support.postgres import SettableClock
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
