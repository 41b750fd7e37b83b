"""What is read of a student's history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.progress.history import PostgresHistoryReader
from adapters.postgres.statements import load
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from application.progress.flagging import FlagQuestion
from application.progress.history import HistoryView, ReadProgress
from application.progress.ports.history import LATEST_SESSIONS, PractisedSession
from application.progress.repeating import ScheduleReviews
from domain.practice.judging import FeedbackMode
from domain.progress.days import local_day
from domain.progress.history import Effort
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, START, STRANGER, STUDENT, offers
from tests.support.progress_worlds import RIGHT, WRONG, Given, OnPostgres, Sitting, catch_up, on_postgres

DEFERRED = FeedbackMode.DEFERRED
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OTHER = "pkg_other"
_PARAMETER = re.compile(r"%\((\w+)\)s")


@pytest.fixture
def world(request: pytest.FixtureRequest, clock: SettableClock) -> OnPostgres:
    """Ada is enrolled in two packages with three questions each; it is a Tuesday."""
    found = on_postgres(request, clock)
    found.practice.offer(offers(3, topic_id="top_risk"))
    found.practice.offer(offers(3, prefix="other", topic_id="top_other"), OTHER)
    found.practice.enroll(STUDENT.user_id)
    found.practice.enroll(STUDENT.user_id, OTHER)
    return found


@pytest.fixture
def read_progress(world: OnPostgres, database: Database, clock: SettableClock) -> ReadProgress:
    return ReadProgress(
        transact=world.reviews,
        schedule_reviews=ScheduleReviews(FsrsScheduler(), 3),
        history=PostgresHistoryReader(database, clock),
    )


def answered(question_id: str, *, correct: bool = RIGHT, **how: object) -> Given:
    return Given(question_id=question_id, correct=correct, topic_id="top_risk", **how)  # type: ignore[arg-type]


def live(world: OnPostgres, zone: str, hour: int = 0, user_id: str = STUDENT.user_id) -> None:
    world.cloned.keeper.execute(
        "insert into student_progress (user_id, time_zone, day_start_hour) values (%s, %s, %s)"
        " on conflict (user_id) do update set time_zone = excluded.time_zone, day_start_hour = excluded.day_start_hour",
        (user_id, zone, hour),
    )


async def history(read_progress: ReadProgress, *, package: str | None = None, weeks: int = 2) -> HistoryView:
    return await read_progress(STUDENT, exam_package_id=package, weeks=weeks)


def by_week(view: HistoryView) -> Sequence[tuple[str, int]]:
    return [(week.name, effort.answered) for week, effort in view.effort.weeks]


async def test_who_did_nothing_has_empty_weeks(world: OnPostgres, read_progress: ReadProgress) -> None:
    view = await history(read_progress)
    assert view.effort.lifetime == Effort()
    assert by_week(view) == [("2030-W02", 0), ("2030-W03", 0)]
    assert (view.effort.topics, view.sessions, view.due, view.flagged) == ((), (), 0, 0)
    assert view.time_zone == "UTC"


async def test_answers_are_counted_by_week_and_topic(world: OnPostgres, read_progress: ReadProgress) -> None:
    world.keep(
        Sitting(id="prs_1", at=START - 60 * DAY, answers=(answered("qst_000", seconds=30),)),
        Sitting(id="prs_2", at=START - 7 * DAY, answers=(answered("qst_000"), answered("qst_001", correct=WRONG))),
        Sitting(id="prs_3", at=START - HOUR, answers=(answered("qst_002"), Given(question_id="qst_001"))),
    )
    effort = (await history(read_progress)).effort
    assert effort.lifetime == Effort(answered=5, judged=5, correct=4, time_spent_seconds=110)
    assert [each for _, each in effort.weeks] == [
        Effort(answered=2, judged=2, correct=1, time_spent_seconds=40),
        Effort(answered=2, judged=2, correct=2, time_spent_seconds=40),
    ]
    told = {topic.topic_id: [each.correct for _, each in topic.weeks] for topic in effort.topics}
    assert told == {"top_risk": [1, 1], None: [1]}


async def test_topics_are_told_by_their_names(world: OnPostgres, read_progress: ReadProgress) -> None:
    world.cloned.keeper.execute("update question_topics set name = 'Risk' where id = 'top_risk'")
    world.keep(Sitting(id="prs_1", answers=(answered("qst_000"),)))
    assert (await history(read_progress)).topic_names == {"top_risk": "Risk"}


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [("UTC", 0, 1), ("Europe/Berlin", 0, 0), ("America/New_York", 0, 1), ("Europe/Berlin", 4, 1)],
)
async def test_sunday_night_is_of_the_week_in_which_the_student_lives_it(
    world: OnPostgres, read_progress: ReadProgress, zone: str, hour: int, expected: int
) -> None:
    """23:30 on Sunday in UTC is Monday in Berlin, unless the day begins at four there."""
    live(world, zone, hour)
    world.keep(Sitting(id="prs_1", at=datetime.fromisoformat("2030-01-13T23:29Z"), answers=(answered("qst_000"),)))
    assert by_week(await history(read_progress)) == [("2030-W02", expected), ("2030-W03", 1 - expected)]


@given(
    zone=st.sampled_from(["Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati", "Australia/Lord_Howe"]),
    hour=st.integers(0, 12),
    minutes=st.lists(st.integers(0, 60 * 24 * 40), max_size=3, unique=True),
)
async def test_the_store_counts_as_the_calendar_does(
    world: OnPostgres, read_progress: ReadProgress, zone: str, hour: int, minutes: list[int]
) -> None:
    world.cloned.keeper.execute("delete from practice_slots")
    world.cloned.keeper.execute("delete from practice_sessions")
    live(world, zone, hour)
    instants = [START - minute * MINUTE for minute in minutes]
    for number, at in enumerate(instants):
        world.keep(Sitting(id=f"prs_{number}", at=at, answers=(answered("qst_000", after=timedelta(0)),)))
    view = await history(read_progress, weeks=4)
    days = [local_day(at, zone, hour) for at in instants]
    for week, effort in view.effort.weeks:
        assert effort.answered == sum(timedelta(0) <= day - week.monday < 7 * DAY for day in days)
    assert view.effort.lifetime.answered == len(instants)


async def test_right_and_wrong_are_not_told_before_a_deferred_session_is_over(
    world: OnPostgres, read_progress: ReadProgress, clock: SettableClock
) -> None:
    sitting = Sitting(
        id="prs_1",
        at=START - HOUR,
        feedback=DEFERRED,
        deadline=START + HOUR,
        answers=(answered("qst_000"), answered("qst_001", correct=WRONG)),
    )
    world.keep(sitting)
    before = await history(read_progress)
    assert before.effort.lifetime == Effort(answered=2, judged=0, correct=0, time_spent_seconds=40)
    assert before.effort.topics[0].effort.correct == 0
    (told,) = before.sessions
    assert (told.answered_count, told.status) == (2, "active")
    assert (told.correct_count, told.mark, told.max_mark, told.percent) == (None, None, None, None)
    clock.set(START + HOUR)
    after = await history(read_progress)
    assert after.effort.lifetime == Effort(answered=2, judged=2, correct=1, time_spent_seconds=40)
    (told,) = after.sessions
    assert (told.status, told.finished_at) == ("finished", START + HOUR)
    assert (told.correct_count, told.mark, told.percent) == (1, Decimal(1), Decimal(50))


async def test_the_histories_of_right_and_of_wrong_answers_are_the_same_until_then(
    world: OnPostgres, read_progress: ReadProgress
) -> None:
    views = []
    for correct in (RIGHT, WRONG):
        world.cloned.keeper.execute("delete from practice_slots")
        world.cloned.keeper.execute("delete from practice_sessions")
        given_ = answered("qst_000", correct=correct)
        world.keep(Sitting(id="prs_1", at=START - HOUR, feedback=DEFERRED, answers=(given_,)))
        await catch_up(world)
        views.append(await history(read_progress))
    assert views[0] == views[1]


async def test_an_invalidated_session_counts_for_nothing_and_is_told_without_a_score(
    world: OnPostgres, read_progress: ReadProgress
) -> None:
    world.keep(Sitting(id="prs_1", at=START - HOUR, invalidated=True, answers=(answered("qst_000"),)))
    view = await history(read_progress)
    assert view.effort.lifetime == Effort()
    (told,) = view.sessions
    assert (told.status, told.correct_count, told.percent) == ("invalidated", None, None)


async def test_the_latest_sessions_are_told_with_their_score(world: OnPostgres, read_progress: ReadProgress) -> None:
    world.keep(*(Sitting(id=f"prs_{number:03}", open_questions=("qst_000",)) for number in range(LATEST_SESSIONS + 3)))
    answers = (answered("qst_000"), answered("qst_001", correct=WRONG))
    last = Sitting(id="prs_900", answers=answers, open_questions=("qst_002",), finished_at=START + HOUR)
    world.keep(last)
    sessions = (await history(read_progress)).sessions
    assert len(sessions) == LATEST_SESSIONS
    assert sessions[0] == PractisedSession(
        id="prs_900",
        exam_package_id=PACKAGE,
        status="finished",
        feedback="immediate",
        served=3,
        answered_count=2,
        correct_count=1,
        mark=Decimal(1),
        max_mark=Decimal(2),
        started_at=START,
        finished_at=START + HOUR,
    )
    assert sessions[0].percent == 50
    assert [each.id for each in sessions[1:3]] == ["prs_012", "prs_011"]
    assert sessions[1].percent is None


async def test_one_package_can_be_told_by_itself(world: OnPostgres, read_progress: ReadProgress) -> None:
    world.keep(
        Sitting(id="prs_1", at=START - HOUR, answers=(answered("qst_000"), answered("qst_001"))),
        Sitting(id="prs_2", at=START - HOUR, package_id=OTHER, answers=(Given(question_id="other_000"),)),
    )
    await catch_up(world)
    await FlagQuestion(world.flags)(STUDENT, "other_001")
    every, one, other, none = [
        await history(read_progress, package=package) for package in (None, PACKAGE, OTHER, "pkg_none")
    ]
    assert [view.effort.lifetime.answered for view in (every, one, other, none)] == [3, 2, 1, 0]
    assert [len(view.sessions) for view in (every, one, other, none)] == [2, 1, 1, 0]
    assert [view.due for view in (every, one, other, none)] == [3, 2, 1, 0]
    assert [view.flagged for view in (every, one, other, none)] == [1, 0, 1, 0]


async def test_another_students_history_is_not_read(
    world: OnPostgres, read_progress: ReadProgress, clock: SettableClock
) -> None:
    live(world, "Asia/Tokyo", user_id=STUDENT.user_id)
    world.practice.enroll(STRANGER.user_id)
    world.keep(Sitting(id="prs_1", user_id=STRANGER.user_id, answers=(answered("qst_000"),)))
    clock.set(START + DAY)
    assert await catch_up(world, STRANGER.user_id) == 1
    await FlagQuestion(world.flags)(STRANGER, "qst_000")
    view = await history(read_progress)
    assert (view.effort.lifetime, view.sessions, view.due, view.flagged) == (Effort(), (), 0, 0)
    assert (await read_progress(STRANGER, exam_package_id=None, weeks=1)).time_zone == "UTC"


async def test_only_what_can_be_practised_now_is_due(
    world: OnPostgres, read_progress: ReadProgress, clock: SettableClock
) -> None:
    """A new question that was right comes back after ten minutes, one that was wrong after one."""
    wrong = answered("qst_001", correct=WRONG, after=timedelta(0))
    world.keep(Sitting(id="prs_1", answers=(answered("qst_000", after=timedelta(0)), wrong)))
    clock.set(START)
    await catch_up(world)
    dues = []
    for after in (timedelta(0), MINUTE, 10 * MINUTE):
        clock.set(START + after)
        dues.append((await history(read_progress)).due)
    assert dues == [0, 1, 2]
    world.let_enrollment_expire(STUDENT.user_id, START + DAY)
    clock.set(START + DAY)
    assert (await history(read_progress)).due == 0


@pytest.mark.parametrize("ends", ["in an open session", "by its deadline", "by a finish that nobody followed up"])
async def test_what_was_answered_is_due_without_anybody_having_made_its_cards(
    world: OnPostgres, read_progress: ReadProgress, clock: SettableClock, ends: str
) -> None:
    """Wrong answers come back after a minute; deferred ones are not told of before they are judged."""
    answers = tuple(answered(f"qst_00{number}", correct=WRONG, after=timedelta(0)) for number in range(2))
    sitting = Sitting(id="prs_1", answers=answers, open_questions=("qst_002",))
    if ends == "by its deadline":
        sitting = replace(sitting, feedback=DEFERRED, deadline=START + HOUR)
    elif ends == "by a finish that nobody followed up":
        sitting = replace(sitting, feedback=DEFERRED, finished_at=START + HOUR)
    world.keep(sitting)
    dues = []
    for now in (START, START + HOUR - MINUTE, START + HOUR):
        clock.set(now)
        dues.append((await history(read_progress)).due)
    assert dues == ([0, 2, 2] if ends == "in an open session" else [0, 0, 2])
    assert (await history(read_progress, package=OTHER)).due == 0


async def test_an_answer_that_does_not_count_any_more_is_not_due(
    world: OnPostgres, read_progress: ReadProgress
) -> None:
    sitting = Sitting(id="prs_1", at=START - HOUR, answers=(answered("qst_000", correct=WRONG),))
    world.keep(sitting)
    assert (await history(read_progress)).due == 1
    world.keep(replace(sitting, invalidated=True))
    assert (await history(read_progress)).due == 0


async def test_what_is_too_much_for_one_reading_is_left_to_the_next(
    world: OnPostgres, read_progress: ReadProgress
) -> None:
    """Three at a time here, those that were answered first."""
    answers = [answered(f"qst_00{number}", correct=WRONG) for number in range(3)]
    world.keep(Sitting(id="prs_1", at=START - DAY, answers=tuple(answers)))
    world.keep(Sitting(id="prs_2", at=START - HOUR, package_id=OTHER, answers=(Given(question_id="other_000"),)))
    assert [(await history(read_progress)).due for _ in range(2)] == [3, 4]


@pytest.mark.parametrize(
    ("area", "name"),
    [
        ("progress/history", "read_history"),
        ("progress/flags", "list_flagged"),
        ("progress/flags", "flag_standing"),
        ("progress/repetition", "stale_reviews"),
    ],
)
def test_what_other_students_did_is_not_read_through(area: str, name: str, module_database: ClonedDatabase) -> None:
    """Tables that grow with every student are looked up by the student."""
    names = list(dict.fromkeys(_PARAMETER.findall(load(area)[name])))
    statement = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", load(area)[name])
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        found = connection.execute(f"explain (generic_plan) {statement}".encode()).fetchall()
    plan = [line for (line,) in found]
    assert any("Index" in line for line in plan)
    grown = ("practice_slots", "practice_sessions", "flagged_questions", "review_cards")
    assert not [line for line in plan if "Seq Scan" in line and any(table in line for table in grown)]
