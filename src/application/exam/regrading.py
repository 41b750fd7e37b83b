"""Grading an exam again: a new revision of its grade, with all that follows from it. No older one is ever changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from application.exam.overseen import OverseenSession
from application.exam.ports.regrading import RegradeWork
from application.exam.settling import Held, accepted, hold, keep_grade, keyed_as, latest_grade, outcome_of
from application.ports import AuditEntry, IdGenerator, Transaction
from application.progress.crediting import recredit_exam
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.errors import DomainError
from domain.exam.grading import Grade, grade
from domain.exam.lifecycle import Command, taken
from domain.exam.moves import Intervention, reason_of
from domain.exam.papers import GradedSlot
from domain.exam.regrading import RegradeMode, is_outdated, latest_keys
from domain.exam.sessions import ExamSession, ExamStatus
from domain.exam.voiding import Asked, Void, counting

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradedSlot:
    """A slot's two grades are in the revisions; here stands what was asked, to read them by."""

    slot: int
    question_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Regraded:
    """A session with its grade before (None: it had none) and after; with `dry_run` the latter was not kept."""

    session: OverseenSession
    before: Grade | None
    after: Grade
    slots: tuple[RegradedSlot, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeExam:
    """An admin has an exam graded again, and says why: by the keys that were asked, or by the corrected ones.

    By `latest_versions` a slot takes the key of the published version of its question where that asks the same, and
    stays as asked elsewhere. Voids count as they are now. A session that was declared invalid gets its new revision
    too, which counts for nothing. A dry run shows what would come of it.
    """

    transact: Transaction[RegradeWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, *, mode: RegradeMode, reason: str, dry_run: bool
    ) -> Regraded:
        if actor.role is not Role.ADMIN:
            raise Forbidden
        by = Intervention(actor_id=actor.user_id, reason=reason_of(Intervention(actor_id=actor.user_id, reason=reason)))

        async def unit(work: RegradeWork) -> Regraded | DomainError:
            held = await hold(work, self._event_id, user_id, session_id)
            try:
                taken(held.session.status, Command.REGRADE)
            except DomainError as refusal:
                return refusal
            return await self._regrade(work, held, mode, by, dry_run=dry_run)

        return accepted(await self.transact(unit))

    async def _regrade(
        self, work: RegradeWork, held: Held, mode: RegradeMode, by: Intervention, *, dry_run: bool
    ) -> Regraded:
        session = held.session
        slots = await _keyed(work, session, mode)
        voids = await work.voids(session.exam_package_id)
        before = await latest_grade(work, session)
        after = grade(session, slots, voids, work.now, mode=mode.value, by=by.actor_id, reason=by.reason)
        if not dry_run:
            session = (await keep_revision(work, self._event_id, held, before, after)).session
        return Regraded(
            session=OverseenSession.of(session, work.now),
            before=before,
            after=after,
            slots=tuple(
                RegradedSlot(slot=each.slot.slot, question_id=each.slot.question_id, version=each.slot.version)
                for each in slots
            ),
            dry_run=dry_run,
        )

    def _event_id(self) -> str:
        return self.ids.new("evt")


async def regard_voids(work: RegradeWork, new_id: NewId, held: Held) -> bool:
    """The session that is held is graded again if its grade does not regard the voids that count by now.

    Every slot keeps the key that it was marked by, and the one who declared the void, and why, stand for the revision.
    Whether there is a new one.
    """
    session = held.session
    before = await latest_grade(work, session)
    if before is None or session.status not in (ExamStatus.FINISHED, ExamStatus.INVALIDATED):
        return False
    slots, voids = await work.graded_slots(session), await work.voids(session.exam_package_id)
    asked = _asked(slots)
    if not is_outdated(before, voids, asked):
        return False
    keyed = await keyed_as(work, slots, before)
    cause = _latest(voids, asked)
    after = grade(session, keyed, voids, work.now, mode=before.mode, by=cause.created_by, reason=cause.reason)
    await keep_revision(work, new_id, held, before, after)
    return True


async def keep_revision(work: RegradeWork, new_id: NewId, held: Held, before: Grade | None, after: Grade) -> Held:
    """Keep a new revision and what follows: what the exam counts for its student, and what was foretold about it."""
    session, student = await keep_grade(work, new_id, held.session, after), held.student
    await work.save_session(session)
    if session.status is ExamStatus.FINISHED and before is not None:
        student = await recredit_exam(work, student, outcome_of(session, before), outcome_of(session, after))
        if after.passed is not before.passed:
            await work.judge_predictions(session.user_id, session.exam_package_id, session)
    await work.audit(
        AuditEntry(
            actor_id=after.graded_by,
            action="exam_session.regraded",
            subject=session.id,
            before=None if before is None else _told(before),
            after={**_told(after), "user_id": session.user_id, "mode": after.mode, "voids": list(after.voids)},
            reason=after.reason,
        )
    )
    return Held(student=student, session=session)


async def _keyed(work: RegradeWork, session: ExamSession, mode: RegradeMode) -> tuple[GradedSlot, ...]:
    slots = await work.graded_slots(session)
    if mode is RegradeMode.AS_ASKED:
        return slots
    published = await work.published_versions([each.slot.question_id for each in slots])
    newer = [each for each in slots if published.get(each.slot.question_id, each.slot.version) != each.slot.version]
    latest = [(each.slot.question_id, published[each.slot.question_id]) for each in newer]
    return latest_keys(slots, await work.contents([*latest, *_asked(newer)]), published) if newer else slots


def _asked(slots: Sequence[GradedSlot]) -> list[Asked]:
    return [(each.slot.question_id, each.slot.version) for each in slots]


def _latest(voids: Sequence[Void], asked: Sequence[Asked]) -> Void:
    return max(
        (void for version, void in counting(voids).items() if version in asked),
        key=lambda void: (void.created_at, void.id),
    )


def _told(given: Grade) -> dict[str, object]:
    return {
        "revision": given.revision,
        "mark": str(given.mark),
        "max_mark": str(given.max_mark),
        "passed": given.passed,
    }
