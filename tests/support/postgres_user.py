"""Processes that use an embedded PostgreSQL, for tests that kill them, and a view of what runs because of them.

Run as a script, this file is such a process: it prints the socket folder and uses the server until its input ends. Each
further line it reads makes it call `start` again. A second argument names the user id to become first.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from adapters.system.embedded_folder import Folder
from adapters.system.embedded_postgres import ConnectionUrls, EmbeddedPostgres

_SOURCES = Path(__file__).parents[2] / "src"


class PostgresUser:
    """One process using the server in a folder, in a process group of its own as a terminal would start it."""

    def __init__(self, folder: Path, *, uid: int | None = None, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder), *([] if uid is None else [str(uid)])],
            env={"PYTHONPATH": str(_SOURCES), "PATH": "/usr/bin:/bin"} | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    @property
    def urls(self) -> ConnectionUrls:
        """Waits for the start; a failed one raises with what the process said."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(self._process.stderr.read())
        return ConnectionUrls(socket_folder=Path(line))

    def start_again(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def leave(self) -> int:
        """End in order and wait for the end."""
        self._process.communicate()
        return self._process.returncode

    def press_ctrl_c(self) -> None:
        """The terminal sends SIGINT to the whole foreground process group."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.communicate()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.communicate()


def postmaster_pid(folder: Path) -> int:
    return int(Folder(folder).pid_file.read_text().splitlines()[0])


def server_processes(folder: Path) -> list[int]:
    """Every live process of the cluster in the folder, by the name in its title."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Folder(folder).tag.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it was true once within so many seconds, which end what hangs on machines with much to do too."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds


def query(url: str, statement: str) -> object:
    """The first value of one committed statement, None without rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def _use(folder: Path, uid: int | None) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    postgres = EmbeddedPostgres(folder)
    with postgres as urls:
        print(urls.socket_folder, flush=True)
        for _ in sys.stdin:
            print(postgres.start().socket_folder, flush=True)


if __name__ == "__main__":
    _use(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
