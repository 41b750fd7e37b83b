"""The question bank in memory: what an import does to a bank, by the rules of the domain alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.memory.store import MemoryWork
from application.question_bank.ports.importing import ApplyImport, ImportWork
from domain.question_bank.import_report import Applied, ImportReport, ImportStatus
from domain.question_bank.imported import (
    ImportedQuestion,
    ImportProblem,
    conflicting_duplicate,
    identical_duplicate,
    resolve_duplicates,
)

_OPEN = ("draft", "in_review", "changes_requested")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuestion:
    """A question as its bank keeps it: what its latest version says and how it stands, and which one is published."""

    latest: ImportedQuestion
    version: int
    status: str
    published_version: int | None


class MemoryImportWork(MemoryWork, ImportWork):
    """Units of work take turns in memory, so no other import can be at work in the bank."""

    async def hold_bank(self, bank: str) -> None:
        self._tables["staged"].clear()

    async def stage(self, questions: Sequence[ImportedQuestion]) -> None:
        self._tables["staged"].update({question.origin.record: question for question in questions})

    async def resolve_duplicates(self) -> Sequence[ImportProblem]:
        staged: dict[int, ImportedQuestion] = self._tables["staged"]
        found = resolve_duplicates((record, q.external_id, q.content_hash) for record, q in staged.items())
        problems = []
        for record in sorted({*found.collapsed, *found.refused}):
            question = staged.pop(record)
            if record in found.refused:
                problems.append(conflicting_duplicate(record, question.origin.line, question.external_id))
            else:
                problems.append(identical_duplicate(record, question.origin.line, found.collapsed[record]))
        return problems

    async def apply(self, how: ApplyImport) -> Applied:
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        bank: dict[tuple[str, str], KeptQuestion] = self._tables["questions"]
        for question in self._tables.pop("staged", {}).values():
            key = (how.bank, question.external_id)
            outcome, bank[key] = _settle(question, bank.get(key), publish=how.publish)
            counts[outcome] += 1
        return Applied(**counts)

    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        kept = self._tables["question_imports"].get(report.id)
        if kept is None or (kept.status is ImportStatus.RUNNING and report.status is not ImportStatus.RUNNING):
            self._tables["question_imports"][report.id] = report


def _settle(question: ImportedQuestion, kept: KeptQuestion | None, *, publish: bool) -> tuple[str, KeptQuestion]:
    if kept is None:
        status = "published" if publish else "draft"
        return "created", _published(KeptQuestion(latest=question, version=1, status=status, published_version=None))
    waiting = kept.status in _OPEN
    if kept.latest.content_hash == question.content_hash and not (publish and waiting):
        return "unchanged", kept
    version = kept.version if waiting else kept.version + 1
    status = kept.status if waiting else "in_review" if kept.status == "published" else "draft"
    changed = replace(kept, latest=question, version=version, status="published" if publish else status)
    return "updated", _published(changed)


def _published(kept: KeptQuestion) -> KeptQuestion:
    return replace(kept, published_version=kept.version) if kept.status == "published" else kept
