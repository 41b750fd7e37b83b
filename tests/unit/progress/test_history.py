"""Weeks as students live them, and what is counted in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.days import known_zone, local_day
from domain.progress.history import MOST_TOPICS, Effort, EffortCell, Week, percent_of, summed_up, weeks_until

ZONES = sorted(name for name in available_timezones() if known_zone(name))
QUARTER = timedelta(minutes=15)

zones = st.sampled_from(ZONES)
hours = st.integers(0, 12)
instants = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
efforts = st.builds(
    Effort, answered=st.integers(0, 9), judged=st.integers(0, 9), correct=st.integers(0, 9), time_spent_seconds=hours
)
cells = st.lists(
    st.builds(EffortCell, week=st.integers(0, 4), topic_id=st.none() | st.sampled_from("abc"), effort=efforts)
)
WEEKS = weeks_until(datetime(2026, 3, 4, tzinfo=UTC), "UTC", 0, 4)


@given(now=instants, zone=zones, hour=hours, count=st.integers(1, 104))
def test_weeks_follow_each_other_up_to_the_one_that_it_is(now: datetime, zone: str, hour: int, count: int) -> None:
    weeks = weeks_until(now, zone, hour, count)
    today = local_day(now, zone, hour)
    assert len(weeks) == count
    assert all(week.monday.weekday() == 0 for week in weeks)
    assert weeks[-1].monday <= today < weeks[-1].monday + timedelta(days=7)
    assert [week.monday for week in weeks] == [weeks[0].monday + timedelta(weeks=number) for number in range(count)]
    assert [week.begins_at for week in weeks] == sorted({week.begins_at for week in weeks})


def week_of(instant: datetime, weeks: Sequence[Week]) -> int:
    """As the store counts: how many of them have begun."""
    return sum(week.begins_at <= instant for week in weeks)


@given(now=instants, zone=zones, hour=hours, ago=st.timedeltas(timedelta(0), timedelta(days=80)))
def test_an_answer_counts_in_the_week_of_its_local_day(now: datetime, zone: str, hour: int, ago: timedelta) -> None:
    weeks = weeks_until(now, zone, hour, 8)
    day = local_day(now - ago, zone, hour)
    monday = day - timedelta(days=day.weekday())
    expected = next((number for number, week in enumerate(weeks, start=1) if week.monday == monday), 0)
    assert week_of(now - ago, weeks) == expected


@given(now=instants, zone=zones, hour=hours)
def test_a_week_begins_with_the_first_quarter_of_its_monday(now: datetime, zone: str, hour: int) -> None:
    for week in weeks_until(now, zone, hour, 3):
        assert local_day(week.begins_at, zone, hour) == week.monday
        assert local_day(week.begins_at - QUARTER, zone, hour) < week.monday


@pytest.mark.parametrize(
    ("zone", "hour", "now", "begins"),
    [
        ("UTC", 0, "2026-03-04T12:00Z", "2026-03-02T00:00Z"),
        ("Europe/Berlin", 0, "2026-03-04T12:00Z", "2026-03-01T23:00Z"),
        ("Europe/Berlin", 4, "2026-03-04T12:00Z", "2026-03-02T03:00Z"),
        # Still Sunday for whoever begins the day at four.
        ("Europe/Berlin", 4, "2026-03-02T02:59Z", "2026-02-23T03:00Z"),
        # The clocks go forward in the night to this Monday's Sunday: a week of 167 hours.
        ("America/New_York", 0, "2026-03-08T12:00Z", "2026-03-02T05:00Z"),
        ("America/New_York", 0, "2026-03-09T12:00Z", "2026-03-09T04:00Z"),
        ("Asia/Kathmandu", 0, "2026-03-04T12:00Z", "2026-03-01T18:15Z"),
        ("Pacific/Kiritimati", 0, "2026-03-04T12:00Z", "2026-03-01T10:00Z"),
        ("Etc/GMT+12", 12, "2026-03-04T12:00Z", "2026-03-03T00:00Z"),
    ],
)
def test_weeks_begin_where_the_student_is(zone: str, hour: int, now: str, begins: str) -> None:
    (week,) = weeks_until(datetime.fromisoformat(now), zone, hour, 1)
    assert week.begins_at == datetime.fromisoformat(begins)


def test_weeks_are_named_as_the_standard_names_them() -> None:
    names = {day: Week(monday=date.fromisoformat(day), begins_at=datetime(2026, 1, 1, tzinfo=UTC)).name for day in DAYS}
    assert names == DAYS


DAYS = {"2026-03-02": "2026-W10", "2024-12-30": "2025-W01", "2026-12-28": "2026-W53", "2027-01-04": "2027-W01"}


@given(found=cells)
def test_nothing_is_lost_and_nothing_is_counted_twice(found: list[EffortCell]) -> None:
    told = summed_up(found, WEEKS)
    recent = [cell.effort for cell in found if cell.week]
    assert told.lifetime == sum((cell.effort for cell in found), Effort())
    assert sum((effort for _, effort in told.weeks), Effort()) == sum(recent, Effort())
    assert sum((topic.effort for topic in told.topics), Effort()) == sum(recent, Effort())
    for topic in told.topics:
        assert sum((effort for _, effort in topic.weeks), Effort()) == topic.effort


@given(found=cells, order=st.randoms(use_true_random=False))
def test_the_order_of_what_is_counted_does_not_matter(found: list[EffortCell], order: object) -> None:
    shuffled = list(found)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summed_up(shuffled, WEEKS) == summed_up(found, WEEKS)


def test_weeks_without_answers_are_told_and_topics_tell_only_those_with_some() -> None:
    cell = EffortCell(week=3, topic_id="a", effort=Effort(answered=1))
    told = summed_up([cell], WEEKS)
    assert [effort.answered for _, effort in told.weeks] == [0, 0, 1, 0]
    assert [(topic.topic_id, [week for week, _ in topic.weeks]) for topic in told.topics] == [("a", [WEEKS[2]])]


def test_what_was_before_the_first_week_is_of_a_lifetime_only() -> None:
    told = summed_up([EffortCell(week=0, topic_id="a", effort=Effort(answered=3))], WEEKS)
    assert told.lifetime.answered == 3
    assert told.topics == ()
    assert not any(effort.answered for _, effort in told.weeks)


def test_of_many_topics_those_with_most_answers_are_told() -> None:
    found = [
        EffortCell(week=1, topic_id=f"t{number:03}", effort=Effort(answered=number))
        for number in range(MOST_TOPICS + 9)
    ]
    topics = [topic.topic_id for topic in summed_up(found, WEEKS).topics]
    assert len(topics) == MOST_TOPICS
    assert topics[0] == f"t{MOST_TOPICS + 8:03}"


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(2, 3, "66.67"), (1, 800, "0.12"), (3, 800, "0.38"), (1, 1, "100.00"), (0, 5, "0")]
)
def test_percents_are_rounded_once_half_to_even(part: int, whole: int, percent: str) -> None:
    assert percent_of(part, whole) == Decimal(percent)


def test_there_is_no_percent_of_nothing() -> None:
    assert percent_of(0, 0) is None
    assert Effort(answered=4).percent is None
    assert Effort(answered=4, judged=2, correct=1).percent == 50


def test_efforts_are_added_number_by_number() -> None:
    first = Effort(answered=1, judged=2, correct=3, time_spent_seconds=4)
    second = Effort(answered=10, judged=20, correct=30, time_spent_seconds=40)
    assert first + second == Effort(answered=11, judged=22, correct=33, time_spent_seconds=44)
