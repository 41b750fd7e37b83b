"""Results of exams over HTTP: when they are told, what they tell, and what comes of questions that are void."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.exam_site import RIGHT, WRONG, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

WHY = "the key was wrong"


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as found:
        yield found


async def sat(
    site: ExamSite, package: str, person: str = "student", *, right: int = 3, wrong: int = 0
) -> dict[str, Any]:
    """An exam that was handed in, with so many answers that are right, and then wrong."""
    answer = await site.start(package, person)
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    for slot, response in enumerate([RIGHT] * right + [WRONG] * wrong, start=1):
        assert (await site.save(session, slot, response, person=person)).status_code == 200
    handed_in = await site.act(session, "submit", {}, person=person)
    assert handed_in.status_code == 200, handed_in.text
    done: dict[str, Any] = handed_in.json()
    return session | done


async def enrolled(site: ExamSite, package: str, person: str = "student") -> str:
    await site.enroll(package, person)
    return package


async def declare(site: ExamSite, package: str, question: str, mode: str = "drop", **more: Any) -> dict[str, Any]:
    body = {"questionId": question, "mode": mode, "reason": WHY} | more
    answer = await site.ask("POST", f"/admin/exam-packages/{package}/void-question", "admin", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_finished_exam_tells_the_whole_and_the_topics_and_keeps_the_questions_to_itself(site: ExamSite) -> None:
    package = await enrolled(site, await site.package())
    session = await sat(site, package, right=3, wrong=1)
    result = await site.read(session, "/result")
    assert (result["mark"], result["maxMark"], result["percent"], result["passed"]) == ("3", "6", "50", False)
    assert (result["reviewRule"], result["questions"], result["revision"]) == ("never", None, 1)
    assert sum(float(topic["mark"]) for topic in result["topics"]) == 3
    assert sum(topic["questions"] for topic in result["topics"]) == 6
    assert sum(topic["answered"] for topic in result["topics"]) == 4
    assert result["official"] == {
        "rule": "highest",
        "percent": "50",
        "passed": False,
        "sessionId": session["id"],
        "attempts": 1,
    }


async def test_questions_are_reviewed_with_their_keys_once_the_package_says_so(site: ExamSite) -> None:
    package = await enrolled(site, await site.package(reviewRule="after_release"))
    session = await sat(site, package, right=1, wrong=1)
    result = await site.read(session, "/result")
    first, second, third = result["questions"][:3]
    assert [first["correct"], second["correct"], third["correct"]] == [True, False, None]
    assert first["correctChoiceIds"] == second["correctChoiceIds"] == ["B"]
    assert (second["response"]["choiceIds"], third["response"]) == (["A"], None)
    assert [each["mark"] for each in result["questions"]] == ["1", "0", "0", "0", "0", "0"]


async def test_after_the_window_means_not_a_moment_before_it_has_closed(site: ExamSite) -> None:
    closes = site.clock.now() + timedelta(hours=2)
    package = await site.package(reviewRule="after_window", closesAt=closes.isoformat())
    session = await sat(site, await enrolled(site, package))
    before = await site.read(session, "/result")
    assert (before["questions"], before["reviewRule"]) == (None, "after_window")
    assert before["reviewableFrom"] is not None
    site.later(hours=2, seconds=1)
    assert (await site.read(session, "/result"))["questions"][0]["correctChoiceIds"] == ["B"]


async def test_after_the_window_means_not_while_anybody_still_sits_whose_time_goes_beyond_it(site: ExamSite) -> None:
    """Whose time it is that runs does not matter, nor that nobody has swept what is over."""
    closes = site.clock.now() + timedelta(minutes=30)
    package = await site.package(reviewRule="after_window", closesAt=closes.isoformat(), windowExtends=True)
    session = await sat(site, await enrolled(site, package))
    other = await site.person()
    longer = (await site.start(await enrolled(site, package, other), other)).json()
    given = await site.oversee(longer, "adjust-time", person=other, reason=WHY, seconds=3600)
    assert given.status_code == 200, given.text
    site.later(minutes=31)
    result = await site.read(session, "/result")
    assert (result["questions"], result["reviewRule"]) == (None, "after_window")
    assert (await site.save(longer, 1, RIGHT, person=other)).status_code == 200
    site.later(hours=1, seconds=2)
    assert (await site.read(session, "/result"))["questions"][0]["correctChoiceIds"] == ["B"]


async def test_there_is_no_result_of_what_is_under_way_or_does_not_count_or_is_somebody_elses(site: ExamSite) -> None:
    session = await site.begin()
    path = f"/exam-sessions/{session['id']}/result"
    assert_problem(await site.ask("GET", path), 409, "exam.result_not_ready")
    assert_problem(await site.ask("GET", path, "stranger"), 404, "exam.session_not_found")
    assert (await site.oversee(session, "terminate", reason=WHY)).status_code == 200
    assert_problem(await site.ask("GET", path), 409, "exam.result_not_ready")


async def test_the_result_of_an_exam_whose_time_is_over_is_there_although_nobody_swept(site: ExamSite) -> None:
    session = await site.begin()
    assert (await site.save(session)).status_code == 200
    site.later(seconds=3600 + 61)
    result = await site.read(session, "/result")
    assert (result["mark"], result["status"]) == ("1", "finished")


async def test_the_history_tells_an_exam_whose_time_is_over_as_it_ended(site: ExamSite) -> None:
    person = await site.person()
    session = await site.begin(person)
    site.later(seconds=3600 + 61)
    (shown,) = (await site.ask("GET", "/student/exam-history", person)).json()["items"]
    assert [(each["id"], each["status"]) for each in shown["attempts"]] == [(session["id"], "finished")]


async def test_the_history_tells_every_attempt_and_which_counts(site: ExamSite) -> None:
    person = await site.person()
    package = await enrolled(site, await site.package(officialResult="average"), person)
    other = await enrolled(site, await site.package(), person)
    await sat(site, package, person, right=6)
    second = await sat(site, package, person, right=3)
    await sat(site, other, person, right=2)
    answer = await site.ask("GET", "/student/exam-history?limit=1", person)
    page = answer.json()
    assert [each["examPackageId"] for each in page["items"]] == [package]
    (shown,) = page["items"]
    assert (shown["official"]["percent"], shown["official"]["sessionId"], shown["attemptCount"]) == ("75", None, 2)
    assert [each["attemptNo"] for each in shown["attempts"]] == [2, 1]
    assert shown["attempts"][0]["id"] == second["id"]
    assert shown["attempts"][0]["result"]["percent"] == "50"
    rest = (await site.ask("GET", f"/student/exam-history?cursor={page['nextCursor']}", person)).json()
    assert [each["examPackageId"] for each in rest["items"]] == [other]
    only = (await site.ask("GET", f"/student/exam-history?examPackageId={other}", person)).json()
    assert [each["examPackageId"] for each in only["items"]] == [other]
    assert (await site.ask("GET", "/student/exam-history", "stranger")).json()["items"] == []


async def test_a_question_is_tried_out_as_void_before_it_is_and_everybody_gets_a_new_grade(site: ExamSite) -> None:
    package = await site.package()
    good, poor = await site.person(), await site.person()
    sessions = {}
    for person, right in ((good, 5), (poor, 3)):
        await enrolled(site, package, person)
        sessions[person] = await sat(site, package, person, right=right, wrong=6 - right)
    paper = site.value("select question_id from exam_slots where session_id = %s and slot = 6", sessions[poor]["id"])
    tried = await declare(site, package, paper)
    assert (tried["dryRun"], tried["affected"], tried["marksChanged"], tried["regraded"]) == (True, 2, 2, 0)
    assert (tried["pending"], tried["voids"]) == (0, [])
    declared = "select count(*) from exam_voids where exam_package_id = %s"
    assert site.value(declared, package) == 0
    done = await declare(site, package, paper, dryRun=False)
    assert (done["affected"], done["regraded"], done["pending"]) == (2, 2, 0)
    result = await site.read(sessions[poor], "/result", poor)
    assert (result["mark"], result["maxMark"], result["revision"]) == ("3", "5", 2)
    again = await declare(site, package, paper, dryRun=False)
    assert ([each["id"] for each in again["voids"]], again["regraded"]) == ([each["id"] for each in done["voids"]], 0)
    assert (again["affected"], again["pending"]) == (2, 0)
    assert site.value(declared, package) == 1
    grades = "select count(*) from exam_grades where session_id = %s"
    rows = "select count(*) from audit_log where action = %s and reason = %s and subject = %s"
    for session in sessions.values():
        assert site.value(grades, session["id"]) == 2
        assert site.value(rows, "exam_session.regraded", WHY, session["id"]) == 1
    assert site.value(rows, "exam_package.question_voided", WHY, package) == 1


async def test_a_repeated_declaration_with_a_key_is_answered_as_the_first_time(site: ExamSite) -> None:
    package = await enrolled(site, await site.package())
    session = await sat(site, package, right=5, wrong=1)
    question = site.value("select question_id from exam_slots where session_id = %s and slot = 6", session["id"])
    body = {"questionId": question, "mode": "credit_all", "reason": WHY, "dryRun": False}
    path, key = f"/admin/exam-packages/{package}/void-question", {"idempotency-key": "once"}
    first = await site.ask("POST", path, "admin", json=body, headers=key)
    second = await site.ask("POST", path, "admin", json=body, headers=key)
    assert first.status_code == second.status_code == 200
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json()["voids"] == second.json()["voids"]
    assert (await site.read(session, "/result"))["mark"] == "6"


async def test_what_was_declared_void_in_a_package_is_listed_the_latest_first(site: ExamSite) -> None:
    package = await enrolled(site, await site.package())
    session = await sat(site, package)
    asked = "select question_id from exam_slots where session_id = %s and slot = %s"
    first, second = (site.value(asked, session["id"], slot) for slot in (1, 2))
    await declare(site, package, first, dryRun=False)
    site.later(seconds=1)
    await declare(site, package, second, "accept_also", acceptedChoiceIds=["A"], dryRun=False)
    path = f"/admin/exam-packages/{package}/voided-questions"
    page = (await site.ask("GET", f"{path}?limit=1", "admin")).json()
    (latest,) = page["items"]
    assert latest["id"].startswith("vod_")
    assert latest["createdAt"].endswith("Z")
    assert {name: value for name, value in latest.items() if name not in ("id", "createdAt")} == {
        "questionId": second,
        "version": 1,
        "mode": "accept_also",
        "acceptedChoiceIds": ["A"],
        "reason": WHY,
        "createdBy": site.id_of("admin"),
    }
    rest = (await site.ask("GET", f"{path}?cursor={page['nextCursor']}", "admin")).json()
    assert ([each["questionId"] for each in rest["items"]], rest["nextCursor"]) == ([first], None)
    assert_problem(
        await site.ask("GET", "/admin/exam-packages/pkg_none/voided-questions", "admin"), 404, "package.not_found"
    )


async def test_more_options_are_accepted_for_the_exams_that_were_and_for_those_that_come(site: ExamSite) -> None:
    package = await enrolled(site, await site.package(reviewRule="after_release"))
    session = await sat(site, package, right=2, wrong=4)
    question = (await site.read(session, "/result"))["questions"][2]["questionId"]
    done = await declare(site, package, question, "accept_also", acceptedChoiceIds=["A"], dryRun=False)
    assert (done["failedToPassed"], done["voids"][0]["acceptedChoiceIds"]) == (0, ["A"])
    result = await site.read(session, "/result")
    assert (result["mark"], result["questions"][2]["correct"], result["questions"][2]["void"]) == (
        "3",
        True,
        "accept_also",
    )
    later = await sat(site, package, wrong=6, right=0)
    assert (later["result"]["mark"], (await site.read(later, "/result"))["revision"]) == ("1", 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"mode": "drop", "reason": ""}, 422, "exam.reason_required"),
        ({"mode": "accept_also", "reason": WHY}, 422, "exam.void_not_applicable"),
        ({"mode": "accept_also", "acceptedChoiceIds": ["Z"], "reason": WHY}, 422, "exam.void_not_applicable"),
        ({"mode": "drop", "questionId": "qst_none", "reason": WHY}, 404, "question.not_found"),
        ({"mode": "drop", "version": 7, "reason": WHY}, 404, "question.not_found"),
    ],
)
async def test_what_cannot_be_void_is_refused(site: ExamSite, body: dict[str, Any], status: int, code: str) -> None:
    package = await site.package()
    question = site.value("select id from questions where published_version is not null order by id limit 1")
    path = f"/admin/exam-packages/{package}/void-question"
    assert_problem(
        await site.ask("POST", path, "admin", json={"questionId": question, "dryRun": False} | body), status, code
    )
    nowhere = "/admin/exam-packages/pkg_none/void-question"
    valid = {"questionId": question, "mode": "drop", "reason": WHY}
    assert_problem(await site.ask("POST", nowhere, "admin", json=valid), 404, "package.not_found")


async def test_an_exam_is_graded_again_by_the_corrected_key_and_tried_out_before(site: ExamSite) -> None:
    package = await enrolled(site, await site.package())
    session = await sat(site, package, right=5, wrong=1)
    question = site.value("select question_id from exam_slots where session_id = %s and slot = 6", session["id"])
    site.database.keeper.execute(
        "update question_versions set status = 'superseded' where question_id = %s and version = 1", (question,)
    )
    site.database.keeper.execute(
        """
        insert into question_versions
        select (jsonb_populate_record(v, jsonb_build_object('version', 2, 'status', 'published',
                'answer_key', jsonb_set(v.answer_key, '{correct}', '["A"]')))).*
          from question_versions v where question_id = %s and version = 1
        """,
        (question,),
    )
    site.database.keeper.execute("update questions set published_version = 2 where id = %s", (question,))
    tried = await site.oversee(session, "regrade", mode="latest_versions", dryRun=True, reason=WHY)
    assert tried.status_code == 200, tried.text
    assert (tried.json()["before"]["mark"], tried.json()["after"]["mark"]) == ("5", "6")
    assert (await site.read(session, "/result"))["revision"] == 1
    done = (await site.oversee(session, "regrade", mode="latest_versions", reason=WHY)).json()
    assert (done["id"], done["status"], done["result"]["mark"]) == (session["id"], "finished", "6")
    assert [each["keyVersion"] for each in done["slots"]] == [1, 1, 1, 1, 1, 2]
    as_asked = (await site.oversee(session, "regrade", reason=WHY)).json()
    assert (as_asked["mode"], as_asked["after"]["revision"], as_asked["after"]["mark"]) == ("as_asked", 3, "5")
    assert_problem(await site.oversee(session, "regrade", reason=" "), 422, "exam.reason_required")


async def test_what_has_no_grade_is_not_graded_again(site: ExamSite) -> None:
    session = await site.begin()
    assert_problem(await site.oversee(session, "regrade", reason=WHY), 409, "exam.not_graded")
    nobody = f"/admin/exam-sessions/{site.id_of('stranger')}/{session['id']}/regrade"
    assert_problem(await site.ask("POST", nobody, "admin", json={"reason": WHY}), 404, "exam.session_not_found")
