"""Bodies: what is decoded, what is refused and how exactly the refusal names the fault, how long and how large."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar.types import HTTPReceiveMessage

from domain.errors import InvalidInput
from entrypoints.http.json_text import refuse_unreadable
from entrypoints.http.refusals import MalformedRequest
from tests.support.http import assert_problem, build_app, client_of
from tests.support.sample_area import sample_area

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(sample_area())) as client:
        yield client


async def test_a_body_in_camel_case_is_decoded_and_answered_in_camel_case(client: httpx.AsyncClient) -> None:
    response = await client.post("/items", json={"title": "Ports", "itemCount": 3})
    assert response.status_code == 201
    assert response.json() == {
        "id": "itm_1",
        "title": "Ports",
        "itemCount": 3,
        "mark": "0.75",
        "createdAt": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/title", "required"),
        ({"title": 1}, "/title", "wrong_type"),
        ({"title": ""}, "/title", "too_short"),
        ({"title": "a" * 201}, "/title", "too_long"),
        ({"title": "a", "nope": 1}, "/nope", "unknown_field"),
        ({"title": "a", "item_count": 1}, "/item_count", "unknown_field"),
        ({"title": "a", "itemCount": "1"}, "/itemCount", "wrong_type"),
        ({"title": "a", "itemCount": 1.5}, "/itemCount", "wrong_type"),
        ({"title": "a", "itemCount": -1}, "/itemCount", "out_of_range"),
        ({"title": "a", "itemCount": 2**31}, "/itemCount", "out_of_range"),
        ({"title": "a", "itemCount": 10**100}, "/itemCount", "out_of_range"),
        ({"title": "a", "itemCount": True}, "/itemCount", "wrong_type"),
        ({"title": "a", "choices": [{"choiceId": "A"}, {"choiceId": 1}]}, "/choices/1/choiceId", "wrong_type"),
        ({"title": "a", "choices": [{"choiceId": "a b"}]}, "/choices/0/choiceId", "wrong_format"),
        ({"title": "a", "choices": [{"choiceId": "A\n"}]}, "/choices/0/choiceId", "wrong_format"),
        ({"title": "a", "choices": [{"choiceId": "A", "x/y~z": 1}]}, "/choices/0/x~1y~0z", "unknown_field"),
        ({"title": "a", "choices": [{"choiceId": "A"}] * 6}, "/choices", "too_long"),
        ({"title": "a", "labels": {"x": 1}}, "/labels", "wrong_type"),
        ({"title": "a", "opensAt": "1999-12-31T23:59:59Z"}, "/opensAt", "invalid"),
        ({"title": "a", "opensAt": "2100-01-01T00:00:00Z"}, "/opensAt", "invalid"),
        ({"title": "a", "opensAt": "9999-12-31T23:59:59-14:00"}, "/opensAt", "invalid"),
        ({"title": "a", "opensAt": "2026-01-01T00:00:00"}, "/opensAt", "invalid"),
        ([], "", "wrong_type"),
        ("text", "", "wrong_type"),
    ],
)
async def test_the_field_at_fault_is_named(client: httpx.AsyncClient, body: object, pointer: str, code: str) -> None:
    problem = assert_problem(await client.post("/items", json=body), 422, "request.invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'{"title": "a\u0000b"}', "/title"),
        (rb'{"title": "\ud800"}', "/title"),
        (rb'{"title": "\uDFFF\uD800"}', "/title"),
        (rb'{"title": "a", "choices": [{"choiceId": "\u0000"}]}', "/choices/0/choiceId"),
        (rb'{"title": "a", "labels": {"\u0000": "x"}}', "/labels"),
        (rb'{"title": "a", "snapshot": {"deep": ["\ud83d"]}}', "/snapshot/deep/0"),
    ],
)
async def test_characters_that_cannot_be_stored_are_refused(
    client: httpx.AsyncClient, body: bytes, pointer: str
) -> None:
    problem = assert_problem(await client.post("/items", content=body, headers=JSON), 422, "request.invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, "forbidden_character")]


@pytest.mark.parametrize("title", ["é", "\U0001f600", "\\u0000", "\\ud800", "“quoted”"])
async def test_every_other_text_passes_escaped_or_not(client: httpx.AsyncClient, title: str) -> None:
    for escaped in (True, False):
        body = json.dumps({"title": title}, ensure_ascii=escaped).encode()
        response = await client.post("/items", content=body, headers=JSON)
        assert response.json()["title"] == title


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"title": "a"} trailing',
        b'{"title": "a\xff"}',
        b'{"title": "a", "snapshot": "\xff"}',
        b'{"title": "a\x00"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"title": NaN}',
        b'{"title": "\\u12"}',
        b'{"title": "\\u0000"',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"title": "a", "snapshot": ' + b"[" * 32 + b"]" * 32 + b"}",
    ],
)
async def test_what_is_no_json_to_us_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    assert_problem(await client.post("/items", content=body, headers=JSON), 400, "request.malformed")


async def test_thirty_two_levels_are_not_too_deep(client: httpx.AsyncClient) -> None:
    body = b'{"title": "a[[[[{{{{\\"[[", "snapshot": ' + b"[" * 31 + b"]" * 31 + b"}"
    assert (await client.post("/items", content=body, headers=JSON)).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
async def test_a_body_that_does_not_say_it_is_json_is_not_read(client: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await client.post("/items", content=b'{"title": "a"}', headers=headers)
    assert_problem(response, 415, "request.unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
async def test_json_may_be_announced_in_any_of_its_ways(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/items", content=b'{"title": "a"}', headers={"content-type": content_type})
    assert response.status_code == 201


async def test_an_absent_body_is_asked_for_unless_it_is_optional(client: httpx.AsyncClient) -> None:
    problem = assert_problem(await client.post("/items"), 422, "request.invalid")
    assert problem["errors"] == [{"pointer": "", "code": "required", "message": "A JSON body is required"}]
    assert (await client.post("/items/optional")).json() == {"given": False}
    assert (await client.post("/items/optional", json=None)).json() == {"given": False}
    assert (await client.post("/items/optional", json={"title": "a"})).json() == {"given": True}
    assert_problem(await client.post("/items/optional", json={}), 422, "request.invalid")


async def test_a_body_over_a_mebibyte_is_refused_by_its_announced_length(client: httpx.AsyncClient) -> None:
    response = await client.post("/items", content=b" " * (1024 * 1024 + 1), headers=JSON)
    assert_problem(response, 413, "request.too_large")
    assert response.headers["connection"] == "close"
    assert_problem(
        await client.post("/items/optional", headers={"content-length": "9" * 5000}), 413, "request.too_large"
    )
    assert_problem(await client.post("/items", headers={"content-length": "x"}), 400, "request.malformed")


async def test_a_body_that_grows_too_large_while_it_comes_is_refused(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 20_000

    assert_problem(await client.post("/items", content=parts(), headers=JSON), 413, "request.too_large")


async def test_a_route_may_take_more(client: httpx.AsyncClient) -> None:
    size = 2 * 1024 * 1024
    assert (await client.post("/large", content=b"x" * size)).json() == {"size": size}
    assert_problem(await client.post("/large", content=b"x" * 2 * size), 413, "request.too_large")


async def test_a_body_that_does_not_arrive_in_time_is_refused(client: httpx.AsyncClient) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = await client.post("/large", content=never())
    assert_problem(response, 408, "request.timeout")
    assert response.headers["connection"] == "close"


async def test_a_client_that_goes_away_is_no_defect() -> None:
    app = build_app(sample_area())
    sent: list[int] = []

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message.get("status", 0))  # type: ignore[attr-defined]

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/items",
        "raw_path": b"/items",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "client": ("10.0.0.1", 1),
    }
    async with app.lifespan():
        await app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0] == 400


async def test_a_body_can_be_read_again_in_any_way(client: httpx.AsyncClient) -> None:
    assert (await client.post("/twice", content=b"abc")).json() == {"same": True, "more_time": False}


async def test_time_that_the_client_took_to_send_is_not_taken_from_the_answer(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entrypoints.http.requests._PROMPT_SECONDS", -1)
    assert (await client.post("/twice", content=b"abc")).json() == {"same": True, "more_time": True}


async def test_a_form_has_the_same_limits(client: httpx.AsyncClient) -> None:
    response = await client.post("/forms", files={"file": ("a.txt", b"x" * 1000)})
    assert response.json() == {"size": 1000, "same": 1}
    assert_problem(await client.post("/forms", files={"file": ("a.txt", b"x" * 2_000_000)}), 413, "request.too_large")


@pytest.mark.parametrize("content", [b"", b"--x", b"--x\r\n\r\n", b"\xff" * 100])
async def test_a_broken_form_is_no_defect(client: httpx.AsyncClient, content: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data"):
        response = await client.post("/forms", content=content, headers={"content-type": kind})
        assert response.status_code in {201, 400, 422}, response.text


@pytest.mark.parametrize("unit", [b'"\\', b'"\\"', b"[", b"]", b"][", b'{"a":', b'"[', b"\\u0000", b"[],"])
def test_hostile_text_costs_linear_time(unit: bytes) -> None:
    """A mebibyte of the worst that there is takes far less than the second that a quadratic search would exceed. What
    other processes do meanwhile does not count.
    """
    text = b"[" * 40 + unit * (1024 * 1024 // len(unit))
    started = time.process_time()
    with pytest.raises((MalformedRequest, InvalidInput)):
        refuse_unreadable(text)
    assert time.process_time() - started < 1
