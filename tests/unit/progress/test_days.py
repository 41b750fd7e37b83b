"""Which day it is for whom: laws over every time zone and every change of its clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.days import LATEST_START, ImpossibleDay, constant_until, known_zone, local_day

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
ZONES = sorted(name for name in available_timezones() if known_zone(name))
HOURS = st.integers(0, LATEST_START)
QUARTER = timedelta(minutes=15)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The hours of 2024 to 2030 before the clock of a zone is put over or back."""
    info = ZoneInfo(zone)
    weeks = [FIRST + timedelta(days=7) * number for number in range((LAST - FIRST).days // 7 + 1)]
    found = []
    for before, after in pairwise(weeks):
        if before.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
            hours = [before + timedelta(hours=1) * number for number in range(7 * 24 + 1)]
            found += [
                hour
                for hour, later in pairwise(hours)
                if hour.astimezone(info).utcoffset() != later.astimezone(info).utcoffset()
            ]
    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> tuple[datetime, str]:
    """Any instant in any zone; mostly one near a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    anytime = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))
    if not changes(zone) or draw(st.integers(0, 3)) == 0:
        return draw(anytime), zone
    off = timedelta(seconds=draw(st.integers(-36 * 3600, 36 * 3600)))
    return draw(st.sampled_from(changes(zone))) + off, zone


@given(moments(), HOURS)
def test_a_local_day_is_at_most_one_away_from_that_of_utc(moment: tuple[datetime, str], hour: int) -> None:
    instant, zone = moment
    assert abs((local_day(instant, zone, hour) - instant.date()).days) <= 1


@given(moments(), HOURS)
def test_it_is_the_day_on_the_wall_and_before_the_start_the_day_before(moment: tuple[datetime, str], hour: int) -> None:
    instant, zone = moment
    wall = instant.astimezone(ZoneInfo(zone))
    expected = wall.date() if wall.hour >= hour else wall.date() - timedelta(days=1)
    assert local_day(instant, zone, hour) == expected


@given(moments(), HOURS)
def test_until_then_it_is_the_same_day_and_then_another(moment: tuple[datetime, str], hour: int) -> None:
    instant, zone = moment
    until, day = constant_until(instant, zone, hour), local_day(instant, zone, hour)
    assert instant < until <= instant + timedelta(hours=50)
    assert until.timestamp() % QUARTER.total_seconds() == 0
    assert local_day(until, zone, hour) != day
    looked_at = instant
    while looked_at < until:
        assert local_day(looked_at, zone, hour) == day, f"{looked_at} is overlooked"
        looked_at += timedelta(minutes=1)
    assert local_day(until - timedelta(microseconds=1), zone, hour) == day


@pytest.mark.parametrize("hour", [0, 2, 4])
def test_no_change_of_any_clock_hides_the_start_of_a_day(hour: int) -> None:
    """Every zone times every change of its clock, not a sample: from an hour before each."""
    for zone in ZONES:
        for instant in changes(zone):
            until, day = constant_until(instant, zone, hour), local_day(instant, zone, hour)
            quarters = int((until - instant) / QUARTER)
            days = {local_day(instant + number * QUARTER, zone, hour) for number in range(quarters)}
            assert days == {day}, (zone, instant)
            assert local_day(until, zone, hour) != day, (zone, instant)


@pytest.mark.parametrize(
    ("at", "zone", "hour", "day", "until"),
    [
        ("2026-03-02T22:59", "Europe/Berlin", 0, "2026-03-02", "2026-03-02T23:00"),
        ("2026-03-02T23:00", "Europe/Berlin", 0, "2026-03-03", "2026-03-03T23:00"),
        # The day of 23 hours, and the one of 25.
        ("2026-03-28T23:00", "Europe/Berlin", 0, "2026-03-29", "2026-03-29T22:00"),
        ("2026-10-24T22:00", "Europe/Berlin", 0, "2026-10-25", "2026-10-25T23:00"),
        # Midnight does not exist: the clock goes from 24:00 to 1:00.
        ("2026-04-23T21:59", "Africa/Cairo", 0, "2026-04-23", "2026-04-23T22:00"),
        # The last hour of the day comes twice.
        ("2026-10-29T20:30", "Africa/Cairo", 0, "2026-10-29", "2026-10-29T22:00"),
        # Three o'clock becomes one o'clock: the day that began at two is yesterday again for an hour.
        ("2026-10-25T00:30", "Antarctica/Troll", 2, "2026-10-25", "2026-10-25T01:00"),
        ("2026-10-25T01:00", "Antarctica/Troll", 2, "2026-10-24", "2026-10-25T02:00"),
        ("2026-03-02T18:14", "Asia/Kathmandu", 0, "2026-03-02", "2026-03-02T18:15"),
        ("2026-03-02T12:00", "Pacific/Kiritimati", 0, "2026-03-03", "2026-03-03T10:00"),
        ("2026-03-02T12:00", "Etc/GMT+12", 12, "2026-03-01", "2026-03-03T00:00"),
        ("2026-03-02T03:59", "UTC", 4, "2026-03-01", "2026-03-02T04:00"),
    ],
)
def test_days_that_are_known(at: str, zone: str, hour: int, day: str, until: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert local_day(instant, zone, hour) == date.fromisoformat(day)
    assert constant_until(instant, zone, hour) == datetime.fromisoformat(until).replace(tzinfo=UTC)


@given(moments(), HOURS)
def test_it_does_not_matter_in_which_zone_the_instant_is_told(moment: tuple[datetime, str], hour: int) -> None:
    instant, zone = moment
    elsewhere = instant.astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert local_day(elsewhere, zone, hour) == local_day(instant, zone, hour)
    assert constant_until(elsewhere, zone, hour) == constant_until(instant, zone, hour)


def test_a_day_further_away_is_refused() -> None:
    """Manila once went by the other side of the date line, 16 hours behind Greenwich."""
    with pytest.raises(ImpossibleDay):
        local_day(datetime(1840, 1, 2, 3, tzinfo=UTC), "Asia/Manila", 12)


@pytest.mark.parametrize("name", ["", "Europe", "europe/berlin", "../etc/passwd", "localtime", "Factory", "Mars/Base"])
def test_a_zone_that_is_no_place(name: str) -> None:
    assert not known_zone(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12", "US/Hawaii"])
def test_a_zone_that_is_known(name: str) -> None:
    assert known_zone(name)


@pytest.mark.parametrize("zone", ["Atlantis/Poseidonis", "../etc/passwd", ""])
def test_a_zone_that_is_not_known_any_more_goes_by_utc(zone: str) -> None:
    at = datetime(2026, 3, 2, 23, 50, tzinfo=UTC)
    assert local_day(at, zone, 0) == date(2026, 3, 2)
    assert constant_until(at, zone, 0) == datetime(2026, 3, 3, tzinfo=UTC)
