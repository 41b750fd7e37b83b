"""Whether the student of a session is there: told by the last sign of life, a heartbeat or the start."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from domain.exam.sessions import ExamStatus

CONNECTED_FOR = timedelta(seconds=30)
"""Two heartbeats of fifteen seconds: one of them may be lost."""
UNSTABLE_FOR = timedelta(seconds=90)


class Connection(StrEnum):
    """How long ago an active session was heard of; NONE where nobody is waited for."""

    CONNECTED = "connected"
    UNSTABLE = "unstable"
    LOST = "lost"
    NONE = "none"


def connection(
    status: ExamStatus, started_at: datetime | None, last_heartbeat_at: datetime | None, now: datetime
) -> Connection:
    """The state of the connection at `now`. Both bounds still belong to the better state."""
    seen = [at for at in (started_at, last_heartbeat_at) if at is not None]
    if status is not ExamStatus.ACTIVE or not seen:
        return Connection.NONE
    silent = now - max(seen)
    if silent <= CONNECTED_FOR:
        return Connection.CONNECTED
    return Connection.UNSTABLE if silent <= UNSTABLE_FOR else Connection.LOST
