"""Argon2id in its own thread: parameters, equal cost, a bounded queue."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import argon2
import pytest

from adapters.security.passwords import ArgonPasswordHasher
from domain.auth.sessions import Busy


@pytest.fixture
def hasher() -> Iterator[ArgonPasswordHasher]:
    """As cheap as Argon2 can be."""
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1)
    yield hasher
    hasher.close()


async def test_the_defaults_are_argon2id_with_19_mib_two_passes_and_one_lane() -> None:
    hasher = ArgonPasswordHasher()
    parameters = argon2.extract_parameters(await hasher.hash("a password"))
    hasher.close()
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        argon2.Type.ID,
        19_456,
        2,
        1,
    )
    assert (parameters.hash_len, parameters.salt_len) == (32, 16)


async def test_a_password_matches_its_own_hash_only(hasher: ArgonPasswordHasher) -> None:
    first, second = await hasher.hash("a password"), await hasher.hash("a password")
    assert first != second
    assert await hasher.matches("a password", first)
    for other in ("A password", "a passwore", "a password ", ""):
        assert not await hasher.matches(other, first)


async def test_tails_behind_72_bytes_matter(hasher: ArgonPasswordHasher) -> None:
    kept = await hasher.hash("x" * 100 + "1")
    assert not await hasher.matches("x" * 100 + "2", kept)


async def test_nobodys_hash_and_an_unreadable_one_are_checked_in_vain_at_full_cost(
    hasher: ArgonPasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check ends in one real run of Argon2 with today's parameters."""
    runs: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, kept: str, password: str) -> bool:
        if argon2.extract_parameters(kept).memory_cost == 8:
            runs.append(kept)
        return bool(verify(self, kept, password))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    assert not await hasher.matches("a password", None)
    assert len(runs) == 1
    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    for unreadable in ("", "nonsense", "$2b$12$abcdefghijklmnopqrstuv"):
        assert not await hasher.matches("a password", unreadable)


async def test_a_hash_of_other_parameters_is_outdated(hasher: ArgonPasswordHasher) -> None:
    other = ArgonPasswordHasher(memory_kib=16, passes=1)
    kept = await other.hash("a password")
    other.close()
    assert await hasher.matches("a password", kept)
    assert hasher.is_outdated(kept)
    assert hasher.is_outdated("nonsense")
    assert not hasher.is_outdated(await hasher.hash("a password"))


async def test_one_thread_hashes_and_gives_way_to_the_event_loop(hasher: ArgonPasswordHasher) -> None:
    seen = await asyncio.gather(*(hasher._run(_whoami) for _ in range(5)))
    assert len({thread for thread, _ in seen}) == 1
    assert seen[0][0] != threading.get_ident()
    if sys.platform == "linux":
        assert seen[0][1] == 10
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < 10


def _whoami() -> tuple[int, int]:
    return threading.get_ident(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_too_many_waiting_are_refused_at_once_and_there_is_room_again_afterwards() -> None:
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1, queue=2)
    gate = threading.Event()
    waiting = [asyncio.create_task(hasher._run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    assert hasher.waiting == 2
    try:
        with pytest.raises(Busy) as refused:
            await asyncio.wait_for(hasher.hash("a password"), 5)
    finally:
        gate.set()
    assert refused.value.retry_after_seconds == 2
    assert await asyncio.gather(*waiting) == [True, True]
    assert hasher.waiting == 0
    assert await hasher.hash("a password")
    hasher.close()


async def test_whoever_goes_away_while_waiting_makes_room() -> None:
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1, queue=2)
    gate = threading.Event()
    busy, gone = (asyncio.create_task(hasher._run(gate.wait)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert hasher.waiting == 1
    gate.set()
    assert await busy
    hasher.close()
