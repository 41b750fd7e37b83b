"""What a student must not see yet: every answer of every route is searched for it, through the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.postgres.statements import load
from tests.support.http import assert_problem
from tests.support.leak_questions import LEAK
from tests.support.leak_walker import FOR_AUTHORS, LeakSite, Told, leak_site_of
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    async with leak_site_of(module_database) as site:
        yield site


@pytest.mark.parametrize("right", [True, False])
async def test_an_answer_opens_its_own_question_only(site: LeakSite, right: bool) -> None:
    """With immediate feedback: before the first answer nothing, then question by question, wherever one looks."""
    student = await site.newcomer()
    session = await student.begin(feedback="immediate")
    assert LEAK not in str(session)
    site.assert_silent(await student.walk(session))
    opened: list[str] = []
    for shown in session["questions"]:
        told = await student.answer(session, shown, right=right)
        opened.append(shown["questionId"])
        feedback = told.answer.json()["feedback"]
        assert feedback["correct"] is right
        assert LEAK in told.answer.text, "so the search can find something"
        site.assert_silent([told], [shown["questionId"]], judged=True)
        if len(opened) in {1, 4}:
            moved = [await student.act(session, command) for command in ("pause", "resume")]
            site.assert_silent([*moved, *await student.walk(session)], opened, judged=True)
            review = await student.review(session)
            assert [item["questionId"] for item in review.json()["items"]] == opened


@pytest.mark.parametrize("right", [True, False])
async def test_a_deferred_session_tells_nothing_until_its_end(site: LeakSite, right: bool) -> None:
    """Neither what is right nor whether an answer was, however often it is changed; then all of it."""
    student = await site.newcomer()
    session = await student.begin(feedback="deferred")
    told: list[Told] = []
    first, *others = session["questions"]
    for shown in others:
        told += [await student.answer(session, shown, right=side) for side in (not right, right)]
    told += [await student.act(session, command) for command in ("pause", "resume")]
    assert {each.answer.status_code for each in told} == {200}
    assert {each.answer.json()["feedback"] for each in told if "feedback" in each.answer.json()} <= {None, "deferred"}
    site.assert_silent([*told, *await student.walk(session)])
    assert_problem(await student.review(session), 409, "practice.review_not_available")
    await student.act(session, "finish")
    review = await student.review(session)
    assert review.status_code == 200
    for question_id, secret in site.secrets.items():
        if question_id in {shown["questionId"] for shown in session["questions"]}:
            assert all(word in review.text for word in secret.secrets[:1]), first


async def test_time_alone_opens_a_deferred_session(site: LeakSite) -> None:
    """Nothing before its deadline, all of it after, although nobody has closed it."""
    student = await site.newcomer()
    session = await student.begin(feedback="deferred", timeLimitSeconds=3600)
    told = [await student.answer(session, session["questions"][0], right=True)]
    site.assert_silent([*told, *await student.walk(session)])
    site.database.keeper.execute(
        "update practice_sessions set started_at = started_at - interval '1 day', deadline = now() - interval '1 hour'"
        " where id = %s",
        (session["id"],),
    )
    review = await student.review(session)
    assert LEAK in review.text
    assert [item["correct"] for item in review.json()["items"]].count(True) == 1


async def test_a_deferred_session_that_is_declared_void_stays_closed(site: LeakSite) -> None:
    """It came to no end of its own: neither its keys are told nor what was right, then or later."""
    student = await site.newcomer()
    session = await student.begin(feedback="deferred", timeLimitSeconds=3600)
    for shown in session["questions"][:4]:
        await student.answer(session, shown, right=True)
    path = f"/admin/practice-sessions/{student.id}/{session['id']}/invalidate"
    declared = await site.whole.ask("POST", path, "admin", json={"reason": "A test"})
    assert declared.status_code == 200, declared.text
    site.assert_silent(await student.walk(session))
    assert_problem(await student.review(session), 409, "practice.review_not_available")
    site.database.keeper.execute(
        "update practice_sessions set deadline = started_at + interval '1 second' where id = %s", (session["id"],)
    )
    await site.upkeep()
    site.assert_silent(await student.walk(session))


async def test_who_has_no_part_in_a_session_learns_nothing_even_afterwards(site: LeakSite) -> None:
    """Another student of the same package and a passer-by, who know every identifier."""
    student, other = await site.newcomer(), await site.newcomer()
    session = await student.begin(feedback="immediate")
    for shown in session["questions"]:
        await student.answer(session, shown, right=True)
    for person in (other.name, None):
        told = await site.walk(person, site.reads_of_students(), student.knows(session))
        site.assert_silent(told)
        own = [each.place for each in told if session["id"] in each.answer.text and each.answer.status_code == 200]
        assert own == []


async def test_no_student_reads_what_is_for_staff(site: LeakSite) -> None:
    student = await site.newcomer()
    session = await student.begin(feedback="deferred")
    for_staff = [operation for operation in site.reads() if operation not in site.reads_of_students()]
    told = await site.walk(student.name, for_staff, student.knows(session))
    assert {each.answer.status_code for each in told} == {403}
    site.assert_silent(told)


async def test_staff_see_keys_only_where_they_read_a_question(site: LeakSite) -> None:
    """No list, log or account of a student's doings has one."""
    student = await site.newcomer()
    session = await student.begin(feedback="immediate")
    for shown in session["questions"]:
        await student.answer(session, shown, right=True)
    seen = set()
    for person in ("instructor", "admin"):
        told = await site.walk(person, site.reads(), student.knows(session))
        seen |= {each.operation for each in told if LEAK in each.answer.text}
    assert seen <= FOR_AUTHORS
    looked_into = {each.operation for each in told if session["id"] in each.answer.text and each.answer.is_success}
    assert looked_into == {"listUserPracticeSessions", "getUserPracticeSession"}
    assert {"getQuestion", "exportQuestions"} <= seen, "so the search can find something"


# Every statement that names the column of the keys, and why it may.
_STATEMENTS_WITH_KEYS = {
    "exam/regrading": {"versions_of", "contents"},  # to grade again by the latest keys
    "exam/results": {"review"},  # once the session is finished, which the statement asks itself
    "exam/sessions": {"graded_slots"},  # to grade what was handed in
    "practice/answering": {"read_paper"},  # to mark an answer
    "practice/sessions": {"hold_slot"},  # to mark an answer
    "practice/reading": {"review"},  # once the session is over, which the statement asks itself
    "question_bank/authoring": {"read_versions", "add_version", "rewrite_version"},
    "question_bank/exporting": {"next_latest", "next_published"},
    "question_bank/imports": {"stage_questions", "add_first_versions", "rewrite_open_versions", "add_next_versions"},
    "question_bank/near_duplicates": {"stated_questions"},  # for staff, and told without
    "question_bank/reading": {"read_question", "read_versions"},  # for staff
    "question_bank/taxonomy": {"versions_about_topic"},  # to hash content anew
}


def test_no_other_statement_touches_a_key() -> None:
    """A statement that is not listed here reads no key, however it is used."""
    queries = Path(__file__).parents[3] / "sql" / "queries"
    parts = [str(file.relative_to(queries).with_suffix("")) for file in queries.rglob("*.sql")]
    found = {part: {name for name, said in load(part).items() if "answer_key" in said} for part in parts}
    assert {part: names for part, names in found.items() if names} == _STATEMENTS_WITH_KEYS
