"""What students read of their exams on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from adapters.postgres.database import Database
from adapters.postgres.exam.reading import PostgresExamReader
from application.exam.ports.reading import DueExam, WantedExams
from application.exam.reading import ListExamSessions, ReadExamSession, ReadPaper
from application.exam.views import PaperView, SessionView
from domain.auth.people import Actor
from domain.enrollment.settings import Navigation, OverduePolicy
from domain.errors import DomainError
from domain.exam.refusals import ExamInvalidated, ExamNotActive, ExamNotStarted, ExamSessionNotFound, ExamTerminated
from domain.exam.sessions import ExamStatus, SealReason
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from tests.support.exam_builders import (
    PACKAGE,
    PAPER,
    SESSION,
    STRANGER,
    STUDENT,
    exam_rules,
    exam_session,
    later,
    right,
)
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import ORDER, SECRET

EVERY = WantedExams()


@pytest.fixture
def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(later())
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    return store


@pytest.fixture
def sitting(store: ExamsOnPostgres) -> Sitting:
    return Sitting(store)


@pytest.fixture
def reader(store: ExamsOnPostgres) -> PostgresExamReader:
    return PostgresExamReader(store.database, store.clock)


class Reading:
    """The three reads by short names."""

    def __init__(self, sitting: Sitting, reader: PostgresExamReader) -> None:
        self._sitting, self._reader = sitting, reader

    async def session(self, session_id: str = SESSION, actor: Actor = STUDENT) -> SessionView:
        return await ReadExamSession(exams=self._reader, lapse_exam=self._sitting.lapse_exam)(actor, session_id)

    async def paper(self, session_id: str = SESSION, actor: Actor = STUDENT) -> PaperView:
        store = self._sitting.store
        return await ReadPaper(exams=self._reader, transact=store.exams, ids=store.ids)(actor, session_id)

    async def sessions(
        self, wanted: WantedExams = EVERY, before: SessionView | None = None, limit: int = 100
    ) -> tuple[SessionView, ...]:
        reader, lapse = self._reader, self._sitting.lapse_exam
        place = None if before is None else (before.created_at, before.id)
        use_case = ListExamSessions(exams=reader, due_exams=reader, lapse_exam=lapse)
        return await use_case(STUDENT, wanted, place, limit)


@pytest.fixture
def reading(sitting: Sitting, reader: PostgresExamReader) -> Reading:
    return Reading(sitting, reader)


async def test_a_session_is_read_as_it_stands(store: ExamsOnPostgres, sitting: Sitting, reading: Reading) -> None:
    session = await store.begin(exam_session())
    assert await reading.session() == SessionView.of(session, later())
    store.clock.advance(minutes=10)
    await sitting.beat(seq=4, snapshot=b'{"page": [1, 2]}')
    read = await reading.session()
    assert (read.last_seq, read.last_heartbeat_at, read.remaining_seconds) == (4, later(minutes=10), 3000)
    assert read.snapshot is not None
    assert msgspec.json.decode(read.snapshot) == {"page": [1, 2]}
    with pytest.raises(ExamSessionNotFound):
        await reading.session(actor=STRANGER)


async def test_whoever_looks_at_a_session_whose_time_is_over_sees_what_came_of_it(
    store: ExamsOnPostgres, sitting: Sitting, reading: Reading
) -> None:
    await store.begin(exam_session())
    await sitting.answer_all()
    store.clock.advance(hours=2)
    read = await reading.session()
    assert (read.status, read.seal_reason, read.submitted_at) == (
        ExamStatus.FINISHED,
        SealReason.TIMEOUT,
        later(hours=1),
    )
    assert read.result is not None
    assert (read.result.mark, read.result.percent, read.result.passed) == (Decimal(8), Decimal(100), True)
    assert not read.due


async def test_sessions_are_listed_from_the_latest_page_by_page(
    store: ExamsOnPostgres, sitting: Sitting, reading: Reading
) -> None:
    """Their ids may be anything: a client chose some."""
    for number, name in enumerate(("zoo", "ant", "bee", "cat"), start=1):
        made = later(days=-min(number, 3))  # the last two at one instant
        ended = replace(exam_session(at=made), status=ExamStatus.ABANDONED, seal_reason=SealReason.TIMEOUT)
        await store.begin(replace(ended, id=name, attempt_no=number, sealed_at=made))
    every = await reading.sessions()
    assert [each.id for each in every] == ["zoo", "ant", "cat", "bee"]
    first = await reading.sessions(limit=3)
    assert [*first, *await reading.sessions(before=first[-1])] == list(every)
    assert await reading.sessions(WantedExams(exam_package_id="pkg_other")) == ()
    assert len(await reading.sessions(WantedExams(exam_package_id=PACKAGE))) == 4


async def test_a_list_by_status_knows_what_time_has_done(
    store: ExamsOnPostgres, sitting: Sitting, reading: Reading
) -> None:
    await store.begin(exam_session())
    live = WantedExams(statuses=(ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE))
    finished = WantedExams(statuses=(ExamStatus.SUBMITTED, ExamStatus.FINISHED))
    assert [each.id for each in await reading.sessions(live)] == [SESSION]
    assert await reading.sessions(finished) == ()
    store.clock.advance(hours=2)
    assert [each.id for each in await reading.sessions(finished)] == [SESSION]
    assert await reading.sessions(live) == ()


async def test_the_paper_holds_what_was_answered_by_the_names_it_is_shown_by(
    store: ExamsOnPostgres, sitting: Sitting, reading: Reading
) -> None:
    session = exam_session(rules=exam_rules(certainty=True, navigation=Navigation.LINEAR))
    place = PAPER.index(ORDER) + 1
    shuffled = tuple("FBADCE")

    await store.begin(session)
    await store.database.fetch_one(
        "update exam_slots set choice_order = %(order)s where slot = %(slot)s returning slot",
        {"order": list(shuffled), "slot": place},
    )
    await sitting.save(1, right(PAPER[0]), certainty=Certainty.MID, flagged=True)
    await sitting.save(place, Response.arranging("ABCDEF"))
    paper = await reading.paper()
    assert (paper.navigation, paper.certainty, paper.pause_allowed) == (Navigation.LINEAR, True, False)
    assert paper.furthest_slot == place
    first, order = paper.slots[0], paper.slots[place - 1]
    assert [slot.slot for slot in paper.slots] == list(range(1, len(PAPER) + 1))
    assert (first.response, first.revision, first.certainty, first.flagged, first.answered_at) == (
        right(PAPER[0]),
        1,
        Certainty.MID,
        True,
        later(),
    )
    assert [(choice.id, choice.text[0]) for choice in order.choices] == list(zip("ABCDEF", shuffled, strict=True))
    assert order.response == Response.arranging("ABCDEF")
    assert SECRET not in str(paper)


async def test_nobody_sees_the_paper_of_somebody_else(
    store: ExamsOnPostgres, reading: Reading, reader: PostgresExamReader
) -> None:
    await store.begin(exam_session())
    with pytest.raises(ExamSessionNotFound):
        await reading.paper(actor=STRANGER)
    assert await reader.paper(STRANGER.user_id, SESSION) is None
    assert await reader.sessions(STRANGER.user_id, EVERY, None, 10) == ()


async def test_whoever_sees_the_paper_sits_the_exam(store: ExamsOnPostgres, sitting: Sitting, reading: Reading) -> None:
    await store.begin(exam_session())
    assert await store.sits_until(STUDENT) is None
    await reading.paper()
    assert await store.sits_until(STUDENT) == later(hours=1, seconds=60)
    await sitting.submit()
    assert await store.sits_until(STUDENT) is None


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (ExamStatus.CREATED, ExamNotStarted),
        (ExamStatus.ABANDONED, ExamNotActive),
        (ExamStatus.TERMINATED, ExamTerminated),
        (ExamStatus.INVALIDATED, ExamInvalidated),
    ],
)
async def test_there_is_no_paper_before_and_after_the_exam(
    store: ExamsOnPostgres, reading: Reading, status: ExamStatus, refusal: type[DomainError]
) -> None:
    session = exam_session(status=status, started_at=None if status is ExamStatus.CREATED else later())
    if not status.is_live:
        session = replace(session, sealed_at=later(), seal_reason=SealReason.TERMINATED)
    if status is ExamStatus.INVALIDATED:
        session = replace(session, invalidated_at=later(), invalidation_reason="why")
    await store.begin(session)
    with pytest.raises(refusal):
        await reading.paper()
    assert await store.sits_until(STUDENT) is None


async def test_a_paper_that_ends_while_it_is_fetched_is_not_shown(
    store: ExamsOnPostgres, sitting: Sitting, reader: PostgresExamReader
) -> None:
    await store.begin(exam_session())

    class Late(PostgresExamReader):
        async def paper(self, user_id: str, session_id: str) -> PaperView | None:
            await sitting.submit()
            return await PostgresExamReader.paper(self, user_id, session_id)

    late = Late(store.database, store.clock)
    with pytest.raises(ExamNotActive):
        await ReadPaper(exams=late, transact=store.exams, ids=store.ids)(STUDENT, SESSION)


async def test_the_paper_of_a_session_whose_time_is_over_is_gone_and_the_session_ended(
    store: ExamsOnPostgres, reading: Reading
) -> None:
    await store.begin(exam_session())
    store.clock.advance(hours=2)
    with pytest.raises(ExamNotActive):
        await reading.paper()
    assert (await store.session_of(STUDENT.user_id, SESSION)).status is ExamStatus.FINISHED
    with pytest.raises(ExamSessionNotFound):
        await reading.paper("exs_none")


async def test_what_is_due_is_found_from_the_longest_due_step_by_step(
    store: ExamsOnPostgres, reader: PostgresExamReader
) -> None:
    """A limit of time, a window, a grace, a pause: each is due when the domain says so."""
    open_end = exam_rules(time_limit_seconds=None)
    window = exam_rules(window_closes_at=later(minutes=30))
    grace = exam_rules(overdue_policy=OverduePolicy.GRACE, grace_seconds=300)
    sessions = [
        exam_session(session_id="limit"),
        exam_session(session_id="endless", rules=open_end),
        exam_session(session_id="window", rules=window),
        exam_session(session_id="overdue", rules=grace, status=ExamStatus.OVERDUE),
        exam_session(session_id="paused", status=ExamStatus.PAUSED, paused_at=later()),
        exam_session(session_id="paused_in_window", rules=window, status=ExamStatus.PAUSED, paused_at=later()),
        exam_session(session_id="waiting", rules=window, status=ExamStatus.CREATED, started_at=None),
    ]
    for number, session in enumerate(sessions, start=1):
        user_id = f"usr_{number}"
        store.admit(Actor(user_id=user_id, role=STUDENT.role, session_id=f"ses_{number}"))
        await store.begin(replace(session, user_id=user_id))
    assert await reader.due(None, 10) == ()
    store.clock.set(later(minutes=31))
    assert await reader.due(None, 10) == (), "within the latency, to its last instant"
    store.clock.advance(seconds=0.000001)
    assert await _walk(reader) == ["window", "paused_in_window", "waiting"]
    store.clock.set(later(hours=2))
    assert await _walk(reader) == ["window", "paused_in_window", "waiting", "limit", "overdue"]
    assert [each.id for each in await reader.due_of("usr_3")] == ["window"]
    assert await reader.due_of("usr_2") == ()


async def _walk(reader: PostgresExamReader) -> list[str]:
    found: list[DueExam] = []
    while step := await reader.due(found[-1] if found else None, 2):
        found += step
    return [each.id for each in found]
