"""The embedded PostgreSQL through starts, stops and kills, with real processes on a real cluster."""

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from adapters.system.embedded_postgres import EmbeddedPostgres
from tests.support.postgres_user import PostgresUser, eventually, postmaster_pid, query, server_processes

AS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture(scope="module")
def storage() -> Iterator[Path]:
    """Memory-backed where possible: what is tested is the order of events, not the disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix="ace-life-", dir=memory if roomy else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def pristine(storage: Path) -> Path:
    """A stopped cluster to copy."""
    folder = storage / "pristine"
    with EmbeddedPostgres(folder):
        pass
    return folder


@pytest.fixture
def folder(storage: Path, pristine: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A copy of the cluster; whatever a failed test leaves running is killed."""
    copy = storage / f"c{len(list(storage.iterdir()))}"
    shutil.copytree(pristine, copy)
    yield copy
    for pid in server_processes(copy):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(copy)


@pytest.fixture
def use(folder: Path) -> Iterator[Callable[[], PostgresUser]]:
    """Start processes that use the folder; those still there at the end leave."""
    users: list[PostgresUser] = []

    def start() -> PostgresUser:
        users.append(PostgresUser(folder))
        return users[-1]

    yield start
    for user in users:
        user.leave()


Use = Callable[[], PostgresUser]


def test_first_start_makes_a_private_durable_cluster_without_a_port(storage: Path) -> None:
    folder = storage / "first"
    with EmbeddedPostgres(folder) as urls:
        settings = {
            name: query(urls.app, f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "data_checksums", "listen_addresses", "server_encoding", "jit")
        }
        for private in (folder, folder / "cluster", urls.socket_folder):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "jit": "off",
        }
    assert server_processes(folder) == []


def test_roles_can_do_what_they_must_and_no_more(folder: Path) -> None:
    with EmbeddedPostgres(folder) as urls:
        assert query(urls.owner, "CREATE TABLE kept (id int)") is None
        assert query(urls.app, "SHOW statement_timeout") == "3s"
        assert query(urls.app, "SHOW lock_timeout") == "2s"
        assert query(urls.app, "SHOW idle_in_transaction_session_timeout") == "5s"
        for role in ("ace_owner", "ace_app"):
            privileged = f"SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = '{role}'"
            assert query(urls.superuser, privileged) is False
        for refused in ("CREATE TABLE own (id int)", "CREATE TEMP TABLE t (id int)", "CREATE DATABASE other"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                query(urls.app, refused)


def test_search_splits_words_at_punctuation_of_every_script(folder: Path) -> None:
    with EmbeddedPostgres(folder) as urls:
        assert query(urls.app, "SELECT length(to_tsvector('simple', 'café—naïve “quoted”、日本'))") == 4


def test_second_process_shares_the_server_and_the_last_one_out_stops_it(folder: Path, use: Use) -> None:
    first, second = use(), use()
    assert first.urls == (urls := second.urls)
    pid = postmaster_pid(folder)
    first.leave()
    assert query(urls.app, "SELECT 1") == 1
    assert postmaster_pid(folder) == pid
    second.leave()
    assert server_processes(folder) == []


def test_simultaneous_first_starts_make_one_cluster(storage: Path) -> None:
    folder = storage / "simultaneous"
    users = [PostgresUser(folder) for _ in range(4)]
    assert len({user.urls for user in users}) == 1
    assert [user.leave() for user in users] == [0, 0, 0, 0]
    assert server_processes(folder) == []


def test_killed_owner_loses_nothing_and_its_server_is_reused(folder: Path, use: Use) -> None:
    user = use()
    urls = user.urls
    query(urls.owner, "CREATE TABLE kept AS SELECT 7 AS answer")
    pid = postmaster_pid(folder)
    user.send(signal.SIGKILL)
    with EmbeddedPostgres(folder) as urls:
        assert postmaster_pid(folder) == pid
        assert query(urls.owner, "SELECT answer FROM kept") == 7
    assert server_processes(folder) == []


def test_killed_server_recovers_at_the_next_start_with_every_committed_row(folder: Path, use: Use) -> None:
    user = use()
    query(user.urls.owner, "CREATE TABLE kept AS SELECT 7 AS answer")
    killed = postmaster_pid(folder)
    os.kill(killed, signal.SIGKILL)
    with EmbeddedPostgres(folder) as urls:
        assert postmaster_pid(folder) != killed
        assert query(urls.owner, "SELECT answer FROM kept") == 7


def test_survivors_of_a_killed_server_do_not_hinder_the_next(folder: Path, use: Use) -> None:
    """A backend in the middle of a long statement does not notice at once that its postmaster is gone."""
    with closing(psycopg.connect(use().urls.superuser, autocommit=True)) as connection:
        busy = connection.info.backend_pid
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
        connection.pgconn.flush()
        os.kill(postmaster_pid(folder), signal.SIGKILL)
        assert eventually(lambda: server_processes(folder) == [busy])
        with EmbeddedPostgres(folder) as urls:
            assert query(urls.app, "SELECT 1") == 1
            assert busy not in server_processes(folder)


def test_starting_again_revives_a_killed_server(folder: Path, use: Use) -> None:
    user = use()
    urls = user.urls
    os.kill(postmaster_pid(folder), signal.SIGKILL)
    user.start_again()
    assert user.urls == urls
    assert query(urls.app, "SELECT 1") == 1
    user.leave()
    assert server_processes(folder) == []


def test_sigterm_leaves_no_process(folder: Path, use: Use) -> None:
    user = use()
    assert user.urls
    user.send(signal.SIGTERM)
    assert server_processes(folder) == []


def test_ctrl_c_leaves_no_process(folder: Path, use: Use) -> None:
    user = use()
    assert user.urls
    user.press_ctrl_c()
    assert server_processes(folder) == []


def test_ctrl_c_of_one_user_does_not_disturb_the_other(folder: Path, use: Use) -> None:
    first = use()
    urls = first.urls
    with EmbeddedPostgres(folder), psycopg.connect(urls.app) as connection:
        first.press_ctrl_c()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_ctrl_c_during_the_start_leaves_no_process(folder: Path, use: Use) -> None:
    user = use()
    assert eventually(lambda: bool(server_processes(folder)))
    user.press_ctrl_c()
    assert server_processes(folder) == []


def test_pid_given_to_another_program_does_not_block_the_start(folder: Path, use: Use) -> None:
    """After a restart of a container the recorded process id often belongs to somebody else."""
    user = use()
    sockets = user.urls.socket_folder
    record = (folder / "cluster" / "postmaster.pid").read_text()
    os.kill(postmaster_pid(folder), signal.SIGKILL)
    assert eventually(lambda: not server_processes(folder))
    _, _, rest = record.partition("\n")
    (folder / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")
    (sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n{rest}")
    with EmbeddedPostgres(folder) as urls:
        assert query(urls.app, "SELECT 1") == 1


def test_interrupted_creation_is_begun_anew(storage: Path) -> None:
    folder = storage / "interrupted"
    (folder / "cluster.new" / "base").mkdir(parents=True)
    (folder / "cluster.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as urls:
        assert query(urls.app, "SELECT 1") == 1
    assert not (folder / "cluster.new").exists()


def test_interrupted_set_up_of_the_database_is_completed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as urls:
        query(urls.superuser, "DROP DATABASE ace")
    with EmbeddedPostgres(folder) as urls:
        query(urls.superuser, "GRANT TEMPORARY ON DATABASE ace TO PUBLIC")
    with EmbeddedPostgres(folder) as urls:
        assert query(urls.app, "SELECT has_database_privilege('public', 'ace', 'TEMP')") is False


def test_long_path_gets_its_socket_elsewhere(storage: Path, folder: Path) -> None:
    deep = storage / ("d" * 100) / "postgres"
    deep.parent.mkdir()
    folder.rename(deep)
    with EmbeddedPostgres(deep) as urls:
        assert not urls.socket_folder.is_relative_to(deep)
        assert stat.S_IMODE(urls.socket_folder.stat().st_mode) == 0o700
        assert query(urls.app, "SELECT 1") == 1
    assert not urls.socket_folder.exists()
    deep.rename(folder)


def test_postgres_variables_of_the_environment_do_not_lead_astray(folder: Path) -> None:
    user = PostgresUser(folder, environment={"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGDATA": "/", "LANG": "xx"})
    assert user.urls
    assert user.leave() == 0


@pytest.mark.skipif(not AS_ROOT, reason="only root can become an ordinary user")
def test_ordinary_user_runs_it_too(folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(parent, name), NOBODY, NOBODY)
    user = PostgresUser(folder, uid=NOBODY)
    assert query(user.urls.app, "SELECT 1") == 1
    assert user.leave() == 0
    assert server_processes(folder) == []
