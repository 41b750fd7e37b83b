"""Laws of a student's history in one package, whatever is asked for and in whatever order the instants come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.enrollment import (
    Enrollment,
    EnrollmentEnd,
    EnrollmentStatus,
    ExamPackage,
    Tier,
    Visibility,
    cancel,
    end,
    enroll,
)
from domain.errors import DomainError
from tests.support.enrollment_builders import (
    NOON,
    OPEN,
    RETIRED,
    SPONSORED,
    STANDARD,
    a_package,
    a_wish,
    an_enrollment,
    hidden,
)

# Instants close to each other and out of order, as they come from units of work that waited for their turn.
instants = st.integers(min_value=-5, max_value=5).map(lambda seconds: NOON + timedelta(seconds=seconds))
tiers = st.lists(st.sampled_from([STANDARD, OPEN, SPONSORED, RETIRED]), unique=True).map(tuple)
tier_ids = st.sampled_from([None, STANDARD.id, OPEN.id, SPONSORED.id, RETIRED.id, "tier_of_another"])
packages = st.builds(
    lambda offered, visibility: a_package(tiers=offered, visibility=visibility), tiers, st.sampled_from(Visibility)
)
reasons = st.sampled_from(EnrollmentEnd)


class History(RuleBasedStateMachine):
    """Enrols, cancels and ends as the use cases do, and keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Enrollment] = []
        self.before: list[Enrollment] = []

    @property
    def last(self) -> Enrollment | None:
        return self.rows[-1] if self.rows else None

    @rule(package=packages, tier_id=tier_ids, at=instants)
    def enroll(self, package: ExamPackage, tier_id: str | None, at: datetime) -> None:
        self.before = list(self.rows)
        wish = a_wish(new_id=f"enr_{len(self.rows)}", tier_id=tier_id, at=at)
        with suppress(DomainError):
            row = enroll(package, wish, self.last)
            if row != self.last:
                self.rows.append(row)

    @rule(at=instants)
    def cancel(self, at: datetime) -> None:
        self.before = list(self.rows)
        with suppress(DomainError):
            self.rows[-1:] = [cancel(self.last, at)]

    @rule(reason=reasons, at=instants)
    def end(self, reason: EnrollmentEnd, at: datetime) -> None:
        self.before = list(self.rows)
        if self.rows:
            self.rows[-1] = end(self.rows[-1], reason, at)

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


TestHistory = History.TestCase


@given(packages, tier_ids, instants, instants)
def test_asking_twice_gives_the_same_row(
    package: ExamPackage, tier_id: str | None, first_at: datetime, second_at: datetime
) -> None:
    try:
        first = enroll(package, a_wish(tier_id=tier_id, at=first_at), None)
    except DomainError as refusal:
        refused: type[DomainError] | None = type(refusal)
    else:
        refused = None
        assert enroll(package, a_wish(new_id="enr_2", tier_id=tier_id, at=second_at), first) is first
        assert enroll(hidden(package), a_wish(new_id="enr_2", tier_id=tier_id, at=second_at), first) is first
    assert (refused is None) == _is_offered(package, tier_id)


@given(packages, tier_ids, st.sampled_from([STANDARD, OPEN, SPONSORED, RETIRED]))
def test_an_active_row_is_never_replaced(package: ExamPackage, tier_id: str | None, held: Tier) -> None:
    active = an_enrollment(tier=held)
    with suppress(DomainError):
        assert enroll(package, a_wish(new_id="enr_2", tier_id=tier_id), active) is active


@given(reasons, reasons, instants, instants)
def test_the_first_end_is_the_only_one(
    reason: EnrollmentEnd, later_reason: EnrollmentEnd, at: datetime, later: datetime
) -> None:
    ended = end(an_enrollment(), reason, at)
    assert end(ended, later_reason, later) is ended
    assert ended.end_reason is reason


def _is_offered(package: ExamPackage, tier_id: str | None) -> bool:
    """The rule of the table, told another way: by what the set of open tiers holds."""
    wanted = STANDARD.id if tier_id is None else tier_id
    open_ids = {tier.id for tier in package.tiers if tier.active and tier.self_service}
    return package.visibility is Visibility.VISIBLE and wanted in open_ids
