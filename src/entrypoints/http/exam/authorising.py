"""Exams over HTTP: administrators let students begin, where the package wants that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.exam.starting import AuthoriseExam
from domain.auth.people import Actor
from domain.exam.refusals import (
    ExamClosed,
    ExamInvalidated,
    ExamNotActive,
    ExamNotOpen,
    ExamSessionNotFound,
    ExamTerminated,
)
from domain.exam.sessions import ExamSession, ExamStatus
from entrypoints.http.exam.bodies import SESSION_ID
from entrypoints.http.exam.interventions import ADMINS, ONE
from entrypoints.http.exam.oversight_bodies import USER_ID
from entrypoints.http.exam.oversight_requests import ExamActWithoutNeedRequest
from entrypoints.http.fields import ResponseBody, When
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.requests import ApiRequest


class AuthorisedExamSession(ResponseBody):
    """An exam session that its student may sit."""

    user_id: str
    id: str
    exam_package_id: str
    status: ExamStatus
    attempt_no: Annotated[int, Meta(description="Which attempt of the student in this package it is, from 1")]
    started_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "userId": USER_ID,
        "id": SESSION_ID,
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "status": "active",
        "attemptNo": 1,
        "startedAt": "2026-03-02T09:00:00Z",
    }


@post(
    f"{ONE}/authorise",
    summary="Let somebody begin an exam",
    operation_id="authoriseExamSession",
    status_code=200,
    opt={
        "callers": ADMINS,
        "refusals": (
            ExamSessionNotFound,
            ExamNotOpen,
            ExamClosed,
            ExamNotActive,
            ExamTerminated,
            ExamInvalidated,
        ),
    },
)
async def authorise(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    authorise_exam: Injected[AuthoriseExam],
    data: JSONBody[ExamActWithoutNeedRequest | None] = None,
) -> Response[AuthorisedExamSession]:
    """A session that waits for its authorisation begins; its time runs from now on.

    One that has begun goes on as it is.
    """
    reason = "" if data is None else data.reason
    return await once(request, actor, lambda: authorise_exam(actor, user_id, session_id, reason), _authorised)


def _authorised(session: ExamSession) -> AuthorisedExamSession:
    return convert(session, AuthorisedExamSession, from_attributes=True)


handlers: Sequence[ControllerRouterHandler] = [authorise]
