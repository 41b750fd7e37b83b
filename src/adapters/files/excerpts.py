"""What is shown of a record that has no cells, beside what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from domain.question_bank.imported import ImportedQuestion, ImportProblem, Origin, ParsedItem, Severity
from domain.question_bank.rejects import RejectedRecord

LONGEST_EXCERPT: Final = 32 * 1024
"""In bytes."""
_STEM_SHOWN: Final = 200


def with_excerpt(items: Iterable[ParsedItem], origin: Origin, source: Callable[[], str]) -> Iterator[ParsedItem]:
    """The items of one record; if it is refused, the beginning of its source comes after them."""
    is_refused = False
    for item in items:
        is_refused = is_refused or (isinstance(item, ImportProblem) and item.severity is Severity.ERROR)
        yield item
    if is_refused:
        yield _rejected(origin, source())


def excerpt_of(question: ImportedQuestion) -> RejectedRecord:
    """A question that could be read and was refused as one of many."""
    return _rejected(question.origin, named(question.external_id, question.stem.text))


def named(id_: str, stem: str) -> str:
    """An id, and below it the beginning of the text."""
    return "\n".join(filter(None, (id_, stem[:_STEM_SHOWN])))


def _rejected(origin: Origin, source: str) -> RejectedRecord:
    beginning = source[:LONGEST_EXCERPT].encode("utf-8", "replace")[:LONGEST_EXCERPT].decode("utf-8", "ignore")
    return RejectedRecord(record=origin.record, line=origin.line, cells=(beginning,))
