"""The names of all jobs, in one place, and what carries one out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

Payload: TypeAlias = Mapping[str, str | int | bool | None]
# A job may be carried out more than once (a worker may die after the work and before it says so): tasks must bear it.
Task: TypeAlias = Callable[[Payload], Awaitable[None]]


class JobName(StrEnum):
    """What `Job.name` may be. A name stays valid as long as a job of that name may be waiting in a queue."""

    SEND_MAIL = "send_mail"
    PURGE_IDEMPOTENCY_KEYS = "purge_idempotency_keys"
    PURGE_SESSIONS = "purge_sessions"
    PURGE_ATTEMPTS = "purge_attempts"
    PURGE_IMPORTS = "purge_imports"
    ENFORCE_LIMITS = "enforce_limits"
    END_SESSIONS = "end_sessions"
    INDEX_QUESTIONS = "index_questions"
    REHASH_QUESTIONS = "rehash_questions"
    COMPARE_QUESTIONS = "compare_questions"
    EXPIRE_ENROLLMENTS = "expire_enrollments"
    SCHEDULE_REVIEWS = "schedule_reviews"
    COUNT_FACILITIES = "count_facilities"
    REGRADE_EXAMS = "regrade_exams"
    SWEEP_EXAMS = "sweep_exams"
    SUGGEST_REVIEWS = "suggest_reviews"


# A job that finishes what a request has begun waits until the request is over: they do not do the same work twice, and
# whatever was under way when it was ordered has ended by then.
FINISHING_SECONDS = 10
