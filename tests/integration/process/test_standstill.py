"""A process whose event loop stands still says where, and ends where that is asked for."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import msgspec
import pytest

from entrypoints import worker
from entrypoints.http import main
from entrypoints.settings import Environment, Settings, load
from entrypoints.standstill import end_process

_SOURCES = Path(__file__).parents[3] / "src"
_PROGRAM = """
import asyncio, logging, sys, time
from entrypoints.http.logs import configure_logging
from entrypoints.standstill import end_process, watched_for_standstill

def stand_here(seconds):
    if seconds == 61:  # within the log, which nobody can write to then
        logging.getLogger().handlers[0].acquire()
    time.sleep(seconds)

async def main(end, seconds):
    with watched_for_standstill(end_process if end == "end" else None, look_seconds=0.1, looks=10):
        print("begun", flush=True)
        stand_here(float(seconds))
        await asyncio.sleep(2.5 - float(seconds) / 2)
    print("done", flush=True)

configure_logging()
asyncio.run(main(*sys.argv[1:]))
"""


def _begin(*arguments: str, errors: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env={"PYTHONPATH": str(_SOURCES), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def test_it_says_where_and_ends() -> None:
    began = time.monotonic()
    process = _begin("end", "60")
    output, errors = process.communicate(timeout=50)
    assert (process.returncode, output) == (70, "begun\n")
    assert '"level":"critical"' in errors
    assert "the event loop has stood still for 1 s" in errors
    assert "in stand_here" in errors
    assert time.monotonic() - began < 50


def test_it_ends_where_it_stands_in_the_log_as_well() -> None:
    process = _begin("end", "61")
    process.communicate(timeout=50)
    assert process.returncode == 70


def test_its_last_words_come_through_a_full_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 1024)
    os.set_blocking(writing, True)
    process = _begin("end", "60", errors=writing)
    os.close(writing)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(1.2)
    with os.fdopen(reading, "rb") as stream:
        assert b"in stand_here" in stream.read()
    process.communicate(timeout=50)
    assert process.returncode == 70


def test_it_says_so_once_and_goes_on_where_nobody_would_start_another() -> None:
    output, errors = _begin("go on", "3").communicate(timeout=60)
    assert output == "begun\ndone\n"
    assert errors.count("stood still") == 1


def test_a_process_that_was_stopped_has_not_stood_still() -> None:
    process = _begin("end", "0")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(process.pid, signal.SIGCONT)
    assert process.communicate(timeout=60) == ("done\n", "")
    assert process.returncode == 0


class _Recorder:
    """Stands in for the watch; ends a process that would stay."""

    def __init__(self) -> None:
        self.then: list[object] = []

    @contextmanager
    def __call__(self, then: object = None) -> Iterator[None]:
        self.then.append(then)
        os.kill(os.getpid(), signal.SIGTERM)
        yield


@pytest.mark.parametrize(
    ("environment", "then"), [(Environment.PRODUCTION, end_process), (Environment.DEVELOPMENT, None)]
)
@pytest.mark.parametrize("module", [main, worker])
def test_both_processes_that_stay_are_watched_and_end_in_production(
    module: ModuleType, environment: Environment, then: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = _Recorder()
    monkeypatch.setattr(module, "watched_for_standstill", recorder)
    monkeypatch.setattr(main, "gc", Mock())
    settings = msgspec.structs.replace(load({}), environment=environment, job_worker=False)
    asyncio.run(_serve(settings) if module is main else _work(settings, monkeypatch))
    assert recorder.then == [then]


async def _serve(settings: Settings) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    container: Any = SimpleNamespace(password_hasher=lambda: SimpleNamespace(close=lambda: None))
    async with main._companions(container, settings):
        await told.wait()


async def _work(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = SimpleNamespace(start=AsyncMock(), stop=AsyncMock())

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Any]:
        yield SimpleNamespace(job_worker=lambda: idle)

    monkeypatch.setattr(worker, "opened", opened)
    await worker._work(settings)
