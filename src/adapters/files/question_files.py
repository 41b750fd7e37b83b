"""Files of questions, by format: what the use case of importing reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from adapters.files.csv_questions import CsvOptions, parse_csv
from application.question_bank.ports.importing import FileOptions, QuestionFile, QuestionFiles
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import ParsedItem

_CHUNK = 256 * 1024
Opener = Callable[[], AbstractContextManager[IO[bytes]]]


class FormatUnknown(ImportRefused):
    """The file is in no format that can be imported."""

    code = "import.format_unknown"
    title = "Questions cannot be read from this format"


class CsvQuestionFile(QuestionFile):
    """A CSV file with the columns of the import contract."""

    def __init__(self, name: str, opener: Opener, options: CsvOptions) -> None:
        self._name = name
        self._open = opener
        self._options = options

    @property
    def name(self) -> str:
        return self._name

    @property
    def format(self) -> str:
        return "csv"

    def read(self, bank: str) -> Iterator[ParsedItem]:
        with self._open() as file:
            file.seek(0)
            yield from parse_csv(_chunks(file), file=self._name, bank=bank, options=self._options)


class QuestionFilesByFormat(QuestionFiles):
    """Makes the reader for a format; without one the ending of the name tells it."""

    def from_path(self, path: Path, options: FileOptions) -> QuestionFile:
        return self._file(path.name, lambda: path.open("rb"), options)

    def from_file(self, name: str, file: IO[bytes], options: FileOptions) -> QuestionFile:
        return self._file(name, lambda: nullcontext(file), options)

    def _file(self, name: str, opener: Opener, options: FileOptions) -> QuestionFile:
        wanted = options.format or name.rpartition(".")[2].lower()
        if wanted != "csv":
            raise FormatUnknown(f"{wanted or 'No format'}: only csv can be imported", field="format")
        return CsvQuestionFile(name, opener, _csv_options(options))


def _csv_options(options: FileOptions) -> CsvOptions:
    return CsvOptions(encoding=options.encoding, delimiter=options.delimiter, answer_base=options.answer_base)


def _chunks(file: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")
