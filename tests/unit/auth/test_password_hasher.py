"""Argon2id in its own thread: parameters, equal cost, a bounded queue, a wait that ends before the request must."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import argon2
import pytest

from adapters.security.passwords import MAX_LANES, MAX_MEMORY_KIB, MAX_PASSES, ArgonPasswordHasher
from application.request_context import RequestContext, request_context
from domain.auth.sessions import Busy
from entrypoints.container import Container
from entrypoints.settings import Settings, SettingsError, load


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
    for other in ("A password", "a passwore", "a passwor", "a password ", ""):
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


def test_no_installation_can_ask_for_less_than_the_defaults_or_for_more_than_is_read_again() -> None:
    limits = {
        "ACE_ARGON2_MEMORY_KIB": (19_456, MAX_MEMORY_KIB),
        "ACE_ARGON2_PASSES": (2, MAX_PASSES),
        "ACE_ARGON2_LANES": (1, MAX_LANES),
    }
    for name, (least, most) in limits.items():
        for value in (least, most):
            assert load({name: str(value)})
        for value in (least - 1, most + 1):
            with pytest.raises(SettingsError, match=name):
                load({name: str(value)})


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (Settings(), (19_456, 2, 1)),
        (Settings(argon2_memory_kib=20_480, argon2_passes=3, argon2_lanes=2), (20_480, 3, 2)),
    ],
)
async def test_an_installation_hashes_with_the_parameters_of_its_settings(
    given: Settings, chosen: tuple[int, int, int]
) -> None:
    hasher = Container(settings=given).password_hasher()
    made = argon2.extract_parameters(await hasher.hash("a password"))
    hasher.close()
    assert (made.memory_cost, made.time_cost, made.parallelism) == chosen


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
            await asyncio.wait_for(hasher.hash("a password"), 30)
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


REST = 1.5  # what must be left for the database work after the hash


@contextmanager
def answering_by(second: float) -> Iterator[None]:
    token = request_context.set(RequestContext(answer_by=second))
    try:
        yield
    finally:
        request_context.reset(token)


class FakeTime:
    """Seconds that pass only where a test lets them; a fake hash or sleep takes as many as it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now

    def hash_of(self, seconds: float) -> Callable[[], bool]:
        def pass_by() -> bool:
            self.now += seconds
            return True

        return pass_by


async def occupy(hasher: ArgonPasswordHasher) -> tuple[threading.Event, "asyncio.Task[bool]"]:
    """The thread is busy until the event is set."""
    begun, gate = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return gate.wait(60)

    busy = asyncio.create_task(hasher._run(work))
    await asyncio.get_running_loop().run_in_executor(None, begun.wait, 60)
    return gate, busy


async def test_the_wait_for_a_turn_ends_before_the_request_must_and_the_work_is_dropped() -> None:
    clock = FakeTime()
    hasher = await measured(clock)
    gate, busy = await occupy(hasher)
    done: list[str] = []
    began = time.monotonic()
    with answering_by(clock.now + REST + 0.05), pytest.raises(Busy) as refused:
        await asyncio.wait_for(hasher._run(lambda: done.append("in vain")), 30)
    assert time.monotonic() - began > 0.04
    assert refused.value.retry_after_seconds == 2
    assert hasher.waiting == 1
    gate.set()
    assert await busy
    await hasher._run(lambda: done.append("wanted"))
    assert done == ["wanted"]
    hasher.close()


async def test_the_work_of_a_caller_who_went_away_is_not_carried_out(hasher: ArgonPasswordHasher) -> None:
    gate, busy = await occupy(hasher)
    done: list[str] = []
    gone = asyncio.create_task(hasher._run(lambda: done.append("in vain")))
    await asyncio.sleep(0)
    assert hasher.waiting == 2
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    gate.set()
    assert await busy
    await hasher._run(lambda: done.append("wanted"))
    assert done == ["wanted"]


async def test_a_request_that_has_no_time_left_is_refused_without_hashing(hasher: ArgonPasswordHasher) -> None:
    done: list[str] = []
    with answering_by(time.monotonic() + REST - 0.1), pytest.raises(Busy):
        await hasher._run(lambda: done.append("too late"))
    await hasher._run(lambda: done.append("outside a request"))
    assert done == ["outside a request"]


async def test_whoever_could_not_be_served_in_time_is_refused_at_once() -> None:
    """Hashes take 1 s; with one under way and 4 s left, a third in the queue would be ready too late."""
    clock = FakeTime()
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1, clock=clock)
    await hasher._run(clock.hash_of(1.0))
    gate, busy = await occupy(hasher)
    with answering_by(clock.now + REST + 4.0):
        in_time = [asyncio.create_task(hasher._run(clock.hash_of(0.0))) for _ in range(2)]
        await asyncio.sleep(0)
        assert hasher.waiting == 3
        with pytest.raises(Busy):
            await asyncio.wait_for(hasher.hash("a password"), 30)
    gate.set()
    assert await busy
    assert await asyncio.gather(*in_time) == [True, True]
    hasher.close()


async def test_one_slow_hash_does_not_close_the_door_for_ever() -> None:
    """However long hashes took, an empty queue takes the next one, and what it takes is what counts."""
    clock = FakeTime()
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1, clock=clock)
    await hasher._run(clock.hash_of(60.0))
    for _ in range(30):
        with answering_by(clock.now + REST + 4.0):
            assert await hasher._run(clock.hash_of(0.02))
    gate, busy = await occupy(hasher)
    with answering_by(clock.now + REST + 4.0):
        waiting = asyncio.create_task(hasher._run(clock.hash_of(0.02)))
        await asyncio.sleep(0)
        assert hasher.waiting == 2
    gate.set()
    assert await busy
    assert await waiting
    hasher.close()


async def measured(clock: FakeTime, *seconds: float, queue: int = 100) -> ArgonPasswordHasher:
    """A hasher whose last hashes took so long."""
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1, queue=queue, clock=clock, sleep=clock.sleep)
    for each in seconds:
        await hasher._run(clock.hash_of(each))
    return hasher


async def test_idling_takes_the_time_of_a_check_that_was_made_lately_and_checks_nothing() -> None:
    clock = FakeTime()
    hasher = await measured(clock, 9.0, *(0.02, 0.03) * 8)
    for _ in range(50):
        await hasher.idle()
    assert {round(pause, 3) for pause in clock.slept} == {0.02, 0.03}
    assert hasher.waiting == 0
    hasher.close()


async def test_whoever_idles_before_anything_was_hashed_pays_for_a_real_check() -> None:
    """A server that was just started does not tell by a quick answer that it checked nothing."""
    clock = FakeTime()
    hasher = await measured(clock)
    idle = asyncio.create_task(hasher.idle())
    await asyncio.sleep(0)
    assert hasher.waiting == 1
    await idle
    assert clock.slept == []
    await hasher.idle()
    assert len(clock.slept) == 1
    hasher.close()


async def test_idling_waits_behind_checks_and_idlers_and_no_check_waits_behind_it() -> None:
    clock = FakeTime()
    hasher = await measured(clock, 1.0)
    gate, busy = await occupy(hasher)
    pauses: list[float] = []
    parked = asyncio.Event()

    async def park(seconds: float) -> None:
        pauses.append(seconds)
        await parked.wait()

    hasher._sleep = park
    idling = [asyncio.create_task(hasher.idle()) for _ in range(3)]
    await asyncio.sleep(0)
    assert pauses == [2.0, 3.0, 4.0]
    assert hasher.waiting == 1
    gate.set()
    assert await busy
    assert await asyncio.wait_for(hasher.hash("a password"), 30)
    parked.set()
    await asyncio.gather(*idling)
    hasher.close()


async def test_idling_is_refused_where_a_check_would_be() -> None:
    """For want of room, and for want of time; and the idle are as few as those that wait can be."""
    clock = FakeTime()
    hasher = await measured(clock, 1.0, queue=3)
    gate, busy = await occupy(hasher)
    with answering_by(clock.now + REST + 2.0):
        for attempt in (hasher.idle, lambda: hasher.hash("a password")):
            with pytest.raises(Busy) as refused:
                await asyncio.wait_for(attempt(), 30)
            assert refused.value.retry_after_seconds == 2
    hasher._sleep = asyncio.sleep
    idling = [asyncio.create_task(hasher.idle()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await asyncio.wait_for(hasher.idle(), 30)
    check = asyncio.create_task(hasher.hash("a password"))
    await asyncio.sleep(0)
    assert hasher.waiting == 2
    for task in (check, *idling):
        task.cancel()
    ends = await asyncio.gather(check, *idling, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 3
    hasher._sleep = clock.sleep
    await hasher.idle()
    assert clock.slept[-1] == 2.0
    gate.set()
    assert await busy
    hasher.close()


async def test_idling_ends_before_the_request_must() -> None:
    clock = FakeTime()
    hasher = await measured(clock, 0.02)
    hasher._sleep = lambda _: asyncio.sleep(60)
    began = time.monotonic()
    with answering_by(clock.now + REST + 0.05), pytest.raises(Busy):
        await asyncio.wait_for(hasher.idle(), 30)
    assert time.monotonic() - began > 0.04
    hasher.close()
