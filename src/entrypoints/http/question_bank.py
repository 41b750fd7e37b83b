"""The question bank over HTTP: imports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any, ClassVar, Literal

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta

from application.question_bank.imports import (
    ImportNotFound,
    ImportOrder,
    ImportRunning,
    ImportsBusy,
    PublishingNotAllowed,
    ReadImport,
)
from application.question_bank.long_imports import ImportInTime
from application.question_bank.ports import FileOptions, QuestionFiles
from domain.auth.people import Actor, Role
from domain.question_bank.banks import bank_slug
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus
from domain.question_bank.imported import ImportProblem, Severity
from entrypoints.http.fields import ResponseBody
from entrypoints.http.injection import Injected
from entrypoints.http.refusals import UnsupportedMediaType
from entrypoints.http.requests import MIB, ApiRequest
from entrypoints.http.uploads import clean_name, received_file

UPLOAD_LIMIT = 50 * MIB
UPLOAD_SECONDS = 60
_NAMELESS = "questions.csv"
_RAW_TYPES = ("text/csv", "application/csv", "application/octet-stream")
_STAFF = (Role.INSTRUCTOR, Role.ADMIN)
_MAX_NAME = 255
_FILE: dict[str, Any] = {"type": "string", "format": "binary", "maxLength": UPLOAD_LIMIT}
_UPLOAD_BODY = {
    "required": True,
    "content": {
        "text/csv": {"schema": {"type": "string", "maxLength": UPLOAD_LIMIT}},
        "application/octet-stream": {"schema": _FILE},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _FILE},
                "additionalProperties": False,
            }
        },
    },
}


class ImportProblemBody(ResponseBody):
    """One finding about one record; the header is record 1, `line` is the physical line."""

    record: Annotated[int, Meta(description="Which record of the file, from 1; the header is the first")]
    line: Annotated[int, Meta(description="The physical line that the record begins at, from 1")]
    field: Annotated[str | None, Meta(description="The column; null: the record as a whole")]
    code: str
    severity: Severity
    message: str


class ImportReportBody(ResponseBody):
    """What became of a file. `total` is the sum of the five counts below it; `problems` has the first thousand."""

    id: str
    bank: str
    file: str
    format: str
    mode: ImportMode
    status: ImportStatus
    total: Annotated[int, Meta(description="How many records the file has")]
    created: Annotated[int, Meta(description="How many questions are new")]
    updated: Annotated[int, Meta(description="How many questions were changed")]
    unchanged: Annotated[int, Meta(description="How many questions were the same already")]
    skipped: Annotated[int, Meta(description="How many records were left out without being wrong")]
    rejected: Annotated[int, Meta(description="How many records are wrong")]
    warnings: Annotated[dict[str, int], Meta(description="How often each remark was made, by its code")]
    problems: Annotated[list[ImportProblemBody], Meta(description="The findings, a thousand at most")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "imp_01m7y0w5089re0wwbvvzgw20sp",
        "bank": "network-fundamentals",
        "file": "network-fundamentals.csv",
        "format": "csv",
        "mode": "skip_invalid",
        "status": "succeeded",
        "total": 240,
        "created": 238,
        "updated": 0,
        "unchanged": 0,
        "skipped": 1,
        "rejected": 1,
        "warnings": {},
        "problems": [
            {
                "record": 17,
                "line": 19,
                "field": "stem",
                "code": "missing",
                "severity": "error",
                "message": "A question has a stem",
            }
        ],
    }


@post(
    "/instructor/question-imports",
    summary="Import a file of questions",
    operation_id="importQuestions",
    status_code=200,
    request_max_body_size=UPLOAD_LIMIT,
    opt={
        "callers": _STAFF,
        "body_seconds": UPLOAD_SECONDS,
        "refusals": (ImportRefused, ImportRunning, ImportsBusy, PublishingNotAllowed, UnsupportedMediaType),
        "request_body": _UPLOAD_BODY,
        "also_answers": (202,),
        "located": True,
    },
)
async def import_questions_from_file(
    request: ApiRequest,
    actor: Injected[Actor],
    import_in_time: Injected[ImportInTime],
    question_files: Injected[QuestionFiles],
    bank: Annotated[
        str | None, QueryParameter(max_length=100, description="Slug of the bank; the file's name unless told")
    ] = None,
    mode: FromQuery[ImportMode] = ImportMode.ALL_OR_NOTHING,
    publish: Annotated[bool, QueryParameter(description="Whether students see the questions at once")] = False,
    file_name: Annotated[
        str | None, QueryParameter(name="fileName", max_length=_MAX_NAME, description="Of a body that brings no name")
    ] = None,
    file_format: Annotated[
        str | None, QueryParameter(name="format", max_length=20, description="As `csv`; recognised unless told")
    ] = None,
    encoding: Annotated[
        str | None, QueryParameter(max_length=40, description="As `utf-8`; recognised unless told")
    ] = None,
    delimiter: Annotated[
        str | None, QueryParameter(max_length=1, description="Between fields; recognised unless told")
    ] = None,
    answer_base: Annotated[
        Literal[0, 1] | None,
        QueryParameter(name="answerBase", description="Which number the first option has where answers are numbers"),
    ] = None,
) -> Response[ImportReportBody]:
    """Import a file of questions, sent as the body or as the part `file` of a form, at most 50 MiB.

    Without `bank` the name of the file names the bank. An import that is refused changes nothing and says so by its
    `status`. The same file again changes nothing. One that takes longer than a few seconds is answered with 202 and
    the status `running`; its report is found at `Location`.
    """
    async with AsyncExitStack() as stack:
        upload = await stack.enter_async_context(received_file(request, _RAW_TYPES, UPLOAD_SECONDS))
        name = clean_name(file_name or upload.name) or _NAMELESS
        wanted = FileOptions(
            format=file_format or _format_of(request), encoding=encoding, delimiter=delimiter, answer_base=answer_base
        )
        order = ImportOrder(
            file=question_files.from_file(name, upload.file, wanted),
            bank=bank or bank_slug(name),
            mode=mode,
            publish=publish,
        )
        report = await import_in_time(actor, order, stack.pop_all().aclose)
    if report.status is ImportStatus.RUNNING:
        location = {"location": f"/instructor/question-imports/{report.id}"}
        return Response(_report(report), status_code=202, headers=location)
    return Response(_report(report))


@get(
    "/instructor/question-imports/{import_id:str}",
    summary="Read the report of an import",
    operation_id="getQuestionImport",
    opt={"callers": _STAFF, "refusals": (ImportNotFound,)},
)
async def get_question_import(
    import_id: FromPath[str], actor: Injected[Actor], read_import: Injected[ReadImport]
) -> ImportReportBody:
    """The report of an import."""
    return _report(await read_import(actor, import_id))


def _format_of(request: ApiRequest) -> str | None:
    return "csv" if request.content_type[0] in ("text/csv", "application/csv") else None


def _report(report: ImportReport) -> ImportReportBody:
    return ImportReportBody(
        id=report.id,
        bank=report.bank,
        file=report.file,
        format=report.format,
        mode=report.mode,
        status=report.status,
        total=report.total,
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        skipped=report.skipped,
        rejected=report.rejected,
        warnings=dict(report.warnings),
        problems=[_problem(problem) for problem in report.problems],
    )


def _problem(problem: ImportProblem) -> ImportProblemBody:
    return ImportProblemBody(
        record=problem.record,
        line=problem.line,
        field=problem.field,
        code=problem.code,
        severity=problem.severity,
        message=problem.message,
    )


handlers = [Router("/", route_handlers=[import_questions_from_file, get_question_import], tags=["question_bank"])]
