"""The stores that the contract of managing packages is checked against, behind one face."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Protocol

import msgspec

from application.enrollment.managing import ChangePackage, CreatePackage, DeletePackage
from application.enrollment.tiers import AddTier, ChangeTier, DeleteTier
from application.ports import Transaction
from domain.enrollment.packages import ExamPackage
from tests.support.enrollment_stores import EnrollmentStore, InMemory, OnPostgres


class PackageStore(EnrollmentStore, Protocol):
    """A store of packages, with what tests put beside them."""

    @abstractmethod
    async def add_topic(self, topic_id: str, bank_id: str) -> None: ...

    @abstractmethod
    async def add_template(self, package_id: str) -> None: ...

    @property
    def create(self) -> CreatePackage:
        return CreatePackage(transact=self.packages, ids=self.ids)

    @property
    def change_package(self) -> ChangePackage:
        return ChangePackage(transact=self.packages)

    @property
    def delete(self) -> DeletePackage:
        return DeletePackage(transact=self.packages)

    @property
    def add_tier(self) -> AddTier:
        return AddTier(transact=self.packages, ids=self.ids)

    @property
    def change_tier(self) -> ChangeTier:
        return ChangeTier(transact=self.packages)

    @property
    def delete_tier(self) -> DeleteTier:
        return DeleteTier(transact=self.packages)

    async def stored(self, name: str) -> ExamPackage | None:
        """The package as it is kept."""
        return await self.packages(lambda work: work.hold_package(name))

    async def banks_of(self, package_id: str) -> tuple[str, ...]:
        return await self.packages(lambda work: work.banks_of(package_id))

    async def told(self) -> Sequence[tuple[str, str, Any, Any]]:
        """Action, subject, before and after of all audit rows, oldest first, as they are read from a log."""
        log = await self.audit_log()
        rows = [(entry.action, entry.subject, entry.before, entry.after) for entry in log]
        read: list[tuple[str, str, Any, Any]] = [tuple(row) for row in msgspec.json.decode(msgspec.json.encode(rows))]
        return read


@dataclass(kw_only=True)
class PackagesInMemory(InMemory, PackageStore):
    """Dictionaries. They know one difficulty, as every database does."""

    def __post_init__(self) -> None:
        self.store.tables["difficulties"]["dif_easy"] = SimpleNamespace(id="dif_easy")

    async def add_topic(self, topic_id: str, bank_id: str) -> None:
        self.store.tables["topics"][topic_id] = SimpleNamespace(id=topic_id, question_bank_id=bank_id)

    async def add_template(self, package_id: str) -> None:
        self.store.tables["practice_templates"]["tpl_1"] = SimpleNamespace(exam_package_id=package_id)


@dataclass(kw_only=True)
class PackagesOnPostgres(OnPostgres, PackageStore):
    """The real database."""

    async def add_topic(self, topic_id: str, bank_id: str) -> None:
        await self.database.fetch_one(
            "insert into question_topics (id, question_bank_id, name, created_at, updated_at)"
            " values (%(id)s, %(bank)s, %(id)s, %(now)s, %(now)s) returning id",
            {"id": topic_id, "bank": bank_id, "now": self.clock.now()},
        )

    async def add_template(self, package_id: str) -> None:
        await self.database.fetch_one(
            "insert into practice_templates (id, exam_package_id, title, settings, created_at, updated_at)"
            " values ('tpl_1', %(package)s, 'Warm-up', '{}', %(now)s, %(now)s) returning id",
            {"package": package_id, "now": self.clock.now()},
        )


@dataclass(slots=True)
class Waiting(Transaction[Any]):
    """A unit of work that has done everything and does not commit before it is told to."""

    inner: Transaction[Any]
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, unit: Callable[[Any], Awaitable[Any]], /) -> Any:
        async def slow(work: Any) -> Any:
            result = await unit(work)
            self.reached.set()
            await self.go.wait()
            return result

        return await self.inner(slow)
