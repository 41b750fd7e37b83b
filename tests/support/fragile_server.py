"""A PostgreSQL that a test may freeze, kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.migrations import Migrations
from adapters.system.embedded_postgres import ConnectionUrls, EmbeddedPostgres


@dataclass(slots=True)
class FragileServer:
    """A server of these tests' own, since they freeze and kill it."""

    folder: Path
    server: EmbeddedPostgres
    urls: ConnectionUrls

    @property
    def postmaster(self) -> int:
        return int((self.folder / "cluster" / "postmaster.pid").read_text().split()[0])

    def processes(self) -> list[int]:
        """The postmaster first, then its children."""
        postmaster = self.postmaster
        everybody = map(int, filter(str.isdigit, (path.name for path in Path("/proc").iterdir())))
        return [postmaster, *(pid for pid in everybody if _parent(pid) == postmaster)]

    def send(self, number: signal.Signals) -> None:
        """To the postmaster first, so that it starts nobody meanwhile."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing answers, every connection stays."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def restart(self) -> None:
        """Recovers and serves at the same address."""
        assert self.server.start() == self.urls


def _parent(pid: int) -> int | None:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


@contextmanager
def fragile_server() -> Iterator[FragileServer]:
    """Migrated, in memory where there is some; leaving stops it and removes its folder."""
    folder = Path(tempfile.mkdtemp(prefix="ace-faults-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    server = EmbeddedPostgres(folder, durable=False)
    running = FragileServer(folder, server, server.start())
    Migrations(running.urls.owner).up()
    yield running
    running.server.stop()
    shutil.rmtree(folder, ignore_errors=True)
