"""What a student must not learn from an exam: no key before the rule of the package, nothing of right and wrong before
its end. Every answer of every route is searched, and those of students who differ in right and wrong are compared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from adapters.system.clock import TimeOrderedIds
from tests.support.exam_leaks import FITTING, PROBES, Candidate, Repeatable, begun_by, rules, sitting
from tests.support.http import assert_problem, code_of
from tests.support.leak_questions import LEAK, other_keys
from tests.support.leak_walker import LeakSite, Student, Told, comparables, leak_site_of, without_responses
from tests.support.postgres import ClonedDatabase

# What the end of an exam changes, at least.
_JUDGED = frozenset({"getExamSession", "listExamSessions", "getExamResult", "listExamHistory", "getProgress"})


@pytest.fixture
def repeatable(monkeypatch: pytest.MonkeyPatch) -> Repeatable:
    script = Repeatable(TimeOrderedIds().new)
    monkeypatch.setattr(TimeOrderedIds, "new", script.new)
    return script


@pytest.fixture(scope="module")
async def leak_site(module_database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    async with leak_site_of(module_database) as site:
        yield site


@pytest.fixture
async def site(leak_site: LeakSite) -> LeakSite:
    """The rule that shows nothing, unless a test says otherwise."""
    await rules(leak_site, reviewRule="never", certainty=False, pauseAllowed=True)
    return leak_site


async def conversation(
    candidate: Candidate, *, right: bool, sure: bool = False, probes: Sequence[Mapping[str, Any]] = PROBES
) -> list[Told]:
    """Everything that can be done in an exam before it is handed in, and all that can be read then."""
    more = {"certainty": "high"} if sure else {}
    told = [Told("startExam", await candidate.student.ask("POST", "/exam-sessions", json=_package(candidate)))]
    for place, shown in enumerate(candidate.slots):
        told += [await candidate.put(shown, probe, autosave=True) for probe in probes]
        candidate.revisions[shown["slot"]] = await revision(candidate, shown)
        told.append(await candidate.answer(shown, right=right, flagged=True, **more))
        told.append(await candidate.answer(shown, right=right, key=f"key-{place}", **more))
        told.append(await candidate.put({**shown, "slot": 99}, {"choiceIds": ["A"]}))
    told.append(await candidate.act("heartbeat", {"seq": 1, "snapshot": {"slot": 1}}))
    told.append(await candidate.act("events", {"type": "focus_lost", "clientEventId": "one"}))
    told += [await candidate.act(what) for what in ("pause", "resume")]
    await candidate.site.upkeep()
    return [*told, *await candidate.walk()]


def _package(candidate: Candidate) -> dict[str, Any]:
    return {"examPackageId": candidate.site.package}


async def revision(candidate: Candidate, shown: dict[str, Any]) -> int:
    paper = (await candidate.student.ask("GET", f"{candidate.path}/paper")).json()
    found: int = paper["slots"][shown["slot"] - 1]["revision"]
    return found


@pytest.mark.parametrize("sure", [False, True])
async def test_an_exam_under_way_tells_neither_keys_nor_right_and_wrong(site: LeakSite, sure: bool) -> None:
    """Whatever its rule says about afterwards."""
    await rules(site, reviewRule="after_release", certainty=sure)
    for right in (True, False):
        candidate = await sitting(site)
        assert {site.secrets[shown["questionId"]].kind for shown in candidate.slots} == {
            secret.kind for secret in site.secrets.values()
        }
        site.assert_silent(await conversation(candidate, right=right, sure=sure))


async def test_a_finished_exam_tells_what_it_came_to_and_no_key(site: LeakSite) -> None:
    candidate = await sitting(site)
    for shown in candidate.slots:
        await candidate.answer(shown, right=True)
    handed_in = await candidate.act("submit")
    assert handed_in.answer.json()["result"]["percent"] == "100"
    site.assert_silent([handed_in, *await candidate.walk()], judged=True)


async def test_a_review_after_release_opens_the_questions_of_the_exam(site: LeakSite) -> None:
    """To its student, in the result and nowhere else."""
    await rules(site, reviewRule="after_release")
    candidate, other = await sitting(site), await sitting(site)
    for shown in candidate.slots:
        await candidate.answer(shown, right=False)
    await candidate.act("submit")
    opened = [shown["questionId"] for shown in candidate.slots]
    told = await candidate.walk()
    site.assert_silent(told, opened, judged=True)
    (result,) = (each for each in told if each.operation == "getExamResult")
    assert LEAK in result.answer.text, "so the search can find something"
    site.assert_silent(await other.walk())
    stolen = await other.student.ask("GET", f"{candidate.path}/result")
    assert_problem(stolen, 404, "exam.session_not_found")


@pytest.mark.parametrize("command", ["terminate", "invalidate"])
async def test_an_exam_that_does_not_count_tells_nothing(site: LeakSite, command: str) -> None:
    """Also of one that had been handed in, and whatever the rule."""
    await rules(site, reviewRule="after_release")
    candidate = await sitting(site)
    for shown in candidate.slots:
        await candidate.answer(shown, right=bool(shown["slot"] % 2))
    if command == "invalidate":
        await candidate.act("submit")
    await candidate.interfered(command)
    site.assert_silent(await candidate.walk())


async def test_a_window_that_is_open_keeps_the_review_closed(site: LeakSite) -> None:
    await rules(site, reviewRule="after_window", closesAt="2099-01-01T00:00:00Z")
    candidate = await sitting(site)
    for shown in candidate.slots:
        await candidate.answer(shown, right=True)
    await candidate.act("submit")
    site.assert_silent(await candidate.walk(), judged=True)
    await rules(site, reviewRule="never", closesAt=None)


async def test_nothing_depends_on_a_key_while_an_exam_is_sat(site: LeakSite, repeatable: Repeatable) -> None:
    """The same answers to questions with other keys are told the same, to the byte; at the end they are not."""
    one = await sitting(site)
    under_one_key = comparables(await conversation(one, right=True, probes=(*FITTING, *PROBES)))
    repeatable.again()
    with other_keys(site.database, list(site.secrets)):
        other = await sitting(site)
        told = await conversation(other, right=True, probes=(*FITTING, *PROBES))
        assert comparables(told) == under_one_key
        await other.act("submit")
        ended_other = comparables(await other.walk())
    await one.act("submit")
    different = {line.split()[0] for line in set(comparables(await one.walk())) ^ set(ended_other)}
    assert different >= _JUDGED, "so the comparison can find something"


@pytest.mark.parametrize("sure", [False, True])
async def test_nothing_depends_on_being_right_while_an_exam_is_sat(
    site: LeakSite, repeatable: Repeatable, sure: bool
) -> None:
    """Who is right and who is wrong are told the same, but for their own answers."""
    await rules(site, certainty=sure)
    told = []
    for right in (True, False):
        repeatable.again()
        told.append(without_responses(await conversation(await sitting(site), right=right, sure=sure)))
    assert told[0] == told[1]


async def test_staff_see_no_key_in_an_exam(site: LeakSite) -> None:
    """Neither in lists nor in a session, its events and its answers."""
    candidate = await sitting(site)
    for shown in candidate.slots:
        await candidate.answer(shown, right=True)
    known = candidate.student.knows({"id": "prs_none", "questions": candidate.slots})
    reads = [each for each in site.reads() if "/exam-sessions" in each.path]
    told = await site.walk("admin", reads, known)
    assert {each.operation for each in told if candidate.session["id"] in each.answer.text} >= {"getUserExamSession"}
    site.assert_silent(told, judged=True)
    site.assert_silent(each for each in told if each.operation == "getUserExamSession")


async def test_what_was_practised_before_is_not_told_while_an_exam_asks_it(site: LeakSite) -> None:
    """Neither by what was dealt, answered or handed in before, nor by the idempotency key of an answer, at any door."""
    student = await site.newcomer()
    before = await _practised(student)
    candidate = await begun_by(student)
    assert {shown["questionId"] for shown in candidate.slots} == set(site.secrets)
    told = [await each for each in _probes(student, before)]
    for each in told:
        assert each.answer.status_code == 409, each.place
        assert code_of(each.answer) == "practice.exam_under_way", each.place
    site.assert_silent(told)
    for session in before.values():
        site.assert_silent(await student.walk(session), judged=True)
    listed = (await student.ask("GET", "/practice-sessions")).json()["items"]
    history = (await student.ask("GET", "/student/progress")).json()["practiceSessions"]
    for shown in (listed, history):
        assert [session["correctCount"] for session in shown] == [None] * len(before)
    assert {session["mark"] for session in history} == {None}
    assert (await student.ask("GET", "/api/v1/quiz/history")).json()["total_attempts"] == 0
    await candidate.act("submit")
    reviewed = await student.review(before["over"])
    assert reviewed.status_code == 200
    assert LEAK in reviewed.text, "so the search could find something"


async def _practised(student: Student) -> dict[str, dict[str, Any]]:
    """Sessions of all questions: one judged at once, one that is over, one that goes on, and those of the platform."""
    before = {
        "instant": await student.begin(),
        "over": await student.begin(feedback="deferred"),
        "open": await student.begin(feedback="deferred"),
    }
    for name, wanted in (("instant", 2), ("over", None), ("open", 2)):
        for place, shown in enumerate(before[name]["questions"][:wanted]):
            body = student.site.secrets[shown["questionId"]].answer(shown, right=True)
            told = await student.act(before[name], "answers", body, key=f"{name}-{place}")
            assert told.answer.status_code == 200, told.answer.text
    quiz = (await student.ask("GET", "/api/v1/questions/quiz?exam_type=vault&count=100")).json()
    round_ = await student.ask("POST", "/api/v1/study/start", json={"exam_type": "vault", "count": 100})
    for name, session_id in (("quiz", quiz["quiz_id"]), ("round", round_.json()["session_id"])):
        before[name] = (await student.ask("GET", f"/practice-sessions/{session_id}")).json()
    return before


def _probes(student: Student, before: Mapping[str, dict[str, Any]]) -> Iterator[Awaitable[Told]]:
    for name, session in before.items():
        for place, shown in enumerate(session["questions"]):
            body = student.site.secrets[shown["questionId"]].answer(shown, right=True)
            yield student.act(session, "answers", body)
            yield student.act(session, "answers", body, key=f"{name}-{place}")
        for command in ("pause", "resume", "finish"):
            yield student.act(session, command)
        for what in ("review", "summary"):
            yield _told(student, "GET", f"/practice-sessions/{session['id']}/{what}")
        yield _told(student, "GET", f"/api/v1/quiz/review/{session['id']}")
    shown, studied = before["quiz"]["questions"][0], before["round"]
    answers = [{"question_id": shown["questionId"], "user_answer": "A"}]
    quiz = {"exam_type": "vault", "total_questions": 1, "quiz_id": before["quiz"]["id"], "answers": answers}
    yield _told(student, "POST", "/api/v1/quiz/submit", json=quiz)
    first = studied["questions"][0]["questionId"]
    answer = {"session_id": studied["id"], "question_id": first, "user_answer": "A"}
    yield _told(student, "POST", "/api/v1/study/answer", json=answer)
    yield _told(student, "DELETE", "/api/v1/study/abandon")


async def _told(student: Student, method: str, path: str, **options: Any) -> Told:
    return Told(f"{method} {path}", await student.ask(method, path, **options))
