"""Carries out the jobs of the memory store, for tests: now, in order, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.memory.store import MemoryStore
from application.jobs import Task


@dataclass(slots=True)
class MemoryJobRunner:
    """Runs every committed job, those that a job enqueues included."""

    store: MemoryStore
    tasks: Mapping[str, Task]
    done: int = 0

    async def run_pending(self) -> int:
        """Returns how many ran. A job whose task fails stays the next to run."""
        before = self.done
        while self.done < len(self.store.jobs):
            job = self.store.jobs[self.done]
            await self.tasks[job.name](job.payload)
            self.done += 1
        return self.done - before
