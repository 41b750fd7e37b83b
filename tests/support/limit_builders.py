"""Session limits and groups for tests, on whichever store a test brings: their use cases, and people with sessions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.memory.admin import MemoryGroupWork, MemoryTurnover
from adapters.memory.jobs import MemoryJobRunner
from adapters.memory.store import MemoryTransaction
from adapters.postgres.admin import PostgresGroupWork, PostgresTurnover
from adapters.postgres.database import Database
from adapters.postgres.jobs import JobWorker
from adapters.postgres.rows import entity
from adapters.postgres.transaction import PostgresTransaction
from application.admin.groups import AddMember, ChangeGroup, CreateGroup, DeleteGroup, NewGroup, RemoveMember
from application.admin.limit_ports import GroupWork, LimitSubject, Turnover
from application.admin.limit_views import GroupView, UserLimits
from application.admin.limits import EnforceLimits, LimitOrder, SetRoleLimit, SetUserLimit
from application.auth.opening import Grant
from application.jobs import JobName, Task
from application.ports import AuditEntry, Transaction
from domain.auth.limits import Limit, WhenFull
from domain.auth.people import Role
from domain.auth.refresh import RefreshToken
from tests.support.admin_builders import ROOT, make_jobs_due
from tests.support.auth_builders import (
    NOW,
    STUDENT_VISIT,
    Auth,
    AuthInMemory,
    AuthOnPostgres,
    a_session,
    a_user,
    auth_in_memory,
    auth_on_postgres,
)
from tests.support.postgres import SettableClock


def a_limit(max_sessions: int, *, denies: bool = False) -> Limit:
    return Limit(max_sessions=max_sessions, when_full=WhenFull.DENY if denies else WhenFull.EVICT_OLDEST)


def an_order(max_sessions: int | None, *, now: bool = False, **more: Any) -> LimitOrder:
    """To set this limit, or none; `now` enforces it."""
    limit = None if max_sessions is None else a_limit(max_sessions)
    return LimitOrder(limit=limit, enforce_now=now, **more)


@dataclass(kw_only=True)
class LimitOffice:
    """Every use case that changes limits and groups, over one store."""

    auth: Auth
    transact: Transaction[GroupWork]
    turnover: Turnover
    batch: int = 500

    @property
    def enforce(self) -> EnforceLimits:
        return EnforceLimits(transact=self.transact, turnover=self.turnover, batch=self.batch)

    @property
    def set_user_limit(self) -> SetUserLimit:
        return SetUserLimit(transact=self.transact)

    @property
    def set_role_limit(self) -> SetRoleLimit:
        return SetRoleLimit(transact=self.transact, enforce=self.enforce)

    @property
    def create_group(self) -> CreateGroup:
        return CreateGroup(transact=self.transact, ids=self.auth.ids)

    @property
    def change_group(self) -> ChangeGroup:
        return ChangeGroup(transact=self.transact, enforce=self.enforce)

    @property
    def delete_group(self) -> DeleteGroup:
        return DeleteGroup(transact=self.transact)

    @property
    def add_member(self) -> AddMember:
        return AddMember(transact=self.transact)

    @property
    def remove_member(self) -> RemoveMember:
        return RemoveMember(transact=self.transact)

    async def admit(self, name: str, *, sessions: int = 0, exams: Sequence[int] = (), **values: Any) -> str:
        """Somebody with sessions `ses_<name>_0`, `…_1` …, each seen a minute later; through `exams` one is sat."""
        user = a_user(id=f"usr_{name}", email=f"{name}@example.org", username=None, **values)
        await self.auth.add(user)
        for number in range(sessions):
            session = a_session(
                id=f"ses_{name}_{number}",
                user_id=user.id,
                audience=user.role,
                last_seen_at=NOW + timedelta(minutes=number),
                sits_exam_until=NOW + timedelta(hours=2) if number in exams else None,
            )
            first = RefreshToken.first(session, session.id.encode().ljust(32)[:32])
            await self.auth.transact(lambda work, new=(session, first): work.add_session(*new))  # type: ignore[misc]
        return user.id

    async def live(self, name: str) -> set[str]:
        """The ends of the names of somebody's live sessions."""
        sessions = await self.transact(lambda work: work.live_sessions(f"usr_{name}"))
        return {session.id.rpartition("_")[2] for session in sessions}

    async def found_group(self, *names: str, limit: Limit | None = None, called: str = "Class") -> GroupView:
        """A group with these people in it."""
        group = await self.create_group(ROOT, NewGroup(name=called, limit=limit))
        for name in names:
            await self.add_member(ROOT, group.id, f"usr_{name}")
        return group

    async def limits_of(self, user_id: str) -> UserLimits:
        found = await self.transact(lambda work: work.user_limits(user_id))
        assert found is not None
        return found

    async def limit_of(self, subject: LimitSubject) -> Limit | None:
        return await self.transact(lambda work: work.hold_limit(subject))

    async def enter(self, user_id: str) -> Grant:
        """A sign-in after its password was found right."""

        async def open_session(work: GroupWork) -> Grant:
            user = await work.hold_user(user_id)
            assert user is not None
            return await self.auth.open_session(work, user, STUDENT_VISIT)

        return await self.transact(open_session)

    @abstractmethod
    async def audited(self) -> list[AuditEntry]:
        """All audit rows, oldest first."""

    @abstractmethod
    async def work_off(self) -> None:
        """Carries out the jobs that wait, and those that they order."""

    async def acts(self) -> list[str]:
        return [entry.action for entry in await self.audited()]


class OfficeInMemory(LimitOffice):
    """Dictionaries."""

    async def audited(self) -> list[AuditEntry]:
        assert isinstance(self.auth, AuthInMemory)
        return self.auth.store.audit_log

    async def work_off(self) -> None:
        assert isinstance(self.auth, AuthInMemory)
        await MemoryJobRunner(self.auth.store, {JobName.ENFORCE_LIMITS: self.enforce.go_on}).run_pending()


class OfficeOnPostgres(LimitOffice):
    """The real database."""

    @property
    def database(self) -> Database:
        assert isinstance(self.auth, AuthOnPostgres)
        return self.auth.database

    async def audited(self) -> list[AuditEntry]:
        rows = await self.database.fetch_all("select * from audit_log order by id")
        return [entity(row, AuditEntry) for row in rows]

    async def work_off(self) -> None:
        await make_jobs_due(self.database)
        tasks: dict[str, Task] = {JobName.ENFORCE_LIMITS: self.enforce.go_on}
        await JobWorker(self.database.conninfo, tasks, concurrency=1).run_pending()


def office_in_memory(clock: SettableClock | None = None, **parts: Any) -> OfficeInMemory:
    auth = auth_in_memory(clock=clock)
    transact: Transaction[GroupWork] = MemoryTransaction(auth.store, MemoryGroupWork, auth.clock)
    return OfficeInMemory(auth=auth, transact=transact, turnover=MemoryTurnover(auth.store), **parts)


def office_on_postgres(database: Database, clock: SettableClock, **parts: Any) -> OfficeOnPostgres:
    auth = auth_on_postgres(database, clock)
    transact: Transaction[GroupWork] = PostgresTransaction(database, PostgresGroupWork, auth.ids, clock)
    return OfficeOnPostgres(auth=auth, transact=transact, turnover=PostgresTurnover(database), **parts)


STUDENTS = LimitSubject.role(Role.STUDENT)
