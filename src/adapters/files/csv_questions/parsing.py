"""The reading of a whole CSV file, from its bytes to its questions."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

from adapters.files.csv_questions.decoding import RecordTooLong, TextSource, has_stray_bytes, mend, open_text
from adapters.files.csv_questions.header import Columns, detect_delimiter, header_line, read_columns, refuse_too_many
from adapters.files.csv_questions.options import CsvOptions
from adapters.files.csv_questions.records import Record, Records, allow_long_fields
from adapters.files.csv_questions.rows import RowReader, stray_byte_problems
from domain.question_bank.import_refusals import EmptyFile, MissingHeader, UndecodableHeader
from domain.question_bank.imported import ImportProblem, ParsedItem, Severity, visible
from domain.question_bank.rejects import RejectedRecord

_DEFAULTS: Final = CsvOptions()


def parse_csv(
    chunks: Iterable[bytes], *, file: str, bank: str, options: CsvOptions = _DEFAULTS, with_rejects: bool = False
) -> Iterator[ParsedItem]:
    """Read questions lazily from chunks of any size, in file order; memory holds one block and one record.

    Every record below the header gives exactly one of: a question (after its warnings), a `BlankRecord`, problems with
    an error among them, or a problem of severity `skipped`. Raises an `ImportRefused` at the first item when the file
    is empty or its header does not keep the contract. `with_rejects` also gives the header, and the cells of every
    record with an error.
    """
    source, records = _opened(chunks, options)
    header = next(records)
    columns, remarks = _columns(header, source)
    if with_rejects:
        yield _record(header, source, is_header=True)
    yield from remarks
    rows = RowReader(columns, file=file, bank=bank, options=options)
    for record in records:
        number, line, cells = record
        if isinstance(cells, ImportProblem):
            items: Sequence[ParsedItem] = (cells,)
        else:
            items = rows.read(number, line, cells, guesses=source.guesses)
        yield from items
        if with_rejects and isinstance(items[-1], ImportProblem) and _is_refused(items):
            yield _record(record, source)


def records_of_csv(
    chunks: Iterable[bytes], wanted: Container[int], options: CsvOptions = _DEFAULTS
) -> Iterator[RejectedRecord]:
    """The header and the wanted records, as they stand in the file."""
    source, records = _opened(chunks, options)
    yield _record(next(records), source, is_header=True)
    for record in records:
        if record[0] in wanted:
            yield _record(record, source)


def _opened(chunks: Iterable[bytes], options: CsvOptions) -> tuple[TextSource, Iterator[Record]]:
    allow_long_fields()
    source = open_text(chunks, options.encoding)
    try:
        first, first_line = header_line(source.lines)
    except RecordTooLong:
        raise MissingHeader("The first line does not end") from None
    if not first:
        raise EmptyFile
    delimiter = options.delimiter or detect_delimiter(first)
    return source, iter(Records(header=first, header_line=first_line, lines=source.lines, delimiter=delimiter))


def _is_refused(items: Sequence[ParsedItem]) -> bool:
    return any(isinstance(item, ImportProblem) and item.severity is Severity.ERROR for item in items)


def _record(record: Record, source: TextSource, *, is_header: bool = False) -> RejectedRecord:
    """The record as it stands in the file; one that could not be taken apart has no cells."""
    number, line, cells = record
    kept = [] if isinstance(cells, ImportProblem) else cells
    if has_stray_bytes("".join(kept)):
        kept, _, _ = mend(kept, guesses=source.guesses)
    return RejectedRecord(record=number, line=line, cells=kept, is_header=is_header)


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
