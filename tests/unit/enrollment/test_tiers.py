"""The tiers of a package: one default at most, names that differ, never none, and the bounds of what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.package_refusals import LastTier, TierNameTaken, TierNotFound
from domain.enrollment.packages import ExamPackage, Tier, check_tier
from domain.enrollment.tiers import MAX_TIERS, tier_of, with_tier, without_tier
from domain.errors import DomainError, InvalidInput
from tests.support.enrollment_builders import OPEN, RETIRED, SPONSORED, STANDARD, a_package

PACKAGE = a_package(tiers=(STANDARD, OPEN, RETIRED, SPONSORED))


def pointers(**wrong: Any) -> list[str]:
    try:
        check_tier(replace(OPEN, **wrong))
    except InvalidInput as refusal:
        return [problem.pointer for problem in refusal.problems]
    return []


@pytest.mark.parametrize(
    ("field", "pointer", "lowest", "highest"),
    [
        ("weekly_practice_sessions", "/weeklyPracticeSessions", 0, 10_000),
        ("weekly_exam_sessions", "/weeklyExamSessions", 0, 10_000),
        ("access_days", "/accessDays", 1, 3650),
        ("rank", "/rank", 0, 1000),
    ],
)
def test_numbers_have_bounds(field: str, pointer: str, lowest: int, highest: int) -> None:
    for inside in (lowest, highest):
        assert pointers(**{field: inside}) == []
    for outside in (lowest - 1, highest + 1):
        assert pointers(**{field: outside}) == [pointer]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0", "\ud800", "two\nlines", "two\u2029lines"])
def test_a_tier_has_a_name_that_can_be_kept(name: str) -> None:
    assert pointers(name=name) == ["/name"]


def test_every_broken_rule_is_told_at_once() -> None:
    wrong = {"name": "", "rank": -1, "access_days": 0, "is_default": True, "active": False}
    assert pointers(**wrong) == ["/name", "/accessDays", "/rank", "/active"]


def test_the_default_tier_is_on_offer() -> None:
    assert pointers(is_default=True, active=False) == ["/active"]
    assert pointers(is_default=True, self_service=False) == []


@pytest.mark.parametrize(
    ("before", "pointer"), [(STANDARD, "/active"), (OPEN, "/active"), (RETIRED, "/isDefault"), (None, "/active")]
)
def test_of_an_inactive_default_it_is_the_change_that_is_wrong(before: Tier | None, pointer: str) -> None:
    tier = replace(before or OPEN, id=before.id if before else "tier_new", name="X", is_default=True, active=False)
    with pytest.raises(InvalidInput) as refused:
        with_tier(PACKAGE, tier)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_a_new_default_takes_that_from_the_one_before() -> None:
    after = with_tier(PACKAGE, replace(OPEN, is_default=True))
    assert [tier.id for tier in after.tiers if tier.is_default] == [OPEN.id]
    assert after.tiers[0].id == OPEN.id
    assert after.version == PACKAGE.version + 1


def test_names_differ_however_they_are_capitalised() -> None:
    with pytest.raises(TierNameTaken):
        with_tier(PACKAGE, replace(OPEN, id="tier_new", name="STANDARD"))
    assert tier_of(with_tier(PACKAGE, replace(STANDARD, name="STANDARD")), STANDARD.id).name == "STANDARD"


def test_a_tier_that_says_the_same_is_no_change() -> None:
    assert with_tier(PACKAGE, OPEN) is PACKAGE


def test_a_package_keeps_its_last_tier() -> None:
    package = a_package(tiers=(STANDARD,))
    with pytest.raises(LastTier):
        without_tier(package, STANDARD.id)
    with pytest.raises(TierNotFound):
        without_tier(package, OPEN.id)


def test_the_default_may_go_and_none_takes_its_place() -> None:
    after = without_tier(PACKAGE, STANDARD.id)
    assert [tier.id for tier in after.tiers] == sorted(tier.id for tier in (OPEN, RETIRED, SPONSORED))
    assert not any(tier.is_default for tier in after.tiers)


def test_there_are_not_too_many_tiers() -> None:
    full = a_package(tiers=tuple(replace(OPEN, id=f"tier_{n:02}", name=f"T{n}") for n in range(MAX_TIERS)))
    with pytest.raises(InvalidInput):
        with_tier(full, replace(OPEN, id="tier_one_more", name="One more"))
    assert len(with_tier(full, replace(full.tiers[0], rank=3)).tiers) == MAX_TIERS


_TIERS = st.builds(
    Tier,
    id=st.sampled_from(["tier_a", "tier_b", "tier_c", "tier_d"]),
    name=st.sampled_from(["One", "one", "Two", "Three", ""]),
    is_default=st.booleans(),
    self_service=st.booleans(),
    active=st.booleans(),
    rank=st.integers(-1, 2),
)


@given(st.lists(_TIERS | st.sampled_from(["tier_a", "tier_b", "tier_c"]), max_size=12))
def test_whatever_is_done_to_the_tiers_the_package_stays_sound(steps: list[Tier | str]) -> None:
    package: ExamPackage = a_package(tiers=(replace(STANDARD, id="tier_a"),))
    for step in steps:
        before = package
        try:
            package = without_tier(package, step) if isinstance(step, str) else with_tier(package, step)
        except DomainError:
            assert package is before
        ids, names = ([getattr(tier, name) for tier in package.tiers] for name in ("id", "name"))
        assert package.tiers
        assert len(set(ids)) == len(ids)
        assert len({name.lower() for name in names}) == len(names)
        assert [tier.is_default for tier in package.tiers][1:].count(True) == 0
        assert all(check_tier(tier) == tier for tier in package.tiers)
        assert package.version == before.version + (package is not before)
