"""The server of an exam day: an installation of its own that can be killed, and the people in it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.exam_day.ledger import Ledger, Said
from tests.exam_day.together import together
from tests.support.postgres_user import eventually, postmaster_pid
from tests.support.process import PASSWORD, Ace, Process

_READY_SECONDS = 120.0
_PREPARED_WITHIN = 120.0
"""How long a request of the preparation is sent again for; a machine with much to do hashes a password a second."""
_REGISTERED_AT_ONCE = 6
_TOLD_CHARACTERS = 4_000
# Made once: a client makes its own otherwise, which takes longer than an exam.
_NO_TLS = ssl.create_default_context()
_PORTS = range(20_000, 32_000)
_ENVIRONMENT = {"ACE_REGISTRATIONS_PER_TEN_MINUTES": "100000"}


def _free_port() -> int:
    """One that the system gives to nobody who does not ask for it: it stays ours while nobody listens on it."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as listening, suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("there is no free port")


@dataclass(slots=True)
class Site:
    """One server on one port, whatever process serves it at the moment."""

    ace: Ace
    port: int = field(default_factory=_free_port)
    process: Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = self.ace.begin("serve", "--port", str(self.port))
        self.process.wait_until_ready()

    def stop(self) -> None:
        if self.process is not None:
            self.process.end()

    def kill_server(self) -> None:
        """At once and without a word; somebody starts it again."""
        assert self.process is not None
        self.process.kill()
        self.start()

    def kill_database(self) -> None:
        """PostgreSQL dies under the running server, which brings it back by itself."""
        assert self.process is not None
        os.kill(postmaster_pid(self.ace.data / "postgres"), signal.SIGKILL)
        with httpx.Client(base_url=self.address, trust_env=False) as client:
            if not eventually(lambda: _is_ready(client), _READY_SECONDS):
                raise RuntimeError(f"the database did not come back:\n{self.process.errors[-_TOLD_CHARACTERS:]}")


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def installed(folder: Path, defect: str | None = None) -> Iterator[Site]:
    """A new installation with the demo in it, served until the end of the block."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    command = () if defect is None else (sys.executable, str(Path(__file__).with_name("broken.py")), defect)
    ace = Ace(folder, _ENVIRONMENT)
    loaded = ace.run("demo", "load")
    if loaded.returncode != 0:
        raise RuntimeError(loaded.stderr)
    site = Site(ace if defect is None else replace(ace, command=command))
    try:
        site.start()
        yield site
    finally:
        site.stop()


@asynccontextmanager
async def clients_of(site: Site, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client for each candidate, as they have one each: a single one would make them wait for each other."""
    async with AsyncExitStack() as clients:
        yield [await clients.enter_async_context(_client(site)) for _ in range(count)]


def _client(site: Site) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=site.address, verify=_NO_TLS, timeout=10.0, trust_env=False)


async def prepare_package(client: httpx.AsyncClient, *, seconds: int, latency: int, questions: int) -> str:
    """Makes the first package of the demo an exam of so many seconds; its id."""
    package: str = (await _granted(client, "GET", "/exam-packages"))["items"][0]["id"]
    settings = {"questionCount": questions, "latencySeconds": latency, "reviewRule": "after_release"}
    await _change_package(client, package, {"durationSeconds": seconds, "settings": settings})
    return package


async def close_window(client: httpx.AsyncClient, package: str, at: datetime) -> None:
    """All exams that start from now on end at this instant at the latest."""
    await _change_package(client, package, {"settings": {"closesAt": at.isoformat()}})


async def _change_package(client: httpx.AsyncClient, package: str, changes: Said) -> None:
    who = {"email": "admin@ace.example", "password": PASSWORD, "delivery": "body"}
    signed_in = await _granted(client, "POST", "/admin/auth/login", who)
    headers = {"authorization": f"Bearer {signed_in['accessToken']}"}
    await _granted(client, "PATCH", f"/admin/exam-packages/{package}", changes, headers)


async def register(clients: Sequence[httpx.AsyncClient], package: str) -> list[Ledger]:
    """Students who are enrolled, a few at once: passwords are hashed one after the other."""
    turn = asyncio.Semaphore(_REGISTERED_AT_ONCE)

    async def one(number: int, client: httpx.AsyncClient) -> Ledger:
        async with turn:
            told = await _registered(client, number)
            headers = {"authorization": f"Bearer {told['accessToken']}"}
            key = {"idempotency-key": f"enrol-{number}"}
            await _granted(client, "POST", "/student/enrollments", {"examPackageId": package}, headers | key)
            return Ledger(number=number, headers=headers, user_id=told["user"]["id"])

    return await together(one(number, client) for number, client in enumerate(clients))


async def _registered(client: httpx.AsyncClient, number: int) -> Any:
    """Somebody new who is signed in, also where an earlier try took effect and its answer was lost."""
    email = f"candidate-{number}@example.org"
    body = {"email": email, "password": f"nine clouds over hill {number}", "delivery": "body"}
    answer = await _answered(client, "POST", "/student/auth/register", body)
    if answer.status_code == 409:
        return await _granted(client, "POST", "/student/auth/login", body)
    return _document(answer)


async def _granted(
    client: httpx.AsyncClient, method: str, path: str, body: Said | None = None, headers: dict[str, str] | None = None
) -> Any:
    """The document of a success."""
    return _document(await _answered(client, method, path, body, headers))


def _document(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json()


async def _answered(
    client: httpx.AsyncClient, method: str, path: str, body: Said | None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """The answer that decides. Whoever is told to come back later does, after as long as `Retry-After` says."""
    until = time.monotonic() + _PREPARED_WITHIN
    while True:
        try:
            answer = await client.request(method, path, json=body, headers=headers)
            if answer.status_code not in (429, 503) or time.monotonic() > until:
                return answer
            pause = float(answer.headers["retry-after"])
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            pause = 1.0
        await asyncio.sleep(pause)
