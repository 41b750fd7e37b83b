"""What is sent to the question bank and what it answers: the parameters and the report of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from litestar.params import QueryParameter
from msgspec import Meta

from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus
from domain.question_bank.imported import ImportProblem, Severity
from entrypoints.http.fields import ResponseBody
from entrypoints.http.requests import MIB

UPLOAD_LIMIT: Final = 50 * MIB
_MAX_NAME = 255
_RECOGNISED = "recognised unless told"

Bank: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=100, description="Slug of the bank; the file's name unless told")
]
Publish: TypeAlias = Annotated[bool, QueryParameter(description="Whether students see the questions at once")]
FileName: TypeAlias = Annotated[
    str | None, QueryParameter(name="fileName", max_length=_MAX_NAME, description="Of a body that brings no name")
]
FileFormat: TypeAlias = Annotated[
    str | None, QueryParameter(name="format", max_length=20, description=f"As `csv`; {_RECOGNISED}")
]
Encoding: TypeAlias = Annotated[str | None, QueryParameter(max_length=40, description=f"As `utf-8`; {_RECOGNISED}")]
Delimiter: TypeAlias = Annotated[str | None, QueryParameter(max_length=1, description=f"Between cells; {_RECOGNISED}")]
AnswerBase: TypeAlias = Annotated[
    Literal[0, 1] | None,
    QueryParameter(name="answerBase", description="Which number the first option has where answers are numbers"),
]
_FILE: dict[str, Any] = {"type": "string", "format": "binary", "maxLength": UPLOAD_LIMIT}
UPLOAD_BODY: Final = {
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
                "field": "question-text",
                "code": "missing_text",
                "severity": "error",
                "message": "The question has no text.",
            }
        ],
    }


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
