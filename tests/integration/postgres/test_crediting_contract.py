"""What an answer or an exam credits, and what is taken back: the same on both stores."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from adapters.postgres.database import Database
from domain.progress.badges import Badge, Metric
from domain.progress.profile import TimeZoneChangedRecently
from tests.support.postgres import SettableClock
from tests.support.progress_stores import ADA, BOB, InMemory, OnPostgres, Progress, an_answer, an_exam

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: SettableClock) -> Progress:
    if request.param == "memory":
        return InMemory(clock=clock)
    database: Database = request.getfixturevalue("database")
    return OnPostgres(clock=clock, database=database)


@pytest.fixture
async def progress(store: Progress) -> Progress:
    store.clock.set(NOON)
    await store.settle()
    return store


async def test_a_student_who_did_nothing_has_nothing(progress: Progress) -> None:
    standing = await progress.standing()
    assert (standing.student.questions_answered, standing.student.time_zone) == (0, "UTC")
    assert (standing.days, standing.badges) == ((), ())


async def test_an_answer_credits_the_day_and_is_counted(progress: Progress) -> None:
    credited = await progress.credit()
    standing = await progress.standing()
    assert standing.student == credited
    assert (credited.questions_answered, credited.exams_finished, credited.last_activity_at) == (1, 0, NOON)
    assert standing.days == (NOON.date(),)
    assert (await progress.standing(BOB)).days == ()


async def test_the_same_day_is_credited_once_and_every_answer_counts(progress: Progress) -> None:
    for _ in range(3):
        await progress.credit()
        progress.clock.advance(hours=1)
    standing = await progress.standing()
    assert (standing.days, standing.student.questions_answered) == ((NOON.date(),), 3)
    assert standing.student.last_activity_at == NOON + timedelta(hours=2)


async def test_a_day_is_known_until_the_next_one_begins(progress: Progress) -> None:
    """By its own clock, and no answer in between asks for it again."""
    await progress.change(time_zone="America/New_York", day_start_hour=4)
    credited = await progress.credit()
    assert (credited.last_day, credited.credited_from) == (NOON.date(), NOON)
    assert credited.credited_until == datetime(2026, 3, 3, 9, tzinfo=UTC)
    progress.clock.set(datetime(2026, 3, 3, 8, 59, 59, tzinfo=UTC))
    assert (await progress.credit()).credited_from == NOON
    progress.clock.set(datetime(2026, 3, 3, 9, tzinfo=UTC))
    assert (await progress.credit()).last_day == date(2026, 3, 3)
    assert (await progress.standing()).days == (date(2026, 3, 2), date(2026, 3, 3))


async def test_a_clock_that_was_put_back_finds_the_day_of_then(progress: Progress) -> None:
    progress.clock.set(datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC))
    await progress.credit()
    progress.clock.advance(seconds=-2)
    credited = await progress.credit()
    assert (await progress.standing()).days == (date(2026, 3, 2), date(2026, 3, 3))
    assert credited.last_activity_at == datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC)


async def test_an_exam_counts_with_its_result(progress: Progress) -> None:
    await progress.credit(an_exam())
    await progress.credit(an_exam(passed=True))
    student = await progress.credit(an_exam(passed=True, perfect=True))
    assert (student.exams_finished, student.exams_passed, student.perfect_exams) == (3, 2, 1)
    assert (await progress.standing()).held == {"first_exam", "first_pass", "perfect_exam"}


async def test_a_badge_comes_with_its_evidence(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=99))
    assert (await progress.standing()).badges == ()
    progress.clock.advance(minutes=1)
    await progress.credit(an_answer("prs_2"))
    assert (await progress.standing()).badges == (
        Badge(
            user_id=ADA.user_id,
            code="answers_100",
            version=1,
            metric=Metric.QUESTIONS_ANSWERED,
            value=100,
            source_id="prs_2",
            awarded_at=NOON + timedelta(minutes=1),
        ),
    )


async def test_a_badge_is_awarded_once(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=100))
    progress.clock.advance(days=1)
    await progress.credit(an_answer("prs_2"))
    (badge,) = (await progress.standing()).badges
    assert (badge.source_id, badge.value) == ("prs_1", 100)


async def test_seven_days_in_a_row_are_a_badge_and_seven_others_are_none(progress: Progress) -> None:
    for off in (0, 1, 2, 4, 5, 6, 7):
        progress.clock.set(NOON + off * DAY)
        await progress.credit()
    assert (await progress.standing()).held == set()
    for off in (8, 9, 10):
        progress.clock.set(NOON + off * DAY)
        await progress.credit(an_answer(f"prs_{off}"))
    (badge,) = (await progress.standing()).badges
    assert (badge.code, badge.value, badge.source_id) == ("streak_7", 7, "prs_10")


async def test_an_invalid_session_takes_its_answers_and_its_badge_with_it(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=60))
    await progress.credit(an_answer("prs_2", answers=60))
    progress.clock.advance(hours=1)
    left = await progress.take_back(60)
    standing = await progress.standing()
    assert standing.student == left
    assert (left.questions_answered, standing.days) == (60, (NOON.date(),))
    (badge,) = standing.badges
    assert (badge.revoked_at, badge.value) == (NOON + timedelta(hours=1), 120)


async def test_a_badge_stays_while_it_is_reached_and_no_longer(progress: Progress) -> None:
    """Not even the session that brought it takes it along while another one reaches it."""
    await progress.credit(an_answer("prs_1", answers=100))
    await progress.credit(an_answer("prs_2", answers=100))
    await progress.take_back(100)
    assert (await progress.standing()).held == {"answers_100"}
    await progress.take_back(100)
    assert (await progress.standing()).held == set()


async def test_a_badge_that_is_still_reached_stays(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=100))
    await progress.credit(an_answer("prs_2", answers=50))
    await progress.take_back(50)
    assert (await progress.standing()).held == {"answers_100"}


async def test_a_badge_that_days_brought_stays_with_the_days(progress: Progress) -> None:
    for off in range(7):
        progress.clock.set(NOON + off * DAY)
        await progress.credit()
    await progress.take_back(7)
    standing = await progress.standing()
    assert (standing.held, len(standing.days), standing.student.questions_answered) == ({"streak_7"}, 7, 0)


async def test_a_revoked_badge_is_awarded_again_in_its_row(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=100))
    await progress.take_back(40)
    await progress.credit(an_answer("prs_2", answers=39))
    assert (await progress.standing()).held == set()
    progress.clock.advance(minutes=5)
    await progress.credit(an_answer("prs_3"))
    (badge,) = (await progress.standing()).badges
    assert (badge.source_id, badge.value, badge.awarded_at, badge.revoked_at) == (
        "prs_3",
        100,
        NOON + timedelta(minutes=5),
        None,
    )


async def test_a_clock_that_was_put_back_revokes_no_badge_before_it_was_earned(progress: Progress) -> None:
    await progress.credit(an_answer("prs_1", answers=100))
    progress.clock.advance(minutes=-5)
    await progress.take_back(100)
    (badge,) = (await progress.standing()).badges
    assert badge.revoked_at == badge.awarded_at == NOON


async def test_no_counter_falls_below_nothing(progress: Progress) -> None:
    await progress.credit(an_answer(answers=3))
    assert (await progress.take_back(answers=5)).questions_answered == 0


async def test_another_zone_tells_the_next_answer_another_day_and_no_earlier_one(progress: Progress) -> None:
    await progress.credit()
    await progress.change(time_zone="Pacific/Kiritimati")
    assert (await progress.standing()).days == (date(2026, 3, 2),)
    await progress.credit()
    assert (await progress.standing()).days == (date(2026, 3, 2), date(2026, 3, 3))


async def test_the_zone_changes_once_in_24_hours(progress: Progress) -> None:
    await progress.change(time_zone="Europe/Berlin", day_start_hour=4)
    progress.clock.advance(hours=23, minutes=59, seconds=59, microseconds=1)
    with pytest.raises(TimeZoneChangedRecently) as refused:
        await progress.change(time_zone="UTC")
    assert refused.value.retry_after_seconds == 1
    with pytest.raises(TimeZoneChangedRecently):
        await progress.change(day_start_hour=0)
    await progress.change(time_zone="Europe/Berlin", day_start_hour=4, bio="The same clock is no change.")
    progress.clock.advance(seconds=1)
    assert (await progress.change(time_zone="UTC")).student.time_zone_changed_at == progress.clock.now()


async def test_a_refused_change_changes_nothing(progress: Progress) -> None:
    await progress.change(time_zone="Europe/Berlin")
    before = await progress.standing(), await progress.person()
    with pytest.raises(TimeZoneChangedRecently):
        await progress.change(time_zone="UTC", name="Countess", bio="New")
    assert (await progress.standing(), await progress.person()) == before
