"""The stores that the contract of packages and enrolments is checked against, behind one face."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.memory.enrollment.enrolling import MemoryEnrollmentWork, MemoryExpiringWork
from adapters.memory.enrollment.packages import MemoryPackageWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentWork, PostgresExpiringWork
from adapters.postgres.enrollment.packages import PostgresPackageWork
from adapters.postgres.rows import entities
from adapters.postgres.transaction import PostgresTransaction
from application.enrollment.administering import ChangeEnrollment, EndEnrollment, EnrollStudent
from application.enrollment.defining import DefinePackage
from application.enrollment.enrolling import CancelEnrollment, Enroll, UpgradeEnrollment
from application.enrollment.expiring import ExpireEnrollments
from application.enrollment.ports.enrolling import EnrollmentWork, ExpiringWork
from application.enrollment.ports.packages import PackageWork
from application.ports import AuditEntry, Clock, IdGenerator, Transaction
from domain.auth.people import Role, User
from domain.enrollment.enrolling import Enrollment
from domain.enrollment.packages import ExamPackage
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

    @property
    @abstractmethod
    def expiring(self) -> Transaction[ExpiringWork]: ...

    @abstractmethod
    async def add_student(self, user_id: str, *, role: Role = Role.STUDENT, deleted: bool = False) -> None: ...

    @abstractmethod
    async def add_bank(self, bank: StoredBank) -> None: ...

    @abstractmethod
    async def history(self) -> Sequence[Enrollment]:
        """Every row, in the order in which they were started."""

    @abstractmethod
    async def audit_log(self) -> Sequence[AuditEntry]:
        """All audit rows, oldest first."""

    async def audited(self) -> Sequence[str]:
        """The actions of all audit rows, oldest first."""
        return [entry.action for entry in await self.audit_log()]

    async def add_package(self, package: ExamPackage) -> bool:
        return await self.packages(lambda work: work.add_package(package))

    @property
    def enroll(self) -> Enroll:
        return Enroll(self.enrollments, self.ids)

    @property
    def upgrade(self) -> UpgradeEnrollment:
        return UpgradeEnrollment(self.enrollments, self.ids)

    @property
    def cancel(self) -> CancelEnrollment:
        return CancelEnrollment(self.enrollments)

    @property
    def enroll_student(self) -> EnrollStudent:
        return EnrollStudent(transact=self.enrollments, ids=self.ids)

    @property
    def change(self) -> ChangeEnrollment:
        return ChangeEnrollment(transact=self.enrollments, ids=self.ids)

    @property
    def end(self) -> EndEnrollment:
        return EndEnrollment(transact=self.enrollments)

    @property
    def sweep(self) -> ExpireEnrollments:
        return ExpireEnrollments(transact=self.expiring, batch=2)

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

    @property
    def expiring(self) -> Transaction[ExpiringWork]:
        return MemoryTransaction(self.store, MemoryExpiringWork, self.clock)

    async def add_student(self, user_id: str, *, role: Role = Role.STUDENT, deleted: bool = False) -> None:
        now = self.clock.now()
        self.store.tables["users"][user_id] = User(
            id=user_id,
            email=f"{user_id}@example.org",
            role=role,
            password_hash="",
            created_at=now,
            updated_at=now,
            deleted_at=now if deleted else None,
        )

    async def add_bank(self, bank: StoredBank) -> None:
        self.store.tables["question_banks"][bank.id,] = bank

    async def history(self) -> Sequence[Enrollment]:
        return sorted(self.store.tables["enrollments"].values(), key=lambda row: row.id)

    async def audit_log(self) -> Sequence[AuditEntry]:
        return self.store.audit_log


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

    @property
    def expiring(self) -> Transaction[ExpiringWork]:
        return PostgresTransaction(self.database, PostgresExpiringWork, self.ids, self.clock)

    async def add_student(self, user_id: str, *, role: Role = Role.STUDENT, deleted: bool = False) -> None:
        now = self.clock.now()
        await self.database.fetch_one(
            "insert into users (id, email, role, password_hash, created_at, updated_at, deleted_at)"
            " values (%(id)s, %(id)s || '@example.org', %(role)s, '', %(now)s, %(now)s, %(deleted_at)s) returning id",
            {"id": user_id, "role": role.value, "now": now, "deleted_at": now if deleted else None},
        )

    async def add_bank(self, bank: StoredBank) -> None:
        await self.database.fetch_one(
            "insert into question_banks (id, slug, title, visibility, published_count, created_at, updated_at)"
            " values (%(id)s, %(slug)s, %(slug)s, %(shown)s, %(count)s, %(now)s, %(now)s) returning id",
            {
                "id": bank.id,
                "slug": bank.slug,
                "shown": "visible" if bank.visible else "hidden",
                "count": bank.published_count,
                "now": self.clock.now(),
            },
        )

    async def history(self) -> Sequence[Enrollment]:
        return entities(await self.database.fetch_all("select * from enrollments order by id"), Enrollment)

    async def audit_log(self) -> Sequence[AuditEntry]:
        return entities(await self.database.fetch_all("select * from audit_log order by id"), AuditEntry)
