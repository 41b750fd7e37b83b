"""Reading of files in threads beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import islice

from application.question_bank.batches import BATCH, Gatherer, RejectLines
from application.question_bank.ports.importing import Batch, FoundWrong, QuestionFile, QuestionReading


class AsyncioThreads(QuestionReading):
    """Reads in the event loop's own threads, one batch ahead: enough for files of a few thousand questions."""

    @asynccontextmanager
    async def batches(self, file: QuestionFile, *, bank: str, import_id: str) -> AsyncIterator[AsyncIterator[Batch]]:
        source = getattr(file, "source", None)
        gatherer = Gatherer(file.read(bank))
        if source is not None:
            gatherer.position = lambda: source.position
        async with aclosing(_ahead(gatherer)) as batches:
            yield batches

    def size(self, file: QuestionFile) -> int:
        source = getattr(file, "source", None)
        return 0 if source is None else int(source.size)

    async def rejected(self, file: QuestionFile, found: FoundWrong, *, headed: bool) -> AsyncIterator[bytes]:
        records, lines = file.records(found), RejectLines(headed=headed)

        def step() -> bytes | None:
            taken = list(islice(records, BATCH))
            for record in taken:
                if not record.is_header:
                    lines.problem(found.problem(record.record, record.line))
                lines.record(record)
            return lines.take() if taken else None

        while (content := await asyncio.to_thread(step)) is not None:
            yield content


async def _ahead(gatherer: Gatherer) -> AsyncGenerator[Batch, None]:
    upcoming = asyncio.create_task(asyncio.to_thread(gatherer.next))
    try:
        while (batch := await asyncio.shield(upcoming)) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(gatherer.next))
            yield batch
    finally:
        # The file may be closed as soon as this returns, so no thread may still be reading it.
        await asyncio.wait((upcoming,))
        if not upcoming.cancelled():
            upcoming.exception()
