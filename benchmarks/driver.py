"""The client's end in this process: it is told what to send and for how long, and tells what came of it."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from benchmarks.client import Load, Outcome, Round
from benchmarks.pacing import Paced, PacedOutcome

T = TypeVar("T")


class Refused(RuntimeError):
    """What was to be measured was not done."""


class Driver:
    """A client process with its connections, which stay open from round to round, as its streams go on."""

    def __init__(self, load: Load) -> None:
        self._process = _started("benchmarks.client")
        self._tell(load)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ended(self._process)

    def run(self, seconds: float) -> Outcome:
        """A round of so many seconds, or as long as there is something left to be sent."""
        self._tell(Round(seconds=seconds))
        return _read(self._process, Outcome)

    def _tell(self, message: Load | Round) -> None:
        _write(self._process, message)


class PacedDriver:
    """A client process that asks at its own rate, however long the answers take."""

    def __init__(self, paced: Paced) -> None:
        self._process = _started("benchmarks.pacing")
        _write(self._process, paced)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ended(self._process)

    def wait_until_connected(self) -> int:
        """How many connections are open now."""
        return _read(self._process, int)

    def start(self) -> None:
        """From now on."""
        _write(self._process, True)

    def outcome(self) -> PacedOutcome:
        return _read(self._process, PacedOutcome)


def accepted(outcome: Outcome, what: str, *, but: float = 0.0) -> Outcome:
    """The outcome, unless a request was refused (more than this part of them) or a connection lost."""
    answered = len(outcome.latencies) + outcome.refused
    if outcome.refused > but * answered or outcome.lost or not outcome.latencies:
        answer = outcome.first_refusal.decode(errors="replace")
        raise Refused(
            f"{what}: {len(outcome.latencies)} answers, {outcome.lost} connections lost, {outcome.refused} refused,"
            f" the first with\n{answer}"
        )
    return outcome


def _started(module: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _write(process: subprocess.Popen[bytes], message: object) -> None:
    assert process.stdin is not None
    text = msgspec.msgpack.encode(message)
    process.stdin.write(len(text).to_bytes(4) + text)
    process.stdin.flush()


def _read(process: subprocess.Popen[bytes], kind: type[T]) -> T:
    assert process.stdout is not None
    length = int.from_bytes(process.stdout.read(4))
    return msgspec.msgpack.decode(process.stdout.read(length), type=kind)
