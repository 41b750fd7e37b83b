"""What each command does to a session of each status: the published matrix, cell by cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.enrollment.settings import OverduePolicy, PackageSettings
from domain.errors import DomainError
from domain.exam.answers import Given, save_answer
from domain.exam.attempts import refuse_retake
from domain.exam.heartbeats import beat
from domain.exam.lifecycle import Command, Leads, Nothing, Rule, outcome, taken
from domain.exam.moves import (
    Intervention,
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
from domain.exam.papers import AskedQuestion, AskedSlot
from domain.exam.sessions import ExamSession, ExamStatus
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import Response
from tests.support.exam_builders import ROOT, START, exam_rules, exam_session, exam_slots

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "exam-lifecycle.json"
BY = Intervention(actor_id=ROOT.user_id, reason="a reason")
CLOSES = START + timedelta(hours=3)
NOW = START + timedelta(minutes=70)
"""Ten minutes after the deadline of what began at the start: under way is only what began later, or is paused."""
CELLS = pytest.mark.parametrize(
    ("status", "command"), [(status, command) for status in ExamStatus for command in Command]
)


@pytest.fixture(scope="module")
def published() -> Mapping[str, Mapping[str, list[object]]]:
    if not VECTORS.is_file():
        pytest.skip("the vectors are not beside the checkout")
    matrix: Mapping[str, Mapping[str, list[object]]] = json.loads(VECTORS.read_bytes())["matrix"]
    assert sum(len(row) for row in matrix.values()) == 153
    return matrix


@CELLS
def test_the_matrix_is_the_published_one(
    published: Mapping[str, Mapping[str, list[object]]], status: ExamStatus, command: Command
) -> None:
    verdict, target, *_ = published[status][command]
    cell = outcome(status, command)
    if isinstance(cell, Leads):
        to = "=" if cell.to is None else f"*{cell.to}" if isinstance(cell.to, Rule) else cell.to
        assert (verdict, target) == ("ok", to)
    elif isinstance(cell, Nothing):
        assert (verdict, target) == ("noop", "=")
    else:
        assert (verdict, target, cell.kind) == ("err", cell.code, "conflict")


@CELLS
def test_whoever_asks_is_told_what_the_matrix_says(status: ExamStatus, command: Command) -> None:
    cell = outcome(status, command)
    if isinstance(cell, type):
        with pytest.raises(cell):
            taken(status, command)
    else:
        assert taken(status, command) == (None if isinstance(cell, Nothing) else cell)


# Every move keeps to the matrix.

_ASKED = AskedSlot(
    slot=replace(exam_slots(exam_session())[0], choice_order=("A", "B")),
    question=AskedQuestion(kind=QuestionKind.SINGLE, choice_ids=("A", "B")),
)


def _start_again(session: ExamSession, now: datetime) -> ExamSession:
    """Of a session that is over `start` asks whether there may be another one."""
    if session.is_live:
        return begin(session, now)
    refuse_retake((session,), PackageSettings(), now)
    return session


MOVES: Mapping[Command, Callable[[ExamSession, datetime], ExamSession]] = {
    Command.START: _start_again,
    Command.HEARTBEAT: lambda session, now: beat(session, None, now, now).session,
    Command.SAVE_ANSWER: lambda session, now: (
        save_answer(session, _ASKED, Given(response=Response.choosing("A"), base_revision=0), now).session
    ),
    Command.SUBMIT: submit,
    Command.EXPIRE: expire,
    Command.PAUSE: lambda session, now: pause(session, now, by_staff=True),
    Command.RESUME: lambda session, now: resume(session, now, by_staff=True),
    Command.ADJUST_TIME: lambda session, now: adjust_time(session, 3600, now),
    Command.FORCE_SUBMIT: lambda session, now: force_submit(session, BY, now),
    Command.TERMINATE: lambda session, now: terminate(session, BY, now),
    Command.INVALIDATE: lambda session, now: invalidate(session, BY, now),
    Command.REINSTATE: lambda session, now: reinstate(session, BY, now),
    Command.REOPEN: lambda session, now: reopen(session, BY, now, extra_seconds=3600),
}
"""Recording an event, grading and flagging are no moves of a session: who does them asks the matrix."""


def a_session(status: ExamStatus) -> ExamSession:
    """A session that came to its status by moves, and would stay in it at `NOW`."""
    rules = exam_rules(window_closes_at=CLOSES, overdue_policy=OverduePolicy.GRACE)
    begun, a_minute, late = exam_session(rules=rules), START + timedelta(minutes=1), START + timedelta(minutes=65)
    waiting = replace(begun, status=ExamStatus.CREATED, started_at=None)
    submitted = force_submit(begun, BY, a_minute)
    made = {
        ExamStatus.CREATED: waiting,
        ExamStatus.ACTIVE: begin(waiting, START + timedelta(minutes=30)),
        ExamStatus.PAUSED: pause(begun, a_minute, by_staff=True),
        ExamStatus.OVERDUE: expire(begun, late),
        ExamStatus.SUBMITTED: submitted,
        ExamStatus.FINISHED: replace(submitted, status=ExamStatus.FINISHED, grade_revision=1),
        ExamStatus.ABANDONED: expire(replace(begun, rules=exam_rules(overdue_policy=OverduePolicy.ABANDON)), late),
        ExamStatus.TERMINATED: terminate(begun, BY, a_minute),
        ExamStatus.INVALIDATED: invalidate(begun, BY, a_minute),
    }
    return made[status]


@pytest.mark.parametrize("status", ExamStatus)
def test_every_status_can_be_reached_and_stays(status: ExamStatus) -> None:
    assert a_session(status).status is status
    assert expire(a_session(status), NOW) == a_session(status)


def _expected(session: ExamSession, command: Command) -> ExamStatus | type[DomainError]:
    """What the matrix says, with its rules written out for `a_session`."""
    cell = outcome(session.status, command)
    if isinstance(cell, type):
        return cell
    if isinstance(cell, Nothing) or cell.to in (None, Rule.NEW_SESSION) or command is Command.EXPIRE:
        return session.status
    if cell.to is Rule.PRIOR_STATUS:
        return ExamStatus.SUBMITTED
    assert isinstance(cell.to, ExamStatus)
    return cell.to


@pytest.mark.parametrize("command", MOVES)
@pytest.mark.parametrize("status", ExamStatus)
def test_every_move_leads_where_the_matrix_says(status: ExamStatus, command: Command) -> None:
    session = a_session(status)
    expected = _expected(session, command)
    if isinstance(expected, ExamStatus):
        assert MOVES[command](session, NOW).status is expected
        return
    with pytest.raises(expected):
        MOVES[command](session, NOW)


LAZY = [command for command in MOVES if command is not Command.START]


@pytest.mark.parametrize("command", LAZY)
@pytest.mark.parametrize("policy", OverduePolicy)
@pytest.mark.parametrize("status", [ExamStatus.CREATED, ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE])
def test_before_every_move_time_acts_on_the_session(
    status: ExamStatus, policy: OverduePolicy, command: Command
) -> None:
    """Whoever comes first after the time is over, a sweeper or a command, finds the same."""
    session = a_session(status)
    session = replace(session, rules=replace(session.rules, overdue_policy=policy))
    long_after = CLOSES + timedelta(days=9)
    over = expire(session, long_after)
    assert not over.is_live

    def told(of: ExamSession) -> object:
        try:
            return MOVES[command](of, long_after)
        except DomainError as refusal:
            return type(refusal)

    assert told(session) == told(over)


@pytest.mark.parametrize("command", [Command.SUBMIT, Command.FORCE_SUBMIT, Command.TERMINATE, Command.INVALIDATE])
@pytest.mark.parametrize("status", ExamStatus)
def test_what_was_done_once_stays_as_it_was_done_first(status: ExamStatus, command: Command) -> None:
    session = a_session(status)
    if isinstance(outcome(status, command), type):
        return
    other = Intervention(actor_id="usr_other", reason="another reason")
    once = MOVES[command](session, NOW)
    others: Mapping[Command, Callable[[ExamSession, datetime], ExamSession]] = {
        Command.SUBMIT: submit,
        Command.FORCE_SUBMIT: lambda moved, now: force_submit(moved, other, now),
        Command.TERMINATE: lambda moved, now: terminate(moved, other, now),
        Command.INVALIDATE: lambda moved, now: invalidate(moved, other, now),
    }
    assert others[command](once, NOW + timedelta(days=1)) == once


@pytest.mark.parametrize("status", [status for status in ExamStatus if not status.is_live])
def test_what_is_over_does_not_begin_again(status: ExamStatus) -> None:
    with pytest.raises(DomainError):
        begin(a_session(status), NOW)
