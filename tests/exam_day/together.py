"""Many things at once, of which none outlives the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def together(all_of_them: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """What each came to, in their order. Where one fails, the others have ended before anybody hears of it: a request
    that goes on while its client is closed leaves a connection to nobody, which some later test is blamed for.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in all_of_them]
    return [task.result() for task in tasks]
