"""Handing in what was dealt, and looking back on it, at this door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from application.practice.attempts import ListAttempts, ScoreAttempts
from application.practice.reading import ReviewPractice, SummarisePractice
from application.practice.submitting import SubmitPractice
from application.practice.views import PracticeView
from application.progress.badges import ListBadges
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound
from domain.practice.judging import Answer
from domain.practice.refusals import (
    ExamUnderWay,
    PracticeFinished,
    PracticePaused,
    PracticeSessionNotFound,
    ReviewNotAvailable,
    SlotNotFound,
)
from domain.question_bank.questions import AnswerInvalid
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.dealt import DealtQuizzes
from entrypoints.http.practice_platform.exam_types import ExamTypes
from entrypoints.http.practice_platform.lettering import answer_by
from entrypoints.http.practice_platform.quiz_bodies import (
    QuizAttempt,
    QuizHistory,
    QuizResult,
    QuizStats,
    QuizSubmission,
)
from entrypoints.http.practice_platform.review_bodies import QuizReview

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}


@post(
    "/quiz/submit",
    summary="Hand in a quiz",
    operation_id="platformSubmitQuiz",
    opt={
        **_STUDENTS,
        "refusals": (
            PackageNotFound,
            PracticeSessionNotFound,
            SlotNotFound,
            PracticeFinished,
            PracticePaused,
            ExamUnderWay,
            EnrollmentRequired,
            AnswerInvalid,
        ),
    },
)
async def submit_quiz(
    data: JSONBody[QuizSubmission],
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    dealt_quizzes: NamedDependency[DealtQuizzes],
    submit_practice: Injected[SubmitPractice],
    list_badges: Injected[ListBadges],
) -> QuizResult:
    """Answer what was dealt and end it. The server judges: whatever a client says of right and wrong is not looked at.

    All of it is taken, or nothing. The same answers again get the same result, so that a request whose reply was lost
    can be repeated.
    """
    letters = data.by_question()
    package_id = await exam_types.package_id(actor, data.exam_type)
    practice = await dealt_quizzes.asking(actor, package_id, data.quiz_id, letters.keys())
    ended = await submit_practice(actor, practice.session.id, _answers(practice, letters, data))
    return QuizResult.of(ended, await list_badges(actor))


@get("/quiz/history", summary="List own attempts", operation_id="platformQuizHistory", opt=_STUDENTS)
async def quiz_history(
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    list_attempts: Injected[ListAttempts],
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="At most so many")] = 20,
    offset: Annotated[int, QueryParameter(ge=0, le=1_000_000, description="After so many that ended later")] = 0,
    exam_type: Annotated[
        str | None, QueryParameter(max_length=64, description="Only attempts at this exam, by its slug or its id")
    ] = None,
) -> QuizHistory:
    """The caller's practice that is over and holds an answer, wherever it was begun, the one that ended last first."""
    slugs = await exam_types.slugs(actor)
    package_id = next((key for key, slug in slugs.items() if exam_type in (key, slug)), exam_type)
    found = await list_attempts(actor, package_id, offset=offset, limit=limit)
    return QuizHistory(
        total_attempts=found.total, attempts=[QuizAttempt.of(session, slugs) for session in found.sessions]
    )


@get("/quiz/stats", summary="Sum up own attempts", operation_id="platformQuizStats", opt=_STUDENTS)
async def quiz_stats(
    actor: NamedDependency[Actor], exam_types: NamedDependency[ExamTypes], score_attempts: Injected[ScoreAttempts]
) -> QuizStats:
    """What the caller's attempts came to, as a whole and exam by exam."""
    return QuizStats.of(await score_attempts(actor), await exam_types.slugs(actor))


@get(
    "/quiz/review/{attempt_id:str}",
    summary="Review an attempt",
    operation_id="platformReviewQuiz",
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound, ExamUnderWay, ReviewNotAvailable)},
)
async def review_quiz(
    attempt_id: FromPath[str],
    actor: NamedDependency[Actor],
    exam_types: NamedDependency[ExamTypes],
    review_practice: Injected[ReviewPractice],
    summarise_practice: Injected[SummarisePractice],
) -> QuizReview:
    """An attempt with keys and explanations. Of a quiz that is not handed in yet nothing is told."""
    items = await review_practice(actor, attempt_id)
    summary = await summarise_practice(actor, attempt_id)
    package_id = summary.session.exam_package_id
    slugs = await exam_types.slugs(actor)
    return QuizReview.of(items, summary, slugs.get(package_id, package_id), await exam_types.topics(package_id))


def _answers(practice: PracticeView, letters: Mapping[str, str], data: QuizSubmission) -> dict[str, Answer]:
    """What the letters say, by the ids of the questions in their order. Refuses letters that do not fit a question."""
    places = {answer.question_id: number for number, answer in enumerate(data.answers)}
    return {
        question.question_id: answer_by(
            question, letters[question.question_id], f"/answers/{places[question.question_id]}/user_answer"
        )
        for question in practice.questions
        if question.question_id in letters
    }


handlers: Sequence[ControllerRouterHandler] = [submit_quiz, quiz_history, quiz_stats, review_quiz]
