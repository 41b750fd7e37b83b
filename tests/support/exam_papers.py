"""Papers drawn from dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.store import MemoryStore
from application.question_bank.ports.papers import PaperReader
from domain.question_bank.blueprints import Blueprint, Candidate, PaperSlot
from domain.question_bank.questions import PublicQuestion


@dataclass(frozen=True, slots=True)
class MemoryPapers(PaperReader):
    """Every published question of a package may be drawn."""

    store: MemoryStore

    async def pool(
        self, exam_package_id: str, blueprint: Blueprint, *, student_id: str | None, seed: str
    ) -> tuple[Candidate, ...] | None:
        tables = self.store.tables
        if (exam_package_id,) not in tables["exam_packages"]:
            return None
        served = [*tables["practice_slots"].values(), *tables["exam_slots"].values()]
        seen = Counter(slot.question_id for slot in served if slot.user_id == student_id)
        offered: dict[tuple[str, str], PublishedQuestion] = tables["published_questions"]
        return tuple(
            Candidate(
                question_id=question_id,
                version=row.question.version,
                topic_id=row.topic_id,
                difficulty_id=row.difficulty_id,
                seen=seen[question_id],
            )
            for (package_id, question_id), row in offered.items()
            if package_id == exam_package_id
        )

    async def questions(self, slots: Iterable[PaperSlot]) -> tuple[PublicQuestion, ...]:
        offered: dict[tuple[str, str], PublishedQuestion] = self.store.tables["published_questions"]
        by_id = {question_id: row.question for (_, question_id), row in offered.items()}
        return tuple(by_id[slot.question_id] for slot in slots)
