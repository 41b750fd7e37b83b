"""Studying at this door: what is sent and answered, question by question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from application.practice.views import AnswerView, PracticeView, QuestionView
from entrypoints.http.fields import Id
from entrypoints.http.practice_platform.exam_types import Topics
from entrypoints.http.practice_platform.fields import (
    QUESTION_ID,
    SESSION_ID,
    Domain,
    ExamType,
    Letters,
    PlatformBody,
    PlatformRequest,
)
from entrypoints.http.practice_platform.lettering import letters_of
from entrypoints.http.practice_platform.question_bodies import NO_DOMAIN, OptionText, options_of
from entrypoints.http.practice_platform.quiz_bodies import QuizResult
from entrypoints.http.practice_platform.review_bodies import (
    ExplainedOption,
    explained,
    explanations,
    in_general,
    texts,
)


class StudyRequest(PlatformRequest):
    """What to study."""

    exam_type: ExamType
    count: Annotated[int, Meta(ge=1, le=100, description="How many questions")] = 30
    domain: Domain = None

    example: ClassVar[Mapping[str, Any]] = {"exam_type": "security", "count": 10, "domain": "1.1"}


class StudyAnswer(PlatformRequest):
    """What is answered to a question of a round of study."""

    session_id: Id
    question_id: Id
    user_answer: Letters

    example: ClassVar[Mapping[str, Any]] = {
        "session_id": SESSION_ID,
        "question_id": QUESTION_ID,
        "user_answer": "B",
    }


class StudyQuestion(PlatformBody):
    """A question that is to be answered next."""

    question_id: str
    question_text: str
    domain: Annotated[str | None, Meta(description=NO_DOMAIN)]
    multiple: Annotated[bool, Meta(description="Whether several letters may be answered")]
    options: Annotated[dict[str, OptionText], Meta(description="By letter")]

    example: ClassVar[Mapping[str, Any]] = {
        "question_id": QUESTION_ID,
        "question_text": "Which control keeps a thing from happening?",
        "domain": "1.1",
        "multiple": False,
        "options": {"A": {"text": "Deterrent"}, "B": {"text": "Preventive"}},
    }

    @classmethod
    def of(cls, question: QuestionView, topics: Topics) -> StudyQuestion:
        return cls(
            question_id=question.question_id,
            question_text=question.stem,
            domain=topics.name(question.topic_id),
            multiple=question.kind == "multiple",
            options=options_of(question),
        )


class StudySession(PlatformBody):
    """A round of study, and its next question."""

    session_id: str
    exam_type: str
    total_questions: Annotated[int, Meta(description="How many questions it has")]
    current_index: Annotated[int, Meta(description="How many of them are answered")]
    current_question: Annotated[StudyQuestion | None, Meta(description="Null: every question is answered")]

    example: ClassVar[Mapping[str, Any]] = {
        "session_id": SESSION_ID,
        "exam_type": "security",
        "total_questions": 10,
        "current_index": 0,
        "current_question": StudyQuestion.example,
    }

    @classmethod
    def of(cls, practice: PracticeView, exam_type: str, topics: Topics) -> StudySession:
        question = next_question(practice)
        return cls(
            session_id=practice.session.id,
            exam_type=exam_type,
            total_questions=practice.session.served,
            current_index=practice.session.answered_count,
            current_question=None if question is None else StudyQuestion.of(question, topics),
        )


class StudyFeedback(PlatformBody):
    """Whether an answer was right, and why; the next question, or what the round came to."""

    is_correct: bool
    user_answer: str
    correct_answer: str
    user_answer_text: str
    correct_answer_text: str
    user_answer_explanation: str
    correct_answer_explanation: str
    explanation: Annotated[str, Meta(description="About the question as a whole; empty where nothing is said")]
    all_options: Annotated[dict[str, ExplainedOption], Meta(description="By letter")]
    current_index: Annotated[int, Meta(description="How many questions are answered")]
    total_questions: Annotated[int, Meta(description="How many questions the round has")]
    questions_remaining: Annotated[int, Meta(description="How many are left")]
    next_question: Annotated[StudyQuestion | None, Meta(description="Null: this was the last one")]
    session_completed: bool
    completion: Annotated[QuizResult | None, Meta(description="What the round came to; null: it goes on")]

    example: ClassVar[Mapping[str, Any]] = {
        "is_correct": True,
        "user_answer": "B",
        "correct_answer": "B",
        "user_answer_text": "Preventive",
        "correct_answer_text": "Preventive",
        "user_answer_explanation": "It keeps a thing from happening.",
        "correct_answer_explanation": "It keeps a thing from happening.",
        "explanation": "",
        "all_options": {
            "A": {"text": "Deterrent", "explanation": "It discourages."},
            "B": {"text": "Preventive", "explanation": "It keeps a thing from happening."},
        },
        "current_index": 1,
        "total_questions": 10,
        "questions_remaining": 9,
        "next_question": StudyQuestion.example,
        "session_completed": False,
        "completion": None,
    }

    @classmethod
    def of(
        cls,
        practice: PracticeView,
        question: QuestionView,
        letters: str,
        answered: AnswerView,
        topics: Topics,
        completion: QuizResult | None,
    ) -> StudyFeedback:
        """`practice` is as it was before the answer."""
        told = answered.feedback
        options = explained(question, told.explanations if told else ())
        correct = letters_of(question, told.correct_choice_ids if told else ())
        following = next_question(practice, but=question.question_id)
        return cls(
            is_correct=told is not None and told.correct,
            user_answer=letters,
            correct_answer=correct,
            user_answer_text=texts(options, letters),
            correct_answer_text=texts(options, correct),
            user_answer_explanation=explanations(options, letters),
            correct_answer_explanation=explanations(options, correct),
            explanation=in_general(told.explanations if told else ()),
            all_options=options,
            current_index=answered.answered_count,
            total_questions=practice.session.served,
            questions_remaining=practice.session.served - answered.answered_count,
            next_question=None if completion or following is None else StudyQuestion.of(following, topics),
            session_completed=completion is not None,
            completion=completion,
        )


class StudyAbandoned(PlatformBody):
    """A round of study has ended early; what was answered in it counts."""

    success: bool
    message: str

    example: ClassVar[Mapping[str, Any]] = {"success": True, "message": "Study session abandoned successfully"}


def next_question(practice: PracticeView, but: str | None = None) -> QuestionView | None:
    """The first that is not answered yet."""
    open_ones = (question for question in practice.questions if question.answered_at is None)
    return next((question for question in open_ones if question.question_id != but), None)
