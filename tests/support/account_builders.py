"""What people do about their own account, for tests, over the store of whichever use cases of `auth_builders`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.memory.auth import MemoryAccountWork
from adapters.memory.store import MemoryTransaction
from adapters.postgres.auth import PostgresAccountWork
from adapters.postgres.rows import record
from adapters.postgres.transaction import PostgresTransaction
from application.auth.addresses import AddressChange, ChangeEmail, ResendVerification, VerifyEmail
from application.auth.opening import Grant
from application.auth.own_sessions import EndOwnSession, ListOwnSessions
from application.auth.passwords import (
    ChangePassword,
    GiveResetLink,
    PasswordChange,
    RequestPasswordReset,
    ResetPassword,
)
from application.auth.ports import AccountWork
from application.auth.proving import ConfirmPassword
from application.auth.renewing import EndOthers
from application.mail import MailOrder
from application.ports import Transaction
from domain.auth.invitations import Invitation
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import Actor, Role, User
from domain.auth.refresh import encode_token
from domain.auth.sessions import Session
from tests.support.auth_builders import (
    EMAIL,
    NOW,
    PASSWORD,
    STUDENT_VISIT,
    Auth,
    AuthInMemory,
    AuthOnPostgres,
)

NEW_PASSWORD = "another one that only Ada knows"
NEW_EMAIL = "countess@lovelace.example"
TOKEN = bytes(range(100, 132))


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Every use case about one's own account."""

    auth: Auth
    transact: Transaction[AccountWork]

    @property
    def confirm_password(self) -> ConfirmPassword:
        return ConfirmPassword(people=self.auth.reader, hasher=self.auth.hasher, guard=self.auth.guard)

    @property
    def change_password(self) -> ChangePassword[AccountWork, int]:
        return ChangePassword(
            transact=self.transact,
            people=self.auth.reader,
            hasher=self.auth.hasher,
            confirm_password=self.confirm_password,
            aftermath=EndOthers(),
            policy=self.auth.policy,
            events=self.auth.events,
        )

    @property
    def request_password_reset(self) -> RequestPasswordReset:
        return RequestPasswordReset(transact=self.transact, events=self.auth.events)

    @property
    def reset_password(self) -> ResetPassword:
        return ResetPassword(
            transact=self.transact,
            people=self.auth.reader,
            hasher=self.auth.hasher,
            policy=self.auth.policy,
            events=self.auth.events,
        )

    @property
    def give_reset_link(self) -> GiveResetLink:
        return GiveResetLink(transact=self.transact, source=self.auth.source, base_url="https://ace.test")

    @property
    def resend_verification(self) -> ResendVerification:
        return ResendVerification(transact=self.transact, events=self.auth.events)

    @property
    def verify_email(self) -> VerifyEmail:
        return VerifyEmail(transact=self.transact, people=self.auth.reader, events=self.auth.events)

    @property
    def change_email(self) -> ChangeEmail:
        return ChangeEmail(
            transact=self.transact,
            source=self.auth.source,
            confirm_password=self.confirm_password,
            policy=self.auth.policy,
            events=self.auth.events,
        )

    @property
    def list_own_sessions(self) -> ListOwnSessions:
        return ListOwnSessions(people=self.auth.reader)

    @property
    def end_own_session(self) -> EndOwnSession:
        return EndOwnSession(transact=self.transact, policy=self.auth.policy, events=self.auth.events)

    async def change(self, actor: Actor, current: str = PASSWORD, new: str = NEW_PASSWORD) -> int:
        return await self.change_password(actor, PasswordChange(current=current, new=new), STUDENT_VISIT)

    async def reset(self, token: str, password: str = NEW_PASSWORD) -> None:
        await self.reset_password(token, password, STUDENT_VISIT)

    async def verify(self, token: str) -> None:
        await self.verify_email(token, STUDENT_VISIT)

    async def move(self, actor: Actor, new_email: str = NEW_EMAIL, password: str = PASSWORD) -> None:
        change = AddressChange(new_email=new_email, current_password=password)
        await self.change_email(actor, change, STUDENT_VISIT)

    async def link(
        self,
        purpose: LinkPurpose,
        *,
        owner: str = "usr_ada",
        email: str = EMAIL,
        token: bytes = TOKEN,
        age: timedelta = timedelta(0),
    ) -> str:
        """What stands in a link that was mailed, as old as that."""

        async def put(work: AccountWork) -> None:
            await work.put_link(Link.new(owner, purpose, email=email, token=token, now=work.now - age))

        await self.transact(put)
        return encode_token(token)

    async def invite(self, *, token: bytes = TOKEN, **changes: Any) -> str:
        """What stands in the link that Grace was invited by, as an instructor unless changed."""
        invitation = an_invitation(**changes)
        if isinstance(self.auth, AuthInMemory):
            self.auth.store.tables["invitations"][invitation.id] = invitation
        else:
            assert isinstance(self.auth, AuthOnPostgres)
            await self.auth.database.fetch_one(
                "insert into invitations (id, email, role, invited_by, created_at, expires_at, accepted_at,"
                " accepted_by, revoked_at) values (%(id)s, %(email)s, %(role)s, %(invited_by)s, %(created_at)s,"
                " %(expires_at)s, %(accepted_at)s, %(accepted_by)s, %(revoked_at)s) returning id",
                record(invitation),
            )
        return await self.link(LinkPurpose.INVITATION, owner=invitation.id, email=invitation.email, token=token)

    async def invitation(self) -> Invitation:
        found = await self.auth.transact(lambda work: work.hold_invitation("inv_grace"))
        assert found is not None
        return found

    async def ada(self) -> User:
        """Ada, as the store knows her now."""
        user = await self.auth.reader.find_user("usr_ada")
        assert user is not None
        return user

    async def session(self, session_id: str) -> Session:
        found = await self.transact(lambda work: work.find_session("usr_ada", session_id))
        assert found is not None
        return found

    async def orders(self) -> Sequence[MailOrder]:
        """Every mail that was ordered, oldest first."""
        if isinstance(self.auth, AuthInMemory):
            return [MailOrder.of(job.payload) for job in self.auth.store.jobs]
        assert isinstance(self.auth, AuthOnPostgres)
        rows = await self.auth.database.fetch_all("select args from procrastinate_jobs order by id")
        return [MailOrder.of(row["args"]) for row in rows]


def accounts_of(auth: Auth) -> Accounts:
    """The account use cases over the same store."""
    transact: Transaction[AccountWork]
    if isinstance(auth, AuthInMemory):
        transact = MemoryTransaction(auth.store, MemoryAccountWork, auth.clock)
    else:
        assert isinstance(auth, AuthOnPostgres)
        transact = PostgresTransaction(auth.database, PostgresAccountWork, auth.ids, auth.clock)
    return Accounts(auth=auth, transact=transact)


def an_invitation(**changes: Any) -> Invitation:
    """Grace is invited to be an instructor."""
    values: dict[str, Any] = {
        "id": "inv_grace",
        "email": "grace@example.org",
        "role": Role.INSTRUCTOR,
        "invited_by": None,
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=7),
    }
    return Invitation(**values | changes)


def actor_of(grant: Grant, role: Role = Role.STUDENT) -> Actor:
    """Whoever uses this session."""
    return Actor(user_id=grant.person.id, role=role, session_id=grant.session.id)
