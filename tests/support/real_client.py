"""The real better-auth client from npm, driven in a Node process: browsers that hold it, and what they exchanged."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import pytest

PROJECT = Path(__file__).parents[2]
_SOURCES = PROJECT / "tests" / "integration" / "better_auth"
_INSTALLED = PROJECT / ".data" / "node"
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer", "--omit=optional")
_INSTALL_SECONDS = 180


def needs_node() -> None:
    """Skips the test where there is no Node to run a client in; whatever else is amiss is a failure."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} is not installed, so there is nothing to run the client in")


def installed_modules() -> Path:
    """The `node_modules` of the lock file, installed once outside version control, whoever else asks meanwhile."""
    lock = (_SOURCES / "package-lock.json").read_bytes()
    folder = _INSTALLED / sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_SOURCES / name, folder / name)
            done = subprocess.run(
                _INSTALL, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
            )
            assert done.returncode == 0, f"npm ci in {folder} failed:\n{done.stdout}\n{done.stderr}"
            (folder / "done").touch()
    return folder / "node_modules"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as the client's fetch saw them."""

    method: str
    url: str
    sent: dict[str, str]
    status: int
    headers: dict[str, str]
    setCookies: list[str]  # noqa: N815 - as it is told
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client made of a call: data or error, as better-auth's clients return them."""

    data: Any
    error: dict[str, Any] | None
    exchanges: list[Exchange]
    jar: dict[str, str]

    @property
    def wire(self) -> Exchange:
        """The only exchange of this call."""
        (exchange,) = self.exchanges
        return exchange

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of the error, which must be there."""
        assert self.error is not None, self.data
        return self.error["status"], self.error["code"]


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody's browser with the client in it: it keeps cookies and tells the page's origin."""

    node: RealClient
    name: str

    def call(self, path: str, *given: object) -> Outcome:
        """`call("signIn.email", {...})` is `await authClient.signIn.email({...})`."""
        return _outcome(self.node.obey({"browser": self.name, "call": path, "arguments": given}))

    def fetch(self, path: str, **init: object) -> Exchange:
        """A request below the base address that is not the client's."""
        answer = self.node.obey({"browser": self.name, "fetch": path, "init": init})
        assert "thrown" not in answer, answer
        return Exchange(**answer["exchanges"][-1])

    def must(self, path: str, *given: object) -> Any:
        """The data of a call that succeeds."""
        outcome = self.call(path, *given)
        assert outcome.error is None, outcome
        return outcome.data


@dataclass(slots=True)
class RealClient:
    """The Node process. `base` is the address of the door, `/api/auth` included."""

    base: str
    _process: subprocess.Popen[str]
    _count: int = field(default=0, init=False)

    def browser(self, **options: object) -> Browser:
        """A new one: `origin`, `cookies` (True: it keeps them), `headers` that it adds, `bearer` token."""
        self._count += 1
        name = f"browser {self._count}"
        self.obey({"open": name, "options": {"baseURL": self.base, **options}})
        return Browser(self, name)

    def obey(self, order: dict[str, Any]) -> Any:
        """Hands an order to Node and waits for its answer, dates as datetimes."""
        _line_to(self._process.stdin, order)
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, f"the client's process ended with {self._process.wait(5)}"
        return json.loads(answer, object_hook=_with_dates)


@contextmanager
def real_client(base: str, folder: Path, drive: Path = _SOURCES / "drive.mjs") -> Iterator[RealClient]:
    """Starts Node in `folder`, where the modules and the script are put; leaving ends it."""
    put_in(folder, drive)
    command = ("node", drive.name)
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as node:
        yield RealClient(base, node)
        assert node.stdin is not None
        node.stdin.close()


def put_in(folder: Path, script: Path) -> None:
    """Makes a folder in which Node finds the script and what it imports."""
    (folder / "node_modules").symlink_to(installed_modules())
    shutil.copy(script, folder / script.name)


def _line_to(stream: IO[str] | None, order: dict[str, Any]) -> None:
    assert stream is not None
    stream.write(json.dumps(order) + "\n")
    stream.flush()


def _outcome(answer: dict[str, Any]) -> Outcome:
    assert "thrown" not in answer, answer["thrown"]
    exchanges = [Exchange(**exchange) for exchange in answer["exchanges"]]
    return Outcome(answer["result"].get("data"), answer["result"].get("error"), exchanges, answer["jar"])


def _with_dates(pairs: dict[str, Any]) -> Any:
    if pairs.keys() == {"$date"}:
        return datetime.fromtimestamp(pairs["$date"] / 1000, UTC)
    return pairs
