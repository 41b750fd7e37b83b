"""The processes of an embedded PostgreSQL: found again after a crash, started apart from our terminal, stopped."""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from adapters.system.embedded_account import Account
from adapters.system.embedded_cluster import clean_environment, find_programs
from adapters.system.embedded_folder import EmbeddedPostgresError, Folder
from adapters.system.embedded_roles import ConnectionUrls

READY_SECONDS = 60.0
_STOP_SECONDS = 60.0
_LEFTOVER_SECONDS = 5.0
_POLL_SECONDS = 0.01
# We cannot look, which says nothing of what there is.
_CANNOT_LOOK = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

# Given on the command line, not in the cluster's files: a later version of ours may change them, ALTER SYSTEM may not.
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # no port is opened; it names the socket
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "synchronous_commit": "on",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on"}
# Autovacuum would hold a template database open now and then, and cloning it would wait.
_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it recorded itself in postmaster.pid; it may have died since."""

    pid: int
    cluster: Path
    socket_folder: Path
    ready: bool

    @property
    def urls(self) -> ConnectionUrls:
        return ConnectionUrls(socket_folder=self.socket_folder)

    def answers(self, cluster: Path) -> bool:
        """Whether it serves this cluster; the record in a copied folder names the original's server."""
        if not self.ready or self.cluster != cluster:  # asking earlier would only fill its log with refusals
            return False
        try:
            psycopg.connect(self.urls.superuser, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def bring_up(folder: Folder, account: Account, *, durable: bool) -> Server:
    """Find the running server or start one, and wait until it accepts connections (crash recovery included).

    The socket is asked before the process id is judged: an answer is the proof that a server lives.
    """
    deadline = time.monotonic() + READY_SECONDS
    launched: subprocess.Popen[bytes] | None = None
    try:
        while time.monotonic() < deadline:
            recorded = _recorded(folder)
            if recorded is not None and recorded.answers(folder.cluster):
                return recorded
            if launched is None and (recorded is None or not _belongs(recorded.pid, folder)):
                launched = _launch(folder, account, durable=durable)
            if launched is not None and launched.poll() is not None:
                raise _not_up(folder, f"it ended with status {launched.returncode}")
            time.sleep(_POLL_SECONDS)
    finally:
        _release(launched)
    raise _not_up(folder, f"it did not accept connections within {READY_SECONDS:.0f} s")


def lives(folder: Folder) -> bool:
    """Whether the recorded server still exists; one that is frozen does."""
    recorded = _recorded(folder)
    return recorded is not None and _belongs(recorded.pid, folder)


def take_down(folder: Folder) -> None:
    """Stop the server in order (running statements are cancelled, everything committed is kept) and see it gone."""
    recorded = _recorded(folder)
    if recorded is not None and _belongs(recorded.pid, folder):
        _send(recorded.pid, signal.SIGINT)
        _wait_until(lambda: not _belongs(recorded.pid, folder), _STOP_SECONDS)
    _end_leftovers(folder)
    if recorded is not None and recorded.socket_folder.is_absolute():
        _clear_socket(recorded.socket_folder)
        with suppress(OSError):
            recorded.socket_folder.rmdir()


def _launch(folder: Folder, account: Account, *, durable: bool) -> subprocess.Popen[bytes]:
    _end_leftovers(folder)
    _forget_recycled_pid(folder)
    sockets = folder.socket_folder(account)
    _clear_socket(sockets)
    folder.rotate_log()
    settings = _SETTINGS | (_DURABLE if durable else _FORGETFUL)
    settings |= {"unix_socket_directories": str(sockets), "cluster_name": folder.tag}
    arguments = [f"--{name}={value}" for name, value in settings.items()]
    with folder.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 (a program of the package, arguments of our own)
            [str(find_programs(account) / "postgres"), "-D", str(folder.cluster), *arguments],
            user=account.uid,
            group=account.gid,
            extra_groups=account.extra_groups,
            env=clean_environment(),
            cwd="/",
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, and we decide when the database stops
        )


def _release(launched: subprocess.Popen[bytes] | None) -> None:
    """From here on the server is followed by its pid, as any user of it does; Popen need not warn that it lives."""
    if launched is not None:
        launched.returncode = 0


def _recorded(folder: Folder) -> Server | None:
    try:
        lines = folder.pid_file.read_text().splitlines() + [""] * 8  # it is written line by line during the start
        pid = int(lines[0])
    except (FileNotFoundError, ValueError):
        return None
    return Server(pid=pid, cluster=Path(lines[1]), socket_folder=Path(lines[4]), ready=lines[7].strip() == "ready")


def _forget_recycled_pid(folder: Folder) -> None:
    """PostgreSQL refuses to start when the recorded pid lives, even if another program has it now, as after a reboot.

    Otherwise the stale file stays: it names the shared memory by which PostgreSQL notices survivors of its own.
    """
    recorded = _recorded(folder)
    command = _command(recorded.pid) if recorded is not None else None
    if recorded is None or command is None:
        return
    if os.fsencode(recorded.cluster) in command:
        raise EmbeddedPostgresError(
            f"{folder.root} was moved or copied while its server was running: process {recorded.pid} still serves"
            f" {recorded.cluster}. If it was moved, stop that server (kill -INT {recorded.pid}) and start again."
            " If it is a copy, stop the original's server and copy again."
        )
    folder.pid_file.unlink(missing_ok=True)


def _end_leftovers(folder: Folder) -> None:
    """End what lives on without its postmaster: backends after a kill -9, or the server of a folder since deleted."""
    for ending in (signal.SIGQUIT, signal.SIGKILL):
        for pid in _members(folder):
            _send(pid, ending)
        if _wait_until(lambda: not any(_members(folder)), _LEFTOVER_SECONDS):
            return


def _clear_socket(folder: Path) -> None:
    """Remove what a killed server left; its lock file would stop the next one if the pid has been given away."""
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (folder / name).unlink(missing_ok=True)


def _members(folder: Folder) -> Iterator[int]:
    """Every live process of this cluster: PostgreSQL shows the cluster's name in the title of each."""
    tag = folder.tag.encode()
    return (pid for pid, command in _processes() if tag in command)


def _belongs(pid: int, folder: Folder) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a dead child of ours counts as living until it is waited for
    command = _command(pid)
    return command is not None and folder.tag.encode() in command


def _command(pid: int) -> bytes | None:
    return next((command for found, command in _processes(pid) if found == pid), None)


def _processes(only: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Process ids with their command lines, from /proc or, where there is none, from ps."""
    if not Path("/proc/self/cmdline").exists():
        yield from command_lines_by_ps().items()
        return
    for process in Path("/proc").glob("[0-9]*") if only is None else [Path("/proc", str(only))]:
        try:
            command = (process / "cmdline").read_bytes()
        except OSError as error:
            if error.errno in _CANNOT_LOOK:
                raise
        else:
            yield int(process.name), command


def command_lines_by_ps() -> dict[int, bytes]:
    listing = subprocess.run(["/bin/ps", "-axo", "pid=,command="], capture_output=True, check=True).stdout
    lines = (line.strip().partition(b" ") for line in listing.splitlines())
    return {int(pid): command for pid, _, command in lines}


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return holds


def _not_up(folder: Folder, what: str) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"The embedded PostgreSQL in {folder.root} did not start: {what}. The end of {folder.log}:\n{folder.log_tail()}"
    )
