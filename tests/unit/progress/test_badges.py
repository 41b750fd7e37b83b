"""When a badge is due and when it is lost: laws over any counters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.progress.profile_views import BadgesView
from domain.progress.badges import (
    DEFINITIONS,
    Badge,
    BadgeDefinition,
    Metric,
    answer_thresholds,
    due,
    lost,
    metrics_of,
)
from domain.progress.students import StudentProgress

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
COUNTS = st.sampled_from([0, 1, 6, 7, 8, 29, 30, 31, 99, 100, 101, 999, 1000, 1001])
METRICS = st.dictionaries(st.sampled_from(Metric), COUNTS)


def award(definition: BadgeDefinition, value: int = 0, source_id: str = "prs_1", **changes: datetime) -> Badge:
    return Badge(
        user_id="usr_ada",
        code=definition.code,
        version=definition.version,
        metric=definition.metric,
        value=value,
        source_id=source_id,
        awarded_at=changes.get("awarded_at", AT),
        revoked_at=changes.get("revoked_at"),
    )


BADGES = st.lists(
    st.builds(
        award,
        st.sampled_from(DEFINITIONS),
        source_id=st.sampled_from(["prs_1", "prs_2"]),
        revoked_at=st.sampled_from([None, AT]),
    ),
    unique_by=lambda badge: badge.code,
).map(tuple)


def test_the_first_seven() -> None:
    assert {each.code: (each.metric.value, each.threshold) for each in DEFINITIONS} == {
        "first_exam": ("exams_finished", 1),
        "first_pass": ("exams_passed", 1),
        "streak_7": ("longest_streak", 7),
        "streak_30": ("longest_streak", 30),
        "answers_100": ("questions_answered", 100),
        "answers_1000": ("questions_answered", 1000),
        "perfect_exam": ("perfect_exams", 1),
    }


def test_the_numbers_of_answers_that_bring_a_badge() -> None:
    assert answer_thresholds() == (100, 1000)


@given(METRICS, BADGES)
def test_a_badge_is_due_when_its_threshold_is_reached_and_it_is_not_held(
    metrics: dict[Metric, int], badges: tuple[Badge, ...]
) -> None:
    held = {badge.code for badge in badges if badge.revoked_at is None}
    expected = {each.code for each in DEFINITIONS if metrics.get(each.metric, 0) >= each.threshold} - held
    assert {each.code for each in due(metrics, badges)} == expected


@given(METRICS, BADGES)
def test_once_awarded_nothing_is_due_again(metrics: dict[Metric, int], badges: tuple[Badge, ...]) -> None:
    awarded = [award(each) for each in due(metrics, badges)]
    codes = {badge.code for badge in awarded}
    rows = [*(badge for badge in badges if badge.code not in codes), *awarded]
    assert due(metrics, rows) == ()


@given(METRICS, BADGES, st.sampled_from(Metric), st.integers(1, 1000))
def test_a_higher_metric_never_makes_less_due(
    metrics: dict[Metric, int], badges: tuple[Badge, ...], metric: Metric, more: int
) -> None:
    higher = {**metrics, metric: metrics.get(metric, 0) + more}
    assert set(due(metrics, badges)) <= set(due(higher, badges))


@given(METRICS, BADGES)
def test_a_badge_is_lost_below_its_threshold_and_only_there_whatever_brought_it(
    metrics: dict[Metric, int], badges: tuple[Badge, ...]
) -> None:
    thresholds = {each.code: each.threshold for each in DEFINITIONS}
    taken = lost(metrics, badges)
    for badge in badges:
        below = metrics.get(badge.metric, 0) < thresholds[badge.code]
        assert (badge in taken) == (badge.revoked_at is None and below)


@given(METRICS, BADGES)
def test_nothing_is_lost_and_due_at_once(metrics: dict[Metric, int], badges: tuple[Badge, ...]) -> None:
    assert not {badge.code for badge in lost(metrics, badges)} & {each.code for each in due(metrics, badges)}


def test_a_badge_that_nobody_defines_any_more_is_never_lost() -> None:
    old = award(BadgeDefinition(code="night_owl", metric=Metric.DAYS_ACTIVE, threshold=3))
    assert lost({}, (old,)) == ()


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 2, 1))))
def test_what_is_counted_of_days(days: list[date]) -> None:
    metrics = metrics_of(StudentProgress(user_id="usr_ada"), days)
    assert metrics[Metric.DAYS_ACTIVE] == len(set(days))
    assert metrics[Metric.LONGEST_STREAK] <= metrics[Metric.DAYS_ACTIVE]


def test_what_is_counted_of_a_student() -> None:
    student = StudentProgress(
        user_id="usr_ada", questions_answered=4, exams_finished=3, exams_passed=2, perfect_exams=1
    )
    assert metrics_of(student, ()) == {
        Metric.QUESTIONS_ANSWERED: 4,
        Metric.EXAMS_FINISHED: 3,
        Metric.EXAMS_PASSED: 2,
        Metric.PERFECT_EXAMS: 1,
        Metric.LONGEST_STREAK: 0,
        Metric.DAYS_ACTIVE: 0,
    }


@given(METRICS, BADGES)
def test_every_badge_is_either_earned_or_to_earn(metrics: dict[Metric, int], badges: tuple[Badge, ...]) -> None:
    view = BadgesView.of(badges, metrics)
    earned, to_earn = [badge.code for badge in view.earned], [each.definition.code for each in view.to_earn]
    assert sorted(earned + to_earn) == sorted(each.code for each in DEFINITIONS)
    assert set(earned) == {badge.code for badge in badges if badge.revoked_at is None}
    assert all(each.value == metrics.get(each.definition.metric, 0) for each in view.to_earn)


@pytest.mark.parametrize("codes", [("first_exam", "streak_7"), ("streak_7", "first_exam")])
def test_the_badge_that_was_earned_last_stands_first(codes: tuple[str, str]) -> None:
    by_code = {each.code: each for each in DEFINITIONS}
    badges = [award(by_code[code], awarded_at=AT + number * timedelta(days=1)) for number, code in enumerate(codes)]
    assert [badge.code for badge in BadgesView.of(badges, {}).earned] == list(reversed(codes))
