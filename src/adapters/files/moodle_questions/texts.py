"""Texts of Moodle questions: their formats, what of them can be kept, and what a file of XML can hold of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.safe_html import cleaned, sanitised
from adapters.files.safe_xml import text_of
from domain.question_bank.imported import FormattedText, ImportProblem, Origin, Severity, TextFormat, trimmed, visible

AUTO: Final = "moodle_auto_format"
NAMES: Final = {TextFormat.HTML: "html", TextFormat.MARKDOWN: "markdown", TextFormat.PLAIN: "plain_text"}
_FORMATS: Final = {name: format_ for format_, name in NAMES.items()}
_MARKUP: Final = re.compile(r"<[A-Za-z/!]|&#?[A-Za-z0-9]{2,8};")
_FILE: Final = re.compile(r"@@PLUGINFILE@@/?([^\s\"'<>)\]]*)")
_LINE_END: Final = re.compile(r"\r\n?")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAULTS: Final = {
    "field_too_long": "The markup is too long to be read.",
    "markup_too_deep": "The markup is nested too deeply to be read.",
    "unescaped_markup": "The text holds elements of XML: markup must be escaped or stand in CDATA.",
}


def held(text: FormattedText) -> FormattedText:
    """What is left of a text that is written and read again."""
    left = held_plain(text.text)
    if text.format is TextFormat.HTML:
        left = held_plain(sanitised(left))
    return FormattedText(text=left, format=text.format)


def held_plain(text: str) -> str:
    """The same for a name: trimmed, with one kind of line end and without characters that XML does not know."""
    return trimmed(_NOT_XML.sub("", _LINE_END.sub("\n", text)))


@dataclass(slots=True)
class TextReader:
    """Reads the texts of one question and remembers what had to be left out of them."""

    files: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def read(self, element: Element | None, name: str, inherited: str = "html") -> FormattedText:
        """The text of an element in the format that it names, else the inherited one; "" where there is no element."""
        if element is None:
            return FormattedText(text="")
        inner = element.find("text")
        if inner is not None and len(inner):
            self.faults.append((name, "unescaped_markup"))
        raw = trimmed(text_of(inner) if inner is not None else element.text or "")
        self.files.update(dict.fromkeys(visible(file.get("name", "")) for file in element.findall("file")))
        format_ = _format(element.get("format", inherited), raw)
        return FormattedText(
            text=self._clean(raw, name) if format_ is TextFormat.HTML else self._kept(raw), format=format_
        )

    def problems(self, origin: Origin) -> Iterator[ImportProblem]:
        """What is to be told about the texts: errors first."""
        for name, code in self.faults:
            yield problem(origin, name, code, _FAULTS[code])
        if names := ", ".join(filter(None, self.files)):
            message = "Files are not imported: pictures and links to them are left out."
            yield problem(origin, None, "file_left_out", message, Severity.WARNING, visible(names, 500))
        if names := ", ".join(self.removed):
            message = "Markup that a question may not hold is left out."
            yield problem(origin, None, "markup_removed", message, Severity.WARNING, visible(names, 500))

    def _clean(self, raw: str, name: str) -> str:
        clean = cleaned(raw)
        if clean.fault:
            self.faults.append((name, clean.fault))
        self.files.update(dict.fromkeys(clean.missing_files))
        self.removed.update(dict.fromkeys(clean.removed))
        return trimmed(clean.text)

    def _kept(self, raw: str) -> str:
        self.files.update(dict.fromkeys(visible(found[1]) for found in _FILE.finditer(raw)))
        return raw


def problem(
    origin: Origin,
    field_: str | None,
    code: str,
    message: str,
    severity: Severity = Severity.ERROR,
    detail: str | None = None,
) -> ImportProblem:
    """A finding about the question of this origin."""
    return ImportProblem(
        record=origin.record,
        line=origin.line,
        field=field_,
        code=code,
        severity=severity,
        message=message,
        detail=detail,
    )


def _format(name: str, raw: str) -> TextFormat:
    """Moodle's own format is plain text unless it holds markup."""
    if known := _FORMATS.get(name):
        return known
    return TextFormat.HTML if name == AUTO and _MARKUP.search(raw) else TextFormat.PLAIN
