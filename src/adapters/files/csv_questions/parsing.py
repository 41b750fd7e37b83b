"""The reading of a whole CSV file, from its bytes to its questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from adapters.files.csv_questions.decoding import RecordTooLong, TextSource, has_stray_bytes, mend, open_text
from adapters.files.csv_questions.header import Columns, detect_delimiter, header_line, read_columns, refuse_too_many
from adapters.files.csv_questions.options import CsvOptions
from adapters.files.csv_questions.records import Records, allow_long_fields
from adapters.files.csv_questions.rows import RowReader, stray_byte_problems
from domain.question_bank.import_refusals import EmptyFile, MissingHeader, UndecodableHeader
from domain.question_bank.imported import ImportProblem, ParsedItem, Severity, visible

_DEFAULTS: Final = CsvOptions()


def parse_csv(
    chunks: Iterable[bytes], *, file: str, bank: str, options: CsvOptions = _DEFAULTS
) -> Iterator[ParsedItem]:
    """Read questions lazily from chunks of any size, in file order; memory holds one block and one record.

    Every record below the header gives exactly one of: a question (after its warnings), a `BlankRecord`, problems with
    an error among them, or a problem of severity `skipped`. Raises an `ImportRefused` at the first item when the file
    is empty or its header does not keep the contract.
    """
    allow_long_fields()
    source = open_text(chunks, options.encoding)
    try:
        first, first_line = header_line(source.lines)
    except RecordTooLong:
        raise MissingHeader("The first line does not end") from None
    if not first:
        raise EmptyFile
    delimiter = options.delimiter or detect_delimiter(first)
    records = iter(Records(header=first, header_line=first_line, lines=source.lines, delimiter=delimiter))
    columns, remarks = _columns(next(records), source)
    yield from remarks
    rows = RowReader(columns, file=file, bank=bank, options=options)
    for number, line, cells in records:
        if isinstance(cells, ImportProblem):
            yield cells
        else:
            yield from rows.read(number, line, cells, guesses=source.guesses)


def _columns(
    header: tuple[int, int, list[str] | ImportProblem], source: TextSource
) -> tuple[Columns, Sequence[ImportProblem]]:
    """The columns, and what is remarkable about the header."""
    number, line, cells = header
    if isinstance(cells, ImportProblem):
        raise MissingHeader(f"The first record cannot be read: {cells.message}")
    refuse_too_many(cells)
    remarks: list[ImportProblem] = []
    if has_stray_bytes("".join(cells)):
        cells, guessed, unreadable = mend(cells, guesses=source.guesses)
        if unreadable:
            raise UndecodableHeader(f"{source.encoding} cannot decode column {unreadable[0] + 1} of the header")
        remarks = stray_byte_problems(number, line, guessed, [])
    columns = read_columns(cells)
    remarks += [
        ImportProblem(
            record=number,
            line=line,
            field=visible(name),
            code="unknown_column",
            severity=Severity.WARNING,
            message="The column is not part of a question and is left out.",
        )
        for name in columns.unknown
    ]
    return columns, remarks
