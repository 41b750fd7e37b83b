"""Guessing and being locked out, in conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from application.auth.events import AuthAct, AuthEvent, Outcome, account_of
from application.auth.opening import HeldTokens, Visit
from application.auth.ports import ThrottleWork
from application.auth.throttling import TakeQuota
from application.request_context import RequestContext, request_context
from domain.auth.guessing import Claim, LockedOut
from domain.auth.people import Role, UserStatus
from domain.auth.sessions import Busy, InvalidCredentials, WrongPortal
from domain.auth.throttling import Quota, TooManyAttempts
from domain.errors import DomainError, StoreUnavailable
from tests.support.auth_builders import EMAIL, NOW, STUDENT_VISIT, AuthInMemory, a_user, auth_in_memory

WRONG = "not the password"


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account."""
    auth = auth_in_memory()
    await auth.add(a_user())
    return auth


def at(ip: str) -> Visit:
    return replace(STUDENT_VISIT, ip=ip)


async def guess(auth: AuthInMemory, times: int = 1, *, email: str = EMAIL, ip: str = STUDENT_VISIT.ip) -> None:
    """So many wrong passwords, each answered as such."""
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await auth.enter(email, WRONG, at(ip))


async def lock(auth: AuthInMemory, failures: int) -> None:
    """The account as if so many had failed a moment ago."""
    async with auth.store.turn:
        counters, key = auth.store.tables["attempt_counters"], Claim.of(EMAIL, "").account
        counters[key] = auth.rules.account.failed(replace(counters[key], failures=failures - 1), auth.clock.now())


def outcomes(auth: AuthInMemory) -> list[Outcome]:
    return [event.outcome for event in auth.events.all]


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "no address at all"])
async def test_the_sixth_guess_is_not_checked_and_gets_the_same_answer(auth: AuthInMemory, email: str) -> None:
    """Whether or not there is such an account; it takes the time of a check all the same."""
    answers = []
    for _ in range(7):
        with pytest.raises(InvalidCredentials) as refusal:
            await auth.enter(email, WRONG)
        told = refusal.value
        answers.append((told.code, told.kind, told.title, told.detail, told.problems, told.retry_after_seconds))
    assert len(auth.hasher.checks) == 5
    assert auth.hasher.idled == 2
    assert len(set(answers)) == 1
    assert outcomes(auth) == [Outcome.WRONG_CREDENTIALS] * 5 + [Outcome.LOCKED] * 2


async def test_while_an_account_is_locked_its_right_password_opens_nothing(auth: AuthInMemory) -> None:
    await guess(auth, 5)
    with pytest.raises(LockedOut):
        await auth.enter()
    with pytest.raises(LockedOut):
        await auth.enter(visit=at("198.51.100.1"))
    auth.clock.advance(minutes=1)
    assert await auth.enter()


async def test_each_failure_after_a_pause_costs_a_longer_one(auth: AuthInMemory) -> None:
    """Guesses from ever new addresses: a minute, two, four, up to an hour, and then no more than one in an hour."""
    began = auth.clock.now()
    checked_at = []
    for number in range(14):
        while True:
            checks = len(auth.hasher.checks)
            await guess(auth, ip=f"203.0.113.{number}")
            if len(auth.hasher.checks) > checks:
                break
            auth.clock.advance(minutes=1)
        checked_at.append((auth.clock.now() - began) // timedelta(minutes=1))
    assert [later - earlier for earlier, later in pairwise(checked_at)] == [0] * 4 + [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_after_a_hundred_failures_only_forgetting_them_helps(auth: AuthInMemory) -> None:
    await guess(auth)
    await lock(auth, 99)
    auth.clock.advance(hours=1)
    await guess(auth)
    auth.clock.advance(days=365)
    with pytest.raises(LockedOut):
        await auth.enter()
    del auth.store.tables["attempt_counters"][Claim.of(EMAIL, "").account]
    assert await auth.enter()


async def test_the_right_password_forgives_what_failed_before(auth: AuthInMemory) -> None:
    for _ in range(6):
        await guess(auth, 4)
        await auth.enter()
    assert len(auth.hasher.checks) == 30
    assert auth.hasher.idled == 0


async def test_the_right_password_at_the_wrong_portal_was_no_guess(auth: AuthInMemory) -> None:
    await guess(auth, 4)
    with pytest.raises(WrongPortal):
        await auth.enter(visit=Visit(portal=Role.ADMIN, ip=STUDENT_VISIT.ip))
    await guess(auth, 4)
    assert auth.hasher.idled == 0


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}])
async def test_the_right_password_of_a_dead_account_is_a_wrong_one(
    auth: AuthInMemory, changes: dict[str, object]
) -> None:
    await auth.change_user("usr_ada", **changes)
    for _ in range(6):
        with pytest.raises(InvalidCredentials):
            await auth.enter()
    assert len(auth.hasher.checks) == 5


async def test_the_owners_sign_ins_do_not_give_a_guesser_new_guesses_for_ever(auth: AuthInMemory) -> None:
    """Ada signs in from home all the time: whoever guesses from elsewhere has ten guesses an hour all the same."""
    checks = 0
    for _ in range(30):
        before = len(auth.hasher.checks)
        await guess(auth, ip="198.51.100.1")
        checks += len(auth.hasher.checks) - before
        await auth.enter()
        auth.clock.advance(seconds=60)
    assert checks == 10
    auth.clock.advance(hours=1)
    assert await auth.enter(visit=at("198.51.100.1"))


@pytest.mark.parametrize("error", [Busy(), StoreUnavailable(), RuntimeError("a defect")])
async def test_what_was_not_checked_does_not_count(auth: AuthInMemory, error: Exception) -> None:
    async def fail() -> None:
        raise error

    for _ in range(20):
        auth.hasher.meanwhile.append(fail)
        with pytest.raises(type(error)):
            await auth.enter(password=WRONG)
    await guess(auth, 5)
    assert len(auth.hasher.checks) == 25
    assert outcomes(auth) == [Outcome.UNAVAILABLE] * 20 + [Outcome.WRONG_CREDENTIALS] * 5


async def test_an_attempt_that_dies_counts_as_failed_in_the_end(auth: AuthInMemory) -> None:
    async def die() -> None:
        raise asyncio.CancelledError

    for _ in range(5):
        auth.hasher.meanwhile.append(die)
        with pytest.raises(asyncio.CancelledError):
            await auth.enter()
    auth.clock.advance(seconds=11)
    with pytest.raises(LockedOut):
        await auth.enter()
    auth.clock.advance(seconds=60)
    assert await auth.enter()


async def test_an_attempt_that_dies_counts_as_failed_while_others_come_and_go(auth: AuthInMemory) -> None:
    async def die() -> None:
        raise asyncio.CancelledError

    auth.hasher.meanwhile.append(die)
    with pytest.raises(asyncio.CancelledError):
        await auth.enter(password=WRONG)
    address = Claim.of(EMAIL, STUDENT_VISIT.ip).address
    for _ in range(6):
        auth.clock.advance(seconds=2)
        await auth.enter()
    counter = auth.store.tables["attempt_counters"][address]
    assert (counter.failures, counter.pending) == (1, 0)


async def test_an_outcome_is_told_when_it_is_too_late_to_answer_and_again_if_it_was_not_heard(
    auth: AuthInMemory,
) -> None:
    """The password was right; that the counters are away for a moment does not make a failure of it."""
    answers_by: list[float | None] = []
    throttle = auth.throttle

    async def hurried(unit: Callable[[ThrottleWork], Awaitable[Any]], /) -> Any:
        answers_by.append(request_context.get().answer_by)
        if len(answers_by) == 2:
            raise StoreUnavailable
        return await throttle(unit)

    auth.throttle = hurried
    token = request_context.set(RequestContext(answer_by=5.0))
    assert await auth.enter()
    assert request_context.get().answer_by == 5.0
    request_context.reset(token)
    assert answers_by == [5.0, None, None]
    assert all(counter.pending == 0 for counter in auth.store.tables["attempt_counters"].values())


async def test_of_fifteen_wrong_passwords_at_once_five_are_checked(auth: AuthInMemory) -> None:
    auth.hasher.meanwhile += [lambda: asyncio.sleep(0.001)] * 15
    answers = await asyncio.gather(*(auth.enter(password=WRONG) for _ in range(15)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {InvalidCredentials, LockedOut}
    assert (len(auth.hasher.checks), auth.hasher.idled) == (5, 10)
    assert auth.gate.waiting == 0


async def test_twelve_right_passwords_at_once_all_open_a_session(auth: AuthInMemory) -> None:
    auth.hasher.meanwhile += [lambda: asyncio.sleep(0.001)] * 12
    answers = await asyncio.gather(*(auth.enter() for _ in range(12)))
    assert len({answer.session.id for answer in answers}) == 12
    assert auth.hasher.idled == 0


async def test_one_address_fails_thirty_times_a_minute_at_most(auth: AuthInMemory) -> None:
    """At whatever accounts; the next attempt waits for the end of the minute, even with the right password."""
    for number in range(30):
        await guess(auth, email=f"pupil{number}@example.org")
    auth.clock.advance(seconds=20)
    with pytest.raises(TooManyAttempts) as refusal:
        await auth.enter()
    assert (refusal.value.retry_after_seconds, refusal.value.left.acts) == (40, 0)
    assert len(auth.hasher.checks) == 30
    assert await auth.enter(visit=at("198.51.100.1"))
    auth.clock.advance(seconds=40)
    assert await auth.enter()
    assert outcomes(auth)[30:] == [Outcome.THROTTLED, Outcome.SUCCEEDED, Outcome.SUCCEEDED]


async def test_an_account_of_ones_own_buys_no_guesses_at_others(auth: AuthInMemory) -> None:
    for number in range(30):
        await guess(auth, email=f"pupil{number}@example.org")
        if number < 29:
            await auth.enter()
    with pytest.raises(TooManyAttempts):
        await auth.enter()


async def test_a_school_behind_one_address_signs_in_all_at_once(auth: AuthInMemory) -> None:
    for number in range(60):
        await auth.add(a_user(id=f"usr_{number}", email=f"pupil{number}@example.org", username=None))
    answers = await asyncio.gather(*(auth.enter(f"pupil{number}@example.org") for number in range(60)))
    assert len(answers) == 60


async def test_an_attempt_at_a_locked_account_uses_the_address_like_any_other(auth: AuthInMemory) -> None:
    """Else what is left of the quota would tell that the account is locked."""
    await guess(auth, 30)
    assert len(auth.hasher.checks) == 5
    with pytest.raises(TooManyAttempts):
        await auth.enter("grace@example.org")


async def test_an_address_that_is_refused_leaves_no_counters_behind(auth: AuthInMemory) -> None:
    await guess(auth, 30)
    before = dict(auth.store.tables["attempt_counters"])
    with pytest.raises(TooManyAttempts):
        await auth.enter("grace@example.org")
    assert auth.store.tables["attempt_counters"] == before


async def test_nothing_is_checked_while_the_counters_cannot_be_read(auth: AuthInMemory) -> None:
    async def away(_: object) -> None:
        raise StoreUnavailable

    auth.throttle = away  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await auth.enter()
    assert auth.hasher.checks == []


async def test_a_quota_is_taken_until_it_is_used_up(auth: AuthInMemory) -> None:
    take, quota = TakeQuota(transact=auth.throttle), Quota(name="link", limit=2, window=timedelta(minutes=1))
    lefts = [await take(quota, "192.0.2.7") for _ in range(2)]
    assert [(left.acts, left.seconds) for left in lefts] == [(1, 60), (0, 60)]
    auth.clock.advance(seconds=1)
    with pytest.raises(TooManyAttempts) as refusal:
        await take(quota, "192.0.2.7")
    assert refusal.value.retry_after_seconds == 59
    assert (await take(quota, "192.0.2.8")).acts == 1
    assert (await take(replace(quota, name="other"), "192.0.2.7")).acts == 1
    auth.clock.advance(seconds=59)
    assert (await take(quota, "192.0.2.7")).acts == 1


async def test_every_attempt_is_told_once(auth: AuthInMemory) -> None:
    async def ends(*attempts: object) -> list[AuthEvent]:
        before = len(auth.events.all)
        for attempt in attempts:
            with suppress(DomainError):
                await attempt  # type: ignore[misc]
        return auth.events.all[before:]

    account = account_of(EMAIL)
    sign_in = AuthEvent(act=AuthAct.SIGN_IN, account=account, portal=Role.STUDENT, user_id="usr_ada")
    grant = await auth.enter()
    assert auth.events.all == [replace(sign_in, session_id=grant.session.id)]
    assert await ends(auth.enter(password=WRONG)) == [replace(sign_in, outcome=Outcome.WRONG_CREDENTIALS)]
    assert await ends(auth.enter(password="x" * 2_000)) == [replace(sign_in, outcome=Outcome.REFUSED, user_id=None)]
    assert await ends(auth.enter(visit=Visit(portal=Role.ADMIN))) == [
        replace(sign_in, portal=Role.ADMIN, outcome=Outcome.WRONG_PORTAL)
    ]
    left = await ends(auth.sign_out(HeldTokens(access=grant.access_token)), auth.sign_out(HeldTokens(access="x")))
    assert left == [AuthEvent(act=AuthAct.SIGN_OUT, user_id="usr_ada", session_id=grant.session.id)]
    actor = await auth.authenticate((await auth.enter()).access_token)
    assert await ends(auth.sign_out_everywhere(actor)) == [
        AuthEvent(act=AuthAct.SIGN_OUT_EVERYWHERE, user_id="usr_ada", session_id=actor.session_id)
    ]
    (taken,) = await ends(auth.register())
    assert (taken.act, taken.outcome, taken.account) == (AuthAct.REGISTER, Outcome.REFUSED, account)
    (registered,) = await ends(auth.register("grace@example.org", username=None))
    assert (registered.outcome, registered.account) == (Outcome.SUCCEEDED, account_of("grace@example.org"))
    assert registered.user_id is not None
    assert registered.session_id is not None


async def test_a_reused_refresh_token_is_told_once(auth: AuthInMemory) -> None:
    grant = await auth.enter()
    await auth.refresh(Role.STUDENT, grant.refresh_token)
    auth.clock.advance(seconds=11)
    told = len(auth.events.all)
    for _ in range(2):
        with pytest.raises(DomainError):
            await auth.refresh(Role.STUDENT, grant.refresh_token)
    assert [(event.act, event.session_id) for event in auth.events.all[told:]] == [
        (AuthAct.REFRESH_REUSED, grant.session.id)
    ]
