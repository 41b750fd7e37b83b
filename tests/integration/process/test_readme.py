"""What the README tells to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.one_day import stay_within_one_day
from tests.support.process import Ace, Process

_README = Path(__file__).parents[3] / "README.md"


def _commands_under(heading: str) -> str:
    section = _README.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return section.partition("```bash\n")[2].partition("\n```")[0]


def _bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script that ends at its first mistake, with `python3` and the tools of the system."""
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail"],
        input=script,
        env={"PATH": path, "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def tour() -> str:
    if shutil.which("curl") is None:
        pytest.skip("the tour needs curl, which is not installed here")
    return _commands_under("A tour in five minutes")


def test_the_tour_can_be_walked_to_its_end(served: Process, tour: str) -> None:
    stay_within_one_day(60)
    walked = _bash(tour, PORT=str(served.port))
    assert (walked.returncode, walked.stderr) == (0, ""), walked.stdout
    lines = walked.stdout.splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    me, enrolment, questions, answer, *moves, summary, sure, ended, judged, weak, ready, profile, badges = told[:15]
    assert me["user"]["name"] == "Ada"
    assert enrolment["status"] == "active"
    assert len(_items(questions)) == 10
    assert answer["feedback"]["explanations"]
    assert [move["status"] for move in (*moves, ended)] == ["paused", "active", "finished", "finished"]
    assert summary["answered"] == 1
    assert (sure["feedback"], judged["answered"], len(judged["calibration"])) == (None, 1, 3)
    assert {area["class"] for area in weak["items"]} == {"unknown"}
    assert (ready["status"], ready["passProbability"]) == ("insufficient_data", None)
    assert (profile["totalQuestionsAnswered"], profile["studyStreakCurrent"]) == (2, 1)
    assert "answers_100" in [badge["code"] for badge in badges["toEarn"]]
    report, waiting, approved, found, saved, alive, handed_in, result, overseen = told[15:]
    assert (report["mode"], report["total"], report["created"], report["rejected"]) == ("dry_run", 1, 1, 0)
    stem = "Which port does SSH use by default?"
    assert [item["stem"] for item in _items(waiting)] == [stem]
    assert (approved["status"], approved["publishedVersion"]) == ("published", 1)
    assert stem in [item["stem"] for item in _items(found)]
    assert (saved["revision"], saved["stale"]) == (1, False)
    assert (alive["status"], alive["lastSeq"], alive["instructions"]) == ("active", 1, [])
    assert handed_in["status"] == "finished"
    assert result["mark"] == handed_in["result"]["mark"]
    assert [item["id"] for item in _items(overseen)] == [handed_in["id"]]
    assert "$CATEGORY: " in "\n".join(lines)


def test_the_tour_ends_where_something_goes_wrong(tour: str) -> None:
    """Else a broken tour would look walked."""
    assert _bash(tour, PORT="9").returncode != 0


def test_a_file_with_the_columns_of_the_tour_is_imported_as_the_readme_says(
    ace: Ace, served: Process, ground: Path, tour: str
) -> None:
    columns = re.search(r"^OPTIONS=.*?printf .*?(?= \|)", tour, re.DOTALL | re.MULTILINE)
    assert columns is not None
    file = ground / "my-questions.csv"
    file.write_text(_bash(columns[0]).stdout)
    program, *arguments = shlex.split(_commands_under("Questions from files"))
    assert program == ".venv/bin/ace"
    result = ace.run(*(str(file) if argument == file.name else argument for argument in arguments))
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 created" in result.stdout
    with served.client() as client:
        found = client.get("/exam-packages", params={"q": "my-course"}).json()["items"]
    assert [(item["slug"], item["questionCount"]) for item in found] == [("my-course", 1)]


def _items(questions: Any) -> list[Any]:
    items: list[Any] = questions["items"] if isinstance(questions, dict) else questions
    return items
