"""The product as production serves it, on an embedded PostgreSQL of its own, in a folder that is removed afterwards.

Production asks for a secret of its own, an https address and a database that is migrated beforehand; all three are made
for the run. Clients speak http to it from this machine, as a proxy would that ends TLS in front of it.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.system.embedded_postgres import ConnectionUrls, EmbeddedPostgres
from benchmarks.cpu import cpu_seconds, peak_memory_mib

HOST = "127.0.0.1"
PUBLIC_HOST = "bench.ace.example"
ACE = str(Path(sys.executable).with_name("ace"))
_READY = re.compile(r"Ace is ready: http://[^:]+:(\d+)")
_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running server and its database."""

    port: int
    urls: ConnectionUrls
    folder: Path
    secret: str = field(repr=False)
    server_pid: int
    postmaster_pid: int

    def server_seconds(self) -> float:
        return cpu_seconds(self.server_pid)

    def postgres_seconds(self) -> float:
        return cpu_seconds(self.postmaster_pid)

    def server_memory_mib(self) -> float:
        return peak_memory_mib(self.server_pid)

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`ace` with these arguments, on this database."""
        return subprocess.Popen(  # noqa: S603 (our own program, arguments of our own)
            [ACE, *arguments], env=environment(self.folder), stdout=subprocess.DEVNULL
        )


@contextmanager
def running_site(**settings: str) -> Iterator[Site]:
    """Starts PostgreSQL and the server, with further settings if need be, and stops both."""
    with TemporaryDirectory(prefix="ace-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run under another account, and its own folder is closed anyway
        with EmbeddedPostgres(folder / "data" / "postgres") as urls:
            subprocess.run([ACE, "migrate"], env=environment(folder), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            secret = secrets.token_urlsafe(48)
            with _server(folder, production(folder, urls, secret) | settings) as (process, port):
                yield Site(
                    port=port,
                    urls=urls,
                    folder=folder,
                    secret=secret,
                    server_pid=process.pid,
                    postmaster_pid=postmaster(folder),
                )


@contextmanager
def _server(folder: Path, settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    output = folder / "server.log"
    with output.open("wb") as log:
        process = subprocess.Popen([ACE, "serve", "--port", "0"], env=settings, stdout=log, stderr=log)  # noqa: S603
    try:
        yield process, _port(process, output)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], output: Path) -> int:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = _READY.search(output.read_text(errors="replace"))
        if found is not None:
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{output.read_text(errors='replace')[-2000:]}")


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the operator's own settings may be measured, or written to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACE_", "PG", "DATABASE_URL"))}
    return kept | {"ACE_DATA_DIR": str(folder / "data")}


def production(folder: Path, urls: ConnectionUrls, secret: str) -> dict[str, str]:
    """Settings of an installation that serves people. What it logs goes to a file of this folder."""
    return environment(folder) | {
        "ACE_ENVIRONMENT": "production",
        "ACE_SECRET_KEY": secret,
        "ACE_PUBLIC_URL": f"https://{PUBLIC_HOST}",
        "ACE_DOCS": "off",
        "DATABASE_URL": urls.app,
    }


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
