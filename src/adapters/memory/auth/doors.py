"""What people change about their own account where that may open a session, in one process."""

from __future__ import annotations

from adapters.memory.auth.accounts import MemoryAccountWork
from adapters.memory.auth.sessions import MemoryAuthWork
from application.auth.ports import DoorWork


class MemoryDoorWork(MemoryAuthWork, MemoryAccountWork, DoorWork):
    """One unit of work about one account and its sessions."""
