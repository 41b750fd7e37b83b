"""Papers on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg.types.json import Jsonb

from adapters.postgres.database import Database
from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from application.question_bank.ports.papers import PaperReader
from domain.question_bank.blueprints import Blueprint, Candidate, PaperSlot
from domain.question_bank.questions import PublicQuestion
from domain.question_bank.seeds import draw_start

SQL = load("question_bank/papers")
# More than the paper needs, so that chance has something to choose from where the bank has more.
_SPARE = 100


class PostgresPaperReader(PaperReader):
    """Candidates come from the indexes of draw keys: the cost follows the blueprint, not the size of the bank."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pool(
        self, exam_package_id: str, blueprint: Blueprint, *, student_id: str | None, seed: str
    ) -> tuple[Candidate, ...] | None:
        sections = [
            {"topic_id": section.topic_id, "difficulty_id": section.difficulty_id} for section in blueprint.sections
        ]
        params = {
            "exam_package_id": exam_package_id,
            "user_id": student_id,
            "sections": Jsonb(sections),
            "start": draw_start(seed),
            "most": blueprint.total + _SPARE,
        }
        rows = await self._database.fetch_all(SQL["paper_pool"], params)
        if not rows and await self._database.fetch_one(SQL["find_source"], params) is None:
            return None
        return entities(rows, Candidate)

    async def questions(self, slots: Iterable[PaperSlot]) -> tuple[PublicQuestion, ...]:
        drawn = [(slot.question_id, slot.version) for slot in slots]
        params = {"question_ids": [each for each, _ in drawn], "versions": [version for _, version in drawn]}
        found = entities(await self._database.fetch_all(SQL["paper_questions"], params), PublicQuestion)
        by_id = {question.question_id: question for question in found}
        return tuple(by_id[question_id] for question_id, _ in drawn)
