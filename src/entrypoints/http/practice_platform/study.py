"""Studying at this door: one question after the other, each judged at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from application.practice.answering import AnswerQuestion
from application.practice.dealing import DealPractice
from application.practice.ports.sessions import SlotTarget
from application.practice.reading import ReadPracticeSession, SummarisePractice
from application.practice.sitting import FinishPractice
from application.practice.views import PracticeView
from application.progress.badges import ListBadges
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.judging import FeedbackMode
from domain.practice.plans import PracticePlan
from domain.practice.refusals import (
    AlreadyAnswered,
    ExamUnderWay,
    PracticeFinished,
    PracticePaused,
    PracticeSessionNotFound,
    SlotNotFound,
    StudyUnderWay,
)
from domain.practice.sessions import PracticeStatus
from domain.question_bank.questions import AnswerInvalid
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.dealt import DealtQuizzes
from entrypoints.http.practice_platform.exam_types import ExamTypes
from entrypoints.http.practice_platform.lettering import LETTERED, answer_by, letters_of
from entrypoints.http.practice_platform.questions import BEGINNING
from entrypoints.http.practice_platform.quiz_bodies import QuizResult
from entrypoints.http.practice_platform.study_bodies import (
    StudyAbandoned,
    StudyAnswer,
    StudyFeedback,
    StudyRequest,
    StudySession,
)

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_NONE_ACTIVE: Final = "No active study session found"


@post(
    "/study/start",
    summary="Begin to study",
    operation_id="platformStartStudy",
    opt={**_STUDENTS, "refusals": (StudyUnderWay, *BEGINNING)},
)
async def start_study(
    data: JSONBody[StudyRequest],
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    deal_practice: Injected[DealPractice],
    read_practice_session: Injected[ReadPracticeSession],
) -> StudySession:
    """Begin a round of study. The same request again brings the same round until its first answer.

    Whoever is not enrolled yet is enrolled by it where the exam's default tier is open to all.
    """
    package_id = await exam_types.package_id(actor, data.exam_type)
    topics = await exam_types.topics(package_id)
    plan = PracticePlan(
        exam_package_id=package_id,
        topic_ids=topics.ids(data.domain),
        kinds=LETTERED,
        count=data.count,
        feedback=FeedbackMode.IMMEDIATE,
    )
    dealt = await exam_types.enrolled(actor, package_id, lambda: deal_practice(actor, plan, alone=True))
    return StudySession.of(await read_practice_session(actor, dealt), data.exam_type, topics)


@post(
    "/study/answer",
    summary="Answer a question of a round of study",
    operation_id="platformAnswerStudy",
    status_code=200,
    opt={
        **_STUDENTS,
        "refusals": (
            PracticeSessionNotFound,
            SlotNotFound,
            PracticeFinished,
            PracticePaused,
            ExamUnderWay,
            AlreadyAnswered,
            EnrollmentRequired,
            AnswerInvalid,
        ),
    },
)
async def answer_study(
    data: JSONBody[StudyAnswer],
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    dealt_quizzes: NamedDependency[DealtQuizzes],
    answer_question: Injected[AnswerQuestion],
    summarise_practice: Injected[SummarisePractice],
    list_badges: Injected[ListBadges],
) -> StudyFeedback:
    """Answer a question and learn at once whether that was right, and why. The answer stands."""
    practice = await dealt_quizzes.study(actor, data.session_id)
    question = next((each for each in practice.questions if each.question_id == data.question_id), None)
    if question is None:
        raise SlotNotFound
    answer = answer_by(question, data.user_answer, "/user_answer")
    answered = await answer_question(actor, practice.session.id, SlotTarget(question_id=question.question_id), answer)
    completion = None
    if answered.status is PracticeStatus.FINISHED:
        ended = await summarise_practice(actor, practice.session.id)
        completion = QuizResult.of(ended.session, await list_badges(actor))
    letters = letters_of(question, answer.response.choice_ids)
    topics = await exam_types.topics(practice.session.exam_package_id)
    return StudyFeedback.of(practice, question, letters, answered, topics, completion)


@get(
    "/study/active",
    summary="Go on studying",
    operation_id="platformActiveStudy",
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound,)},
)
async def active_study(
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    dealt_quizzes: NamedDependency[DealtQuizzes],
) -> StudySession:
    """The round of study that the caller is in, and its next question."""
    practice = await _under_way(actor, dealt_quizzes)
    package_id = practice.session.exam_package_id
    slugs = await exam_types.slugs(actor)
    return StudySession.of(practice, slugs.get(package_id, package_id), await exam_types.topics(package_id))


@delete(
    "/study/abandon",
    summary="Abandon a round of study",
    operation_id="platformAbandonStudy",
    status_code=200,
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound, ExamUnderWay)},
)
async def abandon_study(
    actor: NamedDependency[Actor],
    dealt_quizzes: NamedDependency[DealtQuizzes],
    finish_practice: Injected[FinishPractice],
) -> StudyAbandoned:
    """End the round of study that the caller is in. What was answered counts, what was not stays unanswered."""
    practice = await _under_way(actor, dealt_quizzes)
    await finish_practice(actor, practice.session.id)
    return StudyAbandoned(success=True, message="Study session abandoned successfully")


async def _under_way(actor: Actor, dealt_quizzes: DealtQuizzes) -> PracticeView:
    practice = await dealt_quizzes.studying(actor)
    if practice is None:
        raise PracticeSessionNotFound(_NONE_ACTIVE)
    return practice


handlers: Sequence[ControllerRouterHandler] = [start_study, answer_study, active_study, abandon_study]
