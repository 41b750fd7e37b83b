"""Templates of practice: what students practise by choosing one, and what became of those that were published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from domain.auth.people import Actor, Role
from domain.errors import DomainError, FieldProblem, InvalidInput, Kind
from domain.practice.judging import FeedbackMode
from domain.practice.plans import DEFAULT_QUESTIONS, PracticePlan, Source, TemplateReference, refuse_unsound
from domain.question_bank.scoring import ScoringPolicy
from domain.question_bank.taxonomy import MAX_DESCRIPTION, normalise_title


class TemplateNotFound(DomainError):
    """There is no such template; a student finds those that are published for a package of theirs."""

    code = "template.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such practice template"


class TemplateInUse(DomainError):
    """A template that sessions were begun from stays, so that they can be told: unpublish it instead."""

    code = "template.in_use"
    kind = Kind.CONFLICT
    title = "Practice sessions were begun from this template"


class NotTheAuthor(DomainError):
    """Every instructor may read a template; its author and administrators change it."""

    code = "template.not_the_author"
    kind = Kind.FORBIDDEN
    title = "Others may change this practice template, but not you"


class TemplateStale(DomainError):
    """The template was changed since `expectedRevision` was read: read it again before changing it."""

    code = "template.stale"
    kind = Kind.CONFLICT
    title = "The practice template has been changed by now"


class TemplateChanged(DomainError):
    """`If-Match` names another state than the current one, whose tag the ETag header of the answer tells."""

    code = "template.precondition_failed"
    kind = Kind.PRECONDITION_FAILED
    title = "The practice template is not as If-Match expects it"

    def __init__(self, current_version: int) -> None:
        self.current_version = current_version
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSettings:
    """What a plan says, whatever the package. `scoring` None: as the package marks."""

    topic_ids: tuple[str, ...] = ()
    difficulty_ids: tuple[str, ...] = ()
    count: int = DEFAULT_QUESTIONS
    source: Source = Source.ALL
    feedback: FeedbackMode = FeedbackMode.IMMEDIATE
    certainty: bool = False
    time_limit_seconds: int | None = None
    scoring: ScoringPolicy | None = None

    def plan(self, exam_package_id: str, template: TemplateReference | None = None) -> PracticePlan:
        return PracticePlan(
            exam_package_id=exam_package_id,
            topic_ids=self.topic_ids,
            difficulty_ids=self.difficulty_ids,
            count=self.count,
            source=self.source,
            feedback=self.feedback,
            certainty=self.certainty,
            time_limit_seconds=self.time_limit_seconds,
            policy=self.scoring,
            template=template,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateContent:
    """Everything that an author says and that a version freezes."""

    title: str
    description: str = ""
    settings: TemplateSettings = TemplateSettings()

    def settled(self, exam_package_id: str) -> TemplateContent:
        """The same with its title in one line and each filter value once. Refuses what no template can say."""
        settings = replace(
            self.settings,
            topic_ids=tuple(dict.fromkeys(self.settings.topic_ids)),
            difficulty_ids=tuple(dict.fromkeys(self.settings.difficulty_ids)),
        )
        refuse_unsound(settings.plan(exam_package_id))
        if len(self.description) > MAX_DESCRIPTION:
            message = f"The description has more than {MAX_DESCRIPTION} characters"
            raise InvalidInput(message, problems=(FieldProblem("/description", "too_long", message),))
        return TemplateContent(title=normalise_title(self.title), description=self.description, settings=settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """What was published once, for good. Sessions are begun from it and keep it whatever becomes of the template."""

    template_id: str
    version: int
    exam_package_id: str
    title: str
    description: str
    settings: TemplateSettings
    published_at: datetime
    published_by: str | None = None

    @property
    def content(self) -> TemplateContent:
        return TemplateContent(title=self.title, description=self.description, settings=self.settings)

    @property
    def plan(self) -> PracticePlan:
        """What a session that is begun from it asks for."""
        reference = TemplateReference(id=self.template_id, version=self.version)
        return self.settings.plan(self.exam_package_id, reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeTemplate:
    """A template as its author writes it. `revision` grows with every change, publishing and hiding included.

    Versions count from 1; `published_version` is the one that students see, None while it is hidden from them.
    One without an author belongs to the school.
    """

    id: str
    exam_package_id: str
    author_id: str | None
    title: str
    description: str
    settings: TemplateSettings
    revision: int = 1
    latest_version: int = 0
    published_version: int | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def content(self) -> TemplateContent:
        return TemplateContent(title=self.title, description=self.description, settings=self.settings)

    def saying(self, content: TemplateContent, now: datetime) -> PracticeTemplate:
        """The template with another draft, the very same one if it says so already; versions stay as they are."""
        settled = content.settled(self.exam_package_id)
        if settled == self.content:
            return self
        return self._moved(
            replace(self, title=settled.title, description=settled.description, settings=settled.settings), now
        )

    def published(self, latest: TemplateVersion | None, by: str | None, now: datetime) -> Publication:
        """The draft becomes what students see: in a new version, or in the latest one if that says the same."""
        if latest is not None and latest.content == self.content:
            return Publication(template=self._showing(latest.version, now), frozen=None)
        frozen = TemplateVersion(
            template_id=self.id,
            version=self.latest_version + 1,
            exam_package_id=self.exam_package_id,
            title=self.title,
            description=self.description,
            settings=self.settings,
            published_at=now,
            published_by=by,
        )
        grown = replace(self, latest_version=frozen.version)
        return Publication(template=grown._showing(frozen.version, now), frozen=frozen)

    def unpublished(self, now: datetime) -> PracticeTemplate:
        """Students do not see it any more; the very same one if they did not."""
        return self._showing(None, now)

    def _showing(self, version: int | None, now: datetime) -> PracticeTemplate:
        if version == self.published_version:
            return self
        return self._moved(replace(self, published_version=version), now)

    def _moved(self, changed: PracticeTemplate, now: datetime) -> PracticeTemplate:
        return replace(changed, revision=self.revision + 1, updated_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A template that is published now, and the version that this has frozen: None if there was one that says so."""

    template: PracticeTemplate
    frozen: TemplateVersion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTemplate:
    """What was read before: `revision` is refused as a conflict, `etag` as a failed precondition. None: whatever."""

    revision: int | None = None
    etag: int | None = None

    def refuse_other(self, template: PracticeTemplate) -> None:
        """Refuses a template that was changed since it was read."""
        if self.etag not in (None, template.revision):
            raise TemplateChanged(template.revision)
        if self.revision not in (None, template.revision):
            raise TemplateStale(f"The template is at revision {template.revision} by now, not at {self.revision}.")


ANY_STATE = ExpectedTemplate()


def require_author(actor: Actor, template: PracticeTemplate) -> None:
    """Its author and administrators. A template of the school is changed by administrators alone."""
    if actor.role is not Role.ADMIN and (not actor.role.is_staff or actor.user_id != template.author_id):
        raise NotTheAuthor


def refuse_foreign(settings: TemplateSettings, topic_ids: frozenset[str], difficulty_ids: frozenset[str]) -> None:
    """A filter names topics of the package's banks and difficulties that there are: those given here."""
    topics = [
        FieldProblem(f"/topicIds/{index}", "topic.unknown", "No bank of the package has this topic")
        for index, topic_id in enumerate(settings.topic_ids)
        if topic_id not in topic_ids
    ]
    levels = [
        FieldProblem(f"/difficultyIds/{index}", "difficulty.unknown", "There is no such difficulty")
        for index, difficulty_id in enumerate(settings.difficulty_ids)
        if difficulty_id not in difficulty_ids
    ]
    if topics or levels:
        raise InvalidInput("The filter names what the exam package does not have", problems=(*topics, *levels))
