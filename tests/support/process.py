"""The real `ace` command on a data folder of its own: run to its end, or started, spoken to and killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.postgres import database
from benchmarks.cpu import cpu_seconds
from tests.support.postgres_user import eventually, server_processes

COMMAND = Path(sys.executable).with_name("ace")
PASSWORD = "practise-every-day"
_READY = "Ace is ready: "
# These end what hangs, on machines with much to do too. How soon it starts is told by `Process.cpu_seconds`.
_START_SECONDS = 300.0
_STOP_SECONDS = 150.0
_SIGNED_IN_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Ace:
    """The command as one operator calls it: one data folder, one environment and nothing of the test run's own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (str(COMMAND),)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database_processes(self) -> list[int]:
        """What is running of the embedded PostgreSQL."""
        return server_processes(self.data / "postgres")

    @property
    def database_url(self) -> str:
        """The embedded PostgreSQL as another process reaches it while it runs."""
        sockets = (self.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[4]
        return f"postgresql://ace_app@/ace?host={sockets}&port=5432"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            env=self._environment(environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )

    def begin(self, *arguments: str, **environment: str) -> Process:
        """Starts a command that stays."""
        return Process((*self.command, *arguments), self.folder, self._environment(environment))

    @contextmanager
    def serving(self, *arguments: str, **environment: str) -> Iterator[Process]:
        """`ace serve` on a free port, ready; it is ended with the block if the test has not done so."""
        process = self.begin("serve", "--port", "0", *arguments, **environment)
        try:
            process.wait_until_ready()
            yield process
        finally:
            process.end()

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        own = {"PATH": "/usr/bin:/bin", "ACE_DATA_DIR": str(self.data), "PYTHONDEVMODE": "", "LC_ALL": "C.UTF-8"}
        measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
        shared = {"ACE_DB_MULTIPLEX": "on" if database.MULTIPLEX else "off"}
        return own | shared | measured | self.environment | more


class Process:
    """A command that stays, in a process group of its own as a terminal would start it."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        stamp = time.monotonic_ns()
        self._output, self._errors = folder / f"{stamp}.out", folder / f"{stamp}.err"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                arguments,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                process_group=0,
                preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 (it takes no lock)
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    @property
    def complaints(self) -> list[str]:
        """What it wrote beside its output, except log lines that tell the ordinary course of things."""
        return [line for line in self.errors.splitlines() if line.strip() and not _is_ordinary(line)]

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def address(self) -> str:
        """What it printed when it was ready."""
        return next(line.removeprefix(_READY) for line in self.output.splitlines() if line.startswith(_READY))

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        """What it and those it started have computed so far, PostgreSQL included; neighbours do not disturb it."""
        return cpu_seconds(self._process.pid)

    def wait_until_ready(self) -> None:
        eventually(lambda: _READY in self.output or not self.running, _START_SECONDS)
        if _READY not in self.output or not self.running:
            raise RuntimeError(f"ace did not start:\n{self.output}\n{self.errors}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits for the end; the exit code is negative if a signal ended the process."""
        return self._process.wait(_STOP_SECONDS)

    def send_to_all(self, number: signal.Signals) -> None:
        """As a terminal does: to the whole foreground process group."""
        os.killpg(self._process.pid, number)

    def press_ctrl_c(self) -> int:
        self.send_to_all(signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        """As the kernel does when memory runs out: at once and without a word."""
        self.send(signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        """In order if it can be, else by force; a process that has ended is left alone."""
        if self.running:
            self.send(signal.SIGTERM)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False, **options)

    def connect(self) -> socket.socket:
        """A bare connection, to send what no HTTP client would."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def exchange(self, request: bytes) -> bytes:
        """Sends bytes and reads until the server closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_to_end(connection)


def _hear_ctrl_c() -> None:
    """Whoever runs the tests in the background, or under `nohup`, hands down that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_ordinary(line: str) -> bool:
    try:
        return json.loads(line)["level"] in {"debug", "info"}
    except (ValueError, LookupError, TypeError):
        return False


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the server closes; a reset after its answer loses nothing of it."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return received


def copy_of(original: Ace, folder: Path) -> Ace:
    """The same data in another folder, for a test that stops, kills or fills the server."""
    folder.mkdir()
    shutil.copytree(original.data, folder / "data", symlinks=True, ignore=shutil.ignore_patterns("run", "*.lock"))
    return Ace(folder)


def bearer(client: httpx.Client, portal: str = "student", email: str | None = None) -> dict[str, str]:
    """Signs in with a demo account or the address given; the header that speaks for that session.

    Where too many passwords wait to be checked it comes back, as `Retry-After` says.
    """
    body = {"email": email or f"{portal}@ace.example", "password": PASSWORD, "delivery": "body"}
    until = time.monotonic() + _SIGNED_IN_WITHIN
    while True:
        answer = client.post(f"/{portal}/auth/login", json=body)
        if answer.status_code != 503 or time.monotonic() > until:
            break
        time.sleep(float(answer.headers["retry-after"]))
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['accessToken']}"}
