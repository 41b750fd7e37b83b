"""The commands an operator runs beside a server that is serving: both use the embedded PostgreSQL of one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import Ace, Process, bearer

_HEADER = (
    "question-id,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer,domain\n"
)
_GOOD = _HEADER + (
    "q1,What is {0} plus one?,{0},{0}+1,{0}+2,{0}+3,No.,Yes.,No.,No.,B,Sums\n"
    "q2,Which of these is {0}?,{0},one,two,three,Yes.,No.,No.,No.,A,Sums\n"
)
_BAD_LINE = "q3,What is missing here?,only one option,,,,No.,,,,Z,Sums\n"


@pytest.fixture
def files(ground: Path, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own; its name makes the banks of one test different from those of another."""
    name: str = request.node.name
    folder = ground / name.replace("[", "-").replace("]", "")
    folder.mkdir()
    return folder


def _file(folder: Path, bank: str, *, number: int = 7, bad: bool = False) -> str:
    path = folder / f"{bank}.csv"
    path.write_text(_GOOD.format(number) + (_BAD_LINE if bad else ""))
    return str(path)


def _reports(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_file_is_imported_beside_a_running_server(ace: Ace, served: Process, files: Path) -> None:
    """Published and given a package, its questions are there for students at once."""
    path = _file(files, "sums-one")
    result = ace.run("import", "questions", path, "--publish", "--package", "sums-package")
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 created" in result.stdout
    again = ace.run("import", "questions", path, "--publish", "--package", "sums-package")
    assert again.returncode == 0
    assert "0 created" in again.stdout
    assert "2 unchanged" in again.stdout
    with served.client() as client:
        found = client.get("/exam-packages", params={"q": "sums-package"}).json()["items"]
        assert [(item["slug"], item["questionCount"]) for item in found] == [("sums-package", 2)]
        client.headers.update(bearer(client))
        package = found[0]["id"]
        assert client.post("/student/enrollments", json={"examPackageId": package}).status_code == 201
        begun = client.post("/practice-sessions", json={"examPackageId": package})
        assert (begun.status_code, begun.json()["served"]) == (201, 2)


def test_a_file_with_a_mistake_is_refused_as_a_whole(ace: Ace, served: Process, files: Path) -> None:
    path = _file(files, "sums-two", number=8, bad=True)
    result = ace.run("import", "questions", path)
    assert result.returncode == 1
    assert "REFUSED" in result.stdout
    assert "record 4" in result.stdout
    report = _reports(ace.run("import", "questions", path, "--json").stdout)[0]
    assert (report["status"], report["created"], report["rejected"]) == ("refused", 0, 1)
    assert report["problems"][0]["line"] == 4


def test_what_is_right_can_be_imported_without_the_rest(ace: Ace, served: Process, files: Path) -> None:
    result = ace.run("import", "questions", _file(files, "sums-three", number=9, bad=True), "--partial", "--json")
    assert result.returncode == 0, result.stdout
    (report,) = _reports(result.stdout)
    assert (report["status"], report["created"], report["rejected"]) == ("succeeded", 2, 1)


def test_a_trial_changes_nothing(ace: Ace, served: Process, files: Path) -> None:
    path = _file(files, "sums-four", number=10)
    for _ in range(2):
        result = ace.run("import", "questions", path, "--dry-run", "--json")
        assert result.returncode == 0
        (report,) = _reports(result.stdout)
        assert (report["mode"], report["total"], report["created"]) == ("dry_run", 2, 2)


def test_several_files_are_one_command_with_a_report_each(ace: Ace, served: Process, files: Path) -> None:
    good, bad = _file(files, "sums-five", number=11), _file(files, "sums-six", number=12, bad=True)
    result = ace.run("import", "questions", good, bad, "--json")
    assert result.returncode == 1
    assert [report["status"] for report in _reports(result.stdout)] == ["succeeded", "refused"]


def test_a_file_that_is_refused_is_named_and_the_next_one_has_its_turn(ace: Ace, served: Process, files: Path) -> None:
    empty, good = files / "nothing.csv", _file(files, "sums-eight", number=14)
    empty.write_bytes(b"")
    told = ace.run("import", "questions", str(empty), good)
    assert told.returncode == 1
    assert f"{empty}: import.empty_file: " in told.stderr
    assert "2 created" in told.stdout
    result = ace.run("import", "questions", str(empty), good, "--json")
    refused, report = _reports(result.stdout)
    assert result.returncode == 1
    assert (refused["file"], refused["refused"]["code"]) == ("nothing.csv", "import.empty_file")
    assert sorted(refused["refused"]) == ["code", "detail"]
    assert (report["status"], report["unchanged"]) == ("succeeded", 2)


@pytest.mark.parametrize(
    ("content", "arguments", "code"),
    [
        (b"", (), "import.empty_file"),
        (_GOOD.format(1).encode(), ("--format", "xlsx"), "import.format_unknown"),
        (_GOOD.format(1).encode(), ("--encoding", "klingon"), "import.invalid_option"),
        (_GOOD.format(1).encode(), ("--bank", "\N{SNOWMAN}" * 300), "request.invalid"),
    ],
    ids=[
        "empty",
        "unknown format",
        "unknown encoding",
        "long bank",
    ],
)
def test_a_refusal_is_told_with_its_code_and_without_a_trace(
    ace: Ace, served: Process, files: Path, content: bytes, arguments: tuple[str, ...], code: str
) -> None:
    path = files / "refused.csv"
    path.write_bytes(content)
    result = ace.run("import", "questions", str(path), *arguments)
    assert result.returncode == 1, result.stdout
    assert "Traceback" not in result.stderr
    assert code in result.stderr + result.stdout


def test_a_package_that_cannot_be_is_told_before_anything_is_imported(ace: Ace, served: Process, files: Path) -> None:
    path = _file(files, "sums-seven", number=13)
    assert ace.run("import", "questions", path, "--package", "No Slug!").returncode == 1
    (report,) = _reports(ace.run("import", "questions", path, "--dry-run", "--json").stdout)
    assert (report["created"], report["unchanged"]) == (2, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("questions",),
        ("questions", "no-such-file.csv"),
        ("questions", "/etc/hostname", "--answer-base", "2"),
    ],
)
def test_wrong_usage_ends_with_2(ground: Path, arguments: tuple[str, ...]) -> None:
    """It is told before any database is looked for."""
    result = Ace(ground).run("import", *arguments)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert not (ground / "data").exists()


def test_migrations_are_applied_listed_and_checked(ace: Ace, served: Process) -> None:
    for command in ("up", "check"):
        result = ace.run("migrate", command)
        assert (result.returncode, result.stderr) == (0, "")
        assert "The database is up to date." in result.stdout
    listed = ace.run("migrate", "status")
    assert listed.returncode == 0
    assert listed.stdout.startswith("0001_")
    assert listed.stdout.endswith("0 pending\n")


def test_an_account_is_made_and_can_sign_in(ace: Ace, served: Process) -> None:
    arguments = ("user", "create", "Grace@Example.org", "--role", "instructor", "--name", "Grace")
    made = ace.run(*arguments, "--password", "practise-every-day")
    assert (made.returncode, made.stderr) == (0, "")
    assert "grace@example.org (instructor)" in made.stdout
    assert "practise-every-day" not in made.stdout
    with served.client() as client:
        assert bearer(client, "instructor", "grace@example.org")
    again = ace.run(*arguments, "--password", "practise-every-day")
    assert again.returncode == 1
    assert "user.email_taken" in again.stderr


@pytest.mark.parametrize(("email", "password"), [("no address", "practise-every-day"), ("ada@example.org", "short")])
def test_an_account_that_breaks_a_rule_is_refused(ace: Ace, served: Process, email: str, password: str) -> None:
    result = ace.run("user", "create", email, "--password", password)
    assert result.returncode in {1, 2}
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr


def test_the_demo_can_be_loaded_again(ace: Ace, served: Process) -> None:
    """Both packages of the demo have a template to practise by, one however often it is loaded."""

    def loaded() -> tuple[Any, Any]:
        with served.client() as client:
            templates = client.get("/instructor/practice-templates", headers=bearer(client, "instructor"))
            return client.get("/exam-packages").json(), templates.json()

    before = loaded()
    of = {each["examPackageId"] for each in before[1]["items"]}
    assert len(of & {each["id"] for each in before[0]["items"]}) == 2
    assert [each["publishedVersion"] for each in before[1]["items"]] == [1, 1]
    result = ace.run("demo", "load")
    assert (result.returncode, result.stderr) == (0, "")
    assert loaded() == before


def test_the_documents_are_written_without_a_database(ground: Path) -> None:
    ace = Ace(ground)
    printed = ace.run("errors")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "request.malformed" in printed.stdout
    target = ground / "documents" / "openapi.json"
    written = ace.run("openapi", "--output", str(target))
    assert (written.returncode, written.stderr, written.stdout) == (0, "", "")
    assert json.loads(target.read_text())["openapi"] == "3.1.0"
    assert not ace.data.exists()


def test_every_command_is_listed(ground: Path) -> None:
    """To list a command is to load it."""
    listed = Ace(ground).run("--help")
    assert (listed.returncode, listed.stderr) == (0, "")
    for name in ("serve", "worker", "migrate", "user", "import", "demo", "openapi", "errors", "doctor"):
        assert f"\n  {name} " in listed.stdout


def test_the_doctor_finds_nothing_wrong_with_a_served_installation(ace: Ace, served: Process) -> None:
    result = ace.run("doctor")
    assert "Traceback" not in result.stderr
    assert result.returncode == 0, result.stdout + result.stderr
