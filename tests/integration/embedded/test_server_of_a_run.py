"""The server of a test run: clones have the privileges of the original, and it never outlives its run."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres_user import eventually, query, server_processes
from tests.support.server import RunningServer, running_server

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def server(test_server: RunningServer) -> RunningServer:
    return test_server


def test_clone_has_the_template_s_rows_and_privileges(server: RunningServer) -> None:
    template = server.create_empty_database("clone_source")
    query(template.owner, "CREATE TABLE kept AS SELECT 7 AS answer")
    query(template.owner, "GRANT SELECT ON kept TO ace_app")
    clone = server.create_database_from_template("clone_source", "clone")
    assert query(clone.app, "SELECT answer FROM kept") == 7
    assert query(clone.owner, "SELECT current_database()") == "clone"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(clone.app, "CREATE TEMP TABLE t (id int)")
    server.drop_database("clone")
    server.drop_database("clone_source")


def test_database_is_dropped_under_open_connections(server: RunningServer) -> None:
    urls = server.create_empty_database("in_use")
    with psycopg.connect(urls.app) as connection:
        server.drop_database("in_use")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert query(server.urls.superuser, "SELECT count(*) FROM pg_database WHERE datname = 'in_use'") == 0


def test_server_and_folder_go_when_the_run_ends() -> None:
    with running_server() as server:
        folder = server.urls.socket_folder.parent
        assert server_processes(folder)
    assert server_processes(folder) == []
    assert not folder.exists()


def test_server_and_folder_go_when_the_run_is_killed() -> None:
    script = "from tests.support.server import running_server\nwith running_server() as s:\n"
    script += " print(s.urls.socket_folder, flush=True)\n input()"
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{_ROOT}:{_ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip()).parent
    assert server_processes(folder)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert eventually(lambda: not folder.exists())
    assert server_processes(folder) == []
