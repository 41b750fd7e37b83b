"""What the auth area needs from outside: its unit of work, its reader, a password hasher, and makers of tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeVar

from application.auth.events import AuthEvent
from application.auth.views import CookieStanding, OwnProfile
from application.ports import Work
from domain.auth.guessing import Judgement
from domain.auth.invitations import Invitation
from domain.auth.limits import LimitCandidate
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import Role, User
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd, Standing
from domain.auth.throttling import Attempts

WorkT_contra = TypeVar("WorkT_contra", bound=Work, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSession:
    """A session that this unit of work holds, whether its person may still use it, and how many live sessions that
    person has under every door.
    """

    session: Session
    holder_may_use: bool
    live_sessions: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationClaims:
    """What a token says that the cookie door mails to an address: which account has it or, if the account is to move
    to it, has another one, and how that was asked for. Times are whole Unix seconds.
    """

    email: str
    update_to: str | None = None
    request_type: str | None = None
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickRotation:
    """A presented refresh token, by its hash, and the successor that it is to have, as the store will know it."""

    portal: Role
    token_hash: bytes = field(repr=False)
    successor_hash: bytes = field(repr=False)
    successor_masked: bytes = field(repr=False)
    idle: timedelta


class PeopleWork(Work, Protocol):
    """People and the end of their sessions, as every unit of work speaks of them that changes a person."""

    @abstractmethod
    async def add_user(self, user: User) -> None:
        """Refuses `EmailTaken` and `UsernameTaken`, whoever came first."""

    @abstractmethod
    async def hold_user(self, user_id: str) -> User | None:
        """The person, held until the end of the unit: sign-ins of one person take turns."""

    @abstractmethod
    async def save_user(self, user: User) -> None:
        """Writes every value of a person that is held; refuses `EmailTaken` and `UsernameTaken`."""

    @abstractmethod
    async def end_session(
        self, user_id: str, session_id: str, reason: SessionEnd, audience: Role | None = None
    ) -> bool:
        """Revokes it if it lives, and belongs to `audience` when one is named; True if it did."""

    @abstractmethod
    async def end_sessions(self, user_id: str, session_ids: Collection[str], reason: SessionEnd) -> int:
        """Revokes those of them that live; how many that were."""

    @abstractmethod
    async def end_sessions_of(self, user_id: str, reason: SessionEnd, *, but: str | None = None) -> int:
        """Revokes every live session of a person, under every door, except `but`; how many that were."""


class LinkWork(Work, Protocol):
    """One-time links."""

    @abstractmethod
    async def put_link(self, link: Link) -> None:
        """Replaces the owner's link of the same purpose, if there is one."""

    @abstractmethod
    async def renew_link(self, link: Link) -> bool:
        """Replaces the owner's link of the same purpose to the same address; False, and nothing done, without one."""

    @abstractmethod
    async def take_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        """Deletes the link and returns it, good or too old: of several that ask, one gets it."""

    @abstractmethod
    async def drop_links(self, owner_id: str, purposes: Collection[LinkPurpose]) -> None:
        """What was given out for these purposes is good for nothing from now on."""


class InvitationWork(Work, Protocol):
    """Invitations."""

    @abstractmethod
    async def hold_invitation(self, invitation_id: str) -> Invitation | None:
        """The invitation, held until the end of the unit."""

    @abstractmethod
    async def save_invitation(self, invitation: Invitation) -> None:
        """Writes what became of an invitation that is held."""


class AuthWork(PeopleWork, LinkWork, InvitationWork, Protocol):
    """Registration, sign-in and refresh."""

    @abstractmethod
    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        """Only if it is still `old`: a password that was changed meanwhile stays changed."""

    @abstractmethod
    async def add_session(self, session: Session, first: RefreshToken) -> None: ...

    @abstractmethod
    async def limits_of(self, user_id: str, role: Role) -> Sequence[LimitCandidate]:
        """Every session limit that the person, the person's groups and the role define."""

    @abstractmethod
    async def live_sessions(self, user_id: str) -> Sequence[Session]:
        """Neither revoked nor expired at `now`, under every door."""

    @abstractmethod
    async def end_expired(self, user_id: str, within: timedelta) -> None:
        """Revokes the sessions that expired so lately, but waits for a refresh that may be about to prolong one."""

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
    async def renew_session(self, session: Session) -> None:
        """Writes when a session that is held was seen and renewed, and until when it lasts now."""

    @abstractmethod
    async def note_seen(self, session: Session) -> None:
        """That it is seen now, if it is not revoked and was not noted since it was read. Waits for nobody."""


class Welcome(Protocol[WorkT_contra]):
    """What somebody who becomes a student is given beside the account, in the same unit of work."""

    @abstractmethod
    async def __call__(self, work: WorkT_contra, user: User, /) -> None:
        """Gives what it can. What it cannot give leaves nothing behind and keeps nobody from registering."""


class AccountWork(PeopleWork, LinkWork, Protocol):
    """What people change about their own account."""

    @abstractmethod
    async def find_session(self, user_id: str, session_id: str) -> Session | None:
        """One of the person's sessions, whatever became of it."""

    @abstractmethod
    async def find_user_by_email(self, email: str) -> User | None:
        """The person who has this address now, as of this unit; not held."""

    @abstractmethod
    async def clear_attempts(self, keys: Collection[str]) -> bool:
        """Forgets the failed sign-ins that are counted under these keys; whether there were any."""


class DoorWork(AuthWork, AccountWork, Protocol):
    """The same at a door where a change of one's account may open a session at once."""


class ThrottleWork(Work, Protocol):
    """Attempts that are counted."""

    @abstractmethod
    async def hold_attempts(self, keys: Collection[str]) -> Mapping[str, Attempts]:
        """The counters of these keys, new ones where there are none, held until the end of the unit."""

    @abstractmethod
    async def keep_attempts(self, counters: Collection[Attempts]) -> None:
        """Writes counters that are held."""


class MailWork(AccountWork, InvitationWork, ThrottleWork, Protocol):
    """Mail about an account or an invitation: who gets it, its link, and how much was sent."""


class AuthReader(Protocol):
    """Reads of the auth area, one round trip each."""

    @abstractmethod
    async def find_user_by_email(self, email: str) -> User | None:
        """The person who has this address now; a deleted one has it no more."""

    @abstractmethod
    async def find_user_by_username(self, username: str) -> User | None:
        """The person who has this username now, whatever its case; a deleted one has it no more."""

    @abstractmethod
    async def was_ever_registered(self, email: str) -> bool:
        """Whether anybody has or had this address."""

    @abstractmethod
    async def read_standing(self, user_id: str, session_id: str) -> Standing | None: ...

    @abstractmethod
    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None: ...

    @abstractmethod
    async def find_cookie_session(self, token_hash: bytes) -> CookieStanding | None:
        """The session of the cookie door with this secret, whatever became of it."""

    @abstractmethod
    async def live_sessions_of(self, user_id: str) -> Sequence[Session]:
        """The person's sessions that are neither revoked nor expired, the newest first."""

    @abstractmethod
    async def find_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        """A link that was not used yet, good or too old."""

    @abstractmethod
    async def find_user(self, user_id: str) -> User | None:
        """The person with this id, deleted or not."""


class QuickRefresh(Protocol):
    """The common case of a refresh in one round trip; what is not the common case is left to the unit of work."""

    @abstractmethod
    async def rotate(self, rotation: QuickRotation) -> Session | None:
        """Uses up the token, adds its successor and prolongs the session, or does nothing and waits for nobody.

        Only a token that was not used, of a session that is live at this portal, whose person may use it and has no
        more live sessions than allowed. The session comes back as prolonged: it was seen now, by the store's time.
        """


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

    @abstractmethod
    async def idle(self) -> None:
        """Takes as long as a check would take now, without checking anything."""


class AttemptGate(Protocol):
    """Where attempts wait that cannot be decided while others are under way."""

    @abstractmethod
    async def ask_in_turn(self, key: str, ask: Callable[[], Awaitable[Judgement]]) -> Judgement:
        """Lines up with all that wait for this counter; the first in line asks, and asks again whenever an attempt was
        settled, until it is judged or has to wait for another counter. Refuses `Busy` when a request waited too long.
        """

    @abstractmethod
    def settled(self, keys: Collection[str]) -> None:
        """Attempts that these counters count have been settled."""


class AuthEvents(Protocol):
    """The log of security events."""

    @abstractmethod
    def record(self, event: AuthEvent) -> None:
        """One line, with the time and with what is known about the request: its id, the address, the user agent."""


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


class VerificationTokens(Protocol):
    """Signs and reads the tokens that the cookie door mails to verify an address."""

    @abstractmethod
    def sign(self, claims: VerificationClaims) -> str: ...

    @abstractmethod
    def read(self, token: str) -> VerificationClaims:
        """What a token says that is ours in every respect but time; refuses `LinkInvalid` otherwise."""


class CsrfTokens(Protocol):
    """Makes and checks the tokens that tie a page's requests to its session."""

    @abstractmethod
    def issue(self, session_id: str) -> str: ...

    @abstractmethod
    def belongs(self, token: str, session_id: str) -> bool: ...


class Signatures(Protocol):
    """Signs texts that somebody else keeps for us, and tells ours from others."""

    @abstractmethod
    def sign(self, text: str) -> bytes:
        """32 bytes; the same for the same text until the key changes."""

    @abstractmethod
    def belongs(self, signature: bytes, text: str) -> bool:
        """Whether the text was signed so, with the present key or one before it."""
