"""What there is to tell of a sample of attempts: of the test, and of every question that was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from types import MappingProxyType
from typing import Final, TypeAlias

from domain.exam.canvas import Answered, CanvasItem, CanvasTotal, Group, canvas_item, canvas_total, groups_of
from domain.exam.sampling import UNIT, Sample
from domain.exam.statistics import (
    Column,
    ItemStatistics,
    TotalStatistics,
    effective_weights,
    spread,
    statistics_of_item,
    statistics_of_totals,
)
from domain.exam.voiding import Asked, VoidMode

FEWEST_ATTEMPTS: Final = 10
"""Figures of fewer attempts are not told: they say more about chance, and about persons, than about a test."""

VersionChoices: TypeAlias = Mapping[tuple[str, int], Sequence[str]]
"""The choices of versions, by question and version; of those that have none, nothing."""
VoidedVersions: TypeAlias = Mapping[Asked, VoidMode]
"""How the versions that are void are so."""

_NONE: Final[VoidedVersions] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReport:
    """A question. `figures` and `canvas` are None where too few attempts were asked it.

    `latest` is the newest version that was asked and `latest_figures` what is known of that version alone; the options
    of `canvas` are those of that version as well. `voided`: it is void, and its marks say nothing about it.
    """

    question_id: str
    section: int
    versions: tuple[int, ...]
    attempts: int
    max_mark: float
    several_max_marks: bool
    drawn: bool
    figures: ItemStatistics | None = None
    canvas: CanvasItem | None = None
    latest_figures: ItemStatistics | None = None
    voided: VoidMode | None = None

    @property
    def latest(self) -> int:
        return self.versions[-1]

    @property
    def is_hidden(self) -> bool:
        return self.figures is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """A place that random questions fill: the n-th of its section."""

    section: int
    number: int
    figures: ItemStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A test. Without `total` there were too few attempts to tell anything."""

    attempts: int
    total: TotalStatistics | None = None
    canvas: CanvasTotal | None = None
    items: tuple[ItemReport, ...] = ()
    places: tuple[PlaceReport, ...] = ()


def report_on(sample: Sample, choices: VersionChoices, voided: VoidedVersions = _NONE) -> Report:
    """Everything about a sample, or of a small one how small it is."""
    if sample.attempts < FEWEST_ATTEMPTS:
        return Report(attempts=sample.attempts)
    places = sample.places()
    fixed = [each for each in sample.questions if not sample.is_drawn(each)]
    columns: list[Column] = [sample.column(each) for each in fixed] + [place.column for place in places]
    # What is worth nothing to anybody is no part of the total.
    worth = [column.max_marks > 0 for column in columns]
    spreads = [spread(column) for column in compress(columns, worth)]
    each_weight = iter(effective_weights(spreads))
    weights = [next(each_weight) if counts else None for counts in worth]
    groups = groups_of(sample.totals)
    weight_of = dict(zip(fixed, weights, strict=False))
    return Report(
        attempts=sample.attempts,
        total=statistics_of_totals(sample.totals, spreads, UNIT),
        canvas=canvas_total(sample.totals, spreads, groups, UNIT),
        items=tuple(
            replace(
                _item(sample, each, groups, choices, weight_of.get(each)),
                voided=voided.get((each, sample.latest(each))),
            )
            for each in sample.questions
        ),
        places=tuple(
            PlaceReport(
                section=place.section,
                number=place.number,
                figures=replace(statistics_of_item(place.column), effective_weight=weight),
            )
            for place, weight in zip(places, weights[len(fixed) :], strict=True)
        ),
    )


def _item(
    sample: Sample, question_id: str, groups: Sequence[Group], choices: VersionChoices, weight: float | None
) -> ItemReport:
    cells = sample.cells(question_id)
    versions = tuple(sorted(set(cells.versions)))
    told = ItemReport(
        question_id=question_id,
        section=cells.section,
        versions=versions,
        attempts=len(cells.attempts),
        max_mark=max(cells.max_marks) / UNIT,
        several_max_marks=len(set(cells.max_marks)) > 1,
        drawn=sample.is_drawn(question_id),
    )
    if told.attempts < FEWEST_ATTEMPTS:
        return told
    figures = replace(statistics_of_item(sample.column(question_id)), effective_weight=weight)
    of_latest = cells.versions.count(told.latest)
    if of_latest == told.attempts:
        latest_figures: ItemStatistics | None = figures
    else:
        enough = of_latest >= FEWEST_ATTEMPTS
        latest_figures = statistics_of_item(sample.column(question_id, told.latest)) if enough else None
    all_answers = canvas_item(_answered(sample, question_id, groups))
    known = choices.get((question_id, told.latest), ())
    of_latest_answers = canvas_item(_answered(sample, question_id, groups, told.latest), known) if known else None
    options = of_latest_answers.options if of_latest_answers is not None and latest_figures is not None else ()
    return replace(
        told, figures=figures, latest_figures=latest_figures, canvas=replace(all_answers, options=tuple(options))
    )


def _answered(sample: Sample, question_id: str, groups: Sequence[Group], version: int | None = None) -> Answered:
    cells = sample.cells(question_id)
    numbers = [
        n
        for n, (asked, correct) in enumerate(zip(cells.versions, cells.correct, strict=True))
        if correct is not None and version in (None, asked)
    ]
    attempts = [cells.attempts[n] for n in numbers]
    return Answered(
        totals=[sample.totals[attempt] for attempt in attempts],
        groups=[groups[attempt] for attempt in attempts],
        marks=[cells.marks[n] for n in numbers],
        correct=[bool(cells.correct[n]) for n in numbers],
        # Choices of other versions have other meanings; they are told of one version at a time.
        chosen=[() if version is None else cells.chosen[n] for n in numbers],
        unit=UNIT,
    )
