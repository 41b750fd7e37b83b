"""The common case of a refresh in memory: it decides with the rules that the unit of work decides with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.auth.limiting import is_crowded
from application.auth.ports import AuthWork, QuickRefresh, QuickRotation
from application.ports import Transaction
from domain.auth.sessions import Door, Session


@dataclass(frozen=True, slots=True)
class MemoryQuickRefresh(QuickRefresh):
    """One unit of work of its own, which does all or nothing."""

    transact: Transaction[AuthWork]

    async def rotate(self, rotation: QuickRotation) -> Session | None:
        return await self.transact(lambda work: _rotate(work, rotation))


async def _rotate(work: AuthWork, rotation: QuickRotation) -> Session | None:
    held = await work.hold_session_of(rotation.token_hash)
    if held is None or not held.holder_may_use or await is_crowded(work, held):
        return None
    session = held.session
    if session.door is not Door.PORTAL or session.audience is not rotation.portal or not session.is_live(work.now):
        return None
    link, _ = await work.read_chain(session, rotation.token_hash)
    if link.used_at is not None:
        return None
    seen = replace(
        session, last_seen_at=work.now, idle_expires_at=min(work.now + rotation.idle, session.absolute_expires_at)
    )
    spent = link.spent(work.now, rotation.successor_masked)
    follower = replace(link, generation=link.generation + 1, token_hash=rotation.successor_hash, issued_at=work.now)
    await work.rotate(spent, follower, seen)
    return seen
