"""When a session ends: one definition, checked against the words of the rule."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.enrollment.settings import OverduePolicy
from domain.exam.deadlines import deadline, due_at, is_due, remaining, remaining_seconds, without_pause
from domain.exam.moves import accommodate, adjust_time, expire, pause, resume
from domain.exam.refusals import AdjustTooSmall
from domain.exam.sessions import Accommodation, ExamSession, ExamStatus
from tests.support.exam_builders import START, exam_rules, exam_session, later

SECONDS = st.integers(0, 9000)
moments = st.integers(0, 20_000_000_000).map(lambda micro: START + timedelta(microseconds=micro))
accommodations = st.builds(
    Accommodation,
    multiplier=st.decimals(1, 4, places=3),
    extra_seconds=st.integers(0, 3600),
)
rules = st.builds(
    exam_rules,
    time_limit_seconds=st.none() | st.integers(1, 7200),
    window_closes_at=st.none() | st.integers(1, 15_000).map(lambda after: later(seconds=after)),
    window_extends=st.booleans(),
    overdue_policy=st.sampled_from(OverduePolicy),
    latency_seconds=st.integers(0, 120),
    grace_seconds=st.integers(0, 6000),
)


@st.composite
def sessions(draw: st.DrawFn) -> ExamSession:
    """Active or paused, on time or not, with whatever was granted or taken."""
    session = exam_session(
        rules=draw(rules),
        accommodation=draw(accommodations),
        adjust_seconds=draw(st.integers(-600, 3600)),
        paused_microseconds=draw(st.integers(0, 600_000_000)),
    )
    return pause(session, draw(_in_time(session)), by_staff=True) if draw(st.booleans()) else session


def _in_time(session: ExamSession) -> st.SearchStrategy[datetime]:
    """Any moment at which the session is not due."""
    due = due_at(session)
    return (
        moments if due is None else st.integers(0, 1_000_000).map(lambda part: START + (due - START) * part / 1_000_000)
    )


live = sessions()


def paused_sessions() -> st.SearchStrategy[ExamSession]:
    return live.filter(lambda session: session.status is ExamStatus.PAUSED)


def as_written(session: ExamSession, now: datetime) -> datetime | None:
    """The definition, word by word."""
    limit, policy, granted = session.rules.time_limit_seconds, session.rules, session.accommodation
    assert session.started_at is not None
    ends = []
    if limit is not None:
        paused = timedelta(microseconds=session.paused_microseconds)
        if session.paused_at is not None:
            paused += now - session.paused_at
        seconds = math.ceil(limit * Fraction(granted.multiplier)) + granted.extra_seconds + session.adjust_seconds
        ends.append(session.started_at + timedelta(seconds=seconds) + paused)
    if policy.window_closes_at is not None:
        more = granted.extra_seconds + session.adjust_seconds if policy.window_extends else 0
        ends.append(policy.window_closes_at + timedelta(seconds=more))
    return max(min(ends), session.started_at) if ends else None


@given(live, moments)
def test_the_deadline_is_the_definition(session: ExamSession, now: datetime) -> None:
    assume(session.paused_at is None or now >= session.paused_at)
    assert deadline(session, now) == as_written(session, now)


@given(live, moments)
@example(exam_session(), later(seconds=3660))
@example(exam_session(), later(seconds=3660, microseconds=1))
def test_due_is_later_than_the_deadline_and_the_latency(session: ExamSession, now: datetime) -> None:
    assume(session.paused_at is None or now >= session.paused_at)
    end = as_written(session, now)
    assert is_due(session, now) == (end is not None and now > end + timedelta(seconds=session.rules.latency_seconds))


@given(live, moments)
def test_an_overdue_session_is_due_when_its_grace_is_over(session: ExamSession, now: datetime) -> None:
    overdue = expire(replace(session, rules=replace(session.rules, overdue_policy=OverduePolicy.GRACE)), now)
    if overdue.status is ExamStatus.OVERDUE:
        end = as_written(overdue, now)
        assert end is not None
        assert due_at(overdue) == end + timedelta(seconds=overdue.rules.grace_seconds)


@given(live, moments, moments)
def test_while_a_session_runs_its_deadline_stands(session: ExamSession, one: datetime, other: datetime) -> None:
    assume(session.status is ExamStatus.ACTIVE)
    assert deadline(session, one) == deadline(session, other)


@given(live, moments, moments, SECONDS)
def test_more_time_never_ends_a_session_earlier(session: ExamSession, now: datetime, then: datetime, more: int) -> None:
    before = deadline(session, now)
    granted = replace(session.accommodation, extra_seconds=session.accommodation.extra_seconds + more)
    longer = [
        replace(session, accommodation=granted),
        replace(session, adjust_seconds=session.adjust_seconds + more),
        replace(session, paused_microseconds=session.paused_microseconds + more * 1_000_000),
    ]
    for changed in longer:
        after = deadline(changed, now)
        assert (before is None) == (after is None)
        assert before is None or after is None or after >= before
    ends = [deadline(session, at) for at in sorted((now, then))]
    assert ends[0] is None or ends[1] is None or ends[0] <= ends[1]


@given(live, accommodations, moments)
def test_accommodations_never_reduce_time(session: ExamSession, granted: Accommodation, now: datetime) -> None:
    plain = replace(session, accommodation=Accommodation())
    before, after = deadline(plain, now), deadline(replace(session, accommodation=granted), now)
    assert before is None or after is None or after >= before
    live_before = expire(session, now)
    changed = accommodate(session, granted, now)
    if not live_before.is_live:
        assert changed == live_before
        return
    for at in (now, now + timedelta(hours=1)):
        before, after = deadline(live_before, at), deadline(changed, at)
        assert before is None or after is None or after >= before


def test_what_has_not_begun_is_not_left_with_less_time_than_it_was_granted() -> None:
    waiting = exam_session(
        status=ExamStatus.CREATED, started_at=None, accommodation=Accommodation(multiplier=Decimal(2))
    )
    assert accommodate(waiting, Accommodation(), START) == waiting
    more = Accommodation(multiplier=Decimal(3))
    assert accommodate(waiting, more, START).accommodation == more


def test_with_more_time_an_overdue_session_runs_again() -> None:
    overdue = expire(exam_session(rules=exam_rules(overdue_policy=OverduePolicy.GRACE)), later(minutes=65))
    granted = accommodate(overdue, Accommodation(multiplier=Decimal("1.5")), later(minutes=65))
    assert (overdue.status, granted.status) == (ExamStatus.OVERDUE, ExamStatus.ACTIVE)


def test_a_window_that_gives_way_is_not_narrowed_either() -> None:
    widened = exam_session(
        rules=exam_rules(time_limit_seconds=None, window_closes_at=later(hours=1), window_extends=True),
        accommodation=Accommodation(extra_seconds=600),
    )
    assert accommodate(widened, Accommodation(multiplier=Decimal(2)), START) == widened


@given(live, moments, SECONDS)
def test_after_a_pause_there_is_as_much_time_as_before(session: ExamSession, now: datetime, seconds: int) -> None:
    """As far as the window lets it: that does not wait."""
    session = replace(session, rules=replace(session.rules, window_closes_at=None))
    running = expire(session, now)
    assume(running.status is ExamStatus.ACTIVE)
    resumed = resume(pause(running, now, by_staff=True), now + timedelta(seconds=seconds), by_staff=True)
    assert resumed.status is ExamStatus.ACTIVE
    assert remaining(resumed, now + timedelta(seconds=seconds)) == remaining(running, now)


@given(paused_sessions(), SECONDS)
def test_a_pause_stops_the_time_but_not_the_window(session: ExamSession, seconds: int) -> None:
    assert session.paused_at is not None
    then = session.paused_at + timedelta(seconds=seconds)
    before, after, closes = remaining(session, session.paused_at), remaining(session, then), as_written(session, then)
    if before is None or after is None or closes is None:
        assert (before, after, closes) == (None, None, None)
    elif session.rules.window_closes_at is None:
        assert after == before
    else:
        assert after == max(timedelta(0), closes - then) <= before


@given(live, moments, moments)
def test_it_does_not_matter_who_looks_and_how_often(session: ExamSession, one: datetime, other: datetime) -> None:
    """Lazy is eager: to have looked before changes nothing of what is found later."""
    first, second = sorted((one, other))
    assert expire(expire(session, first), second) == expire(session, second)


@given(live, moments)
def test_time_seals_a_session_at_its_end_and_in_order(session: ExamSession, now: datetime) -> None:
    over = expire(session, now)
    assert session.started_at is not None
    if over.sealed_at is None:
        assert over.is_live
        return
    assert session.created_at <= session.started_at <= over.sealed_at <= now
    grace = over.status is ExamStatus.ABANDONED and over.rules.overdue_policy is OverduePolicy.GRACE
    end = as_written(over, over.sealed_at)
    assert end is not None
    if session.paused_at is None:
        assert over.sealed_at == end + timedelta(seconds=over.rules.grace_seconds if grace else 0)


@given(live, moments)
def test_seconds_are_rounded_up_so_that_none_left_is_told_only_at_the_end(session: ExamSession, now: datetime) -> None:
    left, seconds = remaining(session, now), remaining_seconds(session, now)
    if left is None:
        assert seconds is None
    else:
        assert seconds is not None
        assert timedelta(seconds=seconds - 1) < left <= timedelta(seconds=seconds)


@given(live, moments, st.integers(-9000, 9000))
def test_taking_time_away_never_puts_the_deadline_into_the_past(
    session: ExamSession, now: datetime, seconds: int
) -> None:
    running = expire(session, now)
    assume(running.is_live)
    end = deadline(replace(running, adjust_seconds=running.adjust_seconds + seconds), now)
    if seconds < 0 and end is not None and end < now:
        with pytest.raises(AdjustTooSmall):
            adjust_time(running, seconds, now)
        return
    adjusted = adjust_time(running, seconds, now)
    assert adjusted.adjust_seconds == running.adjust_seconds + seconds
    assert deadline(adjusted, now) == end
    has_time = end is None or end > now
    assert adjusted.status is (
        ExamStatus.ACTIVE if running.status is ExamStatus.OVERDUE and has_time else running.status
    )


def test_nothing_ends_a_session_without_a_limit_and_a_window() -> None:
    endless = exam_session(rules=exam_rules(time_limit_seconds=None))
    assert deadline(endless, START) is None
    assert due_at(endless) is None
    assert expire(endless, later(days=10_000)) == endless


def test_what_is_over_is_never_due() -> None:
    assert due_at(expire(exam_session(), later(days=1))) is None


def test_who_never_started_is_ended_by_the_window() -> None:
    waiting = exam_session(
        status=ExamStatus.CREATED, started_at=None, rules=exam_rules(window_closes_at=later(minutes=5))
    )
    assert deadline(waiting, START) == later(minutes=5)
    assert expire(waiting, later(minutes=6)) == waiting
    over = expire(waiting, later(minutes=6, microseconds=1))
    assert (over.status, over.sealed_at, over.started_at) == (ExamStatus.ABANDONED, later(minutes=5), None)


def test_no_end_lies_before_the_start() -> None:
    late = exam_session(rules=exam_rules(window_closes_at=later(minutes=-5)))
    assert deadline(late, START) == START
    assert expire(late, later(minutes=2)).sealed_at == START


def test_a_session_that_runs_has_had_no_pause_that_ends() -> None:
    assert without_pause(exam_session(), START) == exam_session()
