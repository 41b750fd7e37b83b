"""Session limits at work: room for a new session, and the end of those that a lowered limit leaves no room for.

Both count what is live under every door, and end what the person has seen least recently. The caller holds the person
(`hold_user`), so that of several sign-ins and refreshes at once each counts what the one before has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from application.auth.ports import AuthWork, HeldSession
from domain.auth.limits import Limit, effective_limit, surplus, to_admit_one_more
from domain.auth.people import Role
from domain.auth.sessions import Session, SessionEnd

# A refresh judges a session by the time at which its unit of work began, and may prolong it after its end has passed.
# No unit of work lasts that long, so what expired earlier than this stays expired.
LONGEST_UNIT = timedelta(seconds=10)


async def limit_of(work: AuthWork, user_id: str, role: Role) -> Limit:
    """The limit that counts for a person."""
    return effective_limit(await work.limits_of(user_id, role)).limit


async def make_room(work: AuthWork, user_id: str, role: Role) -> int:
    """Ends what has to make room for one more session, and says how many sessions that were.

    Refuses `SessionLimitReached` where the limit denies further ones.
    """
    # Before the count: after it such a session either is prolonged and counts, or is never prolonged any more.
    await work.end_expired(user_id, LONGEST_UNIT)
    limit = await limit_of(work, user_id, role)
    return await _evict(work, user_id, to_admit_one_more(limit, await work.live_sessions(user_id), work.now))


async def is_crowded(work: AuthWork, held: HeldSession) -> bool:
    """Whether the person has more live sessions than allowed. One is allowed to everybody and needs no look-up."""
    if held.live_sessions <= 1:
        return False
    limit = await limit_of(work, held.session.user_id, held.session.audience)
    return held.live_sessions > limit.max_sessions


async def end_surplus(work: AuthWork, user_id: str, role: Role, *, keep: str | None = None) -> int:
    """Ends what is beyond the limit, but never the session `keep`, and says how many sessions that were."""
    limit = await limit_of(work, user_id, role)
    return await _evict(work, user_id, surplus(limit, await work.live_sessions(user_id), work.now, keep=keep))


async def _evict(work: AuthWork, user_id: str, sessions: Sequence[Session]) -> int:
    if not sessions:
        return 0
    return await work.end_sessions(user_id, [session.id for session in sessions], SessionEnd.EVICTED)
