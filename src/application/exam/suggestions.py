"""Suggestions to those who review questions: made from statistics, listed, and dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from application.exam.ports.statistics import (
    SampledPackage,
    StatisticsReader,
    SuggestionReader,
    SuggestionView,
    SuggestionWork,
    WantedSuggestions,
)
from application.exam.statistics import compute
from application.jobs import Payload
from application.ports import AuditEntry, Transaction
from domain.auth.people import Actor
from domain.exam.item_report import Report
from domain.exam.sampling import AttemptRule
from domain.exam.suggesting import (
    Suggestion,
    SuggestionKey,
    SuggestionNotFound,
    dismiss,
    renewed,
    suggestions_from,
)
from domain.question_bank.authority import require_editor

_PACKAGES_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestReviews:
    """Every night the questions of all exams are looked at: which are too hard, too easy, or do not discriminate?

    First attempts count, because later ones have seen the questions. What is not wanting any more is not suggested any
    more. Doing it twice is harmless.
    """

    reader: StatisticsReader
    transact: Transaction[SuggestionWork]

    async def __call__(self, payload: Payload) -> None:
        after: str | None = ""
        while after is not None:
            names = await self.reader.packages_with_exams(after, _PACKAGES_AT_ONCE)
            for name in names:
                package = await self.reader.package(name)
                if package is not None:
                    await self._suggest(package)
            after = names[-1] if len(names) == _PACKAGES_AT_ONCE else None

    async def _suggest(self, package: SampledPackage) -> None:
        found = await compute(self.reader, package, AttemptRule.FIRST)
        await self.transact(lambda work: _renew(work, package.id, found.report))


async def _renew(work: SuggestionWork, exam_package_id: str, report: Report) -> None:
    before = await work.suggestions_of(exam_package_id)
    changes = renewed(before, suggestions_from(exam_package_id, report, work.now))
    if changes.keep:
        await work.save_suggestions(changes.keep)
    if changes.drop:
        await work.drop_suggestions(changes.drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReviewSuggestions:
    """Staff see which questions should be reviewed, of the banks that they may see, the newest suggestion first."""

    suggestion_reader: SuggestionReader

    async def __call__(
        self, actor: Actor, wanted: WantedSuggestions, *, after: tuple[datetime, str, str, int] | None, limit: int
    ) -> Sequence[SuggestionView]:
        return await self.suggestion_reader.page(actor, wanted, after, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissReviewSuggestion:
    """Whoever may change a question looks at what is suggested about it and finds that it may stay as it is."""

    transact: Transaction[SuggestionWork]

    async def __call__(self, actor: Actor, key: SuggestionKey, reason: str | None = None) -> Suggestion:
        async def unit(work: SuggestionWork) -> Suggestion:
            held = await work.hold_suggestion(key)
            access = None if held is None else await work.bank_of(held.question_id)
            if held is None or access is None or not access[0].may_be_seen_by(actor):
                raise SuggestionNotFound
            require_editor(actor, *access)
            after = dismiss(held, actor.user_id, reason or None, work.now)
            if after != held:
                await work.save_suggestions([after])
                await work.audit(_dismissed(actor, after))
            return after

        return await self.transact(unit)


def _dismissed(actor: Actor, suggestion: Suggestion) -> AuditEntry:
    about = {
        "exam_package_id": suggestion.exam_package_id,
        "version": suggestion.version,
        "reasons": [str(reason) for reason in suggestion.reasons],
    }
    return AuditEntry(
        actor_id=actor.user_id,
        action="review_suggestion.dismissed",
        subject=suggestion.question_id,
        after=about,
        reason=suggestion.dismiss_reason,
    )
