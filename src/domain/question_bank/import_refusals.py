"""Refusals of a whole file: nothing of it is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from domain.errors import DomainError, Kind
from domain.question_bank.imported import visible

_COLUMNS_LISTED = 60


class ImportRefused(DomainError):
    """A file that cannot be read as questions at all. `field` names the column or option, `columns` what was seen."""

    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, detail: str = "", *, field: str | None = None, columns: Sequence[str] = ()) -> None:
        self.field = field
        self.columns = tuple(map(visible, columns[:_COLUMNS_LISTED]))
        super().__init__(f"{detail}. Columns seen: {', '.join(self.columns)}" if columns else detail)

    @property
    def problem_code(self) -> str:
        """The code as it stands in an import report, without its area."""
        return self.code.removeprefix("import.")


class EmptyFile(ImportRefused):
    """The file holds no text."""

    code = "import.empty_file"
    title = "The file is empty"


class MissingHeader(ImportRefused):
    """The first record names none of the columns of a question."""

    code = "import.missing_header"
    title = "The file does not start with a header"


class UndecodableHeader(ImportRefused):
    """The header holds bytes that mean nothing in the encoding of the file."""

    code = "import.undecodable_header"
    title = "The header cannot be decoded"


class MissingColumn(ImportRefused):
    """The header lacks a column that every question needs."""

    code = "import.missing_column"
    title = "A column is missing"


class DuplicateColumn(ImportRefused):
    """The header names a column twice, so it is unclear which one counts."""

    code = "import.duplicate_column"
    title = "A column is named twice"


class InvalidImportOption(ImportRefused):
    """An option of the import (encoding, delimiter, answer base) has no meaning."""

    code = "import.invalid_option"
    title = "An option of the import is not valid"
