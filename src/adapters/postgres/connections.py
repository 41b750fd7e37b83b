"""Connections to PostgreSQL: how they read and write values, whether an idle one lives, and how to cut one off."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from functools import cache
from typing import Any, LiteralString, TypeAlias

import msgspec
import psycopg
from psycopg import sql
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper, set_json_dumps, set_json_loads

Connection: TypeAlias = psycopg.AsyncConnection[DictRow]
Query: TypeAlias = LiteralString | sql.SQL | sql.Composed

_CONNECT_TIMEOUT_SECONDS = 2


class _DictDumper(JsonbDumper):
    _dumps = staticmethod(msgspec.json.encode)


class _RawDumper(Dumper):
    """JSON that arrived as bytes and is stored without being read."""

    oid = JsonbDumper.oid

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


@cache
def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    set_json_dumps(msgspec.json.encode, context=adapters)
    set_json_loads(msgspec.json.decode, context=adapters)
    adapters.register_dumper(dict, _DictDumper)
    adapters.register_dumper(msgspec.Raw, _RawDumper)
    return adapters


def connection_options(prepare_threshold: int | None) -> dict[str, Any]:
    """Options of every connection; each statement commits by itself unless a unit of work says `begin`.

    Time limits are not set here: they belong to the role, so that they hold behind a pooler as well.
    """
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "prepare_threshold": prepare_threshold,
        "context": _adapters(),
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
    }


async def configure(connection: Connection) -> None:
    """Make a new connection speak UTC where role and server do not; poolers keep this one parameter per client."""
    if connection.pgconn.parameter_status(b"TimeZone") not in (b"UTC", b"Etc/UTC"):
        await connection.execute("set timezone = 'UTC'", prepare=False)


def is_alive(connection: Connection) -> bool:
    """Whether an idle connection is still good, at the price of one poll.

    A server has nothing to say on an idle connection but goodbye, so what can be read is either a late notice or the
    end; after reading once, only the end still shows.
    """
    if connection.closed:
        return False
    if not _readable(connection):
        return True
    with suppress(psycopg.OperationalError):
        connection.pgconn.consume_input()
        return not connection.closed and not _readable(connection)
    return False


def sever(connection: Connection) -> None:
    """Cut the connection's socket: whoever waits for the server is told at once, however silent the server is."""
    if connection.closed:
        return
    with suppress(OSError, psycopg.OperationalError):
        borrowed = socket.socket(fileno=connection.pgconn.socket)
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def _readable(connection: Connection) -> bool:
    poller = select.poll()
    poller.register(connection.pgconn.socket, select.POLLIN)
    return bool(poller.poll(0))
