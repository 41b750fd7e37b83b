"""One block of GIFT taken apart: comments, title, text and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from adapters.files.gift_questions.syntax import finder, unescape, unescaped
from domain.question_bank.imported import normalized_id, trimmed

CATEGORY: Final = "$CATEGORY:"
MULTIPLE: Final = "[ace:multiple]"
"""In a comment: several choices may be picked, and the percentages are only there because Moodle needs them."""

_MOST_NAMES: Final = 100
"""Twice the tags that a question may have, so that the examination sees that there are too many."""
_GAP: Final = " _____ "
_BRACES: Final = finder("[{}]")
_COLONS: Final = finder("::")
_GENERAL: Final = finder("####")
_FEEDBACK: Final = finder("#")
_SIGNS: Final = finder("[=~]")
_ID: Final = "[id:"
_TAG: Final = "[tag:"
_COMMENT_MARK: Final = re.compile(r"\\[\\\]]|\[id:|\[tag:|[\]\n]")
_COMMENT_ESCAPE: Final = re.compile(r"\\([\\\]])")


class BadBraces(Exception):
    """The answers of a question do not stand between one `{` and one `}`; the code says what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """The parts of a question as they stand in the file, escapes included. Without `answers` it only describes."""

    external_id: str
    tags: tuple[str, ...]
    is_unweighted: bool
    title: str
    stem: str
    answers: str | None
    general_feedback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A choice: its sign, its text with the percentage before it, and what is told to whoever picks it."""

    sign: str
    text: str
    feedback: str


def is_category(line: str) -> bool:
    return trimmed(line).startswith(CATEGORY)


def dissect(lines: Sequence[str]) -> Anatomy | None:
    """The parts of a block; None for one that holds comments only. Refuses braces that do not match (`BadBraces`)."""
    comments = [line for line in lines if _is_comment(line)]
    text = trimmed("\n".join([line for line in lines if not _is_comment(line)]))
    if not text:
        return None
    comment = "\n".join(comments)
    title, text = _title(text)
    before, answers, after = _split_braces(text)
    answers, _, feedback = (None, "", "") if answers is None else _cut(answers, _GENERAL)
    names = list(islice(_comment_names(comment), _MOST_NAMES))
    return Anatomy(
        external_id=normalized_id(next((name for mark, name in names if mark == _ID), "")),
        tags=tuple(dict.fromkeys(filter(None, (trimmed(name) for mark, name in names if mark == _TAG)))),
        is_unweighted=MULTIPLE in comment,
        title=title,
        stem=_stem(before, after),
        answers=answers,
        general_feedback=feedback,
    )


def parts_of(answers: str, most: int) -> list[Part]:
    """The choices of a question, `most` at the utmost."""
    # One mark more than is wanted, to see where the last of the parts ends.
    starts = [found.start() for found in islice(unescaped(_SIGNS, answers), most + 1)]
    ends = [*starts[1:], len(answers)][: len(starts)]
    found = []
    for start, end in islice(zip(starts, ends, strict=True), most):
        text, _, feedback = _cut(answers[start + 1 : end], _FEEDBACK)
        found.append(Part(sign=answers[start], text=trimmed(text), feedback=trimmed(feedback)))
    return found


def split_feedback(answers: str) -> tuple[str, str, str]:
    """The word of a true-false question and its two feedbacks: for the wrong answer, then for the right one."""
    word, _, rest = _cut(answers, _FEEDBACK)
    wrong, _, right = _cut(rest, _FEEDBACK)
    return trimmed(word), trimmed(wrong), trimmed(right)


def comment_text(text: str) -> str:
    """A name as it stands in `[id:…]` or `[tag:…]`."""
    return text.replace("\\", "\\\\").replace("]", "\\]")


def _comment_names(comment: str) -> Iterator[tuple[str, str]]:
    """What stands in `[id:…]` and `[tag:…]`; one that is not closed in its line is none."""
    opened: re.Match[str] | None = None
    for found in _COMMENT_MARK.finditer(comment):
        if found[0] == "\n":
            opened = None
        elif opened is None:
            opened = found if found[0] in (_ID, _TAG) else None
        elif found[0] == "]":
            yield opened[0], _COMMENT_ESCAPE.sub(r"\1", comment[opened.end() : found.start()])
            opened = None


def _is_comment(line: str) -> bool:
    return trimmed(line).startswith("//")


def _title(text: str) -> tuple[str, str]:
    if text.startswith("::") and (close := next(unescaped(_COLONS, text[2:]), None)):
        return unescape(trimmed(text[2 : close.start() + 2])), trimmed(text[close.end() + 2 :])
    return "", text


def _split_braces(text: str) -> tuple[str, str | None, str]:
    # Four braces are enough to see that there are not exactly two.
    braces = list(islice(unescaped(_BRACES, text), 4))
    if not braces:
        return text, None, ""
    if [found[1] for found in braces] == ["{", "}"]:
        return text[: braces[0].start()], text[braces[0].end() : braces[1].start()], text[braces[1].end() :]
    if "}" not in [found[1] for found in braces]:
        raise BadBraces("unclosed_brace", "The answers begin with { and do not end with } before the empty line.")
    raise BadBraces("stray_brace", "A { or } outside of its pair: one that belongs to a text is written \\{ or \\}.")


def _stem(before: str, after: str) -> str:
    """The text around the answers; a gap stands where they stood in the middle of it."""
    return trimmed(f"{trimmed(before)}{_GAP}{trimmed(after)}") if trimmed(after) else trimmed(before)


def _cut(text: str, mark: re.Pattern[str]) -> tuple[str, str, str]:
    """The text before the first mark, the mark, and what comes after it."""
    found = next(unescaped(mark, text), None)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")
