"""A long import as its neighbours see it: it tells how far it is, stops when asked to, and dies without a trace."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres_user import eventually
from tests.support.process import Ace, Process, bearer

# More than are imported before somebody presses a key.
ROWS = 200_000
HEADER = (
    "question-id,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer,domain\n"
)
_SECONDS = 120.0
_READER = re.compile(r"-m adapters\.system\.import_")


@dataclass(frozen=True, slots=True)
class Site:
    """A server that serves, and the database under it."""

    ace: Ace
    server: Process

    def ask(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.ace.database_url) as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None

    def records(self, bank: str) -> int:
        return self.ask("select records from question_imports where bank = %s and status = 'running'", bank) or 0

    def traces(self, bank: str) -> tuple[int, int, int]:
        """Questions, banks and staged rows that an import into the bank has left."""
        questions = (
            "select count(*) from questions q join question_banks b on b.id = q.question_bank_id where slug = %s"
        )
        return (
            self.ask(questions, bank),
            self.ask("select count(*) from question_banks where slug = %s", bank),
            self.ask("select count(*) from question_import_rows"),
        )


@pytest.fixture(scope="module")
def site(installed: Callable[[], Ace]) -> Iterator[Site]:
    ace = installed()
    with ace.serving() as server:
        yield Site(ace, server)


@pytest.fixture(scope="module")
def long_file(ground: Path) -> Path:
    path = ground / "long.csv"
    rows = (f"q{n:06},What is {n}?,it is {n},one,two,three,Yes.,,,,A,Sums\n" for n in range(ROWS))
    path.write_text(HEADER + "".join(rows))
    return path


def _readers() -> dict[int, int]:
    """Every process that reads a file for some import, and who has started it."""
    listing = subprocess.run(["/bin/ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    return {int(pid): int(parent) for pid, parent, *command in rows if _READER.search(" ".join(command))}


def _readers_of(process: Process) -> set[int]:
    """Those of this import: there are others, of tests that run meanwhile."""
    found = {pid for pid, parent in _readers().items() if parent == process.pid}
    assert found
    return found


def _begin(site: Site, file: Path, bank: str) -> Process:
    """An import that has read some of its file."""
    process = site.ace.begin("import", "questions", str(file), "--bank", bank, "--json")
    eventually(lambda: site.records(bank) > 0 or not process.running, _SECONDS)
    assert process.running, process.output + process.errors
    return process


def test_an_import_that_is_killed_leaves_nothing_behind(site: Site, long_file: Path, ground: Path) -> None:
    """Neither questions nor staged rows nor a process; the next import into the bank runs at once."""
    process = _begin(site, long_file, "killed")
    readers = _readers_of(process)

    process.kill()

    assert eventually(lambda: not readers & _readers().keys(), _SECONDS)
    eventually(lambda: not site.ask("select count(*) from pg_locks where locktype = 'advisory' and granted"), _SECONDS)
    assert site.traces("killed") == (0, 0, 0)
    short = ground / "short.csv"
    short.write_text("".join(long_file.read_text().splitlines(keepends=True)[:11]))
    assert site.ace.run("import", "questions", str(short), "--bank", "killed").returncode == 0
    assert site.traces("killed") == (10, 1, 0)


def test_progress_moves_and_an_import_can_be_cancelled_from_another_process(site: Site, long_file: Path) -> None:
    with site.server.client() as client:
        # Before there is anything to cancel: checking a password takes its time, and the import does not wait.
        client.headers.update(bearer(client, "admin"))
        process = _begin(site, long_file, "cancelled")
        [listed] = client.get("/instructor/question-imports", params={"bank": "cancelled"}).json()["items"]
        assert (listed["status"], listed["progress"]["bytesTotal"]) == ("running", long_file.stat().st_size)
        assert 0 < listed["progress"]["records"] <= ROWS
        assert 0 < listed["progress"]["bytesRead"] <= long_file.stat().st_size

        answer = client.post(f"/instructor/question-imports/{listed['id']}/cancel")

        assert answer.status_code == 200, answer.text
        assert process.wait() == 1, process.errors
        assert json.loads(process.output)["status"] == "cancelled"
        assert client.get(f"/instructor/question-imports/{listed['id']}").json()["status"] == "cancelled"
        assert client.post(f"/instructor/question-imports/{listed['id']}/cancel").status_code == 200
    assert site.traces("cancelled") == (0, 0, 0)


def test_ctrl_c_cancels_an_import(site: Site, long_file: Path) -> None:
    process = _begin(site, long_file, "interrupted")
    readers = _readers_of(process)

    assert process.press_ctrl_c() != 0

    assert site.ask("select status from question_imports where bank = 'interrupted'") == "cancelled"
    assert site.traces("interrupted") == (0, 0, 0)
    assert not readers & _readers().keys()


def test_rejected_records_are_written_to_a_file(site: Site, ground: Path) -> None:
    wrong, rejects = ground / "wrong.csv", ground / "rejects.csv"
    wrong.write_text(
        HEADER + "q1,What is it?,one,two,three,four,,,,,A,Sums\nq2,What else?,one,two,three,four,,,,,Z,Sums\n"
    )

    result = site.ace.run("import", "questions", str(wrong), "--partial", "--rejects", str(rejects))

    assert result.returncode == 0, result.stderr
    header, row = rejects.read_text().splitlines()
    assert header.startswith("problem-record,problem-line,problem-codes,problem-messages,question-id,")
    assert row.startswith("3,3,answer_not_an_option,There is no option Z.,q2,What else?,")
    assert site.ace.run("import", "questions", str(wrong), str(wrong), "--rejects", str(rejects)).returncode == 2
