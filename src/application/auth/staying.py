"""Staying signed in: what an access token opens right now, its refresh, and a look at oneself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from application.auth.claimants import Claimant
from application.auth.events import AuthAct, AuthEvent
from application.auth.limiting import end_surplus, is_crowded
from application.auth.opening import IssueAccess
from application.auth.policy import AuthPolicy
from application.auth.ports import (
    AccessClaims,
    AccessTokens,
    AuthEvents,
    AuthReader,
    AuthWork,
    HeldSession,
    QuickRefresh,
    QuickRotation,
    TokenSource,
)
from application.auth.views import OwnProfile
from application.ports import AuditEntry, Transaction
from domain.auth.people import Actor, Role
from domain.auth.refresh import Decision, RefreshToken, decide, decode_token, digest, encode_token, mask
from domain.auth.sessions import (
    Door,
    PasswordChangeRequired,
    RefreshInvalid,
    RefreshReused,
    Session,
    SessionEnd,
    SessionEnded,
    Standing,
    TokenExpired,
    TokenInvalid,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """A token of ours opens what its session opens at this instant: revoking, deleting, disabling and a change of role
    act on the next request. Time is the store's, read with the session, so that replicas with wrong clocks agree.
    """

    tokens: AccessTokens
    people: AuthReader
    policy: AuthPolicy

    async def __call__(self, token: str) -> Actor:
        claims = self.tokens.read(token)
        standing = await self.people.read_standing(claims.user_id, claims.session_id)
        if standing is None or not standing.opens:
            raise SessionEnded
        self._check_claims(claims, standing)
        return Actor(
            user_id=claims.user_id,
            role=standing.role,
            session_id=claims.session_id,
            must_change_password=standing.must_change_password,
        )

    def claim(self, token: str) -> Claimant:
        """What a token says by itself; for whoever asks the store in the statement that does the work."""
        claims, leeway = self.tokens.read(token), self.policy.leeway_seconds
        if claims.audience is not claims.role:
            raise TokenInvalid
        return Claimant(
            user_id=claims.user_id,
            session_id=claims.session_id,
            role=claims.role,
            valid_from=datetime.fromtimestamp(max(claims.not_before, claims.issued_at) - leeway, UTC),
            valid_until=datetime.fromtimestamp(claims.expires_at + leeway, UTC),
            confirm=partial(self._confirm, token),
        )

    async def _confirm(self, token: str) -> Actor:
        actor = await self(token)
        if actor.must_change_password:
            raise PasswordChangeRequired
        return actor

    def _check_claims(self, claims: AccessClaims, standing: Standing) -> None:
        now, leeway = standing.now.timestamp(), self.policy.leeway_seconds
        if claims.audience is not standing.audience or claims.role is not standing.role:
            raise TokenInvalid
        if now + leeway < max(claims.not_before, claims.issued_at):
            raise TokenInvalid
        if now >= claims.expires_at + leeway:
            raise TokenExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The next access token, and the refresh token to come back with."""

    session: Session
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reused:
    """A session was ended because its token has two holders."""

    event: AuthEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshWithCare:
    """A refresh token is used once and brings its successor; the same successor again if the reply was lost or two tabs
    asked at once. Any other second use means two holders: the session ends for both, and that is on record.

    Where the session limit was lowered the other sessions that are too many end, least recently seen first.
    """

    transact: Transaction[AuthWork]
    source: TokenSource
    issue_access: IssueAccess
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, portal: Role, presented: str) -> Refreshed:
        token = decode_token(presented)

        async def refresh(work: AuthWork) -> Refreshed | _Reused | Session:
            held = await self._hold(work, portal, token)
            return held.session if await is_crowded(work, held) else await self._refresh(work, held.session, token)

        outcome = await self.transact(refresh)
        if isinstance(outcome, Session):
            outcome = await self._refresh_in_turn(outcome, portal, token)
        if isinstance(outcome, _Reused):
            # Only now: the end of the session and its record are committed.
            self.events.record(outcome.event)
            raise RefreshReused
        return outcome

    async def _refresh_in_turn(self, session: Session, portal: Role, token: bytes) -> Refreshed | _Reused:
        """From the beginning, and with the person held first: whoever holds a session never waits for its person."""

        async def refresh(work: AuthWork) -> Refreshed | _Reused:
            await work.hold_user(session.user_id)
            held = await self._hold(work, portal, token)
            outcome = await self._refresh(work, held.session, token)
            await end_surplus(work, session.user_id, portal, keep=session.id)
            return outcome

        return await self.transact(refresh)

    async def _refresh(self, work: AuthWork, session: Session, token: bytes) -> Refreshed | _Reused:
        link, latest = await work.read_chain(session, digest(token))
        decision = decide(session, link, latest, work.now, self.policy.grace)
        if decision is Decision.ENDED:
            raise SessionEnded
        if decision is Decision.REUSE:
            return await self._end_reused(work, session, link, latest)
        if decision is Decision.ROTATE:
            return await self._rotate(work, session, link, token)
        return _refreshed(self.issue_access, work.now, session, link.successor_under(token))

    async def _hold(self, work: AuthWork, portal: Role, token: bytes) -> HeldSession:
        held = await work.hold_session_of(digest(token))
        # The secret of a cookie session, spelt as a refresh token, has the same hash as one.
        if held is None or held.session.door is not Door.PORTAL or held.session.audience is not portal:
            raise RefreshInvalid
        if not held.holder_may_use:
            raise SessionEnded
        return held

    async def _rotate(self, work: AuthWork, session: Session, link: RefreshToken, token: bytes) -> Refreshed:
        successor = self.source.new()
        prolonged = session.prolonged(work.now, self.policy.life)
        spent = link.spent(work.now, mask(token, successor))
        await work.rotate(spent, link.successor(successor, work.now), prolonged)
        return _refreshed(self.issue_access, work.now, prolonged, successor)

    async def _end_reused(self, work: AuthWork, session: Session, link: RefreshToken, latest: RefreshToken) -> _Reused:
        await work.end_session(session.user_id, session.id, SessionEnd.REFRESH_REUSED)
        await work.audit(
            AuditEntry(
                actor_id=session.user_id,
                action="session.refresh_reused",
                subject=session.id,
                before={"generation": latest.generation},
                after={"presented_generation": link.generation, "revoked": True},
            )
        )
        event = AuthEvent(
            act=AuthAct.REFRESH_REUSED, user_id=session.user_id, session_id=session.id, portal=session.audience
        )
        return _Reused(event=event)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession:
    """A refresh in one round trip where the token was never used and nothing else stands against it. All else is left,
    without a trace, to the refresh with care.
    """

    quick: QuickRefresh
    with_care: RefreshWithCare
    source: TokenSource
    issue_access: IssueAccess
    policy: AuthPolicy

    async def __call__(self, portal: Role, presented: str) -> Refreshed:
        token = decode_token(presented)
        # Made once, so that the store may try again after a roll-back.
        successor = self.source.new()
        session = await self.quick.rotate(
            QuickRotation(
                portal=portal,
                token_hash=digest(token),
                successor_hash=digest(successor),
                successor_masked=mask(token, successor),
                idle=self.policy.life.idle,
            )
        )
        if session is None:
            return await self.with_care(portal, presented)
        return _refreshed(self.issue_access, session.last_seen_at, session, successor)


def _refreshed(issue_access: IssueAccess, now: datetime, session: Session, token: bytes) -> Refreshed:
    return Refreshed(
        session=session,
        access_token=issue_access(session, now),
        refresh_token=encode_token(token),
        expires_in=issue_access.policy.access_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProfile:
    """Everybody may see who they are and how long their session lasts."""

    people: AuthReader

    async def __call__(self, actor: Actor) -> OwnProfile:
        profile = await self.people.read_profile(actor.user_id, actor.session_id)
        if profile is None:
            raise SessionEnded
        return profile
