"""Flagging questions for later practice."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports import Transaction
from application.progress.ports.flags import FlagWork
from domain.auth.people import Actor
from domain.progress.flags import may_flag, may_unflag


@dataclass(frozen=True, slots=True)
class FlagQuestion:
    """A student marks a question that they may see, to practise it later; marking it again changes nothing."""

    transact: Transaction[FlagWork]

    async def __call__(self, actor: Actor, question_id: str) -> None:
        async def flag(work: FlagWork) -> None:
            if may_flag(await work.flag_standing(actor.user_id, question_id)):
                await work.add_flag(actor.user_id, question_id)

        await self.transact(flag)


@dataclass(frozen=True, slots=True)
class UnflagQuestion:
    """A student takes the mark away again; where there is none nothing changes."""

    transact: Transaction[FlagWork]

    async def __call__(self, actor: Actor, question_id: str) -> None:
        async def unflag(work: FlagWork) -> None:
            if may_unflag(await work.flag_standing(actor.user_id, question_id)):
                await work.remove_flag(actor.user_id, question_id)

        await self.transact(unflag)
