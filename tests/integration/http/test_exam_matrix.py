"""Every command to a session of every status, through the routes that carry it out, at the time it takes.

What is expected is the matrix of `domain.exam.lifecycle`, which is compared with the customer's elsewhere. Statuses are
reached as people reach them. The few cells that no request can reach are listed, each with its reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from domain.exam.lifecycle import Command, Leads, Nothing, Rule, outcome
from domain.exam.sessions import ExamStatus
from entrypoints.http.problems import status_of
from tests.support.exam_site import DURATION, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

_S, _C = ExamStatus, Command
_WHY: Final = {"reason": "because"}
Session = dict[str, Any]
_AT_ONCE = "what is handed in is graded in the same unit of work: no session is ever seen in this status"
_NO_ROUTE = "grading is complete as soon as a session is handed in: nobody asks for it"
UNREACHABLE: Final[Mapping[tuple[ExamStatus, Command], str]] = {
    **{(_S.SUBMITTED, command): _AT_ONCE for command in Command},
    **{(status, _C.COMPLETE_GRADING): _NO_ROUTE for status in ExamStatus if status is not _S.SUBMITTED},
}
REACHED: Final = [(s, c) for s in ExamStatus for c in Command if (s, c) not in UNREACHABLE]


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        yield site


def test_every_cell_is_reached_or_named() -> None:
    assert len(UNREACHABLE) == 17 + 8
    assert len(set(REACHED)) + len(UNREACHABLE) == 9 * 17 == 153
    assert set(REACHED).isdisjoint(UNREACHABLE)


# How a session comes to be what it is.


async def _created(site: ExamSite) -> Session:
    """It waits for its authorisation, in a window that closes in two hours."""
    closes = (site.clock.now() + timedelta(hours=2)).isoformat()
    return await site.begin(authorisedStart=True, closesAt=closes)


async def _active(site: ExamSite) -> Session:
    return await site.begin()


async def _paused(site: ExamSite) -> Session:
    closes = (site.clock.now() + timedelta(hours=2)).isoformat()
    return await _after(site, await site.begin(closesAt=closes), "pause")


async def _overdue(site: ExamSite) -> Session:
    session = await site.begin(overduePolicy="grace")
    site.later(seconds=DURATION + 61)
    return session | await site.read(session)


async def _finished(site: ExamSite) -> Session:
    """By staff, so that it can be opened again."""
    return await _after(site, await site.begin(), "force-submit")


async def _abandoned(site: ExamSite) -> Session:
    session = await site.begin(overduePolicy="abandon")
    site.later(seconds=DURATION + 61)
    return session | await site.read(session)


async def _terminated(site: ExamSite) -> Session:
    return await _after(site, await site.begin(), "terminate")


async def _invalidated(site: ExamSite) -> Session:
    return await _after(site, await site.begin(), "invalidate")


async def _after(site: ExamSite, session: Session, command: str) -> Session:
    answer = await site.oversee(session, command, **_WHY)
    assert answer.status_code == 200, answer.text
    return session


_MADE: Final[Mapping[ExamStatus, Callable[[ExamSite], Awaitable[Session]]]] = {
    _S.CREATED: _created,
    _S.ACTIVE: _active,
    _S.PAUSED: _paused,
    _S.OVERDUE: _overdue,
    _S.FINISHED: _finished,
    _S.ABANDONED: _abandoned,
    _S.TERMINATED: _terminated,
    _S.INVALIDATED: _invalidated,
}


# How each command is asked for.


async def _start(site: ExamSite, session: Session) -> httpx.Response:
    """The student asks; where staff have to let one begin, they do."""
    if session["status"] == _S.CREATED:
        return await site.oversee(session, "authorise")
    return await site.start(session["examPackageId"])


async def _expire(site: ExamSite, session: Session) -> httpx.Response:
    """Time passes, until after every window and every grace, and the student looks."""
    site.later(days=3)
    return await site.ask("GET", f"/exam-sessions/{session['id']}")


def _of_student(what: str, body: Any = None) -> Callable[[ExamSite, Session], Awaitable[httpx.Response]]:
    return lambda site, session: site.act(session, what, body)


def _of_staff(what: str, **body: Any) -> Callable[[ExamSite, Session], Awaitable[httpx.Response]]:
    return lambda site, session: site.oversee(session, what, **body)


_ASKED: Final[Mapping[Command, Callable[[ExamSite, Session], Awaitable[httpx.Response]]]] = {
    _C.START: _start,
    _C.HEARTBEAT: _of_student("heartbeat", {"seq": 1, "snapshot": {"slot": 1}}),
    _C.SAVE_ANSWER: lambda site, session: site.save(session),
    _C.SUBMIT: _of_student("submit", {}),
    _C.RECORD_EVENT: _of_student("events", {"type": "focus_lost"}),
    _C.EXPIRE: _expire,
    _C.PAUSE: _of_staff("pause", **_WHY),
    _C.RESUME: _of_staff("resume", **_WHY),
    _C.ADJUST_TIME: _of_staff("adjust-time", seconds=7200, **_WHY),
    _C.FORCE_SUBMIT: _of_staff("force-submit"),
    _C.TERMINATE: _of_staff("terminate", **_WHY),
    _C.INVALIDATE: _of_staff("invalidate", **_WHY),
    _C.REINSTATE: _of_staff("reinstate", **_WHY),
    _C.REOPEN: _of_staff("reopen", extraSeconds=7200, **_WHY),
    _C.REGRADE: _of_staff("regrade", dryRun=False, **_WHY),
    _C.FLAG: _of_staff("flags", type="odd"),
}
# What a session leads to at rest, where the matrix names something that does not rest.
_AT_REST: Final[Mapping[ExamStatus | Rule, ExamStatus]] = {
    _S.SUBMITTED: _S.FINISHED,
    Rule.PRIOR_STATUS: _S.FINISHED,
    Rule.EXPIRY_POLICY: _S.FINISHED,
}
# A sign of life is noted in whatever is live; of what is not, and of a refusal, nothing is.
_ALIVE: Final = ("last_heartbeat_at",)


@pytest.mark.parametrize(("status", "command"), REACHED, ids=lambda value: value.value)
async def test_a_command_meets_a_session(site: ExamSite, status: ExamStatus, command: Command) -> None:
    session = await _MADE[status](site)
    assert site.status(session) == status
    before = _row(site, session)
    answer = await _ASKED[command](site, session | {"status": status})
    cell = outcome(status, command)
    if isinstance(cell, Nothing):
        assert answer.status_code == 200, answer.text
        assert _row(site, session) == before
    elif isinstance(cell, Leads):
        assert answer.is_success, answer.text
        _assert_led(site, session, cell, answer)
    else:
        assert status_of(cell) == 409
        assert_problem(answer, 409, cell.code)
        assert _row(site, session) == before


def _assert_led(site: ExamSite, session: Session, cell: Leads, answer: httpx.Response) -> None:
    was = session["status"]
    if cell.to is Rule.NEW_SESSION:
        assert answer.status_code == 201
        assert answer.json()["id"] != session["id"]
        assert answer.json()["attemptNo"] == 2
        assert answer.json()["status"] == "active"
    elif cell.to is not None:
        assert site.status(session) == _AT_REST.get(cell.to, cell.to), was


def _row(site: ExamSite, session: Session) -> dict[str, Any]:
    """All that is written down of a session, but for the sign of life."""
    found: dict[str, Any] = site.value("select to_jsonb(s) from exam_sessions s where id = %s", session["id"])
    return {name: value for name, value in found.items() if name not in _ALIVE}


@pytest.mark.parametrize(
    ("policy", "status", "seconds", "reason"),
    [
        ("auto_submit", "finished", 0, "timeout"),
        ("grace", "overdue", None, None),
        ("abandon", "abandoned", 0, "timeout"),
    ],
)
@pytest.mark.parametrize("paused", [False, True])
async def test_time_ends_a_session_as_its_package_says(
    site: ExamSite, policy: str, status: str, seconds: int | None, reason: str | None, paused: bool
) -> None:
    """An active one by its limit, a paused one by the window alone; both at their deadline, whenever one looks."""
    begun = site.clock.now()
    closes = begun + timedelta(hours=4)
    session = await site.begin(overduePolicy=policy, closesAt=closes.isoformat())
    deadline = closes.isoformat().replace("+00:00", "Z") if paused else session["deadline"]
    if paused:
        await _after(site, session, "pause")
        site.later(hours=2)
        assert (await site.read(session))["status"] == "paused"
    site.later(hours=3)
    found = await site.read(session)
    assert (found["status"], found["sealReason"]) == (status, reason)
    assert found["submittedAt"] == (None if seconds is None else deadline)
    assert found["late"] is False


async def test_an_overdue_session_is_given_up_when_its_grace_is_over(site: ExamSite) -> None:
    session = await _overdue(site)
    site.later(days=1)
    found = await site.read(session)
    assert (found["status"], found["sealReason"]) == ("abandoned", "timeout")


async def test_an_overdue_session_is_handed_in_late(site: ExamSite) -> None:
    session = await _overdue(site)
    answer = await site.act(session, "submit")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["late"]) == ("finished", True)
    assert answer.json()["submittedAt"] == session["deadline"]


async def test_more_time_that_is_not_enough_leaves_a_session_overdue(site: ExamSite) -> None:
    session = await _overdue(site)
    answer = await site.oversee(session, "adjust-time", seconds=30, **_WHY)
    assert answer.status_code == 200, answer.text
    assert site.status(session) == "overdue"


async def test_what_a_student_handed_in_is_not_opened_again(site: ExamSite) -> None:
    """Although there is time left."""
    session = await site.begin()
    assert (await site.act(session, "submit")).status_code == 200
    answer = await site.oversee(session, "reopen", extraSeconds=7200, **_WHY)
    assert_problem(answer, 409, "exam.not_reopenable")


async def test_what_was_given_up_and_has_no_time_left_is_handed_in(site: ExamSite) -> None:
    session = await _abandoned(site)
    answer = await site.oversee(session, "reopen", **_WHY)
    assert answer.status_code == 200, answer.text
    assert site.status(session) == "finished"


@pytest.mark.parametrize("status", [_S.FINISHED, _S.ABANDONED, _S.TERMINATED])
async def test_reinstating_gives_back_what_was(site: ExamSite, status: ExamStatus) -> None:
    session = await _MADE[status](site)
    before = await site.read(session)
    for command in ("invalidate", "reinstate"):
        await _after(site, session, command)
    assert await site.read(session) == before
