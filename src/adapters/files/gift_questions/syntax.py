"""The characters of GIFT: what separates, what escapes, and how a text is cooked and written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from adapters.files.markup import Markup
from adapters.files.safe_html import sanitised
from domain.question_bank.imported import FormattedText, TextFormat, trimmed

_ESCAPE: Final = re.compile(r"\\([\\~=#{}:n])")
_SPECIAL: Final = re.compile(r"[\\~=#{}:]")
_FORMAT: Final = re.compile(r"\[(html|markdown|plain|moodle)\]", re.IGNORECASE)
_FORMATS: Final = {"html": TextFormat.HTML, "markdown": TextFormat.MARKDOWN}
_LINE_END: Final = re.compile(r"\r\n?")


def finder(marks: str) -> re.Pattern[str]:
    """Finds marks and steps over escaped characters; an escape has no group."""
    return re.compile(rf"\\[\\~=#{{}}:]|({marks})")


def unescaped(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Where the marks of a `finder` stand in a text."""
    return (found for found in pattern.finditer(text) if found[1] is not None)


def read_text(raw: str, markup: Markup, inherited: TextFormat = TextFormat.PLAIN) -> FormattedText:
    """A text with the format that it names itself, else the inherited one. HTML is cleaned.

    Line ends mean something in Markdown and HTML; in plain text they only break long lines, and `\\n` is a new one.
    """
    raw = trimmed(raw)
    format_ = inherited
    if found := _FORMAT.match(raw):
        raw = raw[found.end() :]
        format_ = _FORMATS.get(found[1].lower(), TextFormat.PLAIN)
    if format_ is TextFormat.PLAIN:
        raw = " ".join(filter(None, map(trimmed, raw.split("\n"))))
    text = unescape(raw)
    if format_ is TextFormat.HTML:
        text = markup.clean(trimmed(text))
    return held(FormattedText(text=text, format=format_))


def held(text: FormattedText) -> FormattedText:
    """What is left of a text that is written and read again: trimmed, with one kind of line end, HTML sanitised."""
    left = trimmed(_LINE_END.sub("\n", text.text))
    if text.format is TextFormat.HTML:
        left = trimmed(sanitised(left))
    return FormattedText(text=left, format=text.format)


def write_text(text: FormattedText, inherited: TextFormat | None) -> str:
    """A text as it stands in the file. It names its format where that is not inherited or the text might name one."""
    written = escape(text.text)
    if text.format is inherited and not written.startswith(("[", "%")):
        return written
    return f"[{text.format}]{written}"


def unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text) if "\\" in text else text


def escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text).replace("\n", "\\n")
