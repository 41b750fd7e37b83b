"""What making content hashes anew needs: the latest versions of questions about a topic."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.question_bank.imported import ImportedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedVersion:
    """The latest version of a question, and what a file would state for it now."""

    question_id: str
    version: int
    rev: int
    content_hash: bytes
    stated: ImportedQuestion


class ContentHashes(Protocol):
    """The content hashes of the latest versions."""

    @abstractmethod
    async def versions_about(self, topic_id: str, *, after: str | None, limit: int) -> Sequence[StatedVersion]:
        """The latest versions of questions that have to do with the topic, by question id."""

    @abstractmethod
    async def replace(self, hashes: Sequence[tuple[StatedVersion, bytes]]) -> None:
        """Writes hashes, except of versions that were changed since: their authors hashed them anew."""
