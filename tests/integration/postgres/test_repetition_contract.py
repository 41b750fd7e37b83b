"""What every store of review cards promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from application.jobs import JobName
from application.ports import Job
from application.progress.repeating import CatchUpReviews, ScheduleReviews
from domain.practice.judging import FeedbackMode
from domain.progress.repetition import CardState, ReviewCard, ReviewedAnswer, replay
from domain.question_bank.certainty import Certainty
from tests.support.postgres import SettableClock
from tests.support.practice_builders import START, STRANGER, STUDENT, offers
from tests.support.progress_worlds import RIGHT, WRONG, Given, ProgressWorld, Sitting, catch_up, world_of

QUESTIONS = ("qst_000", "qst_001", "qst_002")
DEFERRED = FeedbackMode.DEFERRED
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_students = count()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> ProgressWorld:
    """Three questions, and time enough after everything that has been answered."""
    found = world_of(request, clock)
    found.practice.offer(offers(3))
    clock.set(START + 30 * DAY)
    return found


def sat(number: int, *answers: Given, at: datetime = START, **how: object) -> Sitting:
    return Sitting(id=f"prs_{number:03}", answers=answers, at=at + number * DAY, **how)  # type: ignore[arg-type]


def right(question: int = 0) -> Given:
    return Given(question_id=QUESTIONS[question], correct=RIGHT)


def wrong(question: int = 0) -> Given:
    return Given(question_id=QUESTIONS[question], correct=WRONG)


async def test_an_answered_question_gets_its_card_and_is_then_left_alone(world: ProgressWorld) -> None:
    world.keep(sat(1, right(0), wrong(1)))
    assert await catch_up(world) == 2
    first, second = world.cards()["qst_000"], world.cards()["qst_001"]
    assert first.reviews == second.reviews == 1
    assert first.last_review == START + DAY + MINUTE
    assert first.due - first.last_review == 10 * MINUTE
    assert second.due - second.last_review == MINUTE
    assert await catch_up(world) == 0


async def test_each_student_has_their_own_cards(world: ProgressWorld) -> None:
    world.keep(sat(1, right()), sat(2, wrong(), user_id=STRANGER.user_id))
    assert await catch_up(world) == 1
    assert world.cards(STRANGER.user_id) == {}
    assert await catch_up(world, STRANGER.user_id) == 1
    assert world.cards(STRANGER.user_id)["qst_000"].due != world.cards()["qst_000"].due


@pytest.mark.parametrize(
    ("certainty", "state"),
    [(None, CardState.LEARNING), (Certainty.LOW, CardState.LEARNING), (Certainty.HIGH, CardState.REVIEW)],
)
async def test_how_sure_the_student_was_counts_where_it_was_asked(
    world: ProgressWorld, certainty: Certainty | None, state: CardState
) -> None:
    sure = replace(right(), certainty=certainty)
    world.keep(sat(1, sure, certainty=True))
    await catch_up(world)
    card = world.cards()["qst_000"]
    assert card.state is state
    expected = 8 * DAY if state is CardState.REVIEW else timedelta(minutes=5.5)
    assert card.due - card.last_review == expected


async def test_a_deferred_answer_leaves_no_trace_before_its_session_is_over(
    world: ProgressWorld, clock: SettableClock
) -> None:
    sitting = sat(1, wrong(), feedback=DEFERRED, deadline=START + 40 * DAY)
    world.keep(sitting)
    assert await catch_up(world) == 0
    assert world.cards() == {}
    clock.set(START + 40 * DAY - timedelta(microseconds=1))
    assert await catch_up(world) == 0
    clock.set(START + 40 * DAY)
    assert await catch_up(world) == 1
    assert world.cards()["qst_000"].last_review == START + DAY + MINUTE


async def test_a_deferred_session_without_a_deadline_counts_when_it_is_finished(world: ProgressWorld) -> None:
    sitting = sat(1, wrong(), feedback=DEFERRED)
    world.keep(sitting)
    assert await catch_up(world) == 0
    world.keep(replace(sitting, finished_at=START + 2 * DAY))
    assert await catch_up(world) == 1


async def test_an_earlier_answer_that_is_judged_later_takes_its_place_in_time(world: ProgressWorld) -> None:
    early = sat(1, wrong(), feedback=DEFERRED)
    world.keep(early, sat(5, right()))
    await catch_up(world)
    assert world.cards()["qst_000"].reviews == 1
    world.keep(replace(early, finished_at=START + 20 * DAY))
    assert await catch_up(world) == 1
    card = world.cards()["qst_000"]
    assert (card.reviews, card.last_review) == (2, START + 5 * DAY + MINUTE)


async def test_answers_of_an_invalidated_session_never_were(world: ProgressWorld) -> None:
    first, second = sat(1, wrong(0), right(1)), sat(2, right(0))
    world.keep(first, second)
    await catch_up(world)
    world.keep(replace(first, invalidated=True))
    assert await catch_up(world) == 2
    assert world.cards().keys() == {"qst_000"}
    assert world.cards()["qst_000"].reviews == 1


async def test_one_answer_in_place_of_another_is_noticed(world: ProgressWorld) -> None:
    """As many as before, and the last of them is the same one."""
    gone, late, last = sat(1, wrong()), sat(2, right(), feedback=DEFERRED), sat(3, right())
    world.keep(gone, late, last)
    await catch_up(world)
    before = world.cards()["qst_000"]
    world.keep(replace(gone, invalidated=True), replace(late, finished_at=START + 9 * DAY))
    assert await catch_up(world) == 1
    after = world.cards()["qst_000"]
    assert (after.reviews, after.last_review) == (before.reviews, before.last_review)
    assert after.stability != before.stability


async def test_a_unit_that_began_earlier_takes_nothing_back(world: ProgressWorld, clock: SettableClock) -> None:
    """It waited for another one, and what was answered or judged meanwhile lies ahead of it."""
    began = clock.now()
    late = sat(2, wrong(1), feedback=DEFERRED)
    world.keep(sat(1, right(0)), late)
    clock.advance(days=1)
    again = replace(sat(3, wrong(0)), at=clock.now() - HOUR)
    world.keep(again, replace(late, finished_at=clock.now()))
    assert await catch_up(world) == 2
    cards = world.cards()
    clock.set(began)
    assert await catch_up(world) == 0
    assert world.cards() == cards
    assert cards["qst_000"].reviews == 2


async def test_those_whose_last_answer_is_the_longest_ago_come_first(world: ProgressWorld) -> None:
    world.keep(sat(3, right(0)), sat(1, right(1)), sat(2, right(2)))
    assert await catch_up(world, most=2) == 2
    assert world.cards().keys() == {"qst_001", "qst_002"}
    assert await catch_up(world, most=2) == 1
    assert len(world.cards()) == 3


async def test_the_job_goes_on_until_no_card_is_stale(world: ProgressWorld) -> None:
    world.keep(sat(1, right(0), right(1), right(2)))
    schedule_reviews = ScheduleReviews(FsrsScheduler(), 1)
    job = schedule_reviews.job(STUDENT.user_id)
    assert job == Job(name=JobName.SCHEDULE_REVIEWS, payload={"user_id": STUDENT.user_id})
    await CatchUpReviews(world.reviews, schedule_reviews)(job.payload)
    assert len(world.cards()) == 3
    await CatchUpReviews(world.reviews, schedule_reviews)(job.payload)
    assert await catch_up(world) == 0


async def test_two_who_catch_up_at_once_leave_the_right_cards(world: ProgressWorld) -> None:
    sittings = [sat(number, right(number % 3), wrong((number + 1) % 3)) for number in range(20)]
    world.keep(*sittings)
    done = await asyncio.gather(*(catch_up(world, most=2) for _ in range(6)))
    assert sum(done) == 3
    assert world.cards() == from_scratch(sittings, START + 30 * DAY)


def from_scratch(sittings: Sequence[Sitting], now: datetime) -> Mapping[str, ReviewCard]:
    """The cards, by the rule that says which answers are judged, without anything that is stored."""
    answers: dict[str, list[ReviewedAnswer]] = {}
    for sitting in sittings:
        ends = [end for end in (sitting.finished_at, sitting.deadline) if end is not None]
        judged = sitting.feedback is not DEFERRED or any(end <= now for end in ends)
        for given_ in sitting.answers if judged and not sitting.invalidated else ():
            answer = ReviewedAnswer(
                session_id=sitting.id,
                answered_at=sitting.at + given_.after,
                correct=given_.correct,
                certainty_asked=sitting.certainty,
                certainty=given_.certainty,
            )
            answers.setdefault(given_.question_id, []).append(answer)
    cards = {question_id: replay(each, FsrsScheduler()) for question_id, each in answers.items()}
    return {question_id: card for question_id, card in cards.items() if card is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happens to the session of this number."""

    what: str
    number: int


steps = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(["sit", "sit", "finish", "invalidate", "catch up", "wait"]),
        number=st.integers(0, 5),
    ),
    min_size=4,
    max_size=25,
)
givens = st.builds(
    Given,
    question_id=st.sampled_from(QUESTIONS),
    correct=st.booleans(),
    # The story begins two days after the last session does: nothing was answered after that.
    after=st.integers(1, 2000).map(lambda minutes: minutes * MINUTE),
    certainty=st.none() | st.sampled_from(Certainty),
)
plans = st.lists(
    st.builds(
        Sitting,
        id=st.just(""),
        answers=st.lists(givens, min_size=1, unique_by=lambda given_: given_.question_id).map(tuple),
        at=st.integers(0, 20).map(lambda days: START + days * DAY),
        feedback=st.sampled_from(FeedbackMode),
        certainty=st.booleans(),
        deadline=st.none() | st.integers(22, 40).map(lambda days: START + days * DAY),
    ),
    min_size=6,
    max_size=6,
)


def after(step: Step, known: Sitting | None, fresh: Sitting, now: datetime) -> Sitting:
    """The session after a step; it begins with whichever step is its first."""
    if known is None:
        return fresh
    if step.what == "finish" and known.finished_at is None and not known.invalidated:
        return replace(known, finished_at=min(now, known.deadline or now))
    return replace(known, invalidated=True) if step.what == "invalidate" else known


@given(plan=plans, story=steps)
async def test_step_by_step_the_cards_become_what_they_would_be_from_scratch(
    world: ProgressWorld, clock: SettableClock, plan: list[Sitting], story: list[Step]
) -> None:
    """Whatever is judged when, whatever stops to count, and whenever the cards are brought up to date meanwhile."""
    student = f"usr_{next(_students)}"
    sittings: dict[int, Sitting] = {}
    clock.set(START + 22 * DAY)
    for step in story:
        if step.what == "catch up":
            await catch_up(world, student)
        elif step.what == "wait":
            clock.advance(days=2)
        else:
            fresh = replace(plan[step.number], id=f"prs_{student}_{step.number}", user_id=student)
            sittings[step.number] = after(step, sittings.get(step.number), fresh, clock.now())
            world.keep(sittings[step.number])
    while await catch_up(world, student, most=1):
        pass
    assert world.cards(student) == from_scratch(list(sittings.values()), clock.now())
