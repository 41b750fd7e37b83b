"""Beginning an exam, on dictionaries and on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.exam.ports.sessions import StartWork
from application.exam.starting import AuthoriseExam, Started, StartExam
from application.idempotency import OnceOnly, Replayed, once_only
from application.question_bank.ports.papers import PaperReader
from domain.auth.sessions import Forbidden
from domain.enrollment.settings import PackageSettings
from domain.errors import DomainError, StoreConflict
from domain.exam.moves import Intervention, terminate
from domain.exam.refusals import (
    AttemptLimit,
    EntitlementDenied,
    ExamClosed,
    ExamEnrollmentRequired,
    ExamNotOpen,
    ExamSessionNotFound,
    FormUnavailable,
    PackageAmbiguous,
    RetakeCooldown,
    WeeklyExamLimit,
)
from domain.exam.sessions import Accommodation, ExamStatus, SealReason
from domain.question_bank.blueprints import Blueprint, Candidate, PaperSlot, Section
from domain.question_bank.questions import PublicQuestion
from tests.support.exam_builders import PACKAGE, PAPER, ROOT, START, STUDENT, Offer, exam_session, later
from tests.support.exam_stores import ExamsInMemory, ExamStore, exam_store_of
from tests.support.postgres import SettableClock
from tests.support.practice_builders import offers

OTHER = "pkg_network"


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: SettableClock) -> ExamStore:
    return exam_store_of(request, clock)


@dataclass(slots=True)
class Watched(PaperReader):
    """Counts the papers that are drawn; `meanwhile` is done between the draw and the start."""

    papers: PaperReader
    drawn: int = 0
    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    async def pool(
        self, exam_package_id: str, blueprint: Blueprint, *, student_id: str | None, seed: str
    ) -> tuple[Candidate, ...] | None:
        self.drawn += 1
        return await self.papers.pool(exam_package_id, blueprint, student_id=student_id, seed=seed)

    async def questions(self, slots: Iterable[PaperSlot]) -> tuple[PublicQuestion, ...]:
        found = await self.papers.questions(slots)
        for act in self.meanwhile:
            act()
        return found


def starting(store: ExamStore, papers: PaperReader | None = None) -> StartExam:
    return StartExam(ids=store.ids, transact=store.exams, paper_reader=papers or store.papers)


async def start(store: ExamStore, package_id: str | None = PACKAGE, *, session_id: str | None = None) -> Started:
    return await starting(store)(STUDENT, package_id, session_id=session_id)


async def refused(store: ExamStore, package_id: str | None = PACKAGE, **named: str) -> type[DomainError] | None:
    try:
        await start(store, package_id, **named)
    except DomainError as refusal:
        return type(refusal)
    return None


async def give_up(store: ExamStore, started: Started) -> None:
    """The session is over at this moment."""

    async def end(work: StartWork) -> None:
        session = await work.find_session(STUDENT.user_id, started.session.id)
        assert session is not None
        by = Intervention(actor_id=STUDENT.user_id, reason="over")
        await work.save_session(terminate(session, by, work.now))

    await store.exams(end)


# The plain case.


async def test_an_enrolled_student_gets_a_paper_of_the_package(store: ExamStore) -> None:
    store.stock(STUDENT)
    store.accommodate(STUDENT.user_id, Accommodation(multiplier=Decimal("1.5"), extra_seconds=60))
    started = await start(store)
    assert started.new
    assert (started.session.status, started.session.attempt_no) == (ExamStatus.ACTIVE, 1)
    assert started.session.deadline == later(seconds=5460)
    assert started.paper is not None
    assert {slot.question_id for slot in started.paper.slots} == {offer.id for offer in PAPER}
    kept = await store.session_of(STUDENT.user_id, started.session.id)
    assert (kept.accommodation.extra_seconds, kept.record_count) == (60, 1)
    (entry,) = await store.record_of(STUDENT.user_id, kept.id)
    assert (entry.type, entry.actor_id) == ("session_started", STUDENT.user_id)
    assert await store.sits_until(STUDENT) == later(seconds=5520)


async def test_who_has_a_live_session_gets_that_one_whatever_has_changed(store: ExamStore) -> None:
    store.stock(STUDENT)
    first = await start(store)
    store.hold_exams(weekly=0)
    store.end_enrollment(STUDENT.user_id)
    store.clock.advance(minutes=5)
    again = await start(store)
    assert not again.new
    assert again.session.id == first.session.id
    assert again.paper is not None
    assert first.paper is not None
    assert again.paper.slots == first.paper.slots
    assert again.session.remaining_seconds == 55 * 60


async def test_nothing_is_drawn_for_who_may_not_start_or_goes_on(store: ExamStore) -> None:
    store.stock(STUDENT, weekly=1)
    watched = Watched(store.papers)
    started = await starting(store, watched)(STUDENT, PACKAGE)
    await starting(store, watched)(STUDENT, PACKAGE)
    await give_up(store, started)
    with pytest.raises(WeeklyExamLimit):
        await starting(store, watched)(STUDENT, PACKAGE)
    assert watched.drawn == 1


async def test_of_many_starts_at_once_one_begins_a_session(store: ExamStore) -> None:
    store.stock(STUDENT)
    started = await asyncio.gather(*(start(store) for _ in range(6)))
    assert sorted(each.new for each in started) == [False] * 5 + [True]
    assert len({each.session.id for each in started}) == 1


async def test_another_attempt_asks_what_was_not_asked_before(store: ExamStore) -> None:
    store.stock(STUDENT, paper=offers(6), settings=PackageSettings(question_count=3))
    asked = []
    for _ in range(2):
        started = await start(store)
        assert started.paper is not None
        asked.append({slot.question_id for slot in started.paper.slots})
        await give_up(store, started)
    assert not asked[0] & asked[1]
    assert (await start(store)).session.attempt_no == 3


# Which package is meant, and under which id.


async def test_without_a_package_the_only_one_is_meant(store: ExamStore) -> None:
    store.stock(STUDENT)
    assert (await start(store, None)).session.exam_package_id == PACKAGE
    store.offer([Offer(id="qst_other")], OTHER)
    store.enroll(STUDENT.user_id, OTHER)
    with pytest.raises(PackageAmbiguous):
        await start(store, None)


async def test_a_session_can_be_begun_under_an_id_of_ones_own(store: ExamStore) -> None:
    store.stock(STUDENT)
    started = await start(store, session_id="my-own-id")
    assert (started.new, started.session.id) == (True, "my-own-id")
    elsewhere = await start(store, session_id="another-id")
    assert (elsewhere.new, elsewhere.session.id) == (False, "my-own-id")


async def test_who_is_enrolled_nowhere_learns_nothing_of_a_session_that_is_named(store: ExamStore) -> None:
    store.offer(PAPER)
    store.hold_exams()
    store.admit(STUDENT)
    assert await refused(store) is await refused(store, None) is ExamEnrollmentRequired
    assert await refused(store, session_id="exs_x") is ExamSessionNotFound
    assert await refused(store, None, session_id="exs_x") is ExamSessionNotFound
    store.offer([Offer(id="qst_other")], OTHER)
    store.enroll(STUDENT.user_id, OTHER)
    assert await refused(store, session_id="exs_x") is ExamEnrollmentRequired


# The guards.


@settings(max_examples=20)
@given(wrong=st.tuples(*[st.booleans()] * 7))
async def test_the_first_guard_that_fails_is_told(wrong: tuple[bool, ...]) -> None:
    """On dictionaries: which guard comes first is decided before any store is asked."""
    outside, no_exams, full_week, closed, used_up, cooling, too_few = wrong
    store = ExamsInMemory(SettableClock())
    store.clock.set(START)
    store.stock(STUDENT)
    await give_up(store, await start(store))
    rules = PackageSettings(
        closes_at=later(minutes=1) if closed else None,
        attempts_allowed=1 if used_up else None,
        cooldown_seconds=3600 if cooling else 0,
        question_count=400 if too_few else None,
    )
    store.hold_exams(rules, weekly=0 if no_exams else 1 if full_week else None)
    store.clock.advance(minutes=1)
    if outside:
        store.end_enrollment(STUDENT.user_id)
    refusals = [
        (outside, ExamEnrollmentRequired),
        (no_exams, EntitlementDenied),
        (full_week, WeeklyExamLimit),
        (closed, ExamClosed),
        (used_up, AttemptLimit),
        (cooling, RetakeCooldown),
        (too_few, FormUnavailable),
    ]
    assert await refused(store) is next((refusal for applies, refusal in refusals if applies), None)


async def test_every_guard_is_asked_of_the_store(store: ExamStore) -> None:
    store.stock(STUDENT, weekly=0)
    assert await refused(store) is EntitlementDenied
    store.hold_exams(PackageSettings(opens_at=later(minutes=1)))
    assert await refused(store) is ExamNotOpen
    store.hold_exams(blueprint=Blueprint(sections=(Section(count=40),)))
    assert await refused(store) is FormUnavailable
    store.hold_exams(weekly=1)
    await give_up(store, await start(store))
    store.clock.advance(days=7, seconds=-1)
    assert await refused(store) is WeeklyExamLimit
    store.hold_exams(PackageSettings(attempts_allowed=1))
    assert await refused(store) is AttemptLimit
    store.hold_exams(PackageSettings(cooldown_seconds=7 * 24 * 3600), weekly=2)
    assert await refused(store) is RetakeCooldown
    store.clock.advance(seconds=1)
    store.hold_exams(PackageSettings(cooldown_seconds=7 * 24 * 3600), weekly=1)
    assert await refused(store) is None


# Time goes on.


async def test_a_session_whose_time_is_over_makes_room_for_another(store: ExamStore) -> None:
    store.stock(STUDENT)
    first = await start(store)
    store.clock.advance(days=1)
    second = await start(store)
    assert second.new
    over = await store.session_of(STUDENT.user_id, first.session.id)
    assert (over.status, over.sealed_at, over.grade_revision) == (ExamStatus.FINISHED, later(hours=1), 1)


async def test_what_time_did_is_kept_although_the_start_is_refused(store: ExamStore) -> None:
    store.stock(STUDENT, settings=PackageSettings(attempts_allowed=1))
    first = await start(store)
    store.clock.advance(days=1)
    assert await refused(store) is AttemptLimit
    assert (await store.session_of(STUDENT.user_id, first.session.id)).status is ExamStatus.FINISHED


async def test_a_paper_that_is_no_longer_asked_for_is_not_begun(store: ExamStore) -> None:
    store.stock(STUDENT)
    watched = Watched(store.papers)
    watched.meanwhile.append(lambda: store.hold_exams(PackageSettings(question_count=2)))
    with pytest.raises(StoreConflict):
        await starting(store, watched)(STUDENT, PACKAGE)
    started = await starting(store, watched)(STUDENT, PACKAGE)
    assert started.paper is not None
    assert len(started.paper.slots) == 2


async def test_who_may_start_no_more_when_the_paper_is_drawn_does_not_start(store: ExamStore) -> None:
    store.stock(STUDENT)
    watched = Watched(store.papers)
    watched.meanwhile.append(lambda: store.hold_exams(weekly=0))
    with pytest.raises(EntitlementDenied):
        await starting(store, watched)(STUDENT, PACKAGE)


async def test_who_was_refused_a_moment_ago_is_told_why_although_it_has_passed() -> None:
    """Nothing was drawn then; whoever asks again begins."""

    @dataclass(slots=True)
    class Ticking(SettableClock):
        def now(self) -> datetime:
            self.advance(minutes=1)
            return SettableClock.now(self)

    clock = Ticking()
    clock.set(START)
    store = ExamsInMemory(clock)
    store.stock(STUDENT)
    opens = SettableClock.now(clock) + timedelta(minutes=2)
    store.hold_exams(PackageSettings(opens_at=opens))
    assert await refused(store) is ExamNotOpen
    assert await refused(store) is None


# Once only.


async def test_the_answer_to_a_key_is_the_whole_start_and_stays_it(store: ExamStore) -> None:
    """Also when no further attempt would be allowed by now."""
    store.stock(STUDENT, settings=PackageSettings(attempts_allowed=1))

    def keyed() -> OnceOnly:
        def render(result: object) -> bytes:
            assert isinstance(result, Started)
            assert result.paper is not None
            return result.session.id.encode()

        return OnceOnly(user_id=STUDENT.user_id, key="key-1", fingerprint=b"same", render=render)

    token = once_only.set(keyed())
    try:
        started = await start(store)
        once_only.set(None)
        await give_up(store, started)
        assert await refused(store) is AttemptLimit
        once_only.set(keyed())
        with pytest.raises(Replayed) as replayed:
            await start(store)
    finally:
        once_only.reset(token)
    assert replayed.value.answer == started.session.id.encode()


# With leave only.


async def test_a_start_that_needs_leave_waits_and_shows_no_paper(store: ExamStore) -> None:
    store.stock(STUDENT, settings=PackageSettings(authorised_start=True))
    waiting = await start(store)
    assert (waiting.new, waiting.session.status, waiting.paper) == (True, ExamStatus.CREATED, None)
    again = await start(store)
    assert (again.new, again.session, again.paper) == (False, waiting.session, None)
    assert await store.sits_until(STUDENT) is None

    store.clock.advance(minutes=10)
    store.admit(ROOT)
    authorise = AuthoriseExam(ids=store.ids, transact=store.exams)
    for _ in range(2):
        begun = await authorise(ROOT, STUDENT.user_id, waiting.session.id)
        assert (begun.status, begun.started_at) == (ExamStatus.ACTIVE, later(minutes=10))
    (audited,) = await store.audit_log()
    assert (audited.action, audited.actor_id, audited.subject) == ("exam_session.authorised", ROOT.user_id, begun.id)
    with pytest.raises(Forbidden):
        await authorise(STUDENT, STUDENT.user_id, begun.id)
    (entry,) = await store.record_of(STUDENT.user_id, begun.id)
    assert (entry.type, entry.source, entry.actor_id) == ("session_started", "staff", ROOT.user_id)
    shown = await start(store)
    assert shown.paper is not None
    assert len(shown.paper.slots) == len(PAPER)


async def test_leave_comes_too_late_after_the_window(store: ExamStore) -> None:
    store.stock(STUDENT, settings=PackageSettings(authorised_start=True, closes_at=later(hours=1)))
    waiting = await start(store)
    authorise = AuthoriseExam(ids=store.ids, transact=store.exams)
    store.clock.advance(hours=1)
    with pytest.raises(ExamClosed):
        await authorise(ROOT, STUDENT.user_id, waiting.session.id)
    store.clock.advance(minutes=2)
    with pytest.raises(DomainError):
        await authorise(ROOT, STUDENT.user_id, waiting.session.id)
    over = await store.session_of(STUDENT.user_id, waiting.session.id)
    assert (over.status, over.sealed_at) == (ExamStatus.ABANDONED, later(hours=1))
    assert not await store.audit_log()


async def test_leave_is_for_sessions_that_there_are(store: ExamStore) -> None:
    store.stock(STUDENT)
    with pytest.raises(ExamSessionNotFound):
        await AuthoriseExam(ids=store.ids, transact=store.exams)(ROOT, STUDENT.user_id, "exs_none")


async def test_attempts_are_numbered_on_whatever_became_of_those_before(store: ExamStore) -> None:
    store.stock(STUDENT)
    past = START - timedelta(days=30)
    await store.begin(
        exam_session(
            session_id="exs_old",
            attempt_no=4,
            at=past,
            status=ExamStatus.ABANDONED,
            sealed_at=past,
            seal_reason=SealReason.TIMEOUT,
        )
    )
    assert (await start(store)).session.attempt_no == 5
