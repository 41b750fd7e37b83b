"""What people change about their own account, in one process."""

from __future__ import annotations

from collections.abc import Collection

from adapters.memory.auth.people import MemoryLinkWork, MemoryPeopleWork
from application.auth.ports import AccountWork
from domain.auth.people import User
from domain.auth.sessions import Session


class MemoryAccountWork(MemoryPeopleWork, MemoryLinkWork, AccountWork):
    """One unit of work about one account."""

    async def find_session(self, user_id: str, session_id: str) -> Session | None:
        return self._sessions.get((user_id, session_id))

    async def find_user_by_email(self, email: str) -> User | None:
        living = (user for user in self._users.values() if user.deleted_at is None)
        return next((user for user in living if user.email.lower() == email.lower()), None)

    async def clear_attempts(self, keys: Collection[str]) -> bool:
        cleared = [self._tables["attempt_counters"].pop(key, None) for key in keys]
        return any(counter is not None and counter.failures for counter in cleared)
