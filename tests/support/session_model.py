"""What should become of one person's sessions, told without hashes, masks, locks and SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.auth.limiting import LONGEST_UNIT
from application.auth.policy import AuthPolicy
from domain.auth.limits import LimitSource, SessionLimitReached
from domain.auth.people import Role
from domain.auth.sessions import (
    InvalidCredentials,
    RefreshInvalid,
    RefreshReused,
    SessionEnded,
    TokenExpired,
    TokenInvalid,
    WrongPortal,
)
from tests.support.postgres import SettableClock

# So short that sessions of one history are of every age.
IDLE, ABSOLUTE, GRACE = timedelta(minutes=60), timedelta(minutes=90), timedelta(seconds=10)
ACCESS, LEEWAY = timedelta(minutes=15), timedelta(seconds=5)
POLICY = AuthPolicy(
    access_seconds=int(ACCESS.total_seconds()),
    refresh_idle_seconds=int(IDLE.total_seconds()),
    session_seconds=int(ABSOLUTE.total_seconds()),
    grace_seconds=int(GRACE.total_seconds()),
    leeway_seconds=int(LEEWAY.total_seconds()),
)
ROTATED = "rotated"


@dataclass(kw_only=True)
class Desk:
    """One session: `tokens` are its refresh tokens in order, `used_at` says when each was used up."""

    audience: Role
    seen: datetime
    idle_until: datetime
    absolute: datetime
    access_at: datetime
    ended_for: str | None = None
    tokens: list[str] = field(default_factory=list)
    used_at: list[datetime] = field(default_factory=list)

    def lives(self, now: datetime) -> bool:
        return self.ended_for is None and now < min(self.idle_until, self.absolute)


@dataclass(kw_only=True)
class Person:
    """The person, what limits the sessions, and every session there ever was, oldest first."""

    clock: SettableClock
    role: Role = Role.STUDENT
    active: bool = True
    groups: set[str] = field(default_factory=set)
    limits: dict[tuple[LimitSource, str], tuple[int, bool]] = field(default_factory=dict)
    desks: list[Desk] = field(default_factory=list)
    reuses: int = 0

    @property
    def live(self) -> list[Desk]:
        return [desk for desk in self.desks if desk.lives(self.clock.now())]

    @property
    def limit(self) -> tuple[int, bool]:
        """How many sessions, and whether further ones are denied."""
        of_user = [each for (source, _), each in self.limits.items() if source is LimitSource.USER]
        of_groups = [each for (_, subject), each in self.limits.items() if subject in self.groups]
        lowest = sorted(of_groups, key=lambda each: (each[0], not each[1]))
        of_role = [each for (_, subject), each in self.limits.items() if subject == self.role]
        return next(iter([*of_user, *lowest, *of_role]), (3, False))

    def sign_in(self, portal: Role, held: Desk | None) -> str | int:
        """The code of a refusal, or how many sessions made room."""
        if not self.active:
            return InvalidCredentials.code
        if portal is not self.role:
            return WrongPortal.code
        replaced = held if held is not None and held.audience is portal and held.ended_for is None else None
        others = [desk for desk in self.live if desk is not replaced]
        most, denies = self.limit
        if denies and len(others) >= most:
            return SessionLimitReached.code
        if replaced is not None:
            replaced.ended_for = "replaced"
        now = self.clock.now()
        for desk in self.desks:
            if now - LONGEST_UNIT < min(desk.idle_until, desk.absolute) <= now:
                self.end(desk, "expired")
        evicted = self._evict(others, most - 1)
        self.desks.append(
            Desk(audience=portal, seen=now, idle_until=now + IDLE, absolute=now + ABSOLUTE, access_at=now)
        )
        return evicted

    def refresh(self, desk: Desk, portal: Role, index: int) -> str:
        """The code of a refusal, the successor if it is repeated, or `ROTATED`."""
        if portal is not desk.audience:
            return RefreshInvalid.code
        if not (self._may_use(desk) and desk.lives(self.clock.now())):
            return SessionEnded.code
        answer = self._advance(desk, index)
        self._evict([each for each in self.live if each is not desk], self.limit[0] - desk.lives(self.clock.now()))
        return answer

    def open(self, desk: Desk) -> str | None:
        """The code of the refusal that the last access token of a session meets now."""
        now = self.clock.now()
        if not (self._may_use(desk) and desk.lives(now)):
            return SessionEnded.code
        if now + LEEWAY < desk.access_at:
            return TokenInvalid.code
        return TokenExpired.code if now >= desk.access_at + ACCESS + LEEWAY else None

    def end(self, desk: Desk, reason: str) -> bool:
        """A session that ran out can still be ended, one that was ended cannot."""
        ends = desk.ended_for is None
        desk.ended_for = desk.ended_for or reason
        return ends

    def end_all(self, reason: str) -> int:
        return sum([self.end(desk, reason) for desk in self.live])

    def _may_use(self, desk: Desk) -> bool:
        return self.active and self.role is desk.audience

    def _advance(self, desk: Desk, index: int) -> str:
        now, newest = self.clock.now(), len(desk.tokens) - 1
        if index == newest:
            desk.used_at.append(now)
            desk.seen, desk.idle_until = now, min(now + IDLE, desk.absolute)
            return ROTATED
        if index == newest - 1 and now - desk.used_at[index] <= GRACE:
            return desk.tokens[newest]
        desk.ended_for = "refresh_reused"
        self.reuses += 1
        return RefreshReused.code

    def _evict(self, desks: Sequence[Desk], left: int) -> int:
        """Ends the least recently seen; of those seen at once the one that was opened first."""
        going = sorted(desks, key=lambda desk: desk.seen)[: max(0, len(desks) - left)]
        return sum([self.end(desk, "evicted") for desk in going])
