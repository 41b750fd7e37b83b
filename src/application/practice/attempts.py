"""Attempts: practice sessions that are over, and what they came to."""

from __future__ import annotations

from dataclasses import dataclass

from application.practice.ports.reading import AttemptReader
from application.practice.views import Attempts, PackageScore
from domain.auth.people import Actor


@dataclass(frozen=True, slots=True)
class ListAttempts:
    """A student looks back on own sessions that are over, count and hold an answer, the one that ended last first."""

    attempts: AttemptReader

    async def __call__(self, actor: Actor, exam_package_id: str | None, *, offset: int, limit: int) -> Attempts:
        return await self.attempts.attempts(actor.user_id, exam_package_id, offset=offset, limit=limit)


@dataclass(frozen=True, slots=True)
class ScoreAttempts:
    """A student sees what those sessions came to, package by package."""

    attempts: AttemptReader

    async def __call__(self, actor: Actor) -> tuple[PackageScore, ...]:
        return await self.attempts.scores(actor.user_id)
