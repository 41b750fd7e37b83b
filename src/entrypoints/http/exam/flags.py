"""Exams over HTTP: remarks of administrators about sessions."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.exam.flagging import FlagSession, ResolveFlag
from domain.auth.people import Actor
from domain.exam.flags import FlagNotFound
from domain.exam.refusals import ExamSessionNotFound
from entrypoints.http.exam.interventions import ADMINS, ONE
from entrypoints.http.exam.oversight_bodies import ExamFlagBody, flag_body
from entrypoints.http.exam.oversight_requests import FlagExamRequest, ResolveFlagRequest
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.requests import ApiRequest


@post(
    f"{ONE}/flags",
    summary="Flag an exam",
    operation_id="flagExamSession",
    opt={"callers": ADMINS, "refusals": (ExamSessionNotFound,)},
)
async def flag(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[FlagExamRequest],
    flag_session: Injected[FlagSession],
) -> Response[ExamFlagBody]:
    """Remark something about a session, whatever state it is in. It changes nothing about the exam."""
    return await once(request, actor, lambda: flag_session(actor, user_id, session_id, data.type, data.note), flag_body)


@post(
    f"{ONE}/flags/{{flag_id:str}}/resolve",
    summary="Resolve a flag",
    operation_id="resolveExamFlag",
    status_code=200,
    opt={"callers": ADMINS, "refusals": (ExamSessionNotFound, FlagNotFound)},
)
async def resolve(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    flag_id: FromPath[str],
    actor: NamedDependency[Actor],
    resolve_flag: Injected[ResolveFlag],
    data: JSONBody[ResolveFlagRequest | None] = None,
) -> Response[ExamFlagBody]:
    """Settle a remark. It stays on record; resolving it again changes nothing."""
    note = data.note if data else None
    return await once(request, actor, lambda: resolve_flag(actor, user_id, session_id, flag_id, note), flag_body)


handlers: Sequence[ControllerRouterHandler] = [flag, resolve]
