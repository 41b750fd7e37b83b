"""Coming and going: signing in, and signing out here or everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic

from application.auth.events import AuthAct, AuthEvent, account_of
from application.auth.opening import EndHeldSession, HeldTokens, Opener, Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AuthEvents, AuthReader, AuthWork, PasswordHasher
from application.auth.proving import MAX_PROOFS
from application.auth.telling import OpenedT, Record, telling
from application.auth.throttling import GuardAttempts
from application.ports import Transaction
from domain.auth.passwords import canonical_password
from domain.auth.people import Actor, User, normalise_email
from domain.auth.sessions import Busy, EmailNotVerified, InvalidCredentials, SessionEnd, WrongPortal
from domain.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who somebody claims to be, and the proof."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Generic[OpenedT]):
    """The right password opens a session at the portal of one's role, or through another door to that portal.

    An unknown, disabled, deleted or locked account costs the same time and gets the same answer as a wrong password.

    Staff whose password would be too short for staff, because they had it as students, must change it first: only here
    its length is known. With `verified_only` nobody enters whose address is not verified.
    """

    transact: Transaction[AuthWork]
    people: AuthReader
    hasher: PasswordHasher
    guard: GuardAttempts
    open_session: Opener[OpenedT]
    policy: AuthPolicy
    events: AuthEvents
    verified_only: bool = False

    async def __call__(self, credentials: Credentials, visit: Visit) -> OpenedT:
        event = AuthEvent(act=AuthAct.SIGN_IN, account=account_of(credentials.email), portal=visit.portal)
        with telling(self.events, event) as record:
            return record.granted(await self._sign_in(credentials, visit, record))

    async def _sign_in(self, credentials: Credentials, visit: Visit, record: Record) -> OpenedT:
        password = canonical_password(credentials.password)

        async def prove() -> User:
            return await self._prove(credentials.email, password, record)

        for _ in range(MAX_PROOFS):
            user = await self.guard(credentials.email, visit.ip, prove)
            if user.role is not visit.portal:
                raise WrongPortal
            if self.verified_only and user.email_verified_at is None:
                raise EmailNotVerified
            grant = await self._enter(user, password, visit)
            if grant is not None:
                return grant
        raise InvalidCredentials

    async def _prove(self, email: str, password: str, record: Record) -> User:
        user = await self._find(email)
        if user is not None:
            record.named(user)
        matches = await self.hasher.matches(password, user.password_hash if user and user.is_alive else None)
        if user is None or not matches:
            raise InvalidCredentials
        return user

    async def _find(self, email: str) -> User | None:
        try:
            return await self.people.find_user_by_email(normalise_email(email))
        except InvalidInput:
            return None

    async def _fresh_hash(self, user: User, password: str) -> str | None:
        """The password under today's parameters, if it is kept under others. A sign-in does not fail for it."""
        if not self.hasher.is_outdated(user.password_hash):
            return None
        try:
            return await self.hasher.hash(password)
        except Busy:
            return None

    async def _enter(self, proven: User, password: str, visit: Visit) -> OpenedT | None:
        """None if the person was changed since the password was checked."""
        fresh_hash = await self._fresh_hash(proven, password)
        is_too_short = proven.role.is_staff and len(password) < self.policy.min_length(proven.role)

        async def enter(work: AuthWork) -> OpenedT | None:
            user = await work.hold_user(proven.id)
            if user is None or not user.is_alive or user.role is not visit.portal:
                return None
            if user.password_hash != proven.password_hash:
                return None
            if fresh_hash is not None:
                await work.replace_password_hash(user.id, proven.password_hash, fresh_hash)
                user = replace(user, password_hash=fresh_hash)
            if is_too_short and not user.must_change_password:
                user = replace(user, must_change_password=True, updated_at=work.now)
                await work.save_user(user)
            return await self.open_session(work, user, visit)

        return await self.transact(enter)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """The session whose tokens are shown ends now. Without one there is nothing to end, which is as well."""

    transact: Transaction[AuthWork]
    end_held_session: EndHeldSession
    events: AuthEvents

    async def __call__(self, held: HeldTokens) -> bool:
        if held == HeldTokens():
            return False

        async def leave(work: AuthWork) -> list[tuple[str, str]]:
            return await self.end_held_session(work, held, SessionEnd.LOGOUT)

        ended = await self.transact(leave)
        for user_id, session_id in ended:
            self.events.record(AuthEvent(act=AuthAct.SIGN_OUT, user_id=user_id, session_id=session_id))
        return bool(ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutEverywhere:
    """Every session of the person ends, under every door, the one that asks included."""

    transact: Transaction[AuthWork]
    events: AuthEvents

    async def __call__(self, actor: Actor) -> int:
        async def leave_everywhere(work: AuthWork) -> int:
            # Held, so that a sign-in at the same moment comes wholly before or wholly after.
            await work.hold_user(actor.user_id)
            return await work.end_sessions_of(actor.user_id, SessionEnd.LOGOUT_ALL)

        ended = await self.transact(leave_everywhere)
        self.events.record(
            AuthEvent(act=AuthAct.SIGN_OUT_EVERYWHERE, user_id=actor.user_id, session_id=actor.session_id)
        )
        return ended
