"""Throttling: how often somebody may guess a password, and how often anything may be asked for.

An attempt is reserved before its password is hashed and settled afterwards, so that guesses at the same moment count as
well. One that finds as many attempts under way as are left to it waits for their outcome: people who sign in twice at
once are not taken for guessers, and guessers gain nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from ipaddress import IPv6Address, IPv6Network, ip_address

from domain.errors import DomainError, Kind

# An attempt whose outcome was not told by then (its process died) counts as failed.
UNSETTLED = timedelta(seconds=10)
_NETWORK_BITS = 64
_LONGEST_NETWORK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """A counter: `failures` are settled, `under_way` says when those were made that are not. `last_at` is when it last
    counted anything.
    """

    key: str
    failures: int = 0
    under_way: tuple[datetime, ...] = ()
    window_started_at: datetime
    last_at: datetime
    blocked_until: datetime | None = None

    @classmethod
    def none(cls, key: str, now: datetime) -> Attempts:
        return cls(key=key, window_started_at=now, last_at=now)

    @property
    def pending(self) -> int:
        """How many attempts are under way."""
        return len(self.under_way)

    def reserved(self, now: datetime) -> Attempts:
        """One more attempt is under way."""
        return replace(self, under_way=(*self.under_way, now), last_at=now)

    def withdrawn(self, reserved_at: datetime) -> Attempts:
        """An attempt is no longer under way, whatever became of it; what it does not find any more it does not take."""
        if reserved_at not in self.under_way:
            return self
        place = self.under_way.index(reserved_at)
        return replace(self, under_way=self.under_way[:place] + self.under_way[place + 1 :])

    def cleared(self) -> Attempts:
        """An attempt succeeded, and with it all that failed before are forgiven; others may still be under way."""
        return replace(self, failures=0, blocked_until=None)

    def lost(self, now: datetime) -> tuple[datetime, ...]:
        """When those attempts were made of which nothing will be heard any more. Each is as old as it is by itself,
        however many came after it.
        """
        return tuple(at for at in self.under_way if now - at > UNSETTLED)

    def without_lost(self, now: datetime) -> Attempts:
        return replace(self, under_way=tuple(at for at in self.under_way if now - at <= UNSETTLED))


class Admission(IntEnum):
    """What becomes of an attempt, the stricter the higher: it may be made, waits for those under way, or is refused."""

    ADMITTED = 0
    UNDECIDED = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """`free` failures, then a pause after each: `first_pause`, doubled each time up to `longest_pause`. After `stop`
    failures no further attempt is admitted until the counter is forgotten. A success clears the counter.
    """

    free: int = 5
    first_pause: timedelta = timedelta(minutes=1)
    longest_pause: timedelta = timedelta(hours=1)
    stop: int = 100

    def current(self, counter: Attempts, now: datetime) -> Attempts:
        """The counter with attempts that were never settled counted as failures, at the time of the last of them."""
        lost = counter.lost(now)
        return self._failed(counter.without_lost(now), len(lost), max(lost)) if lost else counter

    def admits(self, counter: Attempts, now: datetime) -> Admission:
        if counter.failures >= self.stop or (counter.blocked_until is not None and now < counter.blocked_until):
            return Admission.REFUSED
        # After a pause there is one attempt at a time.
        room = max(self.free - counter.failures, 1)
        return Admission.ADMITTED if counter.pending < room else Admission.UNDECIDED

    def failed(self, counter: Attempts, now: datetime) -> Attempts:
        return self._failed(counter, 1, now)

    def pause(self, failures: int) -> timedelta:
        """How long nobody is admitted after so many failures."""
        if failures < self.free:
            return timedelta(0)
        seconds = self.first_pause.total_seconds() * 2.0 ** (failures - self.free)
        return timedelta(seconds=min(seconds, self.longest_pause.total_seconds()))

    def _failed(self, counter: Attempts, count: int, at: datetime) -> Attempts:
        failures = counter.failures + count
        pause = self.pause(failures)
        blocked_until = max(counter.blocked_until or at, at + pause) if pause else counter.blocked_until
        return replace(counter, failures=failures, blocked_until=blocked_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` failures, or acts of any outcome where they are `taken`, in each window of `window` length."""

    name: str
    limit: int
    window: timedelta

    def current(self, counter: Attempts, now: datetime) -> Attempts:
        """The counter in the present window."""
        counter = replace(counter.without_lost(now), failures=counter.failures + len(counter.lost(now)))
        if now < counter.window_started_at + self.window:
            return counter
        return replace(counter, failures=0, window_started_at=now)

    def admits(self, counter: Attempts, now: datetime) -> Admission:
        if counter.failures >= self.limit:
            return Admission.REFUSED
        return Admission.ADMITTED if counter.failures + counter.pending < self.limit else Admission.UNDECIDED

    def failed(self, counter: Attempts, now: datetime) -> Attempts:
        return replace(counter, failures=counter.failures + 1)

    def taken(self, counter: Attempts, now: datetime) -> Attempts:
        """An act that counts whatever becomes of it."""
        return replace(counter, failures=counter.failures + 1, last_at=now)

    def given_back(self, counter: Attempts) -> Attempts:
        """An act that was taken and did not come about."""
        return replace(counter, failures=max(counter.failures - 1, 0))

    def left(self, counter: Attempts, now: datetime) -> Left:
        until_end = counter.window_started_at + self.window - now
        return Left(
            quota=self,
            acts=max(0, self.limit - counter.failures - counter.pending),
            seconds=max(1, -(-until_end // timedelta(seconds=1))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """At most `limit` acts, each of them less than `window` after the one before. Acts that are refused do not count,
    so that whoever waits as long as `window` after the last that did begins anew.
    """

    name: str
    limit: int
    window: timedelta

    def current(self, counter: Attempts, now: datetime) -> Attempts:
        """The counter of the present burst, or of one that is about to begin."""
        if now - counter.last_at < self.window:
            return counter
        return replace(counter, failures=0, window_started_at=now)

    def admits(self, counter: Attempts, now: datetime) -> Admission:
        return Admission.ADMITTED if counter.failures < self.limit else Admission.REFUSED

    def taken(self, counter: Attempts, now: datetime) -> Attempts:
        """One more act."""
        return replace(counter, failures=counter.failures + 1, last_at=now)

    def left(self, counter: Attempts, now: datetime) -> Left:
        until_end = counter.last_at + self.window - now
        return Left(
            quota=self,
            acts=max(0, self.limit - counter.failures),
            seconds=max(1, -(-until_end // timedelta(seconds=1))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How many `acts` a quota still allows within the `seconds` (at least one) that its window lasts."""

    quota: Quota | Burst
    acts: int
    seconds: int


class TooManyAttempts(DomainError):
    """One caller asks too often. Waiting as long as `Retry-After` says helps."""

    code = "request.too_many"
    kind = Kind.TOO_MANY
    title = "Too many requests, try again later"

    def __init__(self, left: Left) -> None:
        super().__init__(retry_after_seconds=left.seconds)
        self.left = left


def client_network(ip: str) -> str:
    """Whom an address counts for: itself, and with IPv6 its /64, which is what one client is given."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip[:_LONGEST_NETWORK]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped is not None else str(IPv6Network((int(address), _NETWORK_BITS), strict=False))
    return str(address)


def account_key(email: str) -> str:
    """The key of an account, known or not. Hashed, because people type passwords where an address belongs."""
    return "account:" + _hashed(_spelt(email))


def pair_key(email: str, ip: str) -> str:
    """The key of one caller's attempts at one account."""
    return "pair:" + _hashed(f"{_spelt(email)}\0{client_network(ip)}")


def caller_key(quota: str, caller: str) -> str:
    """The key of what one caller, a client's network or a user's id, has used of a quota."""
    return f"{quota}:{caller}"


def _spelt(email: str) -> str:
    """As addresses are compared; what is no address counts too, as it was typed."""
    return email.strip().lower()


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
