"""Templates of practice over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType, convert

from application.enrollment.changes import ScoringChange
from application.practice.template_views import TemplateView
from application.practice.templates import TemplateChange
from domain.practice.judging import FeedbackMode
from domain.practice.plans import (
    DEFAULT_QUESTIONS,
    MAX_FILTER_VALUES,
    MAX_QUESTIONS,
    MAX_TIME_LIMIT_SECONDS,
    Source,
)
from domain.practice.templates import PracticeTemplate, TemplateContent, TemplateSettings, TemplateVersion
from domain.question_bank.scoring import STANDARD, MultiplePolicy, OrderingPolicy, ScoringPolicy
from domain.question_bank.taxonomy import MAX_DESCRIPTION, MAX_TITLE
from entrypoints.http.decimals import FRACTION
from entrypoints.http.fields import Id, MarkedBody, PageBody, RequestBody, ResponseBody, When

_Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
_Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
_Ids = Annotated[list[Id], Meta(max_length=MAX_FILTER_VALUES)]
_Topics = Annotated[_Ids, Meta(description="Only questions of these topics; empty: of any")]
_Levels = Annotated[_Ids, Meta(description="Only questions of these difficulties; empty: of any")]
_Count = Annotated[int, Meta(ge=1, le=MAX_QUESTIONS, description="How many questions a session asks for")]
_TimeLimit = Annotated[int, Meta(ge=1, le=MAX_TIME_LIMIT_SECONDS)]
_Asks = Annotated[bool, Meta(description="Whether an answer comes with how sure the student is")]
_Penalty = Annotated[str, Meta(pattern=FRACTION, max_length=42)] | Annotated[int, Meta(ge=0, le=1)]
_Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_RevisionIfKnown = Annotated[_Revision | None, Meta(description="The `revision` that was read; null: any will do")]
_TEMPLATE_ID = "tpl_01m7y0w5089re0wwbvvzgw20sq"
_PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
_TOPIC_ID = "top_01m7y0w5089re0wwbvvzgw20sg"


class TemplateScoringRequest(RequestBody):
    """How answers are marked. What is absent is the usual: right or not, and nothing is lost."""

    penalty: Annotated[_Penalty, Meta(description="What a wrong single choice costs, from 0 to 1")] = "0"
    guess_neutral: Annotated[bool, Meta(description="It costs what guessing wins on average, whatever `penalty`")] = (
        STANDARD.guess_neutral
    )
    multiple: MultiplePolicy = STANDARD.multiple
    none_allowed: Annotated[bool, Meta(description="With `every_decision`: to choose none is an answer")] = (
        STANDARD.none_allowed
    )
    ordering: OrderingPolicy = STANDARD.ordering

    example: ClassVar[Mapping[str, Any]] = {"penalty": "0.25", "multiple": "right_minus_wrong"}

    def policy(self) -> ScoringPolicy:
        return ScoringPolicy(
            penalty=Decimal(self.penalty),
            guess_neutral=self.guess_neutral,
            multiple=self.multiple,
            none_allowed=self.none_allowed,
            ordering=self.ordering,
        )


_Scoring = Annotated[TemplateScoringRequest | None, Meta(description="Null: as the exam package marks")]


class ChangeTemplateScoringRequest(RequestBody):
    """What is to change about how answers are marked; what is absent stays as it is.

    Of a template that marks as the exam package does, what is absent becomes the usual.
    """

    penalty: Annotated[_Penalty | UnsetType, Meta(description="What a wrong single choice costs, from 0 to 1")] = UNSET
    guess_neutral: bool | UnsetType = UNSET
    multiple: MultiplePolicy | UnsetType = UNSET
    none_allowed: bool | UnsetType = UNSET
    ordering: OrderingPolicy | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"penalty": "0.25"}

    def change(self) -> ScoringChange:
        named = _named(self, ScoringChange)
        if "penalty" in named:
            named["penalty"] = Decimal(named["penalty"])
        return ScoringChange(**named)


class CreateTemplateRequest(RequestBody):
    """A template to be written, for one package. Its filter names topics of the banks of that package."""

    exam_package_id: Id
    title: _Title
    description: _Description = ""
    topic_ids: Annotated[_Ids | None, Meta(description="Only questions of these topics; of any unless told")] = None
    difficulty_ids: Annotated[
        _Ids | None, Meta(description="Only questions of these difficulties; of any unless told")
    ] = None
    count: Annotated[_Count | None, Meta(description=f"How many questions; {DEFAULT_QUESTIONS} unless told")] = None
    source: Annotated[Source | None, Meta(description="Which of them; `all` unless told")] = None
    feedback: Annotated[FeedbackMode | None, Meta(description="`immediate` unless told")] = None
    certainty: Annotated[_Asks | None, Meta(description="It does not unless told")] = None
    time_limit_seconds: Annotated[_TimeLimit | None, Meta(description="Null: as long as one likes")] = None
    scoring: _Scoring = None

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": _PACKAGE_ID,
        "title": "Ten on routing",
        "topicIds": [_TOPIC_ID],
        "count": 10,
        "feedback": "immediate",
    }

    def content(self) -> TemplateContent:
        settings = TemplateSettings(
            topic_ids=tuple(self.topic_ids or ()),
            difficulty_ids=tuple(self.difficulty_ids or ()),
            count=DEFAULT_QUESTIONS if self.count is None else self.count,
            source=self.source or Source.ALL,
            feedback=self.feedback or FeedbackMode.IMMEDIATE,
            certainty=bool(self.certainty),
            time_limit_seconds=self.time_limit_seconds,
            scoring=None if self.scoring is None else self.scoring.policy(),
        )
        return TemplateContent(title=self.title, description=self.description, settings=settings)


class ChangeTemplateRequest(RequestBody):
    """What is to change about the draft; what is absent stays as it is. What is published stays in any case."""

    expected_revision: _RevisionIfKnown = None
    title: _Title | UnsetType = UNSET
    description: _Description | UnsetType = UNSET
    topic_ids: _Topics | UnsetType = UNSET
    difficulty_ids: _Levels | UnsetType = UNSET
    count: _Count | UnsetType = UNSET
    source: Source | UnsetType = UNSET
    feedback: FeedbackMode | UnsetType = UNSET
    certainty: _Asks | UnsetType = UNSET
    time_limit_seconds: Annotated[_TimeLimit | UnsetType | None, Meta(description="Null: as long as one likes")] = UNSET
    scoring: Annotated[
        ChangeTemplateScoringRequest | UnsetType | None, Meta(description="Null: as the package marks")
    ] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"count": 20, "expectedRevision": 3}

    def change(self) -> TemplateChange:
        named = _named(self, TemplateChange)
        for name in {"topic_ids", "difficulty_ids"} & named.keys():
            named[name] = tuple(named[name])
        if isinstance(self.scoring, ChangeTemplateScoringRequest):
            named["scoring"] = self.scoring.change()
        return TemplateChange(**named)


class TemplateStepRequest(RequestBody):
    """The revision that was read, where the step is to be taken from that one only."""

    expected_revision: _RevisionIfKnown = None

    example: ClassVar[Mapping[str, Any]] = {"expectedRevision": 3}


class TemplateScoringBody(MarkedBody):
    """How answers are marked."""

    penalty: Annotated[Decimal, Meta(description="What a wrong single choice costs, as a decimal string")]
    guess_neutral: bool
    multiple: MultiplePolicy
    none_allowed: bool
    ordering: OrderingPolicy

    example: ClassVar[Mapping[str, Any]] = {
        "penalty": "0.25",
        "guessNeutral": False,
        "multiple": "right_minus_wrong",
        "noneAllowed": False,
        "ordering": "exact",
    }


_ScoringTold = Annotated[TemplateScoringBody | None, Meta(description="Null: as the exam package marks")]
_SETTINGS_EXAMPLE: Mapping[str, Any] = {
    "title": "Ten on routing",
    "description": "",
    "topicIds": [_TOPIC_ID],
    "difficultyIds": [],
    "count": 10,
    "source": "all",
    "feedback": "immediate",
    "certainty": False,
    "timeLimitSeconds": None,
    "scoring": None,
}


class TemplateSaying(ResponseBody):
    """What a template says; a filter without values is no restriction."""

    title: str
    description: str
    topic_ids: list[str]
    difficulty_ids: list[str]
    count: Annotated[int, Meta(description="How many questions a session asks for")]
    source: Source
    feedback: FeedbackMode
    certainty: _Asks
    time_limit_seconds: Annotated[int | None, Meta(description="Null: as long as one likes")]
    scoring: _ScoringTold


class OfferedTemplateBody(TemplateSaying):
    """A template that is published: a session begun from it practises what it says."""

    id: str
    exam_package_id: str
    version: Annotated[int, Meta(description="Versions never change; another one is published instead")]
    published_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": _TEMPLATE_ID,
        "examPackageId": _PACKAGE_ID,
        **_SETTINGS_EXAMPLE,
        "version": 2,
        "publishedAt": "2026-03-02T09:00:00Z",
    }


class OfferedTemplatePage(PageBody):
    """A page of published templates."""

    items: list[OfferedTemplateBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [OfferedTemplateBody.example], "nextCursor": None}


class PublishedTemplateBody(TemplateSaying):
    """What students see of a template."""

    version: Annotated[int, Meta(description="Versions never change; another one is published instead")]
    published_at: When

    example: ClassVar[Mapping[str, Any]] = {
        **_SETTINGS_EXAMPLE,
        "version": 2,
        "publishedAt": "2026-03-02T09:00:00Z",
    }


class TemplateBody(TemplateSaying):
    """A template as its author writes it, and what students see of it."""

    id: str
    exam_package_id: str
    author_id: Annotated[str | None, Meta(description="Null: it belongs to the school")]
    revision: Annotated[int, Meta(description="Grows with every change; the ETag")]
    latest_version: Annotated[int, Meta(description="How often it was published with something new")]
    published_version: Annotated[int | None, Meta(description="What students see; null: nothing")]
    published_at: Annotated[When | None, Meta(description="Since when there is that version")]
    published: Annotated[PublishedTemplateBody | None, Meta(description="What that version says; null: nothing")]
    has_unpublished_changes: Annotated[bool, Meta(description="Whether publishing shows students something else")]
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": _TEMPLATE_ID,
        "examPackageId": _PACKAGE_ID,
        "authorId": "usr_01m7y0w5089re0wwbvvzgw20sh",
        **_SETTINGS_EXAMPLE,
        "revision": 3,
        "latestVersion": 2,
        "publishedVersion": 2,
        "publishedAt": "2026-03-02T09:00:00Z",
        "published": PublishedTemplateBody.example,
        "hasUnpublishedChanges": False,
        "createdAt": "2026-03-01T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z",
    }


class TemplatePage(PageBody):
    """A page of templates."""

    items: list[TemplateBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [TemplateBody.example], "nextCursor": None}


def template_body(view: TemplateView) -> TemplateBody:
    template, shown = view.template, view.published
    return TemplateBody(
        id=template.id,
        exam_package_id=template.exam_package_id,
        author_id=template.author_id,
        **_saying(template),
        revision=template.revision,
        latest_version=template.latest_version,
        published_version=template.published_version,
        published_at=None if shown is None else shown.published_at,
        published=None if shown is None else _published_body(shown),
        has_unpublished_changes=view.has_unpublished_changes,
        created_at=template.created_at,
        updated_at=template.updated_at,
    )


def _published_body(version: TemplateVersion) -> PublishedTemplateBody:
    return PublishedTemplateBody(**_saying(version), version=version.version, published_at=version.published_at)


def offered_template_body(version: TemplateVersion) -> OfferedTemplateBody:
    return OfferedTemplateBody(
        id=version.template_id,
        exam_package_id=version.exam_package_id,
        **_saying(version),
        version=version.version,
        published_at=version.published_at,
    )


def _named(body: RequestBody, change: type[ScoringChange | TemplateChange]) -> dict[str, Any]:
    """The parts of a change that were sent."""
    return {part.name: value for part in fields(change) if (value := getattr(body, part.name)) is not UNSET}


def _saying(said: PracticeTemplate | TemplateVersion) -> dict[str, Any]:
    settings = said.settings
    told: dict[str, Any] = {part.name: getattr(settings, part.name) for part in fields(settings)}
    scoring = settings.scoring and convert(settings.scoring, TemplateScoringBody, from_attributes=True)
    return told | {"title": said.title, "description": said.description, "scoring": scoring}
