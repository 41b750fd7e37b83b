"""What clients of this door see of exams and of questions that are not answered yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from application.practice.views import PracticeView, QuestionView
from entrypoints.http.practice_platform.exam_types import Topics
from entrypoints.http.practice_platform.fields import QUESTION_ID, SESSION_ID, PlatformBody
from entrypoints.http.practice_platform.lettering import by_letter

NO_DOMAIN: Final = "The topic; null: the question has none"


class ExamTypeList(PlatformBody):
    """The exams that there are questions for."""

    exams: Annotated[list[str], Meta(description="Slugs of exam packages, in alphabetical order")]

    example: ClassVar[Mapping[str, Any]] = {"exams": ["network-fundamentals", "security"]}


class DomainCount(PlatformBody):
    """A topic of an exam."""

    domain: str
    question_count: Annotated[int, Meta(description="How many published questions it has, of whatever kind")]


class DomainList(PlatformBody):
    """The topics of an exam that have questions."""

    exam_type: str
    domains: list[DomainCount]

    example: ClassVar[Mapping[str, Any]] = {
        "exam_type": "security",
        "domains": [{"domain": "1.1", "question_count": 45}, {"domain": "1.2", "question_count": 32}],
    }

    @classmethod
    def of(cls, exam_type: str, topics: Topics) -> DomainList:
        found = [DomainCount(domain=name, question_count=count) for name, count in sorted(topics.counted().items())]
        return cls(exam_type=exam_type, domains=found)


class OptionText(PlatformBody):
    """An option as it is shown before the answer: why it is right or wrong is told afterwards."""

    text: str


class QuizQuestion(PlatformBody):
    """A question without its key."""

    id: str
    question_id: Annotated[str, Meta(description="The same as `id`: answers name the question by it")]
    exam_type: str
    domain: Annotated[str | None, Meta(description=NO_DOMAIN)]
    question_text: str
    multiple: Annotated[bool, Meta(description="Whether several letters may be answered")]
    options: Annotated[dict[str, OptionText], Meta(description="By letter, in the order of this quiz")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": QUESTION_ID,
        "question_id": QUESTION_ID,
        "exam_type": "security",
        "domain": "1.1",
        "question_text": "Which control keeps a thing from happening?",
        "multiple": False,
        "options": {"A": {"text": "Deterrent"}, "B": {"text": "Preventive"}, "C": {"text": "Detective"}},
    }

    @classmethod
    def of(cls, question: QuestionView, exam_type: str, topics: Topics) -> QuizQuestion:
        return cls(
            id=question.question_id,
            question_id=question.question_id,
            exam_type=exam_type,
            domain=topics.name(question.topic_id),
            question_text=question.stem,
            multiple=question.kind == "multiple",
            options=options_of(question),
        )


class Quiz(PlatformBody):
    """Questions to be answered and handed in. The same request brings the same ones until the first is answered."""

    quiz_id: Annotated[str, Meta(description="To be sent along when the quiz is handed in")]
    exam_type: str
    requested_count: Annotated[int, Meta(description="How many questions were asked for")]
    actual_count: Annotated[int, Meta(description="How many there are: fewer where no more match")]
    questions: list[QuizQuestion]

    example: ClassVar[Mapping[str, Any]] = {
        "quiz_id": SESSION_ID,
        "exam_type": "security",
        "requested_count": 10,
        "actual_count": 1,
        "questions": [QuizQuestion.example],
    }

    @classmethod
    def of(cls, practice: PracticeView, exam_type: str, topics: Topics) -> Quiz:
        return cls(
            quiz_id=practice.session.id,
            exam_type=exam_type,
            requested_count=practice.session.requested,
            actual_count=practice.session.served,
            questions=[QuizQuestion.of(question, exam_type, topics) for question in practice.questions],
        )


def options_of(question: QuestionView) -> dict[str, OptionText]:
    return {letter: OptionText(text=choice.text) for letter, choice in by_letter(question).items()}
