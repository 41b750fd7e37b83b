"""One-time links on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection

from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.auth.ports import LinkWork
from domain.auth.links import Link, LinkPurpose

SQL = load("auth")


class PostgresLinkWork(PostgresWork, LinkWork):
    """A link is used by deleting its row, which one of several can do."""

    async def put_link(self, link: Link) -> None:
        await self._run(SQL["put_link"], record(link))

    async def renew_link(self, link: Link) -> bool:
        return await self._run(SQL["renew_link"], record(link)) == 1

    async def take_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        row = await self._one(SQL["take_link"], {"token_hash": token_hash, "purposes": sorted(purposes)})
        return None if row is None else entity(row, Link)

    async def drop_links(self, owner_id: str, purposes: Collection[LinkPurpose]) -> None:
        await self._run(SQL["drop_links"], {"owner_id": owner_id, "purposes": sorted(purposes)})
