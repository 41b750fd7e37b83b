"""Reviewing questions: handing them in, deciding about them, and publishing without a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.ports import Transaction
from application.question_bank.ports.authoring import AuthoringWork
from application.question_bank.steps import QuestionState, Step, hold, take
from domain.auth.people import Actor
from domain.question_bank.authority import anybody, require_admin, require_editor, require_publisher
from domain.question_bank.completeness import refuse_incomplete
from domain.question_bank.lifecycle import (
    ANYTHING,
    Expected,
    Question,
    approve,
    is_editor,
    publish,
    request_changes,
    submit,
    withdraw,
)
from domain.question_bank.review import sound_note


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitForReview:
    """An editor hands in a complete draft; until the decision nobody changes it."""

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> QuestionState:
        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_editor, expected)

            def step(question: Question) -> Question:
                return submit(question, refuse_incomplete, actor.user_id, held.at)

            return await take(work, actor, held, Step("submitted", step))

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawFromReview:
    """An editor takes back what waits for a decision: it is a draft again."""

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> QuestionState:
        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_editor, expected)
            step = Step("withdrawn", lambda question: withdraw(question, actor.user_id, held.at))
            return await take(work, actor, held, step)

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveQuestion:
    """An administrator publishes what waits for a decision and is complete, having read the revision that is there.

    Nobody approves what they have written, unless they override this, which is recorded.
    """

    transact: Transaction[AuthoringWork]

    async def __call__(
        self, actor: Actor, question_id: str, expected: Expected, *, override: bool = False, note: str | None = None
    ) -> QuestionState:
        require_admin(actor)
        said = sound_note(note, required=False)

        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, anybody, expected)

            def step(question: Question) -> Question:
                return approve(question, refuse_incomplete, actor.user_id, held.at, override=override, note=said)

            return await take(work, actor, held, Step("approved", step), _own(held.question, actor))

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanges:
    """An administrator gives back what waits for a decision, with a note that says what is to change."""

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, note: str, expected: Expected = ANYTHING) -> QuestionState:
        require_admin(actor)
        said = sound_note(note, required=True) or ""

        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, anybody, expected)
            step = Step("changes_requested", lambda question: request_changes(question, said, actor.user_id, held.at))
            return await take(work, actor, held, step)

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishQuestion:
    """An administrator publishes a complete draft without a review; instructors hand it in instead."""

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> QuestionState:
        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_publisher, expected)
            step = Step("published", lambda question: publish(question, refuse_incomplete, held.at))
            return await take(work, actor, held, step, _own(held.question, actor))

        return await self.transact(unit)


def _own(question: Question, actor: Actor) -> Mapping[str, object]:
    """What the audit row says of somebody who decides about their own writing."""
    return {"self_approval": True} if is_editor(question, actor.user_id) else {}
