"""Which attempts statistics are made of, and the columns that their marks make.

A question is drawn at random if it was not asked in every attempt, or if its section is: a section is drawn at random
when the package draws its papers and more questions were asked in it than any attempt has places for.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, TypeAlias

from domain.exam.statistics import Column

UNIT: Final = 1_000_000
"""Marks are exact to a millionth."""

Chosen: TypeAlias = tuple[str, ...]


class AttemptRule(StrEnum):
    """Which attempts of a student count: the first, the one with the highest mark, the last, or every one."""

    FIRST = "first"
    HIGHEST = "highest"
    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedPaper:
    """What an attempt was asked and what its latest grade gave for it, slot by slot; marks are in units.

    `correct` is None of a blank, and of a question that was declared void since. `chosen` are the choices of an answer.
    """

    sections: Sequence[int]
    question_ids: Sequence[str]
    versions: Sequence[int]
    marks: Sequence[int]
    max_marks: Sequence[int]
    correct: Sequence[bool | None]
    chosen: Sequence[Chosen]


@dataclass(slots=True)
class Cells:
    """The marks of one question, attempt by attempt; `attempts` are the numbers of those."""

    section: int
    attempts: array[int] = field(default_factory=lambda: array("l"))
    marks: array[int] = field(default_factory=lambda: array("q"))
    versions: array[int] = field(default_factory=lambda: array("l"))
    correct: list[bool | None] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    max_marks: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of the paper that random questions fill, with what was earned there: the n-th of its section."""

    section: int
    number: int
    column: Column


class Sample:
    """The attempts that statistics are made of, question by question. They are added one by one, and then read."""

    def __init__(self, *, draws: bool) -> None:
        """`draws` says whether the package draws its papers from more questions than they have places."""
        self._draws = draws
        self._cells: dict[str, Cells] = {}
        # The section and the question of every slot, so that what is drawn can be told place by place afterwards.
        self._papers: list[tuple[tuple[int, Cells], ...]] = []
        self._slots: dict[tuple[int, str], tuple[int, Cells]] = {}
        self._places: Counter[int] = Counter()
        self._seen: defaultdict[int, set[str]] = defaultdict(set)
        self._names: dict[Chosen, Chosen] = {}
        self.totals: list[int] = []

    def extend(self, papers: Iterable[GradedPaper]) -> None:
        """More attempts."""
        for paper in papers:
            self.add(paper)

    def add(self, paper: GradedPaper) -> None:
        """One more attempt."""
        number = len(self.totals)
        slots = []
        for section, question_id, version, mark, max_mark, correct, chosen in zip(
            paper.sections,
            paper.question_ids,
            paper.versions,
            paper.marks,
            paper.max_marks,
            paper.correct,
            paper.chosen,
            strict=True,
        ):
            slot = self._slots.get((section, question_id)) or self._slot(section, question_id)
            cells = slot[1]
            cells.attempts.append(number)
            cells.marks.append(mark)
            cells.versions.append(version)
            cells.correct.append(correct)
            cells.chosen.append(self._names.setdefault(chosen, chosen))
            cells.max_marks.append(max_mark)
            slots.append(slot)
        self._papers.append(tuple(slots))
        self._places |= Counter(paper.sections)
        self.totals.append(sum(paper.marks))

    def _slot(self, section: int, question_id: str) -> tuple[int, Cells]:
        cells = self._cells.setdefault(question_id, Cells(section))
        self._seen[section].add(question_id)
        slot = self._slots[section, question_id] = (section, cells)
        return slot

    @property
    def attempts(self) -> int:
        return len(self.totals)

    @property
    def questions(self) -> list[str]:
        """Every question that was asked, section by section."""
        return sorted(self._cells, key=lambda each: (self._cells[each].section, each))

    def cells(self, question_id: str) -> Cells:
        return self._cells[question_id]

    def latest(self, question_id: str) -> int:
        """The newest version of a question that was asked."""
        return max(self._cells[question_id].versions)

    def is_drawn(self, question_id: str) -> bool:
        """Whether the question was drawn at random."""
        return question_id not in self._fixed

    def column(self, question_id: str, version: int | None = None) -> Column:
        """What was earned for a question, or for one version of it."""
        cells = self._cells[question_id]
        numbers = [n for n, asked in enumerate(cells.versions) if version in (None, asked)]
        return Column(
            marks=[cells.marks[n] for n in numbers],
            totals=[self.totals[cells.attempts[n]] for n in numbers],
            max_marks=sum(cells.max_marks[n] for n in numbers),
            unit=UNIT,
            drawn=self.is_drawn(question_id),
        )

    def places(self) -> list[Place]:
        """The places of random questions. What an attempt has no place for earned it nothing there."""
        marks: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * self.attempts)
        highest: Counter[tuple[int, int]] = Counter()
        for attempt, key, mark, max_mark in self._drawn_slots():
            marks[key][attempt] = mark
            highest[key] += max_mark
        return [
            Place(
                section=key[0],
                number=key[1],
                column=Column(marks=marks[key], totals=self.totals, max_marks=highest[key], unit=UNIT),
            )
            for key in sorted(marks)
        ]

    def _drawn_slots(self) -> Iterator[tuple[int, tuple[int, int], int, int]]:
        """Attempt, place, mark and highest mark of every slot whose question was drawn at random."""
        fixed = {id(self._cells[each]) for each in self._fixed}
        # The cells of a question were filled in the order of the attempts, and are emptied in that order.
        reached: Counter[int] = Counter()
        for attempt, paper in enumerate(self._papers):
            filled: Counter[int] = Counter()
            for section, cells in paper:
                if id(cells) in fixed:
                    continue
                filled[section] += 1
                cell = reached[id(cells)]
                reached[id(cells)] += 1
                yield attempt, (section, filled[section]), cells.marks[cell], cells.max_marks[cell]

    @cached_property
    def _fixed(self) -> frozenset[str]:
        """The questions that every attempt was asked, in sections that are not drawn at random."""
        drawn = {section for section, seen in self._seen.items() if self._draws and len(seen) > self._places[section]}
        from_drawn = {each for section in drawn for each in self._seen[section]}
        everywhere = {each for each, cells in self._cells.items() if len(cells.attempts) == self.attempts}
        return frozenset(everywhere - from_drawn)
