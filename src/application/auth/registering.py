"""Becoming somebody: registration at a portal, and accounts made by an administrator or an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from application.auth.opening import Grant, OpenSession, Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AuthReader, AuthWork, PasswordHasher
from application.auth.views import PersonView
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.passwords import check_password
from domain.auth.people import (
    Actor,
    DemoAccountsRefused,
    EmailTaken,
    InvitationRequired,
    Role,
    User,
    normalise_email,
    normalise_name,
    normalise_username,
)
from domain.auth.sessions import Forbidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What somebody says about themselves when they register."""

    email: str
    password: str = field(repr=False)
    name: str | None = None
    username: str | None = None
    invitation: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made for somebody. `demo` allows a short password, and only where the policy allows demos."""

    role: Role
    email: str
    password: str = field(repr=False)
    name: str | None = None
    username: str | None = None
    email_verified: bool = False
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

    def admitted(self, now: datetime, *, email_verified: bool = False) -> User:
        return User(
            id=self.id,
            email=self.email,
            username=self.username,
            name=self.name,
            role=self.role,
            email_verified_at=now if email_verified else None,
            password_hash=self.password_hash,
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
            password_hash=await self.hasher.hash(password),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStudent:
    """Anybody may become a student, and is signed in at once."""

    transact: Transaction[AuthWork]
    examine: Examine
    open_session: OpenSession
    policy: AuthPolicy

    async def __call__(self, registration: Registration, visit: Visit) -> Grant:
        new = NewUser(
            role=Role.STUDENT,
            email=registration.email,
            password=registration.password,
            name=registration.name,
            username=registration.username,
        )
        applicant = await self.examine(new, self.policy.min_length(Role.STUDENT))

        async def register(work: AuthWork) -> Grant:
            user = applicant.admitted(work.now)
            await work.add_user(user)
            return await self.open_session(work, user, visit)

        return await self.transact(register)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStaff:
    """Nobody becomes an instructor or an admin without an invitation, and none has been given out."""

    async def __call__(self, registration: Registration, visit: Visit) -> Grant:
        raise InvitationRequired


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """An admin, or the operator at the command line (no actor), makes an account; it is audited."""

    transact: Transaction[AuthWork]
    examine: Examine
    policy: AuthPolicy

    async def __call__(self, actor: Actor | None, new: NewUser) -> PersonView:
        if actor is not None and actor.role is not Role.ADMIN:
            raise Forbidden
        applicant = await self.examine(new, self._min_length(new))

        async def create(work: AuthWork) -> PersonView:
            user = applicant.admitted(work.now, email_verified=new.email_verified)
            await work.add_user(user)
            await work.audit(
                AuditEntry(
                    actor_id=None if actor is None else actor.user_id,
                    action="user.created",
                    subject=user.id,
                    after={"role": user.role.value, "demo": new.demo},
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
            await self.create_user(None, new)
        except EmailTaken:
            # Another starter was faster.
            return False
        return True
