"""The rules of counted attempts: what is locked, for how long, and what is never exceeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.auth.guessing import Claim, GuessingRules, Settlement
from domain.auth.throttling import (
    UNSETTLED,
    Admission,
    Attempts,
    Lockout,
    Quota,
    TooManyAttempts,
    account_key,
    caller_key,
    client_network,
    pair_key,
)
from tests.support.auth_builders import EMAIL, NOW

LOCKOUT = Lockout()
QUOTA = Quota(name="sums", limit=3, window=timedelta(minutes=1))
SECOND = timedelta(seconds=1)
NONE = Attempts.none("a", NOW)


def failing(rule_: Lockout | Quota, times: int, at: datetime = NOW) -> Attempts:
    """The counter after so many failures."""
    counter = NONE
    for _ in range(times):
        counter = rule_.failed(counter, at)
    return counter


@pytest.mark.parametrize(
    ("failures", "minutes"), [(4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (12, 60), (99, 60)]
)
def test_after_five_failures_each_further_one_costs_a_longer_pause(failures: int, minutes: int) -> None:
    counter, end = failing(LOCKOUT, failures), NOW + timedelta(minutes=minutes)
    assert LOCKOUT.pause(failures) == timedelta(minutes=minutes)
    assert LOCKOUT.admits(counter, end) is Admission.ADMITTED
    assert LOCKOUT.admits(counter, end - SECOND) is (Admission.REFUSED if minutes else Admission.ADMITTED)


def test_after_a_hundred_failures_time_does_not_help() -> None:
    assert LOCKOUT.admits(failing(LOCKOUT, 100), NOW + timedelta(days=365)) is Admission.REFUSED


def test_as_many_attempts_are_under_way_as_failures_are_left_and_then_one_after_each_pause() -> None:
    counter = failing(LOCKOUT, 2)
    for _ in range(3):
        assert LOCKOUT.admits(counter, NOW) is Admission.ADMITTED
        counter = counter.reserved(NOW)
    assert LOCKOUT.admits(counter, NOW) is Admission.UNDECIDED
    later, locked = NOW + timedelta(hours=1), failing(LOCKOUT, 7)
    assert LOCKOUT.admits(locked.reserved(later), later) is Admission.UNDECIDED


def test_a_success_forgives_and_leaves_others_under_way() -> None:
    counter = failing(LOCKOUT, 7).reserved(NOW).reserved(NOW).withdrawn(NOW).cleared()
    assert (counter.failures, counter.pending, counter.blocked_until) == (0, 1, None)


def test_a_place_is_given_back_and_never_twice() -> None:
    assert NONE.reserved(NOW).withdrawn(NOW) == NONE
    assert NONE.withdrawn(NOW) == NONE
    other = NONE.reserved(NOW).reserved(NOW + SECOND).withdrawn(NOW)
    assert other.under_way == (NOW + SECOND,)
    assert other.withdrawn(NOW) == other


def test_attempts_that_nobody_settled_count_as_failures_of_the_time_they_were_made() -> None:
    counter = NONE
    for _ in range(5):
        counter = counter.reserved(NOW)
    assert LOCKOUT.current(counter, NOW + UNSETTLED) == counter
    late = LOCKOUT.current(counter, NOW + UNSETTLED + SECOND)
    assert (late.failures, late.pending, late.blocked_until) == (5, 0, NOW + timedelta(minutes=1))
    settled = QUOTA.current(counter, NOW + UNSETTLED + SECOND)
    assert (settled.failures, settled.pending) == (5, 0)


def test_an_attempt_that_died_counts_as_failed_however_many_came_after_it() -> None:
    """Somebody signs in every second, and each of them is settled: what is left over is no older for that."""
    counter = NONE.reserved(NOW)
    for second in range(1, 11):
        at = NOW + second * SECOND
        counter = LOCKOUT.current(counter, at).reserved(at).withdrawn(at)
        assert (counter.failures, counter.pending) == (0, 1)
    late = NOW + 11 * SECOND
    by_account, by_address = (rule_.current(counter.reserved(late), late) for rule_ in (LOCKOUT, QUOTA))
    assert (by_account.failures, by_account.under_way) == (1, (late,))
    assert (by_address.failures, by_address.under_way) == (1, (late,))


def test_an_attempt_that_died_before_a_later_failure_does_not_shorten_its_pause() -> None:
    late = NOW + 11 * SECOND
    counter = failing(LOCKOUT, 11, late).reserved(NOW)
    assert LOCKOUT.current(counter, late).blocked_until == late + LOCKOUT.longest_pause


def test_a_quota_begins_anew_with_each_window() -> None:
    counter = failing(QUOTA, 3)
    assert QUOTA.admits(counter, NOW) is Admission.REFUSED
    left = QUOTA.left(counter, NOW + timedelta(seconds=20.5))
    assert (left.acts, left.seconds) == (0, 40)
    assert TooManyAttempts(left).retry_after_seconds == 40
    assert QUOTA.current(counter, NOW + 59 * SECOND) == counter
    anew = QUOTA.current(counter, NOW + 60 * SECOND)
    assert QUOTA.left(anew, NOW + 60 * SECOND).acts == 3
    assert QUOTA.left(counter, NOW + timedelta(days=1)).seconds == 1


def test_what_is_taken_counts_and_may_be_given_back() -> None:
    counter = QUOTA.taken(QUOTA.taken(NONE, NOW), NOW)
    assert QUOTA.left(counter, NOW).acts == 1
    assert QUOTA.given_back(counter).failures == 1
    assert QUOTA.given_back(NONE) == NONE
    assert QUOTA.admits(counter.reserved(NOW), NOW) is Admission.UNDECIDED


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix" * 30, "unix" * 16),
    ],
)
def test_an_address_counts_for_what_one_client_is_given(ip: str, network: str) -> None:
    assert client_network(ip) == network


def test_keys_tell_no_address_and_do_not_depend_on_how_it_is_typed() -> None:
    keys = {account_key(EMAIL), pair_key(EMAIL, "192.0.2.7"), caller_key("link", "192.0.2.7")}
    assert len(keys) == 3
    assert not any("ada" in key or "example" in key for key in keys)
    assert account_key(f" {EMAIL.upper()} ") == account_key(EMAIL)
    assert pair_key(EMAIL, "2001:db8::1") == pair_key(EMAIL, "2001:db8::2") != pair_key(EMAIL, "2001:db8:1::1")
    assert account_key("\ud800") != account_key("\ud801")


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_key_fits_its_column(email: str, ip: str) -> None:
    claim = Claim.of(email, ip)
    assert len(set(claim.keys)) == 3
    assert all(len(key) <= 120 for key in claim.keys)


def test_a_counter_of_account_and_address_does_not_outlive_that_of_the_account() -> None:
    """The owner chose a new password: what was guessed before at this address does not shut the owner out."""
    rules, claim, later = GuessingRules(), Claim.of(EMAIL, "192.0.2.7"), NOW + timedelta(minutes=5)
    held = {key: Attempts(key=key, failures=9, window_started_at=NOW, last_at=NOW) for key in claim.keys}
    assert rules.current(claim, held, later)[claim.pair].failures == 9
    held[claim.account] = Attempts.none(claim.account, later)
    assert rules.current(claim, held, later)[claim.pair] == Attempts.none(claim.pair, later)


@dataclass
class UnderWay:
    """An attempt that was admitted and not heard of since."""

    claim: Claim
    keys: tuple[str, ...]
    at: datetime


@dataclass
class History:
    """What happened to one account since the last success: when its failures were settled."""

    failed_at: list[datetime] = field(default_factory=list)


class GuessersAndOwners(RuleBasedStateMachine):
    """Attempts at three accounts from two addresses that succeed, fail, are withdrawn or die, while time passes."""

    @initialize()
    def begin(self) -> None:
        by_address = Quota(name="sign-in", limit=12, window=timedelta(minutes=1))
        self.guessing, self.now = GuessingRules(address=by_address), NOW
        self.store: dict[str, Attempts] = {}
        self.under_way: list[UnderWay] = []
        self.histories: dict[str, History] = {}

    @rule(who=st.sampled_from("abc"), ip=st.sampled_from(["192.0.2.1", "192.0.2.2"]))
    def attempt(self, who: str, ip: str) -> None:
        claim = Claim.of(f"{who}@example.org", ip)
        counters = self._hold(claim, claim.keys)
        judgement = self.guessing.judge(claim, counters, self.now)
        if judgement.admission is Admission.UNDECIDED:
            assert any(each.claim.account == claim.account or each.claim.address == claim.address
                       for each in self.under_way)  # fmt: skip
        if judgement.admission is not Admission.ADMITTED:
            return
        self._may_be_checked(claim)
        self.store |= {key: counter.reserved(self.now) for key, counter in counters.items()}
        self.under_way.append(UnderWay(claim, claim.keys, self.now))

    def _may_be_checked(self, claim: Claim) -> None:
        """Five failures or guesses under way at most; then one guess at a time, after the pause of the last failure."""
        failed = self.histories.setdefault(claim.account, History()).failed_at
        others = sum(each.claim.account == claim.account for each in self.under_way)
        assert len(failed) + others < LOCKOUT.free or others == 0
        if len(failed) >= LOCKOUT.free:
            assert self.now >= failed[-1] + LOCKOUT.pause(len(failed))

    @precondition(lambda self: self.under_way)
    @rule(settlement=st.sampled_from([*Settlement, Settlement.FAILED, Settlement.FAILED]), data=st.data())
    def settle(self, settlement: Settlement, data: st.DataObject) -> None:
        ended = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        history = self.histories[ended.claim.account].failed_at
        if settlement is Settlement.FAILED:
            history.append(self.now)
        elif settlement is Settlement.SUCCEEDED:
            history.clear()
        for key, counter in self._hold(ended.claim, ended.keys).items():
            self.store[key] = self.guessing.settled(ended.claim, counter.withdrawn(ended.at), settlement, self.now)

    @rule(seconds=st.sampled_from([0, 1, 6, 61, 130, 3_700]))
    def pass_time(self, seconds: int) -> None:
        """Whatever is under way for too long has died: of it nothing is heard any more, and it counts as failed."""
        self.now += timedelta(seconds=seconds)
        for died in [each for each in self.under_way if self.now - each.at > UNSETTLED]:
            self.histories[died.claim.account].failed_at.append(died.at)
            self.under_way.remove(died)

    def _hold(self, claim: Claim, keys: tuple[str, ...]) -> dict[str, Attempts]:
        held = {key: self.store.get(key) or Attempts.none(key, self.now) for key in keys}
        return self.guessing.current(claim, held, self.now)

    @invariant()
    def counters_count_what_is_under_way(self) -> None:
        for key, counter in getattr(self, "store", {}).items():
            count = sum(key in each.keys for each in self.under_way)
            assert counter.pending >= count
            assert counter.pending - len(counter.lost(self.now)) == count

    @invariant()
    def no_address_has_more_failures_than_its_quota(self) -> None:
        for key, counter in getattr(self, "store", {}).items():
            if key.startswith("sign-in:"):
                assert counter.failures + counter.pending <= self.guessing.address.limit


TestGuessersAndOwners = GuessersAndOwners.TestCase
