"""What goes wrong again and again harms nobody else: statements that fail, and connections that do not last."""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg
import pytest

from adapters.postgres import multiplexer, pipelines
from adapters.postgres.database import Database
from adapters.postgres.multiplexer import HandedOn, Lane
from adapters.postgres.pipelines import Pipeline
from domain.errors import OutcomeUnknown, StoreConflict
from tests.support.postgres import ClonedDatabase
from tests.support.sharing import ADD, count, numbers, read, shared, sharing_store, warm
from tests.support.time_limit import ended_after

LOGGED: Final = (multiplexer.__name__, logging.ERROR, "a shared connection ended and is made anew")
SSL_REQUEST: Final = 80877103
GSS_REQUEST: Final = 80877104


@pytest.fixture
async def database(cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A store that shares connections, with the things `a` to `e`."""
    async with sharing_store(cloned, monkeypatch) as store:
        yield store


async def until_shared(database: Database) -> None:
    async with asyncio.timeout(3):
        while shared(database, "connections") < 2:
            await warm(database)
            await asyncio.sleep(0.02)


async def fail(database: Database, key: str) -> None:
    with pytest.raises(StoreConflict):
        await database.write_one(ADD, {"id": "a", "n": 0, "parent": None, "text": ""}, key=key)


async def sent_again_for(database: Database, failing: str) -> float:
    """How many had to be sent again because of somebody who fails in their group."""
    before = shared(database, "sent_again")
    await asyncio.gather(fail(database, failing), *(count(database, thing) for thing in "bcde"))
    return shared(database, "sent_again") - before


async def test_whoever_failed_goes_to_the_pool_next_and_rolls_nobody_back(database: Database) -> None:
    await warm(database)
    assert await sent_again_for(database, "anybody") == 4
    assert [await sent_again_for(database, "anybody") for _ in range(5)] == [0] * 5
    assert shared(database, "handed_on") == 6
    assert await count(database, "b") == {"id": "b", "n": 7}


async def test_whoever_failed_alone_goes_to_the_pool_next(database: Database) -> None:
    await warm(database)
    await fail(database, "anybody")
    assert await sent_again_for(database, "anybody") == 0


async def test_after_a_while_whoever_failed_may_share_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiplexer, "_TROUBLED_SECONDS", 0.2)
    await warm(database)
    await fail(database, "b")
    handed_on = shared(database, "handed_on")
    async with asyncio.timeout(2):
        while await count(database, "b") and shared(database, "handed_on") > handed_on:
            handed_on = shared(database, "handed_on")
            await asyncio.sleep(0.05)


async def test_only_so_many_are_remembered_and_the_latest_are(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiplexer, "_MOST_TROUBLED", 2)
    await warm(database)
    for key in ("first", "second", "third"):
        await fail(database, key)
    assert [await sent_again_for(database, key) for key in ("third", "second")] == [0, 0]
    assert await sent_again_for(database, "first") == 4


async def test_a_lock_keeps_a_shared_connection_for_30_milliseconds_at_most(database: Database) -> None:
    query = "select current_setting('lock_timeout') as lock, current_setting('timezone') as zone"
    for row in (await database.read_one(query), await database.write_one(query)):
        assert row == {"lock": "30ms", "zone": "UTC"}
    assert shared(database, "handed_on") == 0


async def test_what_cannot_be_greeted_is_not_shared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiplexer, "_GREETING", "select nonsense")
    for _ in range(3):
        await warm(database)
        assert shared(database, "connections") == 0
    monkeypatch.undo()
    await until_shared(database)


async def test_an_error_nobody_expects_costs_one_pause_and_is_logged(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a connection is made, and when it is taken into use."""
    for place in ("Connection", "Pipeline"):
        caplog.clear()
        with monkeypatch.context() as broken:
            broken.setattr(multiplexer, place, None)
            await _end(database)
            for _ in range(3):
                await asyncio.gather(read(database, "a"), count(database, "a"))
            assert shared(database, "connections") == 0
            async with asyncio.timeout(3):
                while LOGGED not in caplog.record_tuples:
                    await asyncio.sleep(0.01)
        await until_shared(database)


async def _end(database: Database) -> None:
    """Both shared connections, if they are there."""
    await warm(database)
    _end_all(database)
    async with asyncio.timeout(3):
        while shared(database, "connections"):
            await asyncio.sleep(0.01)


def _end_all(database: Database) -> None:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 1000) from pg_stat_activity"
            " where usename = current_user and datname = current_database() and pid <> pg_backend_pid()"
        )


class HangingUp:
    """A server, or a pooler without one, that lets everybody in and ends at the first statement with these words."""

    def __init__(self, farewell: bytes) -> None:
        self.let_in = 0
        self._farewell = farewell

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _asks_for_encryption(reader):
                writer.write(b"N")
            self.let_in += 1
            writer.write(_message(b"R", struct.pack("!I", 0)) + _message(b"S", b"client_encoding\0UTF8\0"))
            writer.write(_message(b"K", struct.pack("!II", 1, 1)) + _message(b"Z", b"I"))
            await reader.read(100)
            writer.write(self._farewell)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _asks_for_encryption(reader: asyncio.StreamReader) -> bool:
    (length,) = struct.unpack("!I", await reader.readexactly(4))
    body = await reader.readexactly(length - 4)
    return struct.unpack("!I", body[:4])[0] in (SSL_REQUEST, GSS_REQUEST)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


FATAL: Final = _message(b"E", b"SFATAL\0VFATAL\0C08P01\0Mno server\0\0")
NONSENSE: Final = b"?" + struct.pack("!I", 1_000_000)


@pytest.mark.parametrize("farewell", [FATAL, NONSENSE, b""])
async def test_a_server_that_hangs_up_is_asked_a_few_times_in_a_second(farewell: bytes) -> None:
    hanging_up = HangingUp(farewell)
    server = await asyncio.start_server(hanging_up.serve, "127.0.0.1", 0)
    address = f"host=127.0.0.1 port={server.sockets[0].getsockname()[1]} dbname=ace user=ace_app sslmode=disable"
    lane = Lane(address, reads=True, deadline_seconds=4.0, max_waiting=10)
    lane.open()
    ask: Any = lane.ask("select 1", None, "", time.monotonic() + 4)
    with ended_after():
        assert isinstance(await ask, HandedOn)
        await asyncio.sleep(1.0)
    assert 2 <= hanging_up.let_in <= 6
    await lane.close(0.1)
    server.close()


async def test_a_connection_that_is_lost_as_the_next_ones_leave_keeps_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next ones leave while what came before is still being read; libpq tells of a loss at the second write."""
    sent: list[int] = []
    original = Pipeline.send

    def send(pipeline: Pipeline, groups: Any) -> None:
        sent.append(len(groups))
        if len(sent) == 2:
            _end_all(database)
        original(pipeline, groups)

    await until_shared(database)
    monkeypatch.setattr(Pipeline, "send", send)
    monkeypatch.setattr(multiplexer, "_GROUP_SIZE", 1)
    with ended_after():
        first = asyncio.create_task(count(database, "a"))
        while not sent:
            await asyncio.sleep(0)
        others = asyncio.gather(*(count(database, thing) for thing in "bcde"), return_exceptions=True)
        assert await first == {"id": "a", "n": 1}
        assert [type(answer) for answer in await others] == [OutcomeUnknown] * 4
        assert sent[:2] == [1, 4]
        await until_shared(database)


@pytest.mark.parametrize("place", ["_send_member", "_take"])
async def test_an_error_nobody_expects_in_the_midst_of_a_group_keeps_nobody(
    database: Database, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is let go, and nobody waits for what will never come."""
    await until_shared(database)
    with monkeypatch.context() as broken:
        broken.setattr(Pipeline, place, None)
        async with asyncio.timeout(3):
            assert await read(database, "a") == {"id": "a", "n": 0, "body": None}
            with pytest.raises(OutcomeUnknown):
                await count(database, "a")
    assert (pipelines.__name__, logging.ERROR, "a shared connection is let go") in caplog.record_tuples
    await until_shared(database)
    assert (await numbers(database))["a"] in (0, 1)


async def test_a_crowd_leaves_in_several_groups_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a turn of the event loop took but one group away, a crowd would grow faster than it leaves."""
    sent: list[int] = []
    original = Pipeline.send

    def send(pipeline: Pipeline, groups: Any) -> None:
        sent.append(len(groups))
        original(pipeline, groups)

    await until_shared(database)
    monkeypatch.setattr(Pipeline, "send", send)
    told = await asyncio.gather(*(count(database, "abcde"[number % 5]) for number in range(640)))
    assert len(told) == 640
    assert max(sent) == 10
