"""Declaring a question void after it was asked, and what that does to the exams that asked it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from application.exam.ports.regrading import AffectedReader, GradedSession, QuestionUse, RegradeWork, SessionKey
from application.exam.regrading import regard_voids
from application.exam.settling import Held
from application.jobs import FINISHING_SECONDS, JobName, Payload
from application.ports import AuditEntry, IdGenerator, Job, Transaction
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError
from domain.exam.grading import come_to, slot_grade
from domain.exam.moves import Intervention, reason_of
from domain.exam.sessions import ExamStatus
from domain.exam.voiding import Asked, Void, VoidMode, counting, refuse_inapplicable
from domain.identifiers import could_be_id
from domain.question_bank.lifecycle_refusals import QuestionNotFound

_log = logging.getLogger(__name__)
_BATCH: Final = 200
# A request looks at sessions for as long, and then regrades for as long; what is left is told, and the job's to finish.
_LOOKING_SECONDS: Final = 2.5
_REGRADING_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidRequest:
    """Which question is void, and how. Without a version: every one that was asked, or else the one asked now."""

    question_id: str
    version: int | None = None
    mode: VoidMode
    accepted: tuple[str, ...] = ()
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidReport:
    """What declaring a question void does. `affected` are the sessions with a grade that were asked it.

    `marks_changed`, `passed_to_failed` and `failed_to_passed` count those among them that were looked at, `regraded`
    those that got their new grade by it. `pending` are left: of a dry run to be looked at, else those whose grade does
    not regard it yet, and will soon. `live` are the sessions under way that were asked it too, and take the void when
    they are graded.
    """

    dry_run: bool
    exam_package_id: str
    question_id: str
    versions: tuple[int, ...]
    voids: tuple[Void, ...] = ()
    affected: int = 0
    live: int = 0
    marks_changed: int = 0
    passed_to_failed: int = 0
    failed_to_passed: int = 0
    regraded: int = 0
    pending: int = 0


@dataclass(slots=True, kw_only=True)
class _Budget:
    """How long a request may go on with what can be left for later."""

    seconds: float
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = asyncio.get_running_loop().time() + self.seconds

    @property
    def is_spent(self) -> bool:
        return asyncio.get_running_loop().time() >= self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class RegardVoid:
    """Every exam that asked a question that is void gets a new grade that regards it, each by itself.

    Whoever comes first does it: what has the void in its grade is not graded again.
    """

    transact: Transaction[RegradeWork]
    affected_reader: AffectedReader
    ids: IdGenerator

    async def __call__(self, void: Void, budget: _Budget | None = None) -> int:
        """How many were graded again. One that fails is logged, and stops no other."""
        done, failed, after = 0, 0, None
        while found := await self.affected_reader.without(void, after=after, limit=_BATCH):
            for each in found:
                if budget is not None and budget.is_spent:
                    return done
                outcome = await self._regraded(each)
                done, failed = done + (outcome is True), failed + (outcome is None)
            after = found[-1]
        if failed and budget is None:
            raise RuntimeError(f"{failed} exam sessions could not be graded again")
        return done

    async def job(self, payload: Payload) -> None:
        """For the job worker: what the request that declared the void has left, and what was under way meanwhile."""
        void = await self.affected_reader.void(str(payload["void_id"]))
        if void is not None:
            await self(void)

    async def _regraded(self, key: SessionKey) -> bool | None:
        """None where it failed."""
        user_id, session_id = key

        async def unit(work: RegradeWork) -> bool:
            student = await work.hold_progress(user_id)
            session = await work.hold_session(user_id, session_id)
            if session is None:
                return False
            return await regard_voids(work, lambda: self.ids.new("evt"), Held(student=student, session=session))

        try:
            return await self.transact(unit)
        except Exception as error:
            # Only what kind of error: the message of a database may quote what it was given.
            cause = error.code if isinstance(error, DomainError) else type(error).__name__
            _log.error("the exam session %s could not be graded again: %s", session_id, cause)
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidQuestion:
    """An admin declares a question of a package void, and says why: it is dropped, credited to everybody, or more
    choices are right. Exams that were graded get a new revision; those that are graded later take it from the start.

    A dry run says what would come of it and changes nothing. The latest declaration about a version counts; the same
    one again changes nothing.
    """

    transact: Transaction[RegradeWork]
    affected_reader: AffectedReader
    regard_void: RegardVoid
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, exam_package_id: str, request: VoidRequest, *, dry_run: bool = True
    ) -> VoidReport:
        if actor.role is not Role.ADMIN:
            raise Forbidden
        reason = reason_of(Intervention(actor_id=actor.user_id, reason=request.reason))
        request = replace(request, reason=reason, accepted=tuple(sorted(set(request.accepted))))
        report = await self._foreseen(exam_package_id, request)
        if dry_run:
            return report
        declared = await self._declare(actor, report, request)
        budget, done = _Budget(seconds=_REGRADING_SECONDS), 0
        for void in declared.voids:
            done += await self.regard_void(void, budget)
        left = [await self.affected_reader.outdated(void) for void in declared.voids]
        return replace(declared, regraded=done, pending=sum(left))

    async def _foreseen(self, exam_package_id: str, request: VoidRequest) -> VoidReport:
        """What would come of it. Refuses what is not in the package and what cannot be void like this."""
        if not could_be_id(exam_package_id):
            raise PackageNotFound
        if not could_be_id(request.question_id):
            raise QuestionNotFound
        use = await self.affected_reader.use(exam_package_id, request.question_id)
        versions = _versions(use, request)
        contents = await self.affected_reader.contents([(request.question_id, version) for version in versions])
        if len(contents) < len(versions):
            raise QuestionNotFound
        for content in contents.values():
            refuse_inapplicable(request.mode, request.accepted, content.question)
        affected, live = await self.affected_reader.count(exam_package_id, request.question_id, versions)
        report = VoidReport(
            dry_run=True,
            exam_package_id=exam_package_id,
            question_id=request.question_id,
            versions=versions,
            affected=affected,
            live=live,
            pending=affected,
        )
        return await self._looked_at(report, request)

    async def _looked_at(self, report: VoidReport, request: VoidRequest) -> VoidReport:
        budget, after = _Budget(seconds=_LOOKING_SECONDS), None
        while not budget.is_spent:
            found = await self.affected_reader.graded(
                report.exam_package_id, report.question_id, report.versions, after=after, limit=_BATCH
            )
            if not found:
                break
            report = await asyncio.to_thread(_counted, report, request, found)
            after = (found[-1].session.user_id, found[-1].session.id)
        return report

    async def _declare(self, actor: Actor, foreseen: VoidReport, request: VoidRequest) -> VoidReport:
        async def unit(work: RegradeWork) -> VoidReport:
            if not await work.hold_package(foreseen.exam_package_id):
                raise PackageNotFound
            known = counting(await work.voids(foreseen.exam_package_id))
            voids = [await self._declared(work, actor, foreseen, request, known, v) for v in foreseen.versions]
            return replace(foreseen, dry_run=False, voids=tuple(voids))

        return await self.transact(unit)

    async def _declared(
        self,
        work: RegradeWork,
        actor: Actor,
        foreseen: VoidReport,
        request: VoidRequest,
        known: Mapping[Asked, Void],
        version: int,
    ) -> Void:
        """The void of one version: the one that says so already, or a new one."""
        before = known.get((request.question_id, version))
        if before is not None and (before.mode, before.accepted) == (request.mode, request.accepted):
            return before
        void = _void(foreseen.exam_package_id, request, version, work.now, id_=self.ids.new("vod"), by=actor.user_id)
        await self._add(work, void, before)
        return void

    @staticmethod
    async def _add(work: RegradeWork, void: Void, before: Void | None) -> None:
        await work.add_void(void)
        await work.audit(
            AuditEntry(
                actor_id=void.created_by,
                action="exam_package.question_voided",
                subject=void.exam_package_id,
                before=None if before is None else _told(before),
                after=_told(void),
                reason=void.reason,
            )
        )
        payload = {"void_id": void.id}
        await work.enqueue(Job(name=JobName.REGRADE_EXAMS, payload=payload, delay_seconds=FINISHING_SECONDS))


def _versions(use: QuestionUse | None, request: VoidRequest) -> tuple[int, ...]:
    """Those that are meant. Refuses a question that the package neither asked nor could ask."""
    if use is None:
        raise PackageNotFound
    if not (use.asked or use.belongs):
        raise QuestionNotFound
    if request.version is not None:
        if request.version not in use.asked and not use.belongs:
            raise QuestionNotFound
        return (request.version,)
    if use.asked:
        return use.asked
    if use.published is None:
        raise QuestionNotFound
    return (use.published,)


def _void(
    exam_package_id: str, request: VoidRequest, version: int, at: datetime, *, id_: str = "", by: str = ""
) -> Void:
    return Void(
        id=id_,
        exam_package_id=exam_package_id,
        question_id=request.question_id,
        version=version,
        mode=request.mode,
        accepted=request.accepted,
        reason=request.reason,
        created_at=at,
        created_by=by,
    )


def _counted(report: VoidReport, request: VoidRequest, found: Sequence[GradedSession]) -> VoidReport:
    """The report with these sessions looked at too."""
    changed = to_failed = to_passed = 0
    for each in found:
        void = _void(report.exam_package_id, request, each.slot.slot.version, each.grade.graded_at)
        anew = slot_grade(each.session, each.slot, void)
        before = each.grade
        after = come_to(each.session, [anew if mark.slot == anew.slot else mark for mark in before.marks])
        counts = each.session.status is ExamStatus.FINISHED
        changed += (after.mark, after.max_mark) != (before.mark, before.max_mark)
        to_failed += counts and before.passed and not after.passed
        to_passed += counts and after.passed and not before.passed
    return replace(
        report,
        marks_changed=report.marks_changed + changed,
        passed_to_failed=report.passed_to_failed + to_failed,
        failed_to_passed=report.failed_to_passed + to_passed,
        pending=max(0, report.pending - len(found)),
    )


def _told(void: Void) -> dict[str, object]:
    return {
        "question_id": void.question_id,
        "version": void.version,
        "mode": void.mode.value,
        "accepted": list(void.accepted),
    }
