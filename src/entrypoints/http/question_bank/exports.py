"""The question bank over HTTP: exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from litestar import get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.question_bank.export_stream import ExportTally
from application.question_bank.exporting import ExportOrder, ExportQuestions, ExportsBusy, LossesTakeTooLong
from application.question_bank.ports.exporting import ExportFormat, ExportVersions
from domain.auth.people import Actor, Role
from domain.question_bank.lifecycle_refusals import BankNotFound
from entrypoints.http.fields import ID_PATTERN, ResponseBody
from entrypoints.http.injection import Injected

_STAFF: Final = (Role.INSTRUCTOR, Role.ADMIN)

_Bank: TypeAlias = Annotated[
    str,
    QueryParameter(name="questionBankId", min_length=1, max_length=64, pattern=ID_PATTERN, description="The bank"),
]
_Format: TypeAlias = Annotated[ExportFormat, QueryParameter(name="format", description="The format of the file")]
_ExcelSafe: TypeAlias = Annotated[
    bool,
    QueryParameter(name="excelSafe", description="CSV only: an apostrophe before what spreadsheets take for a formula"),
]


class LossBody(ResponseBody):
    """What a format cannot say about one question. `unsupported` and `incomplete` mean the whole question."""

    external_id: str
    code: str
    message: str


class ExportLossesBody(ResponseBody):
    """What an export would lose. `problems` has the first thousand.

    Of a large bank only the first questions are looked at: then `complete` is false, and the other figures are theirs.
    """

    format: ExportFormat
    complete: Annotated[bool, Meta(description="Whether all the questions were looked at, and not only the first ones")]
    questions: Annotated[int, Meta(description="How many questions were looked at; all of these versions if complete")]
    exported: Annotated[int, Meta(description="How many of them the file would hold, whole or in part")]
    losses: Annotated[dict[str, int], Meta(description="How many questions lose something, by code")]
    problems: Annotated[list[LossBody], Meta(description="The losses one by one, a thousand at most")]

    example: ClassVar[Mapping[str, Any]] = {
        "format": "aiken",
        "complete": True,
        "questions": 240,
        "exported": 239,
        "losses": {"id_changed": 239, "unsupported": 1},
        "problems": [
            {
                "externalId": "NET-017",
                "code": "unsupported",
                "message": "The format has no questions like this one (numeric).",
            }
        ],
    }


@get(
    "/instructor/question-exports",
    summary="Export the questions of a bank",
    operation_id="exportQuestions",
    media_type="application/octet-stream",
    response_description="The file, in the media type of its format",
    opt={"callers": _STAFF, "refusals": (BankNotFound, ExportsBusy)},
)
async def export_questions_to_file(
    actor: Injected[Actor],
    export_questions: Injected[ExportQuestions],
    bank: _Bank,
    file_format: _Format,
    versions: FromQuery[ExportVersions] = ExportVersions.LATEST,
    excel_safe: _ExcelSafe = False,
) -> Stream:
    """A file of all questions of a bank, keys included, as they were at one instant; `published` leaves drafts out.

    The same questions give the same bytes. Drafts that are not complete are left out, and so is what the format
    cannot say; what that is, is told beside it at `/instructor/question-exports/losses`. A transfer that breaks off is
    not a file.
    """
    order = ExportOrder(bank=bank, format=file_format, versions=versions, excel_safe=excel_safe)
    export = await export_questions(actor, order)
    headers = {
        "content-disposition": f'attachment; filename="{export.file_name}"',
        # The route is documented as bytes of any kind; the file says what it is.
        "content-type": export.writer.media_type,
        "cache-control": "no-store",
    }
    return Stream(export.pieces(), headers=headers)


@get(
    "/instructor/question-exports/losses",
    summary="Tell what an export would lose",
    operation_id="getQuestionExportLosses",
    opt={"callers": _STAFF, "refusals": (BankNotFound, ExportsBusy, LossesTakeTooLong)},
)
async def get_question_export_losses(
    actor: Injected[Actor],
    export_questions: Injected[ExportQuestions],
    bank: _Bank,
    file_format: _Format,
    versions: FromQuery[ExportVersions] = ExportVersions.LATEST,
    excel_safe: _ExcelSafe = False,
) -> ExportLossesBody:
    """What the format cannot say about the questions of a bank: counted by code, and the first thousand by question.

    Looked at are the first 20,000 questions by external id, fewer when that takes long; `complete` tells whether these
    are all. What an export loses as a whole is told by `ace export questions --json`.
    """
    order = ExportOrder(bank=bank, format=file_format, versions=versions, excel_safe=excel_safe)
    return _body(file_format, await export_questions.losses(actor, order))


def _body(file_format: ExportFormat, tally: ExportTally) -> ExportLossesBody:
    return ExportLossesBody(
        format=file_format,
        complete=tally.is_complete,
        questions=tally.questions,
        exported=tally.exported,
        losses=dict(sorted(tally.losses.counts.items())),
        problems=[
            LossBody(external_id=loss.external_id, code=loss.code, message=loss.message) for loss in tally.losses.kept
        ],
    )


handlers: list[ControllerRouterHandler] = [export_questions_to_file, get_question_export_losses]
