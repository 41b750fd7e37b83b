"""Many at once on PostgreSQL: a day is credited once, every answer is counted, a badge is awarded once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.postgres.database import Database
from domain.auth.people import UsernameTaken
from domain.progress.profile import ProfileChanged, TimeZoneChangedRecently
from tests.support.postgres import SettableClock
from tests.support.progress_stores import ADA, BOB, OnPostgres, an_answer, an_exam

MANY = 20


@pytest.fixture
async def progress(database: Database, clock: SettableClock) -> OnPostgres:
    clock.set(datetime(2026, 3, 2, 12, tzinfo=UTC))
    found = OnPostgres(clock=clock, database=database)
    await found.settle()
    return found


async def _at_once(*acts: Any) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


async def test_of_twenty_first_answers_at_once_each_is_counted_and_the_day_is_one(progress: OnPostgres) -> None:
    """None of them finds a row."""
    answers = await _at_once(*(progress.credit(an_answer(f"prs_{number}")) for number in range(MANY)))
    assert sorted(answer.questions_answered for answer in answers) == list(range(1, MANY + 1))
    standing = await progress.standing()
    assert (len(standing.days), standing.student.questions_answered) == (1, MANY)


async def test_of_twenty_that_reach_a_badge_at_once_one_is_the_evidence(progress: OnPostgres) -> None:
    await progress.credit(an_answer("prs_before", answers=90))
    await _at_once(*(progress.credit(an_answer(f"prs_{number}")) for number in range(MANY)))
    (badge,) = (await progress.standing()).badges
    assert (badge.code, badge.value) == ("answers_100", 100)


async def test_of_twenty_exams_at_once_one_is_the_first(progress: OnPostgres) -> None:
    acts = (progress.credit(an_exam(f"exs_{number}", passed=True, perfect=True)) for number in range(MANY))
    await _at_once(*acts)
    standing = await progress.standing()
    assert standing.student.perfect_exams == MANY
    assert [(badge.code, badge.value) for badge in standing.badges] == [
        ("first_exam", 1),
        ("first_pass", 1),
        ("perfect_exam", 1),
    ]


async def test_answers_and_sessions_declared_invalid_at_once_are_all_counted(progress: OnPostgres) -> None:
    for number in range(MANY):
        await progress.credit(an_answer(f"prs_{number}", answers=10))
    await _at_once(
        *(progress.take_back(10) for _ in range(MANY)),
        *(progress.credit(an_answer("prs_new")) for _ in range(MANY)),
    )
    assert (await progress.standing()).student.questions_answered == MANY


async def test_of_ten_changes_of_the_zone_at_once_one_is_made(progress: OnPostgres) -> None:
    zones = [f"Etc/GMT+{number}" for number in range(1, 11)]
    answers = await _at_once(*(progress.change(time_zone=zone) for zone in zones))
    assert sum(isinstance(answer, TimeZoneChangedRecently) for answer in answers) == 9
    (made,) = [zone for zone, answer in zip(zones, answers, strict=True) if not isinstance(answer, Exception)]
    assert (await progress.standing()).student.time_zone == made


async def test_of_ten_that_write_what_they_read_one_is_in_time(progress: OnPostgres) -> None:
    read = (await progress.change(bio="This is what all of them read")).version
    answers = await _at_once(*(progress.change(read, bio=f"I am number {number}") for number in range(10)))
    assert sum(isinstance(answer, ProfileChanged) for answer in answers) == 9


async def test_of_two_that_want_a_username_at_once_one_has_it(progress: OnPostgres) -> None:
    answers = await _at_once(progress.change(username="Countess"), progress.change(username="countess", actor=BOB))
    assert sum(isinstance(answer, UsernameTaken) for answer in answers) == 1
    names = {(await progress.person(actor)).username for actor in (ADA, BOB)}
    assert len(names & {"Countess", "countess"}) == 1
    assert len(await progress.audited()) == 1


async def test_a_profile_changes_while_answers_are_counted_and_neither_is_lost(progress: OnPostgres) -> None:
    await _at_once(
        *(progress.credit(an_answer()) for _ in range(MANY)),
        *(progress.change(name=f"Ada {number}", bio=f"{number}") for number in range(MANY)),
    )
    student = (await progress.standing()).student
    assert (student.questions_answered, student.version) == (MANY, MANY + 1)
    assert (await progress.person()).name == f"Ada {student.bio}"
