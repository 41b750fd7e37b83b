"""Students who sit an exam of secret questions, and all that is asked and told meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.leak_walker import LeakSite, Student, Told

# Answers that fit one kind of questions only, and then perhaps are what somebody answers.
FITTING: tuple[Mapping[str, Any], ...] = (
    {"choiceIds": ["A"]},
    {"choiceIds": ["A", "B", "C"]},
    {"choiceIds": ["A", "B", "C", "D", "E", "F"]},
    {"order": ["A", "B", "C", "D", "E", "F"]},
    {"pairs": {"1": "A", "2": "A", "3": "A"}},
)
# Answers that fit none, or that nobody else gives.
PROBES: tuple[Mapping[str, Any], ...] = (
    {"choiceIds": ["Z"]},
    {"numericValue": "1e9"},
    {"numericValue": "none"},
    {"text": "something"},
    {"order": ["A"]},
    {"pairs": {"9": "A"}},
    {"choiceIds": ["A"], "text": "and more"},
)


@dataclass
class Repeatable:
    """Identifiers of exams, and what their papers are drawn by, given out again: the papers are then the same."""

    made: Callable[[str], str]
    given: dict[str, list[str]] = field(default_factory=lambda: {"exs": [], "see": []})
    at: dict[str, int] = field(default_factory=lambda: {"exs": 0, "see": 0})

    def new(self, prefix: str) -> str:
        if prefix not in self.given:
            return self.made(prefix)
        given, place = self.given[prefix], self.at[prefix]
        if place == len(given):
            given.append(self.made(prefix))
        self.at[prefix] += 1
        return given[place]

    def again(self) -> None:
        """The next to begin is given what the first one was."""
        self.at = dict.fromkeys(self.at, 0)


async def rules(site: LeakSite, **settings: Any) -> None:
    """What the package says of its exams from now on."""
    body = {"settings": {"shuffleQuestions": False, "attemptsAllowed": None, **settings}}
    changed = await site.whole.ask("PATCH", f"/admin/exam-packages/{site.package}", "admin", json=body)
    assert changed.status_code == 200, changed.text


@dataclass
class Candidate:
    """A student with an exam."""

    student: Student
    session: dict[str, Any]
    revisions: dict[int, int] = field(default_factory=dict)

    @property
    def site(self) -> LeakSite:
        return self.student.site

    @property
    def path(self) -> str:
        return f"/exam-sessions/{self.session['id']}"

    @property
    def slots(self) -> list[dict[str, Any]]:
        slots: list[dict[str, Any]] = self.session["paper"]["slots"]
        return slots

    async def answer(self, shown: Mapping[str, Any], *, right: bool, key: str | None = None, **more: Any) -> Told:
        """An answer that is taken. With a key it is the unit of work that takes it."""
        response = self.site.secrets[shown["questionId"]].answer(shown, right=right)
        del response["slot"]
        told = await self.put(shown, response, key=key, **more)
        assert told.answer.status_code == 200, told.answer.text
        self.revisions[shown["slot"]] = told.answer.json()["revision"]
        return told

    async def put(
        self, shown: Mapping[str, Any], response: Mapping[str, Any], *, key: str | None = None, **more: Any
    ) -> Told:
        body = {"response": response, "baseRevision": self.revisions.get(shown["slot"], 0), **more}
        headers = {"idempotency-key": key} if key else {}
        path = f"{self.path}/answers/{shown['slot']}"
        return Told("saveExamAnswer", await self.student.ask("PUT", path, json=body, headers=headers))

    async def act(self, what: str, body: Mapping[str, Any] | None = None) -> Told:
        return Told(what, await self.student.ask("POST", f"{self.path}/{what}", json=body))

    async def interfered(self, command: str, **body: Any) -> None:
        """An administrator does something to the session."""
        path = f"/admin/exam-sessions/{self.student.id}/{self.session['id']}/{command}"
        answer = await self.site.whole.ask("POST", path, "admin", json={"reason": "A test", **body})
        assert answer.status_code == 200, answer.text

    async def walk(self) -> list[Told]:
        """All that the student can read, knowing the exam and its first question."""
        shown = {"id": "prs_none", "questions": self.slots}
        return await self.student.walk(shown)


async def sitting(site: LeakSite) -> Candidate:
    """Somebody new who has just begun."""
    return await begun_by(await site.newcomer())


async def begun_by(student: Student) -> Candidate:
    """The exam that a student has just begun."""
    begun = await student.ask("POST", "/exam-sessions", json={"examPackageId": student.site.package})
    assert begun.status_code == 201, begun.text
    student.exam = begun.json()["id"]
    return Candidate(student, begun.json())
