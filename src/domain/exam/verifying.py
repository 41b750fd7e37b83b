"""Whether what is stored of an exam is what its record says: nothing changed, dropped, put in or marked by hand.

The record holds every answer, move and grade in the order in which they were accepted. So the answers at every grade
are known, and every grade, old ones too, is made anew from them and compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from domain.exam.deadlines import deadline, due_at
from domain.exam.events import MOVES
from domain.exam.grading import Grade, SlotGrade, grade
from domain.exam.papers import GradedSlot
from domain.exam.record import Entry, EntryKind, answer_content, digest, link
from domain.exam.regrading import KeyedContent, same_keys
from domain.exam.sessions import ExamSession, ExamStatus
from domain.exam.told import AT_FIRST, facts_of, form_digest
from domain.exam.voiding import Asked, Void
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response

_S = ExamStatus
# Where a session can be after the last entry of these; what stands not here moves nothing.
_LED_TO: Final[Mapping[str, frozenset[ExamStatus]]] = {
    "session_started": frozenset({_S.ACTIVE}),
    "session_paused": frozenset({_S.PAUSED}),
    "session_resumed": frozenset({_S.ACTIVE}),
    "session_overdue": frozenset({_S.OVERDUE, _S.ACTIVE}),
    "session_submitted": frozenset({_S.SUBMITTED, _S.FINISHED}),
    "session_abandoned": frozenset({_S.ABANDONED}),
    "session_terminated": frozenset({_S.TERMINATED}),
    "session_invalidated": frozenset({_S.INVALIDATED}),
    "session_reinstated": frozenset({_S.SUBMITTED, _S.FINISHED, _S.ABANDONED, _S.TERMINATED}),
    # What was given up and has no time left is handed in by it.
    "session_reopened": frozenset({_S.ACTIVE, _S.PAUSED, _S.SUBMITTED, _S.FINISHED}),
}
# What gives time or takes it, and what its entry calls the seconds.
_TIME_GIVEN: Final[Mapping[str, str]] = {"time_adjusted": "seconds", "session_reopened": "extraSeconds"}
_OF_TIME: Final = frozenset({"pausedMicroseconds", "accommodation"})


class Fault(StrEnum):
    """What can be wrong with what is stored of an exam."""

    ENTRY_CHANGED = "entry_changed"
    ENTRIES_MISSING = "entries_missing"
    RECORD_LENGTH = "record_length"
    RECORD_HEAD = "record_head"
    ANSWER_ORDER = "answer_order"
    ANSWER_CHANGED = "answer_changed"
    GRADE_MISSING = "grade_missing"
    GRADE_UNTOLD = "grade_untold"
    GRADE_TOLD_OTHERWISE = "grade_told_otherwise"
    GRADE_CHANGED = "grade_changed"
    MARK_CHANGED = "mark_changed"
    RESULT_CHANGED = "result_changed"
    FORM_CHANGED = "form_changed"
    STATUS_CHANGED = "status_changed"
    ENDING_CHANGED = "ending_changed"
    TIME_CHANGED = "time_changed"
    DEADLINE_CHANGED = "deadline_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as the record says: where, what is `expected` by the record, and what was `found`."""

    fault: Fault
    where: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExam:
    """All that is stored of a session beside its record.

    `contents` are the versions, other than those that were asked, by whose keys grades say that they were made.
    `deadline` and `due_at` are those that statements compare.
    """

    session: ExamSession
    slots: tuple[GradedSlot, ...]
    grades: tuple[Grade, ...]
    voids: tuple[Void, ...]
    contents: Mapping[Asked, KeyedContent]
    deadline: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The last answer of a slot, as the record says it."""

    revision: int = 0
    content: str = "{}"
    effective_at: datetime | None = None


@dataclass(slots=True)
class Verification:
    """Reads the record of one session from its first entry to its last, and then concludes.

    It keeps the last answer of each slot and nothing else of what it has read, however long the record is.
    """

    stored: StoredExam
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)
    _hash: bytes = b""
    _answers: dict[int, _Answer] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)
    _last_move: str | None = None
    _started_at: datetime | None = None
    _form: object = None
    _adjusted: int = 0
    _facts: dict[str, object] = field(default_factory=lambda: dict(AT_FIRST))

    def read(self, entry: Entry) -> None:
        """The next entry by its position."""
        self._check_link(entry)
        self.entries, self._hash = entry.position, entry.hash
        if entry.kind is EntryKind.ANSWER:
            self._take_answer(entry)
        elif entry.type == "grade_recorded":
            self._check_told(entry)
        else:
            self._take_move(entry)

    def conclude(self) -> tuple[Finding, ...]:
        """Everything that was found, once the record has been read."""
        session = self.stored.session
        self._expect(Fault.RECORD_LENGTH, "session", self.entries, session.record_count)
        if self.entries == session.record_count:
            self._expect(Fault.RECORD_HEAD, "session", self._hash.hex(), session.record_hash.hex())
        for graded in self.stored.slots:
            self._check_answer(graded)
        self._check_grades()
        self._check_status()
        self._check_form()
        self._check_facts()
        self._check_times()
        return tuple(self.findings)

    def _check_form(self) -> None:
        """The rules and the paper are those that the exam began with."""
        if self._started_at is not None:
            slots = [each.slot for each in self.stored.slots]
            self._expect(Fault.FORM_CHANGED, "session", self._form, form_digest(self.stored.session, slots))

    def _check_facts(self) -> None:
        """How it ended, what was paused, and what its student is granted."""
        found = facts_of(self.stored.session)
        for name, told in self._facts.items():
            fault = Fault.TIME_CHANGED if name in _OF_TIME else Fault.ENDING_CHANGED
            self._expect(fault, name, told, found[name])

    def _check_times(self) -> None:
        """What the time that is allowed is made of, and the instants that statements compare with the present."""
        session = self.stored.session
        self._expect(Fault.TIME_CHANGED, "started", self._started_at, session.started_at)
        self._expect(Fault.TIME_CHANGED, "adjusted", self._adjusted, session.adjust_seconds)
        end = None if session.paused_at is not None else deadline(session, session.created_at)
        self._expect(Fault.DEADLINE_CHANGED, "deadline", end, self.stored.deadline)
        self._expect(Fault.DEADLINE_CHANGED, "due", due_at(session), self.stored.due_at)

    def _check_link(self, entry: Entry) -> None:
        expected = self.entries + 1
        if entry.position != expected:
            # The link to what is missing cannot be checked.
            self._found(Fault.ENTRIES_MISSING, f"entry {expected}", expected, entry.position)
            return
        right = link(self._hash, digest(entry.draft), expected, entry.at, entry.effective_at)
        self._expect(Fault.ENTRY_CHANGED, f"entry {expected}", right.hex(), entry.hash.hex())

    def _take_answer(self, entry: Entry) -> None:
        assert entry.slot is not None
        before = self._answers.get(entry.slot, _Answer())
        where = f"entry {entry.position}, slot {entry.slot}"
        self._expect(Fault.ANSWER_ORDER, where, before.revision + 1, entry.revision)
        self._answers[entry.slot] = _Answer(
            revision=entry.revision or 0, content=entry.content, effective_at=entry.effective_at
        )

    def _take_move(self, entry: Entry) -> None:
        if entry.type not in MOVES:
            return
        told, known = _document(entry.content), facts_of(self.stored.session).keys()
        if entry.type in _LED_TO:
            self._last_move = entry.type
        if entry.type == "session_started":
            self._started_at, self._form = entry.at, told.get("form")
        seconds = told.get(_TIME_GIVEN.get(entry.type, ""), 0)
        self._adjusted += seconds if isinstance(seconds, int) else 0
        self._facts |= {name: fact for name, fact in told.items() if name in known}

    def _check_answer(self, graded: GradedSlot) -> None:
        slot, said = graded.slot, self._answers.get(graded.slot.slot, _Answer())
        where = f"slot {slot.slot}"
        self._expect(Fault.ANSWER_CHANGED, where, said.revision, slot.revision)
        self._expect(Fault.ANSWER_CHANGED, where, said.content, answer_content(slot.response, slot.certainty))
        self._expect(Fault.ANSWER_CHANGED, where, said.effective_at, slot.answered_at)

    def _check_told(self, entry: Entry) -> None:
        """A grade as its entry tells it, and as it comes out of the answers that stood then."""
        told = _document(entry.content)
        revision = told.get("revision")
        given = next((each for each in self.stored.grades if each.revision == revision), None)
        if given is None:
            self._found(Fault.GRADE_MISSING, f"entry {entry.position}", f"grade {revision}", "none")
            return
        self._told.add(given.revision)
        where = f"grade {given.revision}"
        self._expect(Fault.GRADE_TOLD_OTHERWISE, where, _decimal(told.get("mark")), given.mark)
        self._expect(Fault.GRADE_TOLD_OTHERWISE, where, _decimal(told.get("maxMark")), given.max_mark)
        self._expect(Fault.GRADE_TOLD_OTHERWISE, where, told.get("passed"), given.passed)
        self._expect(Fault.GRADE_TOLD_OTHERWISE, where, entry.at, given.graded_at)
        self._check_grade(given, where)

    def _check_grade(self, given: Grade, where: str) -> None:
        again = self._graded_again(given)
        marks = {each.slot: each for each in given.marks}
        for right in again.marks:
            found = marks.pop(right.slot, None)
            self._expect(Fault.MARK_CHANGED, f"{where}, slot {right.slot}", _worth(right), found and _worth(found))
        for slot in marks:
            self._found(Fault.MARK_CHANGED, f"{where}, slot {slot}", "no such slot", "a mark")
        self._expect(Fault.GRADE_CHANGED, where, _total(again), _total(given))

    def _graded_again(self, given: Grade) -> Grade:
        session = replace(self.stored.session, grade_revision=given.revision - 1)
        keyed = same_keys([self._as_answered(each) for each in self.stored.slots], self.stored.contents, given.marks)
        voids = [each for each in self.stored.voids if each.id in given.voids]
        return grade(session, keyed, voids, given.graded_at, mode=given.mode)

    def _as_answered(self, graded: GradedSlot) -> GradedSlot:
        response, certainty = _answer_of(self._answers.get(graded.slot.slot, _Answer()).content)
        return replace(graded, slot=replace(graded.slot, response=response, certainty=certainty))

    def _check_grades(self) -> None:
        """Every grade was told, none is missing, and the latest is what the session and its slots show."""
        session = self.stored.session
        known = {each.revision: each for each in self.stored.grades}
        for revision in sorted(known.keys() - self._told):
            self._found(Fault.GRADE_UNTOLD, f"grade {revision}", "an entry that tells it", "none")
        self._expect(Fault.GRADE_MISSING, "session", session.grade_revision, max(known, default=0))
        latest = known.get(session.grade_revision)
        if latest is None:
            return
        shown = (session.mark, session.max_mark, session.certainty_mark, session.passed, session.graded_at)
        right = (latest.mark, latest.max_mark, latest.certainty_mark, latest.passed, latest.graded_at)
        self._expect(Fault.RESULT_CHANGED, "session", right, shown)
        marks = {each.slot: (each.mark, each.certainty_mark, each.correct) for each in latest.marks}
        for graded in self.stored.slots:
            slot = graded.slot
            found = (slot.mark, slot.certainty_mark, slot.correct)
            self._expect(Fault.RESULT_CHANGED, f"slot {slot.slot}", marks.get(slot.slot), found)

    def _check_status(self) -> None:
        allowed = frozenset({_S.CREATED}) if self._last_move is None else _LED_TO[self._last_move]
        status = self.stored.session.status
        if status not in allowed:
            self._found(Fault.STATUS_CHANGED, "session", " or ".join(sorted(allowed)), status)

    def _expect(self, fault: Fault, where: str, expected: object, found: object) -> None:
        if expected != found:
            self._found(fault, where, expected, found)

    def _found(self, fault: Fault, where: str, expected: object, found: object) -> None:
        self.findings.append(Finding(fault=fault, where=where, expected=_shown(expected), found=_shown(found)))


def _document(content: str) -> dict[str, Any]:
    """What an entry tells; nothing where somebody has made it unreadable, which its link tells already."""
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _answer_of(content: str) -> tuple[Response | None, Certainty | None]:
    """The answer that `answer_content` has put down so."""
    told = _document(content)
    certainty = next((each for each in Certainty if each.value == told.pop("certainty", None)), None)
    if not told:
        return None, certainty
    response = Response(
        choice_ids=tuple(told.get("choiceIds", ())),
        numeric_value=_decimal(told.get("numericValue")),
        text=told.get("text"),
        order=tuple(told.get("order", ())),
        pairs=tuple((left, right) for left, right in told.get("pairs", ())),
    )
    return response, certainty


def _decimal(text: object) -> Decimal | None:
    try:
        return None if text is None else Decimal(str(text))
    except InvalidOperation:
        return None


def _worth(given: SlotGrade) -> tuple[object, ...]:
    return given.mark, given.max_mark, given.certainty_mark, given.correct, given.answered, given.void


def _total(given: Grade) -> tuple[object, ...]:
    return given.mark, given.max_mark, given.certainty_mark, given.passed, given.voids


def _shown(value: object) -> str:
    return ", ".join(_plain(value)) if isinstance(value, tuple) else next(_plain((value,)))


def _plain(values: tuple[object, ...]) -> Iterator[str]:
    for value in values:
        yield value.isoformat() if isinstance(value, datetime) else "none" if value is None else str(value)
