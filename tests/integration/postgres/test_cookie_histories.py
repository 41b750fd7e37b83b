"""One person at both doors, at random, on memory and on PostgreSQL: the same answers, the same sessions."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.postgres.database import Database
from application.auth.cookie_sessions import Reading
from domain.auth.limits import LimitSource, WhenFull
from domain.auth.people import Actor, Role, UserStatus
from domain.auth.refresh import encode_token
from domain.errors import DomainError
from tests.support.auth_builders import CountedTokens, a_user, auth_in_memory, auth_on_postgres
from tests.support.cookie_sessions import CookieDoor
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit

_ACTS = (
    "enter",
    "enter_briefly",
    "enter_portal",
    "read",
    "read",
    "peek",
    "authenticate",
    "leave",
    "refresh",
    "misspell",
)
_CHANGES = ("deny", "lower", "raise", "disable", "enable")


@dataclass(slots=True)
class Side:
    """One store, and the secrets and refresh tokens that it gave out, oldest first."""

    door: CookieDoor
    secrets: list[str] = field(default_factory=list)
    refreshes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    async def told(self, act: str, number: int) -> Any:
        """What an act came to, with sessions by their number."""
        try:
            return await self._acts()[act](number)
        except DomainError as refusal:
            return refusal.code

    def _acts(self) -> dict[str, Callable[[int], Awaitable[Any]]]:
        return {
            "enter": lambda _: self._enter(),
            "enter_briefly": lambda _: self._enter(remember=False),
            "enter_portal": lambda _: self._enter_portal(),
            "read": lambda n: self._read(n, renew=True),
            "peek": lambda n: self._read(n, renew=False),
            "authenticate": self._authenticate,
            "leave": lambda n: self.door.leave(self._secret(n)),
            "refresh": lambda n: self._refresh(self.refreshes[n % len(self.refreshes)] if self.refreshes else ""),
            "misspell": lambda n: self._refresh(encode_token(self._secret(n).encode())),
            "deny": lambda n: define_limit(self.door.auth, LimitSource.USER, "usr_ada", 2 + n % 2, WhenFull.DENY),
            "lower": lambda n: define_limit(self.door.auth, LimitSource.USER, "usr_ada", 1 + n % 2),
            "raise": lambda _: define_limit(self.door.auth, LimitSource.USER, "usr_ada", 6),
            "disable": lambda _: self.door.auth.change_user("usr_ada", status=UserStatus.DISABLED),
            "enable": lambda _: self.door.auth.change_user("usr_ada", status=UserStatus.ACTIVE),
        }

    async def sessions(self) -> list[Any]:
        """Every live session but for its id, in the order of their opening."""
        live = await self.door.auth.transact(lambda work: work.live_sessions("usr_ada"))
        told = [
            (self.names.index(each.id), each.door, each.remember, each.last_seen_at, each.updated_at, each.ends_at)
            for each in live
        ]
        return sorted(told)

    def _secret(self, number: int) -> str:
        """Rather one of the latest."""
        return self.secrets[-4:][number % len(self.secrets[-4:])] if self.secrets else "x" * 32

    async def _enter(self, *, remember: bool = True) -> int:
        grant = await self.door.enter(remember=remember)
        self.secrets.append(grant.secret)
        self.names.append(grant.session.id)
        return grant.evicted_sessions

    async def _enter_portal(self) -> int:
        grant = await self.door.auth.enter()
        self.refreshes.append(grant.refresh_token)
        self.names.append(grant.session.id)
        return grant.evicted_sessions

    async def _read(self, number: int, *, renew: bool) -> Any:
        reading: Reading = await self.door.read(self._secret(number), renew=renew)
        return self._named(reading.actor()), reading.renewed, reading.fresh, reading.session.ends_at

    async def _authenticate(self, number: int) -> Any:
        return self._named(await self.door.authenticate(self._secret(number)))

    async def _refresh(self, token: str) -> int:
        refreshed = await self.door.auth.refresh(Role.STUDENT, token)
        self.refreshes.append(refreshed.refresh_token)
        return self.names.index(refreshed.session.id)

    def _named(self, actor: Actor) -> tuple[str, int]:
        return actor.user_id, self.names.index(actor.session_id)


@pytest.mark.parametrize("seed", range(8))
async def test_both_stores_answer_one_history_alike(seed: int, database: Database) -> None:
    clock, chance = SettableClock(), random.Random(seed)
    sides = [
        Side(CookieDoor(auth=auth_in_memory(clock=clock, source=CountedTokens()))),
        Side(CookieDoor(auth=auth_on_postgres(database, clock, source=CountedTokens()))),
    ]
    for side in sides:
        await side.door.auth.add(a_user())
    for _ in range(60):
        clock.advance(seconds=chance.choice([0, 1, 11, 60, 900, 3_600, 43_200, 86_400, 200_000]))
        act = chance.choice(_ACTS * 3 + _CHANGES + ("enable",) * 3)
        number = chance.randrange(12)
        answers = [await side.told(act, number) for side in sides]
        assert answers[0] == answers[1], (act, number)
        assert await sides[0].sessions() == await sides[1].sessions(), act
        assert act != "misspell" or answers[0] == "auth.refresh_invalid"
