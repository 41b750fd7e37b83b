"""The finished exams of a package on PostgreSQL, for their statistics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.exam.ports.statistics import AttemptName, QuestionLabel, SampledPackage, StatisticsReader
from application.ports import Clock
from domain.auth.people import Actor, Role
from domain.exam.item_report import VersionChoices, VoidedVersions
from domain.exam.sampling import AttemptRule, Chosen, GradedPaper
from domain.exam.voiding import VoidMode
from domain.question_bank.imported import TextFormat
from domain.question_bank.listing import EXCERPT_SOURCE, excerpt

SQL = load("exam/statistics")


class PostgresStatisticsReader(StatisticsReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def package(self, name: str) -> SampledPackage | None:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["sampled_package"], {"name": name, "now": now})
        return None if row is None else entity(row, SampledPackage)

    async def attempts(self, exam_package_id: str, rule: AttemptRule, most: int) -> Sequence[AttemptName]:
        params = {"exam_package_id": exam_package_id, "rule": rule.value, "most": most}
        rows = await self._database.fetch_all(SQL["sampled_attempts"], params)
        return [(row["user_id"], row["id"]) for row in rows]

    async def papers(self, attempts: Sequence[AttemptName]) -> Sequence[GradedPaper]:
        params = {
            "user_ids": [user_id for user_id, _ in attempts],
            "session_ids": [session_id for _, session_id in attempts],
        }
        rows = await self._database.fetch_all(SQL["sampled_papers"], params)
        return [_paper(row) for row in rows]

    async def choices(self, versions: Iterable[tuple[str, int]]) -> VersionChoices:
        rows = await self._database.fetch_all(SQL["choices_of_versions"], _named(versions))
        return {(row["question_id"], row["version"]): tuple(row["choice_ids"]) for row in rows}

    async def voided(self, exam_package_id: str) -> VoidedVersions:
        rows = await self._database.fetch_all(SQL["voided_versions"], {"exam_package_id": exam_package_id})
        return {(row["question_id"], row["version"]): VoidMode(row["mode"]) for row in rows}

    async def labels(self, viewer: Actor, versions: Iterable[tuple[str, int]]) -> Mapping[str, QuestionLabel]:
        sight = {"viewer_id": viewer.user_id, "sees_all": viewer.role is Role.ADMIN, "excerpt": EXCERPT_SOURCE}
        rows = await self._database.fetch_all(SQL["labels_of_versions"], _named(versions) | sight)
        return {row["question_id"]: label_of(row) for row in rows}

    async def packages_with_exams(self, after: str, limit: int) -> Sequence[str]:
        rows = await self._database.fetch_all(SQL["packages_with_exams"], {"after": after, "limit": limit})
        return [row["id"] for row in rows]


def label_of(row: Mapping[str, Any]) -> QuestionLabel:
    """How a question is called, from the columns of its version."""
    shown = excerpt(row["stem"], TextFormat(row["stem_format"]))
    return entity(dict(row) | {"stem": shown}, QuestionLabel)


def _paper(row: Mapping[str, Any]) -> GradedPaper:
    """As it comes: to look at each of a million marks would take longer than to read them."""
    return GradedPaper(
        sections=row["sections"] or (),
        question_ids=row["question_ids"] or (),
        versions=row["versions"] or (),
        marks=row["marks"] or (),
        max_marks=row["max_marks"] or (),
        correct=row["correct"] or (),
        chosen=[_choices(each) for each in row["chosen"] or ()],
    )


@lru_cache(maxsize=4096)
def _choices(told: str) -> Chosen:
    return tuple(json.loads(told))


def _named(versions: Iterable[tuple[str, int]]) -> dict[str, list[Any]]:
    named = list(versions)
    return {
        "question_ids": [question_id for question_id, _ in named],
        "versions": [version for _, version in named],
    }
