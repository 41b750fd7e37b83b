"""Keeping order: banks, topics and the names of difficulties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from application.jobs import FINISHING_SECONDS, JobName
from application.ports import AuditEntry, IdGenerator, Job, Transaction
from application.question_bank.indexing import IndexingOrder
from application.question_bank.ports.taxonomy import TaxonomyReader, TaxonomyWork
from application.question_bank.taxonomy_views import BankView
from domain.auth.people import Actor
from domain.errors import FieldProblem, InvalidInput
from domain.question_bank.authority import require_staff
from domain.question_bank.banks import BankVisibility, bank_slug
from domain.question_bank.lifecycle_refusals import BankNotFound
from domain.question_bank.taxonomy import (
    DEFAULT_LANGUAGE,
    Bank,
    BankChange,
    Difficulty,
    DifficultyNotFound,
    NotTheOwner,
    TaxonomyChanged,
    Topic,
    TopicInUse,
    TopicNotFound,
    check_bank,
    normalise_title,
    normalise_topic,
    require_owner,
)

_AUDITED: Final = ("slug", "title", "visibility", "language", "owner_id", "editor_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBank:
    """A bank as it is to be made; without a slug its title tells one."""

    title: str
    slug: str | None = None
    description: str = ""
    visibility: BankVisibility = BankVisibility.VISIBLE
    language: str = DEFAULT_LANGUAGE
    editor_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBank:
    """Staff read a bank that they may see."""

    taxonomy_reader: TaxonomyReader

    async def __call__(self, actor: Actor, bank_id: str) -> BankView:
        found = await self.taxonomy_reader.bank(actor, bank_id)
        if found is None:
            raise BankNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBank:
    """Staff make a bank, own it from then on, and may name others of the staff as co-editors."""

    transact: Transaction[TaxonomyWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, new: NewBank) -> Bank:
        require_staff(actor)
        bank_id, title = self.ids.new("qbk"), normalise_title(new.title)

        async def create(work: TaxonomyWork) -> Bank:
            bank = Bank(
                id=bank_id,
                slug=new.slug or bank_slug(title),
                title=title,
                description=new.description,
                visibility=new.visibility,
                language=new.language,
                owner_id=actor.user_id,
                editor_ids=tuple(sorted(set(new.editor_ids))),
                created_at=work.now,
                updated_at=work.now,
            )
            check_bank(bank)
            await _refuse_others_than_staff(work, new.editor_ids)
            await work.add_bank(bank)
            await work.audit(_entry(actor, "question_bank.created", bank.id, after=_facts(bank)))
            return bank

        return await self.transact(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBank:
    """The owner of a bank, or an admin, changes it; in another language its questions are indexed anew for search."""

    transact: Transaction[TaxonomyWork]

    async def __call__(self, actor: Actor, bank_id: str, change: BankChange, expected: int | None = None) -> Bank:
        async def carry_out(work: TaxonomyWork) -> Bank:
            # Its slug is a key. Whoever shares the row may want to count in it, so to wait for them with a part of it
            # held already would be a deadlock.
            hold = work.hold_bank if change.slug is None else work.hold_bank_alone
            before = _seen(await hold(bank_id), actor)
            require_owner(actor, before)
            _refuse_stale(expected, before.version)
            after = change.applied_to(before, work.now)
            if after is before:
                return before
            await _refuse_others_than_staff(work, change.newcomers(before))
            await work.save_bank(after)
            if after.language != before.language:
                await work.enqueue(IndexingOrder(bank=bank_id).job)
            was, became = _differences(_facts(before), _facts(after))
            await work.audit(_entry(actor, "question_bank.changed", bank_id, before=was, after=became))
            return after

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBank:
    """The owner of a bank, or an admin, deletes it while it holds no question and no package draws from it."""

    transact: Transaction[TaxonomyWork]

    async def __call__(self, actor: Actor, bank_id: str) -> None:
        async def carry_out(work: TaxonomyWork) -> None:
            bank = _seen(await work.hold_bank_alone(bank_id), actor)
            require_owner(actor, bank)
            await work.drop_bank(bank_id)
            await work.audit(_entry(actor, "question_bank.deleted", bank_id, before=_facts(bank)))

        await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTopic:
    """Staff add a topic to a bank that they may see, as an import of theirs would."""

    transact: Transaction[TaxonomyWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, bank_id: str, name: str) -> Topic:
        require_staff(actor)
        topic_id, name = self.ids.new("top"), normalise_topic(name)

        async def create(work: TaxonomyWork) -> Topic:
            await _held_bank(work, actor, bank_id)
            topic = Topic(id=topic_id, question_bank_id=bank_id, name=name, created_at=work.now, updated_at=work.now)
            await work.add_topic(topic)
            facts = {"question_bank_id": bank_id, "name": name}
            await work.audit(_entry(actor, "question_topic.created", topic_id, after=facts))
            return topic

        return await self.transact(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTopic:
    """An editor of the bank renames a topic. Its questions say the same as before under the new name.

    Content hashes hold the name, so a job makes those of its questions anew; without it the next import of an export
    would take every one of them for changed.
    """

    transact: Transaction[TaxonomyWork]

    async def __call__(self, actor: Actor, topic_id: str, name: str, expected: int | None = None) -> Topic:
        name = normalise_topic(name)

        async def rename(work: TaxonomyWork) -> Topic:
            before = await _held_topic(work, actor, topic_id)
            _refuse_stale(expected, before.version)
            if before.name == name:
                return before
            after = replace(before, name=name, version=before.version + 1, updated_at=work.now)
            await work.save_topic(after)
            await work.enqueue(_rehashing(topic_id))
            was, became = {"name": before.name}, {"name": name}
            await work.audit(_entry(actor, "question_topic.renamed", topic_id, before=was, after=became))
            return after

        return await self.transact(rename)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTopic:
    """An editor of the bank deletes a topic that no version of any question names."""

    transact: Transaction[TaxonomyWork]

    async def __call__(self, actor: Actor, topic_id: str) -> None:
        async def carry_out(work: TaxonomyWork) -> None:
            topic = await _held_topic(work, actor, topic_id)
            if await work.is_topic_used(topic_id):
                raise TopicInUse
            await work.drop_topic(topic_id)
            facts = {"question_bank_id": topic.question_bank_id, "name": topic.name}
            await work.audit(_entry(actor, "question_topic.deleted", topic_id, before=facts))

        await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameDifficulty:
    """Staff choose what a difficulty is called; files go on naming it by its code."""

    transact: Transaction[TaxonomyWork]

    async def __call__(self, actor: Actor, difficulty_id: str, name: str, expected: int | None = None) -> Difficulty:
        require_staff(actor)
        name = normalise_title(name)

        async def rename(work: TaxonomyWork) -> Difficulty:
            before = await work.hold_difficulty(difficulty_id)
            if before is None:
                raise DifficultyNotFound
            _refuse_stale(expected, before.version)
            if before.name == name:
                return before
            after = replace(before, name=name, version=before.version + 1)
            await work.save_difficulty(after)
            was, became = {"name": before.name}, {"name": name}
            await work.audit(_entry(actor, "question_difficulty.renamed", difficulty_id, before=was, after=became))
            return after

        return await self.transact(rename)


async def _held_bank(work: TaxonomyWork, actor: Actor, bank_id: str) -> Bank:
    return _seen(await work.hold_bank(bank_id), actor)


def _seen(bank: Bank | None, actor: Actor) -> Bank:
    if bank is None or not bank.access.may_be_seen_by(actor):
        raise BankNotFound
    return bank


async def _held_topic(work: TaxonomyWork, actor: Actor, topic_id: str) -> Topic:
    """A topic of a bank that the actor edits."""
    topic = await work.hold_topic(topic_id)
    bank = None if topic is None else await work.find_bank(topic.question_bank_id)
    if topic is None or bank is None or not bank.access.may_be_seen_by(actor):
        raise TopicNotFound
    if not bank.access.is_edited_by(actor):
        raise NotTheOwner
    return topic


async def _refuse_others_than_staff(work: TaxonomyWork, user_ids: tuple[str, ...]) -> None:
    staff = await work.staff_among(user_ids)
    problems = tuple(
        FieldProblem("/editorIds", "not_staff", f"{user_id} is neither an instructor nor an administrator")
        for user_id in user_ids
        if user_id not in staff
    )
    if problems:
        raise InvalidInput(problems=problems)


def _rehashing(topic_id: str) -> Job:
    """For later, when the questions that were being written under the old name have been."""
    return Job(name=JobName.REHASH_QUESTIONS, payload={"topic_id": topic_id}, delay_seconds=FINISHING_SECONDS)


def _refuse_stale(expected: int | None, version: int) -> None:
    if expected not in (None, version):
        raise TaxonomyChanged(version)


def _facts(bank: Bank) -> dict[str, object]:
    return {name: getattr(bank, name) for name in _AUDITED}


def _differences(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """What differs, as it was and as it is."""
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _entry(
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    return AuditEntry(actor_id=actor.user_id, action=action, subject=subject, before=before, after=after)
