"""Time given to or taken from many sessions at once, on dictionaries and on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from application.exam.adjusting import Adjustment, AdjustTimes
from application.exam.ports.overseeing import OverseeWork
from application.ports import Transaction
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError, OutcomeUnknown, StoreUnavailable
from domain.exam.sessions import ExamStatus, SealReason
from tests.support.exam_builders import ROOT, SESSION, START, STRANGER, STUDENT, exam_rules, exam_session, later
from tests.support.exam_overseeing import Oversight, oversight_of
from tests.support.exam_stores import ExamStore
from tests.support.postgres import SettableClock

USER = STUDENT.user_id
_ENDED: dict[str, Any] = {"sealed_at": START, "seal_reason": SealReason.TERMINATED}


@pytest.fixture(params=["memory", "postgres"])
def staff(request: pytest.FixtureRequest, clock: SettableClock) -> Oversight:
    return oversight_of(request, clock)


@pytest.fixture
def store(staff: Oversight) -> ExamStore:
    return staff.store


async def test_many_sessions_are_adjusted_each_by_itself(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    await store.begin(exam_session(user_id=STRANGER.user_id, session_id="exs_eve"))
    await staff.act("terminate", user_id=STRANGER.user_id, session_id="exs_eve")
    done = await staff.adjust_all((USER, SESSION), (STRANGER.user_id, "exs_eve"), (USER, "exs_none"), (USER, SESSION))
    assert [(each.session_id, each.result, each.refusal and each.refusal.code) for each in done.sessions] == [
        (SESSION, "adjusted", None),
        ("exs_eve", "refused", "exam.terminated"),
        ("exs_none", "refused", "exam.session_not_found"),
    ]
    assert (done.complete, done.sessions[0].deadline) == (True, later(hours=1, minutes=5))
    (*_, entry) = await staff.audited()
    assert (entry.action, entry.subject, entry.reason) == ("exam_session.time_adjusted", SESSION, "why")


async def test_an_adjustment_is_taken_once_however_often_it_is_sent(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    first = await staff.adjust_all((USER, SESSION))
    kept = await store.session_of(USER, SESSION), await staff.audited()
    again = await asyncio.gather(*(staff.adjust_all((USER, SESSION)) for _ in range(3)))
    assert all(each == first for each in again)
    assert (await store.session_of(USER, SESSION), await staff.audited()) == kept
    other = await staff.adjust_all((USER, SESSION), id_="another alarm")
    assert other.sessions[0].deadline == later(hours=1, minutes=10)
    (reused,) = (await staff.adjust_all((USER, SESSION), seconds=600)).sessions
    assert reused.refusal is not None
    assert reused.refusal.code == "exam.adjustment_reused"


async def test_an_adjustment_that_comes_first_from_several_sides_at_once_is_taken_once(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    done = await asyncio.gather(*(staff.adjust_all((USER, SESSION)) for _ in range(5)))
    assert {each.sessions[0].deadline for each in done} == {later(hours=1, minutes=5)}
    assert len(await staff.audited()) == 1


async def test_no_student_can_pose_as_an_adjustment(store: ExamStore, staff: Oversight) -> None:
    """The name of an adjustment in the record has a character that no name of a student's event has."""
    await store.begin(exam_session())
    await staff.adjust_all((USER, SESSION))
    (entry,) = await store.record_of(USER, SESSION)
    assert (entry.client_event_id, entry.source, entry.actor_id) == ("adjust:alarm", "staff", ROOT.user_id)


async def test_every_live_session_of_a_package_is_adjusted(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    await store.begin(exam_session(user_id=STRANGER.user_id, session_id="exs_eve"))
    await store.begin(exam_session(session_id="exs_0", status=ExamStatus.TERMINATED, **_ENDED, attempt_no=2))
    done = await staff.adjust_all(package_id="pkg_security")
    assert {(each.session_id, each.result) for each in done.sessions} == {
        (SESSION, "adjusted"),
        ("exs_eve", "adjusted"),
    }
    again = await staff.adjust_all(package_id="pkg_security")
    assert (again.sessions, again.complete) == ((), True)
    assert (await store.session_of(USER, SESSION)).adjust_seconds == 300


async def test_what_a_request_has_no_time_for_is_pending_and_done_when_asked_again(
    store: ExamStore, staff: Oversight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same request goes on where it ended, and what it did before is told once more."""
    monkeypatch.setattr("application.exam.adjusting.REQUEST_TIME", timedelta(0))
    monkeypatch.setattr("application.exam.adjusting.AT_ONCE", 1)
    await store.begin(exam_session())
    await store.begin(exam_session(user_id=STRANGER.user_id, session_id="exs_eve"))
    wanted = ((USER, SESSION), (STRANGER.user_id, "exs_eve"))
    first = await staff.adjust_all(*wanted)
    assert [each.result for each in first.sessions] == ["adjusted", "pending"]
    assert not first.complete
    assert (await store.session_of(STRANGER.user_id, "exs_eve")).adjust_seconds == 0
    second = await staff.adjust_all(*wanted)
    assert (second.complete, second.sessions[0]) == (True, first.sessions[0])
    assert second.sessions[1].result == "adjusted"
    for user_id, session_id in wanted:
        assert (await store.session_of(user_id, session_id)).adjust_seconds == 300


@pytest.mark.parametrize("failure", [OutcomeUnknown, StoreUnavailable])
async def test_what_nobody_knows_is_pending_and_the_store_is_not_asked_for_more(
    store: ExamStore, staff: Oversight, monkeypatch: pytest.MonkeyPatch, failure: type[DomainError]
) -> None:
    """The answer of the store was lost: whether the session has the time shows when it is asked for again."""
    monkeypatch.setattr("application.exam.adjusting.AT_ONCE", 1)
    await store.begin(exam_session())
    await store.begin(exam_session(user_id=STRANGER.user_id, session_id="exs_eve"))
    wanted = ((USER, SESSION), (STRANGER.user_id, "exs_eve"))
    lossy = AdjustTimes(transact=_Lossy(staff.transact, failure), oversee_reader=staff.reader, ids=store.ids)
    adjustment = Adjustment(id="alarm", seconds=300, reason="why", sessions=wanted)
    lost = await lossy(ROOT, adjustment)
    assert ([each.result for each in lost.sessions], lost.complete) == (["pending", "pending"], False)
    assert (await store.session_of(USER, SESSION)).adjust_seconds == 300
    assert (await store.session_of(STRANGER.user_id, "exs_eve")).adjust_seconds == 0
    again = await staff.adjust_all(*wanted)
    assert [each.result for each in again.sessions] == ["adjusted", "adjusted"]
    assert (await store.session_of(USER, SESSION)).adjust_seconds == 300


@dataclass(frozen=True, slots=True)
class _Lossy(Transaction[OverseeWork]):
    """Does everything and loses the answer."""

    transact: Transaction[OverseeWork]
    failure: type[DomainError]

    async def __call__(self, unit: Callable[[OverseeWork], Awaitable[Any]], /) -> Any:
        await self.transact(unit)
        raise self.failure


async def test_of_more_than_are_done_at_once_the_rest_is_done_when_asked_again(
    store: ExamStore, staff: Oversight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.exam.adjusting.MOST_SESSIONS", 1)
    await store.begin(exam_session())
    await store.begin(exam_session(user_id=STRANGER.user_id, session_id="exs_eve"))
    done = [await staff.adjust_all(package_id="pkg_security") for _ in range(3)]
    assert [len(each.sessions) for each in done] == [1, 1, 0]
    assert [each.complete for each in done] == [False, True, True]


async def _sit(staff: Oversight, *limits: int) -> None:
    """Somebody sits an exam under each of these limits, `usr_0` the first."""
    for number, seconds in enumerate(limits):
        somebody = replace(STUDENT, user_id=f"usr_{number}", session_id=f"ses_{number}")
        staff.store.admit(somebody)
        staff.settle_in(somebody)
        rules = exam_rules(time_limit_seconds=seconds)
        await staff.store.begin(exam_session(user_id=somebody.user_id, session_id=f"exs_{number}", rules=rules))


async def test_those_that_cannot_have_it_do_not_stand_before_those_that_can(
    staff: Oversight, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They never have it, so that they are the first ones of every repetition."""
    monkeypatch.setattr("application.exam.adjusting.MOST_SESSIONS", 2)
    short, long = 300, 3600
    await _sit(staff, short, short, short, long, short, long, long)
    clock.advance(minutes=1)
    done = [await staff.adjust_all(package_id="pkg_security", seconds=-600) for _ in range(2)]
    assert [[each.session_id for each in told.sessions if each.result == "adjusted"] for told in done] == [
        ["exs_3", "exs_5"],
        ["exs_6"],
    ]
    assert [each.complete for each in done] == [False, True]
    refused = [each.session_id for each in done[1].sessions if each.refusal]
    assert refused == ["exs_0", "exs_1", "exs_2", "exs_4"]
    assert {each.refusal.code for each in done[1].sessions if each.refusal} == {"exam.adjust_too_small"}


async def test_those_that_cannot_have_it_cost_no_time(
    staff: Oversight, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.exam.adjusting.REQUEST_TIME", timedelta(0))
    monkeypatch.setattr("application.exam.adjusting.AT_ONCE", 1)
    monkeypatch.setattr("application.exam.adjusting.MOST_SESSIONS", 1)
    await _sit(staff, 300, 300, 3600, 3600)
    clock.advance(minutes=1)
    done = [await staff.adjust_all(package_id="pkg_security", seconds=-600) for _ in range(2)]
    assert [[(each.session_id, each.result.value) for each in told.sessions] for told in done] == [
        [("exs_0", "refused"), ("exs_1", "refused"), ("exs_2", "adjusted")],
        [("exs_0", "refused"), ("exs_1", "refused"), ("exs_3", "adjusted")],
    ]
    assert [told.complete for told in done] == [False, True]


async def test_there_is_a_package_to_adjust_or_a_refusal(staff: Oversight) -> None:
    told = await staff.adjust_all(package_id="pkg_security")
    assert (told.sessions, told.complete) == ((), True)
    with pytest.raises(PackageNotFound):
        await staff.adjust_all(package_id="pkg_none")
