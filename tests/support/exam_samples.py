"""Graded papers for tests of statistics, and a store that holds them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from application.exam.ports.statistics import AttemptName, QuestionLabel, SampledPackage, StatisticsReader
from application.request_context import RequestContext, request_context
from domain.auth.people import Actor
from domain.exam.item_report import VersionChoices, VoidedVersions
from domain.exam.sampling import UNIT, AttemptRule, GradedPaper, Sample
from domain.question_bank.kinds import QuestionKind

CHOICES = ("A", "B", "C")
NOW = datetime(2026, 5, 4, tzinfo=UTC)


def paper(
    marks: Mapping[str, float | None],
    *,
    section: int = 0,
    version: int = 1,
    max_mark: float = 1,
    sections: Sequence[int] = (),
    chosen: Mapping[str, str] | None = None,
) -> GradedPaper:
    """Questions with what they earned, None for a blank; A was chosen where the full mark was, B where it was not."""
    told = {each: ("A" if mark == max_mark else "B") for each, mark in marks.items()} | dict(chosen or {})
    return GradedPaper(
        sections=sections or [section] * len(marks),
        question_ids=list(marks),
        versions=[version] * len(marks),
        marks=[round((mark or 0) * UNIT) for mark in marks.values()],
        max_marks=[round(max_mark * UNIT)] * len(marks),
        correct=[None if mark is None else mark == max_mark for mark in marks.values()],
        chosen=[() if mark is None else (told[each],) for each, mark in marks.items()],
    )


def sample_of(*papers: GradedPaper, draws: bool = False) -> Sample:
    """All of them, one after the other."""
    found = Sample(draws=draws)
    found.extend(papers)
    return found


def joined(*papers: GradedPaper) -> GradedPaper:
    """One paper of all their slots, in order."""
    return GradedPaper(
        sections=[each for part in papers for each in part.sections],
        question_ids=[each for part in papers for each in part.question_ids],
        versions=[each for part in papers for each in part.versions],
        marks=[each for part in papers for each in part.marks],
        max_marks=[each for part in papers for each in part.max_marks],
        correct=[each for part in papers for each in part.correct],
        chosen=[each for part in papers for each in part.chosen],
    )


@dataclass
class SampledExams(StatisticsReader):
    """Exams that are as the test says; `gate` keeps whoever reads them waiting."""

    count: int = 12
    now: datetime = NOW
    changed_at: datetime = NOW
    gate: asyncio.Event | None = None
    fault: Exception | None = None
    asked: list[AttemptRule] = field(default_factory=list)
    at_work: int = 0
    most_at_work: int = 0
    contexts: list[RequestContext] = field(default_factory=list)

    async def package(self, name: str) -> SampledPackage | None:
        if not name.startswith("pkg"):
            return None
        return SampledPackage(
            id=name, title="Sums", draws=False, finished=self.count, changed_at=self.changed_at, now=self.now
        )

    async def attempts(self, exam_package_id: str, rule: AttemptRule, most: int) -> Sequence[AttemptName]:
        self.asked.append(rule)
        self.contexts.append(request_context.get())
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.fault is not None:
                raise self.fault
        finally:
            self.at_work -= 1
        return [("usr", f"exs_{n}") for n in range(min(self.count, most))]

    async def papers(self, attempts: Sequence[AttemptName]) -> Sequence[GradedPaper]:
        numbers = [int(name.removeprefix("exs_")) for _, name in attempts]
        return [paper({"qst_a": n % 2, "qst_b": n % 3 == 0}) for n in numbers]

    async def choices(self, versions: Iterable[tuple[str, int]]) -> VersionChoices:
        return dict.fromkeys(versions, CHOICES)

    async def voided(self, exam_package_id: str) -> VoidedVersions:
        return {}

    async def labels(self, viewer: Actor, versions: Iterable[tuple[str, int]]) -> Mapping[str, QuestionLabel]:
        label = QuestionLabel(external_id="n-1", kind=QuestionKind.SINGLE, topic_id=None, stem="?")
        return {question_id: label for question_id, _ in versions if question_id == "qst_a"}

    async def packages_with_exams(self, after: str, limit: int) -> Sequence[str]:
        return [name for name in ("pkg_1", "pkg_2") if name > after][:limit]
