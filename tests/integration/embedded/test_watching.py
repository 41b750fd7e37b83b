"""Whoever watches over the embedded PostgreSQL goes on watching, whatever goes wrong meanwhile."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.system import embedded_postgres
from adapters.system.embedded_folder import EmbeddedPostgresError, Folder
from adapters.system.embedded_postgres import EmbeddedPostgres
from adapters.system.embedded_process import lives
from tests.support.postgres_user import eventually

_NO_FILES = OSError(errno.EMFILE, "Too many open files")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "_LOOK_SECONDS", 0.01)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A server that is watched by this process as if it had been started; it is always gone."""
    server = EmbeddedPostgres(tmp_path / "postgres")
    server._user_pid = os.getpid()
    monkeypatch.setattr(embedded_postgres, "lives", lambda _: False)
    yield server
    server.stop()


@pytest.mark.parametrize("error", [_NO_FILES, EmbeddedPostgresError("it did not start"), RuntimeError("no thread")])
def test_a_start_that_fails_is_tried_again(
    watched: EmbeddedPostgres, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def start() -> None:
        tries.append(1)
        raise error

    monkeypatch.setattr(watched, "start", start)
    watched.watch()
    assert eventually(lambda: len(tries) > 2, 20)
    assert (embedded_postgres.__name__, logging.ERROR) in {(name, level) for name, level, _ in caplog.record_tuples}


def test_a_look_that_fails_is_tried_again_and_starts_nothing(
    watched: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    started = threading.Event()

    def look(_: Folder) -> bool:
        looks.append(1)
        if len(looks) < 3:
            raise _NO_FILES
        return False

    monkeypatch.setattr(embedded_postgres, "lives", look)
    monkeypatch.setattr(watched, "start", lambda: started.set() if len(looks) > 2 else None)
    watched.watch()
    assert started.wait(20)
    assert len(looks) >= 3


def test_who_cannot_look_does_not_take_it_for_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting again clears the socket away, of a server that lives as well."""
    folder = Folder(tmp_path)
    folder.cluster.mkdir()
    folder.pid_file.write_text(f"{os.getpid()}\n{folder.cluster}\n0\n5432\n{tmp_path}\n\n0\nready\n")
    assert not lives(folder)  # no server has this process's id

    def read_bytes(_: Path) -> bytes:
        raise _NO_FILES

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(OSError, match="Too many open files"):
        lives(folder)


def test_who_has_stopped_does_not_start_it_any_more(watched: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last start failed, so that there was nothing to leave."""
    tries: list[int] = []

    def start() -> None:
        tries.append(1)
        raise EmbeddedPostgresError("it did not start")

    monkeypatch.setattr(watched, "start", start)
    watched.watch()
    assert eventually(lambda: bool(tries), 20)
    watched.stop()
    assert watched._watch is not None
    assert not watched._watch.is_alive()
