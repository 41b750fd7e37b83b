"""Practice over HTTP: what a student sends to begin, and an administrator to declare void."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from domain.practice.judging import FeedbackMode
from domain.practice.plans import (
    DEFAULT_QUESTIONS,
    MAX_FILTER_VALUES,
    MAX_QUESTIONS,
    MAX_TIME_LIMIT_SECONDS,
    FromTemplate,
    PracticePlan,
    Source,
)
from entrypoints.http.fields import Id, RequestBody
from entrypoints.http.refusals import invalid

_Ids = Annotated[list[Id], Meta(max_length=MAX_FILTER_VALUES)]
_Count = Annotated[int, Meta(ge=1, le=MAX_QUESTIONS)]
_TimeLimit = Annotated[int, Meta(ge=1, le=MAX_TIME_LIMIT_SECONDS)]
# What a template says, and who begins from one does not.
_OF_PLANS: Mapping[str, str] = {
    "count": "count",
    "topic_ids": "topicIds",
    "difficulty_ids": "difficultyIds",
    "source": "source",
    "feedback": "feedback",
    "certainty": "certainty",
    "time_limit_seconds": "timeLimitSeconds",
}


class CreatePracticeRequest(RequestBody):
    """A template; or a package, and which of its questions: an empty or absent filter is no restriction."""

    template_id: Annotated[
        Id | None, Meta(description="A published template, which says all the rest but the package")
    ] = None
    exam_package_id: Annotated[Id | None, Meta(description="Needed without a template; with one it has to agree")] = (
        None
    )
    count: Annotated[_Count | None, Meta(description=f"How many questions; {DEFAULT_QUESTIONS} unless told")] = None
    topic_ids: Annotated[_Ids | None, Meta(description="Only questions of these topics")] = None
    difficulty_ids: Annotated[_Ids | None, Meta(description="Only questions of these difficulties")] = None
    source: Annotated[
        Source | None,
        Meta(
            description="`all` unless told; `unseen`: never answered; `incorrect`: last answered wrongly; `flagged`;"
            " `weak`: of weak topics; `due` for review, the most overdue first"
        ),
    ] = None
    feedback: Annotated[FeedbackMode | None, Meta(description="`immediate` unless told")] = None
    certainty: Annotated[
        bool | None, Meta(description="Whether each answer is asked how sure it is; not unless told")
    ] = None
    time_limit_seconds: Annotated[
        _TimeLimit | None, Meta(description="After how many seconds the session ends by itself; null: it does not")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "count": 10,
        "feedback": "immediate",
        "timeLimitSeconds": 900,
    }

    def wish(self) -> PracticePlan | FromTemplate:
        """What is asked for: what a template says, or what is said here, but no mixture of both."""
        if self.template_id is not None:
            return self._from_template(self.template_id)
        if self.exam_package_id is None:
            raise invalid("/examPackageId", "required", "Name an exam package or a practice template")
        return PracticePlan(
            exam_package_id=self.exam_package_id,
            count=DEFAULT_QUESTIONS if self.count is None else self.count,
            topic_ids=tuple(self.topic_ids or ()),
            difficulty_ids=tuple(self.difficulty_ids or ()),
            source=self.source or Source.ALL,
            feedback=self.feedback or FeedbackMode.IMMEDIATE,
            certainty=self.certainty is True,
            time_limit_seconds=self.time_limit_seconds,
        )

    def _from_template(self, template_id: str) -> FromTemplate:
        mixed = next((sent for name, sent in _OF_PLANS.items() if getattr(self, name) is not None), None)
        if mixed is not None:
            raise invalid(f"/{mixed}", "ambiguous", f"The template says it: leave out templateId or {mixed}")
        return FromTemplate(template_id=template_id, exam_package_id=self.exam_package_id)


class InvalidatePracticeRequest(RequestBody):
    """Why a session is declared void; the first reason stands."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=500, pattern="\\S", description="For the audit log and for the student")
    ]

    example: ClassVar[Mapping[str, Any]] = {"reason": "The questions were published by mistake"}
