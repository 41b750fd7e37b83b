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


class ForbiddenXml(ImportRefused):
    """XML that asks for more than text: entities, endless declarations, depth or size. `field` says what."""

    code = "import.forbidden_xml"
    title = "The XML uses what no question needs"


class MalformedXml(ImportRefused):
    """The file breaks off or is not well-formed, so nothing after that place can be trusted."""

    code = "import.malformed_xml"
    title = "The XML is not well-formed"


class UnexpectedXml(ImportRefused):
    """The file is sound XML, but not of the kind that was asked for."""

    code = "import.unexpected_xml"
    title = "The XML holds something else than questions of this format"


class BadZip(ImportRefused):
    """The file is no ZIP archive, is damaged, or needs a password or a method of compression that is not read here."""

    code = "import.bad_zip"
    title = "The ZIP archive cannot be read"


class UnsafePath(ImportRefused):
    """A name in the archive or its manifest leads out of it or is not a plain file."""

    code = "import.unsafe_path"
    title = "A path in the archive is not safe"


class ZipTooLarge(ImportRefused):
    """The archive holds more, or inflates to more, than a set of questions ever does."""

    code = "import.zip_too_large"
    title = "The archive is too large"


class MissingManifest(ImportRefused):
    """The archive has no manifest that says which of its files are questions."""

    code = "import.missing_manifest"
    title = "The archive has no manifest"


class VersionUnknown(ImportRefused):
    """The file says that it is written in a version of its format that is not known here."""

    code = "import.version_unknown"
    title = "The version of the format is not known"
