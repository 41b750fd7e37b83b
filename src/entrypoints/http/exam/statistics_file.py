"""Statistics of an exam as CSV (RFC 4180, UTF-8): its questions, the test as a whole, or the options, a row each.

The last column says why a row tells nothing; a report that tells nothing at all has one row, which says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from application.exam.statistics import StatisticsView
from entrypoints.http.exam.statistics_bodies import ExamStatistics, OptionFigures, QuestionStatistics
from entrypoints.http.fields import ResponseBody

# What a spreadsheet takes for a formula (OWASP, "CSV Injection"); figures are no texts, and may be negative.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_FIGURES: Final = (
    "facility",
    "standard_deviation",
    "covariance",
    "max_covariance",
    "discrimination_index",
    "discriminative_efficiency",
    "effective_weight",
)
_CANVAS: Final = ("answered", "correct", "difficulty", "variance", "standard_deviation", "top", "middle", "bottom")
_TEST: Final = (
    "mean",
    "median",
    "standard_deviation",
    "skewness",
    "kurtosis",
    "internal_consistency",
    "error_ratio",
    "standard_error",
)
_CANVAS_TEST: Final = ("variance", "standard_deviation", "alpha", "top", "middle", "bottom")
_OPTION: Final = ("choice_id", "count", "top", "middle", "bottom", "point_biserial")
_WHY: Final = "hidden-reason"


def _columns(names: Sequence[str], prefix: str = "") -> tuple[str, ...]:
    return tuple(prefix + name.replace("_", "-") for name in names)


_ITEM_HEADER: Final = (
    *("question-id", "external-id", "question-text", "kind", "version", "section", "attempts", "drawn", "max-mark"),
    *_columns(_FIGURES),
    *("dubious", "reasons"),
    *_columns(_CANVAS, "canvas-"),
    _WHY,
)
_SUMMARY_HEADER: Final = (
    *("exam-package-id", "title", "attempts", "finished-attempts", "sampled-attempts", "complete", "computed-at"),
    *_columns(_TEST),
    *_columns(_CANVAS_TEST, "canvas-"),
    _WHY,
)
_OPTION_HEADER: Final = ("question-id", "external-id", "version", *_columns(_OPTION), _WHY)


class StatisticsTable(StrEnum):
    """What a CSV has a row of: each question, the test as a whole, or each option of each question."""

    ITEMS = "items"
    SUMMARY = "summary"
    OPTIONS = "options"


def csv_of(view: StatisticsView, table: StatisticsTable) -> bytes:
    """A table of a report; what is not known is an empty cell."""
    header, rows = _TABLES[table]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows(ExamStatistics.of(view)))
    return text.getvalue().encode()


def _items(told: ExamStatistics) -> Iterator[Sequence[Any]]:
    yield from map(_item, told.items)
    if told.hidden:
        yield _nothing(_ITEM_HEADER, told.hidden_reason)


def _item(item: QuestionStatistics) -> Sequence[Any]:
    return (
        *(item.question_id, _text(item.external_id), _text(item.stem), item.kind or ""),
        *(item.version, item.section, item.attempts, _yes(item.drawn), item.max_mark),
        *_cells(item, _FIGURES),
        *("" if item.hidden else _yes(item.dubious), ";".join(item.reasons)),
        *_cells(item.canvas, _CANVAS),
        _why(item),
    )


def _summary(told: ExamStatistics) -> Iterator[Sequence[Any]]:
    yield (
        *(told.exam_package_id, _text(told.title), told.attempts, told.finished_attempts, told.sampled_attempts),
        *(_yes(told.complete), msgspec.to_builtins(told.computed_at)),
        *_cells(told.test, _TEST),
        *_cells(told.canvas, _CANVAS_TEST),
        told.hidden_reason,
    )


def _options(told: ExamStatistics) -> Iterator[Sequence[Any]]:
    for item in told.items:
        question = (item.question_id, _text(item.external_id), item.version)
        if item.canvas is None:
            yield (*question, *_cells(None, _OPTION), _why(item))
        else:
            yield from ((*question, *_option(each), "") for each in item.canvas.options)
    if told.hidden:
        yield _nothing(_OPTION_HEADER, told.hidden_reason)


def _option(option: OptionFigures) -> Sequence[Any]:
    return (_text(option.choice_id), *_cells(option, _OPTION[1:]))


_TABLES: Final[dict[StatisticsTable, tuple[Sequence[str], Callable[[ExamStatistics], Iterator[Sequence[Any]]]]]] = {
    StatisticsTable.ITEMS: (_ITEM_HEADER, _items),
    StatisticsTable.SUMMARY: (_SUMMARY_HEADER, _summary),
    StatisticsTable.OPTIONS: (_OPTION_HEADER, _options),
}


def _cells(figures: ResponseBody | None, names: Sequence[str]) -> Iterator[Any]:
    return (None if figures is None else getattr(figures, name) for name in names)


def _nothing(header: Sequence[str], reason: str | None) -> Sequence[Any]:
    return (*[None] * (len(header) - 1), reason)


def _why(item: QuestionStatistics) -> str | None:
    """As of a whole report: too few attempts."""
    return "too_few_attempts" if item.hidden else None


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _text(text: str | None) -> str:
    return f"'{text}" if text and _FORMULA.match(text) else text or ""
