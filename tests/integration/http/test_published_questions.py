"""What students see of questions: what is published for them, in full but for anything that could be the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import ANSWERS, KEY, QUESTIONS, QuestionSite, question_site_of

# Whatever only the key of a question in `ANSWERS` holds.
_TELLTALES = (
    KEY,
    "271828",
    "correct",
    "weight",
    "explanation",
    "accepted",
    "bands",
    "tol",
    "pinned",
    "-0.25",
    "editors",
)


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


async def seen(site: QuestionSite, question: dict[str, Any], person: str = "student") -> httpx.Response:
    return await site.ask("GET", f"/questions/{question['id']}", person)


@pytest.mark.parametrize("kind", ANSWERS)
async def test_no_byte_of_the_key_reaches_a_student(questions: QuestionSite, kind: str) -> None:
    """Neither on the question's own page nor in a list nor in a session before it is answered."""
    question = await questions.published(kind, stem=f"Asked of {kind}?")
    own = await seen(questions, question)
    listed = await questions.ask("GET", f"/questions?questionBankId={questions.bank}&limit=100", "student")
    assert (own.status_code, listed.status_code) == (200, 200)
    assert question["id"] in listed.text
    for answer in (own, listed):
        assert [word for word in _TELLTALES if word in answer.text] == []
    staff = await questions.ask("GET", f"{QUESTIONS}/{question['id']}", "instructor")
    assert KEY in staff.text, "what is searched for is there"


@pytest.mark.parametrize("kind", ANSWERS)
async def test_all_else_is_there(questions: QuestionSite, kind: str) -> None:
    question = await questions.published(kind)
    body = (await seen(questions, question)).json()
    choices, prompts = body.pop("choices"), body.pop("prompts")
    assert body == {
        "id": question["id"],
        "questionBankId": questions.bank,
        "version": 1,
        "kind": kind,
        "stem": question["stem"],
        "stemFormat": "plain",
        "topicId": questions.topic,
        "difficultyId": "dif_easy",
        "maxMark": "2.5",
    }
    assert sorted(choice["text"] for choice in choices) == sorted(choice["text"] for choice in question["choices"])
    assert [prompt["text"] for prompt in prompts] == [prompt["text"] for prompt in question["prompts"]]
    assert all(set(each) == {"id", "text", "format"} for each in [*choices, *prompts])


@pytest.mark.parametrize("kind", ["ordering", "matching"])
async def test_neither_order_nor_ids_tell_the_answer(questions: QuestionSite, kind: str) -> None:
    """They are shown in every order that there is, and named by where they are shown."""
    orders = set()
    for _ in range(12):
        shown = (await seen(questions, await questions.published(kind))).json()["choices"]
        assert [choice["id"] for choice in shown] == ["A", "B", "C", "D"]
        orders.add(tuple(choice["text"] for choice in shown))
    assert len(orders) > 4


async def test_a_question_is_always_shown_alike(questions: QuestionSite) -> None:
    question = await questions.published("ordering")
    first, again, other = [await seen(questions, question, person) for person in ("student", "student", "stranger")]
    assert first.json() == again.json() == other.json()
    known = await questions.ask(
        "GET", f"/questions/{question['id']}", "student", headers={"if-none-match": first.headers["etag"]}
    )
    assert (known.status_code, known.content) == (304, b"")


async def test_a_choice_that_keeps_its_place_keeps_it(questions: QuestionSite) -> None:
    for _ in range(4):
        question = await questions.published(choices=[*ANSWERS["single"]["choices"]])
        assert (await seen(questions, question)).json()["choices"][-1]["text"] == "none of these"
    written = await questions.published(shuffle=False)
    assert [choice["id"] for choice in (await seen(questions, written)).json()["choices"]] == ["A", "B", "C"]


async def unseen(site: QuestionSite, question: dict[str, Any], person: str = "student") -> None:
    """Neither read nor listed, and told as if it were nothing."""
    answer = await seen(site, question, person)
    assert_problem(answer, 404, "question.not_found")
    nothing = await site.ask("GET", "/questions/qst_none", person)
    assert answer.json() | {"instance": ""} == nothing.json() | {"instance": ""}
    listed = await site.ask("GET", f"/questions?questionBankId={question['questionBankId']}&limit=100", person)
    assert question["id"] not in listed.text


async def test_only_what_is_published_is_seen(questions: QuestionSite) -> None:
    question = await questions.create()
    await unseen(questions, question)
    question = await questions.step(question, "submit-for-review")
    await unseen(questions, question)
    await questions.step(question, "request-changes", "admin", note="Not yet.")
    await unseen(questions, question)
    await questions.step(question, "publish", "admin")
    assert (await seen(questions, question)).status_code == 200
    await questions.step(question, "archive")
    await unseen(questions, question)


async def test_what_is_being_written_is_not_seen_beside_what_is_published(questions: QuestionSite) -> None:
    question = await questions.published()
    before = (await seen(questions, question)).json()
    path = f"{QUESTIONS}/{question['id']}"
    changed = {"stem": "Unpublished?", "topicId": None, "points": "9"}
    assert (await questions.ask("PUT", path, "instructor", json=changed)).status_code == 200
    assert (await seen(questions, question)).json() == before
    listed = await questions.ask("GET", f"/questions?questionBankId={questions.bank}&limit=100", "student")
    assert "Unpublished" not in listed.text


async def test_a_hidden_bank_shows_nothing(questions: QuestionSite) -> None:
    question = await questions.published()
    keeper = questions.whole.database.keeper
    try:
        keeper.execute("update question_banks set visibility = 'hidden' where id = %s", (questions.bank,))
        await unseen(questions, question)
    finally:
        keeper.execute("update question_banks set visibility = 'visible' where id = %s", (questions.bank,))
    assert (await seen(questions, question)).status_code == 200


async def test_a_bank_of_no_package_shows_nothing(questions: QuestionSite) -> None:
    bank = questions.add_bank("elsewhere")
    created = await questions.ask(
        "POST", "/instructor/questions", "instructor", json=questions.draft(questionBankId=bank, topicId=None)
    )
    question = created.json()
    questions.whole.database.keeper.execute(
        "with v as (update question_versions set status = 'published' where question_id = %(id)s)"
        " update questions set latest_status = 'published', published_version = 1 where id = %(id)s",
        {"id": question["id"]},
    )
    await unseen(questions, question)


async def test_whoever_has_left_a_package_sees_nothing_of_it(questions: QuestionSite) -> None:
    question = await questions.published()
    package = questions.whole.package
    left = await questions.ask("DELETE", f"/student/enrollments/{package}", "stranger")
    assert left.status_code == 204
    await unseen(questions, question, "stranger")
    assert (await questions.ask("GET", "/questions", "stranger")).json()["items"] == []
    again = await questions.ask("POST", "/student/enrollments", "stranger", json={"examPackageId": package})
    assert again.status_code == 201
    assert (await seen(questions, question, "stranger")).status_code == 200


@pytest.mark.parametrize("person", ["instructor", "admin"])
async def test_staff_have_their_own_view(questions: QuestionSite, person: str) -> None:
    question = await questions.published()
    assert_problem(await seen(questions, question, person), 403, "auth.forbidden")
    assert_problem(await questions.ask("GET", f"{QUESTIONS}/{question['id']}", "student"), 403, "auth.forbidden")


async def test_lists_are_filtered_and_continue_where_they_ended(questions: QuestionSite) -> None:
    for _ in range(3):
        await questions.published(difficultyId="dif_hard")
    query = f"/questions?examPackageId={questions.whole.package}&topicId={questions.topic}&difficultyId=dif_hard"
    whole = (await questions.ask("GET", query, "student")).json()["items"]
    assert len(whole) == 3
    first = await questions.ask("GET", f"{query}&limit=2", "student")
    rest = await questions.ask("GET", first.links["next"]["url"], "student")
    assert [*first.json()["items"], *rest.json()["items"]] == whole
    for other in ("examPackageId=pkg_none", "topicId=top_none", "questionBankId=qbk_none", "difficultyId=dif_medium"):
        assert (await questions.ask("GET", f"/questions?{other}", "student")).json()["items"] == [], other
