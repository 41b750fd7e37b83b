"""The question bank over HTTP: imports."""

from __future__ import annotations

from contextlib import AsyncExitStack

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from application.question_bank.imports import (
    ImportNotFound,
    ImportOrder,
    ImportRunning,
    ImportsBusy,
    PublishingNotAllowed,
    ReadImport,
)
from application.question_bank.long_imports import ImportInTime
from application.question_bank.ports.importing import FileOptions, QuestionFiles
from domain.auth.people import Actor, Role
from domain.question_bank.banks import bank_slug
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.import_report import ImportMode, ImportStatus
from entrypoints.http.injection import Injected
from entrypoints.http.question_bank.import_bodies import (
    UPLOAD_BODY,
    UPLOAD_LIMIT,
    AnswerBase,
    Bank,
    Delimiter,
    Encoding,
    FileFormat,
    FileName,
    ImportReportBody,
    Publish,
    import_report,
)
from entrypoints.http.refusals import UnsupportedMediaType
from entrypoints.http.requests import ApiRequest
from entrypoints.http.uploads import clean_name, received_file

UPLOAD_SECONDS = 60
_NAMELESS = "questions.csv"
_RAW_TYPES = ("text/csv", "application/csv", "application/octet-stream")
_STAFF = (Role.INSTRUCTOR, Role.ADMIN)


@post(
    "/instructor/question-imports",
    summary="Import a file of questions",
    operation_id="importQuestions",
    status_code=200,
    request_max_body_size=UPLOAD_LIMIT,
    opt={
        "callers": _STAFF,
        "quota": "import",
        "body_seconds": UPLOAD_SECONDS,
        "refusals": (ImportRefused, ImportRunning, ImportsBusy, PublishingNotAllowed, UnsupportedMediaType),
        "request_body": UPLOAD_BODY,
        "also_answers": (202,),
        "located": True,
    },
)
async def import_questions_from_file(
    request: ApiRequest,
    actor: Injected[Actor],
    import_in_time: Injected[ImportInTime],
    question_files: Injected[QuestionFiles],
    bank: Bank = None,
    mode: FromQuery[ImportMode] = ImportMode.ALL_OR_NOTHING,
    publish: Publish = False,
    file_name: FileName = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    answer_base: AnswerBase = None,
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
        return Response(import_report(report), status_code=202, headers=location)
    return Response(import_report(report))


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
    return import_report(await read_import(actor, import_id))


def _format_of(request: ApiRequest) -> str | None:
    return "csv" if request.content_type[0] in ("text/csv", "application/csv") else None


handlers: list[ControllerRouterHandler] = [import_questions_from_file, get_question_import]
