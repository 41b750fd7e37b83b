"""Becoming somebody: registration at a portal, and accounts that the operator makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from application.auth.events import AuthAct, AuthEvent, account_of
from application.auth.opening import Grant, Opener, OpenSession, Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AuthEvents, AuthReader, AuthWork, PasswordHasher, Welcome
from application.auth.telling import OpenedT, telling
from application.auth.views import PersonView
from application.mail import MailKind, order_mail
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.invitations import Invitation
from domain.auth.links import Link, LinkInvalid, LinkPurpose, link_hash
from domain.auth.passwords import check_password
from domain.auth.people import (
    DemoAccountsRefused,
    EmailTaken,
    InvitationRequired,
    Role,
    User,
    facts_of,
    normalise_email,
    normalise_image,
    normalise_name,
    normalise_username,
)

WorkT = TypeVar("WorkT", bound=AuthWork)

# Where an invitation stands in what is sent.
_INVITATION = "/invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What somebody says about themselves when they register."""

    email: str
    password: str = field(repr=False)
    name: str | None = None
    username: str | None = None
    image: str | None = None
    invitation: str | None = field(default=None, repr=False)

    def as_user(self, role: Role) -> NewUser:
        """The account that this asks for."""
        return NewUser(
            role=role,
            email=self.email,
            password=self.password,
            name=self.name,
            username=self.username,
            image=self.image,
        )

    def as_event(self, visit: Visit) -> AuthEvent:
        """What the security log tells of it."""
        return AuthEvent(act=AuthAct.REGISTER, account=account_of(self.email), portal=visit.portal)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made for somebody. With `must_change_password` its password opens nothing but its own change.
    `demo` allows a short password, and only where the policy allows demos.
    """

    role: Role
    email: str
    password: str = field(repr=False)
    name: str | None = None
    username: str | None = None
    image: str | None = None
    email_verified: bool = False
    must_change_password: bool = False
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody whose every value was checked and whose password is hashed: an account but for its times."""

    id: str
    email: str
    username: str | None
    name: str
    role: Role
    password_hash: str = field(repr=False)
    image: str | None = None
    must_change_password: bool = False

    def admitted(self, now: datetime, *, email_verified: bool = False) -> User:
        return User(
            id=self.id,
            email=self.email,
            username=self.username,
            name=self.name,
            role=self.role,
            image=self.image,
            email_verified_at=now if email_verified else None,
            password_hash=self.password_hash,
            must_change_password=self.must_change_password,
            created_at=now,
            updated_at=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examine:
    """The one way from what was typed to an account: everything is checked before the password is hashed."""

    hasher: PasswordHasher
    ids: IdGenerator

    async def __call__(self, new: NewUser, min_length: int) -> Applicant:
        email, username, name = normalise_email(new.email), normalise_username(new.username), normalise_name(new.name)
        password = check_password(new.password, min_length=min_length, email=email, name=name, username=username)
        return Applicant(
            id=self.ids.new("usr"),
            email=email,
            username=username,
            name=name,
            role=new.role,
            image=normalise_image(new.image),
            password_hash=await self.hasher.hash(password),
            must_change_password=new.must_change_password,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStudent(Generic[WorkT, OpenedT]):
    """Anybody may become a student, and is signed in at once unless the door wants a verified address first. A mail
    asks for the proof that the address is theirs, unless the door leaves that to its application.
    """

    transact: Transaction[WorkT]
    examine: Examine
    open_session: Opener[OpenedT]
    policy: AuthPolicy
    events: AuthEvents
    welcome: Welcome[WorkT]
    asks_for_proof: bool = True

    async def __call__(self, registration: Registration, visit: Visit) -> OpenedT:
        with telling(self.events, registration.as_event(visit)) as record:
            return record.granted(await self._register(registration, visit))

    async def _register(self, registration: Registration, visit: Visit) -> OpenedT:
        new = registration.as_user(Role.STUDENT)
        applicant = await self.examine(new, self.policy.min_length(Role.STUDENT))

        async def register(work: WorkT) -> OpenedT:
            user = applicant.admitted(work.now)
            await work.add_user(user)
            if self.asks_for_proof:
                await work.enqueue(
                    order_mail(MailKind.VERIFY_EMAIL, user_id=user.id, door=visit.door, callback=visit.callback)
                )
            await self.welcome(work, user)
            return await self.open_session(work, user, visit)

        return await self.transact(register)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStaff:
    """Nobody becomes an instructor or an admin without an invitation. It is good once, for the address that it was
    mailed to and at the portal of its role; having received it verifies the address. A refusal leaves it open.
    """

    transact: Transaction[AuthWork]
    people: AuthReader
    examine: Examine
    open_session: OpenSession
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, registration: Registration, visit: Visit) -> Grant:
        with telling(self.events, registration.as_event(visit)) as record:
            return record.granted(await self._register(registration, visit))

    async def _register(self, registration: Registration, visit: Visit) -> Grant:
        if not registration.invitation:
            raise InvitationRequired
        token_hash = link_hash(registration.invitation, _INVITATION)
        # Before anything is hashed: a made-up invitation costs nothing.
        found = await self.people.find_link(token_hash, (LinkPurpose.INVITATION,))
        if found is None:
            raise LinkInvalid(_INVITATION)
        applicant = await self.examine(registration.as_user(visit.portal), self.policy.min_length(visit.portal))

        async def register(work: AuthWork) -> Grant:
            invitation = await _take_invitation(work, found, applicant)
            user = applicant.admitted(work.now, email_verified=True)
            await work.add_user(user)
            await work.save_invitation(invitation.accepted(user.id, work.now))
            await work.audit(
                AuditEntry(
                    actor_id=user.id,
                    action="invitation.accepted",
                    subject=invitation.id,
                    after={"user_id": user.id, "role": user.role.value},
                )
            )
            return await self.open_session(work, user, visit)

        return await self.transact(register)


async def _take_invitation(work: AuthWork, found: Link, applicant: Applicant) -> Invitation:
    # The invitation first, as whoever withdraws it does, so that neither waits for the other.
    invitation = await work.hold_invitation(found.owner_id)
    link = await work.take_link(found.token_hash, (LinkPurpose.INVITATION,))
    if link is None or invitation is None or not link.is_good(work.now):
        raise LinkInvalid(_INVITATION)
    if not invitation.admits(applicant.email, applicant.role, work.now):
        raise LinkInvalid(_INVITATION)
    return invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """An account with a password, made by the operator at the command line or at the first start; it is on record."""

    transact: Transaction[AuthWork]
    examine: Examine
    policy: AuthPolicy

    async def __call__(self, new: NewUser) -> PersonView:
        applicant = await self.examine(new, self._min_length(new))

        async def create(work: AuthWork) -> PersonView:
            user = applicant.admitted(work.now, email_verified=new.email_verified)
            await work.add_user(user)
            await work.audit(
                AuditEntry(
                    actor_id=None,
                    action="user.created",
                    subject=user.id,
                    after={**facts_of(user), "demo": new.demo},
                )
            )
            return PersonView.of(user)

        return await self.transact(create)

    def _min_length(self, new: NewUser) -> int:
        if not new.demo:
            return self.policy.min_length(new.role)
        if not self.policy.demo_accounts:
            raise DemoAccountsRefused
        return self.policy.student_min_length


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureUser:
    """An account that an installation begins with is made once: whoever has or had its address, nothing is changed."""

    people: AuthReader
    create_user: CreateUser

    async def __call__(self, new: NewUser) -> bool:
        """Whether the account was made now."""
        if await self.people.was_ever_registered(normalise_email(new.email)):
            return False
        try:
            await self.create_user(new)
        except EmailTaken:
            # Another starter was faster.
            return False
        return True
