"""Files of questions, by format: what the use case of importing reads."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Final, Protocol

from adapters.files.aiken_questions import parse_aiken
from adapters.files.csv_questions import CsvOptions, parse_csv, records_of_csv
from adapters.files.excerpts import excerpt_of
from adapters.files.gift_questions import parse_gift
from adapters.files.jsonl_questions import parse_jsonl
from adapters.files.moodle_questions import parse_moodle
from adapters.files.qti_questions import parse_qti
from adapters.files.question_formats import FormatUnknown, format_of
from adapters.files.sources import FileSource
from application.question_bank.ports.importing import FileOptions, QuestionFile, QuestionFiles
from domain.question_bank.import_refusals import InvalidImportOption
from domain.question_bank.imported import ImportedQuestion, ParsedItem
from domain.question_bank.rejects import RejectedRecord

__all__ = ["FormatUnknown", "QuestionFilesByFormat"]

_CHUNK: Final = 256 * 1024


class Parser(Protocol):
    """Reads the questions of one format; it can be sent to another process."""

    def __call__(
        self, file: IO[bytes], *, file_name: str, bank: str, with_rejects: bool = False
    ) -> Iterator[ParsedItem]: ...


_PARSERS: Final[Mapping[str, Parser]] = {
    "jsonl": parse_jsonl,
    "gift": parse_gift,
    "aiken": parse_aiken,
    "moodle_xml": parse_moodle,
    "qti": parse_qti,
}
_TEXTS: Final = {"gift": parse_gift, "aiken": parse_aiken}


class CsvQuestionFile(QuestionFile):
    """A CSV file with the columns of the import contract."""

    def __init__(self, name: str, source: FileSource, options: CsvOptions) -> None:
        self._name = name
        self.source = source
        self._options = options

    @property
    def name(self) -> str:
        return self._name

    @property
    def format(self) -> str:
        return "csv"

    def read(self, bank: str) -> Iterator[ParsedItem]:
        with self.source() as file:
            yield from parse_csv(_chunks(file), file=self._name, bank=bank, options=self._options, with_rejects=True)

    def records(self, wanted: Container[int]) -> Iterator[RejectedRecord]:
        with self.source() as file:
            yield from records_of_csv(_chunks(file), wanted, self._options)


class ParsedQuestionFile(QuestionFile):
    """A file in a format whose parser needs nothing but its bytes."""

    def __init__(self, name: str, source: FileSource, format_: str, parser: Parser) -> None:
        self._name = name
        self.source = source
        self._format = format_
        self._parse = parser

    @property
    def name(self) -> str:
        return self._name

    @property
    def format(self) -> str:
        return self._format

    def read(self, bank: str) -> Iterator[ParsedItem]:
        with self.source() as file:
            yield from self._parse(file, file_name=self._name, bank=bank, with_rejects=True)

    def records(self, wanted: Container[int]) -> Iterator[RejectedRecord]:
        """Questions that could be read: id and beginning of the text."""
        with self.source() as file:
            for item in self._parse(file, file_name=self._name, bank=""):
                if isinstance(item, ImportedQuestion) and item.origin.record in wanted:
                    yield excerpt_of(item)


class QuestionFilesByFormat(QuestionFiles):
    """Makes the reader for a format; without one the ending of the name tells it, and where it cannot, the content."""

    def from_path(self, path: Path, options: FileOptions) -> QuestionFile:
        return self._file(path.name, FileSource(path=path), options)

    def from_file(self, name: str, file: IO[bytes], options: FileOptions) -> QuestionFile:
        return self._file(name, FileSource(file=file), options)

    def _file(self, name: str, source: FileSource, options: FileOptions) -> QuestionFile:
        wanted = format_of(name, source, options.format)
        if wanted == "csv":
            return CsvQuestionFile(name, source, _csv_options(options))
        return ParsedQuestionFile(name, source, wanted, _parser(wanted, options))


def _parser(format_: str, options: FileOptions) -> Parser:
    """The parser with the options that mean something to it; the others are refused rather than passed over."""
    if options.delimiter is not None or options.answer_base is not None:
        field = "answer_base" if options.delimiter is None else "delimiter"
        raise InvalidImportOption(f"Only CSV has it, this is {format_}", field=field)
    if options.encoding is None:
        return _PARSERS[format_]
    if format_ not in _TEXTS:
        raise InvalidImportOption(f"A file of {format_} tells its encoding itself", field="encoding")
    return partial(_TEXTS[format_], encoding=_csv_options(options).encoding)


def _csv_options(options: FileOptions) -> CsvOptions:
    return CsvOptions(encoding=options.encoding, delimiter=options.delimiter, answer_base=options.answer_base)


def _chunks(file: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")
