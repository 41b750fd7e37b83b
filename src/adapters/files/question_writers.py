"""Writers of files of questions, by format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adapters.files.aiken_questions import AikenWriter
from adapters.files.csv_questions.writing import CsvWriter
from adapters.files.gift_questions import GiftWriter
from adapters.files.jsonl_questions import JsonlWriter
from adapters.files.moodle_questions import MoodleWriter
from adapters.files.qti_questions import CanvasWriter, Qti3Writer
from application.question_bank.ports.exporting import ExportFormat, QuestionWriter, QuestionWriters
from domain.errors import FieldProblem, InvalidInput

_WRITERS: Final[Mapping[ExportFormat, Callable[[], QuestionWriter]]] = {
    ExportFormat.CSV: CsvWriter,
    ExportFormat.JSONL: JsonlWriter,
    ExportFormat.GIFT: GiftWriter,
    ExportFormat.AIKEN: AikenWriter,
    ExportFormat.MOODLE_XML: MoodleWriter,
    ExportFormat.CANVAS_QTI: CanvasWriter,
    ExportFormat.QTI3: Qti3Writer,
}


class QuestionWritersByFormat(QuestionWriters):
    """Makes the writer of a format."""

    def writer(self, format_: ExportFormat, *, excel_safe: bool) -> QuestionWriter:
        if not excel_safe:
            return _WRITERS[format_]()
        if format_ is not ExportFormat.CSV:
            message = "Only CSV is opened by spreadsheets."
            raise InvalidInput(message, problems=(FieldProblem("/excelSafe", "not_for_this_format", message),))
        return CsvWriter(excel_safe=True)
