"""Argon2id in a thread of its own: a flood of sign-ins waits in its own queue, and exams do not notice.

Nobody waits in vain: whoever could not be answered in time is refused at the door, and work that nobody waits for any
more is dropped before it begins.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2 import Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from adapters.security.legacy_hashes import legacy_check
from application.auth.ports import PasswordHasher
from application.request_context import request_context
from domain.auth.sessions import Busy

ResultT = TypeVar("ResultT")

# What an installation may ask for at most, and so the most that a hash may cost.
MAX_MEMORY_KIB = 1_048_576
MAX_PASSES = 20
MAX_LANES = 8
_SALT_BYTES = 16
_HASH_BYTES = 32
# On a machine with nothing to spare, reads keep 99 % of their answers within 7 ms beside a thread of niceness 10, and
# within 30 ms beside one of niceness 5, which makes half as many hashes again. Sign-ins can be refused; exams cannot.
_NICENESS = 10
_RETRY_AFTER_SECONDS = 2
_TIME_FOR_THE_REST = 1.5  # seconds that the database work after the hash may need
_REMEMBERED = 16  # durations
_PRUDENCE = 1.25  # hashes take longer when the machine is busy, and those at the end of the queue feel it most


class ArgonPasswordHasher(PasswordHasher):
    """One hash after the other (about 20 ms each with the defaults), and at most `queue` that wait.

    Within a request the wait ends early enough for the request to be answered in time.
    """

    def __init__(
        self,
        *,
        memory_kib: int = 19_456,
        passes: int = 2,
        lanes: int = 1,
        queue: int = 100,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._argon2 = Argon2(passes, memory_kib, lanes, _HASH_BYTES, _SALT_BYTES, type=Type.ID)
        # Nobody's password: what a missing account is checked against, at the same cost and always in vain.
        salt, digest = _random_text(_SALT_BYTES), _random_text(_HASH_BYTES)
        self._decoy = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${digest}"
        self._thread = ThreadPoolExecutor(1, "argon2", initializer=_be_nice)
        self._queue = queue
        self._waiting = 0
        self._idling = 0
        self._clock = clock
        self._sleep = sleep
        self._lately: tuple[float, ...] = ()  # seconds that the last hashes took; replaced by the hashing thread only

    @property
    def waiting(self) -> int:
        """How many hashes are under way or wait for their turn."""
        return self._waiting

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        return await self._run(lambda: self._check(password_hash or self._decoy, password))

    def is_outdated(self, password_hash: str) -> bool:
        try:
            return self._argon2.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True

    async def idle(self) -> None:
        """It waits behind everybody who waits, as a check would, but nobody waits behind it but others that idle."""
        if not self._lately:
            # Nobody knows yet how long a check takes here.
            await self.matches("", None)
            return
        ahead = self._waiting + self._idling
        seconds = self._seconds_left_behind(ahead)
        self._idling += 1
        try:
            await _within(seconds, self._sleep(ahead * self._cost + secrets.choice(self._lately)))
        finally:
            self._idling -= 1

    def close(self) -> None:
        """Lets the hash under way end and drops those that wait."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _check(self, password_hash: str, password: str) -> bool:
        check = legacy_check(password_hash) or self._check_argon2
        return check(password_hash, password)

    def _check_argon2(self, password_hash: str, password: str) -> bool:
        try:
            _limit_cost(password_hash)
            return self._argon2.verify(password_hash, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError, UnicodeError):
            # A hash that cannot be read opens nothing, and does not tell by being quick.
            with suppress(VerificationError):
                self._argon2.verify(self._decoy, password)
            return False

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        seconds = self._seconds_left_behind(self._waiting)
        queued = self._thread.submit(self._measured, work)
        self._waiting += 1
        try:
            return await _within(seconds, asyncio.wrap_future(queued))
        finally:
            queued.cancel()  # nobody waits any more: what has not begun must not begin
            self._waiting -= 1

    def _seconds_left_behind(self, ahead: int) -> float | None:
        """How long the request may wait here; outside a request there is no limit. Refuses whom it would help nothing.

        An empty queue lets everybody in: only a hash that is made can correct a measurement that was too long.
        """
        answer_by = request_context.get().answer_by
        seconds = None if answer_by is None else answer_by - _TIME_FOR_THE_REST - self._clock()
        expected = (ahead + 1) * self._cost * _PRUDENCE if ahead else 0.0
        if ahead >= self._queue or (seconds is not None and seconds <= expected):
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        return seconds

    @property
    def _cost(self) -> float:
        """What a hash took lately, in seconds."""
        lately = self._lately
        return sum(lately) / len(lately) if lately else 0.0

    def _measured(self, work: Callable[[], ResultT]) -> ResultT:
        began = self._clock()
        try:
            return work()
        finally:
            self._lately = (*self._lately[1 - _REMEMBERED :], self._clock() - began)


async def _within(seconds: float | None, result: Awaitable[ResultT]) -> ResultT:
    try:
        async with asyncio.timeout(seconds):
            return await result
    except TimeoutError:
        raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS) from None


def _limit_cost(password_hash: str) -> None:
    """A hash that would keep everybody waiting is as good as unreadable."""
    parameters = extract_parameters(password_hash)
    within_limits = (
        parameters.memory_cost <= MAX_MEMORY_KIB
        and parameters.time_cost <= MAX_PASSES
        and parameters.parallelism <= MAX_LANES
    )
    if not within_limits:
        raise InvalidHashError


def _random_text(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode("ascii")


def _be_nice() -> None:
    """On Linux a priority belongs to a thread: this one gives way to the event loop."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
