"""Exams over HTTP: administrators have exams graded again, and declare questions void."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.exam.regrading import RegradeExam
from application.exam.void_listing import ListVoids
from application.exam.voiding import VoidQuestion
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import PackageNotFound
from domain.exam.refusals import ExamNotGraded, ExamSessionNotFound, ReasonRequired, VoidNotApplicable
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from entrypoints.http.exam.regrading_bodies import (
    ExamVoidPage,
    RegradedExamSession,
    RegradeExamRequest,
    VoidedQuestion,
    VoidQuestionRequest,
    regraded_body,
    void_body,
    voided_body,
)
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest


@post(
    "/admin/exam-sessions/{user_id:str}/{session_id:str}/regrade",
    summary="Grade somebody's exam again",
    operation_id="regradeExamSession",
    status_code=200,
    opt={"callers": (Role.ADMIN,), "refusals": (ExamSessionNotFound, ReasonRequired, ExamNotGraded)},
)
async def regrade(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[RegradeExamRequest],
    regrade_exam: Injected[RegradeExam],
) -> Response[RegradedExamSession]:
    """Give an exam a new revision of its grade, by the keys that were asked or by the corrected ones.

    No revision is ever changed. What the exam counted for its student is counted anew.
    """
    return await once(
        request,
        actor,
        lambda: regrade_exam(actor, user_id, session_id, mode=data.mode, reason=data.reason, dry_run=data.dry_run),
        regraded_body,
    )


@post(
    "/admin/exam-packages/{exam_package_id:str}/void-question",
    summary="Declare a question of exams void",
    operation_id="voidExamQuestion",
    status_code=200,
    opt={
        "callers": (Role.ADMIN,),
        "refusals": (PackageNotFound, QuestionNotFound, ReasonRequired, VoidNotApplicable),
    },
)
async def declare_void(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[VoidQuestionRequest],
    void_question: Injected[VoidQuestion],
) -> Response[VoidedQuestion]:
    """Drop a question that turned out wrong, credit it to everybody, or accept more options as right.

    It counts in this package, for the exams that were graded and for those that will be. Unless `dryRun` is false
    nothing happens, and the answer tells what would. The latest declaration about a version counts.
    """
    return await once(
        request,
        actor,
        lambda: void_question(actor, exam_package_id, data.request(), dry_run=data.dry_run),
        voided_body,
    )


@get(
    "/admin/exam-packages/{exam_package_id:str}/voided-questions",
    summary="List the questions declared void",
    operation_id="listVoidedExamQuestions",
    opt={"callers": (Role.ADMIN,), "refusals": (PackageNotFound,)},
)
async def list_declared(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_voids: Injected[ListVoids],
) -> Response[ExamVoidPage]:
    """Every declaration about questions of a package, the latest first. The latest about a version is what counts."""
    after: tuple[datetime, str] | None = paging.after(datetime, str)
    found = await list_voids(actor, exam_package_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda void: (void.created_at, void.id), item=void_body, body=ExamVoidPage)


handlers: Sequence[ControllerRouterHandler] = [regrade, declare_void, list_declared]
