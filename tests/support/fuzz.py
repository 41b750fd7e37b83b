"""`make fuzz`: schemathesis asks the real server whatever its OpenAPI document allows, and what it does not.

A server on a data folder of its own is asked by nobody, a student, an instructor and an admin in turn. The run fails on
any 5xx, on a status, a content type, a header or a body that the document does not tell, and on a trace in the log.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from tests.support.process import Ace, Process, bearer

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "ignored_auth",
)
_PORTALS = ("student", "instructor", "admin")
# Accounts are ours to give: the tool would register one by itself.
_CONFIGURATION = "[auth]\nauto-signup = false\n"
# What is asked about a session is asked about one that is there; the others ask about none.
_OWN_SESSION = '[parameters]\n"path.sessionId" = "{session}"\n"path.attemptId" = "{session}"\n'
# Whoever signs out cannot be asked any more; nobody in particular may.
_ENDING = "^(logout|refresh|platformLogout|platformRefresh)"


def main() -> int:
    """Runs all; the exit code is that of the worst."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ace-fuzz-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Ace(folder).serving("--demo") as server:
            share = max(options.seconds // (len(_PORTALS) + 1), 5)
            codes = [_fuzz(server, folder, share, options.seed, person) for person in (None, *_PORTALS)]
            faults = _unhandled(server)
        for fault in faults:
            print(fault, file=sys.stderr)
    return max(*codes, 1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long in all, about")
    parser.add_argument("--seed", type=int, help="repeats the run that printed it")
    return parser.parse_args()


def _fuzz(server: Process, folder: Path, seconds: int, seed: int | None, person: str | None) -> int:
    print(f"\n== asked by {person or 'nobody in particular'}", flush=True)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.address}/openapi.json"]
    command += ["--url", server.address, "--max-time", str(seconds), "--checks", ",".join(_CHECKS)]
    command += ["--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all"]
    command += ["--request-timeout", "8", "--exclude-operation-id-regex", _ENDING if person else "^$"]
    command += [] if seed is None else ["--seed", str(seed)]
    configuration = _CONFIGURATION
    if person is not None:
        with server.client() as client:
            client.headers.update(bearer(client, person))
            command += ["--header", f"Authorization:{client.headers['authorization']}"]
            if person == "student":
                configuration += _OWN_SESSION.format(session=_practising(client))
    (folder / "schemathesis.toml").write_text(configuration)
    return subprocess.run(command, cwd=folder, check=False).returncode


def _practising(client: httpx.Client) -> str:
    """A session to be asked about, so that more than refusals is compared with the document."""
    package = {"examPackageId": client.get("/exam-packages").json()["items"][0]["id"]}
    client.post("/student/enrollments", json=package).raise_for_status()
    session: str = client.post("/practice-sessions", json=package | {"count": 100}).raise_for_status().json()["id"]
    return session


def _unhandled(server: Process) -> list[str]:
    """What the server logged of defects: with its trace, since the answer tells nothing."""
    faults = [] if server.running else ["the server has ended"]
    return faults + [line[:4000] for line in server.complaints if '"level":"warning"' not in line]


if __name__ == "__main__":
    sys.exit(main())
