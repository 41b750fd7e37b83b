"""Blueprints: how many questions of which topic and difficulty make a paper, and whether a bank can fill it.

Sections and questions form a bipartite graph: a section takes any question that matches it, a question serves one
section. Whether all sections can be filled at once is a maximum flow (Ford and Fulkerson 1956); where they cannot, the
minimum cut names the sections that compete for too few questions (Hall 1935). Which sets of questions can serve
together is a matroid (Edmonds and Fulkerson 1965), so taking questions greedily, least seen first, is optimal.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind
from domain.question_bank.seeds import rank

MAX_SECTIONS = 50
MAX_PAPER = 500
MAX_MARKS = Decimal(1000)
Cell: TypeAlias = tuple[str | None, str | None]
"""Topic and difficulty of a question: to a blueprint all questions of a cell are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """So many questions of a topic, of a difficulty, of both, or of any. `marks` is for each; None: its own points."""

    count: int
    topic_id: str | None = None
    difficulty_id: str | None = None
    marks: Decimal | None = None

    def takes(self, cell: Cell) -> bool:
        topic_id, difficulty_id = cell
        return self.topic_id in (None, topic_id) and self.difficulty_id in (None, difficulty_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """The sections of a paper, in their order."""

    sections: tuple[Section, ...]

    @property
    def total(self) -> int:
        """How many questions the paper has."""
        return sum(section.count for section in self.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A published version that may be drawn, and how often this student has been served its question."""

    question_id: str
    version: int
    topic_id: str | None = None
    difficulty_id: str | None = None
    seen: int = 0

    @property
    def cell(self) -> Cell:
        return self.topic_id, self.difficulty_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSlot:
    """A place of the paper (from 1), the section (from 0) it belongs to, and the version that fills it."""

    slot: int
    section: int
    question_id: str
    version: int
    marks: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Sections that compete for the same questions, of which there are too few: `missing` = `required` − `available`.

    `topic_ids` are the topics that these sections name; None among them is a section for any topic.
    """

    sections: tuple[int, ...]
    topic_ids: tuple[str | None, ...]
    required: int
    available: int

    @property
    def missing(self) -> int:
        return self.required - self.available


class BlueprintInfeasible(DomainError):
    """The banks of the package do not hold enough questions for the blueprint; `shortfalls` says where and how many."""

    code = "blueprint.infeasible"
    kind = Kind.INVALID
    title = "There are too few questions for this blueprint"

    def __init__(self, shortfalls: Sequence[Shortfall] = ()) -> None:
        self.shortfalls = tuple(shortfalls)
        problems = tuple(
            FieldProblem(
                pointer=f"/sections/{shortfall.sections[0]}", code="too_few_questions", message=told(shortfall)
            )
            for shortfall in shortfalls
        )
        super().__init__(problems=problems)


def told(shortfall: Shortfall) -> str:
    """A shortfall in words."""
    topics = ", ".join(topic or "any topic" for topic in shortfall.topic_ids)
    return f"{topics}: {shortfall.required} asked for, {shortfall.available} there, {shortfall.missing} missing."


def refuse_unsound(blueprint: Blueprint) -> None:
    """A blueprint has 1 to 50 sections with at least a question each, 500 questions at most, and positive marks."""
    problems = []
    if not 1 <= len(blueprint.sections) <= MAX_SECTIONS:
        problems.append(_out_of_range("/sections", f"1 to {MAX_SECTIONS} sections"))
    elif blueprint.total > MAX_PAPER:
        problems.append(_out_of_range("/sections", f"at most {MAX_PAPER} questions in all"))
    for number, section in enumerate(blueprint.sections):
        if not 1 <= section.count <= MAX_PAPER:
            problems.append(_out_of_range(f"/sections/{number}/count", f"1 to {MAX_PAPER} questions"))
        if section.marks is not None and not 0 < section.marks <= MAX_MARKS:
            problems.append(_out_of_range(f"/sections/{number}/marks", f"more than 0 and at most {MAX_MARKS} marks"))
    if problems:
        raise InvalidInput(problems=tuple(problems))


def assemble(blueprint: Blueprint, pool: Iterable[Candidate], seed: str) -> tuple[PaperSlot, ...]:
    """Fill every section: no question twice, the least seen first, and what is left to chance decided by the seed.

    Refuses with `BlueprintInfeasible` where no choice of questions fills all sections at once.
    """
    candidates = {candidate.question_id: candidate for candidate in pool}
    matching = _Matching(blueprint.sections)
    for candidate in sorted(candidates.values(), key=lambda each: (each.seen, rank(seed, "draw", each.question_id))):
        if matching.is_full:
            break
        matching.offer(candidate)
    if not matching.is_full:
        raise BlueprintInfeasible(matching.shortfalls())
    return tuple(_slots(blueprint, matching, seed))


@dataclass(slots=True)
class _Matching:
    """Which questions serve which sections. A cell that was refused once is refused for good (it lies in the span)."""

    sections: Sequence[Section]
    taken: dict[Cell, list[Candidate]] = field(default_factory=dict)
    exhausted: set[Cell] = field(default_factory=set)
    served: list[Counter[Cell]] = field(init=False)
    filled: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.served = [Counter() for _ in self.sections]
        self.filled = [0] * len(self.sections)

    @property
    def is_full(self) -> bool:
        return all(filled == section.count for filled, section in zip(self.filled, self.sections, strict=True))

    def offer(self, candidate: Candidate) -> None:
        """Take the question if it makes the paper longer; others move to other sections where that helps."""
        cell = candidate.cell
        if cell in self.exhausted:
            return
        path = self._path(cell)
        if path is None:
            self.exhausted.add(cell)
            return
        self.taken.setdefault(cell, []).append(candidate)
        for section, gained, lost in path:
            self.served[section][gained] += 1
            if lost is not None:
                self.served[section][lost] -= 1
        self.filled[path[0][0]] += 1

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """The minimum cut, taken apart into groups of sections that share questions."""
        groups: list[set[int]] = []
        for number, section in enumerate(self.sections):
            if self.filled[number] == section.count:
                continue
            group = self._competitors(number)
            touching = [other for other in groups if other & group]
            groups = [other for other in groups if other not in touching] + [group.union(*touching)]
        return tuple(self._shortfall(sorted(group)) for group in sorted(groups, key=min))

    def _path(self, start: Cell) -> list[tuple[int, Cell, Cell | None]] | None:
        """The shortest chain of moves that lets one more question of `start` serve, from the unfilled section back."""
        came_from: dict[int, tuple[Cell, int | None]] = {}
        queue: deque[tuple[Cell, int | None]] = deque([(start, None)])
        visited = {start}
        while queue:
            cell, giver = queue.popleft()
            for number, section in enumerate(self.sections):
                if number in came_from or not section.takes(cell):
                    continue
                came_from[number] = (cell, giver)
                if self.filled[number] < section.count:
                    return self._moves(number, came_from)
                for given, count in self.served[number].items():
                    if count and given not in visited:
                        visited.add(given)
                        queue.append((given, number))
        return None

    @staticmethod
    def _moves(last: int, came_from: dict[int, tuple[Cell, int | None]]) -> list[tuple[int, Cell, Cell | None]]:
        """(section, the cell it gains, the cell it gives away) from the unfilled section back to the first."""
        moves: list[tuple[int, Cell, Cell | None]] = []
        section: int | None = last
        given: Cell | None = None
        while section is not None:
            gained, giver = came_from[section]
            moves.append((section, gained, given))
            section, given = giver, gained
        return moves

    def _competitors(self, unfilled: int) -> set[int]:
        """The sections whose questions would have to move to the unfilled one: all that the cut leaves with it."""
        reached = {unfilled}
        waiting = [unfilled]
        while waiting:
            section = self.sections[waiting.pop()]
            wanted = [cell for cell in self.taken if section.takes(cell)]
            for other, served in enumerate(self.served):
                if other not in reached and any(served[cell] for cell in wanted):
                    reached.add(other)
                    waiting.append(other)
        return reached

    def _shortfall(self, group: Sequence[int]) -> Shortfall:
        topics = dict.fromkeys(self.sections[number].topic_id for number in group)
        return Shortfall(
            sections=tuple(group),
            topic_ids=tuple(topics),
            required=sum(self.sections[number].count for number in group),
            available=sum(self.filled[number] for number in group),
        )


def _slots(blueprint: Blueprint, matching: _Matching, seed: str) -> Iterator[PaperSlot]:
    """The sections in their order; within a section the seed decides."""
    left = {cell: iter(candidates) for cell, candidates in matching.taken.items()}
    slot = 0
    for number, section in enumerate(blueprint.sections):
        chosen = [next(left[cell]) for cell in matching.served[number].elements()]
        for candidate in sorted(chosen, key=lambda each: rank(seed, "slot", each.question_id)):
            slot += 1
            yield PaperSlot(
                slot=slot,
                section=number,
                question_id=candidate.question_id,
                version=candidate.version,
                marks=section.marks,
            )


def _out_of_range(pointer: str, bounds: str) -> FieldProblem:
    return FieldProblem(pointer=pointer, code="out_of_range", message=f"A blueprint takes {bounds}.")
