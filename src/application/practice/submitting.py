"""Handing in a practice session: its answers and its end in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.ports import Transaction
from application.practice.answering import GivenAnswer, hold_slot, take
from application.practice.ports.sessions import PracticeWork, SlotTarget
from application.practice.sitting import accepted, moving
from application.practice.views import SessionView
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.practice.judging import Answer
from domain.practice.sessions import finish


@dataclass(frozen=True, slots=True)
class SubmitPractice:
    """A student answers questions of a session and ends it. All of it is taken, or nothing is.

    What is left out stays as it was. A submission whose every answer stands already gets the same result again; a
    session that is over takes no others.
    """

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str, answers: Mapping[str, Answer]) -> SessionView:
        """`answers` are told by the ids of their questions."""

        async def submit(work: PracticeWork) -> SessionView | DomainError:
            student = await work.hold_progress(actor.user_id)
            given = [
                GivenAnswer(
                    held=await hold_slot(work, actor, session_id, SlotTarget(question_id=question_id)), answer=answer
                )
                for question_id, answer in answers.items()
            ]
            taken = await take(work, student, given)
            if isinstance(taken, DomainError):
                return taken
            return await moving(actor, session_id, finish)(work)

        return accepted(await self.transact(submit))
