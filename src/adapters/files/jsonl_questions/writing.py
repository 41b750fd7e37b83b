"""The writing of questions as JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import msgspec

from adapters.files.jsonl_questions.shapes import FORMAT, NAME, VERSION, Header, line_of
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import ImportedQuestion

_encode = msgspec.json.Encoder().encode


def project_jsonl(question: ImportedQuestion) -> ImportedQuestion | None:
    """Everything: the format loses nothing."""
    return question


class JsonlWriter(QuestionWriter):
    """One canonical question per line below a header; no bank and no clock, so equal banks give equal bytes."""

    format: ClassVar[str] = FORMAT
    media_type: ClassVar[str] = "application/x-ndjson"
    ending: ClassVar[str] = ".jsonl"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        yield _encode(Header(format=NAME, version=VERSION)) + b"\n"
        for question in questions:
            yield _encode(line_of(question)) + b"\n"
