"""Exams over HTTP: students begin them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from application.exam.starting import Started, StartExam
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.exam.refusals import (
    AttemptLimit,
    AwaitingResult,
    EntitlementDenied,
    ExamClosed,
    ExamEnrollmentRequired,
    ExamNotOpen,
    FormUnavailable,
    RetakeCooldown,
    WeeklyExamLimit,
)
from entrypoints.http.exam.answers import StartExamRequest
from entrypoints.http.exam.bodies import ExamSessionWithPaper, started_body
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

STARTING: Final[Sequence[type[DomainError]]] = (
    ExamEnrollmentRequired,
    EntitlementDenied,
    WeeklyExamLimit,
    ExamNotOpen,
    ExamClosed,
    AwaitingResult,
    AttemptLimit,
    RetakeCooldown,
    FormUnavailable,
)


@post(
    "/exam-sessions",
    summary="Begin an exam",
    operation_id="startExam",
    opt={
        "callers": (Role.STUDENT,),
        "refusals": STARTING,
        "located": True,
        "also_answers": (200,),
    },
)
async def start(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[StartExamRequest],
    start_exam: Injected[StartExam],
) -> Response[ExamSessionWithPaper]:
    """Begin an exam of a package that one is enrolled in. The paper comes with the answer; the time runs from now on.

    While an exam of the package is live it is answered, with 200. Where somebody has to authorise the start, the
    session is `created`, and there is no paper yet. `Retry-After` and `retryAt` tell when another attempt may begin.
    """
    return await once(request, actor, lambda: start_exam(actor, data.exam_package_id), _started)


def _started(started: Started) -> Reply:
    body = started_body(started.session, started.paper)
    if not started.new:
        return Reply(body, status=200)
    return Reply(body, headers={"location": f"/exam-sessions/{started.session.id}"})


handlers: Sequence[ControllerRouterHandler] = [start]
