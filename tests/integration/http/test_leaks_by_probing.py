"""Ways round the rule: others' requests, other versions, questions known by their id, and every act that there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.support.exam_leaks import begun_by, rules
from tests.support.http import assert_problem
from tests.support.leak_questions import LEAK, secret_question
from tests.support.leak_walker import LeakSite, Told, leak_site_of
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    async with leak_site_of(module_database) as site:
        yield site


# What students can do, in an order in which all of it can be done while a deferred session and an exam are not over.
_ACTS: Mapping[str, Mapping[str, Any] | None] = {
    "createPracticeSession": {"examPackageId": "{examPackageId}", "feedback": "deferred"},
    "answerPracticeQuestion": {},
    "pausePracticeSession": None,
    "resumePracticeSession": None,
    "flagQuestion": None,
    "unflagQuestion": None,
    "changeStudentProfile": {"bio": "I like to know."},
    "upgradeEnrollment": {"tierId": "{tierId}"},
    "cancelEnrollment": None,
    "enroll": {"examPackageId": "{examPackageId}"},
    "startExam": {"examPackageId": "{examPackageId}"},
    "sendExamHeartbeat": {"seq": 1, "snapshot": {"slot": 1}},
    "recordExamEvent": {"type": "focus_lost"},
    "saveExamAnswer": {},
    "pauseOwnExam": None,
    "resumeOwnExam": None,
    # The last, because afterwards there is something to tell; and practice that the exam asks of is shut until its end.
    "submitExam": None,
    "finishPracticeSession": None,
}
_LAST = frozenset({"finishPracticeSession", "submitExam"})


async def test_no_act_tells_more_than_a_look(site: LeakSite) -> None:
    """Whatever a student can do beside a deferred session and in an exam; an act that is not done here fails."""
    await rules(site, pauseAllowed=True)
    student = await site.newcomer()
    session = await student.begin(feedback="deferred")
    await student.answer(session, session["questions"][1], right=True)
    acts = {operation.id: operation for operation in site.acts_of_students()}
    assert set(acts) == set(_ACTS), "an act to be done here, and searched"
    known = student.knows(session)
    exam: dict[str, Any] = {}
    for name, body in _ACTS.items():
        operation = acts[name]
        ids = known | {"sessionId": exam["id"], "slot": "1"} if "/exam-sessions/" in operation.path else known
        sent: dict[str, Any] | None = {key: _filled(value, known) for key, value in body.items()} if body else None
        if name == "answerPracticeQuestion":
            shown = session["questions"][0]
            sent = site.secrets[shown["questionId"]].answer(shown, right=False)
        if name == "saveExamAnswer":
            shown = exam["paper"]["slots"][0]
            response = site.secrets[shown["questionId"]].answer(shown, right=False)
            sent = {"response": {key: value for key, value in response.items() if key != "slot"}, "baseRevision": 0}
        answer = await student.ask(operation.method, operation.at(**ids), json=sent)
        assert answer.is_success, f"{name}: {answer.text}"
        if name == "startExam":
            exam = answer.json()
        site.assert_silent([Told(name, answer)], judged=name in _LAST)
    site.assert_silent([Told("listPracticeSessions", await student.ask("GET", "/practice-sessions"))], judged=True)


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    return value.format(**known) if isinstance(value, str) else value


async def test_every_read_is_answered_somewhere_in_the_walk(site: LeakSite) -> None:
    """Else it would search refusals only."""
    student = await site.newcomer()
    session = await student.begin(feedback="immediate")
    for shown in session["questions"]:
        await student.answer(session, shown, right=True)
    studying = await student.ask("POST", "/api/v1/study/start", json={"exam_type": "vault", "count": 1})
    assert studying.status_code == 201, studying.text
    exam = await begun_by(student)
    told = await student.walk(session)
    await exam.act("submit")
    told += await student.walk(session)
    answered = {each.operation for each in told if each.answer.status_code == 200}
    assert {operation.id for operation in site.reads_of_students()} - answered == set()


async def test_a_repeated_request_tells_what_it_told(site: LeakSite) -> None:
    """A key of idempotency opens nothing to its owner that was closed, and nothing at all to others."""
    student, other = await site.newcomer(), await site.newcomer()
    session = await student.begin(feedback="immediate")
    first, second = session["questions"][:2]
    path, headers = f"/practice-sessions/{session['id']}/answers", {"idempotency-key": "a-key-that-got-about"}
    body = site.secrets[first["questionId"]].answer(first, right=True)
    told, again = [await student.ask("POST", path, json=body, headers=headers) for _ in range(2)]
    assert (told.text, again.headers["idempotency-replayed"]) == (again.text, "true")
    assert LEAK in told.text
    stolen = await other.ask("POST", path, json=body, headers=headers)
    assert_problem(stolen, 404, "practice.session_not_found")
    reused = await student.ask("POST", path, json={"slot": second["slot"], "choiceIds": ["A"]}, headers=headers)
    assert_problem(reused, 422, "idempotency.key_reused")
    site.assert_silent([Told("stolen", stolen), Told("reused", reused)])


@pytest.mark.parametrize("key", [None, "so-that-the-unit-of-work-answers"])
async def test_who_holds_a_version_learns_of_no_other(site: LeakSite, key: str | None) -> None:
    """A later version stays unknown while it is written and when it is published; so does an archived one."""
    number = 40 if key else 20
    question_id = await site.write(secret_question("multiple", number))
    student = await site.newcomer()
    session = await student.begin(feedback="immediate")
    (shown,) = (each for each in session["questions"] if each["questionId"] == question_id)
    dealt, later = site.secrets[question_id], secret_question("multiple", number + 1)
    path = f"/instructor/questions/{question_id}"
    await changed(site, "PUT", path, {"explanation": later.written["explanation"], "stem": later.written["stem"]})
    await changed(site, "PUT", f"{path}/choices", {"kind": later.kind, "choices": later.written["choices"]})
    known = {**student.knows(session), "questionId": question_id}
    for step in ("being written", "publish", "archive"):
        if step != "being written":
            await changed(site, "POST", f"{path}/{step}", {})
        site.secrets[question_id] = later
        site.assert_silent(await site.walk(student.name, site.reads_of_students(), known))
        site.secrets[question_id] = dealt
        site.assert_silent(await site.walk(student.name, site.reads_of_students(), known))
    other = next(each for each in session["questions"] if each is not shown)
    await student.answer(session, other, right=True)  # The first answer of a day is never a quick one.
    told = await student.act(session, "answers", dealt.answer(shown, right=True), key)
    assert told.answer.json()["feedback"]["correct"] is True, "the version that was dealt counts"
    site.secrets[question_id] = later
    reviewed = await site.walk(student.name, site.reads_of_students(), known)
    site.assert_silent([told, *reviewed], [other["questionId"]], judged=True)
    assert any(LEAK in each.answer.text for each in reviewed), "so the search can find something"


async def changed(site: LeakSite, method: str, path: str, body: Mapping[str, Any]) -> None:
    answer = await site.whole.ask(method, path, "admin", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_question_that_is_not_asked_opens_through_no_session(site: LeakSite) -> None:
    """A session answers for its own questions; others are told like questions that there are not."""
    student = await site.newcomer()
    session = await student.begin(feedback="immediate", count=2)
    asked = {shown["questionId"] for shown in session["questions"]}
    left_out = [question_id for question_id in site.secrets if question_id not in asked]
    nothing = await student.act(session, "answers", {"questionId": "qst_none", "choiceIds": ["A"]})
    for question_id in left_out:
        told = await student.act(session, "answers", {"questionId": question_id, "choiceIds": ["A"]})
        assert_problem(told.answer, 404, "practice.slot_not_found")
        assert told.answer.json() | {"instance": ""} == nothing.answer.json() | {"instance": ""}


async def test_what_is_not_published_is_known_to_nobody(site: LeakSite) -> None:
    """Whoever has found out the id of a draft is told what is told of an id of nothing."""
    student = await site.newcomer()
    draft = secret_question("single", 30)
    body = {**draft.written, "questionBankId": site.written.bank, "topicId": site.topic, "difficultyId": "dif_easy"}
    created = await site.whole.ask("POST", "/instructor/questions", "instructor", json=body)
    question_id = created.json()["id"]
    session = await student.begin(feedback="deferred")
    assert question_id not in {shown["questionId"] for shown in session["questions"]}
    known = {**student.knows(session), "questionId": question_id}
    unknown = {**known, "questionId": "qst_none"}
    operations = [each for each in (*site.reads_of_students(), *site.acts_of_students()) if "{questionId}" in each.path]
    assert operations
    for operation in operations:
        told, nothing = [await student.ask(operation.method, operation.at(**ids)) for ids in (known, unknown)]
        assert told.status_code == nothing.status_code == 404, operation.id
        assert told.json() | {"instance": ""} == nothing.json() | {"instance": ""}, operation.id


async def test_what_is_asked_tells_no_order(site: LeakSite) -> None:
    """Steps that are to be ordered come in many orders, by names that only say where they stand."""
    student = await site.newcomer()
    orders = set()
    for _ in range(12):
        for shown in (await student.begin(feedback="deferred"))["questions"]:
            if shown["kind"] in {"ordering", "matching"}:
                ids = [choice["id"] for choice in shown["choices"]]
                assert ids == sorted(ids)
            if shown["kind"] == "ordering":
                orders.add(tuple(choice["text"] for choice in shown["choices"]))
    assert len(orders) > 6
