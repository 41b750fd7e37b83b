"""What is sent to the question bank and what it answers: the parameters and the report of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from litestar.params import QueryParameter
from msgspec import Meta

from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus
from domain.question_bank.imported import ImportProblem, Severity
from entrypoints.http.fields import PageBody, ResponseBody
from entrypoints.http.requests import MIB

UPLOAD_LIMIT: Final = 50 * MIB
MAX_BANK: Final = 100
MAX_NAME: Final = 255
MAX_FORMAT: Final = 20
MAX_ENCODING: Final = 40
_RECOGNISED = "recognised unless told"

Bank: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=MAX_BANK, description="Slug of the bank; the file's name unless told")
]
Publish: TypeAlias = Annotated[bool, QueryParameter(description="Whether students see the questions at once")]
FileName: TypeAlias = Annotated[
    str | None, QueryParameter(name="fileName", max_length=MAX_NAME, description="Of a body that brings no name")
]
FileFormat: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="format", max_length=MAX_FORMAT, description=f"csv, jsonl, gift, aiken, moodle_xml or qti; {_RECOGNISED}"
    ),
]
Encoding: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=MAX_ENCODING, description=f"As `utf-8`; {_RECOGNISED}")
]
Delimiter: TypeAlias = Annotated[str | None, QueryParameter(max_length=1, description=f"Between cells; {_RECOGNISED}")]
AnswerBase: TypeAlias = Annotated[
    Literal[0, 1] | None,
    QueryParameter(name="answerBase", description="Which number the first option has where answers are numbers"),
]
_TEXTS: Final = ("text/csv", "application/x-ndjson", "application/xml", "text/plain")
_FILE: dict[str, Any] = {"type": "string", "format": "binary", "maxLength": UPLOAD_LIMIT}
# Parts of a form are texts, as what stands in a query is; they mean the same and have the same bounds.
_FORM: Final[dict[str, Any]] = {
    "file": _FILE,
    "bank": {"type": "string", "maxLength": MAX_BANK},
    "mode": {"type": "string", "enum": [mode.value for mode in ImportMode]},
    "publish": {"type": "boolean"},
    "fileName": {"type": "string", "maxLength": MAX_NAME},
    "format": {"type": "string", "maxLength": MAX_FORMAT},
    "encoding": {"type": "string", "maxLength": MAX_ENCODING},
    "delimiter": {"type": "string", "maxLength": 1},
    "answerBase": {"type": "integer", "enum": [0, 1]},
}
UPLOAD_BODY: Final = {
    "required": True,
    "content": {
        **{name: {"schema": {"type": "string", "maxLength": UPLOAD_LIMIT}} for name in _TEXTS},
        "application/zip": {"schema": _FILE},
        "application/octet-stream": {"schema": _FILE},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "description": "The file, and what may stand in the query as well; a contradiction is refused",
                "properties": _FORM,
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
    detail: Annotated[str | None, Meta(description="What the code is about, as the type of a question, where told")]


class ImportProgressBody(ResponseBody):
    """How much of its file an import has read; said anew every second."""

    bytes_read: Annotated[int, Meta(description="How much of the file was read")]
    bytes_total: Annotated[int, Meta(description="0 where that cannot be told")]
    records: Annotated[int, Meta(description="How many records were read")]


class ImportReportBody(ResponseBody):
    """What became of a file. `total` is the sum of the five counts below it; `problems` has a thousand.

    All rejected records are in the file at `…/rejects.csv`.
    """

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
    problems: Annotated[
        list[ImportProblemBody],
        Meta(description="The findings by record, a thousand at most; no error makes way for a remark"),
    ]
    rejects_truncated: Annotated[bool, Meta(description="Whether more was rejected than is kept")]
    progress: ImportProgressBody

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
                "field": "question-text",
                "code": "missing_text",
                "severity": "error",
                "message": "The question has no text.",
                "detail": None,
            }
        ],
        "rejectsTruncated": False,
        "progress": {"bytesRead": 48211, "bytesTotal": 48211, "records": 240},
    }


class ImportPage(PageBody):
    """Imports, the newest first."""

    items: list[ImportReportBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [ImportReportBody.example], "nextCursor": None}


def import_report(report: ImportReport) -> ImportReportBody:
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
        rejects_truncated=report.rejects_truncated,
        progress=ImportProgressBody(
            bytes_read=report.progress.bytes_read,
            bytes_total=report.progress.bytes_total,
            records=report.progress.records,
        ),
    )


def _problem(problem: ImportProblem) -> ImportProblemBody:
    return ImportProblemBody(
        record=problem.record,
        line=problem.line,
        field=problem.field,
        code=problem.code,
        severity=problem.severity,
        message=problem.message,
        detail=problem.detail,
    )
