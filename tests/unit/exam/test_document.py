"""What docs/exams.md tells who builds a client is what the rules say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.errors import refusals
from domain.exam.events import MAX_PAYLOAD, STUDENT_EVENTS
from domain.exam.lifecycle import MATRIX, Command, Leads, Nothing, Rule
from domain.exam.sessions import ExamStatus

_DOCUMENT = (Path(__file__).parents[3] / "docs" / "exams.md").read_text()
_COMMANDS = {
    "start": Command.START,
    "heartbeat": Command.HEARTBEAT,
    "save an answer": Command.SAVE_ANSWER,
    "hand in": Command.SUBMIT,
    "record an event": Command.RECORD_EVENT,
    "pause": Command.PAUSE,
    "resume": Command.RESUME,
    # Whoever may send a sign of life may see the paper.
    "read the paper": Command.HEARTBEAT,
}


_ACTS = {
    "authorise": Command.START,
    "pause": Command.PAUSE,
    "resume": Command.RESUME,
    "adjust-time": Command.ADJUST_TIME,
    "force-submit": Command.FORCE_SUBMIT,
    "terminate": Command.TERMINATE,
    "invalidate": Command.INVALIDATE,
    "reinstate": Command.REINSTATE,
    "reopen": Command.REOPEN,
    "regrade": Command.REGRADE,
    "flags": Command.FLAG,
}


def _rows(head: str = "Command") -> dict[str, list[str]]:
    """The table of commands, without the line under its head."""
    table = re.search(rf"^\| {head} \|.*?\n\n", _DOCUMENT, re.DOTALL | re.MULTILINE)
    assert table is not None
    lines = [line.strip("|").split("|") for line in table[0].strip().splitlines()]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines if "---" not in cells[0]}


def test_the_table_has_every_command_of_students_and_every_status_that_they_see() -> None:
    rows = _rows()
    assert [name.strip("`") for name in rows.pop("Command")] == [s.value for s in ExamStatus if s != "submitted"]
    assert set(rows) == set(_COMMANDS)


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_row_of_the_table_says_what_the_matrix_says(name: str) -> None:
    rows = _rows()
    statuses = [ExamStatus(each.strip("`")) for each in rows["Command"]]
    for status, told in zip(statuses, rows[name], strict=True):
        cell = MATRIX[_COMMANDS[name]][status]
        if isinstance(cell, Leads | Nothing):
            assert "exam." not in told, (name, status)
        else:
            assert told == f"`{cell.code}`", (name, status)


def test_the_table_has_every_act_of_staff_and_every_status_at_rest() -> None:
    rows = _rows("Act")
    assert [name.strip("`") for name in rows.pop("Act")] == [s.value for s in ExamStatus if s != "submitted"]
    assert set(rows) == set(_ACTS)
    done_by_time_or_students = {Command.EXPIRE, Command.COMPLETE_GRADING, *_COMMANDS.values()}
    assert set(_ACTS.values()) | done_by_time_or_students == set(Command)


@pytest.mark.parametrize("name", _ACTS)
def test_a_row_of_the_acts_says_what_the_matrix_says(name: str) -> None:
    rows, command = _rows("Act"), _ACTS[name]
    for status, told in zip([ExamStatus(each.strip("`")) for each in rows["Act"]], rows[name], strict=True):
        assert told == _told(command, status), (name, status)


def _told(command: Command, status: ExamStatus) -> str:
    cell = MATRIX[command][status]
    if isinstance(cell, Leads) and cell.to is Rule.NEW_SESSION:
        # Nobody authorises what is over, but its student may start another one.
        cell = MATRIX[Command.RECORD_EVENT][status]
    if isinstance(cell, Nothing):
        return "as before"
    if not isinstance(cell, Leads):
        return f"`{cell.code}`"
    if command is Command.REGRADE:
        return "graded again"
    rest = {None: "taken", ExamStatus.SUBMITTED: "finished", Rule.PRIOR_STATUS: "what it was"}
    return rest.get(cell.to, str(cell.to))


def test_the_events_that_a_client_may_send_are_listed() -> None:
    section = (
        _DOCUMENT.partition("## Events\n")[2].partition("\n## ")[0].partition("Types: ")[2].partition("Events ")[0]
    )
    assert set(re.findall(r"`(\w+)`", section)) == STUDENT_EVENTS
    assert f"{MAX_PAYLOAD // 1024} KiB each" in _DOCUMENT


def test_every_code_that_is_told_is_one() -> None:
    told = set(re.findall(r"`((?:exam|answer)\.[a-z_]+)`", _DOCUMENT))
    known = {refusal.code for refusal in refusals()}
    assert told - known == set()
