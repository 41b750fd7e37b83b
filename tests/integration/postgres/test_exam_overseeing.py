"""What administrators do to exam sessions, on dictionaries and on the real database: what it changes and leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.enrollment.settings import OverduePolicy
from domain.errors import DomainError
from domain.exam.deadlines import remaining
from domain.exam.record import first_broken
from domain.exam.refusals import (
    AdjustTooSmall,
    ExamAlreadySubmitted,
    ExamNotActive,
    ExamNotReopenable,
    ExamSessionNotFound,
    ReasonRequired,
)
from domain.exam.sessions import ExamStatus, SealReason
from tests.support.exam_builders import (
    AN_HOUR,
    ROOT,
    SESSION,
    STRANGER,
    STUDENT,
    exam_rules,
    exam_session,
    later,
)
from tests.support.exam_overseeing import Oversight, oversight_of
from tests.support.exam_stores import ExamStore
from tests.support.postgres import SettableClock

USER = STUDENT.user_id
GRACE = exam_rules(time_limit_seconds=AN_HOUR, overdue_policy=OverduePolicy.GRACE)


@pytest.fixture(params=["memory", "postgres"])
def staff(request: pytest.FixtureRequest, clock: SettableClock) -> Oversight:
    return oversight_of(request, clock)


@pytest.fixture
def store(staff: Oversight) -> ExamStore:
    return staff.store


on_postgres = pytest.mark.parametrize("staff", ["postgres"], indirect=True)

# From which acts a session gets there, which act is done then, what it comes to, and by which event and entry.
_ACTS: dict[str, tuple[tuple[str, ...], str, dict[str, Any], ExamStatus, str, str]] = {
    "pause": ((), "pause", {}, ExamStatus.PAUSED, "session_paused", "paused"),
    "resume": (("pause",), "resume", {}, ExamStatus.ACTIVE, "session_resumed", "resumed"),
    "adjust": ((), "adjust_time", {"seconds": 60}, ExamStatus.ACTIVE, "time_adjusted", "time_adjusted"),
    "force": ((), "force_submit", {}, ExamStatus.FINISHED, "session_submitted", "force_submitted"),
    "terminate": (("pause",), "terminate", {}, ExamStatus.TERMINATED, "session_terminated", "terminated"),
    "invalidate": ((), "invalidate", {}, ExamStatus.INVALIDATED, "session_invalidated", "invalidated"),
    "reinstate": (("invalidate",), "reinstate", {}, ExamStatus.FINISHED, "session_reinstated", "reinstated"),
    "reopen": (("force_submit",), "reopen", {}, ExamStatus.ACTIVE, "session_reopened", "reopened"),
    "call back": (("terminate",), "reopen", {}, ExamStatus.PAUSED, "session_reopened", "reopened"),
    "count what was terminated": (
        ("terminate",),
        "force_submit",
        {},
        ExamStatus.FINISHED,
        "session_submitted",
        "force_submitted",
    ),
}


@pytest.mark.parametrize("case", _ACTS)
async def test_an_act_moves_the_session_and_is_told_once_in_its_record_and_in_the_audit_log(
    store: ExamStore, staff: Oversight, case: str
) -> None:
    before, command, more, status, event, action = _ACTS[case]
    await store.begin(exam_session())
    for step in before:
        await staff.act(step)
    told, audited = len(await staff.told()), len(await staff.audited())
    store.clock.advance(seconds=30)
    view = await staff.act(command, f"because of {case}", **more)
    session = await store.session_of(USER, SESSION)
    assert (view.user_id, view.session.status, session.status) == (USER, status, status)
    assert event in (await staff.told())[told:]
    (entry,) = (await staff.audited())[audited:]
    assert (entry.actor_id, entry.action, entry.subject) == (ROOT.user_id, f"exam_session.{action}", SESSION)
    assert entry.reason == f"because of {case}"
    assert entry.after is not None
    assert entry.before is not None
    assert entry.after["user_id"] == USER
    assert set(entry.before) == set(entry.after) - {"user_id"}
    assert all(entry.before[name] != entry.after[name] for name in entry.before)
    if command != "adjust_time":
        assert entry.after["status"] == status.value
    record = await store.record_of(USER, SESSION)
    assert first_broken(record) is None
    assert (session.record_count, session.record_hash) == (len(record), record[-1].hash)


@pytest.mark.parametrize(
    ("command", "more"), [("pause", {}), ("force_submit", {}), ("terminate", {}), ("invalidate", {})]
)
async def test_the_same_again_changes_nothing_and_keeps_the_first_reason(
    store: ExamStore, staff: Oversight, command: str, more: dict[str, Any]
) -> None:
    await store.begin(exam_session())
    first = await staff.act(command, "the first", **more)
    kept = await store.session_of(USER, SESSION), await staff.audited(), await staff.told()
    store.clock.advance(seconds=10)
    again = await Oversight(store, replace(ROOT, user_id="usr_ada")).act(command, "the second", **more)
    assert (await store.session_of(USER, SESSION), await staff.audited(), await staff.told()) == kept
    assert (again.sealed_by, again.seal_note) == (first.sealed_by, first.seal_note)
    assert (again.invalidated_by, again.invalidation_reason) == (first.invalidated_by, first.invalidation_reason)


@pytest.mark.parametrize(
    "command", ["pause", "resume", "adjust_time", "terminate", "invalidate", "reinstate", "reopen"]
)
@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
async def test_an_act_without_a_reason_is_not_done(
    store: ExamStore, staff: Oversight, command: str, reason: str
) -> None:
    await store.begin(exam_session())
    more: dict[str, Any] = {"seconds": 5} if command == "adjust_time" else {}
    with pytest.raises(ReasonRequired):
        await staff.act(command, reason, **more)
    assert (await store.session_of(USER, SESSION)).record_count == 0
    assert list(await staff.audited()) == []


async def test_nobody_but_administrators_acts(store: ExamStore) -> None:
    await store.begin(exam_session())
    for role in (Role.STUDENT, Role.INSTRUCTOR):
        other = Oversight(store, Actor(user_id="usr_eve", role=role, session_id="ses_eve"))
        acts = [other.act(command) for command in ("pause", "resume", "force_submit", "terminate", "invalidate")]
        acts += [other.act("reinstate"), other.act("reopen"), other.act("adjust_time", seconds=5)]
        for act in (*acts, other.flag(), other.resolve("flg_1"), other.grant(), other.adjust_all((USER, SESSION))):
            with pytest.raises(Forbidden):
                await act
    assert list(await store.audit_log()) == []


async def test_a_session_of_somebody_else_is_not_there(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    for who, which in ((STRANGER.user_id, SESSION), (USER, "exs_2"), ("usr_none", SESSION)):
        with pytest.raises(ExamSessionNotFound):
            await staff.act("terminate", user_id=who, session_id=which)
    assert list(await staff.audited()) == []


async def test_what_time_did_stays_done_where_the_act_is_refused_for_it(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    store.clock.set(later(hours=2))
    with pytest.raises(ExamNotActive):
        await staff.act("pause")
    session = await store.session_of(USER, SESSION)
    assert (session.status, session.seal_reason, session.sealed_at) == (
        ExamStatus.FINISHED,
        SealReason.TIMEOUT,
        later(hours=1),
    )
    assert session.grade_revision == 1
    assert list(await staff.audited()) == []


async def test_the_time_that_is_left_is_the_same_after_a_pause(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    store.clock.set(later(minutes=20))
    await staff.act("pause")
    store.clock.set(later(hours=5))
    await staff.act("resume")
    session = await store.session_of(USER, SESSION)
    assert remaining(session, store.clock.now()) == timedelta(minutes=40)


async def test_time_is_given_and_taken_but_never_into_the_past(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    await staff.act("adjust_time", seconds=600)
    view = await staff.act("adjust_time", seconds=-1200)
    assert (view.adjust_seconds, view.session.deadline) == (-600, later(minutes=50))
    store.clock.set(later(minutes=40))
    with pytest.raises(AdjustTooSmall):
        await staff.act("adjust_time", seconds=-601)
    assert [entry.action for entry in await staff.audited()] == ["exam_session.time_adjusted"] * 2
    view = await staff.act("adjust_time", seconds=-600)
    assert view.session.deadline == later(minutes=40)


async def test_an_overdue_session_runs_again_only_where_it_has_time_by_it(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session(rules=GRACE))
    store.clock.set(later(hours=1, minutes=10))
    assert (await staff.act("adjust_time", seconds=300)).session.status is ExamStatus.OVERDUE
    view = await staff.act("adjust_time", seconds=600)
    assert (view.session.status, view.session.deadline) == (ExamStatus.ACTIVE, later(hours=1, minutes=15))


async def test_what_counted_is_taken_back_and_counts_again(store: ExamStore, staff: Oversight) -> None:
    """Counters of the student follow every act; grades stay as they were made."""
    await store.begin(exam_session())
    counted: list[int] = []
    for command in ("force_submit", "invalidate", "reinstate", "reopen", "force_submit"):
        await staff.act(command)
        student = await store.exams(lambda work: work.hold_progress(USER))
        counted.append(student.exams_finished)
    assert counted == [1, 0, 1, 0, 1]
    assert [grade.revision for grade in await store.grades_of(USER, SESSION)] == [1, 2]


async def test_what_was_handed_in_by_its_student_is_neither_terminated_nor_reopened(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    await staff.act("force_submit")
    finished = await store.session_of(USER, SESSION)
    await store.exams(lambda work: work.save_session(replace(finished, seal_reason=SealReason.STUDENT)))
    with pytest.raises(ExamAlreadySubmitted):
        await staff.act("terminate")
    with pytest.raises(ExamNotReopenable):
        await staff.act("reopen")


async def test_nothing_is_reopened_while_another_session_of_the_package_is_live(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    await staff.act("force_submit")
    await store.begin(exam_session(session_id="exs_2", attempt_no=2))
    audited = len(await staff.audited())
    with pytest.raises(ExamNotReopenable):
        await staff.act("reopen")
    assert (await store.session_of(USER, SESSION)).status is ExamStatus.FINISHED
    assert len(await staff.audited()) == audited
    await staff.act("terminate", session_id="exs_2")
    assert (await staff.act("reopen")).session.status is ExamStatus.ACTIVE


async def test_what_was_given_up_and_has_no_time_is_handed_in_by_reopening(store: ExamStore, staff: Oversight) -> None:
    rules = exam_rules(overdue_policy=OverduePolicy.ABANDON)
    await store.begin(exam_session(rules=rules))
    store.clock.set(later(hours=2))
    await staff.lapse()
    assert (await store.session_of(USER, SESSION)).status is ExamStatus.ABANDONED
    view = await staff.act("reopen")
    assert (view.session.status, view.session.result is not None) == (ExamStatus.FINISHED, True)
    assert (await staff.told())[-2:] == ["session_reopened", "grade_recorded"]


async def test_reopening_with_more_time_lets_a_student_go_on(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    store.clock.set(later(hours=1, minutes=10))
    await staff.lapse()
    with pytest.raises(ExamNotReopenable):
        await staff.act("reopen")
    view = await staff.act("reopen", extra_seconds=1800)
    assert (view.session.status, view.session.deadline) == (ExamStatus.ACTIVE, later(hours=1, minutes=30))


@on_postgres
async def test_of_two_who_end_a_session_at_once_one_does_and_the_other_learns_of_it(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    outcomes = await asyncio.gather(
        *(staff.act("terminate", f"reason {number}") for number in range(4)),
        *(staff.act("pause") for _ in range(2)),
        staff.act("force_submit"),
        return_exceptions=True,
    )
    assert all(not isinstance(each, BaseException) or isinstance(each, DomainError) for each in outcomes)
    session = await store.session_of(USER, SESSION)
    record = await store.record_of(USER, SESSION)
    assert first_broken(record) is None
    assert session.record_count == len(record)
    assert session.status in (ExamStatus.TERMINATED, ExamStatus.FINISHED)
    ended = [entry for entry in await staff.audited() if entry.action.endswith(("terminated", "force_submitted"))]
    assert len(ended) in (1, 2), "terminated, and then handed in at most"
