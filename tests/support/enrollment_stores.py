"""The stores that the contract of packages and enrolments is checked against, behind one face."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.memory.enrollment import MemoryEnrollmentWork, MemoryPackageWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.enrollment import PostgresEnrollmentWork, PostgresPackageWork
from adapters.postgres.rows import entities
from adapters.postgres.transaction import PostgresTransaction
from application.enrollment.defining import DefinePackage
from application.enrollment.enrolling import CancelEnrollment, Enroll
from application.enrollment.ports import EnrollmentWork, PackageWork
from application.ports import Clock, IdGenerator, Transaction
from domain.enrollment import Enrollment, ExamPackage
from tests.support.enrollment_builders import StoredBank


class EnrollmentStore(Protocol):
    """A store with its units of work, and what tests put into it and read from it."""

    ids: IdGenerator

    @property
    @abstractmethod
    def enrollments(self) -> Transaction[EnrollmentWork]: ...

    @property
    @abstractmethod
    def packages(self) -> Transaction[PackageWork]: ...

    @abstractmethod
    async def add_student(self, user_id: str) -> None: ...

    @abstractmethod
    async def add_bank(self, bank: StoredBank) -> None: ...

    @abstractmethod
    async def history(self) -> Sequence[Enrollment]:
        """Every row, in the order in which they were started."""

    @abstractmethod
    async def audited(self) -> Sequence[str]:
        """The actions of all audit rows, oldest first."""

    async def add_package(self, package: ExamPackage) -> bool:
        return await self.packages(lambda work: work.add_package(package))

    @property
    def enroll(self) -> Enroll:
        return Enroll(self.enrollments, self.ids)

    @property
    def cancel(self) -> CancelEnrollment:
        return CancelEnrollment(self.enrollments)

    @property
    def define(self) -> DefinePackage:
        return DefinePackage(self.packages, self.ids)


@dataclass(kw_only=True)
class InMemory(EnrollmentStore):
    """Dictionaries."""

    clock: Clock
    ids: IdGenerator
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def enrollments(self) -> Transaction[EnrollmentWork]:
        return MemoryTransaction(self.store, MemoryEnrollmentWork, self.clock)

    @property
    def packages(self) -> Transaction[PackageWork]:
        return MemoryTransaction(self.store, MemoryPackageWork, self.clock)

    async def add_student(self, user_id: str) -> None:
        pass

    async def add_bank(self, bank: StoredBank) -> None:
        self.store.tables["question_banks"][bank.id,] = bank

    async def history(self) -> Sequence[Enrollment]:
        return sorted(self.store.tables["enrollments"].values(), key=lambda row: row.id)

    async def audited(self) -> Sequence[str]:
        return [entry.action for entry in self.store.audit_log]


@dataclass(kw_only=True)
class OnPostgres(EnrollmentStore):
    """The real database."""

    database: Database
    clock: Clock
    ids: IdGenerator

    @property
    def enrollments(self) -> Transaction[EnrollmentWork]:
        return PostgresTransaction(self.database, PostgresEnrollmentWork, self.ids, self.clock)

    @property
    def packages(self) -> Transaction[PackageWork]:
        return PostgresTransaction(self.database, PostgresPackageWork, self.ids, self.clock)

    async def add_student(self, user_id: str) -> None:
        await self.database.fetch_one(
            "insert into users (id, email, role, password_hash, created_at, updated_at)"
            " values (%(id)s, %(id)s || '@example.org', 'student', '', %(now)s, %(now)s) returning id",
            {"id": user_id, "now": self.clock.now()},
        )

    async def add_bank(self, bank: StoredBank) -> None:
        await self.database.fetch_one(
            "insert into question_banks (id, slug, title, created_at, updated_at)"
            " values (%(id)s, %(slug)s, %(slug)s, %(now)s, %(now)s) returning id",
            {"id": bank.id, "slug": bank.slug, "now": self.clock.now()},
        )

    async def history(self) -> Sequence[Enrollment]:
        return entities(await self.database.fetch_all("select * from enrollments order by id"), Enrollment)

    async def audited(self) -> Sequence[str]:
        return [row["action"] for row in await self.database.fetch_all("select action from audit_log order by id")]
