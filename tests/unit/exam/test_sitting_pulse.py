"""Heartbeats, events and the sweeper, on memory."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.exam.sweeping import LapseExam, SweepExams, Swept
from application.exam.views import Instruction
from domain.enrollment.settings import OverduePolicy, PackageSettings
from domain.errors import StoreUnavailable
from domain.exam.record import Entry, first_broken
from domain.exam.refusals import (
    EventRate,
    EventTooLarge,
    EventTypeUnknown,
    ExamEnrollmentRequired,
    ExamNotActive,
    ExamNotStarted,
    ExamSessionNotFound,
    PackageAmbiguous,
    SnapshotTooLarge,
)
from domain.exam.sessions import ExamSession, ExamStatus
from tests.support.exam_builders import PACKAGE, SESSION, STRANGER, STUDENT, exam_rules, exam_session, later
from tests.support.exam_sitting import MemoryDueExams, Sitting
from tests.support.exam_stores import ExamsInMemory
from tests.support.postgres import SettableClock


@pytest.fixture
def store() -> ExamsInMemory:
    store = ExamsInMemory(SettableClock(at=later()))
    store.stock(STUDENT)
    return store


@pytest.fixture
def sitting(store: ExamsInMemory) -> Sitting:
    return Sitting(store)


async def _session(store: ExamsInMemory, session_id: str = SESSION) -> ExamSession:
    return await store.session_of(STUDENT.user_id, session_id)


async def _told(store: ExamsInMemory, type_: str) -> list[Entry]:
    record = await store.record_of(STUDENT.user_id, SESSION)
    assert first_broken(record) is None
    return [each for each in record if each.type == type_]


class TestHeartbeats:
    async def test_the_newest_stands_and_one_that_comes_late_changes_nothing(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        await store.begin(exam_session())
        store.clock.advance(seconds=10)
        newest = await sitting.beat(seq=7, snapshot=b'{"at": 7}')
        assert (newest.id, newest.last_seq, newest.stale, newest.instructions) == (SESSION, 7, False, ())
        assert (newest.server_time, newest.remaining_seconds) == (later(seconds=10), 3590)
        before = await _session(store)
        store.clock.advance(seconds=5)
        for late in (7, 3):
            stale = await sitting.beat(seq=late, snapshot=b'{"at": 3}')
            assert (stale.stale, stale.last_seq, stale.remaining_seconds) == (True, 7, 3585)
        assert await _session(store) == before
        assert await store.snapshot_of(STUDENT.user_id, SESSION) == {"at": 7}

    async def test_without_a_number_it_is_the_next_and_without_a_snapshot_the_last_one_stays(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        await store.begin(exam_session())
        await sitting.beat(seq=7, snapshot=b'{"at": 7}')
        assert (await sitting.beat()).last_seq == 8
        assert await store.snapshot_of(STUDENT.user_id, SESSION) == {"at": 7}

    async def test_a_silence_is_told_from_the_last_sign_of_life(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        for seconds in (60, 15, 15.000001):  # how long it took to the first heartbeat is no gap
            store.clock.advance(seconds=seconds)
            await sitting.beat()
        (gap,) = await _told(store, "connection_gap")
        assert (gap.effective_at, gap.at - gap.effective_at) == (later(seconds=75), timedelta(seconds=15.000001))

    async def test_a_wrong_clock_is_told_at_most_once_in_a_minute(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        await sitting.beat(client_at=later(seconds=30))
        for _ in range(10):
            await sitting.beat(client_at=store.clock.now() - timedelta(seconds=31))
            store.clock.advance(seconds=12)
        told = await _told(store, "clock_drift")
        assert [each.at for each in told] == [later(), later(seconds=60)]
        assert told[0].content == '{"seconds":-31}'
        assert told[0].client_at == later(seconds=-31)

    async def test_once_no_time_is_left_the_browser_is_told_to_hand_in(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        """What arrives within the latency still counts; nobody should wait for its end."""
        await store.begin(exam_session(rules=exam_rules(latency_seconds=60)))
        store.clock.advance(seconds=3599)
        assert ((told := await sitting.beat()).remaining_seconds, told.instructions) == (1, ())
        store.clock.advance(seconds=1)
        for _ in range(2):
            told = await sitting.beat()
            assert (told.status, told.remaining_seconds) == (ExamStatus.ACTIVE, 0)
            assert told.instructions == (Instruction.SUBMIT,)
            store.clock.advance(seconds=30)

    async def test_of_an_exam_that_stands_still_only_the_sign_of_life_is_kept(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        await store.begin(exam_session(status=ExamStatus.PAUSED, paused_at=later(), last_seq=4))
        store.clock.advance(minutes=10)
        kept = await sitting.beat(seq=5, snapshot=b"{}", client_at=later())
        assert (kept.status, kept.last_seq, kept.instructions) == (ExamStatus.PAUSED, 4, (Instruction.PAUSED,))
        assert kept.remaining_seconds == 3600
        assert (await _session(store)).last_heartbeat_at == later(minutes=10)
        assert await store.snapshot_of(STUDENT.user_id, SESSION) is None
        assert await store.record_of(STUDENT.user_id, SESSION) == []

    async def test_a_browser_learns_that_time_is_over(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session(rules=exam_rules(overdue_policy=OverduePolicy.GRACE)))
        store.clock.advance(hours=2)
        told = await sitting.beat(seq=1)
        assert (told.status, told.instructions, told.remaining_seconds) == (
            ExamStatus.OVERDUE,
            (Instruction.SUBMIT,),
            0,
        )

    async def test_it_never_brings_an_exam_back(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        store.clock.advance(hours=2)
        with pytest.raises(ExamNotActive):
            await sitting.beat(seq=1)
        assert (await _session(store)).status is ExamStatus.FINISHED

    async def test_a_snapshot_has_its_limit(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        largest = b'"' + b"x" * (64 * 1024 - 2) + b'"'
        await sitting.beat(snapshot=largest)
        with pytest.raises(SnapshotTooLarge):
            await sitting.beat(snapshot=largest + b" ")


class TestBeginningByHeartbeat:
    async def test_an_unknown_id_of_an_enrolled_student_begins_the_exam_under_it(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        begun = await sitting.beat(session_id="mine-1", seq=3, snapshot=b'{"page": 1}')
        assert (begun.id, begun.status, begun.last_seq, begun.stale) == ("mine-1", ExamStatus.ACTIVE, 3, False)
        assert await store.snapshot_of(STUDENT.user_id, "mine-1") == {"page": 1}
        assert (await sitting.beat(session_id="mine-1", seq=4)).last_seq == 4

    async def test_where_another_one_is_live_that_one_is_told_of(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        told = await sitting.beat(session_id="mine-1", seq=3, snapshot=b'{"page": 1}', package_id=PACKAGE)
        assert (told.id, told.stale, told.last_seq) == (SESSION, True, 0)
        assert await store.snapshot_of(STUDENT.user_id, SESSION) is None

    async def test_who_is_enrolled_nowhere_learns_nothing(self, store: ExamsInMemory, sitting: Sitting) -> None:
        store.admit(STRANGER)
        await store.begin(exam_session())
        with pytest.raises(ExamSessionNotFound):
            await sitting.beat(actor=STRANGER)

    async def test_of_several_packages_one_has_to_be_named(self, store: ExamsInMemory, sitting: Sitting) -> None:
        store.offer([], "pkg_other")
        store.hold_exams(package_id="pkg_other")
        store.enroll(STUDENT.user_id, "pkg_other")
        with pytest.raises(PackageAmbiguous):
            await sitting.beat(session_id="mine-1")
        assert (await sitting.beat(session_id="mine-1", package_id=PACKAGE)).id == "mine-1"
        with pytest.raises(ExamEnrollmentRequired):
            await sitting.beat(session_id="mine-2", package_id="pkg_none")

    async def test_where_somebody_has_to_let_students_begin_it_waits(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        store.hold_exams(PackageSettings(authorised_start=True))
        with pytest.raises(ExamNotStarted):
            await sitting.beat(session_id="mine-1")
        assert (await _session(store, "mine-1")).status is ExamStatus.CREATED


class TestEvents:
    async def test_events_go_into_the_record_as_they_are(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        recorded = await sitting.record("note", payload='{"ü": [1, 2]}'.encode(), client_at=later(seconds=-3))
        (entry,) = await _told(store, "note")
        assert (recorded.id, recorded.at, recorded.created) == (entry.id, later(), True)
        assert (entry.content, entry.client_at, entry.effective_at) == ('{"ü": [1, 2]}', later(seconds=-3), later())

    async def test_what_a_browser_names_is_recorded_once_and_told_again_even_after_the_exam(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        await store.begin(exam_session())
        first = await sitting.record(client_event_id="one")
        assert await sitting.record("copy", client_event_id="one") == replace(first, created=False)
        await sitting.submit()
        assert await sitting.record(client_event_id="one") == replace(first, created=False)
        with pytest.raises(ExamNotActive):
            await sitting.record(client_event_id="two")
        assert len(await _told(store, "focus_lost")) == 1

    async def test_sixty_in_a_minute_and_no_more(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session())
        for _ in range(60):
            await sitting.record()
        with pytest.raises(EventRate):
            await sitting.record()
        store.clock.advance(seconds=60)
        await sitting.record()

    @pytest.mark.parametrize(
        ("event", "refusal"),
        [
            ({"type_": "connection_gap"}, EventTypeUnknown),
            ({"type_": "session_submitted"}, EventTypeUnknown),
            ({"payload": b" " * 8193}, EventTooLarge),
        ],
    )
    async def test_students_report_what_browsers_see_and_no_novels(
        self, store: ExamsInMemory, sitting: Sitting, event: dict[str, Any], refusal: type[Exception]
    ) -> None:
        await store.begin(exam_session())
        with pytest.raises(refusal):
            await sitting.record(**event)
        assert await store.record_of(STUDENT.user_id, SESSION) == []


class TestSweeping:
    async def test_every_exam_whose_time_is_over_is_ended_once(self, store: ExamsInMemory, sitting: Sitting) -> None:
        for number in range(7):
            await store.begin(exam_session(session_id=f"exs_{number}", attempt_no=number + 1, at=later(minutes=number)))
        store.clock.set(later(hours=1, minutes=5, seconds=0))  # the last two are within their latency
        assert await sitting.sweep(at_once=2) == Swept(due=4, ended=4)
        assert await sitting.sweep() == Swept()
        store.clock.advance(minutes=3)
        assert await sitting.sweep() == Swept(due=3, ended=3)
        for number in range(7):
            session = await _session(store, f"exs_{number}")
            assert (session.status, session.sealed_at) == (ExamStatus.FINISHED, later(hours=1, minutes=number))

    async def test_an_exam_with_grace_is_swept_twice(self, store: ExamsInMemory, sitting: Sitting) -> None:
        await store.begin(exam_session(rules=exam_rules(overdue_policy=OverduePolicy.GRACE, grace_seconds=7200)))
        store.clock.advance(hours=2)
        assert await sitting.sweep() == Swept(due=1, ended=1)
        assert (await _session(store)).status is ExamStatus.OVERDUE
        assert await sitting.sweep() == Swept()
        store.clock.advance(hours=2)
        assert await sitting.sweep() == Swept(due=1, ended=1)
        assert (await _session(store)).status is ExamStatus.ABANDONED

    async def test_one_that_fails_stops_no_other(
        self, store: ExamsInMemory, sitting: Sitting, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(5):
            await store.begin(exam_session(session_id=f"exs_{number}", attempt_no=number + 1))
        store.clock.advance(hours=2)

        class Failing(LapseExam):
            async def __call__(self, user_id: str, session_id: str) -> bool:
                if session_id in ("exs_0", "exs_3"):
                    raise StoreUnavailable if session_id == "exs_0" else ZeroDivisionError("a secret")
                return await LapseExam.__call__(self, user_id, session_id)

        failing = Failing(transact=store.exams, ids=store.ids)
        sweep = SweepExams(due_exams=MemoryDueExams(store), lapse_exam=failing, at_once=2)
        with caplog.at_level(logging.ERROR):
            assert await sweep() == Swept(due=5, ended=3, failed=2)
        assert [record.getMessage() for record in caplog.records] == [
            "the exam session exs_0 could not be ended: service.unavailable",
            "the exam session exs_3 could not be ended: ZeroDivisionError",
        ]
        assert await sitting.sweep() == Swept(due=2, ended=2)

    async def test_a_session_that_is_gone_or_not_due_is_left_alone(
        self, store: ExamsInMemory, sitting: Sitting
    ) -> None:
        await store.begin(exam_session())
        assert not await sitting.lapse_exam(STUDENT.user_id, SESSION)
        assert not await sitting.lapse_exam(STUDENT.user_id, "exs_none")
