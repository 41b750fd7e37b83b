"""Moving exam sessions, on dictionaries and on the real database: what is kept is read back alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.enrollment.settings import Navigation, OverduePolicy
from domain.exam.grading import AS_ASKED, grade
from domain.exam.record import Draft, EntryKind, EntrySource, answer_content, append, first_broken
from domain.exam.sessions import (
    Accommodation,
    ExamSession,
    ExamStatus,
    SealReason,
)
from domain.exam.voiding import Void, VoidMode
from domain.question_bank.certainty import Certainty
from domain.question_bank.scoring import MultiplePolicy, ScoringPolicy
from tests.support.exam_builders import (
    PACKAGE,
    PAPER,
    ROOT,
    SESSION,
    START,
    STRANGER,
    STUDENT,
    an_event,
    exam_rules,
    exam_session,
    exam_slots,
    later,
    right,
    wrong,
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


# What a session may have come to, with every field that it then has.
_CAME_TO: dict[str, dict[str, Any]] = {
    "created": {"status": ExamStatus.CREATED, "started_at": None},
    "active, with everything that a package can say": {
        "rules": exam_rules(
            window_opens_at=later(days=-1),
            window_closes_at=later(days=1),
            window_extends=True,
            overdue_policy=OverduePolicy.GRACE,
            latency_seconds=5,
            grace_seconds=90,
            navigation=Navigation.LINEAR,
            pause_allowed=True,
            certainty=True,
            scoring=ScoringPolicy(penalty=Decimal("0.25"), multiple=MultiplePolicy.HALVES),
            allow_negative_total=True,
            cbm_official=True,
            pass_mark=Decimal("62.5"),
        ),
        "accommodation": Accommodation(multiplier=Decimal("1.25"), extra_seconds=600),
        "adjust_seconds": -30,
    },
    "without a limit": {"rules": exam_rules(time_limit_seconds=None)},
    "paused": {
        "status": ExamStatus.PAUSED,
        "paused_at": later(seconds=10, microseconds=1),
        "paused_by_staff": True,
        "paused_microseconds": 1_234_567,
    },
    "overdue": {"status": ExamStatus.OVERDUE, "paused_microseconds": 5},
    "terminated": {
        "status": ExamStatus.TERMINATED,
        "sealed_at": later(minutes=1),
        "seal_reason": SealReason.TERMINATED,
        "sealed_by": ROOT.user_id,
        "seal_note": "left the room",
    },
    "finished": {
        "status": ExamStatus.FINISHED,
        "sealed_at": later(minutes=61),
        "seal_reason": SealReason.STUDENT,
        "late": True,
        "grade_revision": 2,
        "mark": Decimal("5.333333"),
        "max_mark": Decimal("8.000000"),
        "certainty_mark": Decimal("-1.000000"),
        "passed": True,
        "graded_at": later(minutes=62),
    },
    "invalidated": {
        "status": ExamStatus.INVALIDATED,
        "sealed_at": later(minutes=1),
        "seal_reason": SealReason.INVALIDATED,
        "sealed_by": ROOT.user_id,
        "seal_note": "copied",
        "status_before_invalidation": ExamStatus.PAUSED,
        "invalidated_at": later(minutes=1),
        "invalidated_by": ROOT.user_id,
        "invalidation_reason": "copied",
    },
    "alive": {
        "last_seq": 2**53 - 1,
        "last_heartbeat_at": later(seconds=30),
        "drift_told_at": later(seconds=15),
        "furthest_slot": 7,
        "record_count": 12,
        "record_hash": bytes(range(32)),
    },
}


@pytest.mark.parametrize("what", _CAME_TO)
async def test_a_session_is_read_back_as_it_was_added(store: ExamStore, what: str) -> None:
    session = await store.begin(exam_session(**_CAME_TO[what]))
    assert await store.session_of(USER, SESSION) == session
    assert await store.exams(lambda work: work.hold_session(USER, SESSION)) == session


@pytest.mark.parametrize("what", _CAME_TO)
async def test_a_session_is_read_back_as_it_was_saved(store: ExamStore, what: str) -> None:
    frozen = {name: value for name, value in _CAME_TO[what].items() if name == "rules"}
    await store.begin(exam_session(**frozen))
    session = exam_session(**_CAME_TO[what])
    await store.exams(lambda work: work.save_session(session))
    assert await store.session_of(USER, SESSION) == session


async def test_nobody_finds_the_session_of_another(store: ExamStore) -> None:
    await store.begin(exam_session())
    assert await store.exams(lambda work: work.find_session(STRANGER.user_id, SESSION)) is None
    assert await store.exams(lambda work: work.hold_session(STRANGER.user_id, SESSION)) is None


async def test_two_students_may_have_sessions_of_one_name(store: ExamStore) -> None:
    """Clients choose the names of the sessions that their heartbeats start."""
    mine = await store.begin(exam_session())
    theirs = await store.begin(exam_session(user_id=STRANGER.user_id, attempt_no=3))
    assert await store.session_of(USER, SESSION) == mine
    assert await store.session_of(STRANGER.user_id, SESSION) == theirs


async def test_a_snapshot_stays_until_there_is_another(store: ExamStore) -> None:
    session = await store.begin(exam_session())
    assert await store.snapshot_of(USER, SESSION) is None
    beaten = replace(session, last_seq=1, last_heartbeat_at=later(seconds=5))
    await store.exams(lambda work: work.save_snapshot(beaten, b'{"b": [1, 2.50, "\xc3\xa9"], "a": null}'))
    await store.exams(lambda work: work.save_session(replace(beaten, adjust_seconds=60)))
    assert await store.snapshot_of(USER, SESSION) == {"b": [1, 2.5, "é"], "a": None}
    assert await store.session_of(USER, SESSION) == replace(beaten, adjust_seconds=60)


async def test_slots_are_frozen_as_they_were_added(store: ExamStore) -> None:
    session = await store.begin(exam_session())
    slots = exam_slots(session)
    assert tuple(await store.slots_of(USER, SESSION)) == slots
    held = await store.exams(lambda work: work.hold_slots(session))
    assert tuple(asked.slot for asked in held) == slots
    assert [asked.question.kind for asked in held] == [offer.kind for offer in PAPER]
    assert [asked.question.prompt_ids for asked in held] == [tuple(offer.pairs) for offer in PAPER]
    for asked in held:
        number = asked.slot.slot
        assert await store.exams(lambda work: work.hold_slot(session, number)) == asked  # noqa: B023
    assert await store.exams(lambda work: work.hold_slot(session, len(slots) + 1)) is None


async def test_choices_stand_in_the_order_of_the_paper(store: ExamStore) -> None:
    session = exam_session()
    slot = replace(exam_slots(session)[0], choice_order=("C", "A", "D", "B"), max_mark=Decimal("2.5"), section=3)
    await store.exams(lambda work: work.add_session(session, [slot]))
    (held,) = await store.exams(lambda work: work.hold_slots(session))
    assert held.slot == slot
    assert held.question.choice_ids == ("C", "A", "D", "B")


async def test_the_paper_is_told_without_a_key(store: ExamStore) -> None:
    session = await store.begin(exam_session())
    assert await store.exams(lambda work: work.questions(session)) == tuple(offer.public for offer in PAPER)


async def test_answers_are_kept_and_marks_left_alone(store: ExamStore) -> None:
    """Of every kind, one by one and all at once; taking one back counts on."""
    session = await store.begin(exam_session(rules=exam_rules(certainty=True)))
    answered = [
        replace(
            slot,
            response=right(offer),
            revision=1,
            certainty=Certainty.MID,
            answered_at=later(seconds=slot.slot),
            flagged=True,
        )
        for slot, offer in zip(exam_slots(session), PAPER, strict=True)
    ]
    await store.exams(lambda work: work.save_slot(answered[0]))
    await store.exams(lambda work: work.save_slots(answered[1:]))
    await store.exams(lambda work: work.save_slots([]))
    assert list(await store.slots_of(USER, SESSION)) == answered

    back = replace(answered[2], response=None, certainty=None, revision=2, flagged=False, mark=Decimal(9))
    await store.exams(lambda work: work.save_slot(back))
    assert (await store.slots_of(USER, SESSION))[2] == replace(back, mark=None)


async def test_the_record_is_read_back_letter_by_letter(store: ExamStore, clock: SettableClock) -> None:
    """And holds together, whatever was said."""
    await store.begin(exam_session())
    said = [
        an_event(1, client_at=later(microseconds=123_456), content='{"b": 1.0, "a": "é\\n"}'),
        Draft(kind=EntryKind.ANSWER, slot=1, revision=1, autosave=True, content=answer_content(right(PAPER[0]), None)),
        Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id="evt_2", type="connection_gap"),
        Draft(kind=EntryKind.EVENT, source=EntrySource.STAFF, actor_id="usr_root", id="evt_3", type="time_adjusted"),
    ]
    clock.advance(seconds=1, microseconds=7)
    first = await store.note(USER, SESSION, said[0])
    clock.advance(seconds=1)
    others = await store.note(USER, SESSION, *said[1:])
    assert tuple(await store.record_of(USER, SESSION)) == (*first, *others)
    assert [entry.draft for entry in await store.record_of(USER, SESSION)] == said
    assert first_broken(await store.record_of(USER, SESSION)) is None
    session = await store.session_of(USER, SESSION)
    assert (session.record_count, session.record_hash) == (4, others[-1].hash)


async def test_an_event_is_found_by_the_name_its_client_gave_it(store: ExamStore) -> None:
    await store.begin(exam_session())
    (entry,) = await store.note(USER, SESSION, an_event(1))
    assert await store.exams(lambda work: work.find_event(USER, SESSION, "cev_1")) == entry
    assert await store.exams(lambda work: work.find_event(USER, SESSION, "cev_2")) is None
    assert await store.exams(lambda work: work.find_event(STRANGER.user_id, SESSION, "cev_1")) is None


async def test_only_events_that_the_browser_sent_count_and_only_later_ones(
    store: ExamStore, clock: SettableClock
) -> None:
    await store.begin(exam_session())
    await store.note(USER, SESSION, an_event(1))
    since = clock.now()
    clock.advance(seconds=1)
    system = Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id="evt_9", type="connection_gap")
    answer = Draft(kind=EntryKind.ANSWER, slot=1, revision=1)
    move = Draft(kind=EntryKind.EVENT, actor_id=USER, id="evt_8", type="session_resumed")
    await store.note(USER, SESSION, an_event(2), system, answer, move, an_event(3))
    assert await store.exams(lambda work: work.count_events(USER, SESSION, since)) == 2
    assert await store.exams(lambda work: work.count_events(USER, SESSION, later(days=-1))) == 3


async def test_sixty_events_are_as_many_as_anybody_asks_for(store: ExamStore, clock: SettableClock) -> None:
    await store.begin(exam_session())
    clock.advance(seconds=1)
    await store.note(USER, SESSION, *[an_event(number) for number in range(70)])
    assert await store.exams(lambda work: work.count_events(USER, SESSION, START)) == 60


async def test_a_grade_is_kept_with_the_marks_of_its_slots(store: ExamStore, clock: SettableClock) -> None:
    session = await _answered(store, exam_session(rules=exam_rules(certainty=True)))
    slots = await store.exams(lambda work: work.graded_slots(session))
    assert [(each.question.kind, each.question.key) for each in slots] == [(offer.kind, offer.key) for offer in PAPER]
    first = grade(session, slots, (), clock.now())
    again = replace(first, revision=2, mode=AS_ASKED, reason="asked for", voids=("vod_1",), graded_by=ROOT.user_id)
    await store.exams(lambda work: work.add_grade(first))
    await store.exams(lambda work: work.add_grade(again))
    assert tuple(await store.grades_of(USER, SESSION)) == (first, again)
    assert await store.exams(lambda work: work.find_grade(USER, SESSION, 2)) == again
    assert await store.exams(lambda work: work.find_grade(USER, SESSION, 3)) is None
    told = [(slot.mark, slot.certainty_mark, slot.correct) for slot in await store.slots_of(USER, SESSION)]
    assert told == [(each.mark, each.certainty_mark, each.correct) for each in first.marks]


async def test_voids_are_those_of_the_package_the_oldest_first(store: ExamStore) -> None:
    older = Void(
        id="vod_2",
        exam_package_id=PACKAGE,
        question_id=PAPER[0].id,
        version=1,
        mode=VoidMode.ACCEPT_ALSO,
        accepted=("A", "C"),
        reason="two are right",
        created_at=later(hours=1),
        created_by=ROOT.user_id,
    )
    newer = replace(older, id="vod_1", mode=VoidMode.DROP, accepted=(), created_at=later(hours=2))
    store.void(newer)
    store.void(older)
    assert await store.exams(lambda work: work.voids(PACKAGE)) == (older, newer)
    assert await store.exams(lambda work: work.voids("pkg_other")) == ()


async def test_a_unit_that_refuses_leaves_nothing_behind(store: ExamStore) -> None:
    session = await store.begin(exam_session())

    async def refuse(work: object) -> None:
        moved, entry = append(session, an_event(), later(seconds=1))
        await work.add_entries([entry])  # type: ignore[attr-defined]
        await work.save_snapshot(moved, b"{}")  # type: ignore[attr-defined]
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await store.exams(refuse)
    assert await store.session_of(USER, SESSION) == session
    assert not await store.record_of(USER, SESSION)
    assert await store.snapshot_of(USER, SESSION) is None


async def _answered(store: ExamStore, session: ExamSession) -> ExamSession:
    """Right and wrong by turns, and the last one left blank."""
    await store.begin(session)
    given = [
        replace(
            slot,
            response=right(offer) if slot.slot % 2 else wrong(offer),
            revision=1,
            certainty=Certainty.HIGH,
            answered_at=later(seconds=slot.slot),
        )
        for slot, offer in zip(exam_slots(session)[:-1], PAPER, strict=False)
    ]
    await store.exams(lambda work: work.save_slots(given))
    return session
