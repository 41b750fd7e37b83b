"""What is not judged yet changes nothing: two students who differ in right and wrong alone are told the very same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.system.clock import TimeOrderedIds
from tests.support.leak_questions import other_keys
from tests.support.leak_walker import LeakSite, Student, Told, comparables, leak_site_of, without_responses
from tests.support.postgres import ClonedDatabase

SOURCES = ("all", "unseen", "incorrect", "flagged", "weak", "due")
# What judged answers change, at least.
_JUDGED = frozenset(
    {
        *("createPracticeSession", "getPracticeSession", "listPracticeSessions", "reviewPracticeSession"),
        *("summarisePracticeSession", "getProgress", "listWeakAreas", "getReadiness"),
    }
)
# Answers that fit no question, or one kind of them only: what becomes of each is the question's own affair.
_PROBES: tuple[Mapping[str, Any], ...] = (
    {"choiceIds": ["A"]},
    {"choiceIds": ["A", "B"]},
    {"choiceIds": ["A", "B", "C"]},
    {"choiceIds": ["A", "B", "C", "D"]},
    {"choiceIds": ["A", "B", "C", "D", "E"]},
    {"numericValue": "1e9"},
    {"text": "something"},
    {"order": ["A", "B", "C", "D", "E", "F"]},
    {"pairs": {"1": "A"}},
    {"pairs": {"1": "A", "2": "A", "3": "A"}},
    {"choiceIds": []},
    {"choiceIds": ["A", "B", "C", "D", "E", "F"]},
    {"choiceIds": ["Z"]},
    {"numericValue": "none"},
    {"text": " "},
    {"order": ["A"]},
    {"order": ["A", "A", "B", "C", "D", "E"]},
    {"pairs": {"1": "Z"}},
    {"pairs": {"9": "A"}},
    {"choiceIds": ["A"], "text": "and more"},
)


@dataclass
class Repeatable:
    """Identifiers of sessions that are given out again, to somebody else: what follows from them is then the same."""

    made: Callable[[str], str]
    given: list[str] = field(default_factory=list)
    at: int = 0

    def new(self, prefix: str) -> str:
        if prefix != "prs":
            return self.made(prefix)
        if self.at == len(self.given):
            self.given.append(self.made(prefix))
        self.at += 1
        return self.given[self.at - 1]


@pytest.fixture
def repeatable(monkeypatch: pytest.MonkeyPatch) -> Repeatable:
    script = Repeatable(TimeOrderedIds().new)
    monkeypatch.setattr(TimeOrderedIds, "new", script.new)
    return script


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    """With as many answers of others as it takes until what is believed of a student begins with them."""
    async with leak_site_of(module_database) as site:
        for _ in range(5):
            await judged_before(await site.newcomer(), right=True)
        yield site


async def conversation(student: Student, *, right: bool, sure: bool = False) -> list[Told]:
    """A deferred session with every answer but its last, spoilt ones between; then everything that can be asked."""
    session = await student.begin(feedback="deferred", certainty=sure)
    surely = {"certainty": "high"} if sure else {}
    told = []
    for shown in session["questions"][:-1]:
        told += [await student.act(session, "answers", {"slot": shown["slot"], **probe}) for probe in _PROBES]
        body = student.site.secrets[shown["questionId"]].answer(shown, right=right) | surely
        told += [await student.act(session, "answers", body, key) for key in (None, f"key-{shown['slot']}", None)]
    told += await probed(student)
    told += [await student.act(session, command) for command in ("pause", "resume")]
    student.site.assert_silent(told, judged=True)
    return [*told, *await student.walk(session)]


async def probed(student: Student) -> list[Told]:
    """What each source would draw from, asked for by beginning to practise some minutes later.

    By then what was wrong is due again, and what was right is not.
    """
    await student.site.upkeep()
    student.site.database.keeper.execute(
        "update review_cards set due = due - interval '5 minutes' where user_id = %s", (student.id,)
    )
    told = []
    for source in SOURCES:
        body = {"examPackageId": student.site.package, "count": 100, "source": source, "feedback": "deferred"}
        told.append(Told("createPracticeSession", await student.ask("POST", "/practice-sessions", json=body)))
    return told


async def finished(student: Student) -> list[Told]:
    """All sessions of a student at their end, and everything that can be asked then."""
    listed = (await student.ask("GET", "/practice-sessions?limit=100")).json()["items"]
    for session in listed:
        await student.act(session, "finish")
    first = (await student.ask("GET", f"/practice-sessions/{listed[-1]['id']}")).json()
    return [*await probed(student), *await student.walk(first)]


async def test_nothing_depends_on_a_key_before_its_time(site: LeakSite, repeatable: Repeatable) -> None:
    """The same answers to questions with other keys are told the same, to the byte; at the end they are not."""
    one, other = await site.newcomer(), await site.newcomer()
    under_one_key = comparables(await conversation(one, right=True))
    then, repeatable.at = repeatable.at, 0
    with other_keys(site.database, list(site.secrets)):
        assert comparables(await conversation(other, right=True)) == under_one_key
        ended_other = comparables(await finished(other))
    repeatable.at = then
    different = {line.split()[0] for line in set(comparables(await finished(one))) ^ set(ended_other)}
    assert different >= _JUDGED, "so the comparison can find something"


async def test_nothing_depends_on_being_right_before_its_time(site: LeakSite, repeatable: Repeatable) -> None:
    """Who is right and who is wrong are told the same, but for their own answers."""
    one, other = await site.newcomer(), await site.newcomer()
    for student, right in ((one, True), (other, True)):
        repeatable.at = 0
        await judged_before(student, right=right)
    start = repeatable.at
    of_the_right = without_responses(await conversation(one, right=True, sure=True))
    repeatable.at = start
    of_the_wrong = without_responses(await conversation(other, right=False, sure=True))
    assert of_the_wrong == of_the_right


async def judged_before(student: Student, *, right: bool) -> None:
    """A session with immediate feedback, so that there is something that an answer might change."""
    session = await student.begin(feedback="immediate")
    for place, shown in enumerate(session["questions"]):
        await student.answer(session, shown, right=right if place % 2 else not right)


async def test_what_is_open_tells_nothing_of_what_is_not(site: LeakSite, repeatable: Repeatable) -> None:
    """With immediate feedback too: the keys of questions that are not answered change nothing anywhere."""
    one, other = await site.newcomer(), await site.newcomer()
    told = []
    for student in (one, other):
        repeatable.at = 0
        session = await student.begin(feedback="immediate")
        open_questions, closed = session["questions"][:3], session["questions"][3:]
        answers = [await student.answer(session, shown, right=True) for shown in open_questions]
        if student is one:
            told.append(comparables([*answers, *await student.walk(session)]))
        else:
            with other_keys(site.database, [shown["questionId"] for shown in closed]):
                told.append(comparables([*answers, *await student.walk(session)]))
    assert told[0] == told[1]


async def test_a_stored_judgement_shows_nowhere_before_its_time(site: LeakSite) -> None:
    """What the database holds of an answer that is not to be judged yet could be anything."""
    student = await site.newcomer()
    session = await student.begin(feedback="deferred")
    for shown in session["questions"][1:]:
        await student.answer(session, shown, right=bool(shown["slot"] % 2))
    before = comparables(await student.walk(session))
    turned_round(site, session)
    assert comparables(await student.walk(session)) == before
    await student.act(session, "finish")
    ended = comparables(await student.walk(session))
    turned_round(site, session)
    assert comparables(await student.walk(session)) != ended, "so the comparison can find something"


def turned_round(site: LeakSite, session: Mapping[str, Any]) -> None:
    """What is stored as right is wrong from now on, and the other way round."""
    site.database.keeper.execute(
        "update practice_slots set correct = not correct, mark = max_mark - mark"
        " where session_id = %s and answered_at is not null",
        (session["id"],),
    )
    site.database.keeper.execute(
        "update practice_sessions set correct_count = answered_count - correct_count where id = %s", (session["id"],)
    )
