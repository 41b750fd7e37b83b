"""What every store of flags promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

import domain.progress.flags
from application.progress.flagging import FlagQuestion, UnflagQuestion
from domain.auth.people import Actor
from domain.progress.flags import TooManyFlags
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from tests.support.postgres import SettableClock
from tests.support.practice_builders import START, STRANGER, STUDENT, offers
from tests.support.progress_worlds import Given, OnPostgres, ProgressWorld, Sitting, world_of


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> ProgressWorld:
    """Three questions on offer to Ada; of another package others, which nobody is enrolled in."""
    found = world_of(request, clock)
    found.practice.offer(offers(3))
    found.practice.enroll(STUDENT.user_id)
    found.practice.offer(offers(3, prefix="other"), "pkg_other")
    return found


async def flag(world: ProgressWorld, question_id: str = "qst_000", actor: Actor = STUDENT) -> None:
    await FlagQuestion(world.flags)(actor, question_id)


async def unflag(world: ProgressWorld, question_id: str = "qst_000", actor: Actor = STUDENT) -> None:
    await UnflagQuestion(world.flags)(actor, question_id)


async def test_a_flag_stands_until_it_is_taken_away(world: ProgressWorld) -> None:
    await flag(world)
    assert world.flagged() == {(STUDENT.user_id, "qst_000"): START}
    await unflag(world)
    assert world.flagged() == {}


async def test_flagging_again_changes_nothing_and_so_does_taking_away_what_is_not_there(
    world: ProgressWorld, clock: SettableClock
) -> None:
    await unflag(world)
    await flag(world)
    clock.advance(days=1)
    await flag(world)
    assert world.flagged() == {(STUDENT.user_id, "qst_000"): START}


@pytest.mark.parametrize("question_id", ["other_000", "qst_none"])
async def test_a_question_of_no_package_of_theirs_is_not_there_for_a_student(
    world: ProgressWorld, question_id: str
) -> None:
    with pytest.raises(QuestionNotFound):
        await flag(world, question_id)
    with pytest.raises(QuestionNotFound):
        await unflag(world, question_id)
    assert world.flagged() == {}


async def test_flags_are_each_students_own(world: ProgressWorld) -> None:
    await flag(world)
    with pytest.raises(QuestionNotFound):
        await flag(world, actor=STRANGER)
    world.practice.enroll(STRANGER.user_id)
    await unflag(world, actor=STRANGER)
    assert world.flagged().keys() == {(STUDENT.user_id, "qst_000")}
    await flag(world, actor=STRANGER)
    assert len(world.flagged()) == 2
    await unflag(world, actor=STRANGER)
    assert world.flagged().keys() == {(STUDENT.user_id, "qst_000")}


async def test_who_is_not_enrolled_any_more_flags_nothing_new_but_may_clear_up(world: ProgressWorld) -> None:
    await flag(world)
    world.practice.end_enrollment(STUDENT.user_id)
    for question_id in ("qst_000", "qst_001"):
        with pytest.raises(QuestionNotFound):
            await flag(world, question_id)
    await unflag(world)
    assert world.flagged() == {}
    with pytest.raises(QuestionNotFound):
        await unflag(world)


async def test_an_enrolment_past_its_end_opens_nothing(world: ProgressWorld, clock: SettableClock) -> None:
    world.let_enrollment_expire(STUDENT.user_id, START + timedelta(days=1))
    clock.set(START + timedelta(days=1) - timedelta(microseconds=1))
    await flag(world)
    clock.set(START + timedelta(days=1))
    with pytest.raises(QuestionNotFound):
        await flag(world, "qst_001")


@pytest.mark.parametrize("answered", [True, False])
async def test_what_a_student_was_asked_may_always_be_flagged(world: ProgressWorld, answered: bool) -> None:
    given = (Given(question_id="other_000"),) if answered else ()
    open_questions = () if answered else ("other_000",)
    world.keep(Sitting(id="prs_1", package_id="pkg_other", answers=given, open_questions=open_questions))
    await flag(world, "other_000")
    with pytest.raises(QuestionNotFound):
        await flag(world, "other_001")
    with pytest.raises(QuestionNotFound):
        await flag(world, "other_000", actor=STRANGER)


async def test_there_is_a_bound(world: ProgressWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain.progress.flags, "MOST_FLAGS", 2)
    await flag(world, "qst_000")
    await flag(world, "qst_001")
    with pytest.raises(TooManyFlags):
        await flag(world, "qst_002")
    await flag(world, "qst_001")
    await unflag(world, "qst_000")
    await flag(world, "qst_002")


async def test_a_flag_that_came_in_between_stays_as_it_is(world: ProgressWorld, clock: SettableClock) -> None:
    """Both requests found none; the second one writes after the first."""
    await flag(world)
    clock.advance(days=1)
    await world.flags(lambda work: work.add_flag(STUDENT.user_id, "qst_000"))
    assert world.flagged() == {(STUDENT.user_id, "qst_000"): START}


async def test_two_requests_at_once_are_one_flag(world: ProgressWorld) -> None:
    await asyncio.gather(*(flag(world) for _ in range(8)))
    assert len(world.flagged()) == 1


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "update question_banks set visibility = 'hidden' where slug = 'security'",
        "update questions set published_version = null, latest_status = 'archived' where id = 'qst_000'",
        "delete from exam_package_banks where exam_package_id = 'pkg_security'",
    ],
)
async def test_a_question_that_is_not_offered_any_more_cannot_be_flagged(world: ProgressWorld, change: str) -> None:
    assert isinstance(world, OnPostgres)
    world.cloned.keeper.execute(change.encode())
    with pytest.raises(QuestionNotFound):
        await flag(world)
