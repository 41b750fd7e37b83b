"""What a student reads of themselves: told by their own clock at the time of asking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from adapters.postgres.database import Database
from application.progress.badges import ListBadges
from application.progress.profile import ReadStudentProfile
from application.progress.profile_views import ProfileView
from domain.auth.people import UserNotFound
from tests.support.postgres import SettableClock
from tests.support.progress_stores import ADA, BOB, OnPostgres, an_answer

EVENING = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
async def progress(database: Database, clock: SettableClock) -> OnPostgres:
    clock.set(EVENING)
    found = OnPostgres(clock=clock, database=database)
    await found.settle()
    return found


async def read(progress: OnPostgres) -> ProfileView:
    return await ReadStudentProfile(profile_reader=progress.reader)(ADA)


async def test_a_streak_is_secured_then_at_risk_then_gone(progress: OnPostgres) -> None:
    """Nothing is written meanwhile: it is told from the days, by the student's own midnight."""
    await progress.change(time_zone="Europe/Berlin")
    await progress.credit()
    told = []
    for hours in (0, 2, 3, 26, 27, 50):
        progress.clock.set(EVENING + timedelta(hours=hours))
        view = await read(progress)
        told.append((hours, view.streak_state, view.streak_current, view.streak_longest))
    assert told == [
        (0, "secured", 1, 1),
        (2, "secured", 1, 1),
        (3, "at_risk", 1, 1),
        (26, "at_risk", 1, 1),
        (27, "none", 0, 1),
        (50, "none", 0, 1),
    ]
    assert view.last_activity_date == date(2026, 3, 2)


async def test_whoever_goes_west_keeps_the_streak(progress: OnPostgres) -> None:
    """Their last day lies ahead of their new today."""
    await progress.change(time_zone="Pacific/Kiritimati")
    await progress.credit()
    progress.clock.advance(hours=24)
    await progress.change(time_zone="Pacific/Honolulu")
    view = await read(progress)
    assert (view.streak_state, view.streak_current, view.last_activity_date) == ("secured", 1, date(2026, 3, 3))


async def test_the_profile_is_what_was_written(progress: OnPostgres) -> None:
    await progress.credit(an_answer(answers=2))
    changed = await progress.change(bio="I study.", avatar_url="https://example.org/a.png", name="Ada Lovelace")
    assert await read(progress) == changed
    assert changed.student == (await progress.standing()).student


async def test_badges_are_one_s_own(progress: OnPostgres) -> None:
    await progress.credit(an_answer(answers=100))
    mine, theirs = [await ListBadges(profile_reader=progress.reader)(actor) for actor in (ADA, BOB)]
    assert [badge.code for badge in mine.earned] == ["answers_100"]
    assert {each.definition.code: each.value for each in mine.to_earn}["answers_1000"] == 100
    assert (theirs.earned, {each.value for each in theirs.to_earn}) == ((), {0})


async def test_somebody_who_is_not_there_has_no_profile(progress: OnPostgres) -> None:
    with pytest.raises(UserNotFound):
        await ReadStudentProfile(profile_reader=progress.reader)(replace(ADA, user_id="usr_nobody"))
