"""Writing, publishing and hiding templates of practice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from application.enrollment.changes import ScoringChange
from application.ports import AuditEntry, IdGenerator, Transaction
from application.practice.ports.templates import TemplateWork
from application.practice.template_views import TemplateView
from application.question_bank.changes import KEPT, Named
from domain.auth.people import Actor
from domain.enrollment.refusals import PackageNotFound
from domain.errors import InvalidInput
from domain.practice.judging import FeedbackMode
from domain.practice.plans import Source
from domain.practice.templates import (
    ANY_STATE,
    ExpectedTemplate,
    PracticeTemplate,
    TemplateContent,
    TemplateNotFound,
    TemplateSettings,
    TemplateVersion,
    refuse_foreign,
    require_author,
)
from domain.question_bank.authority import require_staff
from domain.question_bank.scoring import STANDARD

_TEXTS: Final = ("title", "description")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChange:
    """What is to change about a draft; what is not named stays. Refuses to change nothing at all.

    `scoring` None: as the package marks. Of a draft that did so until now, the usual is changed.
    """

    title: Named[str] = KEPT
    description: Named[str] = KEPT
    topic_ids: Named[tuple[str, ...]] = KEPT
    difficulty_ids: Named[tuple[str, ...]] = KEPT
    count: Named[int] = KEPT
    source: Named[Source] = KEPT
    feedback: Named[FeedbackMode] = KEPT
    certainty: Named[bool] = KEPT
    time_limit_seconds: Named[int | None] = KEPT
    scoring: Named[ScoringChange | None] = KEPT

    def __post_init__(self) -> None:
        if not self.named:
            raise InvalidInput("Nothing is to be changed: name what shall be different")

    @property
    def named(self) -> dict[str, Any]:
        """The fields that are named, with their values."""
        values = ((part.name, getattr(self, part.name)) for part in fields(self))
        return {name: value for name, value in values if value is not KEPT}

    def of(self, content: TemplateContent) -> TemplateContent:
        """The content after the change."""
        texts = {name: value for name, value in self.named.items() if name in _TEXTS}
        settings = {name: value for name, value in self.named.items() if name not in _TEXTS}
        if isinstance(self.scoring, ScoringChange):
            settings["scoring"] = self.scoring.of(content.settings.scoring or STANDARD)
        return replace(content, **texts, settings=replace(content.settings, **settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTemplate:
    """An instructor writes a template for a package, and is its author. Students see it once it is published."""

    transact: Transaction[TemplateWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, exam_package_id: str, content: TemplateContent) -> TemplateView:
        require_staff(actor)
        template_id, content = self.ids.new("tpl"), content.settled(exam_package_id)

        async def create(work: TemplateWork) -> TemplateView:
            if not await work.hold_package(exam_package_id):
                raise PackageNotFound
            await _refuse_foreign(work, exam_package_id, content.settings)
            template = _new(template_id, exam_package_id, actor.user_id, content, work)
            await _add(work, template, actor)
            return TemplateView(template=template, published=None)

        return await self.transact(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTemplate:
    """The author of a template, or an admin, changes its draft. What is published stays as it is."""

    transact: Transaction[TemplateWork]

    async def __call__(
        self, actor: Actor, template_id: str, change: TemplateChange, expected: ExpectedTemplate = ANY_STATE
    ) -> TemplateView:
        async def carry_out(work: TemplateWork) -> TemplateView:
            before = await _held(work, actor, template_id, expected)
            after = before.saying(change.of(before.content), work.now)
            if after is not before:
                if after.settings != before.settings:
                    await _refuse_foreign(work, after.exam_package_id, after.settings)
                await work.save_template(after)
                was, became = _differences(_facts(before), _facts(after))
                await work.audit(_entry(actor, "template.changed", template_id, before=was, after=became))
            return TemplateView(template=after, published=await _shown(work, after))

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishTemplate:
    """The author of a template, or an admin, shows students what the draft says now.

    That is frozen as the next version. Where the latest version says the same, it is shown again, and where students
    see it already nothing happens.
    """

    transact: Transaction[TemplateWork]

    async def __call__(self, actor: Actor, template_id: str, expected: ExpectedTemplate = ANY_STATE) -> TemplateView:
        async def publish(work: TemplateWork) -> TemplateView:
            before = await _held(work, actor, template_id, expected)
            return await _publish(work, before, actor)

        return await self.transact(publish)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpublishTemplate:
    """The author of a template, or an admin, hides it from students; sessions that were begun from it go on."""

    transact: Transaction[TemplateWork]

    async def __call__(self, actor: Actor, template_id: str, expected: ExpectedTemplate = ANY_STATE) -> TemplateView:
        async def unpublish(work: TemplateWork) -> TemplateView:
            before = await _held(work, actor, template_id, expected)
            after = before.unpublished(work.now)
            if after is not before:
                await work.save_template(after)
                await work.audit(_moved("template.unpublished", actor, before, after))
            return TemplateView(template=after, published=None)

        return await self.transact(unpublish)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTemplate:
    """The author of a template, or an admin, deletes it with its versions while no session was ever begun from it."""

    transact: Transaction[TemplateWork]

    async def __call__(self, actor: Actor, template_id: str, expected: ExpectedTemplate = ANY_STATE) -> None:
        async def carry_out(work: TemplateWork) -> None:
            template = await _held(work, actor, template_id, expected)
            await work.drop_template(template_id)
            await work.audit(_entry(actor, "template.deleted", template_id, before=_facts(template)))

        await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideTemplate:
    """Sees to it that a package has a template to practise by: one of the school, published, where there is none.

    What people wrote stays as it is, and so doing it again changes nothing.
    """

    transact: Transaction[TemplateWork]
    ids: IdGenerator

    async def __call__(self, exam_package_id: str, content: TemplateContent) -> None:
        template_id, content = self.ids.new("tpl"), content.settled(exam_package_id)

        async def provide(work: TemplateWork) -> None:
            if not await work.hold_package(exam_package_id):
                raise PackageNotFound
            if await work.has_templates(exam_package_id):
                return
            template = _new(template_id, exam_package_id, None, content, work)
            await _add(work, template, None)
            await _publish(work, template, None)

        await self.transact(provide)


def _new(
    template_id: str, exam_package_id: str, author_id: str | None, content: TemplateContent, work: TemplateWork
) -> PracticeTemplate:
    return PracticeTemplate(
        id=template_id,
        exam_package_id=exam_package_id,
        author_id=author_id,
        title=content.title,
        description=content.description,
        settings=content.settings,
        created_at=work.now,
        updated_at=work.now,
    )


async def _add(work: TemplateWork, template: PracticeTemplate, actor: Actor | None) -> None:
    await work.add_template(template)
    facts = {"exam_package_id": template.exam_package_id, **_facts(template)}
    await work.audit(_entry(actor, "template.created", template.id, after=facts))


async def _held(work: TemplateWork, actor: Actor, template_id: str, expected: ExpectedTemplate) -> PracticeTemplate:
    """A template that the actor may change and that is as it was read."""
    require_staff(actor)
    template = await work.hold_template(template_id)
    if template is None:
        raise TemplateNotFound
    require_author(actor, template)
    expected.refuse_other(template)
    return template


async def _publish(work: TemplateWork, before: PracticeTemplate, actor: Actor | None) -> TemplateView:
    latest = await work.find_version(before.id, before.latest_version)
    publication = before.published(latest, actor.user_id if actor else None, work.now)
    after, frozen = publication.template, publication.frozen
    if frozen is not None:
        await _refuse_foreign(work, before.exam_package_id, before.settings)
        await work.add_version(frozen)
    if after is not before:
        await work.save_template(after)
        await work.audit(_moved("template.published", actor, before, after))
    return TemplateView(template=after, published=frozen or latest)


async def _shown(work: TemplateWork, template: PracticeTemplate) -> TemplateVersion | None:
    version = template.published_version
    return None if version is None else await work.find_version(template.id, version)


async def _refuse_foreign(work: TemplateWork, exam_package_id: str, settings: TemplateSettings) -> None:
    topics = await work.topics_of_package(exam_package_id, settings.topic_ids)
    refuse_foreign(settings, topics, await work.difficulties_among(settings.difficulty_ids))


def _facts(template: PracticeTemplate) -> dict[str, object]:
    return {"title": template.title, "description": template.description, **asdict(template.settings)}


def _differences(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """What differs, as it was and as it is."""
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _moved(action: str, actor: Actor | None, before: PracticeTemplate, after: PracticeTemplate) -> AuditEntry:
    """Another version is shown, or none."""
    was, became = {"published_version": before.published_version}, {"published_version": after.published_version}
    return _entry(actor, action, after.id, before=was, after=became)


def _entry(
    actor: Actor | None,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Nobody (`actor` None) is whoever runs the command line."""
    actor_id = actor.user_id if actor else None
    return AuditEntry(actor_id=actor_id, action=action, subject=subject, before=before, after=after)
