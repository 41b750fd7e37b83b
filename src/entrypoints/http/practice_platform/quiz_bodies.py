"""What is handed in at this door, and what a quiz came to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from application.practice.views import PackageScore, SessionView, SummaryView
from application.progress.profile_views import BadgesView
from domain.practice.results import TopicTally
from entrypoints.http.fields import Id, When
from entrypoints.http.practice_platform.badges import AchievementUnlocked, unlocked_by
from entrypoints.http.practice_platform.fields import (
    QUESTION_ID,
    SESSION_ID,
    ExamType,
    Letters,
    Percent,
    PlatformBody,
    PlatformRequest,
    percent,
    share_of,
)
from entrypoints.http.practice_platform.question_bodies import NO_DOMAIN
from entrypoints.http.refusals import invalid

_Seconds = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_TAKEN = "Seconds from when the questions were dealt to the end, by the server's clock; null: it is not over"


class QuizAnswer(PlatformRequest):
    """What was answered to a question. Whether that is right, the server says."""

    question_id: Id
    user_answer: Letters
    time_spent_seconds: Annotated[_Seconds | None, Meta(description="Not looked at: the server measures")] = None


class QuizSubmission(PlatformRequest):
    """A quiz with all its answers. A question that is left out stays unanswered, which is not right."""

    exam_type: ExamType
    total_questions: Annotated[int, Meta(ge=1, le=200, description="How many answers there are")]
    answers: Annotated[list[QuizAnswer], Meta(min_length=1, max_length=200)]
    time_taken_seconds: Annotated[_Seconds | None, Meta(description="Not looked at: the server measures")] = None
    quiz_id: Annotated[
        Id | None, Meta(description="Which quiz; without it the latest one that asks all these questions")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {
        "exam_type": "security",
        "total_questions": 1,
        "answers": [{"question_id": QUESTION_ID, "user_answer": "B", "time_spent_seconds": 45}],
        "time_taken_seconds": 60,
        "quiz_id": SESSION_ID,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.answers) != self.total_questions:
            raise ValueError(f"Number of answers ({len(self.answers)}) must match field `total_questions`")

    def by_question(self) -> dict[str, str]:
        """The letters by the id of their question. Refuses two answers to one."""
        found = {answer.question_id: answer.user_answer for answer in self.answers}
        if len(found) < len(self.answers):
            raise invalid("/answers", "ambiguous", "Each question is answered once")
        return found


class QuizResult(PlatformBody):
    """What a quiz came to."""

    quiz_attempt_id: str
    score: Annotated[int, Meta(description="How many questions were answered rightly")]
    total_questions: Annotated[int, Meta(description="How many questions the quiz has, unanswered ones included")]
    score_percentage: Percent
    achievements_unlocked: list[AchievementUnlocked]

    example: ClassVar[Mapping[str, Any]] = {
        "quiz_attempt_id": SESSION_ID,
        "score": 24,
        "total_questions": 30,
        "score_percentage": 80.0,
        "achievements_unlocked": [AchievementUnlocked.example],
    }

    @classmethod
    def of(cls, session: SessionView, badges: BadgesView) -> QuizResult:
        return cls(
            quiz_attempt_id=session.id,
            score=session.correct_count or 0,
            total_questions=session.served,
            score_percentage=share_of(session.correct_count or 0, session.served),
            achievements_unlocked=unlocked_by(badges.earned, session.id),
        )


class QuizAttempt(PlatformBody):
    """A quiz or a round of study that is over."""

    id: str
    exam_type: str
    mode: Annotated[str, Meta(description="`quiz`: judged at the end; `study`: answer by answer")]
    total_questions: Annotated[int, Meta(description="How many questions it has")]
    correct_answers: Annotated[int, Meta(description="How many of them were answered rightly")]
    score_percentage: Percent
    time_taken_seconds: Annotated[int | None, Meta(description=_TAKEN)]
    completed_at: Annotated[When | None, Meta(description="Null: it is not over")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "exam_type": "security",
        "mode": "quiz",
        "total_questions": 30,
        "correct_answers": 24,
        "score_percentage": 80.0,
        "time_taken_seconds": 1800,
        "completed_at": "2026-03-11T09:40:00Z",
    }

    @classmethod
    def of(cls, session: SessionView, slugs: Mapping[str, str]) -> QuizAttempt:
        return cls(
            id=session.id,
            exam_type=slugs.get(session.exam_package_id, session.exam_package_id),
            mode="study" if session.feedback == "immediate" else "quiz",
            total_questions=session.served,
            correct_answers=session.correct_count or 0,
            score_percentage=share_of(session.correct_count or 0, session.served),
            time_taken_seconds=seconds_taken(session),
            completed_at=session.finished_at,
        )


class QuizHistory(PlatformBody):
    """Attempts, the one that ended last first."""

    total_attempts: Annotated[int, Meta(description="How many there are in all")]
    attempts: list[QuizAttempt]

    example: ClassVar[Mapping[str, Any]] = {"total_attempts": 1, "attempts": [QuizAttempt.example]}


class ExamStats(PlatformBody):
    """What the attempts at one exam came to."""

    attempts: Annotated[int, Meta(description="How many there are")]
    questions_answered: Annotated[int, Meta(description="How many questions were answered in them")]
    average_score: Percent
    best_score: Percent

    @classmethod
    def of(cls, score: PackageScore) -> ExamStats:
        return cls(
            attempts=score.attempts,
            questions_answered=score.answered,
            average_score=percent(score.percents / score.attempts),
            best_score=percent(score.best_percent),
        )


class QuizStats(PlatformBody):
    """What all attempts came to, and those at each exam."""

    total_attempts: Annotated[int, Meta(description="How many there are")]
    total_questions_answered: Annotated[int, Meta(description="How many questions were answered in them")]
    average_score: Percent
    best_score: Percent
    stats_by_exam: Annotated[dict[str, ExamStats], Meta(description="By the slug of the exam package")]

    example: ClassVar[Mapping[str, Any]] = {
        "total_attempts": 2,
        "total_questions_answered": 60,
        "average_score": 78.5,
        "best_score": 80.0,
        "stats_by_exam": {
            "security": {"attempts": 2, "questions_answered": 60, "average_score": 78.5, "best_score": 80.0}
        },
    }

    @classmethod
    def of(cls, scores: tuple[PackageScore, ...], slugs: Mapping[str, str]) -> QuizStats:
        attempts = sum(score.attempts for score in scores)
        return cls(
            total_attempts=attempts,
            total_questions_answered=sum(score.answered for score in scores),
            average_score=percent(sum((each.percents for each in scores), Decimal(0)) / attempts) if attempts else 0.0,
            best_score=max((percent(score.best_percent) for score in scores), default=0.0),
            stats_by_exam={
                slugs.get(each.exam_package_id, each.exam_package_id): ExamStats.of(each) for each in scores
            },
        )


class DomainPerformance(PlatformBody):
    """What an attempt came to in one topic."""

    domain: Annotated[str | None, Meta(description=NO_DOMAIN)]
    total_questions: Annotated[int, Meta(description="How many questions of the topic there were")]
    correct_answers: Annotated[int, Meta(description="How many of them were answered rightly")]
    accuracy_percentage: Percent

    @classmethod
    def of(cls, topic: TopicTally) -> DomainPerformance:
        correct = topic.tally.correct or 0
        return cls(
            domain=topic.name,
            total_questions=topic.tally.served,
            correct_answers=correct,
            accuracy_percentage=share_of(correct, topic.tally.served),
        )


def performances(summary: SummaryView) -> list[DomainPerformance]:
    return [DomainPerformance.of(topic) for topic in summary.summary.topics]


def seconds_taken(session: SessionView) -> int | None:
    ended = session.finished_at
    return None if ended is None else max(0, int((ended - session.started_at).total_seconds()))
