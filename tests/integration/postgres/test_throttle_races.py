"""Many sign-ins at once on PostgreSQL, at two replicas that share nothing else: what is counted is counted once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from adapters.postgres.database import Database
from application.auth.opening import Grant
from domain.auth.guessing import Claim, LockedOut
from domain.auth.sessions import InvalidCredentials
from domain.auth.throttling import TooManyAttempts
from domain.errors import StoreUnavailable
from tests.support.auth_builders import (
    EMAIL,
    PASSWORD,
    STUDENT_VISIT,
    AuthOnPostgres,
    CountingHasher,
    a_user,
    auth_on_postgres,
)
from tests.support.postgres import ClonedDatabase, SettableClock

WRONG = "not the password"
_ROUNDS = 20


class SlowHasher(CountingHasher):
    """Takes long enough for others to come meanwhile."""

    async def matches(self, password: str, password_hash: str | None) -> bool:
        await asyncio.sleep(0.005)
        return await super().matches(password, password_hash)


@dataclass
class Replicas:
    """Two processes of one installation, as far as sign-ins can tell."""

    both: tuple[AuthOnPostgres, AuthOnPostgres]
    hasher: CountingHasher

    async def enter_all(self, *attempts: tuple[str, str]) -> list[Grant | BaseException]:
        """All at once, by turns at one and the other."""
        return await asyncio.gather(
            *(self.both[number % 2].enter(email, password) for number, (email, password) in enumerate(attempts)),
            return_exceptions=True,
        )

    async def enter_all_in_the_end(self, *attempts: tuple[str, str]) -> list[Grant | BaseException]:
        """All at once; who is told that the service is busy comes again, as it says."""
        told = await self.enter_all(*attempts)
        for _ in range(_ROUNDS):
            again = [number for number, answer in enumerate(told) if isinstance(answer, StoreUnavailable)]
            answers = await self.enter_all(*(attempts[number] for number in again))
            for number, answer in zip(again, answers, strict=True):
                told[number] = answer
        return told


@pytest.fixture
async def replicas(cloned: ClonedDatabase, clock: SettableClock) -> AsyncIterator[Replicas]:
    """Two pools, two lines of those who wait, for as long as it takes. Ada and Grace have accounts."""
    first, other = (
        Database(cloned.urls.app, pool_min=1, pool_max=most, deadline_seconds=60, pool_timeout_seconds=60)
        for most in (10, 4)
    )
    hasher = SlowHasher()
    await first.open()
    await other.open()
    both = (auth_on_postgres(first, clock, hasher=hasher), auth_on_postgres(other, clock, hasher=hasher))
    await both[0].add(a_user())
    await both[0].add(a_user(id="usr_grace", email="grace@example.org", username="grace"))
    yield Replicas(both, hasher)
    await first.close()
    await other.close()


def kinds(answers: list[Grant | BaseException]) -> Counter[type]:
    return Counter(type(answer) for answer in answers)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
async def test_of_fifteen_wrong_passwords_at_once_exactly_five_are_checked(replicas: Replicas, email: str) -> None:
    answers = await replicas.enter_all(*[(email, WRONG)] * 15)
    assert kinds(answers) == {InvalidCredentials: 5, LockedOut: 10}
    assert (len(replicas.hasher.checks), replicas.hasher.idled) == (5, 10)
    assert await replicas.both[0].enter("grace@example.org")


async def test_of_fifteen_after_a_pause_one_is_checked(replicas: Replicas, clock: SettableClock) -> None:
    await replicas.enter_all(*[(EMAIL, WRONG)] * 5)
    clock.advance(minutes=1)
    await replicas.enter_all(*[(EMAIL, WRONG)] * 15)
    assert len(replicas.hasher.checks) == 6


async def test_twelve_right_passwords_at_once_all_open_a_session(replicas: Replicas) -> None:
    answers = await replicas.enter_all(*[(EMAIL, PASSWORD)] * 12)
    assert kinds(answers) == {Grant: 12}
    assert replicas.hasher.idled == 0


async def test_four_wrong_ones_among_them_harm_nobody(replicas: Replicas) -> None:
    attempts = [(EMAIL, PASSWORD), (EMAIL, WRONG), (EMAIL, PASSWORD)] * 4
    answers = await replicas.enter_all(*attempts, *[("grace@example.org", PASSWORD)] * 4)
    assert kinds(answers) == {Grant: 12, InvalidCredentials: 4}


async def test_a_flood_of_guesses_at_one_account_does_not_harm_another(replicas: Replicas) -> None:
    answers = await replicas.enter_all(*[(EMAIL, WRONG), ("grace@example.org", PASSWORD)] * 12)
    assert kinds(answers[1::2]) == {Grant: 12}
    assert kinds(answers[::2]) == {InvalidCredentials: 5, LockedOut: 7}


async def test_one_address_fails_thirty_times_and_not_once_more(replicas: Replicas) -> None:
    """Forty guesses at forty accounts at once, each the first at its account."""
    answers = await replicas.enter_all(*((f"pupil{number}@example.org", WRONG) for number in range(40)))
    assert kinds(answers) == {InvalidCredentials: 30, TooManyAttempts: 10}
    assert len(replicas.hasher.checks) == 30


async def test_two_hundred_pupils_of_one_school_sign_in_at_once(replicas: Replicas) -> None:
    for number in range(50):
        await replicas.both[0].add(a_user(id=f"usr_{number}", email=f"pupil{number}@example.org", username=None))
    pupils = [(f"pupil{number % 50}@example.org", PASSWORD) for number in range(200)]
    answers = await replicas.enter_all_in_the_end(*pupils)
    assert kinds(answers) == {Grant: 200}
    counters = await replicas.both[0].throttle(
        lambda work: work.hold_attempts([Claim.of("", STUDENT_VISIT.ip).address])
    )
    assert [(counter.failures, counter.pending) for counter in counters.values()] == [(0, 0)]


async def test_attempts_that_died_with_their_process_are_failures_for_the_others(
    replicas: Replicas, clock: SettableClock
) -> None:
    dying, living = replicas.both

    async def die() -> None:
        raise asyncio.CancelledError

    for _ in range(5):
        replicas.hasher.meanwhile.append(die)
        with pytest.raises(asyncio.CancelledError):
            await dying.enter()
    clock.advance(seconds=11)
    with pytest.raises(LockedOut):
        await living.enter()
    clock.advance(seconds=60)
    assert await living.enter()


async def test_nothing_is_checked_without_the_store_of_the_counters(replicas: Replicas) -> None:
    first, second = replicas.both
    await second.database.close()
    first = replace(first, throttle=second.throttle)
    with pytest.raises(StoreUnavailable):
        await first.enter()
    assert replicas.hasher.checks == []
