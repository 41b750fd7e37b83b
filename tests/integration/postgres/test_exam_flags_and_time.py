"""Flags of sessions and accommodations of students, on dictionaries and on the real database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.auth.people import UserNotFound
from domain.errors import InvalidInput
from domain.exam.deadlines import deadline
from domain.exam.flags import FlagNotFound
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.sessions import Accommodation, ExamStatus, SealReason
from tests.support.exam_builders import ROOT, SESSION, START, STUDENT, exam_session, later
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


async def test_a_session_is_flagged_in_any_state_and_nothing_about_it_changes(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    before = await store.session_of(USER, SESSION)
    flag = await staff.flag(" second_person ", "  at 9:20 ")
    assert await store.session_of(USER, SESSION) == before
    assert (flag.type, flag.note, flag.created_by, flag.created_at) == (
        "second_person",
        "at 9:20",
        ROOT.user_id,
        START,
    )
    await staff.act("invalidate")
    await staff.flag("again")
    kept = await staff.transact(lambda work: work.flags(USER, SESSION))
    assert [each.type for each in kept] == ["second_person", "again"]
    (entry, *_) = await staff.audited()
    assert (entry.action, entry.subject) == ("exam_session.flagged", SESSION)
    assert entry.after == {"user_id": USER, "flag_id": flag.id, "type": "second_person"}


@pytest.mark.parametrize("type_", ["", "   ", "x" * 65, "resolved"])
async def test_a_flag_says_what_it_is_about(store: ExamStore, staff: Oversight, type_: str) -> None:
    await store.begin(exam_session())
    with pytest.raises(InvalidInput):
        await staff.flag(type_)
    assert list(await staff.audited()) == []


async def test_a_flag_is_resolved_once(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    await store.begin(exam_session(session_id="exs_2", status=ExamStatus.TERMINATED, **_ENDED, attempt_no=2))
    flag = await staff.flag()
    store.clock.advance(seconds=5)
    first = await staff.resolve(flag.id, "it was nobody")
    assert (first.id, first.resolution, first.resolved_by) == (flag.id, "it was nobody", ROOT.user_id)
    assert first.resolved_at == store.clock.now()
    store.clock.advance(seconds=5)
    assert await staff.resolve(flag.id, "something else") == first
    assert [entry.action for entry in await staff.audited()] == ["exam_session.flagged", "exam_session.flag_resolved"]
    kept = await staff.transact(lambda work: work.flags(USER, SESSION))
    for session_id, flag_id in ((SESSION, "flg_none"), ("exs_2", flag.id), (SESSION, kept[1].id)):
        with pytest.raises(FlagNotFound):
            await staff.resolve(flag_id, session_id=session_id)
    with pytest.raises(ExamSessionNotFound):
        await staff.resolve(flag.id, session_id="exs_3")


async def test_an_accommodation_holds_for_later_exams_and_on_request_for_live_ones(
    store: ExamStore, staff: Oversight
) -> None:
    await store.begin(exam_session())
    view = await staff.grant("1.5", 60)
    assert (view.accommodation, view.sessions) == (Accommodation(multiplier=Decimal("1.5"), extra_seconds=60), ())
    later_ones = await store.exams(lambda work: work.accommodation_of(USER))
    assert later_ones == view.accommodation
    assert deadline(await store.session_of(USER, SESSION), START) == later(hours=1)
    view = await staff.grant("1.5", 60, live=True)
    assert view.sessions == (SESSION,)
    assert deadline(await store.session_of(USER, SESSION), START) == later(minutes=91)
    assert [entry.action for entry in await staff.audited()] == [
        "accommodation.changed",
        "exam_session.accommodated",
    ]
    first, second = await staff.audited()
    assert (first.subject, first.before, first.after, first.reason) == (
        USER,
        {"time_multiplier": "1", "extra_seconds": 0},
        {"time_multiplier": "1.5", "extra_seconds": 60},
        "why",
    )
    assert second.before is not None
    assert second.before["time_multiplier"] == "1"
    assert "accommodation_applied" in await staff.told()


async def test_the_same_accommodation_again_is_no_act(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    first = await staff.grant("1.250", live=True)
    audited = await staff.audited()
    store.clock.advance(seconds=5)
    again = await staff.grant("1.25", live=True)
    assert (again.granted, again.sessions) == (first.granted, ())
    assert await staff.audited() == audited


async def test_no_live_exam_ends_earlier_by_an_accommodation(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session(accommodation=Accommodation(multiplier=Decimal(2))))
    view = await staff.grant("1.5", live=True)
    assert view.sessions == ()
    assert deadline(await store.session_of(USER, SESSION), START) == later(hours=2)
    assert await store.exams(lambda work: work.accommodation_of(USER)) == Accommodation(multiplier=Decimal("1.5"))


async def test_an_exam_that_time_has_ended_is_not_given_more_of_it(store: ExamStore, staff: Oversight) -> None:
    await store.begin(exam_session())
    store.clock.set(later(hours=2))
    assert (await staff.grant("3", live=True)).sessions == ()
    assert (await store.session_of(USER, SESSION)).status is ExamStatus.FINISHED


@pytest.mark.parametrize(
    ("multiplier", "extra"), [("0.9", 0), ("10.001", 0), ("1.2345", 0), ("NaN", 0), ("1", -1), ("1", 86_401)]
)
async def test_what_takes_time_or_is_beyond_all_need_is_refused(
    store: ExamStore, staff: Oversight, multiplier: str, extra: int
) -> None:
    with pytest.raises(InvalidInput):
        await staff.grant(multiplier, extra)
    assert list(await staff.audited()) == []


async def test_accommodations_are_of_students(store: ExamStore, staff: Oversight) -> None:
    for nobody in ("usr_none", ROOT.user_id):
        with pytest.raises(UserNotFound):
            await staff.grant("2", user_id=nobody)
