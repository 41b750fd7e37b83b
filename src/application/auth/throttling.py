"""Throttling: no password is checked before its attempt is reserved, and no quota is passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn, TypeVar

from application.auth.ports import AttemptGate, PasswordHasher, ThrottleWork
from application.ports import Transaction
from application.request_context import without_deadline
from domain.auth.guessing import Claim, GuessingRules, Judgement, LockedOut, Settlement
from domain.auth.sessions import InvalidCredentials
from domain.auth.throttling import Admission, Burst, Left, Quota, TooManyAttempts, caller_key
from domain.errors import StoreUnavailable

T = TypeVar("T")


class _StillUndecided(Exception):
    """Rolls a unit back that has nothing to keep."""

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reservation:
    """An attempt that is under way since `at`, by the counters of these keys."""

    claim: Claim
    keys: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardAttempts:
    """A password is checked only while its account and its caller have failures left.

    The attempt is reserved and committed before `check` runs, so that guesses at the same moment, at whatever replica,
    are counted too; while as many are under way as are left, further ones wait. `check` returns who was proven. Its
    `InvalidCredentials` counts as a failure, any other refusal of it gives the place back.

    A locked account refuses `LockedOut` after the time of a check, without one. The address pays for such an attempt as
    for any other, or its quota would tell. Too many failures from one address are refused with `TooManyAttempts`.
    While the counters cannot be read nothing is checked.
    """

    transact: Transaction[ThrottleWork]
    gate: AttemptGate
    hasher: PasswordHasher
    rules: GuessingRules

    async def __call__(self, email: str, ip: str, check: Callable[[], Awaitable[T]]) -> T:
        claim = Claim.of(email, ip)
        judgement = await self._judge(claim)
        is_locked = judgement.admission is Admission.REFUSED
        attempt, keys = (self._pretend, (claim.address,)) if is_locked else (check, claim.keys)
        reservation = _Reservation(claim=claim, keys=keys, at=judgement.at)
        try:
            proven = await attempt()
        except InvalidCredentials:
            await self._settle(reservation, Settlement.FAILED)
            raise
        except Exception:
            await self._settle(reservation, Settlement.WITHDRAWN)
            raise
        # One that is cancelled or dies before this remains under way, and counts as failed in the end.
        await self._settle(reservation, Settlement.SUCCEEDED)
        return proven

    async def _judge(self, claim: Claim) -> Judgement:
        judgement = await self._reserve(claim)
        while judgement.admission is Admission.UNDECIDED:
            judgement = await self.gate.ask_in_turn(judgement.by.key, partial(self._reserve, claim))
        return judgement

    async def _reserve(self, claim: Claim) -> Judgement:
        """Counts the attempt as under way, unless it must wait; one at a locked account by its address only."""

        async def reserve(work: ThrottleWork) -> Judgement:
            held = await work.hold_attempts(claim.keys)
            counters = self.rules.current(claim, held, work.now)
            judgement = self.rules.judge(claim, counters, work.now)
            if judgement.admission is Admission.UNDECIDED:
                raise _StillUndecided(judgement)
            if judgement.admission is Admission.REFUSED:
                if judgement.by.key == claim.address:
                    raise TooManyAttempts(self.rules.address.left(judgement.by, work.now))
                counters = {claim.address: counters[claim.address]}
            await work.keep_attempts([counter.reserved(work.now) for counter in counters.values()])
            return judgement

        try:
            return await self.transact(reserve)
        except _StillUndecided as undecided:
            return undecided.judgement

    async def _pretend(self) -> NoReturn:
        await self.hasher.idle()
        raise LockedOut

    async def _settle(self, reservation: _Reservation, settlement: Settlement) -> None:
        claim = reservation.claim

        async def settle(work: ThrottleWork) -> None:
            counters = self.rules.current(claim, await work.hold_attempts(reservation.keys), work.now)
            ended = [counter.withdrawn(reservation.at) for counter in counters.values()]
            await work.keep_attempts([self.rules.settled(claim, counter, settlement, work.now) for counter in ended])

        # The outcome is known, and lost it would count as a failure: neither a late hour nor one broken connection
        # keeps it from being told.
        with without_deadline():
            try:
                await self.transact(settle)
            except StoreUnavailable:
                await self.transact(settle)
        self.gate.settled(reservation.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeQuota:
    """A caller, who is a network or a user, may ask for a thing so often in a while, and is told how often is left."""

    transact: Transaction[ThrottleWork]

    async def __call__(self, quota: Quota | Burst, caller: str) -> Left:
        key = caller_key(quota.name, caller)

        async def take(work: ThrottleWork) -> Left:
            counter = quota.current((await work.hold_attempts((key,)))[key], work.now)
            if quota.admits(counter, work.now) is Admission.REFUSED:
                raise TooManyAttempts(quota.left(counter, work.now))
            taken = quota.taken(counter, work.now)
            await work.keep_attempts((taken,))
            return quota.left(taken, work.now)

        return await self.transact(take)
