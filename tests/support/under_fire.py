"""Writers who go on while the store is killed under them, and what they were told was kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from domain.errors import DomainError


@asynccontextmanager
async def writing(
    write: Callable[[str], Awaitable[object]], *, writers: int, first: int, pause_seconds: float
) -> AsyncIterator[list[str]]:
    """Each writes one thing after the other, `killed-…`, whatever is refused, until the block ends.

    The block begins when `first` of them were acknowledged, and is given all that were.
    """
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def go_on(writer: int) -> None:
        number = 0
        while not stop.is_set():
            thing = f"killed-{writer}-{number}"
            number += 1
            with suppress(DomainError):
                await write(thing)
                acknowledged.append(thing)
            await asyncio.sleep(pause_seconds)

    async with asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(go_on(writer))
        try:
            while len(acknowledged) < first:
                await asyncio.sleep(0.002)
            yield acknowledged
        finally:
            stop.set()
