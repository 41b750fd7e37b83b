"""What people do about their own account through the cookie door, for tests, on whichever store a test brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from adapters.memory.auth import MemoryDoorWork
from adapters.memory.store import MemoryTransaction
from adapters.postgres.auth import PostgresDoorWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.door_addresses import ChangeEmailWhileFresh, ConfirmAddress, Confirmed
from application.auth.opening import CookieGrant, OpenNothing
from application.auth.own_account import ChangeOwnPerson, DeleteOwnAccount
from application.auth.passwords import (
    ChangePassword,
    CheckResetLink,
    PasswordChange,
    ResetPassword,
    VerifyOwnPassword,
)
from application.auth.ports import AccountWork, DoorWork
from application.auth.renewing import BeginAnew, KeepSessions
from application.mail import MailKind
from application.ports import Transaction
from domain.auth.people import Actor, Role
from tests.support.account_builders import NEW_EMAIL, NEW_PASSWORD, Accounts, accounts_of
from tests.support.auth_builders import PASSWORD, Auth, AuthInMemory, AuthOnPostgres
from tests.support.cookie_sessions import AT_COOKIE_DOOR, CookieDoor
from tests.support.mailbox import DOOR_KEYS, KeptMailbox, Received, mailbox_of

CALLBACK = "https://app.test/settled?by=mail&to=ä"


@dataclass(frozen=True, kw_only=True)
class DoorAccounts:
    """Every use case of the door about one's own account, beside those of the portals."""

    auth: Auth
    portal: Accounts
    transact: Transaction[DoorWork]
    mailbox: KeptMailbox
    signs_in_by_mail: bool = False
    keeps_sessions: bool = False

    @property
    def door(self) -> CookieDoor:
        return CookieDoor(auth=self.auth)

    @property
    def change_keeping(self) -> ChangePassword[AccountWork, int]:
        return replace(self.portal.change_password, aftermath=KeepSessions())

    @property
    def change_anew(self) -> ChangePassword[DoorWork, CookieGrant]:
        return ChangePassword(
            transact=self.transact,
            people=self.auth.reader,
            hasher=self.auth.hasher,
            confirm_password=self.portal.confirm_password,
            aftermath=BeginAnew(open_session=self.door.open_session),
            policy=self.auth.policy,
            events=self.auth.events,
        )

    @property
    def verify_password(self) -> VerifyOwnPassword:
        return VerifyOwnPassword(confirm_password=self.portal.confirm_password, events=self.auth.events)

    @property
    def check_reset_link(self) -> CheckResetLink:
        return CheckResetLink(transact=self.portal.transact, people=self.auth.reader)

    @property
    def reset_password(self) -> ResetPassword:
        return replace(self.portal.reset_password, keep_sessions=self.keeps_sessions)

    @property
    def confirm_address(self) -> ConfirmAddress:
        return ConfirmAddress(
            transact=self.transact,
            tokens=JwtVerificationTokens(DOOR_KEYS),
            events=self.auth.events,
            open_session=self.door.open_session if self.signs_in_by_mail else OpenNothing(),
        )

    @property
    def change_email(self) -> ChangeEmailWhileFresh:
        return ChangeEmailWhileFresh(
            transact=self.portal.transact, source=self.auth.source, policy=self.auth.policy, events=self.auth.events
        )

    @property
    def change_person(self) -> ChangeOwnPerson:
        return ChangeOwnPerson(transact=self.portal.transact)

    @property
    def delete_account(self) -> DeleteOwnAccount:
        return DeleteOwnAccount(
            transact=self.portal.transact,
            confirm_password=self.portal.confirm_password,
            policy=self.auth.policy,
            events=self.auth.events,
        )

    async def enter(self, **visit: Any) -> tuple[CookieGrant, Actor]:
        """Somebody signs in at the door."""
        grant = await self.door.enter(**visit)
        return grant, actor_at_door(grant)

    async def keep(self, actor: Actor, current: str = PASSWORD, new: str = NEW_PASSWORD) -> int:
        return await self.change_keeping(actor, PasswordChange(current=current, new=new), AT_COOKIE_DOOR)

    async def begin_anew(self, actor: Actor, current: str = PASSWORD, new: str = NEW_PASSWORD) -> CookieGrant:
        return await self.change_anew(actor, PasswordChange(current=current, new=new), AT_COOKIE_DOOR)

    async def confirm(self, token: str, actor: Actor | None = None) -> Confirmed:
        return await self.confirm_address(token, AT_COOKIE_DOOR, actor)

    async def mailed(self, kind: MailKind, email: str, *, callback: str | None = CALLBACK) -> Received:
        """The link that somebody asks for at the door."""
        visit = replace(AT_COOKIE_DOOR, callback=callback)
        portal = self.portal
        ask = portal.request_password_reset if kind is MailKind.RESET_PASSWORD else portal.resend_verification
        await ask(email, visit)
        return await self.mailbox.newest(kind)

    async def asked_to_move(self, actor: Actor, new_email: str = NEW_EMAIL) -> Received:
        """The link to another address that somebody asks for at the door."""
        await self.change_email(actor, new_email, replace(AT_COOKIE_DOOR, callback=CALLBACK))
        return await self.mailbox.newest(MailKind.CHANGE_EMAIL)


def door_accounts_of(auth: Auth, **how: bool) -> DoorAccounts:
    """The door's use cases over the same store as the portals'."""
    transact: Transaction[DoorWork]
    if isinstance(auth, AuthInMemory):
        transact = MemoryTransaction(auth.store, MemoryDoorWork, auth.clock)
    else:
        assert isinstance(auth, AuthOnPostgres)
        transact = PostgresTransaction(auth.database, PostgresDoorWork, auth.ids, auth.clock)
    return DoorAccounts(auth=auth, portal=accounts_of(auth), transact=transact, mailbox=mailbox_of(auth), **how)


def actor_at_door(grant: CookieGrant) -> Actor:
    """Whoever uses this session."""
    return Actor(user_id=grant.person.id, role=Role.STUDENT, session_id=grant.session.id)
