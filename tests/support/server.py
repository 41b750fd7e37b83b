"""The PostgreSQL of a test run: one embedded server in memory-backed storage, and databases cloned from templates.

Run as a script, this file is the server's keeper: it serves the folder it is given until its standard input ends. The
test run holds the other end, so the server goes and its folder is removed however the run ends, kill -9 included.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from adapters.system.embedded_postgres import ConnectionUrls, EmbeddedPostgres

_ROOM = 2 * 1024**3  # containers often have 64 MiB of /dev/shm, one cluster with a few clones needs more
_SOURCES = Path(__file__).parents[2] / "src"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The server of this run. A superuser keeps the databases; tests connect as owner or application."""

    urls: ConnectionUrls

    def create_database_from_template(self, template: str, name: str) -> ConnectionUrls:
        """Clone `template`, which nobody may be connected to, with the privileges that a clone does not inherit."""
        with self._maintenance() as connection:
            for statement in (
                "CREATE DATABASE {name} TEMPLATE {template} OWNER ace_owner STRATEGY FILE_COPY",
                "REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC",
            ):
                connection.execute(
                    sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(template))
                )
        return self.urls.of(name)

    def create_empty_database(self, name: str) -> ConnectionUrls:
        """A database as an installation finds it before the first migration."""
        return self.create_database_from_template("template1", name)

    def drop_database(self, name: str) -> None:
        """Drop it even while connections are open, if it exists."""
        with self._maintenance() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _maintenance(self) -> Iterator[psycopg.Connection]:
        with closing(psycopg.connect(self.urls.superuser, autocommit=True)) as connection:
            yield connection


@contextmanager
def running_server() -> Iterator[RunningServer]:
    """Start the keeper in a new folder and wait for its answer; leaving ends it and removes the folder."""
    folder = Path(tempfile.mkdtemp(prefix="ace-tests-", dir=_fast_folder()))
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        env={"PYTHONPATH": str(_SOURCES), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is for the tests; the server outlives them
    )
    try:
        with keeper:
            assert keeper.stdout is not None
            socket_folder = keeper.stdout.readline().strip()
            if not socket_folder:
                raise RuntimeError(f"the test server did not start in {folder}; its error is above")
            yield RunningServer(urls=ConnectionUrls(socket_folder=Path(socket_folder)))
    finally:
        if keeper.poll() is not None:  # gone already: if it could not even begin, the folder is still there
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_server() -> Iterator[RunningServer]:
    """One server for the whole run."""
    with running_server() as server:
        yield server


def _fast_folder() -> Path | None:
    memory = Path("/dev/shm")
    with suppress(OSError):
        if shutil.disk_usage(memory).free >= _ROOM:
            return memory
    return None


def _keep(folder: Path) -> None:
    try:
        with EmbeddedPostgres(folder, durable=False) as urls:
            print(urls.socket_folder, flush=True)
            sys.stdin.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
