"""Keeping what a move has made of a session, with all that follows from it, in the unit of work of the move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from application.exam.ports.sessions import ExamWork
from application.progress.crediting import credit_exam, take_back_exam
from domain.errors import DomainError
from domain.exam.grading import Grade, grade
from domain.exam.moves import expire
from domain.exam.papers import GradedSlot
from domain.exam.record import Draft, EntryKind, EntrySource, append, canonical
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.regrading import keys_beside, same_keys
from domain.exam.sessions import ExamSession, ExamStatus, SealReason
from domain.exam.starting import sitting_until
from domain.exam.told import changes
from domain.progress.activity import ExamOutcome
from domain.progress.students import StudentProgress

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A session that is held, as time has left it, and its student's own row, held before it.

    `lapsed`: time did something to it that nobody had written down before.
    """

    student: StudentProgress
    session: ExamSession
    lapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the record says about a move: `type` is one of `domain.exam.events.MOVES`. `id` names the event."""

    id: str
    type: str
    source: EntrySource = EntrySource.SYSTEM
    actor_id: str | None = None
    told: Mapping[str, object] | None = None

    @property
    def draft(self) -> Draft:
        return Draft(
            kind=EntryKind.EVENT,
            source=self.source,
            actor_id=self.actor_id,
            id=self.id,
            type=self.type,
            content=canonical(self.told or {}),
        )


NewId = Callable[[], str]
"""Makes the id of an event."""

_SEALED_AS: Mapping[ExamStatus, str] = {
    ExamStatus.SUBMITTED: "session_submitted",
    ExamStatus.ABANDONED: "session_abandoned",
    ExamStatus.OVERDUE: "session_overdue",
}


async def hold(work: ExamWork, new_id: NewId, user_id: str, session_id: str) -> Held:
    """Take hold of a student and one of their sessions, and keep what time has made of it.

    Refuses a session that there is not, without taking hold of anything. What time has done stays done even where the
    command is refused for it: use cases return such a refusal from the unit (`refused`) and raise it afterwards
    (`accepted`).
    """
    if await work.find_session(user_id, session_id) is None:
        raise ExamSessionNotFound
    student = await work.hold_progress(user_id)
    held = await work.hold_session(user_id, session_id)
    if held is None:
        raise ExamSessionNotFound
    return await lapse(work, new_id, Held(student=student, session=held))


async def lapse(work: ExamWork, new_id: NewId, held: Held) -> Held:
    """Let time act on a session that is held, and keep what it did."""
    after = expire(held.session, work.now)
    if after == held.session:
        return held
    note = Note(id=new_id(), type=_SEALED_AS[after.status])
    return replace(await settle(work, new_id, held, after, note), lapsed=True)


async def settle(work: ExamWork, new_id: NewId, held: Held, after: ExamSession, note: Note | None) -> Held:
    """Keep a session as a move left it, with the entry that tells of it.

    What was handed in is graded at once, once; what a finished exam counts for its student is credited, and taken back
    when it does not count any more. Nothing is written where nothing changed.
    """
    before, student = held.session, held.student
    if after == before:
        return held
    if note is not None:
        note = replace(note, told={**(note.told or {}), **changes(before, after)})
        after, entry = append(after, note.draft, work.now)
        await work.add_entries([entry])
    if after.status is ExamStatus.SUBMITTED:
        after = await complete_grading(work, new_id, after)
    await work.save_session(after)
    if _counts(before) and not _counts(after):
        student = await take_back_exam(work, student, await _outcome(work, before))
    if _counts(after) and not _counts(before):
        student = await credit_exam(work, student, await _credited(work, before, after))
    if _counts(before) != _counts(after):
        await work.judge_predictions(after.user_id, after.exam_package_id, after)
    await _mark_sitting(work, before, after)
    return Held(student=student, session=after)


async def complete_grading(work: ExamWork, new_id: NewId, session: ExamSession) -> ExamSession:
    """Grade what was handed in; every kind of question is graded by the machine, so that nothing waits.

    What was graded before and went on is graded by the same keys again: a correction that counted is not lost by it.
    """
    slots, voids = await work.graded_slots(session), await work.voids(session.exam_package_id)
    before = await latest_grade(work, session)
    if before is None:
        given = grade(session, slots, voids, work.now)
    else:
        given = grade(session, await keyed_as(work, slots, before), voids, work.now, mode=before.mode)
    graded = await keep_grade(work, new_id, session, given)
    return replace(graded, status=ExamStatus.FINISHED)


async def latest_grade(work: ExamWork, session: ExamSession) -> Grade | None:
    """The one that the session goes by; None as long as it has none."""
    if not session.grade_revision:
        return None
    return await work.find_grade(session.user_id, session.id, session.grade_revision)


async def keyed_as(work: ExamWork, slots: Sequence[GradedSlot], before: Grade) -> tuple[GradedSlot, ...]:
    """The slots with the keys that an earlier grade was made by."""
    others = keys_beside(slots, before.marks)
    return same_keys(slots, await work.contents(others) if others else {}, before.marks)


async def keep_grade(work: ExamWork, new_id: NewId, session: ExamSession, given: Grade) -> ExamSession:
    """Keep a revision of the grade, and tell the record of it. The session itself is for the caller to save."""
    await work.add_grade(given)
    told = {"revision": given.revision, "mark": str(given.mark), "maxMark": str(given.max_mark)}
    note = Note(id=new_id(), type="grade_recorded", told=told | {"passed": given.passed, "mode": given.mode})
    session, entry = append(session, note.draft, work.now)
    await work.add_entries([entry])
    return replace(
        session,
        grade_revision=given.revision,
        mark=given.mark,
        max_mark=given.max_mark,
        certainty_mark=given.certainty_mark,
        passed=given.passed,
        graded_at=given.graded_at,
    )


def refused(held: Held, refusal: DomainError) -> DomainError:
    """The refusal, for the unit to return, where time did something that has to be kept; else it is raised at once."""
    if held.lapsed:
        return refusal
    raise refusal


def accepted(outcome: ResultT | DomainError) -> ResultT:
    """A refusal that left something behind is raised once that is kept."""
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def outcome_of(session: ExamSession, given: Grade) -> ExamOutcome:
    """What a finished session counts for its student by this grade."""
    return ExamOutcome(
        session_id=session.id,
        answers=sum(each.answered for each in given.marks),
        passed=given.passed,
        perfect=given.max_mark > 0 and given.mark >= given.max_mark,
        by_student=session.seal_reason is SealReason.STUDENT,
    )


async def _mark_sitting(work: ExamWork, before: ExamSession, after: ExamSession) -> None:
    """Signing in elsewhere spares who sits an exam as long as it may last by now.

    Who is called back may go on in any browser that is signed in: which one it was is not known any more.
    """
    if before.is_live and not after.is_live:
        await work.unmark_sitting(after.user_id)
    if not after.is_live or after.started_at is None:
        return
    until = sitting_until(after, work.now)
    if not before.is_live or until != sitting_until(before, work.now):
        await work.move_sitting(after, until, everywhere=not before.is_live)


def _counts(session: ExamSession) -> bool:
    return session.status is ExamStatus.FINISHED


async def _credited(work: ExamWork, before: ExamSession, after: ExamSession) -> ExamOutcome:
    """A day of study is theirs who hand in themselves, when they do it: not when what they handed in counts again."""
    outcome = await _outcome(work, after)
    return replace(outcome, by_student=outcome.by_student and before.is_live)


async def _outcome(work: ExamWork, session: ExamSession) -> ExamOutcome:
    """By the grade that the session has."""
    given = await work.find_grade(session.user_id, session.id, session.grade_revision)
    assert given is not None
    return outcome_of(session, given)
