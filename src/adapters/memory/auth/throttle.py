"""Counters of attempts in one process."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adapters.memory.store import MemoryWork
from application.auth.ports import ThrottleWork
from domain.auth.throttling import Attempts


class MemoryThrottleWork(MemoryWork, ThrottleWork):
    """Counters by key."""

    async def hold_attempts(self, keys: Collection[str]) -> Mapping[str, Attempts]:
        counters = self._tables["attempt_counters"]
        return {key: counters.setdefault(key, Attempts.none(key, self.now)) for key in keys}

    async def keep_attempts(self, counters: Collection[Attempts]) -> None:
        self._tables["attempt_counters"].update({counter.key: counter for counter in counters})
