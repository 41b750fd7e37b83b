"""Verifying what is stored of exams against their records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from application.exam.ports.monitoring import ExamKey
from application.exam.ports.verifying import ChosenExams, VerifyWork
from application.ports import Transaction
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError, Kind
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.verifying import Finding, StoredExam, Verification

SESSIONS_AT_ONCE: Final = 200
ENTRIES_AT_ONCE: Final = 500
"""An entry has 8 KiB at most; so this is all that is in memory of a record, however long it is."""


class ExamRecordBroken(DomainError):
    """What is stored of an exam is not what its record says: somebody has changed it from outside."""

    code = "exam.record_broken"
    kind = Kind.CONFLICT
    title = "What is stored of an exam is not what its record says"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExam:
    """A session after its verification; without findings all is well."""

    user_id: str
    session_id: str
    exam_package_id: str
    entries: int
    grades: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How much was looked at, and in how many sessions something was found."""

    sessions: int = 0
    entries: int = 0
    grades: int = 0
    broken: int = 0

    def with_(self, exam: VerifiedExam) -> Verified:
        return Verified(
            sessions=self.sessions + 1,
            entries=self.entries + exam.entries,
            grades=self.grades + exam.grades,
            broken=self.broken + bool(exam.findings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyExams:
    """The operator has exams verified: every link of the record, every answer, and every mark of every grade.

    Exams that are under way may go on meanwhile: each session is looked at as it is at one instant, by itself.
    """

    transact: Transaction[VerifyWork]

    async def one(self, user_id: str, session_id: str) -> VerifiedExam:
        """Refuses a session that there is not."""

        async def verify(work: VerifyWork) -> VerifiedExam | None:
            stored = await work.stored(user_id, session_id)
            return None if stored is None else await _verified(work, stored)

        found = await self.transact(verify)
        if found is None:
            raise ExamSessionNotFound
        return found

    async def of_package(self, name: str, tell: Callable[[VerifiedExam], None]) -> Verified:
        """Every session of a package, by its id or slug. Refuses one that there is not: nothing would be verified."""
        package_id = await self.transact(lambda work: work.package_named(name))
        if package_id is None:
            raise PackageNotFound(f"There is no exam package {name!r}")
        return await self.all(ChosenExams(exam_package_id=package_id), tell)

    async def all(self, chosen: ChosenExams, tell: Callable[[VerifiedExam], None]) -> Verified:
        """Tells of one after the other; how many there are takes no memory."""
        so_far = Verified()
        async for key in self._keys(chosen):
            try:
                exam = await self.one(*key)
            except ExamSessionNotFound:
                continue
            so_far = so_far.with_(exam)
            tell(exam)
        return so_far

    async def _keys(self, chosen: ChosenExams) -> AsyncIterator[ExamKey]:
        after: ExamKey | None = None
        while True:
            last = after
            keys = await self.transact(lambda work: work.following(chosen, last, SESSIONS_AT_ONCE))  # noqa: B023
            for key in keys:
                yield key
            if len(keys) < SESSIONS_AT_ONCE:
                return
            after = keys[-1]


async def _verified(work: VerifyWork, stored: StoredExam) -> VerifiedExam:
    session, verification = stored.session, Verification(stored)
    while True:
        entries = await work.entries_after(session.user_id, session.id, verification.entries, ENTRIES_AT_ONCE)
        for entry in entries:
            verification.read(entry)
        if len(entries) < ENTRIES_AT_ONCE:
            break
    return VerifiedExam(
        user_id=session.user_id,
        session_id=session.id,
        exam_package_id=session.exam_package_id,
        entries=verification.entries,
        grades=len(stored.grades),
        findings=verification.conclude(),
    )
