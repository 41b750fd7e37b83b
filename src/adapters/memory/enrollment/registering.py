"""Registration together with what a new student is given, in memory."""

from __future__ import annotations

from adapters.memory.auth import MemoryAuthWork
from adapters.memory.enrollment.enrolling import MemoryEnrollmentWork


class MemoryRegistrationWork(MemoryAuthWork, MemoryEnrollmentWork):
    """One unit of work that speaks of people and of enrolments."""
