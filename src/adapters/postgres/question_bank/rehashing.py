"""Content hashes on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.statements import load
from application.question_bank.ports.rehashing import ContentHashes, StatedVersion

SQL = load("question_bank/taxonomy")


class PostgresContentHashes(ContentHashes):
    """Batch by batch, each a statement of its own: no lock is held while hashes are computed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions_about(self, topic_id: str, *, after: str | None, limit: int) -> Sequence[StatedVersion]:
        params = {"topic_id": topic_id, "after": after, "limit": limit}
        return [_stated(row) for row in await self._database.fetch_all(SQL["versions_about_topic"], params)]

    async def replace(self, hashes: Sequence[tuple[StatedVersion, bytes]]) -> None:
        params = {
            "question_ids": [each.question_id for each, _ in hashes],
            "versions": [each.version for each, _ in hashes],
            "revs": [each.rev for each, _ in hashes],
            "hashes": [content_hash for _, content_hash in hashes],
        }
        await self._database.fetch_all(SQL["replace_hashes"], params)


def _stated(row: Mapping[str, Any]) -> StatedVersion:
    stated = content_of(row).canonical(
        external_id=row["external_id"], bank=row["bank"], topic=row["topic"], difficulty=row["difficulty"]
    )
    return StatedVersion(
        question_id=row["question_id"],
        version=row["version"],
        rev=row["rev"],
        content_hash=row["content_hash"],
        stated=stated,
    )
