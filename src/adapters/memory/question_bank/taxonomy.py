"""Banks, topics and difficulties in memory."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.store import MemoryWork
from application.question_bank.ports.taxonomy import TaxonomyWork
from domain.question_bank.taxonomy import (
    Bank,
    BankInUse,
    BankSlugTaken,
    Difficulty,
    DifficultyNameTaken,
    Topic,
    TopicNameTaken,
)


class MemoryTaxonomyWork(MemoryWork, TaxonomyWork):
    """What uses a bank or a topic stands in `bank_users` and `topic_users`; staff in `staff`."""

    async def hold_bank(self, bank_id: str) -> Bank | None:
        return await self.find_bank(bank_id)

    async def hold_bank_alone(self, bank_id: str) -> Bank | None:
        return await self.find_bank(bank_id)

    async def find_bank(self, bank_id: str) -> Bank | None:
        bank: Bank | None = self._tables["banks"].get(bank_id)
        return bank

    async def add_bank(self, bank: Bank) -> None:
        await self.save_bank(bank)

    async def save_bank(self, bank: Bank) -> None:
        others: list[Bank] = list(self._tables["banks"].values())
        if any(other.slug == bank.slug and other.id != bank.id for other in others):
            raise BankSlugTaken
        self._tables["banks"][bank.id] = bank

    async def drop_bank(self, bank_id: str) -> None:
        if bank_id in self._tables["bank_users"]:
            raise BankInUse
        del self._tables["banks"][bank_id]
        topics: list[Topic] = list(self._tables["topics"].values())
        for topic in topics:
            if topic.question_bank_id == bank_id:
                del self._tables["topics"][topic.id]

    async def staff_among(self, user_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(user_ids) & self._tables["staff"].keys()

    async def hold_topic(self, topic_id: str) -> Topic | None:
        topic: Topic | None = self._tables["topics"].get(topic_id)
        return topic

    async def add_topic(self, topic: Topic) -> None:
        await self.save_topic(topic)

    async def save_topic(self, topic: Topic) -> None:
        others: list[Topic] = list(self._tables["topics"].values())
        if any(
            (other.question_bank_id, other.name) == (topic.question_bank_id, topic.name) and other.id != topic.id
            for other in others
        ):
            raise TopicNameTaken
        self._tables["topics"][topic.id] = topic

    async def is_topic_used(self, topic_id: str) -> bool:
        return topic_id in self._tables["topic_users"]

    async def drop_topic(self, topic_id: str) -> None:
        del self._tables["topics"][topic_id]

    async def hold_difficulty(self, difficulty_id: str) -> Difficulty | None:
        difficulty: Difficulty | None = self._tables["difficulties"].get(difficulty_id)
        return difficulty

    async def save_difficulty(self, difficulty: Difficulty) -> None:
        others: list[Difficulty] = list(self._tables["difficulties"].values())
        if any(other.name.lower() == difficulty.name.lower() and other.id != difficulty.id for other in others):
            raise DifficultyNameTaken
        self._tables["difficulties"][difficulty.id] = difficulty
