"""Who a signed token says is asking, as long as nobody has asked the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from domain.auth.people import Actor, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Somebody with a token of ours, whose signature is good; whether its session still opens anything is not known.

    Nothing is told or done before the store has said so: in the very statement that does the work, which then also
    compares its own time with `valid_from` (included) and `valid_until` (excluded), or by `confirm`, which asks for
    nothing else and refuses as `Authenticate` does, and whoever must change the password first.
    """

    user_id: str
    session_id: str
    role: Role
    valid_from: datetime
    valid_until: datetime
    confirm: Callable[[], Awaitable[Actor]] = field(repr=False, compare=False)


# Whoever asks, where the statement that does the work can do without an answer to whether the session stands.
Caller: TypeAlias = Actor | Claimant


async def confirmed(caller: Caller) -> Actor:
    """The caller as the store knows them; raises what `confirm` raises."""
    return await caller.confirm() if isinstance(caller, Claimant) else caller


def claim_of(caller: Caller) -> Claimant | None:
    """What is left to be asked of the store: nothing of an actor, whose session stood a moment ago."""
    return caller if isinstance(caller, Claimant) else None
