"""Signs of life: what one does to a session, and what it tells the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.exam.lifecycle import Command, taken
from domain.exam.moves import expire
from domain.exam.sessions import ExamSession

CONNECTION_GAP = "connection_gap"
CLOCK_DRIFT = "clock_drift"
LONGEST_SILENCE = timedelta(seconds=15)
"""Longer than this between two heartbeats is a gap in the connection."""
LARGEST_DRIFT = timedelta(seconds=30)
"""Further than this from the server's a client's clock is wrong."""
DRIFT_TOLD_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that a heartbeat showed, for the record. `effective_at`: since when, of a gap; `seconds`: of a drift,
    by how much the client's clock is ahead.
    """

    type: str
    effective_at: datetime
    client_at: datetime | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """A session after a heartbeat. `taken`: its snapshot takes the place of the last one. `stale`: nothing changed."""

    session: ExamSession
    signs: tuple[Sign, ...] = ()
    taken: bool = False
    stale: bool = False


def beat(session: ExamSession, seq: int | None, client_at: datetime | None, now: datetime) -> Beaten:
    """Heartbeats are numbered by their client; only one with a higher number than the last says anything new.

    One without a number is the next one. While a session is paused or overdue its client is known to be alive, and
    nothing else is taken from it.
    """
    session = expire(session, now)
    cell = taken(session.status, Command.HEARTBEAT)
    number = session.last_seq + 1 if seq is None else seq
    if number <= session.last_seq:
        return Beaten(session=session, stale=True)
    alive = replace(session, last_heartbeat_at=now)
    if cell is None:
        return Beaten(session=alive)
    signs = (*_gap(session, now), *_drift(session, client_at, now))
    told = now if any(sign.type == CLOCK_DRIFT for sign in signs) else session.drift_told_at
    return Beaten(session=replace(alive, last_seq=number, drift_told_at=told), signs=signs, taken=True)


def _gap(session: ExamSession, now: datetime) -> Iterator[Sign]:
    last = session.last_heartbeat_at
    if last is not None and now - last > LONGEST_SILENCE:
        yield Sign(type=CONNECTION_GAP, effective_at=last)


def _drift(session: ExamSession, client_at: datetime | None, now: datetime) -> Iterator[Sign]:
    if client_at is None or abs(now - client_at) <= LARGEST_DRIFT:
        return
    if session.drift_told_at is None or now - session.drift_told_at >= DRIFT_TOLD_EVERY:
        seconds = round((client_at - now) / timedelta(seconds=1))
        yield Sign(type=CLOCK_DRIFT, effective_at=now, client_at=client_at, seconds=seconds)
