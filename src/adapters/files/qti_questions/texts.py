"""Texts of items: plain, as HTML in a string (QTI 1.2), and as XHTML elements (QTI 2 and 3).

Markup is cleaned by the allow-list of the house. Text without any markup becomes plain text, whatever its notation
says, with its blanks as a browser would show them; so does an element that is nothing but a paragraph of text. A lone
`pre` is plain text with the blanks that it has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.drafts import Remark
from adapters.files.qti_questions.elements import attribute, name
from adapters.files.safe_html import cleaned
from domain.question_bank.imported import FormattedText, Severity, TextFormat, trimmed

_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_TAG: Final = re.compile(r"<[^>]*>")
_VOID: Final = frozenset({"br", "hr", "img", "wbr", "col"})
_WRAPPERS: Final = frozenset({"div", "p"})
_TOLD: Final = 20


@dataclass(slots=True)
class Texts:
    """Reads the texts of one item and remembers what they cost."""

    missing: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)

    def html(self, markup: str) -> FormattedText:
        """Markup from a string."""
        found = cleaned(markup)
        self.missing.update(dict.fromkeys(found.missing_files))
        self.removed.update(dict.fromkeys(found.removed))
        if found.fault:
            self.faults[found.fault] = None
        text = trimmed(found.text)
        if "<" in text:
            return FormattedText(text="" if _is_blank(text) else text, format=TextFormat.HTML)
        return FormattedText(text=trimmed(_collapsed(unescape(text))))

    def content(self, container: Element, without: Collection[Element] = ()) -> FormattedText:
        """The content of an element of QTI 2 or 3, leaving out some of the elements in it."""
        outer = _unwrapped(_unwrapped(container, without, {"contentbody"}, deep=1), without, {"div"}, deep=1)
        inner = _unwrapped(outer, without, _WRAPPERS, deep=2)
        only = _sole(inner, without)
        if only is not None and name(only) == "pre" and len(only) == 0 and not only.keys():
            return FormattedText(text=trimmed(only.text or ""))
        if not any(found not in without for found in inner):
            return FormattedText(text=trimmed(_collapsed("".join(_strings(inner)))))
        return self.html("".join(_markup(outer, without)))

    def remarks(self) -> list[Remark]:
        """What is to be told about the texts that were read."""
        remarks: list[Remark] = []
        if self.missing:
            message = "Pictures or files that belong to the text are not imported."
            remarks.append(
                Remark(code="file_left_out", field=None, message=message, detail=", ".join([*self.missing][:_TOLD]))
            )
        if self.removed:
            message = "Markup that no question needs was left out."
            remarks.append(Remark(code="markup_removed", field=None, message=message, detail=", ".join(self.removed)))
        message = "The markup is too much or too deep to be cleaned."
        remarks += [Remark(code=fault, field=None, message=message, severity=Severity.ERROR) for fault in self.faults]
        return remarks


def joined(texts: Sequence[FormattedText | None]) -> FormattedText | None:
    """Several texts as one, each only once; the blank ones are left out."""
    parts = list(dict.fromkeys(text for text in texts if text is not None and text.text))
    if len(parts) < 2:
        return parts[0] if parts else None
    if all(part.format is TextFormat.PLAIN for part in parts):
        return FormattedText(text="\n\n".join(part.text for part in parts))
    return FormattedText(text="".join(map(_as_html, parts)), format=TextFormat.HTML)


def _as_html(part: FormattedText) -> str:
    if part.format is TextFormat.HTML:
        return part.text
    return f"<p>{escape(part.text, quote=False).replace(chr(10), '<br>')}</p>"


def _collapsed(text: str) -> str:
    return _BLANKS.sub(" ", text)


def _is_blank(html: str) -> bool:
    return "<img" not in html and not trimmed(unescape(_TAG.sub("", html)))


def _unwrapped(node: Element, without: Collection[Element], wrappers: Collection[str], *, deep: int) -> Element:
    """The element inside wrappers that hold nothing else and say nothing by themselves."""
    for _ in range(deep):
        only = _sole(node, without)
        if only is None or only.keys() or name(only) not in wrappers:
            break
        node = only
    return node


def _sole(node: Element, without: Collection[Element]) -> Element | None:
    """The only child of an element without text of its own."""
    found = [child for child in node if child not in without]
    blank = not any(map(str.strip, _strings(node)))
    return found[0] if len(found) == 1 and blank else None


def _strings(node: Element) -> Iterator[str]:
    """The text that stands directly in an element."""
    yield node.text or ""
    for child in node:
        yield child.tail or ""


def _markup(node: Element, without: Collection[Element]) -> Iterator[str]:
    """The content of an element as HTML."""
    yield escape(node.text or "", quote=False)
    for child in node:
        if child not in without:
            yield from _element(child, without)
        yield escape(child.tail or "", quote=False)


def _element(element: Element, without: Collection[Element]) -> Iterator[str]:
    tag = name(element)
    if tag == "object":
        # QTI shows pictures as objects too; as an image its name is told and its description kept.
        source, alternative = attribute(element, "data"), "".join(element.itertext()).strip()
        yield f'<img src="{escape(source)}" alt="{escape(alternative)}">'
        return
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in element.items())
    yield f"<{tag}{attributes}>"
    if tag not in _VOID:
        yield from _markup(element, without)
        yield f"</{tag}>"
