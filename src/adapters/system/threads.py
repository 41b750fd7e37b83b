"""Blocking work beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice

from application.question_bank.ports.importing import Threads
from domain.question_bank.imported import ParsedItem


class AsyncioThreads(Threads):
    """The event loop's own thread pool."""

    async def take(self, items: Iterator[ParsedItem], most: int) -> list[ParsedItem]:
        return await asyncio.to_thread(lambda: list(islice(items, most)))
