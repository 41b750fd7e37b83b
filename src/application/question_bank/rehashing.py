"""Content hashes after a topic was renamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from application.jobs import Payload
from application.question_bank.ports.rehashing import ContentHashes

_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RehashQuestions:
    """Hashes say what a topic is called, so they are made again when it has another name; twice is harmless."""

    content_hashes: ContentHashes

    async def __call__(self, payload: Payload) -> None:
        topic_id, after = str(payload["topic_id"]), None
        while found := await self.content_hashes.versions_about(topic_id, after=after, limit=_BATCH):
            hashes = [(each, each.stated.content_hash) for each in found]
            if outdated := [(each, content) for each, content in hashes if content != each.content_hash]:
                await self.content_hashes.replace(outdated)
            after = found[-1].question_id
