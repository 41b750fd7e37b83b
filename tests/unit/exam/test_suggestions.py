"""Conversations about suggestions: every exam is looked at by night, and staff read what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from adapters.memory.exam.suggestions import MemorySuggestionWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from application.exam import suggestions
from application.exam.ports.statistics import SuggestionReader, SuggestionView, WantedSuggestions
from application.exam.suggestions import ListReviewSuggestions, SuggestReviews
from domain.auth.people import Actor, Role
from domain.exam.sampling import AttemptRule, GradedPaper
from domain.exam.suggesting import ReviewReason
from tests.support.exam_samples import SampledExams, paper
from tests.support.postgres import SettableClock

STAFF = Actor(user_id="usr_staff", role=Role.INSTRUCTOR, session_id="ses_staff")


class ManyExams(SampledExams):
    """Exams in three packages, of which one is gone by the time that it is looked at."""

    async def packages_with_exams(self, after: str, limit: int) -> Sequence[str]:
        return [name for name in ("gone", "pkg_1", "pkg_2") if name > after][:limit]

    async def papers(self, attempts: Sequence[tuple[str, str]]) -> Sequence[GradedPaper]:
        return [paper({"qst_easy": 1, "qst_fair": n % 2}) for n, _ in enumerate(attempts)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
async def test_every_package_is_looked_at_by_first_attempts(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "_PACKAGES_AT_ONCE", at_once)
    store, exams = MemoryStore(), ManyExams()
    await SuggestReviews(reader=exams, transact=MemoryTransaction(store, MemorySuggestionWork, SettableClock()))({})
    assert list(store.tables["question_suggestions"]) == [("pkg_1", "qst_easy", 1), ("pkg_2", "qst_easy", 1)]
    assert exams.asked == [AttemptRule.FIRST] * 2


class Nothing(SuggestionReader):
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def page(
        self, viewer: Actor, wanted: WantedSuggestions, after: tuple[datetime, str, str, int] | None, limit: int
    ) -> Sequence[SuggestionView]:
        self.asked += [viewer, wanted, after, limit]
        return ()


async def test_staff_list_what_they_may_see() -> None:
    reader, wanted = Nothing(), WantedSuggestions(reason=ReviewReason.VERY_HARD)
    assert await ListReviewSuggestions(suggestion_reader=reader)(STAFF, wanted, after=None, limit=20) == ()
    assert reader.asked == [STAFF, wanted, None, 20]
