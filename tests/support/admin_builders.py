"""Administration for tests, on whichever store a test brings: its use cases, people to try them on, what they left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.memory.admin import MemoryAdminWork, MemoryTurnover
from adapters.memory.jobs import MemoryJobRunner
from adapters.memory.store import MemoryTransaction
from adapters.postgres.admin import PostgresAdminWork, PostgresTurnover
from adapters.postgres.database import Database
from adapters.postgres.jobs import JobWorker
from adapters.postgres.transaction import PostgresTransaction
from application.admin.inviting import Invite, WithdrawInvitation
from application.admin.limit_ports import Turnover
from application.admin.people import AddUser, ChangeUser, DeleteUser, RestoreUser, SendPasswordLink, UnlockUser
from application.admin.ports import AdminWork
from application.admin.sessions import EndEverySession, EndSessionOf, EndSessionsOf
from application.jobs import JobName, Task
from application.mail import MailKind, MailOrder
from application.ports import AuditEntry, Transaction
from domain.auth.invitations import Invitation
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import Actor, Role, User
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session
from domain.auth.throttling import Attempts, account_key
from tests.support.auth_builders import NOW, Auth, AuthInMemory, AuthOnPostgres, a_session, a_user

ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_root")
PERSONAL = frozenset(LinkPurpose) - {LinkPurpose.INVITATION}


def root(**changes: Any) -> User:
    """The admin who acts."""
    return a_user(id="usr_root", email="root@example.org", username="root", name="Root", role=Role.ADMIN, **changes)


@dataclass(frozen=True, kw_only=True)
class Administration:
    """Every use case of the area that deals with people, over one store."""

    auth: Auth
    transact: Transaction[AdminWork]
    turnover: Turnover
    batch: int = 10_000

    @property
    def add_user(self) -> AddUser:
        return AddUser(transact=self.transact, ids=self.auth.ids)

    @property
    def change_user(self) -> ChangeUser:
        return ChangeUser(transact=self.transact)

    @property
    def delete_user(self) -> DeleteUser:
        return DeleteUser(transact=self.transact)

    @property
    def restore_user(self) -> RestoreUser:
        return RestoreUser(transact=self.transact)

    @property
    def unlock_user(self) -> UnlockUser:
        return UnlockUser(transact=self.transact)

    @property
    def send_password_link(self) -> SendPasswordLink:
        return SendPasswordLink(transact=self.transact)

    @property
    def end_session_of(self) -> EndSessionOf:
        return EndSessionOf(transact=self.transact)

    @property
    def end_sessions_of(self) -> EndSessionsOf:
        return EndSessionsOf(transact=self.transact)

    @property
    def end_every_session(self) -> EndEverySession:
        return EndEverySession(transact=self.transact, turnover=self.turnover, batch=self.batch)

    @property
    def invite(self) -> Invite:
        return Invite(transact=self.transact, ids=self.auth.ids)

    @property
    def withdraw_invitation(self) -> WithdrawInvitation:
        return WithdrawInvitation(transact=self.transact)

    async def settle(self, *people: User) -> None:
        """Everybody gets an account and one live session, `ses_…` for `usr_…`."""
        for user in people:
            await self.auth.add(user)
            await self.open(a_session(id=session_of(user.id), user_id=user.id, audience=user.role))

    async def open(self, session: Session) -> None:
        first = RefreshToken.first(session, f"{session.user_id} {session.id}".encode().ljust(32)[:32])
        await self.auth.transact(lambda work: work.add_session(session, first))

    async def find(self, user_id: str) -> User:
        found = await self.transact(lambda work: work.hold_user(user_id))
        assert found is not None
        return found

    async def session(self, user_id: str) -> Session:
        """The session that the person was settled with."""
        found = await self.transact(lambda work: work.find_session(user_id, session_of(user_id)))
        assert found is not None
        return found

    async def invitation(self, invitation_id: str) -> Invitation:
        found = await self.transact(lambda work: work.hold_invitation(invitation_id))
        assert found is not None
        return found

    async def give_links(self, owner_id: str, purposes: Collection[LinkPurpose] = PERSONAL) -> None:
        """One link for each purpose."""

        async def give(work: AdminWork) -> None:
            for purpose in sorted(purposes):
                token = f"{owner_id} {purpose}".encode().ljust(32)[:32]
                await work.put_link(Link.new(owner_id, purpose, email="a@example.org", token=token, now=NOW))

        await self.transact(give)

    async def links_of(self, owner_id: str) -> set[LinkPurpose]:
        raise NotImplementedError

    async def count_failures(self, email: str) -> None:
        """Wrong passwords were tried at an account."""
        raise NotImplementedError

    async def counted(self) -> set[str]:
        """The keys under which attempts are counted."""
        raise NotImplementedError

    async def acts(self) -> Sequence[AuditEntry]:
        """The whole audit log, oldest first."""
        raise NotImplementedError

    async def orders(self) -> Sequence[MailOrder]:
        """All mail that was ordered, oldest first."""
        raise NotImplementedError

    async def work_off(self) -> None:
        """Carries out what was ordered beside mail, as if the time for it had come."""
        raise NotImplementedError

    @property
    def _tasks(self) -> dict[str, Task]:
        return {JobName.END_SESSIONS: self.end_every_session.finish}

    async def act(self) -> AuditEntry:
        """The one act that was recorded."""
        (entry,) = await self.acts()
        return entry

    async def kinds(self) -> list[MailKind]:
        return [order.kind for order in await self.orders()]


@dataclass(frozen=True, kw_only=True)
class AdministrationInMemory(Administration):
    """Dictionaries."""

    auth: AuthInMemory

    async def links_of(self, owner_id: str) -> set[LinkPurpose]:
        return {link.purpose for link in self.auth.store.tables["one_time_links"].values() if link.owner_id == owner_id}

    async def count_failures(self, email: str) -> None:
        key = account_key(email)
        counter = Attempts(key=key, failures=7, window_started_at=NOW, last_at=NOW)
        self.auth.store.tables["attempt_counters"][key] = counter

    async def counted(self) -> set[str]:
        return set(self.auth.store.tables["attempt_counters"])

    async def acts(self) -> Sequence[AuditEntry]:
        return self.auth.store.audit_log

    async def orders(self) -> Sequence[MailOrder]:
        return [MailOrder.of(job.payload) for job in self.auth.store.jobs if job.name == JobName.SEND_MAIL]

    async def work_off(self) -> None:
        await MemoryJobRunner(self.auth.store, self._tasks).run_pending()


@dataclass(frozen=True, kw_only=True)
class AdministrationOnPostgres(Administration):
    """The real database."""

    auth: AuthOnPostgres

    async def links_of(self, owner_id: str) -> set[LinkPurpose]:
        rows = await self.auth.database.fetch_all(
            "select purpose from one_time_links where owner_id = %(owner)s", {"owner": owner_id}
        )
        return {LinkPurpose(row["purpose"]) for row in rows}

    async def count_failures(self, email: str) -> None:
        await self.auth.database.fetch_one(
            "insert into attempt_counters (key, failures, window_started_at, last_at)"
            " values (%(key)s, 7, %(now)s, %(now)s) returning key",
            {"key": account_key(email), "now": NOW},
        )

    async def counted(self) -> set[str]:
        return {row["key"] for row in await self.auth.database.fetch_all("select key from attempt_counters")}

    async def acts(self) -> Sequence[AuditEntry]:
        rows = await self.auth.database.fetch_all(
            "select actor_id, action, subject, before, after, reason from audit_log order by id"
        )
        return [AuditEntry(**row) for row in rows]

    async def orders(self) -> Sequence[MailOrder]:
        rows = await self.auth.database.fetch_all(
            "select args from procrastinate_jobs where task_name = 'send_mail' order by id"
        )
        return [MailOrder.of(row["args"]) for row in rows]

    async def work_off(self) -> None:
        await make_jobs_due(self.auth.database)
        await JobWorker(self.auth.database.conninfo, self._tasks, concurrency=1).run_pending()


def administration_of(auth: Auth) -> Administration:
    """Administration over the store of the auth area."""
    if isinstance(auth, AuthInMemory):
        transact: Transaction[AdminWork] = MemoryTransaction(auth.store, MemoryAdminWork, auth.clock)
        return AdministrationInMemory(auth=auth, transact=transact, turnover=MemoryTurnover(auth.store))
    assert isinstance(auth, AuthOnPostgres)
    transact = PostgresTransaction(auth.database, PostgresAdminWork, auth.ids, auth.clock)
    return AdministrationOnPostgres(auth=auth, transact=transact, turnover=PostgresTurnover(auth.database))


async def make_jobs_due(database: Database) -> None:
    """Those that were to wait wait no more."""
    await database.fetch_all("update procrastinate_jobs set scheduled_at = null returning id")


def entry(action: str, subject: str = "usr_ada", **told: Any) -> AuditEntry:
    """The row that an act of root leaves."""
    return AuditEntry(actor_id="usr_root", action=action, subject=subject, **told)


def session_of(user_id: str) -> str:
    return user_id.replace("usr_", "ses_")
