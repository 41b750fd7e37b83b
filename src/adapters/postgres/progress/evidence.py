"""Evidence and predictions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.ports import Clock
from application.progress.ports.evidence import EvidenceReader, EvidenceWork, FacilityWork, Grounds, ReadinessWork
from domain.progress.calibration import Outcomes
from domain.progress.evidence import MOST_ANSWERS, Facility, JudgedAnswer, PackageEvidence, PackageTopic
from domain.progress.readiness import Prediction

SQL = load("progress/evidence")


class PostgresEvidenceWork(PostgresWork, EvidenceWork):
    """One statement, as of the unit's own instant."""

    async def evidence(self, user_id: str, exam_package_id: str) -> PackageEvidence | None:
        row = await self._one(SQL["evidence"], _wanted(user_id, exam_package_id, self.now))
        return None if row is None else _evidence(row)


class PostgresReadinessWork(PostgresEvidenceWork, ReadinessWork):
    """The student's own row says whose turn it is."""

    async def grounds(self, user_id: str, exam_package_id: str) -> Grounds | None:
        wanted = _wanted(user_id, exam_package_id, self.now) | {"with_outcomes": True}
        row = await self._one(SQL["evidence"], wanted)
        if row is None:
            return None
        return Grounds(evidence=_evidence(row), outcomes=entities(row["outcomes"] or (), Outcomes))

    async def hold_predictions(
        self, user_id: str, exam_package_id: str, shown_after: datetime
    ) -> tuple[Prediction, ...]:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "shown_after": shown_after}
        await self._run(SQL["hold_student"], params)
        return entities(await self._all(SQL["predictions_after"], params), Prediction)

    async def add_prediction(self, prediction: Prediction) -> None:
        await self._run(SQL["add_prediction"], record(prediction))


class PostgresFacilityWork(PostgresWork, FacilityWork):
    """One statement."""

    async def count_facilities(self) -> None:
        await self._run(SQL["be_patient"])
        await self._run(SQL["count_facilities"], {"now": self.now})


class PostgresEvidenceReader(EvidenceReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def evidence(self, user_id: str, exam_package_id: str) -> PackageEvidence | None:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["evidence"], _wanted(user_id, exam_package_id, now))
        return None if row is None else _evidence(row)

    async def outcomes(self, exam_package_id: str | None) -> tuple[Outcomes, ...]:
        return entities(await self._database.fetch_all(SQL["outcomes"], {"exam_package_id": exam_package_id}), Outcomes)


def _wanted(user_id: str, exam_package_id: str, now: datetime | None) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "exam_package_id": exam_package_id,
        "now": now,
        "most": MOST_ANSWERS,
        "with_outcomes": False,
    }


def _evidence(row: Mapping[str, Any]) -> PackageEvidence:
    parts = dict(row) | {"topics": (), "answers": ()}
    return replace(entity(parts, PackageEvidence), topics=_topics(row), answers=_answers(row))


def _topics(row: Mapping[str, Any]) -> tuple[PackageTopic, ...]:
    named = tuple(
        PackageTopic(id=topic["id"], name=topic["name"], published=topic["published"], facility=entity(topic, Facility))
        for topic in row["topics"]
    )
    return (*named, PackageTopic(id=None, published=max(0, row["without_topic"])))


def _answers(row: Mapping[str, Any]) -> tuple[JudgedAnswer, ...]:
    """As arrays side by side: of thousands of answers a document each would take several times as long to read."""
    columns = (row["question_ids"], row["topic_ids"], row["fractions"], row["answered_at"])
    return tuple(
        JudgedAnswer(
            question_id=question_id,
            topic_id=topic_id,
            fraction=min(1.0, max(0.0, fraction)),
            answered_at=answered_at,
        )
        for question_id, topic_id, fraction, answered_at in zip(*(column or () for column in columns), strict=True)
    )
