"""What was acknowledged is there after a kill -9: of the server, and of the database under it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.postgres_user import eventually, postmaster_pid
from tests.support.process import Ace, Process

_NEWCOMER = {"email": "newcomer@example.org", "password": "nine clouds over the hill", "delivery": "body"}


def _kill_the_server(ace: Ace, process: Process) -> None:
    process.kill()


def _kill_everything(ace: Ace, process: Process) -> None:
    """A power failure, as far as processes can have one."""
    database = postmaster_pid(ace.data / "postgres")
    process.kill()
    os.kill(database, signal.SIGKILL)


def _begin_practice(client: httpx.Client) -> dict[str, Any]:
    package = client.get("/exam-packages").json()["items"][0]["id"]
    enrolled = client.post("/student/enrollments", json={"examPackageId": package})
    assert enrolled.status_code == 201, enrolled.text
    begun = client.post("/practice-sessions", json={"examPackageId": package, "count": 5})
    assert begun.status_code == 201, begun.text
    session: dict[str, Any] = begun.json()
    return session


def _answer(client: httpx.Client, session: dict[str, Any], slot: int) -> dict[str, Any]:
    choice = session["questions"][slot - 1]["choices"][0]["id"]
    answer = client.post(f"/practice-sessions/{session['id']}/answers", json={"slot": slot, "choiceIds": [choice]})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("kill", [_kill_the_server, _kill_everything], ids=["server", "server and database"])
def test_everything_acknowledged_survives(installed: Callable[[], Ace], kill: Callable[[Ace, Process], None]) -> None:
    """The session that was open goes on with its token, because the secret of the installation is kept as well."""
    ace = installed()
    with ace.serving() as process, process.client() as client:
        registered = client.post("/student/auth/register", json=_NEWCOMER)
        assert registered.status_code == 201, registered.text
        speaking = {"authorization": f"Bearer {registered.json()['accessToken']}"}
        client.headers.update(speaking)
        session = _begin_practice(client)
        answers = [_answer(client, session, slot) for slot in (1, 2, 3)]
        kill(ace, process)
    with ace.serving() as process, process.client(headers=speaking) as client:
        me = client.get("/student/auth/me")
        assert me.status_code == 200, me.text
        assert me.json()["user"] == registered.json()["user"]
        enrolled = client.get("/student/enrollments").json()["items"]
        assert [item["examPackageId"] for item in enrolled] == [session["examPackageId"]]
        found = client.get(f"/practice-sessions/{session['id']}").json()
        assert (found["answeredCount"], found["correctCount"]) == (3, answers[-1]["correctCount"])
        assert [question["questionId"] for question in found["questions"]] == [
            question["questionId"] for question in session["questions"]
        ]
        assert [question["response"] is not None for question in found["questions"]] == [True] * 3 + [False] * 2
        assert _answer(client, session, 4)["answeredCount"] == 4
        assert [_answer(client, session, slot) for slot in (1, 2, 3)] != []  # repeated, they are accepted as they were
    assert ace.database_processes == []


def test_a_killed_database_comes_back_under_the_running_server(installed: Callable[[], Ace]) -> None:
    """Nobody restarts anything by hand: requests wait or hear 503 meanwhile, and it is ready again by itself."""
    ace = installed()
    with ace.serving() as process, process.client() as client:
        killed = postmaster_pid(ace.data / "postgres")
        os.kill(killed, signal.SIGKILL)
        meanwhile = client.get("/exam-packages")
        assert meanwhile.status_code == 200 or (meanwhile.status_code, meanwhile.headers["retry-after"]) == (503, "1")
        assert client.get("/healthz").status_code == 200
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/exam-packages").status_code == 200
        assert postmaster_pid(ace.data / "postgres") != killed
    assert ace.database_processes == []
