"""Practice over HTTP: a session and its questions as they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

from msgspec import Meta, convert
from msgspec.structs import asdict

from application.practice.views import (
    AnswerView,
    OverseenPracticeView,
    OverseenSessionView,
    PracticeView,
    SessionView,
)
from domain.practice.judging import FeedbackMode
from domain.practice.plans import Source
from domain.practice.sessions import PracticeStatus
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.fields import MarkedBody, MaxMark, PageBody, ResponseBody, When
from entrypoints.http.practice.answers import CertaintyMark, PracticeFeedback, PracticeResponse

_Slot = Annotated[int, Meta(description="The place of the question in the session, from 1")]
CorrectCount = Annotated[int | None, Meta(description="How many answers are right; null while that is deferred")]
AnsweredCount = Annotated[int, Meta(description="How many questions are answered")]
SESSION_ID = "prs_01m7y0w5089re0wwbvvzgw20sk"
_QUESTION_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"


class PracticeSessionBody(ResponseBody):
    """A practice session. `correctCount` is null while a deferred session is not over."""

    id: str
    exam_package_id: str
    status: PracticeStatus
    feedback: FeedbackMode
    certainty: Annotated[bool, Meta(description="Whether each answer is asked how sure it is")]
    source: Annotated[Source, Meta(description="Which questions it was drawn from")]
    template_id: Annotated[str | None, Meta(description="The template it was begun from; null: none")]
    template_version: Annotated[int | None, Meta(description="The version of the template; null: none")]
    requested: Annotated[int, Meta(description="How many questions were asked for")]
    served: Annotated[int, Meta(description="How many questions there are; fewer where no more match")]
    answered_count: AnsweredCount
    correct_count: CorrectCount
    started_at: When
    deadline: Annotated[When | None, Meta(description="When it ends by itself; null without a time limit")]
    remaining_seconds: Annotated[
        int | None, Meta(description="Whole seconds to the deadline; null without one, and once it is over")
    ]
    paused_at: Annotated[When | None, Meta(description="Null unless it is paused")]
    finished_at: Annotated[When | None, Meta(description="Null until it is over")]
    invalidation_reason: Annotated[str | None, Meta(description="Why it was declared void; null unless it was")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "status": "active",
        "feedback": "immediate",
        "certainty": False,
        "source": "all",
        "templateId": None,
        "templateVersion": None,
        "requested": 10,
        "served": 10,
        "answeredCount": 0,
        "correctCount": 0,
        "startedAt": "2026-03-02T09:00:00Z",
        "deadline": "2026-03-02T09:15:00Z",
        "remainingSeconds": 900,
        "pausedAt": None,
        "finishedAt": None,
        "invalidationReason": None,
    }


class OverseenPracticeSession(PracticeSessionBody):
    """A practice session as an administrator sees it."""

    user_id: Annotated[str, Meta(description="Whose session it is")]

    example: ClassVar[Mapping[str, Any]] = {
        **PracticeSessionBody.example,
        "status": "invalidated",
        "finishedAt": "2026-03-02T09:10:00Z",
        "remainingSeconds": None,
        "invalidationReason": "The questions were published by mistake",
        "userId": "usr_01m7y0w5089re0wwbvvzgw20sa",
    }


class OverseenPracticeSlot(MarkedBody):
    """What became of one question, judged whether or not its student may know that yet."""

    slot: _Slot
    question_id: str
    version: Annotated[int, Meta(description="The version of the question that is asked")]
    answered_at: Annotated[When | None, Meta(description="Null while it is unanswered")]
    correct: Annotated[bool | None, Meta(description="Whether the answer is wholly right; null without one")]
    mark: Annotated[Decimal | None, Meta(description="Marks, as a decimal string; null without an answer")]
    max_mark: MaxMark
    certainty: Annotated[
        Certainty | None, Meta(description="How sure the student said to be; null without an answer or where not asked")
    ]
    certainty_mark: CertaintyMark
    time_spent_seconds: Annotated[
        int, Meta(description="How many seconds it took; of each wait for an answer at most 300 count")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "questionId": _QUESTION_ID,
        "version": 3,
        "answeredAt": "2026-03-02T09:00:24Z",
        "correct": True,
        "mark": "1",
        "maxMark": "1",
        "certainty": None,
        "certaintyMark": None,
        "timeSpentSeconds": 24,
    }


class OverseenPracticeSessionWithSlots(OverseenPracticeSession):
    """A practice session as an administrator sees it, with what became of each question."""

    slots: list[OverseenPracticeSlot]

    example: ClassVar[Mapping[str, Any]] = {
        **OverseenPracticeSession.example,
        "slots": [OverseenPracticeSlot.example],
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
    certainty: Annotated[
        Certainty | None, Meta(description="How sure the caller said to be; null without an answer or where not asked")
    ]
    answered_at: Annotated[When | None, Meta(description="Null while it is unanswered")]
    flagged: Annotated[bool, Meta(description="Whether the caller has flagged the question")]

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
        "certainty": None,
        "answeredAt": None,
        "flagged": False,
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
    answered_count: AnsweredCount
    correct_count: CorrectCount
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


def session_body(view: SessionView) -> PracticeSessionBody:
    return convert(view, PracticeSessionBody, from_attributes=True)


def overseen_body(view: OverseenSessionView) -> OverseenPracticeSession:
    return convert(flat(view.session, view), OverseenPracticeSession, from_attributes=True)


def overseen_slots_body(view: OverseenPracticeView) -> OverseenPracticeSessionWithSlots:
    return convert(flat(view.session, view), OverseenPracticeSessionWithSlots, from_attributes=True)


def practice_body(view: PracticeView) -> PracticeSessionWithQuestions:
    session = asdict(session_body(view.session))
    return PracticeSessionWithQuestions(**session, questions=_questions(view))


def questions_body(view: PracticeView) -> PracticeQuestionList:
    return PracticeQuestionList(items=_questions(view))


def answer_body(view: AnswerView) -> PracticeAnswer:
    return convert(view, PracticeAnswer, from_attributes=True)


def _questions(view: PracticeView) -> list[PracticeQuestion]:
    return convert(view.questions, list[PracticeQuestion], from_attributes=True)


def flat(*views: Any) -> SimpleNamespace:
    """Several views as one, for a body that does not nest them."""
    return SimpleNamespace(**{field.name: getattr(view, field.name) for view in views for field in fields(view)})
