"""What every store of practice promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.views import SessionView
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.paper import begin
from domain.practice.refusals import AlreadyAnswered, NoQuestions, PracticeSessionNotFound
from domain.practice.sessions import PracticeStatus, give_answer, pause
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import Response
from tests.support.postgres import SettableClock
from tests.support.practice_builders import STRANGER, STUDENT, Offer, World, offers
from tests.support.practice_worlds import answering, create, draw, hold, plan, stocked, world_of

RIGHT, WRONG = Answer(response=Response.choosing("B")), Answer(response=Response.choosing("A"))


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


async def test_who_is_not_enrolled_cannot_practise(world: World) -> None:
    stocked(world, offers(3))
    world.end_enrollment(STUDENT.user_id)
    with pytest.raises(EnrollmentRequired):
        await create(world)


async def test_an_enrolment_in_another_package_opens_nothing(world: World) -> None:
    world.offer(offers(3))
    world.enroll(STUDENT.user_id, "pkg_other")
    with pytest.raises(EnrollmentRequired):
        await create(world)


async def test_nothing_that_matches_is_refused(world: World) -> None:
    stocked(world, offers(3, topic_id="top_risk"))
    with pytest.raises(NoQuestions):
        await create(world, topic_ids=("top_unknown",))


async def test_fewer_questions_than_asked_for_are_served_all(world: World) -> None:
    stocked(world, offers(3))
    practice = await create(world, count=10)
    assert (practice.session.requested, practice.session.served) == (10, 3)
    assert {question.question_id for question in practice.questions} == {"qst_000", "qst_001", "qst_002"}


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, {"re", "rh", "ce", "ch"}),
        ({"topic_ids": ("top_risk",)}, {"re", "rh"}),
        ({"topic_ids": ("top_risk", "top_crypto", "top_risk")}, {"re", "rh", "ce", "ch"}),
        ({"difficulty_ids": ("dif_hard",)}, {"rh", "ch"}),
        ({"difficulty_ids": ("dif_hard", "dif_easy", "dif_hard")}, {"re", "rh", "ce", "ch"}),
        ({"topic_ids": ("top_crypto",), "difficulty_ids": ("dif_easy",)}, {"ce"}),
        ({"topic_ids": ("top_crypto",), "difficulty_ids": ("dif_medium",)}, set()),
        ({"topic_ids": ("top_other",)}, set()),
    ],
)
async def test_a_draw_keeps_to_its_filter_and_its_package(
    world: World, wishes: dict[str, Any], expected: set[str]
) -> None:
    world.offer(offers(5, prefix="re", topic_id="top_risk", difficulty_id="dif_easy"))
    world.offer(offers(5, prefix="rh", topic_id="top_risk", difficulty_id="dif_hard"))
    world.offer(offers(5, prefix="ce", topic_id="top_crypto", difficulty_id="dif_easy"))
    world.offer(offers(5, prefix="ch", topic_id="top_crypto", difficulty_id="dif_hard"))
    world.offer(offers(5, prefix="other", topic_id="top_other"), "pkg_other")
    drawn = [question.question_id for question in await draw(world, count=200, **wishes)]
    assert len(drawn) == len(set(drawn)) == 5 * len(expected)
    assert {question_id.split("_")[0] for question_id in drawn} == expected


async def test_a_draw_brings_the_question_as_published_without_its_key(world: World) -> None:
    offer = Offer(id="qst_1", options="ABCDE", correct="AC", kind=QuestionKind.MULTIPLE, points=Decimal("2.5000"))
    world.offer([offer])
    assert await draw(world) == (offer.public,)


async def test_the_same_session_draws_the_same_questions_and_another_one_others(world: World) -> None:
    world.offer(offers(100))
    first = {question.question_id for question in await draw(world, "prs_1")}
    assert {question.question_id for question in await draw(world, "prs_1")} == first
    assert {question.question_id for question in await draw(world, "prs_2")} != first


async def test_every_question_has_the_same_chance(world: World) -> None:
    """10 of 40, 300 times: each is expected 75 times, give or take 7.5."""
    world.offer(offers(40))

    async def unit(work: PracticeWork) -> Counter[str]:
        draws = [await work.draw_questions(STUDENT.user_id, plan(count=10), f"prs_{number}") for number in range(300)]
        return Counter(each.question.question_id for drawn in draws for each in drawn)

    counts = await world.transact(unit)
    assert len(counts) == 40
    assert all(38 <= count <= 112 for count in counts.values()), counts


async def test_what_was_added_is_held_as_it_was(world: World) -> None:
    stocked(world, offers(2))

    async def unit(work: PracticeWork) -> None:
        timed = plan(feedback=FeedbackMode.DEFERRED, time_limit_seconds=90)
        drawn = await work.draw_questions(STUDENT.user_id, timed, "prs_1")
        paper = begin(timed, "prs_1", STUDENT.user_id, drawn, work.now)
        await work.add_session(paper.session, paper.slots)
        assert await work.hold_session(STUDENT.user_id, "prs_1") == paper.session
        for slot in paper.slots:
            held = await work.hold_slot(STUDENT.user_id, "prs_1", SlotTarget(slot=slot.slot))
            assert held is not None
            assert (held.session, held.slot, held.enrolled) == (paper.session, slot, True)

    await world.transact(unit)


async def test_a_slot_is_found_by_its_place_by_its_question_or_by_both_when_they_agree(world: World) -> None:
    stocked(world, offers(3))
    practice = await create(world)
    session_id, second = practice.session.id, practice.questions[1]
    for target in (
        SlotTarget(slot=2),
        SlotTarget(question_id=second.question_id),
        SlotTarget(slot=2, question_id=second.question_id),
    ):
        held = await hold(world, session_id, target)
        assert held is not None
        assert held.slot.slot == 2
    assert await hold(world, session_id, SlotTarget(slot=1, question_id=second.question_id)) is None
    assert await hold(world, session_id, SlotTarget(slot=4)) is None
    assert await hold(world, session_id, SlotTarget(question_id="qst_none")) is None
    assert await hold(world, "prs_none", SlotTarget(slot=1)) is None


async def test_a_slot_is_held_with_its_key_and_with_whether_the_student_is_enrolled(world: World) -> None:
    offer = Offer(id="qst_1", correct="AC", kind=QuestionKind.MULTIPLE)
    stocked(world, [offer])
    practice = await create(world)
    world.end_enrollment(STUDENT.user_id)
    held = await hold(world, practice.session.id, SlotTarget(slot=1))
    assert held is not None
    assert not held.enrolled
    assert held.question.kind is QuestionKind.MULTIPLE
    assert sorted(held.question.choice_ids) == ["A", "B", "C", "D"]
    assert held.question.key == offer.key
    with pytest.raises(EnrollmentRequired):
        await answering(world)(STUDENT, practice.session.id, SlotTarget(slot=1), RIGHT)


async def test_a_saved_answer_is_read_back_to_the_last_digit(world: World, clock: SettableClock) -> None:
    offer = Offer(id="qst_1", points=Decimal("0.3333"))
    stocked(world, [offer])
    practice = await create(world)
    clock.advance(seconds=30)

    async def unit(work: PracticeWork) -> HeldSlot:
        held = await work.hold_slot(STUDENT.user_id, practice.session.id, SlotTarget(slot=1))
        assert held is not None
        answered = give_answer(held.session, held.slot, held.question, RIGHT, work.now)
        await work.save_answer(answered.session, answered.slot)
        return replace(held, session=answered.session, slot=answered.slot)

    saved = await world.transact(unit)
    held = await hold(world, practice.session.id, SlotTarget(slot=1))
    assert held == saved
    assert (saved.slot.mark, saved.slot.time_spent_seconds) == (Decimal("0.333300"), 30)
    assert saved.session.finished_at == clock.now()


async def test_a_saved_session_is_read_back(world: World, clock: SettableClock) -> None:
    stocked(world, offers(2))
    practice = await create(world)

    async def unit(work: PracticeWork) -> None:
        held = await work.hold_session(STUDENT.user_id, practice.session.id)
        assert held is not None
        paused = pause(held, work.now + timedelta(seconds=5))
        await work.save_session(paused)
        assert await work.hold_session(STUDENT.user_id, practice.session.id) == paused

    await world.transact(unit)


async def test_a_refusal_leaves_everything_as_it_was(world: World) -> None:
    stocked(world, offers(2))
    practice = await create(world)

    async def unit(work: PracticeWork) -> None:
        held = await work.hold_slot(STUDENT.user_id, practice.session.id, SlotTarget(slot=1))
        assert held is not None
        answered = give_answer(held.session, held.slot, held.question, RIGHT, work.now)
        await work.save_answer(answered.session, answered.slot)
        raise AlreadyAnswered

    with pytest.raises(AlreadyAnswered):
        await world.transact(unit)
    held = await hold(world, practice.session.id, SlotTarget(slot=1))
    assert held is not None
    assert (held.slot.response, held.session.answered_count) == (None, 0)


async def test_a_session_belongs_to_its_student(world: World) -> None:
    stocked(world, offers(2))
    practice = await create(world)

    async def unit(work: PracticeWork) -> None:
        assert await work.hold_session(STRANGER.user_id, practice.session.id) is None
        assert await work.hold_slot(STRANGER.user_id, practice.session.id, SlotTarget(slot=1)) is None

    await world.transact(unit)
    with pytest.raises(PracticeSessionNotFound):
        await FinishPractice(world.transact)(STRANGER, practice.session.id)


async def test_a_session_is_paused_resumed_and_finished(world: World, clock: SettableClock) -> None:
    stocked(world, offers(2))
    session_id = (await create(world)).session.id
    paused = await PausePractice(world.transact)(STUDENT, session_id)
    assert (paused.status, paused.paused_at) == (PracticeStatus.PAUSED, clock.now())
    clock.advance(minutes=5)
    resumed = await ResumePractice(world.transact)(STUDENT, session_id)
    assert (resumed.status, resumed.paused_at) == (PracticeStatus.ACTIVE, None)
    finished = await FinishPractice(world.transact)(STUDENT, session_id)
    assert (finished.status, finished.finished_at) == (PracticeStatus.FINISHED, clock.now())


@pytest.mark.parametrize("feedback", FeedbackMode)
async def test_twenty_simultaneous_equal_answers_count_once(world: World, feedback: FeedbackMode) -> None:
    stocked(world, offers(5))
    session_id = (await create(world, feedback=feedback)).session.id
    answer = answering(world)
    replies = await asyncio.gather(*(answer(STUDENT, session_id, SlotTarget(slot=1), RIGHT) for _ in range(20)))
    assert all(reply == replies[0] for reply in replies)
    held = await hold(world, session_id, SlotTarget(slot=1))
    assert held is not None
    assert (held.session.answered_count, held.session.correct_count) == (1, 1)


async def test_of_twenty_simultaneous_different_answers_one_stands(world: World) -> None:
    stocked(world, [Offer(id="qst_1", options="ABCDEFGHIJ", correct="B"), Offer(id="qst_2")])
    practice = await create(world)
    answer, session_id = answering(world), practice.session.id
    target = SlotTarget(question_id="qst_1")
    outcomes = await asyncio.gather(
        *(
            answer(STUDENT, session_id, target, Answer(response=Response.choosing(letter)))
            for letter in "ABCDEFGHIJ" * 2
        ),
        return_exceptions=True,
    )
    accepted = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(accepted) == 2  # the one that stands, and its repetition
    assert sum(isinstance(outcome, AlreadyAnswered) for outcome in outcomes) == 18
    held = await hold(world, session_id, target)
    assert held is not None
    assert (held.session.answered_count, held.session.correct_count) == (1, int(held.slot.response == RIGHT.response))


async def test_simultaneous_answers_to_all_slots_are_all_counted(world: World) -> None:
    stocked(world, offers(20))
    session_id = (await create(world, count=20)).session.id
    answer = answering(world)
    replies = await asyncio.gather(
        *(answer(STUDENT, session_id, SlotTarget(slot=number), RIGHT) for number in range(1, 21))
    )
    assert sorted(reply.answered_count for reply in replies) == list(range(1, 21))
    assert [reply.status for reply in replies].count(PracticeStatus.FINISHED) == 1


@pytest.mark.parametrize("moves", [(FinishPractice, FinishPractice), (FinishPractice, FinishPractice, PausePractice)])
async def test_simultaneous_finishes_have_one_result(
    world: World, clock: SettableClock, moves: tuple[Callable[..., Any], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each comes at an instant of its own: the first end stands, and is what both are told."""
    start, seconds = clock.now(), count(1)
    monkeypatch.setattr(SettableClock, "now", lambda _: start + timedelta(seconds=next(seconds)))
    stocked(world, offers(2))
    session_id = (await create(world)).session.id
    outcomes = await asyncio.gather(
        *(move(world.transact)(STUDENT, session_id) for move in moves), return_exceptions=True
    )
    assert outcomes[0] == outcomes[1]
    again = await FinishPractice(world.transact)(STUDENT, session_id)
    assert again == outcomes[0]


async def test_an_answer_and_a_finish_at_once_leave_a_sound_session(world: World) -> None:
    """Whichever comes first: the answer counts, or it is refused; nothing in between."""
    stocked(world, offers(5))
    for _ in range(5):
        session_id = (await create(world)).session.id
        answered, finished = await asyncio.gather(
            answering(world)(STUDENT, session_id, SlotTarget(slot=1), WRONG),
            FinishPractice(world.transact)(STUDENT, session_id),
            return_exceptions=True,
        )
        assert not isinstance(finished, BaseException)
        held = await hold(world, session_id, SlotTarget(slot=1))
        assert held is not None
        counted = not isinstance(answered, BaseException)
        assert held.session.answered_count == int(counted)
        assert (held.slot.response is not None) == counted
        assert held.session.status is PracticeStatus.FINISHED


async def test_what_is_held_nobody_else_moves(world: World) -> None:
    """A finish that comes while a pause is being decided waits for it, and then finds the session as it was left."""
    stocked(world, offers(2))
    session_id = (await create(world)).session.id
    finishing: list[asyncio.Task[SessionView]] = []

    async def pause_slowly(work: PracticeWork) -> None:
        held = await work.hold_session(STUDENT.user_id, session_id)
        assert held is not None
        finishing.append(asyncio.create_task(FinishPractice(world.transact)(STUDENT, session_id)))
        done, _ = await asyncio.wait(finishing, timeout=0.1)
        assert not done
        await work.save_session(pause(held, work.now))

    await world.transact(pause_slowly)
    assert (await finishing[0]).status is PracticeStatus.FINISHED
    held = await hold(world, session_id, SlotTarget(slot=1))
    assert held is not None
    assert (held.session.status, held.session.paused_at) == (PracticeStatus.FINISHED, None)
