"""People, their sessions, links and attempts in one process, for tests."""

from adapters.memory.auth.accounts import MemoryAccountWork
from adapters.memory.auth.doors import MemoryDoorWork
from adapters.memory.auth.mail import MemoryMailWork
from adapters.memory.auth.people import MemoryInvitationWork, MemoryLinkWork, MemoryPeopleWork
from adapters.memory.auth.quick import MemoryQuickRefresh
from adapters.memory.auth.reading import MemoryAuthReader
from adapters.memory.auth.sessions import MemoryAuthWork
from adapters.memory.auth.throttle import MemoryThrottleWork

__all__ = [
    "MemoryAccountWork",
    "MemoryAuthReader",
    "MemoryAuthWork",
    "MemoryDoorWork",
    "MemoryInvitationWork",
    "MemoryLinkWork",
    "MemoryMailWork",
    "MemoryPeopleWork",
    "MemoryQuickRefresh",
    "MemoryThrottleWork",
]
