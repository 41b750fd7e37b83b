"""Sessions of the cookie door: what their secret opens, and how a reading prolongs them."""

from __future__ import annotations

from dataclasses import dataclass, field

from application.auth.limiting import end_surplus, is_crowded
from application.auth.policy import AuthPolicy
from application.auth.ports import AuthReader, AuthWork, HeldSession
from application.auth.views import CookieStanding, PersonView
from application.ports import Transaction
from domain.auth.cookie_sessions import CookieLife, is_secret, secret_hash
from domain.auth.people import Actor
from domain.auth.sessions import Session, SessionEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateBySecret:
    """The secret of a cookie session opens what that session opens at this instant, as an access token does. That the
    session was used is noted now and then.
    """

    transact: Transaction[AuthWork]
    people: AuthReader
    policy: AuthPolicy

    async def __call__(self, secret: str) -> Actor:
        standing = await _standing(self.people, secret)
        await _note(self.transact, self.policy.cookie_life, standing)
        person = standing.user
        return Actor(
            user_id=person.id,
            role=person.role,
            session_id=standing.session.id,
            must_change_password=person.must_change_password,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A session as it was read, whether it was renewed by this reading or by one at the same time, and whether its
    person signed in lately.
    """

    person: PersonView
    session: Session
    fresh: bool
    renewed: bool = False
    secret: str = field(repr=False)

    def actor(self) -> Actor:
        """Who asks through this session."""
        return Actor(
            user_id=self.person.id,
            role=self.person.role,
            session_id=self.session.id,
            must_change_password=self.person.must_change_password,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCookieSession:
    """Whoever shows the secret sees the session and its person; once a day that also prolongs it, unless it is not to
    be remembered or the reader asks for it not to be. As with a refresh, other sessions end then that are too many
    because the session limit was lowered.

    Refuses `SessionEnded` where the secret opens nothing.
    """

    transact: Transaction[AuthWork]
    people: AuthReader
    policy: AuthPolicy

    async def __call__(self, secret: str, *, renew: bool = True) -> Reading:
        standing = await _standing(self.people, secret)
        life, session = self.policy.cookie_life, standing.session
        due = renew and life.is_due(session, standing.now)
        if not due:
            await _note(self.transact, life, standing)
        return Reading(
            person=PersonView.of(standing.user),
            session=await self._renew(session, secret) if due else session,
            fresh=life.is_fresh(session, standing.now),
            renewed=due,
            secret=secret,
        )

    async def _renew(self, session: Session, secret: str) -> Session:
        """Anew under the session's lock: of several readings at once one renews it, and none brings back a dead one."""

        async def renew(work: AuthWork) -> Session | None:
            held = await _hold(work, secret)
            return None if await is_crowded(work, held) else await self._renew_held(work, held.session)

        return await self.transact(renew) or await self._renew_in_turn(session, secret)

    async def _renew_in_turn(self, session: Session, secret: str) -> Session:
        """From the beginning, and with the person held first: whoever holds a session never waits for its person."""

        async def renew(work: AuthWork) -> Session:
            await work.hold_user(session.user_id)
            renewed = await self._renew_held(work, (await _hold(work, secret)).session)
            await end_surplus(work, session.user_id, session.audience, keep=session.id)
            return renewed

        return await self.transact(renew)

    async def _renew_held(self, work: AuthWork, session: Session) -> Session:
        if not self.policy.cookie_life.is_due(session, work.now):
            return session
        renewed = self.policy.cookie_life.renewed(session, work.now)
        await work.renew_session(renewed)
        return renewed


async def _hold(work: AuthWork, secret: str) -> HeldSession:
    held = await work.hold_session_of(secret_hash(secret))
    if held is None or not held.holder_may_use or not held.session.is_live(work.now):
        raise SessionEnded
    return held


async def _standing(people: AuthReader, secret: str) -> CookieStanding:
    found = await people.find_cookie_session(secret_hash(secret)) if is_secret(secret) else None
    if found is None or not found.opens:
        raise SessionEnded
    return found


async def _note(transact: Transaction[AuthWork], life: CookieLife, standing: CookieStanding) -> None:
    """That the session was seen, unless that was noted a short while ago."""
    session = standing.session
    if life.is_unnoted(session, standing.now):
        await transact(lambda work: work.note_seen(session))
