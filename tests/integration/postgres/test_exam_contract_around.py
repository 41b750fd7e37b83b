"""Starting exams, and what an exam changes beside itself, on dictionaries and on the real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.enrollment.settings import Navigation, PackageSettings
from domain.exam.sessions import (
    NO_ACCOMMODATION,
    Accommodation,
    ExamSession,
    ExamStatus,
    SealReason,
)
from domain.progress.readiness import Prediction
from domain.question_bank.blueprints import Blueprint, Section
from tests.support.exam_builders import (
    PACKAGE,
    ROOT,
    SESSION,
    START,
    STRANGER,
    STUDENT,
    TIER,
    exam_session,
    later,
)
from tests.support.exam_stores import ExamStore, exam_store_of
from tests.support.postgres import SettableClock

USER = STUDENT.user_id


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: SettableClock) -> ExamStore:
    """Two students who are enrolled in a package with a question of each kind, and somebody of the staff."""
    store = exam_store_of(request, clock)
    store.stock(STUDENT, STRANGER)
    store.admit(ROOT)
    return store


@pytest.mark.parametrize("status", ExamStatus)
async def test_the_live_session_is_one_that_is_stored_as_live(store: ExamStore, status: ExamStatus) -> None:
    shapes: dict[ExamStatus, dict[str, Any]] = {
        ExamStatus.PAUSED: {"paused_at": START},
        ExamStatus.CREATED: {"started_at": None},
        ExamStatus.INVALIDATED: {"invalidated_at": START, "invalidation_reason": "x"},
        ExamStatus.FINISHED: {"grade_revision": 1, "mark": Decimal(0), "max_mark": Decimal(8), "passed": False},
    }
    sealed: dict[str, Any] = {} if status.is_live else {"sealed_at": START, "seal_reason": SealReason.FORCED}
    session = await store.begin(exam_session(status=status, **shapes.get(status, {}), **sealed))
    found = await store.exams(lambda work: work.live_session(USER, PACKAGE))
    assert found == (session if status.is_live else None)
    assert await store.exams(lambda work: work.live_session(STRANGER.user_id, PACKAGE)) is None


async def test_an_enrolment_opens_what_its_tier_and_package_say(store: ExamStore, clock: SettableClock) -> None:
    settings = PackageSettings(attempts_allowed=2, closes_at=later(days=3), navigation=Navigation.LINEAR)
    blueprint = Blueprint(sections=(Section(count=2, difficulty_id="dif_easy", marks=Decimal("1.5")),))
    store.hold_exams(settings, duration_seconds=600, pass_mark=70, blueprint=blueprint, weekly=3)
    found = await store.exams(lambda work: work.hold_entitlement(USER, PACKAGE))
    assert found is not None
    assert (found.tier_id, found.weekly_sessions, found.duration_seconds) == (TIER, 3, 600)
    assert (found.pass_mark, found.settings, found.blueprint) == (Decimal(70), settings, blueprint)
    assert await store.exams(lambda work: work.hold_entitlement("usr_nobody", PACKAGE)) is None
    store.end_enrollment(USER)
    assert await store.exams(lambda work: work.hold_entitlement(USER, PACKAGE)) is None


async def test_an_enrolment_that_has_run_out_opens_nothing(store: ExamStore, clock: SettableClock) -> None:
    store.enroll(USER, "pkg_other", expires_at=later(hours=1))
    assert await store.exams(lambda work: work.enrolled_packages(USER)) == ("pkg_other", PACKAGE)
    clock.advance(hours=1)
    assert await store.exams(lambda work: work.enrolled_packages(USER)) == (PACKAGE,)
    assert await store.exams(lambda work: work.hold_entitlement(USER, "pkg_other")) is None


async def test_attempts_are_told_in_order_and_counted_by_their_starts(store: ExamStore) -> None:
    sealed: dict[str, Any] = {
        "status": ExamStatus.ABANDONED,
        "sealed_at": later(days=9),
        "seal_reason": SealReason.TIMEOUT,
    }
    never = await store.begin(exam_session(session_id="exs_0", attempt_no=1, started_at=None, **sealed))
    third = await store.begin(exam_session(session_id="exs_a", attempt_no=3, started_at=later(days=2), **sealed))
    second = await store.begin(exam_session(session_id="exs_b", attempt_no=2, started_at=later(days=1), **sealed))
    await store.begin(exam_session(user_id=STRANGER.user_id))
    assert await store.exams(lambda work: work.attempts(USER, PACKAGE)) == (never, second, third)
    assert await store.exams(lambda work: work.nth_latest_start(USER, PACKAGE, 1)) == later(days=2)
    assert await store.exams(lambda work: work.nth_latest_start(USER, PACKAGE, 2)) == later(days=1)
    assert await store.exams(lambda work: work.nth_latest_start(USER, PACKAGE, 3)) is None


async def test_whoever_needs_no_more_time_gets_none(store: ExamStore) -> None:
    more = Accommodation(multiplier=Decimal("1.5"), extra_seconds=300)
    assert await store.exams(lambda work: work.accommodation_of(USER)) == NO_ACCOMMODATION
    store.accommodate(USER, more)
    assert await store.exams(lambda work: work.accommodation_of(USER)) == more
    assert await store.exams(lambda work: work.accommodation_of(STRANGER.user_id)) == NO_ACCOMMODATION


async def test_who_sits_an_exam_is_marked_until_none_of_them_is_live(store: ExamStore, clock: SettableClock) -> None:
    session = await store.begin(exam_session())
    await store.exams(lambda work: work.mark_sitting(USER, STUDENT.session_id, later(hours=1)))
    assert await store.sits_until(STUDENT) == later(hours=1)
    await store.exams(lambda work: work.mark_sitting(USER, STUDENT.session_id, None))
    assert await store.sits_until(STUDENT) == clock.now() + timedelta(days=1)
    await store.exams(lambda work: work.unmark_sitting(USER))
    assert await store.sits_until(STUDENT) is not None
    await store.exams(lambda work: work.save_session(_finished(session)))
    await store.exams(lambda work: work.unmark_sitting(USER))
    assert await store.sits_until(STUDENT) is None


async def test_nobody_is_marked_by_the_session_of_another(store: ExamStore) -> None:
    await store.exams(lambda work: work.mark_sitting(STRANGER.user_id, STUDENT.session_id, later(hours=1)))
    assert await store.sits_until(STUDENT) is None


async def test_what_was_foretold_before_comes_to_what_the_exam_came_to(store: ExamStore) -> None:
    before, after = _prediction("prd_1", later(seconds=-1)), _prediction("prd_2", START)
    store.foretell(before)
    store.foretell(after)
    first = _finished(await store.begin(exam_session()))
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, first))
    assert await store.outcome_of(before) == (SESSION, True)
    assert await store.outcome_of(after) is None
    # The next attempt changes nothing of what the first came to, and a new grade of the first does.
    second = replace(first, id="exs_2", started_at=later(days=1), passed=False)
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, second))
    assert await store.outcome_of(before) == (SESSION, True)
    assert await store.outcome_of(after) == ("exs_2", False)
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, replace(first, passed=False)))
    assert await store.outcome_of(before) == (SESSION, False)


async def test_what_does_not_count_leaves_a_prediction_without_outcome(store: ExamStore) -> None:
    foretold = _prediction("prd_1", later(seconds=-1))
    store.foretell(foretold)
    finished = _finished(await store.begin(exam_session()))
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, finished))
    invalid = replace(finished, status=ExamStatus.INVALIDATED)
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, invalid))
    assert await store.outcome_of(foretold) is None
    await store.exams(lambda work: work.judge_predictions(USER, PACKAGE, finished))
    assert await store.outcome_of(foretold) == (SESSION, True)


def _finished(session: ExamSession) -> ExamSession:
    return replace(
        session,
        status=ExamStatus.FINISHED,
        sealed_at=later(hours=1),
        seal_reason=SealReason.STUDENT,
        grade_revision=1,
        mark=Decimal(8),
        max_mark=Decimal(8),
        passed=True,
        graded_at=later(hours=1),
    )


def _prediction(name: str, shown_at: datetime) -> Prediction:
    return Prediction(
        user_id=USER,
        id=name,
        exam_package_id=PACKAGE,
        shown_at=shown_at,
        p_pass=0.5,
        expected=4.0,
        lowest=2,
        highest=6,
        need=4,
        questions=7,
        coverage=1.0,
    )
