"""Guessing passwords: three counters decide about every attempt, and hear what became of it.

One counts by account, so that nobody guesses from many addresses at once; one by address, so that nobody tries one
password at many accounts; one by both, which the owner's own sign-ins from elsewhere do not clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from domain.auth.sessions import CurrentPasswordWrong, InvalidCredentials
from domain.auth.throttling import (
    Admission,
    Attempts,
    Lockout,
    Quota,
    account_key,
    caller_key,
    client_network,
    pair_key,
)

SIGN_IN_QUOTA = "sign-in"
_BY_ACCOUNT = Lockout()
_BY_PAIR = Quota(name="sign-in-pair", limit=10, window=timedelta(hours=1))
_BY_ADDRESS = Quota(name=SIGN_IN_QUOTA, limit=30, window=timedelta(minutes=1))


class LockedOut(InvalidCredentials):
    """The account takes no guesses for now. Whoever guesses is told what a wrong guess is told."""


class ConfirmationLocked(CurrentPasswordWrong):
    """The account takes no guesses for now, not even from within. The answer is that to a wrong password."""


class Settlement(Enum):
    """What became of an attempt: a right guess, a wrong one, or none."""

    SUCCEEDED = auto()
    FAILED = auto()
    WITHDRAWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who somebody claims to be, and from where: the keys of the counters that such attempts are counted by."""

    account: str
    pair: str
    address: str

    @classmethod
    def of(cls, email: str, ip: str) -> Claim:
        address = caller_key(SIGN_IN_QUOTA, client_network(ip))
        return cls(account=account_key(email), pair=pair_key(email, ip), address=address)

    @property
    def keys(self) -> tuple[str, str, str]:
        return self.account, self.pair, self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of an attempt, the counter that decided it, and when."""

    admission: Admission
    by: Attempts
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessingRules:
    """How many wrong guesses each of the counters allows."""

    account: Lockout = _BY_ACCOUNT
    pair: Quota = _BY_PAIR
    address: Quota = _BY_ADDRESS

    def current(self, claim: Claim, held: Mapping[str, Attempts], now: datetime) -> dict[str, Attempts]:
        """The counters as of now. One by account and address that is older than the account's counter is void: that one
        was forgotten meanwhile, because the owner chose a new password.
        """
        counters = {key: self._rule(claim, key).current(counter, now) for key, counter in held.items()}
        account, pair = counters.get(claim.account), counters.get(claim.pair)
        if account and pair and pair.window_started_at < account.window_started_at:
            counters[claim.pair] = Attempts.none(claim.pair, now)
        return counters

    def judge(self, claim: Claim, counters: Mapping[str, Attempts], now: datetime) -> Judgement:
        """The address first: whoever asks too often learns nothing about accounts. Then the stricter of the others."""

        def judged(key: str) -> Judgement:
            counter = counters[key]
            return Judgement(admission=self._rule(claim, key).admits(counter, now), by=counter, at=now)

        by_address = judged(claim.address)
        if by_address.admission is not Admission.ADMITTED:
            return by_address
        return max(judged(claim.account), judged(claim.pair), key=lambda judgement: judgement.admission)

    def settled(self, claim: Claim, counter: Attempts, settlement: Settlement, now: datetime) -> Attempts:
        """A counter from which an attempt was withdrawn, after its outcome. A success clears it, but for that of the
        address: whoever has an account of their own could go on guessing at others.
        """
        if settlement is Settlement.FAILED:
            return self._rule(claim, counter.key).failed(counter, now)
        if settlement is Settlement.WITHDRAWN or counter.key == claim.address:
            return counter
        return counter.cleared()

    def _rule(self, claim: Claim, key: str) -> Lockout | Quota:
        if key == claim.account:
            return self.account
        return self.pair if key == claim.pair else self.address
