"""A student's profile in memory."""

from __future__ import annotations

from adapters.memory.auth.people import MemoryPeopleWork
from adapters.memory.progress.activity import MemoryActivityWork
from application.progress.ports.profile import ProfileWork


class MemoryProfileWork(MemoryActivityWork, MemoryPeopleWork, ProfileWork):
    """One unit of work about one student."""
