"""What a student has come to, for tests, on whichever store a test brings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

from adapters.memory.progress.profile import MemoryProfileWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.progress.profile import PostgresProfileReader, PostgresProfileWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.ports import Transaction
from application.progress.crediting import credit, take_back
from application.progress.ports.profile import ProfileWork
from application.progress.profile import ChangeStudentProfile
from application.progress.profile_views import ProfileView
from domain.auth.people import Actor, Role, User
from domain.progress.activity import Activity, ActivityKind
from domain.progress.badges import Badge
from domain.progress.profile import ProfileChange
from domain.progress.students import StudentProgress
from tests.support.postgres import SettableClock

ADA: Final = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
BOB: Final = Actor(user_id="usr_bob", role=Role.STUDENT, session_id="ses_bob")


def an_answer(source_id: str = "prs_1", answers: int = 1) -> Activity:
    return Activity(kind=ActivityKind.PRACTICE_ANSWER, source_id=source_id, answers=answers)


def an_exam(source_id: str = "exs_1", *, passed: bool = False, perfect: bool = False) -> Activity:
    return Activity(kind=ActivityKind.EXAM_SEALED, source_id=source_id, passed=passed, perfect=perfect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that is stored of a student."""

    student: StudentProgress
    days: tuple[date, ...]
    badges: tuple[Badge, ...]

    @property
    def held(self) -> set[str]:
        return {badge.code for badge in self.badges if badge.is_held}


class Progress(Protocol):
    """Crediting and the profile over one store, in which Ada and Bob study."""

    clock: SettableClock

    @property
    @abstractmethod
    def transact(self) -> Transaction[ProfileWork]: ...

    @abstractmethod
    async def audited(self) -> Sequence[Any]:
        """Action, before and after of every audit row, oldest first."""

    async def settle(self) -> None:
        """Ada and Bob have accounts."""

        async def unit(work: ProfileWork) -> None:
            for actor, name in ((ADA, "Ada"), (BOB, "Bob")):
                await work.add_user(a_student(actor.user_id, name, self.clock))

        await self.transact(unit)

    async def credit(self, activity: Activity | None = None, actor: Actor = ADA) -> StudentProgress:
        async def unit(work: ProfileWork) -> StudentProgress:
            return await credit(work, await work.hold_progress(actor.user_id), activity or an_answer())

        return await self.transact(unit)

    async def take_back(self, answers: int = 1) -> StudentProgress:
        async def unit(work: ProfileWork) -> StudentProgress:
            student = await work.hold_progress(ADA.user_id)
            return await take_back(work, student, answers=answers)

        return await self.transact(unit)

    async def change(self, expected: int | None = None, actor: Actor = ADA, **wishes: Any) -> ProfileView:
        return await ChangeStudentProfile(transact=self.transact)(actor, ProfileChange(**wishes), expected)

    async def standing(self, actor: Actor = ADA) -> Standing:
        async def unit(work: ProfileWork) -> Standing:
            return Standing(
                student=await work.hold_progress(actor.user_id),
                days=await work.study_days(actor.user_id),
                badges=await work.badges(actor.user_id),
            )

        return await self.transact(unit)

    async def person(self, actor: Actor = ADA) -> User:
        async def unit(work: ProfileWork) -> User | None:
            return await work.hold_user(actor.user_id)

        found = await self.transact(unit)
        assert found is not None
        return found


def a_student(user_id: str, name: str, clock: SettableClock) -> User:
    return User(
        id=user_id,
        email=f"{name.lower()}@example.org",
        username=name.lower(),
        name=name,
        role=Role.STUDENT,
        password_hash="!",
        created_at=clock.now(),
        updated_at=clock.now(),
    )


@dataclass(kw_only=True)
class InMemory(Progress):
    """Dictionaries."""

    clock: SettableClock
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def transact(self) -> Transaction[ProfileWork]:
        return MemoryTransaction(self.store, MemoryProfileWork, self.clock)

    async def audited(self) -> Sequence[Any]:
        return [(entry.action, entry.before, entry.after) for entry in self.store.audit_log]


@dataclass(kw_only=True)
class OnPostgres(Progress):
    """The real database."""

    clock: SettableClock
    database: Database

    @property
    def transact(self) -> Transaction[ProfileWork]:
        return PostgresTransaction(self.database, PostgresProfileWork, TimeOrderedIds(), self.clock)

    @property
    def reader(self) -> PostgresProfileReader:
        return PostgresProfileReader(self.database, self.clock)

    async def audited(self) -> Sequence[Any]:
        rows = await self.database.fetch_all("select action, before, after from audit_log order by id")
        return [(row["action"], row["before"], row["after"]) for row in rows]
