"""How long signing in elsewhere spares the browser in which an exam is sat: as long as the exam may last by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.enrollment.settings import OverduePolicy
from domain.exam.sessions import ExamSession
from domain.exam.starting import sitting_until
from tests.support.exam_builders import AN_HOUR, PAPER, SESSION, STUDENT, Offer, exam_rules, exam_session, later
from tests.support.exam_overseeing import Oversight, oversight_of
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamStore
from tests.support.postgres import SettableClock

USER = STUDENT.user_id
ELSEWHERE = replace(STUDENT, session_id="ses_elsewhere")
A_DAY = timedelta(days=1)
LATENCY = timedelta(seconds=exam_rules().latency_seconds)
END = later(hours=1) + LATENCY


@pytest.fixture(params=["memory", "postgres"])
def staff(request: pytest.FixtureRequest, clock: SettableClock) -> Oversight:
    return oversight_of(request, clock)


@pytest.fixture
async def store(staff: Oversight) -> ExamStore:
    """The student sits the exam in one browser and is signed in in another one, too."""
    store = staff.store
    store.admit(ELSEWHERE)
    await _sit(store, exam_session())
    assert await _marks(store) == (END, None)
    return store


async def test_more_time_counts_at_once(store: ExamStore, staff: Oversight) -> None:
    await staff.act("adjust_time", "a power cut", seconds=7200)
    assert await _marks(store) == (END + timedelta(hours=2), None)


async def test_so_does_less(store: ExamStore, staff: Oversight) -> None:
    await staff.act("adjust_time", "a mistake", seconds=-600)
    assert await _marks(store) == (END - timedelta(minutes=10), None)


async def test_nobody_knows_when_a_pause_ends(store: ExamStore, staff: Oversight) -> None:
    store.clock.advance(minutes=10)
    await staff.act("pause", "a fire alarm")
    assert await _marks(store) == (store.clock.now() + A_DAY, None)
    store.clock.advance(minutes=20)
    await staff.act("resume", "over")
    assert await _marks(store) == (END + timedelta(minutes=20), None)


async def test_extra_time_that_is_granted_meanwhile_counts(store: ExamStore, staff: Oversight) -> None:
    await staff.grant("1.5", 60, live=True)
    assert await _marks(store) == (END + timedelta(minutes=31), None)


async def test_who_is_called_back_may_go_on_in_any_browser(store: ExamStore, staff: Oversight) -> None:
    """Which one it was is not known any more."""
    await staff.act("force_submit", "by mistake")
    assert await _marks(store) == (None, None)
    await staff.act("reopen", "sorry", extra_seconds=AN_HOUR)
    assert await _marks(store) == (END + timedelta(hours=1),) * 2


async def test_the_grace_counts(staff: Oversight) -> None:
    store = staff.store
    store.admit(ELSEWHERE)
    rules = exam_rules(time_limit_seconds=AN_HOUR, overdue_policy=OverduePolicy.GRACE)
    await _sit(store, exam_session(rules=rules))
    store.clock.set(END + timedelta(seconds=1))
    assert await Sitting(store).lapse_exam(USER, SESSION)
    assert await _marks(store) == (later(hours=1, seconds=rules.grace_seconds), None)


async def test_of_two_exams_at_once_the_longer_one_counts(store: ExamStore, staff: Oversight) -> None:
    paper = [Offer(id="qst_other")]
    store.stock(paper=paper, package_id="pkg_2")
    rules = exam_rules(time_limit_seconds=3 * AN_HOUR)
    other = exam_session(session_id="exs_2", exam_package_id="pkg_2", tier_id="tie_2", rules=rules)
    await _sit(store, other, paper)
    await staff.act("adjust_time", "a power cut", seconds=60)
    assert await _marks(store) == (END + timedelta(hours=2), None)
    await staff.act("adjust_time", "another one", seconds=3 * AN_HOUR)
    assert await _marks(store) == (END + timedelta(hours=3, minutes=1), None)


async def _sit(store: ExamStore, session: ExamSession, paper: Sequence[Offer] = PAPER) -> None:
    await store.begin(session, paper)
    until = sitting_until(session, store.clock.now())
    await store.exams(lambda work: work.mark_sitting(USER, STUDENT.session_id, until))


async def _marks(store: ExamStore) -> tuple[datetime | None, datetime | None]:
    return await store.sits_until(STUDENT), await store.sits_until(ELSEWHERE)
