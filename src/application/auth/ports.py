"""What the auth area needs from outside: its unit of work, its reader, a password hasher, and makers of tokens."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from application.auth.views import OwnProfile
from application.ports import Work
from domain.auth.people import Role, User
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSession:
    """A session that this unit of work holds, and whether its person may still use it."""

    session: Session
    holder_may_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What an access token says. Times are whole Unix seconds."""

    audience: Role
    role: Role
    user_id: str
    session_id: str
    token_id: str
    auth_time: int
    issued_at: int
    not_before: int
    expires_at: int


class AuthWork(Work, Protocol):
    """The unit of work of the auth area."""

    @abstractmethod
    async def add_user(self, user: User) -> None:
        """Refuses `EmailTaken` and `UsernameTaken`, whoever came first."""

    @abstractmethod
    async def hold_user(self, user_id: str) -> User | None:
        """The person, held until the end of the unit: sign-ins of one person take turns."""

    @abstractmethod
    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        """Only if it is still `old`: a password that was changed meanwhile stays changed."""

    @abstractmethod
    async def add_session(self, session: Session, first: RefreshToken) -> None: ...

    @abstractmethod
    async def find_session_key(self, token_hash: bytes) -> tuple[str, str] | None:
        """The person's and the session's id that a refresh token, used or not, belongs to."""

    @abstractmethod
    async def hold_session_of(self, token_hash: bytes) -> HeldSession | None:
        """The session of a refresh token, held until the end of the unit: refreshes of one session take turns."""

    @abstractmethod
    async def read_chain(self, session: Session, token_hash: bytes) -> tuple[RefreshToken, RefreshToken]:
        """The presented token and the latest one of its session, as they are while the session is held."""

    @abstractmethod
    async def rotate(self, spent: RefreshToken, successor: RefreshToken, session: Session) -> None:
        """Writes the spent token, its successor and the prolonged session; erases the mask of the one before."""

    @abstractmethod
    async def end_session(
        self, user_id: str, session_id: str, reason: SessionEnd, audience: Role | None = None
    ) -> bool:
        """Revokes it if it lives, and belongs to `audience` when one is named; True if it did."""

    @abstractmethod
    async def end_sessions_of(self, user_id: str, reason: SessionEnd) -> int:
        """Revokes every live session of a person, under every door; how many that were."""


class AuthReader(Protocol):
    """Reads of the auth area, one round trip each."""

    @abstractmethod
    async def find_user_by_email(self, email: str) -> User | None:
        """The person who has this address now; a deleted one has it no more."""

    @abstractmethod
    async def was_ever_registered(self, email: str) -> bool:
        """Whether anybody has or had this address."""

    @abstractmethod
    async def read_standing(self, user_id: str, session_id: str) -> Standing | None: ...

    @abstractmethod
    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None: ...


class PasswordHasher(Protocol):
    """Hashes passwords, slowly on purpose and never on the event loop.

    Refuses `Busy` when too many are waiting, or when the request could not be answered in time.
    """

    @abstractmethod
    async def hash(self, password: str) -> str: ...

    @abstractmethod
    async def matches(self, password: str, password_hash: str | None) -> bool:
        """With None it takes the time of a check all the same, and is False."""

    @abstractmethod
    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""


class TokenSource(Protocol):
    """Makes secrets that nobody can guess."""

    @abstractmethod
    def new(self) -> bytes:
        """32 random bytes."""


class AccessTokens(Protocol):
    """Signs and reads access tokens."""

    @abstractmethod
    def sign(self, claims: AccessClaims) -> str: ...

    @abstractmethod
    def read(self, token: str) -> AccessClaims:
        """What a token says that is ours in every respect but time; refuses `TokenInvalid` otherwise."""


class CsrfTokens(Protocol):
    """Makes and checks the tokens that tie a page's requests to its session."""

    @abstractmethod
    def issue(self, session_id: str) -> str: ...

    @abstractmethod
    def belongs(self, token: str, session_id: str) -> bool: ...
