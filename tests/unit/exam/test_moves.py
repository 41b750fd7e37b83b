"""The moves of an exam session beyond what the matrix says: conditions, and what each move leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import OverduePolicy
from domain.errors import DomainError
from domain.exam.deadlines import remaining
from domain.exam.moves import (
    MAX_REASON,
    Intervention,
    accept_until,
    adjust_time,
    begin,
    expire,
    force_submit,
    invalidate,
    pause,
    reinstate,
    reopen,
    resume,
    submit,
    terminate,
)
from domain.exam.refusals import (
    ExamClosed,
    ExamNotOpen,
    ExamNotReopenable,
    ExamNotStarted,
    ExamTerminated,
    PausedByStaff,
    PauseNotAllowed,
    ReasonRequired,
)
from domain.exam.sessions import ExamSession, ExamStatus, SealReason
from tests.support.exam_builders import ROOT, START, exam_rules, exam_session, later

BY = Intervention(actor_id=ROOT.user_id, reason="  a reason ")
NEVER_BEGUN = exam_session(
    status=ExamStatus.CREATED, started_at=None, rules=exam_rules(window_closes_at=later(hours=1))
)


def under(policy: OverduePolicy, **changes: object) -> ExamSession:
    return exam_session(rules=exam_rules(overdue_policy=policy, **changes))


# The start of what waits.


def test_what_waits_begins_when_it_is_let() -> None:
    begun = begin(NEVER_BEGUN, later(minutes=9))
    assert (begun.status, begun.started_at) == (ExamStatus.ACTIVE, later(minutes=9))
    assert begin(begun, later(minutes=10)) == begun


def test_nothing_begins_outside_its_window() -> None:
    early = replace(NEVER_BEGUN, rules=exam_rules(window_opens_at=later(minutes=1)))
    with pytest.raises(ExamNotOpen):
        begin(early, START)
    assert begin(early, later(minutes=1)).status is ExamStatus.ACTIVE
    assert begin(NEVER_BEGUN, later(minutes=59)).status is ExamStatus.ACTIVE
    with pytest.raises(ExamClosed):
        begin(NEVER_BEGUN, later(hours=1))


def test_what_was_terminated_does_not_begin() -> None:
    with pytest.raises(ExamTerminated):
        begin(terminate(NEVER_BEGUN, BY, START), START)


# The end.


def test_who_hands_in_in_time_is_not_late() -> None:
    handed_in = submit(exam_session(), later(minutes=60))
    assert (handed_in.sealed_at, handed_in.late, handed_in.seal_reason) == (
        later(minutes=60),
        False,
        SealReason.STUDENT,
    )


def test_within_the_latency_it_counts_for_the_deadline_and_is_late() -> None:
    handed_in = submit(exam_session(), later(minutes=60, seconds=60))
    assert (handed_in.sealed_at, handed_in.late) == (later(minutes=60), True)
    assert handed_in.seal_reason is SealReason.STUDENT


def test_past_the_latency_time_has_handed_it_in_already() -> None:
    handed_in = submit(exam_session(), later(minutes=61, microseconds=1))
    assert (handed_in.sealed_at, handed_in.late) == (later(minutes=60), False)
    assert handed_in.seal_reason is SealReason.TIMEOUT


def test_under_grace_it_can_be_handed_in_late() -> None:
    session = under(OverduePolicy.GRACE)
    handed_in = submit(session, later(hours=24))
    assert (handed_in.status, handed_in.late) == (ExamStatus.SUBMITTED, True)
    assert handed_in.sealed_at == later(hours=1)
    given_up = expire(session, later(hours=25, microseconds=1))
    assert (given_up.status, given_up.sealed_at) == (ExamStatus.ABANDONED, later(hours=25))


def test_without_grace_it_is_given_up_at_the_deadline() -> None:
    given_up = expire(under(OverduePolicy.ABANDON), later(days=1))
    assert (given_up.status, given_up.sealed_at) == (ExamStatus.ABANDONED, later(hours=1))


@given(st.integers(0, 3660))
def test_what_arrives_counts_for_its_moment_or_for_the_deadline(seconds: int) -> None:
    assert accept_until(exam_session(), later(seconds=seconds)) == later(seconds=min(seconds, 3600))


@pytest.mark.parametrize("policy", OverduePolicy)
def test_the_window_ends_a_pause(policy: OverduePolicy) -> None:
    session = pause(under(policy, window_closes_at=later(minutes=50)), later(minutes=10), by_staff=True)
    assert expire(session, later(minutes=51)) == session
    over = expire(session, later(minutes=52))
    assert over.paused_at is None
    if policy is OverduePolicy.GRACE:
        assert over.status is ExamStatus.OVERDUE
    else:
        assert over.sealed_at == later(minutes=50)


# Pauses.


def test_students_pause_only_where_it_is_allowed_and_no_time_runs() -> None:
    for rules in (exam_rules(pause_allowed=True), exam_rules(time_limit_seconds=None)):
        with pytest.raises(PauseNotAllowed):
            pause(exam_session(rules=rules), START, by_staff=False)
    allowed = exam_session(
        rules=exam_rules(time_limit_seconds=None, pause_allowed=True, window_closes_at=later(days=1))
    )
    paused = pause(allowed, START, by_staff=False)
    assert paused.status is ExamStatus.PAUSED
    assert resume(paused, later(minutes=5), by_staff=False).status is ExamStatus.ACTIVE


def test_a_pause_of_staff_is_ended_by_staff() -> None:
    session = exam_session(rules=exam_rules(time_limit_seconds=None, pause_allowed=True))
    paused = pause(session, START, by_staff=True)
    assert pause(paused, later(minutes=1), by_staff=False) == paused
    with pytest.raises(PausedByStaff):
        resume(paused, START, by_staff=False)
    resumed = resume(paused, later(minutes=1), by_staff=True)
    assert (resumed.status, resumed.paused_at, resumed.paused_by_staff) == (ExamStatus.ACTIVE, None, False)


def test_a_session_that_is_ended_in_a_pause_is_paused_no_more() -> None:
    paused = pause(exam_session(), later(minutes=10), by_staff=True)
    ended = terminate(paused, BY, later(minutes=15))
    assert (ended.paused_at, ended.paused_microseconds) == (None, 300_000_000)


# What staff do.


@pytest.mark.parametrize("reason", ["", "  ", "x" * (MAX_REASON + 1)])
def test_whoever_ends_a_session_says_why(reason: str) -> None:
    unsaid = Intervention(actor_id=ROOT.user_id, reason=reason)
    for move in (terminate, invalidate, reinstate, reopen):
        with pytest.raises(ReasonRequired):
            move(exam_session(), unsaid, START)
    assert force_submit(exam_session(), Intervention(actor_id="usr_root"), START).seal_note is None


def test_what_staff_end_is_sealed_at_that_moment_even_within_the_latency() -> None:
    now = later(minutes=60, seconds=30)
    assert terminate(exam_session(), BY, now).sealed_at == now
    assert invalidate(exam_session(), BY, now).sealed_at == now
    handed_in = force_submit(exam_session(), BY, now)
    assert (handed_in.sealed_at, handed_in.late, handed_in.seal_reason) == (now, False, SealReason.FORCED)
    assert (handed_in.sealed_by, handed_in.seal_note) == (ROOT.user_id, "a reason")


@pytest.mark.parametrize("end", [terminate, invalidate, force_submit])
def test_the_first_end_stays_the_end_whatever_follows(
    end: Callable[[ExamSession, Intervention, datetime], ExamSession],
) -> None:
    over = expire(under(OverduePolicy.ABANDON), later(hours=5))
    assert end(over, BY, later(hours=6)).sealed_at == over.sealed_at == later(hours=1)


def test_what_was_terminated_can_be_handed_in_after_all() -> None:
    ended = terminate(exam_session(), BY, later(minutes=20))
    counted = force_submit(ended, BY, later(hours=9))
    assert (counted.status, counted.sealed_at, counted.seal_reason) == (
        ExamStatus.SUBMITTED,
        later(minutes=20),
        SealReason.FORCED,
    )


def test_an_invalidation_is_told_beside_the_end() -> None:
    handed_in = submit(exam_session(), later(minutes=20))
    void = invalidate(handed_in, BY, later(minutes=30))
    assert (void.sealed_at, void.seal_reason) == (later(minutes=20), SealReason.STUDENT)
    assert (void.invalidated_at, void.invalidated_by, void.invalidation_reason) == (
        later(minutes=30),
        ROOT.user_id,
        "a reason",
    )
    assert reinstate(void, BY, later(hours=2)) == handed_in


@pytest.mark.parametrize("prior", [status for status in ExamStatus if status is not ExamStatus.INVALIDATED])
def test_reinstated_is_what_it_was_or_handed_in_and_never_graded_by_an_old_grade(prior: ExamStatus) -> None:
    """What is live may have been answered since its last grade."""
    void = exam_session(
        status=ExamStatus.INVALIDATED,
        status_before_invalidation=prior,
        grade_revision=1,
        sealed_at=later(minutes=5),
        seal_reason=SealReason.INVALIDATED,
    )
    expected = ExamStatus.SUBMITTED if prior.is_live else prior
    assert reinstate(void, BY, later(hours=1)).status is expected


def test_reopening_gives_time_and_takes_the_end_back() -> None:
    over = replace(expire(exam_session(), later(hours=2)), status=ExamStatus.FINISHED, grade_revision=1)
    now = later(hours=2)
    with pytest.raises(ExamNotReopenable):
        reopen(over, BY, now, extra_seconds=3600)
    again = reopen(over, BY, now, extra_seconds=3601)
    assert again.status is ExamStatus.ACTIVE
    assert (again.sealed_at, again.seal_reason, again.adjust_seconds) == (None, None, 3601)
    assert remaining(again, now) == timedelta(seconds=1)


def test_what_students_handed_in_stays_handed_in() -> None:
    with pytest.raises(ExamNotReopenable):
        reopen(submit(exam_session(), later(minutes=1)), BY, later(minutes=2), extra_seconds=60)


def test_what_was_given_up_and_has_no_time_left_is_handed_in() -> None:
    over = expire(under(OverduePolicy.ABANDON), later(hours=2))
    handed_in = reopen(over, BY, later(hours=2), extra_seconds=60)
    assert handed_in == replace(over, status=ExamStatus.SUBMITTED, adjust_seconds=60), "as its entry tells"
    assert reopen(over, BY, later(hours=2), extra_seconds=7200).status is ExamStatus.ACTIVE


@given(st.integers(0, 3600), st.integers(0, 10_000_000))
def test_what_was_terminated_goes_on_with_the_time_it_had(minutes: int, long: int) -> None:
    at = later(seconds=minutes)
    ended = terminate(exam_session(), BY, at)
    paused = reopen(ended, BY, at + timedelta(seconds=long))
    assert (paused.status, paused.paused_by_staff, paused.sealed_at) == (ExamStatus.PAUSED, True, None)
    now = at + timedelta(seconds=long + 5)
    assert remaining(resume(paused, now, by_staff=True), now) == remaining(exam_session(), at)


def test_what_was_terminated_does_not_go_on_once_its_window_is_closed() -> None:
    ended = terminate(exam_session(rules=exam_rules(window_closes_at=later(minutes=50))), BY, later(minutes=10))
    assert reopen(ended, BY, later(minutes=51)).status is ExamStatus.PAUSED
    with pytest.raises(ExamNotReopenable):
        reopen(ended, BY, later(minutes=51, microseconds=1))


@pytest.mark.parametrize("ended_by", ["window", "staff"])
def test_what_never_began_cannot_be_handed_in_or_go_on_but_declared_invalid(ended_by: str) -> None:
    now = later(hours=2)
    over = terminate(NEVER_BEGUN, BY, START) if ended_by == "staff" else expire(NEVER_BEGUN, now)
    with pytest.raises(ExamNotStarted):
        force_submit(over, BY, now)
    with pytest.raises(ExamNotReopenable):
        reopen(over, BY, now, extra_seconds=7200)
    void = invalidate(over, BY, now)
    assert void.status is ExamStatus.INVALIDATED
    assert reinstate(void, BY, now) == over


# Any history.


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int]]:
    return draw(st.lists(st.tuples(st.integers(0, 10), st.sampled_from([0, 1, 61, 600, 3600, 100_000])), max_size=15))


def _moved(session: ExamSession, move: int, now: datetime) -> ExamSession:
    moves = (
        lambda: submit(session, now),
        lambda: pause(session, now, by_staff=True),
        lambda: resume(session, now, by_staff=True),
        lambda: adjust_time(session, 900, now),
        lambda: adjust_time(session, -900, now),
        lambda: force_submit(session, BY, now),
        lambda: terminate(session, BY, now),
        lambda: invalidate(session, BY, now),
        lambda: reinstate(session, BY, now),
        lambda: reopen(session, BY, now, extra_seconds=1800),
        lambda: begin(session, now),
    )
    try:
        return moves[move]()
    except DomainError:
        return session


@given(histories(), st.sampled_from(OverduePolicy), st.none() | st.integers(1, 20_000), st.booleans(), st.data())
def test_any_history_keeps_a_session_sound_and_the_sweeper_makes_no_difference(
    history: list[tuple[int, int]], policy: OverduePolicy, window: int | None, waits: bool, data: st.DataObject
) -> None:
    rules = exam_rules(
        overdue_policy=policy, window_closes_at=None if window is None else later(seconds=window), grace_seconds=7200
    )
    lazy = exam_session(rules=rules)
    if waits:
        lazy = replace(lazy, status=ExamStatus.CREATED, started_at=None)
    eager, now = lazy, START
    for move, seconds in history:
        now += timedelta(seconds=seconds)
        if data.draw(st.booleans()):
            eager = expire(eager, now - timedelta(seconds=data.draw(st.integers(0, seconds))))
        lazy, eager = _moved(lazy, move, now), _moved(eager, move, now)
        assert expire(lazy, now) == expire(eager, now)
        _sound(lazy, now)
        _sound(expire(lazy, now), now)


def _sound(session: ExamSession, now: datetime) -> None:
    """What the table of sessions demands, and the order of the instants."""
    unstarted = {ExamStatus.CREATED, ExamStatus.ABANDONED, ExamStatus.TERMINATED, ExamStatus.INVALIDATED}
    assert session.started_at is not None or session.status in unstarted
    assert session.started_at is None or session.status is not ExamStatus.CREATED
    assert (session.status is ExamStatus.PAUSED) == (session.paused_at is not None)
    assert session.is_live == (session.sealed_at is None) == (session.seal_reason is None)
    assert (session.status is ExamStatus.INVALIDATED) == (session.invalidated_at is not None)
    instants = [each for each in (session.created_at, session.started_at, session.sealed_at) if each is not None]
    assert instants == sorted(instants)
    assert instants[-1] <= now
