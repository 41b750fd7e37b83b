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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError

from application.auth.ports import PasswordHasher
from application.request_context import request_context
from domain.auth.sessions import Busy

ResultT = TypeVar("ResultT")

_SALT_BYTES = 16
_HASH_BYTES = 32
_NICENESS = 10
_RETRY_AFTER_SECONDS = 2
_TIME_FOR_THE_REST = 1.5  # seconds that the database work after the hash may need
_NEWEST_WEIGHT = 0.2
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
    ) -> None:
        self._argon2 = Argon2(passes, memory_kib, lanes, _HASH_BYTES, _SALT_BYTES, type=Type.ID)
        # Nobody's password: what a missing account is checked against, at the same cost and always in vain.
        salt, digest = _random_text(_SALT_BYTES), _random_text(_HASH_BYTES)
        self._decoy = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${digest}"
        self._thread = ThreadPoolExecutor(1, "argon2", initializer=_be_nice)
        self._queue = queue
        self._waiting = 0
        self._clock = clock
        self._cost = 0.0  # what a hash took lately, in seconds; written by the hashing thread only

    @property
    def waiting(self) -> int:
        """How many hashes are under way or wait for their turn."""
        return self._waiting

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        return await self._run(lambda: self._check(password, password_hash or self._decoy))

    def is_outdated(self, password_hash: str) -> bool:
        try:
            return self._argon2.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True

    def close(self) -> None:
        """Lets the hash under way end and drops those that wait."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _check(self, password: str, password_hash: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except VerificationError:
            return False
        except InvalidHashError:
            # A hash that cannot be read opens nothing, and does not tell by being quick.
            with suppress(VerificationError):
                self._argon2.verify(self._decoy, password)
            return False

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        seconds = self._seconds_left()
        if self._waiting >= self._queue or self._too_late(seconds):
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        queued = self._thread.submit(self._measured, work)
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(queued)
        except TimeoutError:
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS) from None
        finally:
            queued.cancel()  # nobody waits any more: what has not begun must not begin
            self._waiting -= 1

    def _seconds_left(self) -> float | None:
        """How long the request may wait here; outside a request there is no limit."""
        answer_by = request_context.get().answer_by
        return None if answer_by is None else answer_by - _TIME_FOR_THE_REST - self._clock()

    def _too_late(self, seconds: float | None) -> bool:
        """Whether a hash that is queued now would not be ready in time."""
        if seconds is None:
            return False
        # An empty queue lets everybody in: only a hash that is made can correct a measurement that was too long.
        expected = (self._waiting + 1) * self._cost * _PRUDENCE if self._waiting else 0.0
        return seconds <= expected

    def _measured(self, work: Callable[[], ResultT]) -> ResultT:
        began = self._clock()
        try:
            return work()
        finally:
            took = self._clock() - began
            self._cost += (took - self._cost) * (_NEWEST_WEIGHT if self._cost else 1.0)


def _random_text(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode("ascii")


def _be_nice() -> None:
    """On Linux a priority belongs to a thread: this one gives way to the event loop."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
