"""A PostgreSQL of our own in a folder: what serves when no DATABASE_URL is set.

Several processes share one server. Each holds a shared lock while it uses it, starts and stops take turns under another
lock, and the last user to leave stops the server. The kernel frees the locks of a killed process; the server it leaves
behind goes on serving the others, or is found and reused by the next start. A server whose last user was killed stays
up until then.
"""

import atexit
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from adapters.system.embedded_account import choose_account
from adapters.system.embedded_cluster import make_cluster
from adapters.system.embedded_folder import EmbeddedPostgresError, Folder, explained
from adapters.system.embedded_process import READY_SECONDS, bring_up, lives, take_down
from adapters.system.embedded_roles import ConnectionUrls, ensure_database

__all__ = ["ConnectionUrls", "EmbeddedPostgres", "EmbeddedPostgresError"]

_TURN_SECONDS = READY_SECONDS + 30
_LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One process's use of the server in `data_dir`, from `start` to `stop`; leaving it last stops the server.

    Calling `start` again while in use brings back a server that was killed. `durable=False` gives up surviving a power
    cut for speed; it is for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._folder = Folder(data_dir.expanduser().resolve())
        self._durable = durable
        self._user_lock: int | None = None
        self._user_pid = 0
        self._watch: threading.Thread | None = None
        self._unwatch = threading.Event()

    @property
    def log_file(self) -> Path:
        return self._folder.log

    def start(self) -> ConnectionUrls:
        with explained(self._folder):
            account = choose_account(self._folder.root)
            self._folder.prepare(account)
            with _turn(self._folder):
                self._join()
                try:
                    make_cluster(self._folder, account, durable=self._durable)
                    server = bring_up(self._folder, account, durable=self._durable)
                    ensure_database(server.urls)
                except BaseException:  # a Ctrl-C included: nothing half-started is left behind
                    self._leave()
                    raise
        return server.urls

    def watch(self) -> None:
        """From here to `stop`, a server that was killed is started again within seconds, without anybody's help."""
        self._unwatch.clear()
        self._watch = threading.Thread(target=self._keep_alive, name="embedded PostgreSQL", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Leave; a second call, and a call in a forked child, does nothing."""
        if self._user_pid != os.getpid():
            return
        self._unwatch.set()  # first of all: a start again that failed has left, and would be tried once more
        if self._watch is not None:
            self._watch.join(_TURN_SECONDS)
        if self._user_lock is None:
            return
        with explained(self._folder), _turn(self._folder):
            self._leave()

    def __enter__(self) -> ConnectionUrls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _keep_alive(self) -> None:
        while not self._unwatch.wait(_LOOK_SECONDS):
            try:
                if not lives(self._folder):
                    _log.warning("the embedded PostgreSQL is gone and is started again")
                    self.start()
            except Exception:  # whatever it is may pass, and nobody else looks
                _log.exception("the embedded PostgreSQL could not be looked after")

    def _join(self) -> None:
        if self._user_lock is None:
            self._user_lock = _open_lock(self._folder.users_lock)
            self._user_pid = os.getpid()
            fcntl.flock(self._user_lock, fcntl.LOCK_SH)
            atexit.register(self.stop)

    def _leave(self) -> None:
        lock, self._user_lock = self._user_lock, None
        if lock is None:
            return
        atexit.unregister(self.stop)
        try:
            if _try_lock(lock):
                take_down(self._folder)
        finally:
            os.close(lock)


@contextmanager
def _turn(folder: Folder) -> Iterator[None]:
    """Only one process starts or stops at a time; the wait is bounded, as is all that is done within."""
    lock = _open_lock(folder.start_lock)
    try:
        deadline = time.monotonic() + _TURN_SECONDS
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping the database in {folder.root} for more than"
                    f" {_TURN_SECONDS:.0f} s. See {folder.log}, end that process and try again."
                )
            time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
