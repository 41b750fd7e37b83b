"""Administration in one process, for tests."""

from adapters.memory.admin.limits import MemoryGroupWork, MemoryLimitWork, MemoryTurnover
from adapters.memory.admin.people import MemoryAdminWork

__all__ = [
    "MemoryAdminWork",
    "MemoryGroupWork",
    "MemoryLimitWork",
    "MemoryTurnover",
]
