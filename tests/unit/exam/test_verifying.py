"""What somebody changes from outside in what is stored of an exam is found, and nothing is found where nobody did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import OverduePolicy, PackageSettings
from domain.exam.record import Entry, EntryKind, digest, link
from domain.exam.sessions import Accommodation, ExamStatus, SealReason
from domain.exam.verifying import Fault, StoredExam
from domain.question_bank.scoring import ScoringPolicy
from tests.support.exam_builders import START, STUDENT
from tests.support.exam_overseeing import Oversight
from tests.support.exam_stores import ExamsInMemory
from tests.support.exam_verified import sat, started, stored_exam, verified
from tests.support.postgres import SettableClock


@dataclass(frozen=True, slots=True)
class Sat:
    """An exam that was sat, and its record."""

    stored: StoredExam
    entries: tuple[Entry, ...]


@pytest.fixture(scope="module")
async def exam() -> Sat:
    store = ExamsInMemory(SettableClock(START))
    store.stock(STUDENT)
    session = await sat(store)
    return Sat(await stored_exam(store, session), tuple(await store.record_of(session.user_id, session.id)))


def faults(stored: StoredExam, entries: Sequence[Entry]) -> set[tuple[Fault, str]]:
    return {(found.fault, found.where) for found in verified(stored, entries)}


async def test_nothing_is_found_in_an_exam_that_was_left_alone(exam: Sat) -> None:
    assert exam.stored.session.status is ExamStatus.FINISHED
    assert len(exam.entries) > 10
    assert verified(exam.stored, exam.entries) == ()


async def test_nothing_is_found_in_an_exam_that_has_just_begun() -> None:
    store = ExamsInMemory(SettableClock(START))
    store.stock(STUDENT)
    session = await started(store)
    entries = await store.record_of(session.user_id, session.id)
    assert verified(await stored_exam(store, session), entries) == ()


async def test_nothing_is_found_in_an_exam_that_was_given_up_and_handed_in_with_time_that_did_not_suffice() -> None:
    staff = Oversight(ExamsInMemory(SettableClock(START)))
    settings = PackageSettings(overdue_policy=OverduePolicy.ABANDON)
    staff.store.stock(STUDENT, duration_seconds=60, settings=settings)
    session = await started(staff.store)
    staff.store.clock.advance(hours=1)
    await staff.lapse(session_id=session.id)
    await staff.act("reopen", session_id=session.id, extra_seconds=5)
    entries = await staff.store.record_of(session.user_id, session.id)
    stored = await stored_exam(staff.store, await staff.store.session_of(session.user_id, session.id))
    assert (stored.session.status, stored.session.adjust_seconds) == (ExamStatus.FINISHED, 5)
    assert verified(stored, entries) == ()


_CHANGES: dict[str, Callable[[Entry], Any]] = {
    "content": lambda entry: entry.content + " ",
    "at": lambda entry: entry.at + timedelta(microseconds=1),
    "effective_at": lambda entry: entry.effective_at - timedelta(microseconds=1),
    "hash": lambda entry: bytes(32),
    "autosave": lambda entry: not entry.autosave,
    "actor_id": lambda entry: "usr_somebody",
    "source": lambda entry: next(each for each in type(entry.source) if each is not entry.source),
    "client_event_id": lambda entry: "another",
    "client_at": lambda entry: entry.at,
    "id": lambda entry: "evt_another",
}


@given(data=st.data())
async def test_whatever_is_changed_in_whichever_entry_its_place_is_told(exam: Sat, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(exam.entries) - 1))
    name = data.draw(st.sampled_from(sorted(_CHANGES)))
    entries = list(exam.entries)
    entries[place] = replace(entries[place], **{name: _CHANGES[name](entries[place])})
    found = verified(exam.stored, entries)
    assert (found[0].fault, found[0].where) == (Fault.ENTRY_CHANGED, f"entry {place + 1}")


@given(data=st.data())
async def test_whichever_entry_is_dropped_the_gap_is_told(exam: Sat, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(exam.entries) - 2))
    entries = (*exam.entries[:place], *exam.entries[place + 1 :])
    assert (Fault.ENTRIES_MISSING, f"entry {place + 1}") in faults(exam.stored, entries)
    closed = [replace(entry, position=number) for number, entry in enumerate(entries, start=1)]
    assert {(Fault.ENTRY_CHANGED, f"entry {place + 1}"), (Fault.RECORD_LENGTH, "session")} <= faults(
        exam.stored, closed
    )


async def test_a_record_that_was_cut_off_is_too_short(exam: Sat) -> None:
    assert (Fault.RECORD_LENGTH, "session") in faults(exam.stored, exam.entries[:-1])


@given(data=st.data())
async def test_wherever_an_entry_is_put_in_it_is_told(exam: Sat, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(exam.entries)))
    copied = data.draw(st.sampled_from(exam.entries))
    entries = [*exam.entries[:place], copied, *exam.entries[place:]]
    numbered = [replace(entry, position=number) for number, entry in enumerate(entries, start=1)]
    found = faults(exam.stored, numbered)
    assert (Fault.RECORD_LENGTH, "session") in found
    assert {(Fault.ENTRY_CHANGED, f"entry {number}") for number in (place + 1, place + 2)} & found


@given(data=st.data())
async def test_two_entries_that_change_places_are_told(exam: Sat, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(exam.entries) - 2))
    entries = list(exam.entries)
    entries[place : place + 2] = reversed(entries[place : place + 2])
    numbered = [replace(entry, position=number) for number, entry in enumerate(entries, start=1)]
    assert (Fault.ENTRY_CHANGED, f"entry {place + 1}") in faults(exam.stored, numbered)


async def test_who_makes_every_link_anew_cannot_make_the_one_that_the_session_keeps(exam: Sat) -> None:
    place = next(number for number, entry in enumerate(exam.entries) if entry.kind is EntryKind.ANSWER)
    entries = list(exam.entries)
    entries[place] = replace(entries[place], content='{"choiceIds":["D"]}')
    previous = b""
    for number, entry in enumerate(entries):
        previous = link(previous, digest(entry.draft), entry.position, entry.at, entry.effective_at)
        entries[number] = replace(entry, hash=previous)
    found = faults(exam.stored, entries)
    assert (Fault.RECORD_HEAD, "session") in found
    assert not {fault for fault, _ in found} & {Fault.ENTRY_CHANGED, Fault.ENTRIES_MISSING}


def _in_session(**changes: Any) -> Callable[[StoredExam], StoredExam]:
    return lambda stored: replace(stored, session=replace(stored.session, **changes))


def _in_rules(**changes: Any) -> Callable[[StoredExam], StoredExam]:
    return lambda stored: _in_session(rules=replace(stored.session.rules, **changes))(stored)


def _true_false(stored: StoredExam) -> int:
    """The number of the slot that asks this question, which was answered once, and right."""
    return next(each.slot.slot for each in stored.slots if each.slot.question_id == "qst_true_false")


def _in_slot(**changes: Any) -> Callable[[StoredExam], StoredExam]:
    def change(stored: StoredExam) -> StoredExam:
        slots, place = list(stored.slots), _true_false(stored) - 1
        slots[place] = replace(slots[place], slot=replace(slots[place].slot, **changes))
        return replace(stored, slots=tuple(slots))

    return change


def _in_grade(**changes: Any) -> Callable[[StoredExam], StoredExam]:
    return lambda stored: replace(stored, grades=(replace(stored.grades[0], **changes),))


def _one_mark_more(stored: StoredExam) -> StoredExam:
    grade = stored.grades[0]
    marks = list(grade.marks)
    marks[0] = replace(marks[0], mark=marks[0].mark + 1)
    return _in_grade(marks=tuple(marks))(stored)


def _another_key(stored: StoredExam) -> StoredExam:
    slots, place = list(stored.slots), _true_false(stored) - 1
    question = slots[place].question
    slots[place] = replace(slots[place], question=replace(question, key=replace(question.key, correct=("A",))))
    return replace(stored, slots=tuple(slots))


@pytest.mark.parametrize(
    ("change", "fault", "where"),
    [
        (_in_session(record_hash=bytes(32)), Fault.RECORD_HEAD, "session"),
        (_in_session(record_count=3), Fault.RECORD_LENGTH, "session"),
        (_in_session(status=ExamStatus.TERMINATED), Fault.STATUS_CHANGED, "session"),
        (_in_session(adjust_seconds=600), Fault.TIME_CHANGED, "adjusted"),
        (_in_session(started_at=START + timedelta(minutes=5)), Fault.TIME_CHANGED, "started"),
        (_in_session(paused_microseconds=60_000_000), Fault.TIME_CHANGED, "pausedMicroseconds"),
        (_in_session(accommodation=Accommodation(extra_seconds=60)), Fault.TIME_CHANGED, "accommodation"),
        (_in_session(attempt_no=2), Fault.FORM_CHANGED, "session"),
        (_in_session(tier_id="tir_another"), Fault.FORM_CHANGED, "session"),
        (_in_rules(pass_mark=Decimal("69.5")), Fault.FORM_CHANGED, "session"),
        (_in_rules(latency_seconds=999), Fault.FORM_CHANGED, "session"),
        (_in_rules(time_limit_seconds=None), Fault.FORM_CHANGED, "session"),
        (_in_rules(window_closes_at=START + timedelta(days=1)), Fault.FORM_CHANGED, "session"),
        (_in_rules(scoring=ScoringPolicy(penalty=Decimal("0.5"))), Fault.FORM_CHANGED, "session"),
        (_in_slot(question_id="qst_another"), Fault.FORM_CHANGED, "session"),
        (_in_slot(version=2), Fault.FORM_CHANGED, "session"),
        (_in_slot(topic_id="top_another"), Fault.FORM_CHANGED, "session"),
        (_in_slot(section=1), Fault.FORM_CHANGED, "session"),
        (_in_slot(choice_order=("B", "A", "C")), Fault.FORM_CHANGED, "session"),
        (_in_slot(max_mark=Decimal("0.5")), Fault.FORM_CHANGED, "session"),
        (lambda stored: replace(stored, slots=stored.slots[:-1]), Fault.FORM_CHANGED, "session"),
        (_in_session(late=True), Fault.ENDING_CHANGED, "late"),
        (_in_session(sealed_at=START), Fault.ENDING_CHANGED, "sealedAt"),
        (_in_session(seal_reason=SealReason.TIMEOUT), Fault.ENDING_CHANGED, "sealReason"),
        (_in_session(sealed_by="usr_somebody"), Fault.ENDING_CHANGED, "sealedBy"),
        (_in_session(seal_note="a phone"), Fault.ENDING_CHANGED, "sealNote"),
        (_in_session(invalidated_by="usr_somebody"), Fault.ENDING_CHANGED, "invalidatedBy"),
        (_in_session(mark=Decimal(8)), Fault.RESULT_CHANGED, "session"),
        (_in_session(passed=False), Fault.RESULT_CHANGED, "session"),
        (_in_session(grade_revision=0), Fault.GRADE_MISSING, "session"),
        (_in_slot(response=None), Fault.ANSWER_CHANGED, "slot {true_false}"),
        (_in_slot(revision=2), Fault.ANSWER_CHANGED, "slot {true_false}"),
        (_in_slot(answered_at=START), Fault.ANSWER_CHANGED, "slot {true_false}"),
        (_in_slot(mark=Decimal(9)), Fault.RESULT_CHANGED, "slot {true_false}"),
        (_in_slot(correct=False), Fault.RESULT_CHANGED, "slot {true_false}"),
        (_in_grade(mark=Decimal(8)), Fault.GRADE_CHANGED, "grade 1"),
        (_in_grade(passed=False), Fault.GRADE_TOLD_OTHERWISE, "grade 1"),
        (_in_grade(graded_at=START), Fault.GRADE_TOLD_OTHERWISE, "grade 1"),
        (_in_grade(revision=2), Fault.GRADE_UNTOLD, "grade 2"),
        (_one_mark_more, Fault.MARK_CHANGED, "grade 1, slot 1"),
        (_another_key, Fault.MARK_CHANGED, "grade 1, slot {true_false}"),
        (lambda stored: replace(stored, grades=()), Fault.GRADE_MISSING, "entry 13"),
        (lambda stored: replace(stored, deadline=START), Fault.DEADLINE_CHANGED, "deadline"),
        (lambda stored: replace(stored, due_at=START), Fault.DEADLINE_CHANGED, "due"),
    ],
)
async def test_what_is_changed_beside_the_record_is_told(
    exam: Sat, change: Callable[[StoredExam], StoredExam], fault: Fault, where: str
) -> None:
    place = where.format(true_false=_true_false(exam.stored))
    assert (fault, place) in faults(change(exam.stored), exam.entries)


async def test_an_entry_that_cannot_be_read_any_more_is_told_like_any_other(exam: Sat) -> None:
    graded = next(number for number, entry in enumerate(exam.entries) if entry.type == "grade_recorded")
    for content in ("{", "[]", '"x"', '{"revision":1,"mark":"many","maxMark":null}'):
        entries = list(exam.entries)
        entries[graded] = replace(entries[graded], content=content)
        assert (Fault.ENTRY_CHANGED, f"entry {graded + 1}") in faults(exam.stored, entries)
