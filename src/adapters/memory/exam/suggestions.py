"""Suggestions to those who review questions, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.store import MemoryWork
from application.exam.ports.statistics import SuggestionWork
from domain.exam.suggesting import Suggestion, SuggestionKey
from domain.question_bank.authority import BankAccess


class MemorySuggestionWork(MemoryWork, SuggestionWork):
    """The table `question_suggestions` by their keys; `question_banks_of` holds bank and author by question."""

    async def suggestions_of(self, exam_package_id: str) -> Sequence[Suggestion]:
        rows: list[Suggestion] = list(self._tables["question_suggestions"].values())
        return tuple(sorted((row for row in rows if row.exam_package_id == exam_package_id), key=lambda row: row.key))

    async def hold_suggestion(self, key: SuggestionKey) -> Suggestion | None:
        found: Suggestion | None = self._tables["question_suggestions"].get(key)
        return found

    async def save_suggestions(self, suggestions: Sequence[Suggestion]) -> None:
        self._tables["question_suggestions"].update((each.key, each) for each in suggestions if self._is_open(each.key))

    async def drop_suggestions(self, keys: Sequence[SuggestionKey]) -> None:
        for key in filter(self._is_open, keys):
            self._tables["question_suggestions"].pop(key, None)

    async def bank_of(self, question_id: str) -> tuple[BankAccess, str | None] | None:
        found: tuple[BankAccess, str | None] | None = self._tables["question_banks_of"].get(question_id)
        return found

    def _is_open(self, key: SuggestionKey) -> bool:
        known: Suggestion | None = self._tables["question_suggestions"].get(key)
        return known is None or known.is_open
