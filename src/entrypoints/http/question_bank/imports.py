"""The question bank over HTTP: imports."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from typing import IO, Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from application.idempotency import KeyReused
from application.question_bank.import_reading import (
    CancelImport,
    ImportEnded,
    ImportNotFound,
    ListImports,
    ReadImport,
    ReadRejects,
)
from application.question_bank.imports import ImportOrder, ImportRunning, ImportsBusy, PublishingNotAllowed
from application.question_bank.long_imports import AnsweredImport, ImportInTime
from application.question_bank.ports.importing import FileOptions, KnownImport, OnceKey, QuestionFiles
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.question_bank.banks import bank_slug
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.import_report import ImportMode, ImportStatus
from domain.question_bank.lifecycle_refusals import BankNotFound
from entrypoints.http.idempotency import idempotency_key, once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.question_bank.import_bodies import (
    UPLOAD_BODY,
    UPLOAD_LIMIT,
    AnswerBase,
    Bank,
    Delimiter,
    Encoding,
    FileFormat,
    FileName,
    ImportPage,
    ImportReportBody,
    Publish,
    import_report,
)
from entrypoints.http.question_bank.import_form import FORM_FIELDS, Asked, with_form
from entrypoints.http.refusals import UnsupportedMediaType, invalid
from entrypoints.http.requests import MIB, ApiRequest
from entrypoints.http.uploads import clean_name, received_file

UPLOAD_SECONDS = 60
_NAMELESS = "questions"
# What a body may be, and how a file is called that brings no name: an ending tells its format, or where to look for it;
# without an ending, what stands in the file tells it.
_RAW_TYPES = {
    "text/csv": "questions.csv",
    "application/csv": "questions.csv",
    "application/x-ndjson": "questions.jsonl",
    "application/xml": "questions.xml",
    "text/xml": "questions.xml",
    "application/zip": "questions.zip",
    "text/plain": "questions.txt",
    "application/octet-stream": _NAMELESS,
}
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
        "refusals": (
            BankNotFound,
            ImportRefused,
            ImportRunning,
            ImportsBusy,
            KeyReused,
            PublishingNotAllowed,
            UnsupportedMediaType,
        ),
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

    Without `bank` the name of the file names the bank. In a form, what the query may say can stand in parts of the
    same names instead. An import that is refused changes nothing and says so by its
    `status`. The same file again changes nothing. One that takes longer than a few seconds is answered with 202 and
    the status `running`; its report is found at `Location`. The same file again with the same `Idempotency-Key` is the
    same import, unless that failed or was cancelled.
    """
    asked = Asked(
        bank=bank,
        mode=mode,
        publish=publish,
        file_name=file_name,
        format=file_format,
        encoding=encoding,
        delimiter=delimiter,
        answer_base=answer_base,
    )
    return await _import(request, actor, asked, question_files, import_in_time)


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


@get(
    "/instructor/question-imports",
    summary="List imports",
    operation_id="listQuestionImports",
    opt={"callers": _STAFF},
)
async def list_question_imports(
    request: ApiRequest,
    actor: Injected[Actor],
    paging: NamedDependency[Paging],
    list_imports: Injected[ListImports],
    bank: Annotated[str | None, QueryParameter(max_length=100, description="Only into this bank, by its slug")] = None,
) -> Response[ImportPage]:
    """Imports with their reports, running ones included, the newest first: one's own and those into visible banks."""
    after = paging.after(str)
    found = await list_imports(actor, bank, after=after[0] if after else None, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda known: (known.report.id,), item=_listed, body=ImportPage)


@get(
    "/instructor/question-imports/{import_id:str}/rejects.csv",
    summary="Read what an import rejected",
    operation_id="getQuestionImportRejects",
    media_type="text/csv",
    response_description="The rejected records, with what is wrong with each in its first four columns",
    opt={"callers": _STAFF, "refusals": (ImportNotFound,)},
)
async def get_question_import_rejects(
    import_id: FromPath[str],
    actor: Injected[Actor],
    read_rejects: Injected[ReadRejects],
    excel_safe: Annotated[
        bool, QueryParameter(name="excelSafe", description="An apostrophe before what spreadsheets take for a formula")
    ] = False,
) -> Stream:
    """All rejected records as they stand in the file, to be corrected and imported again; empty when there are none.

    An import passes over the four columns that say what was wrong.
    """
    pieces = await read_rejects(actor, import_id, excel_safe=excel_safe)
    headers = {"content-disposition": f'attachment; filename="{import_id}-rejects.csv"', "cache-control": "no-store"}
    return Stream(pieces, media_type="text/csv", headers=headers)


@post(
    "/instructor/question-imports/{import_id:str}/cancel",
    summary="Cancel a running import",
    operation_id="cancelQuestionImport",
    status_code=200,
    opt={"callers": _STAFF, "refusals": (Forbidden, ImportEnded, ImportNotFound)},
)
async def cancel_question_import(
    request: ApiRequest, import_id: FromPath[str], actor: Injected[Actor], cancel_import: Injected[CancelImport]
) -> Response[Any]:
    """Stop an import that runs, by whoever started it or an administrator. Within seconds it ends as `cancelled`.

    It leaves nothing behind in the bank.
    """
    return await once(request, actor, lambda: cancel_import(actor, import_id), import_report)


async def _import(
    request: ApiRequest, actor: Actor, asked: Asked, question_files: QuestionFiles, import_in_time: ImportInTime
) -> Response[ImportReportBody]:
    key = idempotency_key(request)
    async with AsyncExitStack() as stack:
        receiving = received_file(request, tuple(_RAW_TYPES), UPLOAD_SECONDS, FORM_FIELDS)
        upload = await stack.enter_async_context(receiving)
        asked = with_form(asked, request.query_params, upload.fields)
        named = clean_name(asked.file_name or upload.name)
        if not (asked.bank or named):
            raise invalid("?bank", "missing", "Neither a bank nor a file's name, which would name it, was sent")
        name, wanted = named or _RAW_TYPES.get(request.content_type[0], _NAMELESS), asked.options(_format_of(request))
        order = ImportOrder(
            file=question_files.from_file(name, upload.file, wanted),
            bank=asked.bank or bank_slug(name),
            mode=asked.mode,
            publish=asked.publish,
        )
        once = None if key is None else OnceKey(key, await _fingerprint(upload.file, order, wanted))
        answered = await import_in_time(actor, order, stack.pop_all().aclose, once)
    return _answer(answered)


def _answer(answered: AnsweredImport) -> Response[ImportReportBody]:
    headers = {"idempotency-replayed": "true"} if answered.replayed else {}
    if answered.report.status is ImportStatus.RUNNING:
        headers["location"] = f"/instructor/question-imports/{answered.report.id}"
        return Response(import_report(answered.report), status_code=202, headers=headers)
    return Response(import_report(answered.report), headers=headers)


def _listed(known: KnownImport) -> ImportReportBody:
    return import_report(known.report)


async def _fingerprint(file: IO[bytes], order: ImportOrder, wanted: FileOptions) -> bytes:
    """What makes two imports the same: the bytes of the file and everything that was said about it."""

    def digest() -> bytes:
        said = repr((order.file.name, order.bank, order.mode.value, order.publish, wanted))
        whole = hashlib.sha256(said.encode("utf-8", "surrogatepass"))
        file.seek(0)
        while content := file.read(MIB):
            whole.update(content)
        return whole.digest()

    return await asyncio.to_thread(digest)


def _format_of(request: ApiRequest) -> str | None:
    return "csv" if request.content_type[0] in ("text/csv", "application/csv") else None


handlers: list[ControllerRouterHandler] = [
    import_questions_from_file,
    get_question_import,
    list_question_imports,
    get_question_import_rejects,
    cancel_question_import,
]
