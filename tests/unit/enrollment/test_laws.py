"""Laws of a student's history in one package, whatever is asked for and in whatever order the instants come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.enrollment.enrolling import (
    Begun,
    Change,
    Enrollment,
    EnrollmentEnd,
    EnrollmentStatus,
    Offer,
    Spell,
    Until,
    admit,
    cancel,
    change,
    end,
    enroll,
    upgrade,
    upgrades,
)
from domain.enrollment.packages import Tier, Visibility
from domain.enrollment.refusals import AccessUsedUp, EnrollmentNotFound
from domain.errors import DomainError, InvalidInput
from tests.support.enrollment_builders import (
    ALL_TIERS,
    MONTHLY,
    NOON,
    RETIRED,
    STANDARD,
    a_wish,
    an_enrollment,
    an_offer,
)

# Instants close to each other and out of order, as they come from units of work that waited for their turn.
instants = st.integers(min_value=-5, max_value=5).map(lambda seconds: NOON + timedelta(seconds=seconds))
ends = st.none() | st.integers(min_value=-7, max_value=7).map(lambda seconds: NOON + timedelta(seconds=seconds))
named_ends = st.none() | ends.map(lambda at: Until(at=at))
tiers = st.lists(st.sampled_from(ALL_TIERS), unique=True)
tier_ids = st.sampled_from([None, *(tier.id for tier in ALL_TIERS), "tier_of_another"])
offers = st.builds(
    lambda offered, visibility: an_offer(*offered, visibility=visibility), tiers, st.sampled_from(Visibility)
)
EVERYTHING = an_offer(*ALL_TIERS)
reasons = st.sampled_from(EnrollmentEnd)
# Short of, up to and beyond the thirty days of a tier.
gaps = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(days=7), timedelta(days=29), timedelta(days=30)])


class History(RuleBasedStateMachine):
    """Enrols, changes, cancels and ends as the use cases do, and keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Enrollment] = []
        self.before: list[Enrollment] = []

    def settled(self, at: datetime) -> Enrollment | None:
        """The last row, after what was written was kept and its own end written down if its time is over."""
        self.before = list(self.rows)
        if self.rows:
            self.rows[-1] = self.rows[-1].as_of(at)
        return self.rows[-1] if self.rows else None

    def begun(self) -> Begun:
        """Told by going backwards for the first row of each tier, and forwards for the last."""
        first = {row.tier_id: row.started_at for row in reversed(self.rows)}
        last = {row.tier_id: row.expires_at for row in self.rows}
        return {tier_id: Spell(since=first[tier_id], until=last[tier_id]) for tier_id in first}

    def keep(self, changed: Change) -> None:
        if changed.ended is not None:
            self.rows[-1:] = [changed.ended, changed.active]

    @rule(offer=offers, tier_id=tier_ids, at=instants)
    def enroll(self, offer: Offer, tier_id: str | None, at: datetime) -> None:
        last = self.settled(at)
        with suppress(DomainError):
            wish = a_wish(new_id=f"enr_{len(self.rows)}", tier_id=tier_id, at=at)
            row = enroll(offer, wish, last, self.begun())
            self.rows += [row] if row != last else []

    @rule(offer=offers, tier_id=tier_ids, at=instants, until=named_ends)
    def admit(self, offer: Offer, tier_id: str | None, at: datetime, until: Until | None) -> None:
        last = self.settled(at)
        with suppress(DomainError):
            row = admit(offer, a_wish(new_id=f"enr_{len(self.rows)}", tier_id=tier_id, at=at, until=until), last)
            self.rows += [row] if row != last else []

    @rule(tier_id=tier_ids, at=instants)
    def upgrade(self, tier_id: str | None, at: datetime) -> None:
        last = self.settled(at)
        with suppress(DomainError):
            wish = a_wish(new_id=f"enr_{len(self.rows)}", tier_id=tier_id, at=at)
            self.keep(upgrade(EVERYTHING, wish, last, self.begun()))

    @rule(tier_id=tier_ids, at=instants, until=named_ends)
    def change(self, tier_id: str | None, at: datetime, until: Until | None) -> None:
        last = self.settled(at)
        wish = a_wish(new_id=f"enr_{len(self.rows)}", tier_id=tier_id, at=at, until=until)
        with suppress(DomainError):
            self.keep(change(EVERYTHING, wish, last))

    @rule(at=instants)
    def cancel(self, at: datetime) -> None:
        last = self.settled(at)
        with suppress(DomainError):
            self.rows[-1:] = [cancel(last, at)]

    @rule(reason=reasons.filter(lambda reason: reason is not EnrollmentEnd.EXPIRED), at=instants)
    def end(self, reason: EnrollmentEnd, at: datetime) -> None:
        last = self.settled(at)
        if last is not None:
            self.rows[-1] = end(last, reason, at)

    @invariant()
    def at_most_one_row_is_active_and_it_is_the_last(self) -> None:
        assert all(row.status is EnrollmentStatus.ENDED for row in self.rows[:-1])

    @invariant()
    def no_two_stretches_overlap(self) -> None:
        for earlier, later in pairwise(self.rows):
            assert earlier.ended_at is not None
            assert earlier.started_at <= earlier.ended_at <= later.started_at

    @invariant()
    def history_only_grows_and_a_row_changes_only_by_its_single_end(self) -> None:
        assert len(self.before) <= len(self.rows)
        for was, now in zip(self.before, self.rows, strict=False):
            ended_now = was.ended_at is None and now == replace(was, ended_at=now.ended_at, end_reason=now.end_reason)
            assert was == now or ended_now

    @invariant()
    def an_end_has_an_instant_and_a_reason_or_neither(self) -> None:
        assert all((row.ended_at is None) == (row.end_reason is None) for row in self.rows)

    @invariant()
    def nothing_lasts_beyond_its_time(self) -> None:
        for row in self.rows:
            if row.expires_at is not None:
                assert row.started_at < row.expires_at
                assert row.ended_at is None or row.ended_at <= row.expires_at
                assert (row.ended_at == row.expires_at) or row.end_reason is not EnrollmentEnd.EXPIRED


TestHistory = History.TestCase


@given(offers, tier_ids, instants, instants)
def test_asking_twice_gives_the_same_row(
    offer: Offer, tier_id: str | None, first_at: datetime, second_at: datetime
) -> None:
    try:
        first = enroll(offer, a_wish(tier_id=tier_id, at=first_at), None, {})
    except DomainError as refusal:
        refused: type[DomainError] | None = type(refusal)
    else:
        refused = None
        hidden = replace(offer, visibility=Visibility.HIDDEN)
        begun = {first.tier_id: Spell(since=first.started_at, until=first.expires_at)}
        assert enroll(offer, a_wish(new_id="enr_2", tier_id=tier_id, at=second_at), first, begun) is first
        assert enroll(hidden, a_wish(new_id="enr_2", tier_id=tier_id, at=second_at), first, begun) is first
    assert (refused is None) == _is_open_to_all(offer, tier_id)


@given(offers, tier_ids, st.sampled_from(ALL_TIERS))
def test_enrolling_never_replaces_an_active_row(offer: Offer, tier_id: str | None, held: Tier) -> None:
    active = an_enrollment(tier=held)
    with suppress(DomainError):
        assert enroll(offer, a_wish(new_id="enr_2", tier_id=tier_id), active, {}) is active
    with suppress(DomainError):
        assert admit(offer, a_wish(new_id="enr_2", tier_id=tier_id), active) is active


@given(offers, tier_ids, named_ends, instants)
def test_an_administrator_enrols_wherever_there_is_a_tier_and_time(
    offer: Offer, tier_id: str | None, until: Until | None, at: datetime
) -> None:
    wish = a_wish(tier_id=tier_id, until=until, at=at)
    wanted = STANDARD.id if tier_id is None else tier_id
    possible = wanted in {tier.id for tier in offer.tiers} and (until is None or until.at is None or until.at > at)
    try:
        assert admit(offer, wish, None).tier_id == wanted
    except DomainError:
        assert not possible
    else:
        assert possible


@given(st.sampled_from(ALL_TIERS), st.sampled_from(ALL_TIERS))
def test_a_student_climbs_and_an_administrator_goes_anywhere(held: Tier, wanted: Tier) -> None:
    active = an_enrollment(tier=held)
    wish = a_wish(new_id="enr_2", tier_id=wanted.id, at=NOON + timedelta(days=1))
    climbs = wanted.rank > held.rank and wanted.self_service and wanted.active
    moved = change(EVERYTHING, wish, active)
    assert (moved.active.tier_id, moved.ended is None) == (wanted.id, wanted == held)
    try:
        assert upgrade(EVERYTHING, wish, active, {}) == moved
    except DomainError:
        assert not climbs
        assert wanted != held
    else:
        assert climbs or wanted == held


@given(st.sampled_from(ALL_TIERS), instants)
def test_a_tier_says_how_long_one_stays(tier: Tier, at: datetime) -> None:
    row = admit(EVERYTHING, a_wish(tier_id=tier.id, at=at), None)
    days = None if row.expires_at is None else (row.expires_at - row.started_at) / timedelta(days=1)
    assert days == tier.access_days


@given(gaps, st.booleans())
def test_a_tier_is_over_its_days_after_the_first_start_whichever_way_a_student_comes_back(
    ago: timedelta, climbs: bool
) -> None:
    begun, days = {MONTHLY.id: Spell(since=NOON - ago)}, timedelta(days=30)
    wish = a_wish(new_id="enr_2", tier_id=MONTHLY.id, at=NOON)
    standing = an_enrollment(started_at=NOON - ago)
    try:
        if climbs:
            back = upgrade(EVERYTHING, wish, standing, begun).active
        else:
            back = enroll(EVERYTHING, wish, cancel(standing, NOON), begun)
    except AccessUsedUp:
        assert ago >= days
    else:
        assert ago < days
        assert (back.started_at, back.expires_at) == (NOON, NOON - ago + days)


@given(st.sampled_from([STANDARD, MONTHLY]), gaps, ends)
def test_an_end_that_is_still_to_come_is_kept_by_whoever_leaves_and_comes_back(
    tier: Tier, ago: timedelta, told: datetime | None
) -> None:
    """Also one that an administrator named, later or earlier than the tier's own."""
    begun = {tier.id: Spell(since=NOON - ago, until=told)}
    unkept = {tier.id: Spell(since=NOON - ago)}

    def until(before: Begun) -> datetime | type[DomainError] | None:
        try:
            return enroll(EVERYTHING, a_wish(tier_id=tier.id, at=NOON), None, before).expires_at
        except AccessUsedUp:
            return AccessUsedUp

    assert until(begun) == (told if told is not None and told > NOON else until(unkept))


@given(gaps)
def test_an_administrator_gives_the_days_of_a_tier_anew(gap: timedelta) -> None:
    ended = cancel(an_enrollment(tier=MONTHLY), NOON)
    at = NOON + gap
    assert admit(EVERYTHING, a_wish(tier_id=MONTHLY.id, at=at), ended).expires_at == at + timedelta(days=30)
    standing = an_enrollment("enr_2", started_at=NOON)
    moved = change(EVERYTHING, a_wish(tier_id=MONTHLY.id, at=at), standing)
    assert moved.active.expires_at == at + timedelta(days=30)


@given(tiers, st.sampled_from(ALL_TIERS), gaps)
def test_the_upgrades_that_are_shown_are_those_that_can_be_had(offered: list[Tier], held: Tier, ago: timedelta) -> None:
    offer = an_offer(*{*offered, held, MONTHLY})
    begun = {tier.id: Spell(since=NOON - ago) for tier in ALL_TIERS}
    active = an_enrollment(tier=held, started_at=NOON - ago)
    possible = set()
    for tier in offer.tiers:
        with suppress(DomainError):
            if upgrade(offer, a_wish(new_id="enr_2", tier_id=tier.id, at=NOON), active, begun).ended is not None:
                possible.add(tier)
    assert set(upgrades(offer, active, begun, NOON)) == possible


@given(ends, ends, instants)
def test_a_new_end_alone_is_an_act_of_an_administrator_and_keeps_the_tier(
    so_far: datetime | None, wanted: datetime | None, at: datetime
) -> None:
    active = an_enrollment(tier=RETIRED, started_at=NOON - timedelta(days=1), expires_at=so_far)
    wish = a_wish(new_id="enr_2", at=at, until=Until(at=wanted))
    if so_far is not None and so_far <= at:
        with pytest.raises(EnrollmentNotFound):
            change(EVERYTHING, wish, active)
    elif wanted == so_far:
        assert change(EVERYTHING, wish, active) == Change(ended=None, active=active)
    elif wanted is not None and wanted <= at:
        with pytest.raises(InvalidInput):
            change(EVERYTHING, wish, active)
    else:
        changed = change(EVERYTHING, wish, active)
        assert changed.ended == end(active, EnrollmentEnd.ADMIN, at)
        assert (changed.active.tier_id, changed.active.started_at) == (RETIRED.id, at)
        assert changed.active.expires_at == wanted


@given(ends.filter(bool), instants, instants)
def test_the_end_of_a_lapsed_row_does_not_depend_on_who_looks_when(
    expires_at: datetime, first: datetime, later: datetime
) -> None:
    row = an_enrollment(started_at=NOON - timedelta(days=1), expires_at=expires_at)
    first, later = sorted((first, later))
    assert row.as_of(first).as_of(later) == row.as_of(later)
    assert row.is_active(later) == (later < expires_at)
    assert row.is_active(first) or not row.is_active(later)


@given(reasons, reasons, instants, instants)
def test_the_first_end_is_the_only_one(
    reason: EnrollmentEnd, later_reason: EnrollmentEnd, at: datetime, later: datetime
) -> None:
    ended = end(an_enrollment(), reason, at)
    assert end(ended, later_reason, later) is ended
    assert ended.end_reason is reason


def _is_open_to_all(offer: Offer, tier_id: str | None) -> bool:
    """The rule of the table, told another way: by what the set of open tiers holds."""
    wanted = STANDARD.id if tier_id is None else tier_id
    open_ids = {tier.id for tier in offer.tiers if tier.active and tier.self_service}
    return offer.visibility is Visibility.VISIBLE and wanted in open_ids
