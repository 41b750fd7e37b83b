"""Finding the session that a client means which names none."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.practice.ports.reading import WantedSessions
from application.practice.reading import ListPracticeSessions, ReadPracticeSession
from domain.auth.people import Actor
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import PracticeSessionNotFound
from entrypoints.http.practice_platform.dealt import DealtQuizzes

ACTOR = cast(Actor, None)
MANY = 250


@dataclass
class Sessions:
    """What a student has, the latest first; each asks as many questions as it says, the first of them `q0`."""

    all: list[Any]
    reads: list[str] = field(default_factory=list)

    async def list(
        self, actor: Actor, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SimpleNamespace, ...]:
        assert 1 <= limit <= 100
        found = [each for each in self.all if each.status in {status.value for status in wanted.statuses}]
        after = [each.id for each in found].index(before_id) + 1 if before_id else 0
        return tuple(found[after : after + limit])

    async def read(self, actor: Actor, session_id: str) -> SimpleNamespace:
        self.reads.append(session_id)
        (session,) = [each for each in self.all if each.id == session_id]
        kinds = ["numeric" if session.numeric else "single"] * session.served
        asked = [SimpleNamespace(question_id=f"q{number}", kind=kind) for number, kind in enumerate(kinds)]
        return SimpleNamespace(session=session, questions=asked)

    def dealt(self) -> DealtQuizzes:
        return DealtQuizzes(cast(ListPracticeSessions, self.list), cast(ReadPracticeSession, self.read))


def session(number: int, feedback: FeedbackMode, **more: Any) -> SimpleNamespace:
    usual = {"served": 1, "certainty": False, "numeric": False, "status": "active", "exam_package_id": "pkg_1"}
    return SimpleNamespace(**{**usual, "id": f"prs_{number}", "feedback": feedback, **more})


@pytest.mark.parametrize("status", ["active", "finished"])
async def test_a_quiz_is_found_behind_all_that_are_too_short(status: str) -> None:
    short = [session(number, FeedbackMode.DEFERRED) for number in range(MANY)]
    sessions = Sessions([*short, session(MANY, FeedbackMode.DEFERRED, served=2, status=status)])
    found = await sessions.dealt().asking(ACTOR, "pkg_1", None, {"q0", "q1"})
    assert (found.session.id, sessions.reads) == (f"prs_{MANY}", [f"prs_{MANY}"])


async def test_a_round_is_found_behind_all_that_are_none() -> None:
    others = [
        *(session(number, FeedbackMode.DEFERRED) for number in range(MANY)),
        *(session(number, FeedbackMode.IMMEDIATE, certainty=True) for number in range(MANY, 2 * MANY)),
        session(2 * MANY, FeedbackMode.IMMEDIATE, numeric=True),
    ]
    sessions = Sessions([*others, session(2 * MANY + 1, FeedbackMode.IMMEDIATE)])
    found = await sessions.dealt().studying(ACTOR)
    assert found is not None
    assert (found.session.id, sessions.reads) == (f"prs_{2 * MANY + 1}", [f"prs_{2 * MANY}", f"prs_{2 * MANY + 1}"])


async def test_no_request_reads_every_quiz_that_there_ever_was() -> None:
    """A submission that belongs to none would otherwise cost as much as a student likes."""
    sessions = Sessions([session(number, FeedbackMode.DEFERRED) for number in range(MANY)])
    with pytest.raises(PracticeSessionNotFound):
        await sessions.dealt().asking(ACTOR, "pkg_1", None, {"q9"})
    assert len(sessions.reads) == 100
