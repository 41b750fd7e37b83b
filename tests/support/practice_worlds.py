"""The same conversations on every store of practice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from adapters.system.clock import TimeOrderedIds
from application.practice.answering import AnswerQuestion
from application.practice.invalidating import InvalidatePractice
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from application.practice.starting import CreatePracticeSession
from application.practice.views import AnswerView, OverseenSessionView, PracticeView
from application.progress.repeating import CatchUpReviews, ScheduleReviews
from domain.auth.people import Actor, Role
from domain.practice.judging import Answer
from domain.practice.plans import FromTemplate, PracticePlan
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import PublicQuestion, Response
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, STUDENT, MemoryWorld, Offer, PostgresWorld, World

ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_root")


def world_of(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    """On dictionaries or on the real database, as a fixture of either parameter asks."""
    if request.param == "memory":
        return MemoryWorld(clock)
    ids: TimeOrderedIds = request.getfixturevalue("ids")
    database = request.getfixturevalue("database")
    transact = PostgresTransaction(database, PostgresPracticeWork, ids, clock)
    return PostgresWorld(request.getfixturevalue("cloned"), transact, PostgresQuickAnswers(database, clock))


def plan(**wishes: Any) -> PracticePlan:
    return PracticePlan(exam_package_id=PACKAGE, **wishes)


def creating(world: World) -> CreatePracticeSession:
    return CreatePracticeSession(
        ids=TimeOrderedIds(), transact=world.transact, schedule_reviews=ScheduleReviews(FsrsScheduler())
    )


def answering(world: World) -> AnswerQuestion:
    return AnswerQuestion(transact=world.transact, quick=world.quick)


async def create(world: World, **wishes: Any) -> PracticeView:
    return await creating(world)(STUDENT, plan(**wishes))


async def create_from(world: World, template_id: str, exam_package_id: str | None = None) -> PracticeView:
    return await creating(world)(STUDENT, FromTemplate(template_id=template_id, exam_package_id=exam_package_id))


async def give(
    world: World, session_id: str, target: int | str, letter: str = "B", certainty: Certainty | None = None
) -> AnswerView:
    """The student chooses a letter at a place, or for a question."""
    slot = SlotTarget(slot=target) if isinstance(target, int) else SlotTarget(question_id=target)
    answer = Answer(response=Response.choosing(letter), certainty=certainty)
    return await answering(world)(STUDENT, session_id, slot, answer)


async def invalidate(
    world: World, session_id: str, reason: str = "by mistake", user_id: str = STUDENT.user_id
) -> OverseenSessionView:
    return await InvalidatePractice(transact=world.transact)(ROOT, user_id, session_id, reason)


async def catch_up(world: World) -> None:
    """What the job does once a session is over."""
    await CatchUpReviews(world.transact, ScheduleReviews(FsrsScheduler()))({"user_id": STUDENT.user_id})


async def draw(world: World, session_id: str = "prs_1", **wishes: Any) -> tuple[PublicQuestion, ...]:
    async def unit(work: PracticeWork) -> tuple[PublicQuestion, ...]:
        drawn = await work.draw_questions(STUDENT.user_id, plan(**wishes), session_id)
        return tuple(each.question for each in drawn)

    return await world.transact(unit)


async def hold(world: World, session_id: str, target: SlotTarget) -> HeldSlot | None:
    async def unit(work: PracticeWork) -> HeldSlot | None:
        return await work.hold_slot(STUDENT.user_id, session_id, target)

    return await world.transact(unit)


def stocked(world: World, questions: Sequence[Offer]) -> None:
    world.offer(questions)
    world.enroll(STUDENT.user_id)
