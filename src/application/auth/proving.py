"""Proving to be the owner once more, before what could shut the owner out: by a late sign-in, by the password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from application.auth.events import AuthAct, AuthEvent
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AccountWork, AuthReader, PasswordHasher
from application.auth.throttling import GuardAttempts
from domain.auth.guessing import ConfirmationLocked, LockedOut
from domain.auth.passwords import canonical_password
from domain.auth.people import Actor, User
from domain.auth.sessions import (
    CurrentPasswordWrong,
    InvalidCredentials,
    ReauthenticationRequired,
    Session,
    SessionEnded,
    SessionNotFresh,
)
from domain.errors import DomainError

T = TypeVar("T")

# A password hash that changes between the check and what it allows is read and checked again, this often in all.
MAX_PROOFS = 3


def event_of(actor: Actor, act: AuthAct) -> AuthEvent:
    """What the security log tells of an act of somebody who is signed in."""
    return AuthEvent(act=act, user_id=actor.user_id, session_id=actor.session_id, portal=actor.role)


async def live_session(work: AccountWork, actor: Actor) -> Session:
    """The session that asks, which may have ended since it was let in."""
    session = await work.find_session(actor.user_id, actor.session_id)
    if session is None or not session.is_live(work.now):
        raise SessionEnded
    return session


async def fresh_session(work: AccountWork, actor: Actor, policy: AuthPolicy) -> None:
    """Refuses a session whose person signed in too long ago."""
    session = await live_session(work, actor)
    if work.now - session.auth_time > policy.freshness:
        raise ReauthenticationRequired


async def hold_actor(work: AccountWork, actor: Actor) -> tuple[User, Session]:
    """The person who asks, held, and the session that asks, which may have ended since it was let in."""
    user = await work.hold_user(actor.user_id)
    session = await live_session(work, actor)
    if user is None or not user.is_alive:
        raise SessionEnded
    return user, session


async def lately_signed_in(work: AccountWork, actor: Actor, policy: AuthPolicy) -> User:
    """The person who asks through the cookie door, held; refuses who signed in there too long ago."""
    user, session = await hold_actor(work, actor)
    if not policy.cookie_life.is_fresh(session, work.now):
        raise SessionNotFresh
    return user


async def hold_unchanged(work: AccountWork, actor: Actor, proven: User) -> User | None:
    """The person whose password was right, held; None if it may be another one by now."""
    user = await work.hold_user(actor.user_id)
    await live_session(work, actor)
    return user if user is not None and user.password_hash == proven.password_hash else None


def canonical_current(password: str) -> str:
    """The present password in the form that is compared."""
    try:
        return canonical_password(password)
    except DomainError as refusal:
        raise told_at("/currentPassword", refusal) from None


def told_at(pointer: str, refusal: DomainError) -> DomainError:
    """The refusal of a value, under the name that it has in the request at hand."""
    return type(refusal)(refusal.detail, problems=tuple(replace(each, pointer=pointer) for each in refusal.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPassword:
    """What could shut the owner out takes the present password. A wrong one counts like a failed sign-in, and a locked
    account is answered alike.
    """

    people: AuthReader
    hasher: PasswordHasher
    guard: GuardAttempts

    async def __call__(
        self, actor: Actor, password: str, visit: Visit, act: Callable[[User], Awaitable[T | None]]
    ) -> T:
        """Does what the right password allows. `act` answers None where the person was changed since it was checked."""
        canonical = canonical_current(password)
        for _ in range(MAX_PROOFS):
            done = await act(await self._prove(actor, canonical, visit))
            if done is not None:
                return done
        raise CurrentPasswordWrong

    async def _prove(self, actor: Actor, password: str, visit: Visit) -> User:
        user = await self.people.find_user(actor.user_id)
        if user is None or not user.is_alive:
            raise SessionEnded

        async def check() -> User:
            if not await self.hasher.matches(password, user.password_hash):
                raise InvalidCredentials
            return user

        try:
            return await self.guard(user.email, visit.ip, check)
        except LockedOut:
            raise ConfirmationLocked from None
        except InvalidCredentials:
            raise CurrentPasswordWrong from None
