"""Exams over HTTP: what they came to, as their students see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

from msgspec import Meta, convert

from application.exam.history import LATEST_ATTEMPTS, PackageResults
from application.exam.results import ExamResult, ReviewedSlot
from domain.enrollment.settings import OfficialResult, ReviewRule
from domain.exam.results import Official, Score, TopicScore
from domain.exam.sessions import ExamSession, ExamStatus
from domain.exam.voiding import VoidMode
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.exam.bodies import SESSION_ID, ExamChoice, ExamPaperSlot, ExamTotals
from entrypoints.http.fields import Mark, MarkedBody, MaxMark, PageBody, ResponseBody, When
from entrypoints.http.responses import ShownResponse

_PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
_Percent = Annotated[
    Decimal, Meta(description="0 to 100, as a decimal string, two places; rounded after it was judged")
]
_FROM = "Under `after_window`, when the window closes, or later if anybody still sits then; else null"
_Passed = Annotated[bool, Meta(description="Whether the pass mark was reached, compared without rounding")]
_CertaintyMark = Annotated[
    Decimal | None, Meta(description="Marks by certainty, as a decimal string; null where it is not asked for")
]
_ScoreIfAny = Annotated[ExamTotals | None, Meta(description="Null unless it is finished")]


class ExamTopicResult(MarkedBody):
    """What the questions of one topic earned. One that was dropped is not among them."""

    topic_id: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    name: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    questions: Annotated[int, Meta(description="How many questions there are")]
    answered: Annotated[int, Meta(description="How many of them were answered")]
    mark: Annotated[Decimal, Meta(description="Marks, as a decimal string, never below zero")]
    max_mark: MaxMark
    percent: _Percent

    example: ClassVar[Mapping[str, Any]] = {
        "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
        "name": "Addressing",
        "questions": 12,
        "answered": 11,
        "mark": "9",
        "maxMark": "12",
        "percent": "75",
    }


class OfficialExamResult(MarkedBody):
    """What counts of all attempts, by the rule of the package."""

    rule: OfficialResult
    percent: _Percent
    passed: _Passed
    session_id: Annotated[str | None, Meta(description="The attempt that counts; null where it is an average")]
    attempts: Annotated[int, Meta(description="How many finished attempts there are")]

    example: ClassVar[Mapping[str, Any]] = {
        "rule": "highest",
        "percent": "77",
        "passed": True,
        "sessionId": SESSION_ID,
        "attempts": 2,
    }


class ExamExplanation(ResponseBody):
    """Why an option is right or wrong; without `choiceId` about the question as a whole."""

    choice_id: Annotated[str | None, Meta(description="The option; null: the question as a whole")]
    text: str
    format: TextFormat


class ExamValue(MarkedBody):
    """A right value of a numeric question: right is what is no farther off than either tolerance allows."""

    answer: Annotated[Decimal, Meta(description="The value, as a decimal string")]
    tol_abs: Annotated[Decimal, Meta(description="How far off an answer may be, as a decimal string")]
    tol_rel: Annotated[Decimal, Meta(description="The same as a fraction of the value, as a decimal string")]
    fraction: Annotated[Decimal, Meta(description="The fraction of the full mark that it earns, 0 to 1")]


class ExamReviewItem(MarkedBody):
    """A question after the fact. What is right is told in the field of the question's kind."""

    slot: Annotated[int, Meta(description="The place of the question in the paper, from 1")]
    question_id: str
    kind: QuestionKind
    stem: Annotated[str, Meta(description="The text of the question")]
    stem_format: TextFormat
    choices: Annotated[list[ExamChoice], Meta(description="In the order of the paper; their ids are its own")]
    prompts: list[ExamChoice]
    response: Annotated[ShownResponse | None, Meta(description="The own answer; null without one")]
    certainty: Annotated[
        Certainty | None,
        Meta(description="How sure the student was; null without an answer, and where it is not asked for"),
    ]
    answered_at: Annotated[
        When | None, Meta(description="When the answer was last changed or taken back; null if there never was one")
    ]
    flagged: bool
    correct: Annotated[
        bool | None, Meta(description="Whether the answer is wholly right; null without one, and where it is void")
    ]
    mark: Mark
    max_mark: Annotated[Decimal, Meta(description="As a decimal string; 0 of a question that was dropped")]
    certainty_mark: _CertaintyMark
    void: Annotated[
        VoidMode | None, Meta(description="The question was declared void: dropped, credited, or more is accepted")
    ]
    correct_choice_ids: Annotated[list[str], Meta(description="The right options, where options are chosen or matched")]
    correct_order: Annotated[list[str], Meta(description="The options in their right order; empty of other kinds")]
    correct_pairs: Annotated[dict[str, str], Meta(description="The right option of each prompt; empty of other kinds")]
    correct_values: Annotated[list[ExamValue], Meta(description="The first that is met counts; empty of other kinds")]
    accepted_texts: Annotated[list[str], Meta(description="The accepted short answers; empty of other kinds")]
    explanations: list[ExamExplanation]

    example: ClassVar[Mapping[str, Any]] = {
        **{name: ExamPaperSlot.example[name] for name in ("slot", "questionId", "kind", "stem", "stemFormat")},
        **{name: ExamPaperSlot.example[name] for name in ("choices", "prompts", "certainty", "flagged")},
        "response": ShownResponse.example,
        "answeredAt": "2026-03-02T09:12:24Z",
        "correct": True,
        "mark": "1",
        "maxMark": "1",
        "certaintyMark": None,
        "void": None,
        "correctChoiceIds": ["B"],
        "correctOrder": [],
        "correctPairs": {},
        "correctValues": [],
        "acceptedTexts": [],
        "explanations": [{"choiceId": "B", "text": "10.0.0.0/8 is private (RFC 1918).", "format": "plain"}],
    }


class ExamResultBody(MarkedBody):
    """What a finished exam came to, by its latest grade."""

    id: str
    exam_package_id: str
    status: ExamStatus
    attempt_no: Annotated[int, Meta(description="Which attempt of the student in this package it is, from 1")]
    started_at: Annotated[When | None, Meta(description="When it began; null if it never did")]
    submitted_at: Annotated[When, Meta(description="When it ended, whatever ended it")]
    late: Annotated[bool, Meta(description="Whether it was handed in after the deadline")]
    graded_at: Annotated[When, Meta(description="When the latest grade was made")]
    revision: Annotated[int, Meta(description="Which grade it is, from 1: more than 1 if it was graded again")]
    mark: Mark
    max_mark: MaxMark
    percent: _Percent
    passed: _Passed
    certainty_mark: _CertaintyMark
    topics: Annotated[list[ExamTopicResult], Meta(description="In the order of the paper")]
    official: OfficialExamResult
    review_rule: Annotated[ReviewRule, Meta(description="When it may be seen question by question")]
    reviewable_from: Annotated[When | None, Meta(description=_FROM)]
    questions: Annotated[
        list[ExamReviewItem] | None, Meta(description="Question by question; null while the rule does not allow it")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "examPackageId": _PACKAGE_ID,
        "status": "finished",
        "attemptNo": 1,
        "startedAt": "2026-03-02T09:00:00Z",
        "submittedAt": "2026-03-02T10:12:00Z",
        "late": False,
        "gradedAt": "2026-03-02T10:12:00Z",
        "revision": 1,
        **ExamTotals.example,
        "certaintyMark": None,
        "topics": [ExamTopicResult.example],
        "official": OfficialExamResult.example,
        "reviewRule": "after_release",
        "reviewableFrom": None,
        "questions": [ExamReviewItem.example],
    }


class ExamAttempt(ResponseBody):
    """An exam session with what it came to."""

    id: str
    attempt_no: Annotated[int, Meta(description="From 1")]
    status: ExamStatus
    started_at: Annotated[When | None, Meta(description="When it began; null if it never did")]
    submitted_at: Annotated[When | None, Meta(description="When it ended; null while it is live")]
    late: bool
    result: _ScoreIfAny

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "attemptNo": 1,
        "status": "finished",
        "startedAt": "2026-03-02T09:00:00Z",
        "submittedAt": "2026-03-02T10:12:00Z",
        "late": False,
        "result": ExamTotals.example,
    }


class ExamPackageHistory(ResponseBody):
    """The exams of the caller in one package."""

    exam_package_id: str
    title: str
    official: Annotated[OfficialExamResult | None, Meta(description="Null as long as no attempt is finished")]
    attempt_count: Annotated[int, Meta(description="How many attempts there are in all, whatever became of them")]
    attempts: Annotated[list[ExamAttempt], Meta(description=f"The latest {LATEST_ATTEMPTS}, the newest first")]

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": _PACKAGE_ID,
        "title": "Network fundamentals",
        "official": OfficialExamResult.example,
        "attemptCount": 1,
        "attempts": [ExamAttempt.example],
    }


class ExamHistoryPage(PageBody):
    """A page of packages with the caller's exams in them."""

    items: list[ExamPackageHistory]

    example: ClassVar[Mapping[str, Any]] = {"items": [ExamPackageHistory.example], "nextCursor": None}


def totals(score: Score) -> ExamTotals:
    return ExamTotals(mark=score.mark, max_mark=score.max_mark, percent=score.percent, passed=score.passed)


def result_body(result: ExamResult) -> ExamResultBody:
    session = result.session
    return ExamResultBody(
        id=session.id,
        exam_package_id=session.exam_package_id,
        status=session.status,
        attempt_no=session.attempt_no,
        started_at=session.started_at,
        submitted_at=_told(session.sealed_at),
        late=session.late,
        graded_at=_told(session.graded_at),
        revision=session.grade_revision,
        mark=result.score.mark,
        max_mark=result.score.max_mark,
        percent=result.score.percent,
        passed=result.score.passed,
        certainty_mark=session.certainty_mark,
        topics=[_topic(topic) for topic in result.topics],
        official=_official(result.official),
        review_rule=result.review_rule,
        reviewable_from=result.reviewable_from,
        questions=None if result.review is None else [_item(slot) for slot in result.review],
    )


def history_body(results: PackageResults) -> ExamPackageHistory:
    return ExamPackageHistory(
        exam_package_id=results.exam_package_id,
        title=results.title,
        official=None if results.official is None else _official(results.official),
        attempt_count=results.sessions,
        attempts=[_attempt(session) for session in results.latest],
    )


def _attempt(session: ExamSession) -> ExamAttempt:
    score = Score.of(session)
    return ExamAttempt(
        id=session.id,
        attempt_no=session.attempt_no,
        status=session.status,
        started_at=session.started_at,
        submitted_at=session.sealed_at,
        late=session.late,
        result=None if score is None else totals(score),
    )


def _topic(topic: TopicScore) -> ExamTopicResult:
    return convert(topic, ExamTopicResult, from_attributes=True)


def _official(official: Official) -> OfficialExamResult:
    return convert(official, OfficialExamResult, from_attributes=True)


def _item(slot: ReviewedSlot) -> ExamReviewItem:
    views = (slot, slot.revelation)
    told = SimpleNamespace(**{field.name: getattr(view, field.name) for view in views for field in fields(view)})
    return convert(told, ExamReviewItem, from_attributes=True)


def _told(instant: datetime | None) -> datetime:
    """A finished session has ended and was graded."""
    assert instant is not None
    return instant
