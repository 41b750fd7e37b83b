"""Practice over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from msgspec import Meta, convert

from application.practice.views import (
    AnswerView,
    PracticeView,
    ReviewItem,
    SessionView,
    SummaryView,
)
from domain.practice.plans import (
    DEFAULT_QUESTIONS,
    MAX_FILTER_VALUES,
    MAX_QUESTIONS,
    MAX_TIME_LIMIT_SECONDS,
    PracticePlan,
)
from domain.practice.sessions import FeedbackMode, PracticeStatus
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import Response
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody
from entrypoints.http.refusals import invalid

_Ids = Annotated[list[Id], Meta(max_length=MAX_FILTER_VALUES)]


class CreatePracticeRequest(RequestBody):
    """A package, and which of its questions; an empty or absent filter is no restriction."""

    exam_package_id: Id
    count: Annotated[int, Meta(ge=1, le=MAX_QUESTIONS)] | None = None
    topic_ids: _Ids | None = None
    difficulty_ids: _Ids | None = None
    source: Literal["all"] | None = None
    feedback: FeedbackMode | None = None
    certainty: bool | None = None
    time_limit_seconds: Annotated[int, Meta(ge=1, le=MAX_TIME_LIMIT_SECONDS)] | None = None

    def plan(self) -> PracticePlan:
        """What is asked for. Refuses what the platform does not offer rather than leave it out in silence."""
        if self.certainty:
            raise invalid("/certainty", "not_supported", "Practice does not ask for certainty")
        return PracticePlan(
            exam_package_id=self.exam_package_id,
            count=DEFAULT_QUESTIONS if self.count is None else self.count,
            topic_ids=tuple(self.topic_ids or ()),
            difficulty_ids=tuple(self.difficulty_ids or ()),
            feedback=self.feedback or FeedbackMode.IMMEDIATE,
            time_limit_seconds=self.time_limit_seconds,
        )


class AnswerQuestionRequest(RequestBody):
    """The question by slot or id, and the chosen options; `choiceId` is short for one of them."""

    slot: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    question_id: Id | None = None
    choice_ids: Annotated[list[Id], Meta(max_length=100)] | None = None
    choice_id: Id | None = None

    def response(self) -> Response:
        if self.choice_id is not None and self.choice_ids is not None:
            raise invalid("/choiceId", "ambiguous", "Send choiceIds or choiceId, not both")
        return Response.choosing([self.choice_id] if self.choice_id is not None else self.choice_ids or [])


class MarkedBody(ResponseBody):
    """A body with marks, written as short as they can be: `0.75`, not `0.750000`."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                setattr(self, name, Decimal(format(value.normalize(), "f")))


class PracticeSessionBody(ResponseBody):
    """A practice session. `correctCount` is null while a deferred session is not over."""

    id: str
    exam_package_id: str
    status: PracticeStatus
    feedback: FeedbackMode
    requested: int
    served: int
    answered_count: int
    correct_count: int | None
    started_at: datetime
    deadline: datetime | None
    remaining_seconds: int | None
    paused_at: datetime | None
    finished_at: datetime | None


class PracticeChoice(ResponseBody):
    id: str
    text: str
    format: TextFormat


class PracticeResponse(ResponseBody):
    choice_ids: list[str]


class PracticeQuestion(MarkedBody):
    """A question as it is asked: no key, no explanation."""

    slot: int
    question_id: str
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: list[PracticeChoice]
    max_mark: Decimal
    response: PracticeResponse | None
    answered_at: datetime | None


class PracticeSessionWithQuestions(PracticeSessionBody):
    questions: list[PracticeQuestion]


class PracticeSessionPage(PageBody):
    items: list[PracticeSessionBody]


class PracticeQuestionList(ResponseBody):
    items: list[PracticeQuestion]


class PracticeExplanation(ResponseBody):
    """Why an option is right or wrong; without `choiceId` about the question as a whole."""

    choice_id: str | None
    text: str
    format: TextFormat


class PracticeFeedback(MarkedBody):
    correct: bool
    mark: Decimal
    max_mark: Decimal
    correct_choice_ids: list[str]
    explanations: list[PracticeExplanation]


class PracticeAnswer(ResponseBody):
    """What became of an answer; `feedback` and `correctCount` are null where they are deferred."""

    slot: int
    question_id: str
    answered_count: int
    correct_count: int | None
    status: PracticeStatus
    feedback: PracticeFeedback | None


class PracticeReviewItem(PracticeQuestion):
    """A question after the fact; without an answer `correct` and `mark` are null."""

    correct: bool | None
    mark: Decimal | None
    time_spent_seconds: int
    correct_choice_ids: list[str]
    explanations: list[PracticeExplanation]


class PracticeReview(ResponseBody):
    items: list[PracticeReviewItem]


class PracticeTopicSummary(MarkedBody):
    topic_id: str | None
    name: str | None
    served: int
    answered: int
    correct: int | None
    mark: Decimal | None
    max_mark: Decimal
    percent: Decimal | None


class PracticeSummary(MarkedBody):
    """A session in numbers. Marks are over the answered questions; a skipped one does not count.

    `correct`, `mark` and `percent` are null while a deferred session is not over.
    """

    id: str
    status: PracticeStatus
    served: int
    answered: int
    correct: int | None
    mark: Decimal | None
    max_mark: Decimal
    percent: Decimal | None
    time_spent_seconds: int
    topics: list[PracticeTopicSummary]


def session_body(view: SessionView) -> PracticeSessionBody:
    return convert(view, PracticeSessionBody, from_attributes=True)


def practice_body(view: PracticeView) -> PracticeSessionWithQuestions:
    return convert(_flat(view.session, view), PracticeSessionWithQuestions, from_attributes=True)


def questions_body(view: PracticeView) -> PracticeQuestionList:
    return PracticeQuestionList(items=convert(view.questions, list[PracticeQuestion], from_attributes=True))


def answer_body(view: AnswerView) -> PracticeAnswer:
    return convert(view, PracticeAnswer, from_attributes=True)


def review_body(items: Iterable[ReviewItem]) -> PracticeReview:
    flat = [_flat(item.question, item, item.revelation) for item in items]
    return PracticeReview(items=convert(flat, list[PracticeReviewItem], from_attributes=True))


def summary_body(view: SummaryView) -> PracticeSummary:
    topics = [_flat(topic, topic.tally) for topic in view.summary.topics]
    whole = _flat(view.session, view.summary, view.summary.overall)
    whole.topics = topics
    return convert(whole, PracticeSummary, from_attributes=True)


def _flat(*views: Any) -> SimpleNamespace:
    """Several views as one, for a body that does not nest them."""
    return SimpleNamespace(**{field.name: getattr(view, field.name) for view in views for field in fields(view)})
