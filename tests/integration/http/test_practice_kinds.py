"""One question of each kind over HTTP: asked, answered, judged and reviewed; and what is no answer to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import EVERY_KIND, MATCH, NUMBER, ORDER, SECRET, TEXT, Offer
from tests.support.practice_site import SESSIONS, Site, site_of

_EMPTY: dict[str, Any] = {"choiceIds": [], "numericValue": None, "text": None, "order": [], "pairs": {}}
_KEYLESS: dict[str, Any] = {"correctOrder": [], "correctPairs": {}, "correctValues": [], "acceptedTexts": []}
_TOLERANT = [
    {"answer": "98.6", "tolAbs": "0", "tolRel": "0", "fraction": "1"},
    {"answer": "98.6", "tolAbs": "0.5", "tolRel": "0", "fraction": "0.75"},
]


@pytest.fixture
async def site(
    cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock
) -> AsyncIterator[Site]:
    async with site_of(cloned, database, ids, clock) as site:
        site.world.offer(EVERY_KIND)
        yield site


async def begin(site: Site, offer: Offer, **wishes: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """A session, a question of it, and what its options are called there, by their own ids."""
    session = await site.begin(count=20, **wishes)
    (question,) = (each for each in session["questions"] if each["questionId"] == offer.id)
    return session, question, {choice["text"][0]: choice["id"] for choice in question["choices"]}


async def judged(site: Site, session: dict[str, Any], question: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await site.answer(session, slot=question["slot"], **body)
    assert answer.status_code == 200, answer.text
    feedback: dict[str, Any] = answer.json()["feedback"]
    return feedback


async def test_a_number_is_judged_by_its_bands(site: Site) -> None:
    session, question, _ = await begin(site, NUMBER)
    assert (question["kind"], question["choices"], question["prompts"]) == ("numeric", [], [])
    feedback = await judged(site, session, question, numericValue="98.10")
    assert (feedback["correct"], feedback["mark"], feedback["maxMark"]) == (False, "1.5", "2")
    assert {name: feedback[name] for name in _KEYLESS} == {**_KEYLESS, "correctValues": _TOLERANT}
    read = await site.read(session)
    assert read["questions"][question["slot"] - 1]["response"] == {**_EMPTY, "numericValue": "98.1"}


@pytest.mark.parametrize("number", [b"98.6", b"98.60", b"986e-1", b'"98.6"', b'" +98.600 "', b'"9.86e1"'])
async def test_a_number_may_be_sent_as_a_number_or_as_a_string(site: Site, number: bytes) -> None:
    session, question, _ = await begin(site, NUMBER)
    content = b'{"slot": %d, "numericValue": %s}' % (question["slot"], number)
    path, headers = f"{SESSIONS}/{session['id']}/answers", {"content-type": "application/json"}
    answer = await site.client.post(path, content=content, headers=headers)
    assert answer.json()["feedback"]["correct"] is True
    again = await site.answer(session, slot=question["slot"], numericValue=98.6)
    assert again.json() == answer.json()


@pytest.mark.parametrize(
    ("number", "told"),
    [(100, "100"), ("-0.0", "0"), ("6.02e23", "602000000000000000000000"), ("1" * 40 + ".5", "1" * 40 + ".5")],
)
async def test_a_number_is_told_again_to_the_last_digit(site: Site, number: Any, told: str) -> None:
    session, question, _ = await begin(site, NUMBER)
    await judged(site, session, question, numericValue=number)
    (item,) = (await site.read(session, "/review"))["items"]
    assert item["response"]["numericValue"] == told


async def test_a_short_text_is_judged_without_case_and_blanks(site: Site) -> None:
    session, question, _ = await begin(site, TEXT)
    feedback = await judged(site, session, question, text="  domain  NAME system ")
    assert (feedback["correct"], feedback["mark"]) == (True, "1")
    assert {name: feedback[name] for name in _KEYLESS} == {**_KEYLESS, "acceptedTexts": ["Domain Name System", "DNS"]}
    (item,) = (await site.read(session, "/review"))["items"]
    assert item["response"] == {**_EMPTY, "text": "domain NAME system"}


async def test_prompts_are_matched_to_options(site: Site) -> None:
    session, question, names = await begin(site, MATCH)
    assert [prompt["id"] for prompt in question["prompts"]] == ["1", "2", "3"]
    assert set(question["prompts"][0]) == {"id", "text", "format"}
    pairs = {"3": names["C"], "1": names["A"], "2": names["D"]}
    feedback = await judged(site, session, question, pairs=pairs)
    assert (feedback["correct"], feedback["mark"]) == (False, "0.666667")
    assert feedback["correctPairs"] == {"1": names["A"], "2": names["B"], "3": names["C"]}
    (item,) = (await site.read(session, "/review"))["items"]
    assert (item["response"], item["correctPairs"]) == ({**_EMPTY, "pairs": pairs}, feedback["correctPairs"])


@pytest.mark.parametrize("feedback", ["immediate", "deferred"])
async def test_options_are_put_in_order(site: Site, feedback: str) -> None:
    session, question, names = await begin(site, ORDER, feedback=feedback)
    right = [names[letter] for letter in "ABCDEF"]
    answered = await site.answer(session, slot=question["slot"], order=right)
    assert answered.status_code == 200
    await site.move(session, "finish")
    review = (await site.read(session, "/review"))["items"]
    (item,) = (each for each in review if each["questionId"] == ORDER.id)
    assert (item["correct"], item["response"]) == (True, {**_EMPTY, "order": right})
    assert (item["correctOrder"], item["correctChoiceIds"]) == (right, [])
    told = {each["text"][-1]: each["choiceId"] for each in item["explanations"] if each["choiceId"]}
    assert told == names
    assert answered.json()["feedback"] is None or answered.json()["feedback"]["correctOrder"] == right


async def test_neither_order_nor_names_tell_what_is_right(site: Site) -> None:
    """Options to be ordered or matched are named A, B, C… as they are shown; the right order differs by session."""
    seen = set()
    for _ in range(5):
        session, question, names = await begin(site, ORDER)
        assert [choice["id"] for choice in question["choices"]] == list("ABCDEF")
        assert SECRET not in json.dumps(session)
        seen.add(tuple(names[letter] for letter in "ABCDEF"))
    assert len(seen) > 1


async def test_a_session_of_every_kind_adds_up(site: Site) -> None:
    session = await site.begin(count=20, feedback="deferred")
    for question in session["questions"]:
        names = {choice["text"][0]: choice["id"] for choice in question["choices"]}
        right: dict[str, dict[str, Any]] = {
            "multiple": {"choiceIds": ["A", "C"]},
            "numeric": {"numericValue": "98.6"},
            "short_text": {"text": "DNS"},
            "matching": {"pairs": {str(place): names.get(letter) for place, letter in enumerate("ABC", 1)}},
            "ordering": {"order": [names.get(letter) for letter in "ABCDEF"]},
        }
        body = right.get(question["kind"], {"choiceId": "B"})
        assert (await site.answer(session, slot=question["slot"], **body)).status_code == 200
    summary = await site.read(session, "/summary")
    assert (summary["status"], summary["answered"], summary["correct"]) == ("finished", 10, 10)
    assert (summary["mark"], summary["maxMark"], summary["percent"]) == ("11", "11", "100")


@pytest.mark.parametrize(
    ("offer", "body", "fault"),
    [
        (NUMBER, {}, ("/numericValue", "required")),
        (NUMBER, {"numericValue": None}, ("/numericValue", "required")),
        (NUMBER, {"numericValue": ""}, ("/numericValue", "not_a_number")),
        (NUMBER, {"numericValue": "NaN"}, ("/numericValue", "not_a_number")),
        (NUMBER, {"numericValue": "-Infinity"}, ("/numericValue", "not_a_number")),
        (NUMBER, {"numericValue": "9_8.6"}, ("/numericValue", "not_a_number")),
        (NUMBER, {"numericValue": "98,6"}, ("/numericValue", "comma")),
        (NUMBER, {"numericValue": "1e999999999"}, ("/numericValue", "not_a_number")),
        (NUMBER, {"numericValue": "1e9999"}, ("/numericValue", "out_of_range")),
        (NUMBER, {"numericValue": 1e300}, ("/numericValue", "out_of_range")),
        (NUMBER, {"numericValue": "9" * 65}, ("/numericValue", "too_long")),
        (TEXT, {"text": ""}, ("/text", "required")),
        (TEXT, {"text": " \n "}, ("/text", "required")),
        (TEXT, {"text": "x" * 1001}, ("/text", "too_long")),
        (TEXT, {"text": "\u0301" * 1001}, ("/text", "too_long")),
        (MATCH, {"pairs": {}}, ("/pairs", "required")),
        (MATCH, {"pairs": {"4": "A"}}, ("/pairs", "unknown_prompt")),
        (MATCH, {"pairs": {"1": "Z"}}, ("/pairs", "unknown_choice")),
        (ORDER, {"order": []}, ("/order", "required")),
        (ORDER, {"order": ["A", "B"]}, ("/order", "not_an_order")),
        (ORDER, {"order": ["A", "B", "C", "D", "E", "E"]}, ("/order", "not_an_order")),
        (ORDER, {"order": ["A", "B", "C", "D", "E", "Z"]}, ("/order", "unknown_choice")),
        (ORDER, {"order": [*"ABCDEF", "A"]}, ("/order", "not_an_order")),
        (ORDER, {"order": ["A"] * 100}, ("/order", "not_an_order")),
    ],
)
async def test_an_answer_that_is_none_names_its_field(
    site: Site, offer: Offer, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    session, question, _ = await begin(site, offer)
    problem = assert_problem(await site.answer(session, slot=question["slot"], **body), 422, "answer.invalid")
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [fault]
    assert (await site.read(session))["answeredCount"] == 0


@pytest.mark.parametrize("offer", EVERY_KIND, ids=lambda offer: offer.kind)
async def test_an_answer_to_another_kind_of_question_is_refused(site: Site, offer: Offer) -> None:
    session, question, _ = await begin(site, offer)
    own = {"numeric": "/numericValue", "short_text": "/text", "matching": "/pairs", "ordering": "/order"}
    due = own.get(offer.kind, "/choiceIds")
    others: dict[str, Any] = {"choiceIds": ["A"], "numericValue": 1, "text": "A", "order": ["A"], "pairs": {"1": "A"}}
    for name, value in others.items():
        if due != f"/{name}":
            refused = await site.answer(session, slot=question["slot"], **{name: value})
            problem = assert_problem(refused, 422, "answer.invalid")
            assert [each["pointer"] for each in problem["errors"]] == [f"/{name}", due]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"numericValue": True}, "/numericValue"),
        ({"numericValue": [1]}, "/numericValue"),
        ({"numericValue": 2**63}, "/numericValue"),
        ({"numericValue": "9" * 10_001}, "/numericValue"),
        ({"text": 1}, "/text"),
        ({"text": "x" * 10_001}, "/text"),
        ({"text": "a\x00b"}, "/text"),
        ({"order": "ABC"}, "/order"),
        ({"order": ["A"] * 101}, "/order"),
        ({"order": [None]}, "/order/0"),
        ({"pairs": [["1", "A"]]}, "/pairs"),
        ({"pairs": {"1": ["A"]}}, "/pairs"),
        ({"pairs": {"1": None}}, "/pairs"),
        ({"pairs": {"no id!": "A"}}, "/pairs"),
        ({"pairs": {str(number): "A" for number in range(101)}}, "/pairs"),
    ],
)
async def test_a_body_that_is_no_answer_of_any_kind_is_refused_by_its_shape(
    site: Site, body: dict[str, Any], pointer: str
) -> None:
    session, _, _ = await begin(site, NUMBER)
    problem = assert_problem(await site.answer(session, slot=1, **body), 422, "request.invalid")
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
