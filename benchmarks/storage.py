"""What a heartbeat writes, as PostgreSQL itself tells it."""

from __future__ import annotations

from statistics import median
from typing import Any

import msgspec
import psycopg

from benchmarks.limit import Script

_TIMES = 5
_ABOVE_ALL = 1_000_000_000
_HOT = """
select n_tup_hot_upd::float / greatest(n_tup_upd, 1) from pg_stat_user_tables where relname = 'exam_sessions'
"""


class HeartbeatStorage(msgspec.Struct, frozen=True, kw_only=True):
    """Records and bytes of write-ahead log of one, and the part of all updates that touch no index."""

    records: float
    bytes: float
    hot: float


def measure_heartbeat(connection: psycopg.Connection, script: Script) -> HeartbeatStorage:
    """The script's statement a few times, for student 0 in round 0, with numbers above all others."""
    written = [_written(connection, script.filled(_ABOVE_ALL + number)[-1]) for number in range(_TIMES)]
    row = connection.execute(_HOT).fetchone()
    assert row is not None
    return HeartbeatStorage(
        records=median(each["WAL Records"] for each in written),
        bytes=median(each["WAL Bytes"] for each in written[1:]),
        hot=row[0],
    )


def _written(connection: psycopg.Connection, statement: str) -> dict[str, Any]:
    row = connection.execute(f"explain (analyze, wal, format json) {statement}".encode()).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan
