"""A request with a key has one effect, however often, however simultaneously it comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest

from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from adapters.postgres.database import Database
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.idempotency import KeyReused, OnceOnly, Replayed, RequestInFlight, once_only
from application.ports import AuditEntry, IdGenerator, Transaction, Work
from domain.errors import DomainError, Kind
from tests.support.postgres import ClonedDatabase, SettableClock


class Refused(DomainError):
    code = "test.once_refused"
    kind = Kind.CONFLICT
    title = "Refused"


@dataclass(frozen=True, slots=True)
class Store:
    """One of the two stores, and how many effects it has seen: each effect is an audit row."""

    transact: Transaction[Work]
    memory: MemoryStore | None
    database: Database

    async def effects(self) -> int:
        if self.memory is not None:
            return len(self.memory.audit_log)
        return len(await self.database.fetch_all("select id from audit_log"))


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, database: Database, ids: IdGenerator) -> Store:
    """The same suite on both."""
    if request.param == "memory":
        memory = MemoryStore()
        return Store(MemoryTransaction(memory, MemoryWork, SettableClock()), memory, database)
    return Store(PostgresTransaction(database, PostgresWork, ids), None, database)


async def act(work: Work) -> str:
    await work.audit(AuditEntry(actor_id="usr_1", action="act", subject="s"))
    return "done"


def once(key: str = "key-1", body: bytes = b"body", user: str = "usr_1") -> OnceOnly:
    return OnceOnly(user_id=user, key=key, fingerprint=body, render=lambda result: f"answer: {result}".encode())


async def send(store: Store, what: OnceOnly) -> str:
    """One request, in a context of its own as at the edge: what came back, in one word."""

    async def request() -> str:
        once_only.set(what)
        try:
            return await store.transact(act)
        except Replayed as replayed:
            return replayed.answer.decode()
        except (KeyReused, RequestInFlight) as refusal:
            return refusal.code

    return await asyncio.create_task(request())


async def test_the_same_request_again_has_no_second_effect_and_repeats_the_answer(store: Store) -> None:
    assert [await send(store, once()) for _ in range(3)] == ["done", "answer: done", "answer: done"]
    assert await store.effects() == 1


async def test_the_key_of_another_request_is_refused(store: Store) -> None:
    await send(store, once())
    assert await send(store, once(body=b"other")) == "idempotency.key_reused"
    assert await store.effects() == 1


async def test_keys_belong_to_their_user_and_do_not_run_together(store: Store) -> None:
    requests = [once("bc", user="a"), once("c", user="ab"), once("bc", user="b")]
    assert [await send(store, what) for what in requests] == ["done"] * 3
    assert await store.effects() == 3


async def test_a_refused_request_is_not_remembered(store: Store) -> None:
    async def refuse(work: Work) -> None:
        await act(work)
        raise Refused

    token = once_only.set(once())
    try:
        with pytest.raises(Refused):
            await store.transact(refuse)
    finally:
        once_only.reset(token)
    assert await send(store, once()) == "done"
    assert await store.effects() == 1


async def test_a_refusal_that_is_returned_keeps_what_was_done_and_leaves_the_key_free(store: Store) -> None:
    async def refuse_afterwards(work: Work) -> Refused:
        await act(work)
        return Refused()

    token = once_only.set(once())
    try:
        assert isinstance(await store.transact(refuse_afterwards), Refused)
    finally:
        once_only.reset(token)
    assert await store.effects() == 1
    assert [await send(store, once()) for _ in range(2)] == ["done", "answer: done"]
    assert await store.effects() == 2


async def test_only_the_first_transaction_of_a_request_keeps_the_answer(store: Store) -> None:
    """A use case with two units is not mistaken for its own replay."""
    token = once_only.set(once())
    try:
        assert (await store.transact(act), await store.transact(act)) == ("done", "done")
    finally:
        once_only.reset(token)
    assert await store.effects() == 2


async def test_without_a_key_every_request_has_its_effect(store: Store) -> None:
    assert [await store.transact(act) for _ in range(2)] == ["done", "done"]
    assert await store.effects() == 2


async def test_twenty_at_once_have_one_effect(store: Store) -> None:
    answers = Counter(await asyncio.gather(*(send(store, once()) for _ in range(20))))
    assert answers["done"] == 1
    assert set(answers) <= {"done", "answer: done", "idempotency.in_flight"}
    assert await store.effects() == 1
    assert await send(store, once()) == "answer: done"


async def test_many_rounds_of_a_race_have_one_effect_each(database: Database, ids: IdGenerator) -> None:
    """Back to back, so that requests also meet the moment between an effect's commit and the next look."""
    store = Store(PostgresTransaction(database, PostgresWork, ids), None, database)

    async def insist(what: str) -> str:
        while (answer := await send(store, once(what))) == "idempotency.in_flight":
            await asyncio.sleep(0)
        return answer

    for number in range(40):
        answers = Counter(await asyncio.gather(*(insist(f"key-{number}") for _ in range(4))))
        assert answers == {"done": 1, "answer: done": 3}
    assert await store.effects() == 40


async def test_a_request_that_looked_before_the_first_committed_and_locked_after_it_finds_the_answer(
    database: Database, cloned: ClonedDatabase, ids: IdGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its statement sees the past, so no answer; and nobody holds the lock any more. The key's row stops it."""
    store = Store(PostgresTransaction(database, PostgresWork, ids), None, database)
    statements = load("operations")
    lock = "pg_try_advisory_xact_lock"
    slow = statements["claim_idempotency_key"].replace(
        lock, f"case when pg_advisory_xact_lock_shared(4711) is not null then {lock}", 1
    )
    slow = slow.replace(" as claimed", " end as claimed", 1)
    with cloned.administration() as gate:
        gate.execute("select pg_advisory_lock(4711)")
        with monkeypatch.context() as patched:
            patched.setitem(statements._statements, "claim_idempotency_key", slow)
            second = asyncio.create_task(send(store, once()))
            while not await database.fetch_all("select from pg_stat_activity where wait_event = 'advisory'"):
                await asyncio.sleep(0.01)
        assert await send(store, once()) == "done"
    assert await second == "answer: done"
    assert await store.effects() == 1


async def test_while_the_first_is_being_carried_out_the_second_is_told_so(database: Database, ids: IdGenerator) -> None:
    transact: PostgresTransaction[PostgresWork] = PostgresTransaction(database, PostgresWork, ids)
    store = Store(transact, None, database)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(work: Work) -> str:
        begun.set()
        await go_on.wait()
        return await act(work)

    async def first_request() -> str:
        once_only.set(once())
        return await transact(slowly)

    first = asyncio.create_task(first_request())
    await begun.wait()
    assert await send(store, once()) == "idempotency.in_flight"
    assert await send(store, once("another")) == "done"
    go_on.set()
    assert await first == "done"
    assert await send(store, once()) == "answer: done"
    assert await store.effects() == 2
