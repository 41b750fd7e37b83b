"""Writing questions over HTTP: what is accepted, kept and answered, and what is refused by which code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import ANSWERS, QUESTIONS, QuestionSite, question_site_of


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


async def change(
    site: QuestionSite, question: dict[str, Any], body: dict[str, Any], person: str = "instructor", what: str = ""
) -> httpx.Response:
    return await site.ask("PUT", f"{QUESTIONS}/{question['id']}{what}", person, json=body)


@pytest.mark.parametrize("kind", ANSWERS)
async def test_what_was_written_is_read_again(questions: QuestionSite, kind: str) -> None:
    sent = questions.draft(kind)
    created = await questions.ask("POST", QUESTIONS, "instructor", json=sent)
    assert created.status_code == 201
    question = created.json()
    assert created.headers["location"] == f"{QUESTIONS}/{question['id']}"
    assert created.headers["etag"] == '"1000001"'
    author = questions.person("instructor")
    stands = {"version": 1, "rev": 1, "status": "draft", "publishedVersion": None, "note": None}
    stands |= {"authorId": author, "editors": [author], "externalId": question["id"]}
    assert {name: question[name] for name in stands} == stands
    assert (question["points"], question["tags"]) == ("2.5", ["ports"])
    assert [choice["text"] for choice in question["choices"]] == [choice["text"] for choice in sent["choices"]]
    assert [choice["id"] for choice in question["choices"]] == list("ABCDEFGH"[: len(sent["choices"])])
    read = await questions.ask("GET", created.headers["location"], "colleague")
    assert read.json() == question
    assert read.headers["etag"] == created.headers["etag"]


async def test_each_kind_is_told_with_its_key(questions: QuestionSite) -> None:
    told = {kind: await questions.create(kind=kind) for kind in ANSWERS}
    assert {kind: question["correctChoiceIds"] for kind, question in told.items()} == {
        "single": ["B"],
        "multiple": ["A", "B"],
        "true_false": ["A"],
        "numeric": [],
        "short_text": [],
        "matching": [],
        "ordering": ["A", "B", "C", "D"],
    }
    assert told["numeric"]["bands"] == [
        {"answer": "271828", "tolAbs": "0.5", "tolRel": "0", "fraction": "1"},
        {"answer": "271828", "tolAbs": "0", "tolRel": "0.05", "fraction": "0.5"},
    ]
    assert told["short_text"]["accepted"] == ANSWERS["short_text"]["accepted"]
    assert [(prompt["id"], prompt["text"], prompt["choiceId"]) for prompt in told["matching"]["prompts"]] == [
        ("1", "HTTP", "A"),
        ("2", "HTTPS", "B"),
        ("3", "SSH", "C"),
        ("4", "DNS", "D"),
    ]
    right = told["single"]["choices"][1]
    assert (right["correct"], right["weight"], right["explanation"]["format"]) == (True, "1", "markdown")
    assert [choice["pinned"] for choice in told["single"]["choices"]] == [False, False, True]


async def test_a_draft_may_lack_nearly_everything(questions: QuestionSite) -> None:
    body = {"questionBankId": questions.bank, "kind": "single"}
    created = await questions.ask("POST", QUESTIONS, "instructor", json=body)
    question = created.json()
    assert (created.status_code, question["stem"], question["choices"], question["topicId"]) == (201, "", [], None)


async def test_the_same_key_creates_one_question(questions: QuestionSite) -> None:
    sent = questions.draft(stem="Once?")
    key = {"idempotency-key": "write-once"}
    first, again = [await questions.ask("POST", QUESTIONS, "instructor", json=sent, headers=key) for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    other = await questions.ask("POST", QUESTIONS, "instructor", json=sent | {"stem": "Twice?"}, headers=key)
    assert_problem(other, 422, "idempotency.key_reused")
    assert questions.value("select count(*) from question_versions where stem = 'Once?'") == 1


@pytest.mark.parametrize(
    ("differences", "status", "code"),
    [
        ({"questionBankId": "qbk_none"}, 404, "question_bank.not_found"),
        ({"topicId": "top_none"}, 422, "question.topic_unknown"),
        ({"difficultyId": "dif_none"}, 422, "question.difficulty_unknown"),
        ({"externalId": "taken"}, 409, "question.external_id_taken"),
    ],
)
async def test_what_a_new_question_may_not_name(
    questions: QuestionSite, differences: dict[str, Any], status: int, code: str
) -> None:
    await questions.ask("POST", QUESTIONS, "instructor", json=questions.draft(externalId="taken"))
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=questions.draft(**differences))
    assert_problem(refused, status, code)


_TOO_MUCH: dict[str, tuple[str, Any]] = {
    "stem": ("/stem", "x" * 32_769),
    "option": ("/choices/0/text", [{"text": "x" * 8_193}]),
    "options": ("/choices", [{"text": str(number)} for number in range(27)]),
    "prompts": ("/prompts", [{"text": str(number), "choiceId": "A"} for number in range(27)]),
    "bands": ("/bands", [{"answer": "1"}] * 21),
    "accepted": ("/accepted", [str(number) for number in range(51)]),
    "tags": ("/tags", [str(number) for number in range(51)]),
    "tag": ("/tags/0", ["x" * 513]),
    "external id": ("/externalId", "x" * 513),
    "explanation": ("/explanation/text", {"text": "x" * 32_769}),
    "points": ("/points", "10000"),
    "fine points": ("/points", "0.00001"),
    "number": ("/bands/0/answer", [{"answer": "1" * 29}]),
    "digits": ("/bands/0/answer", [{"answer": "1" * 28 + ".5"}]),
    "power": ("/bands/0/answer", [{"answer": "1e40"}]),
    "not a number": ("/bands/0/answer", [{"answer": "NaN"}]),
    "tolerance": ("/bands/0/tolAbs", [{"answer": "1", "tolAbs": "-1"}]),
    "fraction": ("/bands/0/fraction", [{"answer": "1", "fraction": "1.5"}]),
    "weight": ("/choices/0/weight", [{"text": "a", "weight": "-1.01"}]),
}


@pytest.mark.parametrize(("pointer", "value"), _TOO_MUCH.values(), ids=_TOO_MUCH.keys())
async def test_lengths_counts_and_numbers_are_bounded(questions: QuestionSite, pointer: str, value: Any) -> None:
    sent = questions.draft("numeric" if "/bands" in pointer else "single") | {pointer.split("/")[1]: value}
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=sent)
    assert_problem(refused, 422, "request.invalid")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "name", ["status", "authorId", "version", "rev", "editors", "publishedVersion", "id", "createdAt", "contentHash"]
)
async def test_nobody_sets_what_the_bank_keeps(questions: QuestionSite, name: str) -> None:
    question = await questions.create()
    for method, path, body in (
        ("POST", QUESTIONS, questions.draft()),
        ("PUT", f"{QUESTIONS}/{question['id']}", {"stem": "Mine?"}),
        ("PUT", f"{QUESTIONS}/{question['id']}/choices", {"choices": []}),
        ("POST", f"{QUESTIONS}/{question['id']}/publish", {}),
    ):
        refused = await questions.ask(method, path, "admin", json=body | {name: "published"})
        assert_problem(refused, 422, "request.invalid")
        assert [fault["code"] for fault in refused.json()["errors"]] == ["unknown_field"]
    assert await questions.read(question) == question


async def test_html_is_made_safe_before_it_is_kept(questions: QuestionSite) -> None:
    bad = "<p>Which<script>alert(1)</script> <b onclick='x()'>port</b>?</p>"
    written = await questions.create(
        stem=bad, stemFormat="html", choices=[{"text": bad, "format": "html"}, {"text": "<script>"}]
    )
    assert "script" not in written["stem"]
    assert "onclick" not in written["choices"][0]["text"]
    assert "port" in written["stem"]
    assert written["choices"][1]["text"] == "<script>", "plain text is data"


async def test_a_change_names_what_changes(questions: QuestionSite) -> None:
    before = await questions.create()
    answer = await change(questions, before, {"stem": "Which port does HTTP use?", "topicId": None, "points": "4"})
    assert answer.status_code == 200
    after = answer.json()
    expected = {"stem": "Which port does HTTP use?", "topicId": None, "points": "4", "rev": 2}
    assert after == before | expected | {"updatedAt": after["updatedAt"]}
    assert answer.headers["etag"] == '"1000002"'
    assert await questions.read(before) == after


@pytest.mark.parametrize("body", [{}, {"expectedRev": 1}, {"stemFormat": "html"}])
async def test_a_change_of_nothing_is_refused(questions: QuestionSite, body: dict[str, Any]) -> None:
    assert_problem(await change(questions, await questions.create(), body), 422, "request.invalid")


async def test_replacing_the_choices_replaces_all_that_answers_are_made_of(questions: QuestionSite) -> None:
    question = await questions.create(kind="matching")
    body = {"kind": "single", "choices": [{"text": "80"}, {"text": "443", "correct": True}], "expectedRev": 1}
    answer = await change(questions, question, body, what="/choices")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["kind"], after["correctChoiceIds"], after["prompts"]) == ("single", ["B"], [])
    assert (after["stem"], after["rev"]) == (question["stem"], 2)


@pytest.mark.parametrize(
    ("kind", "parts"), [("numeric", {"bands": [{"answer": "4"}]}), ("short_text", {"accepted": ["four"]})]
)
async def test_what_has_no_choices_needs_none_to_be_replaced(
    questions: QuestionSite, kind: str, parts: dict[str, Any]
) -> None:
    answer = await change(questions, await questions.create(kind=kind), parts, what="/choices")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after["choices"] == []
    assert [len(after[part]) for part in ("bands", "accepted")] == [
        len(parts.get("bands", [])),
        len(parts.get("accepted", [])),
    ]


@pytest.mark.parametrize("body", [{}, {"expectedRev": 1}, {"kind": "ordering"}])
async def test_nothing_is_emptied_by_saying_nothing(questions: QuestionSite, body: dict[str, Any]) -> None:
    question = await questions.create()
    assert_problem(await change(questions, question, body, what="/choices"), 422, "request.invalid")
    assert await questions.read(question) == question


async def test_tags_are_kept_trimmed_and_each_once(questions: QuestionSite) -> None:
    question = await questions.create(tags=["x", "x", " ", " y "])
    assert question["tags"] == ["x", "y"]
    assert (await change(questions, question, {"tags": ["y", "x ", "y"]})).json()["tags"] == ["y", "x"]


async def test_choices_are_lettered_by_their_place_and_prompts_follow(questions: QuestionSite) -> None:
    """What was read may be sent back in another order, under the ids that it had."""
    question = await questions.create(kind="matching")
    shown = ("id", "text")
    choices = [{name: choice[name] for name in shown} for choice in reversed(question["choices"])]
    prompts = [{"text": prompt["text"], "choiceId": prompt["choiceId"]} for prompt in question["prompts"]]
    after = (await change(questions, question, {"choices": choices, "prompts": prompts}, what="/choices")).json()
    assert [(choice["id"], choice["text"]) for choice in after["choices"]] == [
        ("A", "53"),
        ("B", "22"),
        ("C", "443"),
        ("D", "80"),
    ]
    assert [(prompt["text"], prompt["choiceId"]) for prompt in after["prompts"]] == [
        ("HTTP", "D"),
        ("HTTPS", "C"),
        ("SSH", "B"),
        ("DNS", "A"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"choices": [{"text": "a"}], "prompts": [{"text": "b", "choiceId": "B"}]}, "/prompts/0/choiceId"),
        ({"choices": [{"text": "a", "id": "x"}, {"text": "b", "id": "x"}]}, "/choices/1/id"),
        ({"choices": [{"text": "a", "id": "B"}, {"text": "b"}]}, "/choices/1/id"),
    ],
)
async def test_a_choice_that_nobody_can_tell_is_refused(
    questions: QuestionSite, body: dict[str, Any], pointer: str
) -> None:
    question = await questions.create(kind="matching")
    refused = await change(questions, question, body, what="/choices")
    assert_problem(refused, 422, "request.invalid")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]


_CHANGES: list[tuple[str, dict[str, Any]]] = [("", {"stem": "Anew?"}), ("/choices", {"choices": []})]


@pytest.mark.parametrize(("what", "body"), _CHANGES)
async def test_a_stale_change_is_refused(questions: QuestionSite, what: str, body: dict[str, Any]) -> None:
    question = await questions.create()
    await change(questions, question, {"points": "3"})
    assert_problem(await change(questions, question, body | {"expectedRev": 1}, what=what), 409, "question.stale")
    path = f"{QUESTIONS}/{question['id']}{what}"
    refused = await questions.ask("PUT", path, "instructor", json=body, headers={"if-match": '"1000001"'})
    assert_problem(refused, 412, "question.precondition_failed")
    assert refused.headers["etag"] == '"1000002"'
    current = {"if-match": refused.headers["etag"]}
    assert (await questions.ask("PUT", path, "instructor", json=body, headers=current)).status_code == 200


@pytest.mark.parametrize("tag", ['"draft"', 'W/"1000001"', "1000001"])
async def test_a_tag_that_is_none_of_a_question_matches_nothing(questions: QuestionSite, tag: str) -> None:
    question = await questions.create()
    path = f"{QUESTIONS}/{question['id']}"
    refused = await questions.ask("PUT", path, "instructor", json={"stem": "?"}, headers={"if-match": tag})
    assert_problem(refused, 412, "request.stale_version")
    assert await questions.read(question) == question


async def test_what_is_in_review_is_locked(questions: QuestionSite) -> None:
    question = await questions.step(await questions.create(), "submit-for-review")
    for what, body in _CHANGES:
        assert_problem(await change(questions, question, body, what=what), 409, "question.locked_in_review")


async def test_an_edit_of_what_is_published_opens_the_next_version(questions: QuestionSite) -> None:
    published = await questions.published()
    after = (await change(questions, published, {"stem": "Anew?"})).json()
    assert (after["version"], after["rev"], after["status"], after["publishedVersion"]) == (2, 3, "draft", 1)


async def test_what_is_archived_is_not_edited(questions: QuestionSite) -> None:
    question = await questions.step(await questions.published(), "archive")
    assert_problem(await change(questions, question, {"stem": "Anew?"}), 409, "question.wrong_status")


async def test_another_instructor_reads_and_changes_nothing(questions: QuestionSite) -> None:
    question = await questions.create()
    assert await questions.read(question, person="colleague") == question
    for what, body in _CHANGES:
        refused = await change(questions, question, body, person="colleague", what=what)
        assert_problem(refused, 403, "question.not_an_editor")
    for step in ("submit-for-review", "withdraw", "archive", "draft"):
        assert_problem(await questions.try_step(question, step, "colleague"), 403, "question.not_an_editor")
    refused = await questions.ask("DELETE", f"{QUESTIONS}/{question['id']}", "colleague")
    assert_problem(refused, 403, "question.not_an_editor")
    assert await questions.read(question) == question


async def test_a_question_of_a_hidden_bank_is_there_for_its_people_only(questions: QuestionSite) -> None:
    bank = questions.add_bank("hidden", visibility="hidden", owner=questions.person("instructor"))
    question = await questions.create(questionBankId=bank, topicId=None)
    path = f"{QUESTIONS}/{question['id']}"
    whats = ["", "/versions", "/versions/1", "/versions/1/diff", "/reviews"]
    asked: list[tuple[str, str, dict[str, Any] | None]] = [
        *(("GET", what, None) for what in whats),
        ("PUT", "", {"stem": "?"}),
        ("PUT", "/choices", {"choices": []}),
        ("DELETE", "", None),
        *(("POST", f"/{step}", {}) for step in ("submit-for-review", "withdraw", "archive", "draft")),
    ]
    for method, what, body in asked:
        answer = await questions.ask(method, f"{path}{what}", "colleague", json=body)
        assert_problem(answer, 404, "question.not_found")
    refused = await questions.ask("POST", QUESTIONS, "colleague", json=questions.draft(questionBankId=bank))
    assert_problem(refused, 404, "question_bank.not_found")
    for person in ("instructor", "admin"):
        assert await questions.read(question, person=person) == question


async def test_its_author_deletes_what_was_never_published(questions: QuestionSite) -> None:
    question = await questions.create()
    path = f"{QUESTIONS}/{question['id']}"
    assert_problem(
        await questions.ask("DELETE", path, "instructor", headers={"if-match": '"1000009"'}),
        412,
        "question.precondition_failed",
    )
    deleted = await questions.ask("DELETE", path, "instructor")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert_problem(await questions.ask("GET", path, "instructor"), 404, "question.not_found")
    assert_problem(await questions.ask("DELETE", path, "instructor"), 404, "question.not_found")
    (row,) = await questions.audited(question, "deleted")
    assert row["actorId"] == questions.person("instructor")


async def test_an_administrator_deletes_anybodys(questions: QuestionSite) -> None:
    question = await questions.create()
    assert_problem(
        await questions.ask("DELETE", f"/admin/questions/{question['id']}", "instructor"), 403, "auth.forbidden"
    )
    deleted = await questions.ask("DELETE", f"/admin/questions/{question['id']}", "admin")
    assert deleted.status_code == 204
    (row,) = await questions.audited(question, "deleted")
    assert row["actorId"] == questions.person("admin")


async def test_what_was_published_stays(questions: QuestionSite) -> None:
    question = await questions.step(await questions.published(), "archive", "admin")
    for path, person in ((QUESTIONS, "instructor"), ("/admin/questions", "admin")):
        refused = await questions.ask("DELETE", f"{path}/{question['id']}", person)
        assert_problem(refused, 409, "question.in_use")


async def test_a_question_is_not_sent_again_until_it_changes(questions: QuestionSite) -> None:
    """Every step is a change, those that write nothing included."""
    question = await questions.create()
    path = f"{QUESTIONS}/{question['id']}"
    tag = (await questions.ask("GET", path, "instructor")).headers["etag"]
    for step, person in (
        ("submit-for-review", "instructor"),
        ("withdraw", "instructor"),
        ("publish", "admin"),
        ("archive", "instructor"),
        ("draft", "instructor"),
    ):
        known = await questions.ask("GET", path, "instructor", headers={"if-none-match": tag})
        assert (known.status_code, known.content) == (304, b"")
        question = await questions.step(question, step, person)
        changed = await questions.ask("GET", path, "instructor", headers={"if-none-match": tag})
        assert (changed.status_code, changed.json()) == (200, question), step
        assert changed.headers["etag"] != tag
        tag = changed.headers["etag"]
