"""How often, and how soon, there may be another attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import PackageSettings
from domain.exam.attempts import (
    attempts_used,
    next_attempt_no,
    refuse_full_week,
    refuse_outside_tier,
    refuse_retake,
)
from domain.exam.deadlines import told
from domain.exam.refusals import AttemptLimit, AwaitingResult, EntitlementDenied, RetakeCooldown, WeeklyExamLimit
from domain.exam.sessions import ExamSession, ExamStatus
from tests.support.exam_builders import START, exam_rules, exam_session, later

DAY = 24 * 3600


def attempt(number: int = 1, status: ExamStatus = ExamStatus.FINISHED, **changes: object) -> ExamSession:
    """Sealed after half an hour."""
    sealed = None if status.is_live else later(minutes=30)
    ended = exam_session(attempt_no=number, status=status, sealed_at=sealed)
    return replace(ended, **changes)  # type: ignore[arg-type]


def test_a_tier_of_no_sessions_is_one_without_exams() -> None:
    refuse_outside_tier(None)
    refuse_outside_tier(1)
    with pytest.raises(EntitlementDenied) as refused:
        refuse_outside_tier(0)
    assert refused.value.facts == {"reason": "no_exams_in_tier"}


@given(st.integers(0, 8 * DAY))
def test_a_session_counts_for_exactly_seven_days(seconds: int) -> None:
    now = later(seconds=seconds)
    refuse_full_week(None, now)
    if seconds >= 7 * DAY:
        refuse_full_week(START, now)
        return
    with pytest.raises(WeeklyExamLimit) as refused:
        refuse_full_week(START, now)
    assert refused.value.retry_after_seconds == 7 * DAY - seconds
    assert refused.value.facts == {"retryAt": told(START + timedelta(days=7))}


_AT_REST = [ExamStatus.CREATED, *(each for each in ExamStatus if not each.is_live and each != ExamStatus.SUBMITTED)]


@given(st.lists(st.sampled_from(_AT_REST)))
def test_what_did_not_begin_or_is_invalid_uses_no_attempt(statuses: list[ExamStatus]) -> None:
    sessions = [attempt(number, status) for number, status in enumerate(statuses, start=1)]
    used = [each for each in statuses if each not in (ExamStatus.CREATED, ExamStatus.INVALIDATED)]
    assert [each.status for each in attempts_used(sessions)] == used
    assert next_attempt_no(sessions) == len(statuses) + 1
    for allowed in range(1, len(statuses) + 2):
        settings = PackageSettings(attempts_allowed=allowed)
        if len(used) >= allowed:
            with pytest.raises(AttemptLimit):
                refuse_retake(sessions, settings, later(days=9))
        else:
            refuse_retake(sessions, settings, later(days=9))


def test_the_next_number_is_one_more_than_the_highest() -> None:
    assert next_attempt_no([attempt(1), attempt(4, ExamStatus.INVALIDATED)]) == 5


def test_while_the_last_attempt_has_no_result_there_is_no_other() -> None:
    waiting = attempt(2, ExamStatus.SUBMITTED)
    with pytest.raises(AwaitingResult):
        refuse_retake([attempt(), waiting], PackageSettings(attempts_allowed=2), later(days=1))
    refuse_retake([waiting, attempt(3)], PackageSettings(), later(days=1))


COOLING = PackageSettings(cooldown_seconds=3600, later_cooldown_seconds=7200)


def _free_again(sessions: list[ExamSession], expected: datetime) -> None:
    refuse_retake(sessions, COOLING, expected)
    with pytest.raises(RetakeCooldown) as refused:
        refuse_retake(sessions, COOLING, expected - timedelta(seconds=0.5))
    assert refused.value.facts == {"retryAt": told(expected)}
    assert refused.value.retry_after_seconds == 1


def test_after_the_first_attempt_there_is_one_pause_and_after_later_ones_another() -> None:
    _free_again([attempt()], later(minutes=90))
    _free_again([attempt(), attempt(2, started_at=later(hours=4.5), sealed_at=later(hours=5))], later(hours=7))


def test_what_does_not_count_needs_no_pause() -> None:
    refuse_retake([attempt(status=ExamStatus.INVALIDATED)], COOLING, later(minutes=31))
    _free_again([attempt(), attempt(2, ExamStatus.INVALIDATED, sealed_at=later(hours=5))], later(minutes=90))


def test_the_pause_runs_from_the_end_of_the_time_that_was_allowed() -> None:
    """Whoever was ended later, by staff or after a grace, has waited since."""
    late = attempt(status=ExamStatus.ABANDONED, sealed_at=later(hours=25))
    _free_again([late], later(hours=2))
    longer = attempt(sealed_at=later(hours=25), adjust_seconds=600)
    _free_again([longer], later(hours=2, minutes=10))
    endless = attempt(sealed_at=later(hours=25), rules=exam_rules(time_limit_seconds=None))
    _free_again([endless], later(hours=26))
    never = attempt(status=ExamStatus.TERMINATED, started_at=None)
    _free_again([never], later(minutes=90))


def test_the_first_attempt_is_free() -> None:
    refuse_retake([], PackageSettings(attempts_allowed=1, cooldown_seconds=DAY), START)
