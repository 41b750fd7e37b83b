"""Banks, topics and difficulties on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.question_bank.ports.taxonomy import TaxonomyReader, TaxonomyWork
from application.question_bank.taxonomy_views import BankView, PublicBankView
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.question_bank.taxonomy import (
    Bank,
    BankInUse,
    BankSlugTaken,
    Difficulty,
    DifficultyNameTaken,
    Topic,
    TopicNameTaken,
)

SQL = load("question_bank/taxonomy")


class PostgresTaxonomyWork(PostgresWork, TaxonomyWork):
    """A bank and a topic are held by their rows; names are kept apart by unique indexes."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "question_banks_slug_unique": BankSlugTaken,
        "question_topics_name_unique": TopicNameTaken,
        "question_difficulties_name_unique": DifficultyNameTaken,
        # A question or a package that came between the look and the deletion.
        "questions_question_bank_id_fkey": BankInUse,
        "exam_package_banks_question_bank_id_fkey": BankInUse,
    }

    async def hold_bank(self, bank_id: str) -> Bank | None:
        row = await self._one(SQL["hold_bank"], {"bank_id": bank_id})
        return None if row is None else entity(row, Bank)

    async def hold_bank_alone(self, bank_id: str) -> Bank | None:
        await self._run(SQL["hold_bank_alone"], {"bank_id": bank_id})
        return await self.hold_bank(bank_id)

    async def find_bank(self, bank_id: str) -> Bank | None:
        row = await self._one(SQL["find_bank"], {"bank_id": bank_id})
        return None if row is None else entity(row, Bank)

    async def add_bank(self, bank: Bank) -> None:
        await self._run(SQL["add_bank"], record(bank))

    async def save_bank(self, bank: Bank) -> None:
        await self._run(SQL["save_bank"], record(bank))

    async def drop_bank(self, bank_id: str) -> None:
        row = await self._one(SQL["is_bank_used"], {"bank_id": bank_id})
        if row is None or row["used"]:
            raise BankInUse
        await self._run(SQL["drop_topics_of"], {"bank_id": bank_id})
        await self._run(SQL["drop_bank"], {"bank_id": bank_id})

    async def staff_among(self, user_ids: Sequence[str]) -> frozenset[str]:
        rows = await self._all(SQL["staff_among"], {"user_ids": list(user_ids)}) if user_ids else []
        return frozenset(row["id"] for row in rows)

    async def hold_topic(self, topic_id: str) -> Topic | None:
        row = await self._one(SQL["hold_topic"], {"topic_id": topic_id})
        return None if row is None else entity(row, Topic)

    async def add_topic(self, topic: Topic) -> None:
        await self._run(SQL["add_topic"], record(topic))

    async def save_topic(self, topic: Topic) -> None:
        await self._run(SQL["save_topic"], record(topic))

    async def is_topic_used(self, topic_id: str) -> bool:
        row = await self._one(SQL["is_topic_used"], {"topic_id": topic_id})
        return row is None or bool(row["used"])

    async def drop_topic(self, topic_id: str) -> None:
        await self._run(SQL["drop_topic"], {"topic_id": topic_id})

    async def hold_difficulty(self, difficulty_id: str) -> Difficulty | None:
        row = await self._one(SQL["hold_difficulty"], {"difficulty_id": difficulty_id})
        return None if row is None else entity(row, Difficulty)

    async def save_difficulty(self, difficulty: Difficulty) -> None:
        await self._run(SQL["save_difficulty"], record(difficulty))


class PostgresTaxonomyReader(TaxonomyReader):
    """Each list is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def banks(self, viewer: Actor, *, text: str | None, after: str | None, limit: int) -> tuple[BankView, ...]:
        params = _seen_by(viewer) | {"bank_id": None, "pattern": _containing(text), "after": after, "limit": limit}
        return tuple(_bank_view(row) for row in await self._database.fetch_all(SQL["list_banks"], params))

    async def bank(self, viewer: Actor, bank_id: str) -> BankView | None:
        params = _seen_by(viewer) | {"bank_id": bank_id, "pattern": None, "after": None, "limit": 1}
        row = await self._database.fetch_one(SQL["list_banks"], params)
        return None if row is None else _bank_view(row)

    async def topics(
        self, viewer: Actor, *, bank_id: str | None, text: str | None, after: str | None, limit: int
    ) -> tuple[Topic, ...]:
        params = _seen_by(viewer) | {"bank_id": bank_id, "pattern": _containing(text), "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_topics"], params), Topic)

    async def difficulties(self) -> tuple[Difficulty, ...]:
        return entities(await self._database.fetch_all(SQL["list_difficulties"]), Difficulty)

    async def banks_of_student(self, student_id: str, *, after: str | None, limit: int) -> tuple[PublicBankView, ...]:
        params = {"user_id": student_id, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_banks_of_student"], params), PublicBankView)

    async def topics_of_student(
        self,
        student_id: str,
        *,
        bank_id: str | None = None,
        package_id: str | None = None,
        after: str | None,
        limit: int,
    ) -> tuple[Topic, ...]:
        params = {"user_id": student_id, "bank_id": bank_id, "package_id": package_id, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_topics_of_student"], params), Topic)


def _seen_by(viewer: Actor) -> dict[str, Any]:
    return {"viewer_id": viewer.user_id, "sees_all": viewer.role is Role.ADMIN}


def _containing(text: str | None) -> str | None:
    """The pattern that finds a text anywhere; its own wildcards stand for themselves."""
    if text is None:
        return None
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _bank_view(row: Mapping[str, Any]) -> BankView:
    return BankView(bank=entity(row, Bank), published_count=row["published_count"])
