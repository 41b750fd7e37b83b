"""Mail about accounts and invitations, in one process."""

from __future__ import annotations

from adapters.memory.auth.accounts import MemoryAccountWork
from adapters.memory.auth.people import MemoryInvitationWork
from adapters.memory.auth.throttle import MemoryThrottleWork
from application.auth.ports import MailWork


class MemoryMailWork(MemoryAccountWork, MemoryInvitationWork, MemoryThrottleWork, MailWork):
    """One unit of work about one mail."""
