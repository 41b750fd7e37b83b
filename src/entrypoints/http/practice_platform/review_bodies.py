"""What clients of this door see of a question once it is judged, and of a quiz as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from application.practice.views import QuestionView, ReviewItem, SummaryView
from domain.question_bank.revelation import Explanation
from entrypoints.http.fields import When
from entrypoints.http.practice_platform.exam_types import Topics
from entrypoints.http.practice_platform.fields import (
    QUESTION_ID,
    SESSION_ID,
    Percent,
    PlatformBody,
    share_of,
)
from entrypoints.http.practice_platform.lettering import by_letter, is_lettered, letters_of
from entrypoints.http.practice_platform.question_bodies import NO_DOMAIN
from entrypoints.http.practice_platform.quiz_bodies import DomainPerformance, performances, seconds_taken

_JOIN: Final = "; "


class ExplainedOption(PlatformBody):
    """An option, and why it is right or wrong."""

    text: str
    explanation: Annotated[str, Meta(description="Empty where nothing is said about it")]


class ReviewedQuestion(PlatformBody):
    """A question after the fact. Texts of several options are joined by semicolons."""

    question_id: str
    question_text: str
    domain: Annotated[str | None, Meta(description=NO_DOMAIN)]
    user_answer: Annotated[str | None, Meta(description="The letters that were chosen; null: it was left out")]
    correct_answer: str
    is_correct: bool
    time_spent_seconds: Annotated[int, Meta(description="By the server's clock")]
    options: Annotated[dict[str, ExplainedOption], Meta(description="By letter, as they were shown")]
    user_answer_text: str
    correct_answer_text: str
    user_answer_explanation: str
    correct_answer_explanation: str
    explanation: Annotated[str, Meta(description="About the question as a whole; empty where nothing is said")]

    example: ClassVar[Mapping[str, Any]] = {
        "question_id": QUESTION_ID,
        "question_text": "Which control keeps a thing from happening?",
        "domain": "1.1",
        "user_answer": "A",
        "correct_answer": "B",
        "is_correct": False,
        "time_spent_seconds": 45,
        "options": {
            "A": {"text": "Deterrent", "explanation": "It discourages."},
            "B": {"text": "Preventive", "explanation": "It keeps a thing from happening."},
        },
        "user_answer_text": "Deterrent",
        "correct_answer_text": "Preventive",
        "user_answer_explanation": "It discourages.",
        "correct_answer_explanation": "It keeps a thing from happening.",
        "explanation": "",
    }

    @classmethod
    def of(cls, item: ReviewItem, topics: Topics) -> ReviewedQuestion:
        question, options = item.question, explained(item.question, item.revelation.explanations)
        chosen = letters_of(question, question.response.choice_ids) if question.response else ""
        correct = letters_of(question, item.revelation.correct_choice_ids)
        return cls(
            question_id=question.question_id,
            question_text=question.stem,
            domain=topics.name(question.topic_id),
            user_answer=chosen or None,
            correct_answer=correct,
            is_correct=item.correct is True,
            time_spent_seconds=item.time_spent_seconds,
            options=options,
            user_answer_text=texts(options, chosen),
            correct_answer_text=texts(options, correct),
            user_answer_explanation=explanations(options, chosen),
            correct_answer_explanation=explanations(options, correct),
            explanation=in_general(item.revelation.explanations),
        )


class QuizReview(PlatformBody):
    """An attempt with its questions, the keys and the explanations. Questions that no letters answer are left out."""

    quiz_attempt_id: str
    exam_type: str
    completed_at: Annotated[When | None, Meta(description="Null: it is not over")]
    total_questions: Annotated[int, Meta(description="How many questions it has")]
    correct_answers: Annotated[int, Meta(description="How many of them were answered rightly")]
    score_percentage: Percent
    time_taken_seconds: Annotated[int | None, Meta(description="Seconds from the first question on; null: not over")]
    questions: list[ReviewedQuestion]
    domain_performance: list[DomainPerformance]

    example: ClassVar[Mapping[str, Any]] = {
        "quiz_attempt_id": SESSION_ID,
        "exam_type": "security",
        "completed_at": "2026-03-11T09:40:00Z",
        "total_questions": 1,
        "correct_answers": 0,
        "score_percentage": 0.0,
        "time_taken_seconds": 45,
        "questions": [ReviewedQuestion.example],
        "domain_performance": [
            {"domain": "1.1", "total_questions": 1, "correct_answers": 0, "accuracy_percentage": 0.0}
        ],
    }

    @classmethod
    def of(cls, items: Iterable[ReviewItem], summary: SummaryView, exam_type: str, topics: Topics) -> QuizReview:
        session, correct = summary.session, summary.session.correct_count or 0
        return cls(
            quiz_attempt_id=session.id,
            exam_type=exam_type,
            completed_at=session.finished_at,
            total_questions=session.served,
            correct_answers=correct,
            score_percentage=share_of(correct, session.served),
            time_taken_seconds=seconds_taken(session),
            questions=[ReviewedQuestion.of(item, topics) for item in items if is_lettered(item.question)],
            domain_performance=performances(summary),
        )


def explained(question: QuestionView, told: Iterable[Explanation]) -> dict[str, ExplainedOption]:
    """The options by letter, with what may be told about each by now."""
    why = {each.choice_id: each.text for each in told}
    return {
        letter: ExplainedOption(text=choice.text, explanation=why.get(choice.id, ""))
        for letter, choice in by_letter(question).items()
    }


def texts(options: Mapping[str, ExplainedOption], letters: str) -> str:
    return _JOIN.join(options[letter].text for letter in letters)


def explanations(options: Mapping[str, ExplainedOption], letters: str) -> str:
    return _JOIN.join(options[letter].explanation for letter in letters if options[letter].explanation)


def in_general(told: Iterable[Explanation]) -> str:
    return next((each.text for each in told if each.choice_id is None), "")
