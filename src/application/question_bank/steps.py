"""What every step of a question has in common: it is held, taken by somebody who may, kept, and audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from application.ports import AuditEntry
from application.question_bank.ports.authoring import AuthoringWork
from domain.auth.people import Actor
from domain.errors import FieldProblem
from domain.question_bank.authority import Authority, BankAccess, require_staff
from domain.question_bank.completeness import refuse_unsound
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.lifecycle import Expected, Question, QuestionVersion, VersionStatus
from domain.question_bank.lifecycle_refusals import BankNotFound, DifficultyUnknown, QuestionNotFound, TopicUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionState:
    """A question as it stands after a step: its latest version, the last round of its review, and what is published."""

    id: str
    bank_id: str
    external_id: str
    author_id: str | None
    version: int
    rev: int
    status: VersionStatus
    editors: tuple[str, ...]
    content: QuestionContent
    note: str | None
    published_version: int | None
    created_at: datetime
    updated_at: datetime
    etag: int

    @classmethod
    def of(cls, question: Question) -> QuestionState:
        latest, published = question.latest, question.published
        return cls(
            id=question.id,
            bank_id=question.bank_id,
            external_id=question.external_id,
            author_id=question.author_id,
            version=latest.version,
            rev=latest.rev,
            status=latest.status,
            editors=latest.editors,
            content=latest.content,
            note=question.review.note if question.review else None,
            published_version=published.version if published else None,
            created_at=question.created_at,
            updated_at=question.updated_at,
            etag=latest.etag,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A question that is held, with its bank and the moment at which the step takes place."""

    question: Question
    bank: BankAccess
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the lifecycle with the past tense under which it is audited."""

    action: str
    take: Callable[[Question], Question]


async def visible_bank(work: AuthoringWork, actor: Actor, bank_id: str) -> BankAccess | None:
    """The bank, unless it is hidden from the actor."""
    bank = await work.bank(bank_id)
    return bank if bank is not None and bank.may_be_seen_by(actor) else None


async def open_bank(work: AuthoringWork, actor: Actor, bank_id: str) -> BankAccess:
    """The bank in which a question is to be made."""
    require_staff(actor)
    bank = await visible_bank(work, actor, bank_id)
    if bank is None:
        raise BankNotFound
    return bank


async def hold(work: AuthoringWork, actor: Actor, question_id: str, may: Authority, expected: Expected) -> Held:
    """The question, held; refuses whoever may not see it, whoever may not do this, and what was changed meanwhile."""
    require_staff(actor)
    question = await work.hold_question(question_id)
    if question is None:
        raise QuestionNotFound
    bank = await visible_bank(work, actor, question.bank_id)
    if bank is None:
        raise QuestionNotFound
    may(actor, bank, question.author_id)
    expected.refuse_other(question.latest)
    # Units of work read their time before they take turns; one that waited does not turn time back.
    return Held(question=question, bank=bank, at=max(work.now, question.updated_at))


async def keep(work: AuthoringWork, bank: BankAccess, before: Question, after: Question) -> None:
    """Writes what a step has changed: the version that steps back before the one that takes its place."""
    known = {version.version: version for version in before.versions}
    for version in after.versions:
        older = known.get(version.version)
        if older is None:
            await work.add_version(after, version, await stated(work, bank, after, version))
        elif older.content != version.content:
            await work.rewrite_version(after, version, await stated(work, bank, after, version))
        elif older != version:
            await work.save_version(after, version)
    if after.review is not None and after.review != before.review:
        await work.save_review(after, after.review)
    await work.save_question(after)
    await work.index_question(after.id)
    more = int(after.published is not None) - int(before.published is not None)
    if more:
        await work.count_published(bank.id, more)


async def stated(
    work: AuthoringWork, bank: BankAccess, question: Question, version: QuestionVersion
) -> ImportedQuestion:
    """What the version says as a file would state it; refuses what no version may say."""
    content = version.content
    labels = await work.labels(bank.id, content.topic_id, content.difficulty_id)
    if content.topic_id is not None and labels.topic is None:
        raise TopicUnknown(problems=(FieldProblem("/topicId", "unknown", TopicUnknown.title),))
    if content.difficulty_id is not None and labels.difficulty is None:
        raise DifficultyUnknown(problems=(FieldProblem("/difficultyId", "unknown", DifficultyUnknown.title),))
    says = content.canonical(
        external_id=question.external_id, bank=bank.slug, topic=labels.topic, difficulty=labels.difficulty
    )
    refuse_unsound(says)
    return says


def entry(
    actor: Actor, action: str, before: Question | None, after: Question | None, more: Mapping[str, object] | None = None
) -> AuditEntry:
    """The audit row of one step: ids, versions and statuses, never a text."""
    subject = after or before
    assert subject is not None, "a step has a question before it or after it"
    return AuditEntry(
        actor_id=actor.user_id,
        action=f"question.{action}",
        subject=subject.id,
        before=_facts(before) if before else None,
        after={**_facts(after), **(more or {})} if after else None,
    )


async def take(
    work: AuthoringWork, actor: Actor, held: Held, step: Step, more: Mapping[str, object] | None = None
) -> QuestionState:
    """Takes a step, keeps and audits what it changed; one that was taken already changes nothing."""
    before = held.question
    after = step.take(before)
    if after is not before:
        await keep(work, held.bank, before, after)
        await work.audit(entry(actor, step.action, before, after, more))
    return QuestionState.of(after)


def _facts(question: Question) -> Mapping[str, object]:
    latest, published = question.latest, question.published
    return {
        "bank_id": question.bank_id,
        "version": latest.version,
        "rev": latest.rev,
        "status": latest.status.value,
        "published_version": published.version if published else None,
    }
