"""`ace serve` from its first line to its last: what it says, how it ends, and what it refuses to start with."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.support.postgres_user import eventually, query
from tests.support.process import PASSWORD, Ace, Process, bearer

_WORKERS = "select count(*) from procrastinate_workers"
_START_IN_YARDS = 6.0
"""The CPU time of a second start: two of the yardstick's as measured. Whatever slows the one down slows the other."""
_YARDSTICK = """
import time, typing
from pathlib import Path
text = Path(typing.__file__).read_text()
began = time.process_time()
for _ in range(60):
    compile(text, "typing", "exec")
print(time.process_time() - began)
"""
_READY_SECONDS = 120.0
_SECRET = "0123456789-not-known-to-anybody-else"
_PUBLIC_URL = "https://exams.school.test"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _yard() -> float:
    """Seconds of CPU that a second's work takes here and now."""
    return float(subprocess.run([sys.executable, "-c", _YARDSTICK], capture_output=True, text=True, check=True).stdout)


def _is_ready(client: httpx.Client) -> bool:
    """A process of several may take a connection in before it serves."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _end_by_ctrl_c(process: Process) -> int:
    return process.press_ctrl_c()


def _end_by_sigterm(process: Process) -> int:
    process.send(signal.SIGTERM)
    return process.wait()


def _end_by_closing_the_terminal(process: Process) -> int:
    process.send_to_all(signal.SIGHUP)
    return process.wait()


def test_several_processes_end_with_the_terminal(installed: Callable[[], Ace]) -> None:
    ace = installed()
    with ace.serving(ACE_WORKERS="2") as process:
        with process.client() as client:
            assert eventually(lambda: _is_ready(client), _READY_SECONDS)
        assert _end_by_closing_the_terminal(process) in {0, 129}
    assert ace.database_processes == []


@pytest.mark.parametrize(
    ("end", "expected"),
    [(_end_by_ctrl_c, {0, 130}), (_end_by_sigterm, {0, 143}), (_end_by_closing_the_terminal, {0, 129})],
    ids=["ctrl-c", "sigterm", "terminal closed"],
)
def test_the_demo_is_announced_served_and_ended_without_leftovers(
    installed: Callable[[], Ace], end: Callable[[Process], int], expected: set[int]
) -> None:
    ace = installed()
    yard, begun = _yard(), datetime.now(UTC)
    with ace.serving("--demo") as process:
        assert process.cpu_seconds < _START_IN_YARDS * max(yard, _yard())
        assert _made_last(ace) < begun, "a second start has nothing to create or to migrate"
        for portal in ("student", "instructor", "admin"):
            assert f"{portal}@ace.example  {PASSWORD}" in process.output
        assert f"{process.address}/docs" in process.output
        with process.client() as client:
            for path in ("/healthz", "/readyz", "/docs"):
                assert client.get(path).status_code == 200, path
            assert bearer(client, "admin")
        port = process.port
        assert ace.database_processes
        assert not _is_free(port)
        code = end(process)
    assert ace.database_processes == []
    assert _is_free(port)
    assert process.complaints == []
    assert code in expected


def _made_last(ace: Ace) -> datetime:
    """When the newest was made of the cluster, its schema and the accounts of the demo."""
    cluster = (ace.data / "postgres" / "cluster" / "PG_VERSION").stat().st_mtime
    rows = query(
        ace.database_url, "select greatest((select max(applied_at) from schema_migrations), max(created_at)) from users"
    )
    assert isinstance(rows, datetime)
    return max(datetime.fromtimestamp(cluster, UTC), rows)


def test_the_document_of_the_api_is_served(served: Process) -> None:
    with served.client() as client:
        answer = client.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    assert "/practice-sessions" in answer.json()["paths"]


def test_jobs_can_be_left_to_another_process(ace: Ace, served: Process) -> None:
    """A second server process on the same folder, without a worker of its own."""
    with ace.serving("--no-worker") as second, second.client() as client:
        assert client.get("/readyz").status_code == 200
    with served.client() as client:
        assert client.get("/readyz").status_code == 200


def test_a_worker_works_until_it_is_told_to_stop(ace: Ace, served: Process) -> None:
    before = query(ace.database_url, _WORKERS)
    assert isinstance(before, int)
    worker = ace.begin("worker")
    try:
        assert eventually(lambda: query(ace.database_url, _WORKERS) == before + 1)
        worker.send(signal.SIGTERM)
        assert worker.wait() in {0, 143}
    finally:
        worker.end()
    assert worker.complaints == []
    assert served.running


def test_a_port_in_use_is_told_in_one_line(ace: Ace, served: Process) -> None:
    result = ace.run("serve", "--port", str(served.port))
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert f"127.0.0.1:{served.port} is already in use" in result.stderr
    assert result.stdout == ""


def test_a_folder_with_other_things_in_it_is_left_alone(ground: Path) -> None:
    ace = Ace(ground / "foreign")
    thesis = ace.data / "postgres" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("do not touch")
    result = ace.run("serve", "--port", "0")
    assert result.returncode == 1
    assert "thesis.txt" in result.stderr
    assert "Traceback" not in result.stderr
    assert [entry.name for entry in thesis.parent.iterdir()] == ["thesis.txt"]


def test_every_wrong_setting_is_told_at_once(ground: Path) -> None:
    result = Ace(ground).run("serve", ACE_PORT="eighty", ACE_SECRET_KEY="short", ACE_DB_POOL_MIN="0", ACE_PROT="8000")
    assert result.returncode == 2
    lines = result.stderr.strip().splitlines()
    told = [line.partition(":")[0] for line in lines]
    assert sorted(told) == ["ACE_DB_POOL_MIN", "ACE_PORT", "ACE_PROT", "ACE_SECRET_KEY"]
    assert "short" not in result.stderr.replace("one of them is shorter", "")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, {"ACE_SECRET_KEY", "DATABASE_URL", "ACE_PUBLIC_URL"}),
        ({"DATABASE_URL": "postgresql://ace_app@localhost/ace", "ACE_PUBLIC_URL": _PUBLIC_URL}, {"ACE_SECRET_KEY"}),
    ],
    ids=["nothing", "no secret"],
)
def test_production_needs_its_own_secret_database_and_address(
    ground: Path, environment: dict[str, str], told: set[str]
) -> None:
    result = Ace(ground).run("serve", "--port", "0", ACE_ENVIRONMENT="production", **environment)
    assert result.returncode == 2
    assert {line.partition(":")[0] for line in result.stderr.strip().splitlines()} == told


def test_production_refuses_the_demo(ace: Ace, served: Process) -> None:
    """Even on a database that it would serve from otherwise."""
    production = _production(ace)
    for command in (("serve", "--demo", "--port", "0"), ("demo", "load")):
        result = ace.run(*command, **production)
        assert result.returncode == 1, result.stderr
        assert "demo" in result.stderr
        assert "Traceback" not in result.stderr
    with served.client() as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)], ids=" ".join)
def test_production_refuses_a_database_that_has_demo_accounts(
    ace: Ace, served: Process, command: tuple[str, ...]
) -> None:
    result = ace.run(*command, **_production(ace))
    assert result.returncode == 1, result.stdout
    assert "demo" in result.stderr
    assert "Traceback" not in result.stderr


def _production(ace: Ace) -> dict[str, str]:
    return {
        "ACE_ENVIRONMENT": "production",
        "ACE_SECRET_KEY": _SECRET,
        "ACE_PUBLIC_URL": _PUBLIC_URL,
        "DATABASE_URL": ace.database_url,
    }


def test_a_database_that_cannot_be_reached_is_told_in_one_line(ground: Path) -> None:
    result = Ace(ground).run("serve", "--port", "0", DATABASE_URL="postgresql://ace_app@127.0.0.1:9/ace")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert 0 < len(result.stderr.strip().splitlines()) <= 3


def test_an_address_without_an_owner_s_rights_serves_or_says_what_is_missing(ace: Ace, served: Process) -> None:
    """The database is migrated already, so there is nothing that only its owner may do."""
    process = ace.begin("serve", "--port", "0", "--no-worker", DATABASE_URL=ace.database_url)
    try:
        assert eventually(lambda: "Ace is ready" in process.output or not process.running)
    finally:
        process.end()
    assert "Traceback" not in process.errors


def test_two_servers_share_one_embedded_database(ace: Ace, served: Process) -> None:
    """Signing out through one, and a session limit that is reached, act on the next request at the other."""
    owner = ace.database_url.replace("ace_app", "ace_owner")
    urls = {"DATABASE_URL": ace.database_url, "ACE_OWNER_DATABASE_URL": owner}
    with ace.serving("--no-worker", **urls) as second, served.client() as one, second.client() as other:
        body = {"email": "student@ace.example", "password": PASSWORD, "delivery": "body"}
        token = one.post("/student/auth/login", json=body).json()["accessToken"]
        speaking = {"authorization": f"Bearer {token}"}
        for client in (one, other):
            assert client.get("/student/auth/me", headers=speaking).status_code == 200
        assert one.post("/student/auth/logout", headers=speaking).status_code == 204
        for client in (other, one):
            assert client.get("/student/auth/me", headers=speaking).status_code == 401
        sessions = [bearer(client) for client in (one, other, one, other)]
        for client in (one, other):
            found = [client.get("/student/auth/me", headers=session).status_code for session in sessions]
            assert found == [401, 200, 200, 200]
