"""The same conversations on every store of practice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.postgres.practice import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.practice.ports import HeldSlot, PracticeWork, SlotTarget
from application.practice.starting import CreatePracticeSession
from application.practice.views import PracticeView
from domain.practice.plans import PracticePlan
from domain.question_bank.questions import PublicQuestion
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, STUDENT, MemoryWorld, Offer, PostgresWorld, World


def world_of(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    """On dictionaries or on the real database, as a fixture of either parameter asks."""
    if request.param == "memory":
        return MemoryWorld(clock)
    ids: TimeOrderedIds = request.getfixturevalue("ids")
    transact = PostgresTransaction(request.getfixturevalue("database"), PostgresPracticeWork, ids, clock)
    return PostgresWorld(request.getfixturevalue("cloned"), transact)


def plan(**wishes: Any) -> PracticePlan:
    return PracticePlan(exam_package_id=PACKAGE, **wishes)


async def create(world: World, **wishes: Any) -> PracticeView:
    return await CreatePracticeSession(TimeOrderedIds(), world.transact)(STUDENT, plan(**wishes))


async def draw(world: World, session_id: str = "prs_1", **wishes: Any) -> tuple[PublicQuestion, ...]:
    async def unit(work: PracticeWork) -> tuple[PublicQuestion, ...]:
        return await work.draw_questions(plan(**wishes), session_id)

    return await world.transact(unit)


async def hold(world: World, session_id: str, target: SlotTarget) -> HeldSlot | None:
    async def unit(work: PracticeWork) -> HeldSlot | None:
        return await work.hold_slot(STUDENT.user_id, session_id, target)

    return await world.transact(unit)


def stocked(world: World, questions: Sequence[Offer]) -> None:
    world.offer(questions)
    world.enroll(STUDENT.user_id)
