"""Opening a session, which registration and sign-in end with, and ending the one that a browser still held."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from application.auth.limiting import make_room
from application.auth.policy import AuthPolicy
from application.auth.ports import AccessClaims, AccessTokens, AuthWork, TokenSource
from application.auth.views import PersonView
from application.ports import IdGenerator
from domain.auth.cookie_sessions import SECRET_LENGTH, key_of, secret_hash, secret_of
from domain.auth.people import Role, User
from domain.auth.refresh import RefreshToken, decode_token, digest, encode_token
from domain.auth.sessions import MAX_USER_AGENT_LENGTH, Door, RefreshInvalid, Session, SessionEnd, TokenInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTokens:
    """What came along with a request that may speak for a session: the tokens of a portal, the secret of the cookie
    door. Each may be missing, stale or nonsense.
    """

    access: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Through which door and portal and from where somebody comes, and what they bring along. `callback` is the page
    that a link mailed for this visit leads back to, at doors whose links say so. `foreign`: a page of another site has
    led the browser here, with or without its person's wish.
    """

    portal: Role
    door: Door = Door.PORTAL
    callback: str | None = None
    ip: str = ""
    user_agent: str = ""
    remember: bool = False
    foreign: bool = False
    held: HeldTokens = HeldTokens()


class Opened(Protocol):
    """What registration and sign-in end with: the person, and the session if one was opened."""

    @property
    def person(self) -> PersonView: ...
    @property
    def session(self) -> Session | None: ...


OpenedT_co = TypeVar("OpenedT_co", bound=Opened, covariant=True)


class Opener(Protocol[OpenedT_co]):
    """What a door does for a person who was let in, in the same unit of work."""

    @abstractmethod
    async def __call__(self, work: AuthWork, user: User, visit: Visit) -> OpenedT_co: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A new session in the hands of its person. The two tokens are shown this once."""

    person: PersonView
    session: Session
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    evicted_sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueAccess:
    """An access token speaks for one session at one portal, for minutes."""

    tokens: AccessTokens
    ids: IdGenerator
    policy: AuthPolicy

    def __call__(self, session: Session, now: datetime) -> str:
        seconds = int(now.timestamp())
        return self.tokens.sign(
            AccessClaims(
                audience=session.audience,
                role=session.audience,
                user_id=session.user_id,
                session_id=session.id,
                token_id=self.ids.new("jti"),
                auth_time=int(session.auth_time.timestamp()),
                issued_at=seconds,
                not_before=seconds,
                expires_at=seconds + self.policy.access_seconds,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHeldSession:
    """Whoever holds a session's token may end that session; an expired token is good enough for it."""

    tokens: AccessTokens

    async def __call__(
        self, work: AuthWork, held: HeldTokens, reason: SessionEnd, audience: Role | None = None
    ) -> list[tuple[str, str]]:
        """The sessions that ended, by the person's id and their own."""
        keys = {
            self._named_by_access(held.access),
            await self._named_by_refresh(work, held.refresh),
            None if held.secret is None else await work.find_session_key(secret_hash(held.secret)),
        }
        return [key for key in sorted(filter(None, keys)) if await work.end_session(*key, reason, audience)]

    def _named_by_access(self, token: str | None) -> tuple[str, str] | None:
        try:
            claims = self.tokens.read(token or "")
        except TokenInvalid:
            return None
        return claims.user_id, claims.session_id

    async def _named_by_refresh(self, work: AuthWork, token: str | None) -> tuple[str, str] | None:
        try:
            token_hash = digest(decode_token(token or ""))
        except RefreshInvalid:
            return None
        return await work.find_session_key(token_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Opener[Grant]):
    """A person who is held gets a session at their portal. The one that the same browser held there ends, and of the
    others as many as the session limit leaves no room for; where the limit denies further ones nothing changes.
    """

    source: TokenSource
    issue_access: IssueAccess
    end_held_session: EndHeldSession
    ids: IdGenerator
    policy: AuthPolicy

    async def __call__(self, work: AuthWork, user: User, visit: Visit) -> Grant:
        await self.end_held_session(work, visit.held, SessionEnd.REPLACED, visit.portal)
        evicted = await make_room(work, user.id, user.role)
        session, token = self._session(user, visit, work.now), self.source.new()
        await work.add_session(session, RefreshToken.first(session, token))
        return Grant(
            person=PersonView.of(user),
            session=session,
            access_token=self.issue_access(session, work.now),
            refresh_token=encode_token(token),
            expires_in=self.policy.access_seconds,
            evicted_sessions=evicted,
        )

    def _session(self, user: User, visit: Visit, now: datetime) -> Session:
        life = self.policy.life
        return Session(
            id=self.ids.new("ses"),
            user_id=user.id,
            audience=visit.portal,
            ip=visit.ip,
            user_agent=_kept_user_agent(visit),
            remember=visit.remember,
            auth_time=now,
            created_at=now,
            last_seen_at=now,
            idle_expires_at=now + min(life.idle, life.absolute),
            absolute_expires_at=now + life.absolute,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieGrant:
    """A new session of the cookie door. Its secret is shown this once."""

    person: PersonView
    session: Session
    secret: str = field(repr=False)
    evicted_sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCookieSession(Opener[CookieGrant]):
    """The same at the cookie door, where a session has one secret for as long as it lives."""

    source: TokenSource
    end_held_session: EndHeldSession
    ids: IdGenerator
    policy: AuthPolicy

    async def __call__(self, work: AuthWork, user: User, visit: Visit) -> CookieGrant:
        await self.end_held_session(work, visit.held, SessionEnd.REPLACED, visit.portal)
        evicted = await make_room(work, user.id, user.role)
        session = self.policy.cookie_life.opened(
            self.ids.new("ses"),
            user,
            work.now,
            remember=visit.remember,
            ip=visit.ip,
            user_agent=_kept_user_agent(visit),
        )
        secret = new_secret(self.source)
        await work.add_session(session, key_of(session, secret))
        return CookieGrant(person=PersonView.of(user), session=session, secret=secret, evicted_sessions=evicted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Somebody has an account and no session yet."""

    person: PersonView
    session: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNothing(Opener[Admitted]):
    """Where an address has to be verified first, an account comes without a session."""

    async def __call__(self, work: AuthWork, user: User, visit: Visit) -> Admitted:
        return Admitted(person=PersonView.of(user))


def new_secret(source: TokenSource, length: int = SECRET_LENGTH) -> str:
    """Letters and digits that nobody can guess."""
    letters = ""
    while len(letters) < length:
        letters += secret_of(source.new())
    return letters[:length]


def _kept_user_agent(visit: Visit) -> str:
    return visit.user_agent.replace("\0", "")[:MAX_USER_AGENT_LENGTH]
