"""The question bank in memory: what an import does to a bank, by the rules of the domain alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from adapters.memory.store import MemoryStore, MemoryWork
from application.idempotency import KeyReused
from application.question_bank.following import Stopped
from application.question_bank.ports.importing import ApplyImport, Batch, ImportRegister, ImportWork, OnceKey
from domain.auth.people import Role
from domain.question_bank.import_report import (
    CHANGED_IN_REVIEW,
    CONFLICTING,
    COPIED,
    FOREIGN,
    REFUSING,
    Applied,
    ImportHead,
    ImportProgress,
    ImportReport,
    ImportStatus,
    SetFindings,
    kept_problems,
    running,
)
from domain.question_bank.imported import ImportedQuestion, ImportProblem, resolve_duplicates
from domain.question_bank.set_checks import set_problem

_OPEN = ("draft", "in_review", "changes_requested")
_TABLE = "question_imports"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuestion:
    """A question as its bank keeps it: what its latest version says and how it stands, and which one is published."""

    latest: ImportedQuestion
    version: int
    status: str
    published_version: int | None
    author_id: str | None


class MemoryImportWork(MemoryWork, ImportWork):
    """Units of work take turns in memory, so no other import can be at work in the bank. Every bank is visible."""

    _how: ApplyImport

    async def begin(self, how: ApplyImport) -> None:
        self._how = how
        self._tables["staged"].clear()
        self._tables["refused"].clear()

    async def stage(self, batch: Batch) -> None:
        self._tables["staged"].update({question.origin.record: question for question in batch.questions})

    async def judge(self) -> SetFindings:
        staged: dict[int, ImportedQuestion] = self._tables["staged"]
        found = resolve_duplicates((record, q.external_id, q.content_hash) for record, q in staged.items())
        verdicts: dict[int, tuple[str, int | None]] = dict.fromkeys(found.refused, (CONFLICTING, None))
        verdicts |= {record: ("duplicate_identical_of", first) for record, first in found.collapsed.items()}
        verdicts |= {record: (COPIED, first) for record, first in found.copies.items()}
        problems = [_problem(staged[record], *verdict) for record, verdict in verdicts.items()]
        for problem in problems:
            if problem.code != COPIED:
                staged.pop(problem.record)
        foreign = [_problem(question, FOREIGN, None) for question in staged.values() if self._is_foreign(question)]
        for problem in foreign:
            staged.pop(problem.record)
        reviewed = [
            _problem(question, CHANGED_IN_REVIEW, None) for question in staged.values() if self._waits(question)
        ]
        problems = sorted([*problems, *foreign, *reviewed], key=attrgetter("record"))
        self._tables["refused"].update({problem.record: problem for problem in problems if problem.code in REFUSING})
        codes = [problem.code for problem in problems]
        return SetFindings(problems=kept_problems(problems), counts={code: codes.count(code) for code in codes})

    async def refused(self) -> AsyncIterator[Sequence[ImportProblem]]:
        yield list(self._tables["refused"].values())

    async def apply(self) -> Applied:
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        staged = self._tables.pop("staged", {})
        if staged:
            self._tables["bank_owners"].setdefault(self._how.bank, self._how.author_id)
        for question in staged.values():
            outcome, kept = _settle(question, self._kept(question), self._how)
            counts[outcome] += 1
            self._tables["questions"][self._how.bank, question.external_id] = kept
        return Applied(**counts)

    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        kept = self._tables[_TABLE].get(report.id)
        if kept is not None and (kept.status is not ImportStatus.RUNNING or report.status is ImportStatus.RUNNING):
            raise Stopped
        self._tables[_TABLE][report.id] = report

    def _kept(self, question: ImportedQuestion) -> KeptQuestion | None:
        return self._tables["questions"].get((self._how.bank, question.external_id))

    def _is_foreign(self, question: ImportedQuestion) -> bool:
        """Whether the record would change what the importer may not edit."""
        actor, kept = self._how.actor, self._kept(question)
        if actor is None or actor.role is Role.ADMIN or kept is None:
            return False
        owners = (kept.author_id, self._tables["bank_owners"].get(self._how.bank))
        return actor.user_id not in owners and _settle(question, kept, self._how)[0] == "updated"

    def _waits(self, question: ImportedQuestion) -> bool:
        """Whether the record rewrites what somebody may be reviewing. What is published needs no decision."""
        kept = self._kept(question)
        waits = kept is not None and kept.status == "in_review" and not self._how.publish
        return waits and _settle(question, kept, self._how)[0] == "updated"


class MemoryImportRegister(ImportRegister):
    """Reports in the store, rejected records and wishes to stop beside it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.rejects: dict[str, bytes] = {}
        self.told: list[ImportProgress] = []
        self.unwanted: set[str] = set()
        self._keys: dict[tuple[str | None, str], tuple[str, bytes]] = {}

    async def begin(
        self, head: ImportHead, actor_id: str | None, *, bytes_total: int, once: OnceKey | None = None
    ) -> str:
        if once is not None:
            known, fingerprint = self._keys.setdefault((actor_id, once.key), (head.id, once.fingerprint))
            if fingerprint != once.fingerprint:
                raise KeyReused
            if known != head.id:
                return known
        self._store.tables[_TABLE][head.id] = running(head)
        return head.id

    async def tell(self, import_id: str, progress: ImportProgress) -> bool:
        self.told.append(progress)
        return import_id in self.unwanted

    async def keep_rejects(self, import_id: str, part: int, content: bytes) -> None:
        self.rejects[import_id] = self.rejects.get(import_id, b"") + content

    async def end(self, report: ImportReport, actor_id: str | None) -> None:
        self._store.tables[_TABLE][report.id] = report
        if report.status in (ImportStatus.FAILED, ImportStatus.CANCELLED):
            self._release_key(report.id)

    async def forget(self, import_id: str) -> None:
        self._store.tables[_TABLE].pop(import_id, None)
        self._release_key(import_id)

    def _release_key(self, import_id: str) -> None:
        self._keys = {key: kept for key, kept in self._keys.items() if kept[0] != import_id}


def _problem(question: ImportedQuestion, verdict: str, first: int | None) -> ImportProblem:
    origin = question.origin
    return set_problem(
        verdict, record=origin.record, line=origin.line, external_id=question.external_id, first_record=first
    )


def _settle(question: ImportedQuestion, kept: KeptQuestion | None, how: ApplyImport) -> tuple[str, KeptQuestion]:
    if kept is None:
        new = KeptQuestion(
            latest=question,
            version=1,
            status="published" if how.publish else "draft",
            published_version=None,
            author_id=how.author_id,
        )
        return "created", _published(new)
    waiting = kept.status in _OPEN
    if kept.latest.content_hash == question.content_hash and not (how.publish and waiting):
        return "unchanged", kept
    version = kept.version if waiting else kept.version + 1
    status = kept.status if waiting else "in_review" if kept.status == "published" else "draft"
    changed = replace(kept, latest=question, version=version, status="published" if how.publish else status)
    return "updated", _published(changed)


def _published(kept: KeptQuestion) -> KeptQuestion:
    return replace(kept, published_version=kept.version) if kept.status == "published" else kept
