"""Writing questions: from the first draft to the day on which they are put away."""

from __future__ import annotations

from dataclasses import dataclass, field

from application.ports import IdGenerator, Transaction
from application.question_bank.changes import QuestionChange, sanitised
from application.question_bank.ports.authoring import AuthoringWork, HtmlSanitiser
from application.question_bank.steps import QuestionState, Step, entry, hold, open_bank, stated, take
from domain.auth.people import Actor
from domain.question_bank.authority import require_admin, require_author, require_editor
from domain.question_bank.completeness import refuse_shapeless, settled
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import normalized_id
from domain.question_bank.lifecycle import (
    ANYTHING,
    Expected,
    Question,
    VersionStatus,
    archive,
    create,
    edit,
    redraft,
    refuse_used,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    """A question as its author begins it. Without an external id its own id serves as one."""

    bank_id: str
    external_id: str | None = None
    content: QuestionContent = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateQuestion:
    """Staff write a question into a bank that they see: a draft, whose author they are."""

    transact: Transaction[AuthoringWork]
    ids: IdGenerator
    sanitise: HtmlSanitiser

    async def __call__(self, actor: Actor, new: NewQuestion) -> QuestionState:
        question_id = self.ids.new("qst")
        external_id = normalized_id(new.external_id or "") or question_id
        content = settled(sanitised(new.content, self.sanitise))
        refuse_shapeless(content)

        async def unit(work: AuthoringWork) -> QuestionState:
            bank = await open_bank(work, actor, new.bank_id)
            question = create(
                id=question_id, bank_id=bank.id, external_id=external_id, content=content, by=actor.user_id, at=work.now
            )
            says = await stated(work, bank, question, question.latest)
            await work.add_question(question)
            await work.add_version(question, question.latest, says)
            await work.index_question(question.id)
            await work.audit(entry(actor, "created", None, question))
            return QuestionState.of(question)

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditQuestion:
    """An editor changes what an open version says, and is remembered as one who wrote at it.

    A published question stays as it is and gets a new draft with the change in it. What is in review is withdrawn
    first. A change to what is there already changes nothing.
    """

    transact: Transaction[AuthoringWork]
    sanitise: HtmlSanitiser

    async def __call__(
        self, actor: Actor, question_id: str, change: QuestionChange, expected: Expected = ANYTHING
    ) -> QuestionState:
        change = change.sanitised(self.sanitise)

        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_editor, expected)

            def step(question: Question) -> Question:
                return edit(question, change.of, actor.user_id, held.at)

            return await take(work, actor, held, Step("edited", step))

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteQuestion:
    """Its author, or an administrator, deletes a question that was never published and never served."""

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> None:
        async def unit(work: AuthoringWork) -> None:
            question = (await hold(work, actor, question_id, require_author, expected)).question
            refuse_used(question, served=await work.was_served(question_id))
            await work.drop_question(question)
            await work.audit(entry(actor, "deleted", question, None))

        await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveQuestion:
    """Its author, or an administrator, takes the published version off new papers and practice.

    Sessions that have it keep it, and a draft of the next version stays a draft.
    """

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> QuestionState:
        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_author, expected)
            return await take(work, actor, held, Step("archived", lambda question: archive(question, held.at)))

        return await self.transact(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedraftQuestion:
    """Its author, or an administrator, opens a new draft of an archived question that says the same.

    Of a published question an administrator does, and the published version is archived with it.
    """

    transact: Transaction[AuthoringWork]

    async def __call__(self, actor: Actor, question_id: str, expected: Expected = ANYTHING) -> QuestionState:
        async def unit(work: AuthoringWork) -> QuestionState:
            held = await hold(work, actor, question_id, require_author, expected)
            if held.question.status is VersionStatus.PUBLISHED:
                require_admin(actor)
            step = Step("redrafted", lambda question: redraft(question, actor.user_id, held.at))
            return await take(work, actor, held, step)

        return await self.transact(unit)
