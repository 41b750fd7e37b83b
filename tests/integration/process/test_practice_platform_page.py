"""The session with curl in docs/practice-platform.md works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.one_day import stay_within_one_day
from tests.support.process import Process

_PAGE = Path(__file__).parents[3] / "docs" / "practice-platform.md"


@pytest.fixture(scope="module")
def script() -> str:
    if shutil.which("curl") is None:
        pytest.skip("the session needs curl, which is not installed here")
    return _PAGE.read_text().partition("```bash\n")[2].partition("\n```")[0]


def _walk(script: str, port: str) -> subprocess.CompletedProcess[str]:
    """It ends at its first mistake."""
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail"],
        input=script,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "PORT": port},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _names(told: Any) -> Iterator[str]:
    """The names of all that is told, at any depth; the words of a question may be any."""
    if isinstance(told, dict):
        yield from told
    for part in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from _names(part)


def test_the_session_can_be_had_from_end_to_end(served: Process, script: str) -> None:
    stay_within_one_day(60)
    walked = _walk(script, str(served.port))
    assert (walked.returncode, walked.stderr) == (0, ""), walked.stdout
    told = [json.loads(line) for line in walked.stdout.splitlines()]
    me, renewed, domains, quiz, review, history, stats, judged, active, abandoned, *rest = told
    assert (me["is_verified"], me["total_questions_answered"]) == (False, 0)
    assert renewed["token_type"] == "bearer"
    assert domains["domains"]
    assert quiz["actual_count"] == 2
    assert [name for name in _names(quiz) if "correct" in name] == []
    assert review["quiz_attempt_id"] == quiz["quiz_id"] == history["attempts"][0]["id"]
    assert {"user_answer", "correct_answer", "is_correct"} <= set(review["questions"][0])
    assert (history["total_attempts"], stats["total_attempts"], list(stats["stats_by_exam"])) == (
        1,
        1,
        [quiz["exam_type"]],
    )
    assert (judged["current_index"], judged["session_completed"], active["current_index"]) == (1, False, 1)
    assert abandoned["success"] is True
    achievements, streak, weak, changed, sessions, left = rest
    assert achievements["earned_achievements"] == 0
    assert (streak["study_streak_current"], streak["streak_state"]) == (1, "secured")
    assert {area["classification"] for area in weak["weak_areas"]} == {"unknown"}
    assert changed == {"message": "Profile updated successfully"}
    assert len(sessions) == 2
    assert left == {"message": "Logged out from all devices"}


def test_it_ends_where_something_goes_wrong(script: str) -> None:
    """Else a broken session would look walked."""
    assert _walk(script, "9").returncode != 0


def test_the_page_names_every_path_that_is_served(served: Process) -> None:
    with served.client() as client:
        paths = [
            path.removeprefix("/api/v1/") for path in client.get("/openapi.json").json()["paths"] if "/api/v1/" in path
        ]
    page = _PAGE.read_text().partition("## What is served")[2].partition("**Tokens**")[0]
    named = set(re.findall(r"[a-z-]+", page))
    assert len(paths) > 20
    assert [path for path in paths if not set(re.findall(r"[a-z-]+", path.partition("/{")[0])) <= named] == []
