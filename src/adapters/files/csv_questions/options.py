"""What the person who imports a CSV file may state about it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

from domain.question_bank.import_refusals import InvalidImportOption
from domain.question_bank.imported import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """Overrides of what the file itself tells; `None` leaves the decision to the file.

    `answer_base` is the number by which the file counts its first option; without it numbers are refused as answers.
    """

    encoding: str | None = None
    delimiter: str | None = None
    answer_base: Literal[0, 1] | None = None
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.encoding is not None and not _decodes_text(self.encoding):
            raise InvalidImportOption(f"There is no text encoding {shown(self.encoding)}", field="encoding")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidImportOption(f"{shown(self.delimiter)} cannot separate cells", field="delimiter")
        if self.answer_base not in (None, 0, 1):
            raise InvalidImportOption("Options are counted from 0 or from 1", field="answer_base")


def _decodes_text(encoding: str) -> bool:
    """Whether Python knows it as an encoding of text that can go on after an undecodable byte."""
    try:
        b"a".decode(encoding, "ignore")
        codecs.getincrementaldecoder(encoding)("surrogateescape").decode(b"a")
    except (LookupError, UnicodeError, ValueError):
        return False
    return True
