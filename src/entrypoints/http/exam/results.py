"""Exams over HTTP: students see what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from application.exam.history import ReadExamHistory
from application.exam.results import ReadResult
from domain.auth.people import Actor, Role
from domain.exam.refusals import ExamSessionNotFound, ResultNotReady
from entrypoints.http.exam.filters import OnlyPackage
from entrypoints.http.exam.result_bodies import ExamHistoryPage, ExamResultBody, history_body, result_body
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest


@get(
    "/exam-sessions/{session_id:str}/result",
    summary="Read the result of an exam",
    operation_id="getExamResult",
    opt={"callers": (Role.STUDENT,), "refusals": (ExamSessionNotFound, ResultNotReady)},
)
async def get_result(
    session_id: FromPath[str], actor: NamedDependency[Actor], read_result: Injected[ReadResult]
) -> ExamResultBody:
    """What a finished exam came to: in all, topic by topic, and which of several attempts counts.

    Question by question, with what is right and why, it is told when the package allows it.
    """
    return result_body(await read_result(actor, session_id))


@get(
    "/student/exam-history",
    summary="List own results",
    operation_id="listExamHistory",
    opt={"callers": (Role.STUDENT,)},
)
async def list_history(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    read_exam_history: Injected[ReadExamHistory],
    exam_package_id: OnlyPackage = None,
) -> Response[ExamHistoryPage]:
    """The caller's exams over time, package by package, with the result that counts in each."""
    (after,) = paging.after(str) or (None,)
    found = await read_exam_history(actor, exam_package_id=exam_package_id, after=after, limit=paging.limit + 1)
    return page(
        request, paging, found, key=lambda each: (each.exam_package_id,), item=history_body, body=ExamHistoryPage
    )


handlers: Sequence[ControllerRouterHandler] = [get_result, list_history]
