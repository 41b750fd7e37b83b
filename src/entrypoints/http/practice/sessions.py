"""Practice over HTTP: routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from application.auth.claimants import Caller
from application.practice.answering import AnswerQuestion
from application.practice.ports.reading import WantedSessions
from application.practice.ports.sessions import SlotTarget
from application.practice.reading import ListPracticeSessions, ReadPracticeSession, ReviewPractice, SummarisePractice
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.practice.views import PracticeView
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.refusals import (
    AlreadyAnswered,
    ExamUnderWay,
    NoQuestions,
    PracticeFinished,
    PracticeNotInTier,
    PracticePaused,
    PracticeSessionNotFound,
    ReviewNotAvailable,
    SlotNotFound,
    TimedPracticeCannotPause,
    WeeklyPracticeLimit,
)
from domain.practice.sessions import PracticeStatus
from domain.practice.templates import TemplateNotFound
from domain.question_bank.questions import AnswerInvalid
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.practice.answers import AnswerQuestionRequest
from entrypoints.http.practice.bodies import (
    PracticeAnswer,
    PracticeQuestionList,
    PracticeSessionBody,
    PracticeSessionPage,
    PracticeSessionWithQuestions,
    answer_body,
    practice_body,
    questions_body,
    session_body,
)
from entrypoints.http.practice.result_bodies import PracticeReview, PracticeSummary, review_body, summary_body
from entrypoints.http.practice.wishes import CreatePracticeRequest
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

OnlyPackage: TypeAlias = Annotated[
    str | None, QueryParameter(name="examPackageId", max_length=64, description="Only sessions in this exam package")
]
OnlyStates: TypeAlias = Annotated[
    list[PracticeStatus] | None,
    QueryParameter(
        name="status",
        max_items=2 * len(PracticeStatus),
        description="Only sessions in this state, or in any of several: `status=active&status=paused`",
    ),
]
_STUDENTS = {"callers": (Role.STUDENT,)}
_ONE = {**_STUDENTS, "refusals": (PracticeSessionNotFound,)}
_ONE_OPEN = {**_STUDENTS, "refusals": (PracticeSessionNotFound, ExamUnderWay)}


@get("/practice-sessions", summary="List own practice sessions", operation_id="listPracticeSessions", opt=_STUDENTS)
async def list_sessions(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_practice_sessions: Injected[ListPracticeSessions],
    exam_package_id: OnlyPackage = None,
    statuses: OnlyStates = None,
) -> Response[PracticeSessionPage]:
    """The caller's practice sessions, the newest first. One past its deadline is finished."""
    (before_id,) = paging.after(str) or (None,)
    wanted = WantedSessions(exam_package_id=exam_package_id, statuses=tuple(statuses or ()))
    found = await list_practice_sessions(actor, wanted, before_id, paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=session_body, body=PracticeSessionPage)


@post(
    "/practice-sessions",
    summary="Begin to practise",
    operation_id="createPracticeSession",
    opt={
        **_STUDENTS,
        "refusals": (TemplateNotFound, EnrollmentRequired, PracticeNotInTier, WeeklyPracticeLimit, NoQuestions),
        "located": True,
    },
)
async def create_session(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreatePracticeRequest],
    create_practice_session: Injected[CreatePracticeSession],
) -> Response[PracticeSessionWithQuestions]:
    """Begin to practise published questions of a package, as a template says or drawn at random from those that match.

    Fewer questions than asked for are served as they are: compare `requested` and `served`. A tier may allow a number
    of sessions in seven days: `Retry-After` then tells when the next one may begin.
    """
    wish = data.wish()
    return await once(request, actor, lambda: create_practice_session(actor, wish), _created)


@get(
    "/practice-sessions/{session_id:str}",
    summary="Read a practice session",
    operation_id="getPracticeSession",
    opt={**_ONE, "claimant": True},
)
async def get_session(
    session_id: FromPath[str],
    caller: Injected[Caller],
    read_practice_session: Injected[ReadPracticeSession],
) -> PracticeSessionWithQuestions:
    """A practice session with its questions and the caller's own responses."""
    return practice_body(await read_practice_session(caller, session_id))


@get(
    "/practice-sessions/{session_id:str}/questions",
    summary="List the questions of a session",
    operation_id="listPracticeQuestions",
    opt=_ONE,
)
async def list_questions(
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_practice_session: Injected[ReadPracticeSession],
) -> PracticeQuestionList:
    """The questions of a practice session in its order, without keys."""
    return questions_body(await read_practice_session(actor, session_id))


@post(
    "/practice-sessions/{session_id:str}/answers",
    summary="Answer a question",
    operation_id="answerPracticeQuestion",
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
        "claimant": True,
    },
)
async def answer(
    request: ApiRequest,
    session_id: FromPath[str],
    caller: Injected[Caller],
    data: JSONBody[AnswerQuestionRequest],
    answer_question: Injected[AnswerQuestion],
) -> Response[PracticeAnswer]:
    """Answer a question. With immediate feedback the answer stands; with deferred it may be changed until the end.

    The very same answer again gets the same result, so that a request whose reply was lost can be repeated. Who
    changes answers sends an `Idempotency-Key` with each: a repeat that comes late then undoes no later answer.
    """
    target, given = SlotTarget(slot=data.slot, question_id=data.question_id), data.answer()
    return await once(request, caller, lambda: answer_question(caller, session_id, target, given), answer_body)


@post(
    "/practice-sessions/{session_id:str}/pause",
    summary="Pause a session",
    operation_id="pausePracticeSession",
    status_code=200,
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound, PracticeFinished, TimedPracticeCannotPause, ExamUnderWay)},
)
async def pause_session(
    session_id: FromPath[str], actor: NamedDependency[Actor], pause_practice: Injected[PausePractice]
) -> PracticeSessionBody:
    """Interrupt a session that has no time limit. Pausing a paused session changes nothing."""
    return session_body(await pause_practice(actor, session_id))


@post(
    "/practice-sessions/{session_id:str}/resume",
    summary="Resume a session",
    operation_id="resumePracticeSession",
    status_code=200,
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound, PracticeFinished, EnrollmentRequired, ExamUnderWay)},
)
async def resume_session(
    session_id: FromPath[str], actor: NamedDependency[Actor], resume_practice: Injected[ResumePractice]
) -> PracticeSessionBody:
    """Go on with a paused session. Resuming an active session changes nothing."""
    return session_body(await resume_practice(actor, session_id))


@post(
    "/practice-sessions/{session_id:str}/finish",
    summary="Finish a session",
    operation_id="finishPracticeSession",
    status_code=200,
    opt=_ONE_OPEN,
)
async def finish_session(
    request: ApiRequest,
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    finish_practice: Injected[FinishPractice],
) -> Response[PracticeSessionBody]:
    """End a session early; what is unanswered stays unanswered. Finishing it again changes nothing."""
    return await once(request, actor, lambda: finish_practice(actor, session_id), session_body)


@get(
    "/practice-sessions/{session_id:str}/review",
    summary="Review the answers",
    operation_id="reviewPracticeSession",
    opt={**_STUDENTS, "refusals": (PracticeSessionNotFound, ReviewNotAvailable, ExamUnderWay)},
)
async def review_session(
    session_id: FromPath[str], actor: NamedDependency[Actor], review_practice: Injected[ReviewPractice]
) -> PracticeReview:
    """Answers with keys and explanations: of what was answered so far, or, if deferred, of all once it is over."""
    return review_body(await review_practice(actor, session_id))


@get(
    "/practice-sessions/{session_id:str}/summary",
    summary="Summarise a session",
    operation_id="summarisePracticeSession",
    opt=_ONE_OPEN,
)
async def summarise_session(
    session_id: FromPath[str], actor: NamedDependency[Actor], summarise_practice: Injected[SummarisePractice]
) -> PracticeSummary:
    """A session in numbers, as a whole and by topic."""
    return summary_body(await summarise_practice(actor, session_id))


def _created(view: PracticeView) -> Reply:
    return Reply(practice_body(view), headers={"location": f"/practice-sessions/{view.session.id}"})


handlers: Sequence[ControllerRouterHandler] = [
    list_sessions,
    create_session,
    get_session,
    list_questions,
    answer,
    pause_session,
    resume_session,
    finish_session,
    review_session,
    summarise_session,
]
