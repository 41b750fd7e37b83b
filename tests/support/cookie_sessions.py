"""The cookie door for tests: its use cases on whichever store a test brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from application.auth.cookie_sessions import AuthenticateBySecret, ReadCookieSession, Reading
from application.auth.opening import (
    Admitted,
    CookieGrant,
    EndHeldSession,
    HeldTokens,
    OpenCookieSession,
    OpenNothing,
    Visit,
)
from application.auth.ports import AuthWork
from application.auth.registering import RegisterStudent, Registration
from application.auth.signing_in import Credentials, SignIn
from domain.auth.cookie_sessions import CookieLife, secret_hash
from domain.auth.people import Actor, Role
from domain.auth.sessions import Door, Session
from tests.support.auth_builders import EMAIL, PASSWORD, Auth

AT_COOKIE_DOOR = Visit(
    portal=Role.STUDENT, door=Door.COOKIE, remember=True, ip="192.0.2.7", user_agent="an application"
)


@dataclass(frozen=True, kw_only=True)
class CookieDoor:
    """The door over the same people and sessions as the portals of `auth`."""

    auth: Auth
    verified_only: bool = False

    @property
    def life(self) -> CookieLife:
        return self.auth.policy.cookie_life

    @property
    def open_session(self) -> OpenCookieSession:
        return OpenCookieSession(
            source=self.auth.source,
            end_held_session=EndHeldSession(tokens=self.auth.tokens),
            ids=self.auth.ids,
            policy=self.auth.policy,
        )

    @property
    def sign_in(self) -> SignIn[CookieGrant]:
        return SignIn(
            transact=self.auth.transact,
            people=self.auth.reader,
            hasher=self.auth.hasher,
            guard=self.auth.guard,
            open_session=self.open_session,
            policy=self.auth.policy,
            events=self.auth.events,
            verified_only=self.verified_only,
        )

    @property
    def register_unverified(self) -> RegisterStudent[AuthWork, Admitted]:
        return RegisterStudent(
            transact=self.auth.transact,
            examine=self.auth.examine,
            open_session=OpenNothing(),
            policy=self.auth.policy,
            events=self.auth.events,
            welcome=self.auth.welcome,
        )

    @property
    def register(self) -> RegisterStudent[AuthWork, CookieGrant]:
        return RegisterStudent(
            transact=self.auth.transact,
            examine=self.auth.examine,
            open_session=self.open_session,
            policy=self.auth.policy,
            events=self.auth.events,
            welcome=self.auth.welcome,
        )

    async def sign_up(self, email: str = EMAIL, **values: Any) -> CookieGrant:
        return await self.register(Registration(email=email, password=PASSWORD, **values), AT_COOKIE_DOOR)

    async def enter(self, email: str = EMAIL, password: str = PASSWORD, **visit: Any) -> CookieGrant:
        return await self.sign_in(Credentials(email=email, password=password), replace(AT_COOKIE_DOOR, **visit))

    async def leave(self, secret: str) -> bool:
        return await self.auth.sign_out(HeldTokens(secret=secret))

    async def authenticate(self, secret: str) -> Actor:
        authenticate = AuthenticateBySecret(
            transact=self.auth.transact, people=self.auth.reader, policy=self.auth.policy
        )
        return await authenticate(secret)

    async def read(self, secret: str, *, renew: bool = True) -> Reading:
        read = ReadCookieSession(transact=self.auth.transact, people=self.auth.reader, policy=self.auth.policy)
        return await read(secret, renew=renew)

    async def kept(self, secret: str) -> Session:
        """The session as it is stored, whatever became of it."""
        found = await self.auth.reader.find_cookie_session(secret_hash(secret))
        assert found is not None
        return found.session
