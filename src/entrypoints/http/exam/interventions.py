"""Exams over HTTP: administrators interfere with sessions. Every act is on record and in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.exam.adjusting import AdjustTimes
from application.exam.overseeing import (
    AdjustTime,
    ForceSubmitExam,
    InvalidateExam,
    PauseExam,
    ReinstateExam,
    ReopenExam,
    ResumeExam,
    TerminateExam,
)
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError
from domain.exam.refusals import (
    AdjustTooSmall,
    ExamAlreadySubmitted,
    ExamInvalidated,
    ExamNotActive,
    ExamNotInvalidated,
    ExamNotPaused,
    ExamNotReopenable,
    ExamNotStarted,
    ExamSessionNotFound,
    ExamTerminated,
    ExamTimeExpired,
    ReasonRequired,
)
from entrypoints.http.exam.oversight_bodies import AdminExamSession, overseen_body
from entrypoints.http.exam.oversight_requests import (
    AdjustedExamSessions,
    AdjustTimeRequest,
    AdjustTimesRequest,
    ExamActRequest,
    ExamActWithoutNeedRequest,
    ReopenExamRequest,
    adjusted_body,
)
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.requests import ApiRequest

ADMINS: Final = (Role.ADMIN,)
ONE: Final = "/admin/exam-sessions/{user_id:str}/{session_id:str}"
_OVER: Final = (ExamNotActive, ExamTerminated, ExamInvalidated)


def _opt(*refusals: type[DomainError]) -> dict[str, object]:
    return {"callers": ADMINS, "refusals": (ExamSessionNotFound, *refusals)}


@post(
    f"{ONE}/pause",
    summary="Pause somebody's exam",
    operation_id="pauseExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamNotStarted, ExamTimeExpired, *_OVER),
)
async def pause(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ExamActRequest],
    pause_exam: Injected[PauseExam],
) -> Response[AdminExamSession]:
    """Stop the time of a session. Its student cannot answer until an administrator lets it go on.

    The window of the exam does not wait. Pausing again changes nothing.
    """
    return await once(request, actor, lambda: pause_exam(actor, user_id, session_id, data.reason), overseen_body)


@post(
    f"{ONE}/resume",
    summary="Let somebody's exam go on",
    operation_id="resumeExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamNotPaused, *_OVER),
)
async def resume(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ExamActRequest],
    resume_exam: Injected[ResumeExam],
) -> Response[AdminExamSession]:
    """Let a paused session go on with as much time as was left, whoever paused it. Doing it again changes nothing."""
    return await once(request, actor, lambda: resume_exam(actor, user_id, session_id, data.reason), overseen_body)


@post(
    f"{ONE}/adjust-time",
    summary="Give or take time of an exam",
    operation_id="adjustExamTime",
    status_code=200,
    opt=_opt(ReasonRequired, AdjustTooSmall, *_OVER),
)
async def adjust(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[AdjustTimeRequest],
    adjust_time: Injected[AdjustTime],
) -> Response[AdminExamSession]:
    """Move the deadline of a session, never into the past. An overdue session runs again where it has time by it.

    Each request gives the time once more: send an `Idempotency-Key`, so that a repeated request does not.
    """
    seconds = data.any_seconds()
    return await once(
        request, actor, lambda: adjust_time(actor, user_id, session_id, seconds, data.reason), overseen_body
    )


@post(
    "/admin/exam-sessions/adjust-time",
    summary="Give or take time of many exams",
    operation_id="adjustExamTimes",
    status_code=200,
    opt={"callers": ADMINS, "refusals": (ReasonRequired, PackageNotFound)},
)
async def adjust_many(
    actor: NamedDependency[Actor], data: JSONBody[AdjustTimesRequest], adjust_times: Injected[AdjustTimes]
) -> AdjustedExamSessions:
    """Move the deadlines of up to 500 sessions, or of all live ones of a package; each is moved or refused by itself.

    What there is no time for in one request is `pending`: send the same request again until it is `complete`. No
    session takes an adjustment of the same `adjustmentId` twice, so that repeating it is safe; one that took it with
    another number of seconds is refused with `exam.adjustment_reused`.
    """
    return adjusted_body(await adjust_times(actor, data.adjustment()))


@post(
    f"{ONE}/force-submit",
    summary="Hand in somebody's exam",
    operation_id="forceSubmitExamSession",
    status_code=200,
    opt=_opt(ExamNotStarted, ExamInvalidated),
)
async def force_submit(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    force_submit_exam: Injected[ForceSubmitExam],
    data: JSONBody[ExamActWithoutNeedRequest | None] = None,
) -> Response[AdminExamSession]:
    """Hand in what was answered so far, also of a session that was given up or terminated. It is graded at once.

    What is handed in already stays as it is.
    """
    reason = data.reason if data else ""
    return await once(request, actor, lambda: force_submit_exam(actor, user_id, session_id, reason), overseen_body)


@post(
    f"{ONE}/terminate",
    summary="Terminate an exam",
    operation_id="terminateExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamAlreadySubmitted, ExamInvalidated),
)
async def terminate(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ExamActRequest],
    terminate_exam: Injected[TerminateExam],
) -> Response[AdminExamSession]:
    """End a session so that it does not count. Doing it again changes nothing and keeps the first reason."""
    return await once(request, actor, lambda: terminate_exam(actor, user_id, session_id, data.reason), overseen_body)


@post(
    f"{ONE}/invalidate",
    summary="Declare an exam invalid",
    operation_id="invalidateExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamNotStarted),
)
async def invalidate(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ExamActRequest],
    invalidate_exam: Injected[InvalidateExam],
) -> Response[AdminExamSession]:
    """A session counts for nothing, whatever state it is in: what it counted is taken back.

    Doing it again changes nothing and keeps the first reason.
    """
    return await once(request, actor, lambda: invalidate_exam(actor, user_id, session_id, data.reason), overseen_body)


@post(
    f"{ONE}/reinstate",
    summary="Take an invalidation back",
    operation_id="reinstateExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamNotInvalidated),
)
async def reinstate(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ExamActRequest],
    reinstate_exam: Injected[ReinstateExam],
) -> Response[AdminExamSession]:
    """A session that was declared invalid is what it was before; one that was live is handed in and graded."""
    return await once(request, actor, lambda: reinstate_exam(actor, user_id, session_id, data.reason), overseen_body)


@post(
    f"{ONE}/reopen",
    summary="Let an exam that ended go on",
    operation_id="reopenExamSession",
    status_code=200,
    opt=_opt(ReasonRequired, ExamNotReopenable, ExamInvalidated),
)
async def reopen(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ReopenExamRequest],
    reopen_exam: Injected[ReopenExam],
) -> Response[AdminExamSession]:
    """A session goes on that time or an administrator ended, with time that is left or given; its grade counts no more.

    One that was terminated is paused, so that its student can be called first. What students handed in themselves stays
    so, and so does everything while another session of the package is live.
    """
    return await once(
        request, actor, lambda: reopen_exam(actor, user_id, session_id, data.reason, data.extra_seconds), overseen_body
    )


handlers: Sequence[ControllerRouterHandler] = [
    pause,
    resume,
    adjust,
    adjust_many,
    force_submit,
    terminate,
    invalidate,
    reinstate,
    reopen,
]
