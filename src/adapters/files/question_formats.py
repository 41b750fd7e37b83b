"""Which format a file is in: what was said, else the ending of its name, else what stands in it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

from adapters.files.csv_questions.header import normalized_name
from adapters.files.safe_xml import sniff_root
from adapters.files.sources import FileSource
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import shown

FORMATS: Final = ("csv", "jsonl", "gift", "aiken", "moodle_xml", "qti")

_BY_ENDING: Final[Mapping[str, str]] = {
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "gift": "gift",
    "aiken": "aiken",
    "zip": "qti",
    "imscc": "qti",
    "qti": "qti",
}
_MOODLE_ROOT: Final = "quiz"
_QTI_ROOTS: Final = frozenset(
    {
        "questestinterop",
        "assessmentItem",
        "assessmentTest",
        "qti-assessment-item",
        "qti-assessment-test",
        "manifest",
    }
)
_HEAD: Final = 64 * 1024
_AIKEN_ANSWER: Final = re.compile(r"^[ \t]*ANSWER[ \t]*:[ \t]*[A-Z][ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_GIFT_SIGN: Final = re.compile(r"\{|::|^\$CATEGORY:|^//", re.MULTILINE)
_ZIP_SIGN: Final = b"PK\x03\x04"
_JSON_RECORD: Final = re.compile(r'\{\s*"')
_DELIMITER: Final = re.compile(r"[,;|\t]")
_BOMS: Final = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class FormatUnknown(ImportRefused):
    """The file is in no format that can be imported."""

    code = "import.format_unknown"
    title = "Questions cannot be read from this format"


def format_of(name: str, source: FileSource, stated: str | None) -> str:
    """The name of the format. Refuses one that is not known, and a file that does not show what it is."""
    if stated is not None:
        if stated not in FORMATS:
            raise FormatUnknown(f"{shown(stated)} is none of {', '.join(FORMATS)}", field="format")
        return stated
    if "." not in name:
        return _format_of_content(source)
    ending = name.rpartition(".")[2].lower()
    if found := _BY_ENDING.get(ending):
        return found
    if ending == "xml":
        return _format_of_xml(source)
    if ending == "txt":
        return _format_of_text(source)
    raise FormatUnknown(f"The name does not tell; name one of {', '.join(FORMATS)}", field="format")


def _format_of_content(source: FileSource) -> str:
    """Of a file whose name has no ending. What is sure comes first: braces stand in JSON and CSV as well as in GIFT."""
    head = _head(source)
    if head.startswith(_ZIP_SIGN):
        return "qti"
    text = _decoded(head).lstrip()
    if text.startswith("<"):
        return _format_of_xml(source)
    if _JSON_RECORD.match(text):
        return "jsonl"
    if "question-text" in map(normalized_name, _DELIMITER.split(text.partition("\n")[0])):
        return "csv"
    return _format_of_text(source)


def _format_of_xml(source: FileSource) -> str:
    with source() as file:
        root = sniff_root(file).tag
    if root == _MOODLE_ROOT:
        return "moodle_xml"
    if root in _QTI_ROOTS:
        return "qti"
    raise FormatUnknown(f"XML that begins with {shown(root)} is neither of Moodle nor QTI", field="format")


def _format_of_text(source: FileSource) -> str:
    """Aiken has lines that name an answer; GIFT has braces, titles, categories or comments."""
    text = _decoded(_head(source))
    if _AIKEN_ANSWER.search(text):
        return "aiken"
    if _GIFT_SIGN.search(text):
        return "gift"
    raise FormatUnknown("The text looks neither like GIFT nor like Aiken", field="format")


def _head(source: FileSource) -> bytes:
    with source() as file:
        return file.read(_HEAD)


def _decoded(head: bytes) -> str:
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8-sig")
    return head.decode(encoding, "replace")
