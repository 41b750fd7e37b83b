"""Handing in a practice session is one act on every store: all of it is taken, or nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import pytest

from adapters.postgres.database import Database
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from application.practice.sitting import FinishPractice, PausePractice
from application.practice.submitting import SubmitPractice
from application.practice.views import PracticeView, SessionView
from domain.enrollment.refusals import EnrollmentRequired
from domain.errors import DomainError
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.refusals import (
    AlreadyAnswered,
    PracticeFinished,
    PracticePaused,
    PracticeSessionNotFound,
    SlotNotFound,
)
from domain.practice.sessions import PracticeStatus
from domain.question_bank.questions import AnswerInvalid, Response
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import STRANGER, STUDENT, World, offers
from tests.support.practice_worlds import create, give, hold, stocked, world_of
from tests.support.twin_students import PAPER, Twin, right, shown, twins

ResultT = TypeVar("ResultT")
COUNTED = "update student_progress set questions_answered = 97 where user_id = %s"


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


async def dealt(world: World, **wishes: Any) -> PracticeView:
    stocked(world, offers(3))
    return await create(world, **{"count": 3, "feedback": FeedbackMode.DEFERRED} | wishes)


def answers(practice: PracticeView, letters: str) -> dict[str, Answer]:
    """A letter for each question, in their order; a dot leaves one out."""
    asked = zip(practice.questions, letters, strict=True)
    return {each.question_id: Answer(response=Response.choosing(letter)) for each, letter in asked if letter != "."}


async def submit(world: World, practice: PracticeView, letters: str) -> SessionView:
    return await SubmitPractice(world.transact)(STUDENT, practice.session.id, answers(practice, letters))


async def kept(world: World, practice: PracticeView) -> list[HeldSlot | None]:
    return [await hold(world, practice.session.id, SlotTarget(slot=each.slot)) for each in practice.questions]


async def letters_kept(world: World, practice: PracticeView) -> str:
    """What stands, slot by slot; a dot where nothing does."""
    slots = [each.slot for each in await kept(world, practice) if each]
    return "".join("".join(slot.response.choice_ids) if slot.response else "." for slot in slots)


async def credited(world: World) -> tuple[int, int]:
    """Questions answered and days of study, of a lifetime."""

    async def unit(work: PracticeWork) -> tuple[int, int]:
        progress = await work.hold_progress(STUDENT.user_id)
        return progress.questions_answered, len(await work.study_days(STUDENT.user_id))

    return await world.transact(unit)


@dataclass(frozen=True, slots=True)
class Meddled:
    """The units of work of a world, in which something happens once a step was done so many times."""

    world: World
    step: str
    meddle: Callable[[], Awaitable[None]]
    at: int = 1

    async def __call__(self, unit: Callable[[PracticeWork], Awaitable[ResultT]], /) -> ResultT:
        async def meddled(work: PracticeWork) -> ResultT:
            done, step = count(1), getattr(work, self.step)

            async def step_and_meddle(*args: object) -> object:
                outcome = await step(*args)
                if next(done) == self.at:
                    await self.meddle()
                return outcome

            setattr(work, self.step, step_and_meddle)
            return await unit(work)

        return await self.world.transact(meddled)


async def test_all_answers_are_taken_and_the_session_is_over(world: World, clock: SettableClock) -> None:
    practice = await dealt(world)
    clock.advance(seconds=30)
    ended = await submit(world, practice, "BAB")
    assert (ended.status, ended.finished_at) == (PracticeStatus.FINISHED, clock.now())
    assert (ended.answered_count, ended.correct_count) == (3, 2)
    assert (await letters_kept(world, practice), await credited(world)) == ("BAB", (3, 1))


async def test_what_is_left_out_stays_unanswered(world: World) -> None:
    practice = await dealt(world)
    ended = await submit(world, practice, ".B.")
    assert (ended.status, ended.answered_count, ended.correct_count) == (PracticeStatus.FINISHED, 1, 1)
    assert await letters_kept(world, practice) == ".B."


@pytest.mark.parametrize("letters", ["BAB", "B.A"])
async def test_the_same_submission_again_has_the_same_result(world: World, clock: SettableClock, letters: str) -> None:
    practice = await dealt(world)
    first = await submit(world, practice, letters)
    before, counted = await kept(world, practice), await credited(world)
    clock.advance(days=2)
    assert await submit(world, practice, letters) == first
    assert (await kept(world, practice), await credited(world)) == (before, counted)


@pytest.mark.parametrize("letters", ["BBB", "BAA", "..A", "BAC"])
async def test_other_answers_to_a_finished_session_change_nothing(world: World, letters: str) -> None:
    practice = await dealt(world)
    await submit(world, practice, "BA.")
    before, counted = await kept(world, practice), await credited(world)
    with pytest.raises(PracticeFinished):
        await submit(world, practice, letters)
    assert (await kept(world, practice), await credited(world)) == (before, counted)


async def test_answers_that_were_given_before_are_changed_whichever_question_is_still_open(world: World) -> None:
    practice = await dealt(world)
    for slot in (2, 3):
        await give(world, practice.session.id, slot, "A")
    ended = await submit(world, practice, "BBB")
    assert (ended.answered_count, ended.correct_count) == (3, 3)
    assert (await letters_kept(world, practice), (await credited(world))[0]) == ("BBB", 3)


Spoil = Callable[[World, PracticeView, dict[str, Answer]], Awaitable[object]]


async def _foreign(_: World, practice: PracticeView, given: dict[str, Answer]) -> None:
    given["qst_none"] = given[practice.questions[0].question_id]


async def _unfit(_: World, practice: PracticeView, given: dict[str, Answer]) -> None:
    given[practice.questions[2].question_id] = Answer(response=Response.choosing("AB"))


async def _paused(world: World, practice: PracticeView, _: dict[str, Answer]) -> None:
    await PausePractice(world.transact)(STUDENT, practice.session.id)


async def _left(world: World, _: PracticeView, __: dict[str, Answer]) -> None:
    world.end_enrollment(STUDENT.user_id)


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [(_foreign, SlotNotFound), (_unfit, AnswerInvalid), (_paused, PracticePaused), (_left, EnrollmentRequired)],
)
async def test_what_is_refused_takes_no_answer(world: World, spoil: Spoil, refusal: type[DomainError]) -> None:
    practice = await dealt(world)
    given = answers(practice, "BBB")
    await spoil(world, practice, given)
    before = await kept(world, practice)
    with pytest.raises(refusal):
        await SubmitPractice(world.transact)(STUDENT, practice.session.id, given)
    assert (await kept(world, practice), await credited(world)) == (before, (0, 0))


async def test_where_an_answer_stands_nothing_is_taken(world: World) -> None:
    """With immediate feedback the key has been shown, so the whole submission is refused."""
    practice = await dealt(world, feedback=FeedbackMode.IMMEDIATE)
    await give(world, practice.session.id, 3, "A")
    with pytest.raises(AlreadyAnswered):
        await submit(world, practice, "BBB")
    assert await letters_kept(world, practice) == "..A"


async def test_nobody_hands_in_for_another(world: World) -> None:
    practice = await dealt(world)
    world.enroll(STRANGER.user_id)
    with pytest.raises(PracticeSessionNotFound):
        await SubmitPractice(world.transact)(STRANGER, practice.session.id, answers(practice, "BBB"))
    assert await letters_kept(world, practice) == "..."


async def test_that_time_ran_out_is_kept_although_the_submission_is_refused(world: World, clock: SettableClock) -> None:
    practice = await dealt(world, time_limit_seconds=60)
    await give(world, practice.session.id, 1, "B")
    clock.advance(seconds=60)
    with pytest.raises(PracticeFinished):
        await submit(world, practice, "BBB")
    held = (await kept(world, practice))[0]
    assert held is not None
    assert (held.session.finished_at, await letters_kept(world, practice)) == (practice.session.deadline, "B..")
    assert (await submit(world, practice, "B..")).finished_at == practice.session.deadline


@pytest.mark.parametrize(
    ("step", "at"), [("save_answer", 1), ("save_answer", 2), ("save_progress", 1), ("save_session", 1)]
)
async def test_a_crash_on_the_way_leaves_nothing(world: World, step: str, at: int) -> None:
    practice = await dealt(world)
    before = await kept(world, practice)

    async def fail() -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await SubmitPractice(Meddled(world, step, fail, at))(STUDENT, practice.session.id, answers(practice, "BB."))
    assert (await kept(world, practice), await credited(world)) == (before, (0, 0))
    assert (await submit(world, practice, "AA.")).correct_count == 0


async def test_of_many_submissions_at_once_one_is_taken_whole(world: World) -> None:
    practice = await dealt(world)
    wishes = ["AAA", "BBB", "CCC", "ABC", "CBA", "B.."]
    outcomes = await asyncio.gather(*(submit(world, practice, each) for each in wishes * 2), return_exceptions=True)
    taken = [wish for wish, outcome in zip(wishes * 2, outcomes, strict=True) if isinstance(outcome, SessionView)]
    stands = await letters_kept(world, practice)
    assert stands in taken
    refused = [outcome for outcome in outcomes if not isinstance(outcome, SessionView)]
    assert all(isinstance(outcome, PracticeFinished) for outcome in refused)
    repeats = [wish for wish in wishes if all(mine in (".", its) for mine, its in zip(wish, stands, strict=True))]
    assert sorted(taken) == sorted(repeats * 2)
    assert (await credited(world))[0] == 3 - stands.count(".")


async def test_who_finishes_meanwhile_waits_for_the_whole_submission(world: World) -> None:
    practice = await dealt(world)
    finishing: list[asyncio.Task[SessionView]] = []

    async def finish_too() -> None:
        finishing.append(asyncio.create_task(FinishPractice(world.transact)(STUDENT, practice.session.id)))
        done, _ = await asyncio.wait(finishing, timeout=0.1)
        assert not done

    meddled = Meddled(world, "hold_slot", finish_too)
    ended = await SubmitPractice(meddled)(STUDENT, practice.session.id, answers(practice, "BB."))
    assert await finishing[0] == ended
    assert await letters_kept(world, practice) == "BB."


@pytest.mark.parametrize("left_out", [(), (3,), (7, 2)])
async def test_it_counts_as_if_answered_one_by_one(
    cloned: ClonedDatabase, database: Database, clock: SettableClock, left_out: tuple[int, ...]
) -> None:
    """One student answers question by question and finishes, another hands in: all their rows are the same."""
    both = twins(cloned, database, clock)
    for number in (1, 2):
        await both.begin(number, feedback=FeedbackMode.DEFERRED)
        clock.advance(seconds=400 if number == 1 else 90_000)
        places = [place for place in range(1, len(PAPER) + 1) if place not in left_out]
        given = {place: shown(PAPER[place - 1], Answer(response=right(PAPER[place - 1]))) for place in places}
        for place, answer in given.items():
            await both.give(both.quick, number, place, answer)
        await FinishPractice(both.world.transact)(both.quick.actor, both.quick.session_id(number))
        await _hand_in(both.world, both.careful, number, given)
        assert both.rows(both.careful) == both.rows(both.quick)
        both.set(COUNTED)
    assert [row[1] for row in both.rows(both.careful)["badges"] if row[0] == "answers_100"] == [100]


async def _hand_in(world: World, twin: Twin, number: int, given: Mapping[int, Answer]) -> None:
    by_question = {PAPER[place - 1].id: answer for place, answer in given.items()}
    await SubmitPractice(world.transact)(twin.actor, twin.session_id(number), by_question)
