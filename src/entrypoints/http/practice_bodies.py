"""Practice over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal

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
from entrypoints.http.fields import Id, MarkedBody, MaxMark, PageBody, RequestBody, ResponseBody, When
from entrypoints.http.practice_answers import (
    AcceptedTexts,
    CorrectChoices,
    CorrectOrder,
    CorrectPairs,
    CorrectValues,
    PracticeExplanation,
    PracticeFeedback,
    PracticeResponse,
)
from entrypoints.http.refusals import invalid

_Ids = Annotated[list[Id], Meta(max_length=MAX_FILTER_VALUES)]
_Count = Annotated[int, Meta(ge=1, le=MAX_QUESTIONS)]
_TimeLimit = Annotated[int, Meta(ge=1, le=MAX_TIME_LIMIT_SECONDS)]
_Slot = Annotated[int, Meta(description="The place of the question in the session, from 1")]
_Correct = Annotated[int | None, Meta(description="How many answers are right; null while that is deferred")]
_MarkIfKnown = Annotated[Decimal | None, Meta(description="Marks, as a decimal string; null while that is deferred")]
_Percent = Annotated[Decimal | None, Meta(description="`mark` in percent of `maxMark`; null while there is none")]
_Served = Annotated[int, Meta(description="How many questions there are")]
_Answered = Annotated[int, Meta(description="How many questions are answered")]
_SESSION_ID = "prs_01m7y0w5089re0wwbvvzgw20sk"
_QUESTION_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"


class CreatePracticeRequest(RequestBody):
    """A package, and which of its questions; an empty or absent filter is no restriction."""

    exam_package_id: Id
    count: Annotated[_Count | None, Meta(description=f"How many questions; {DEFAULT_QUESTIONS} unless told")] = None
    topic_ids: Annotated[_Ids | None, Meta(description="Only questions of these topics")] = None
    difficulty_ids: Annotated[_Ids | None, Meta(description="Only questions of these difficulties")] = None
    source: Annotated[Literal["all"] | None, Meta(description="Which questions are drawn from: all, as yet")] = None
    feedback: Annotated[FeedbackMode | None, Meta(description="`immediate` unless told")] = None
    certainty: Annotated[bool | None, Meta(description="Not offered: true is refused")] = None
    time_limit_seconds: Annotated[
        _TimeLimit | None, Meta(description="After how many seconds the session ends by itself; null: it does not")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "count": 10,
        "feedback": "immediate",
        "timeLimitSeconds": 900,
    }

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


class PracticeSessionBody(ResponseBody):
    """A practice session. `correctCount` is null while a deferred session is not over."""

    id: str
    exam_package_id: str
    status: PracticeStatus
    feedback: FeedbackMode
    requested: Annotated[int, Meta(description="How many questions were asked for")]
    served: Annotated[int, Meta(description="How many questions there are; fewer where no more match")]
    answered_count: _Answered
    correct_count: _Correct
    started_at: When
    deadline: Annotated[When | None, Meta(description="When it ends by itself; null without a time limit")]
    remaining_seconds: Annotated[
        int | None, Meta(description="Whole seconds to the deadline; null without one, and once it is over")
    ]
    paused_at: Annotated[When | None, Meta(description="Null unless it is paused")]
    finished_at: Annotated[When | None, Meta(description="Null until it is over")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": _SESSION_ID,
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "status": "active",
        "feedback": "immediate",
        "requested": 10,
        "served": 10,
        "answeredCount": 0,
        "correctCount": 0,
        "startedAt": "2026-03-02T09:00:00Z",
        "deadline": "2026-03-02T09:15:00Z",
        "remainingSeconds": 900,
        "pausedAt": None,
        "finishedAt": None,
    }


class PracticeChoice(ResponseBody):
    """An option of a question."""

    id: str
    text: str
    format: TextFormat


class PracticeQuestion(MarkedBody):
    """A question as it is asked: no key, no explanation."""

    slot: _Slot
    question_id: str
    kind: QuestionKind
    stem: Annotated[str, Meta(description="The text of the question")]
    stem_format: TextFormat
    choices: Annotated[list[PracticeChoice], Meta(description="In the order of this session; their ids are its own")]
    prompts: Annotated[list[PracticeChoice], Meta(description="What options are matched to; none of other kinds")]
    max_mark: MaxMark
    response: Annotated[PracticeResponse | None, Meta(description="The caller's own answer; null without one")]
    answered_at: Annotated[When | None, Meta(description="Null while it is unanswered")]

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "questionId": _QUESTION_ID,
        "kind": "single",
        "stem": "Which address is private?",
        "stemFormat": "plain",
        "choices": [
            {"id": "B", "text": "10.1.2.3", "format": "plain"},
            {"id": "A", "text": "8.8.8.8", "format": "plain"},
        ],
        "prompts": [],
        "maxMark": "1",
        "response": None,
        "answeredAt": None,
    }


class PracticeSessionWithQuestions(PracticeSessionBody):
    """A practice session with its questions."""

    questions: list[PracticeQuestion]

    example: ClassVar[Mapping[str, Any]] = {**PracticeSessionBody.example, "questions": [PracticeQuestion.example]}


class PracticeSessionPage(PageBody):
    """A page of practice sessions."""

    items: list[PracticeSessionBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [PracticeSessionBody.example], "nextCursor": None}


class PracticeQuestionList(ResponseBody):
    """The questions of a practice session, in its order."""

    items: list[PracticeQuestion]

    example: ClassVar[Mapping[str, Any]] = {"items": [PracticeQuestion.example]}


class PracticeAnswer(ResponseBody):
    """What became of an answer; `feedback` and `correctCount` are null where they are deferred."""

    slot: _Slot
    question_id: str
    answered_count: _Answered
    correct_count: _Correct
    status: PracticeStatus
    feedback: Annotated[PracticeFeedback | None, Meta(description="Null where it is deferred")]

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "questionId": _QUESTION_ID,
        "answeredCount": 1,
        "correctCount": 1,
        "status": "active",
        "feedback": PracticeFeedback.example,
    }


class PracticeReviewItem(PracticeQuestion):
    """A question after the fact; without an answer `correct` and `mark` are null."""

    correct: Annotated[bool | None, Meta(description="Whether the answer is wholly right; null without one")]
    mark: Annotated[Decimal | None, Meta(description="Marks, as a decimal string; null without an answer")]
    time_spent_seconds: Annotated[int, Meta(description="How many seconds the answer took, 300 at most")]
    correct_choice_ids: CorrectChoices
    correct_order: CorrectOrder
    correct_pairs: CorrectPairs
    correct_values: CorrectValues
    accepted_texts: AcceptedTexts
    explanations: list[PracticeExplanation]


class PracticeReview(ResponseBody):
    """The questions that may be reviewed now, with keys and explanations."""

    items: list[PracticeReviewItem]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                **PracticeQuestion.example,
                **PracticeFeedback.example,
                "response": PracticeResponse.example,
                "answeredAt": "2026-03-02T09:00:24Z",
                "timeSpentSeconds": 24,
            }
        ]
    }


class PracticeTopicSummary(MarkedBody):
    """What a session says about one topic."""

    topic_id: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    name: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    served: _Served
    answered: _Answered
    correct: _Correct
    mark: _MarkIfKnown
    max_mark: MaxMark
    percent: _Percent


class PracticeSummary(MarkedBody):
    """A session in numbers. Marks are over the answered questions; a skipped one does not count.

    `correct`, `mark` and `percent` are null while a deferred session is not over.
    """

    id: str
    status: PracticeStatus
    served: _Served
    answered: _Answered
    correct: _Correct
    mark: _MarkIfKnown
    max_mark: MaxMark
    percent: _Percent
    time_spent_seconds: Annotated[int, Meta(description="How many seconds the answers took, 300 at most for each")]
    topics: list[PracticeTopicSummary]

    example: ClassVar[Mapping[str, Any]] = {
        "id": _SESSION_ID,
        "status": "finished",
        "served": 10,
        "answered": 8,
        "correct": 6,
        "mark": "6",
        "maxMark": "8",
        "percent": "75",
        "timeSpentSeconds": 312,
        "topics": [
            {
                "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
                "name": "Addressing",
                "served": 10,
                "answered": 8,
                "correct": 6,
                "mark": "6",
                "maxMark": "8",
                "percent": "75",
            }
        ],
    }


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
