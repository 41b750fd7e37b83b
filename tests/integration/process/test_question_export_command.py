"""`ace export questions`: a file that is always whole, and what it could not say on the error channel."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from entrypoints.cli.exports import format_of
from tests.support.process import Ace, Process

_HEADER = (
    "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer\n"
)
_ROWS = "e1,Sums,What is one?,1,2,3,4,Yes.,,,,A\ne2,Sums,What is =two?,1,2,3,4,,,,,B\n"


@pytest.fixture
def folder(ace: Ace, served: Process, ground: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a bank named after the test: two questions, published."""
    name: str = request.node.name
    folder = ground / name
    folder.mkdir()
    (folder / f"{bank_of(folder)}.csv").write_text(_HEADER + _ROWS)
    imported = ace.run("import", "questions", str(folder / f"{bank_of(folder)}.csv"), "--publish")
    assert imported.returncode == 0, imported.stderr
    return folder


def bank_of(folder: Path) -> str:
    return folder.name.replace("_", "-")


def test_what_was_exported_changes_nothing_when_it_returns(ace: Ace, folder: Path) -> None:
    bank, output = bank_of(folder), folder / "all.jsonl"
    result = ace.run("export", "questions", bank, "--output", str(output))
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 of 2 questions" in result.stdout
    again = ace.run("import", "questions", str(output), "--bank", bank, "--json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout.splitlines()[-1])
    assert (report["created"], report["updated"], report["unchanged"]) == (0, 0, 2)


def test_losses_are_told_and_the_file_is_for_its_owner_alone(ace: Ace, folder: Path) -> None:
    output = folder / "all.txt"
    command = ("export", "questions", bank_of(folder), "--format", "aiken", "--published", "--output", str(output))
    result = ace.run(*command)
    assert result.returncode == 0
    assert "explanations_lost: 1" in result.stderr
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    told = json.loads(ace.run(*command, "--json").stdout)
    assert (told["questions"], told["exported"], told["losses"]["id_changed"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("ending", "format_"),
    [
        ("csv", "csv"),
        ("GIFT", "gift"),
        ("txt", "gift"),
        ("xml", "moodle_xml"),
        ("zip", "canvas_qti"),
        ("ndjson", "jsonl"),
        ("aiken", "aiken"),
    ],
)
def test_the_name_of_the_file_tells_its_format(ending: str, format_: str) -> None:
    assert format_of(None, Path(f"all.{ending}")).value == format_
    assert format_of("qti3", Path(f"all.{ending}")).value == "qti3"


def test_a_file_gets_the_format_that_its_name_promises(ace: Ace, folder: Path) -> None:
    output = folder / "all.gift"
    told = ace.run("export", "questions", bank_of(folder), "--output", str(output), "--json")
    assert json.loads(told.stdout)["format"] == "gift"
    assert "What is one?" in output.read_text()
    assert not output.read_text().startswith("{")


@pytest.mark.parametrize("name", ["all.docx", "all"])
def test_a_name_that_tells_no_format_is_wrong_usage(ground: Path, name: str) -> None:
    result = Ace(ground).run("export", "questions", "any", "--output", name)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert all(each in result.stderr for each in ("csv", "moodle_xml", "canvas_qti"))
    assert not (ground / name).exists()


def test_standard_output_gets_the_questions_and_nothing_else(ace: Ace, folder: Path) -> None:
    command = ("export", "questions", bank_of(folder), "--output", "-")
    plain = ace.run(*command)
    header, *lines = [json.loads(line) for line in plain.stdout.splitlines()]
    assert ("format" in header, [line["externalId"] for line in lines]) == (True, ["e1", "e2"])
    assert "2 of 2 questions" in plain.stderr
    lossy = ace.run(*command, "--format", "aiken", "--json")
    assert lossy.stdout.count("ANSWER:") == 2
    assert json.loads(lossy.stderr)["losses"]["explanations_lost"] == 1
    assert not Path(ace.folder, "-").exists()


def test_a_refused_export_leaves_the_file_that_was_there(ace: Ace, folder: Path) -> None:
    output = folder / "kept.csv"
    output.write_text("as it was")
    result = ace.run("export", "questions", "no-such-bank", "--format", "csv", "--output", str(output))
    assert result.returncode == 1
    assert result.stderr.startswith("question_bank.not_found")
    assert output.read_text() == "as it was"
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{bank_of(folder)}.csv", "kept.csv"])
