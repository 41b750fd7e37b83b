"""HTML from strangers: cleaned by an allow-list fit for questions. What comes out of here is what is stored.

Allowed are paragraphs, headings, lists, tables, quotations, code, emphasis, sub- and superscripts, ruby, links and
images. Left out are scripts, styles, classes, ids, handlers, forms, frames, media, SVG and MathML (the text of formulas
written as LaTeX stays); links lead to http, https or mailto, images come from http or https. A picture that was part
of the file is not imported: its `alt` text stays, and its name is told.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import escape, unescape
from typing import Final
from urllib.parse import unquote

import nh3

from domain.question_bank.imported import visible

MAX_HTML: Final = 64 * 1024
"""Characters: the cleaning of hostile markup takes time quadratic in its length (0.3 s at half of it)."""
MAX_OPEN: Final = 256
"""Elements that may be open at the same time."""
_PASSES: Final = 4
_LOSSES_TOLD: Final = 20

_STRUCTURE = "p br hr div span h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote q cite figure figcaption details summary"
_INLINE = "a b strong i em u s strike del ins mark small big sub sup abbr dfn code pre kbd samp var tt bdi bdo wbr img"
_TABLES = "table caption colgroup col thead tbody tfoot tr th td ruby rt rp"
_TAGS: Final = frozenset(f"{_STRUCTURE} {_INLINE} {_TABLES}".split())
_CELL: Final = {"colspan", "rowspan", "align"}
_ATTRIBUTES: Final = {
    "*": {"lang", "title"},
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": _CELL,
    "th": _CELL | {"scope"},
}
_VALUES: Final = {
    "ol": {"type": {"1", "a", "A", "i", "I"}},
    **{tag: {"dir": {"ltr", "rtl", "auto"}} for tag in ("p", "div", "span", "bdo", "bdi", "td", "th", "li", "table")},
}
_FORGOTTEN: Final = {"script", "style", "title", "iframe", "object", "noscript", "template", "textarea", "svg"}
"""Elements that go with their text, which is not meant for reading."""

_TELLING: Final = re.compile(
    r"<\s*(script|style|iframe|object|embed|applet|form|input|button|select|textarea|video|audio|svg|math|canvas)\b",
    re.IGNORECASE,
)
_OPENS: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_VOID = "area base br col embed hr img input link meta param source track wbr"
_CLOSED_BY_NEXT = "p li dt dd tr td th thead tbody tfoot rt rp option"
_NEVER_DEEP: Final = frozenset(f"{_VOID} {_CLOSED_BY_NEXT}".split())
"""Elements that do not stand inside each other without another one between them, whether they are closed or not."""
_DATA_URL: Final = re.compile(r"""(\bsrc=["']?)data:[^"'<>]*""", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\b(?:src|href)\b", re.IGNORECASE)
_PRE: Final = re.compile(r'(<pre(?: [a-z]+="[^"]*")*>)\n')
_TAG: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"]*")*)>')
_ALT: Final = re.compile(r' alt="([^"]*)"')
_BREAKS: Final = re.compile(r"[ \t]*\n[ \t\n]*")
_BLOCKS = "p div h1 h2 h3 h4 h5 h6 ul ol dl dt dd blockquote pre figure figcaption table caption tr hr br"
_PARAGRAPHS: Final = frozenset(f"{_BLOCKS} details summary".split())
_MARKS: Final = {"li": "\n- ", "sup": "^", "sub": "_", "td": "\t", "th": "\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedHtml:
    """The clean text and what it cost: names of pictures and files that are missing now, and of elements left out.

    `fault` is the code of an error where markup is too much or too deep to be cleaned; the text is then the source,
    escaped.
    """

    text: str
    missing_files: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    fault: str | None = None


def sanitised(html: str) -> str:
    """The markup that is safe to show. Cleaning twice changes nothing."""
    return cleaned(html).text


def cleaned(html: str) -> CleanedHtml:
    """The same, with an account of what had to go."""
    if not any(map(html.__contains__, "<&>\r\0\xa0")):
        return CleanedHtml(text=html)
    html = _DATA_URL.sub(r"\1data:", html)
    if fault := _fault(html):
        return CleanedHtml(text=_as_source(html), fault=fault)
    missing: dict[str, None] = {}
    removed = dict.fromkeys(match[1].lower() for match in _TELLING.finditer(html))
    if _DATA_URL.search(html):
        missing["data:"] = None
    text = _settled(html, missing)
    return CleanedHtml(text=text, missing_files=tuple(missing)[:_LOSSES_TOLD], removed=tuple(removed)[:_LOSSES_TOLD])


def plain_text(html: str) -> str:
    """The text of markup for formats that know none: lines for blocks, `- ` for items, `^` and `_` for super- and
    subscripts, `[…]` for the alternative text of pictures."""
    text = _TAG.sub(_as_text, sanitised(html).replace("\xa0", " "))
    return _BREAKS.sub("\n", unescape(text).replace("\xa0", " ")).strip()


def _settled(html: str, missing: dict[str, None]) -> str:
    """Cleaned until cleaning changes nothing more; markup that never settles is shown as the text that it is."""
    cleaner = _cleaner(missing) if _REFERENCE.search(html) else _CLEANER
    for _ in range(_PASSES):
        # A parser drops the first line break in `pre`; it is doubled so that the next one finds the text as it was.
        again = _PRE.sub(r"\1\n\n", cleaner.clean(html))
        if again == html:
            return html
        html = again
        if len(html) > MAX_HTML:
            break
    return _as_source(html)


def _as_source(html: str) -> str:
    return _CLEANER.clean(escape(html, quote=False))


def _fault(html: str) -> str | None:
    if "<" not in html:
        return None
    if len(html) > MAX_HTML:
        return "field_too_long"
    opened: Counter[str] = Counter()
    most = depth = 0
    for closing, name in _OPENS.findall(html):
        tag = name.lower()
        if tag in _NEVER_DEEP:
            continue
        step = 1 if not closing else -1 if opened[tag] else 0
        opened[tag] += step
        depth += step
        most = max(most, depth)
    return "markup_too_deep" if most > MAX_OPEN else None


def _as_text(match: re.Match[str]) -> str:
    closing, tag, attributes = match.groups()
    if tag == "img":
        alt = _ALT.search(attributes)
        return f"[{alt[1]}]" if alt and alt[1] else ""
    if tag in _PARAGRAPHS:
        return "\n"
    return "" if closing else _MARKS.get(tag, "")


def _cleaner(missing: dict[str, None]) -> nh3.Cleaner:
    """Relative references lead nowhere once the file is left behind: they are dropped, and noted in `missing`."""

    def note(reference: str) -> None:
        if not reference.startswith("#"):
            missing[visible(unquote(reference.strip().removeprefix("@@PLUGINFILE@@").lstrip("/")))] = None

    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values=_VALUES,
        clean_content_tags=_FORGOTTEN,
        url_schemes={"http", "https", "mailto"},
        url_relative=note,
        link_rel="noopener noreferrer nofollow",
    )


_CLEANER: Final = _cleaner({})
