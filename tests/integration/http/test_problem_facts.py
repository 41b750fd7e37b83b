"""What a refusal knows beyond its words stands in the problem document, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Response, get, post
from litestar.di import Provide
from litestar.params import FromPath

from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from adapters.system.clock import SystemClock
from domain.auth.people import Actor, Role
from domain.errors import DomainError, Kind
from entrypoints.http.fields import ResponseBody
from entrypoints.http.idempotency import once
from entrypoints.http.requests import ApiRequest
from tests.support.http import StubArea, assert_problem, build_app, client_of


class TooEarly(DomainError):
    code = "sample.too_early"
    kind = Kind.TOO_MANY
    title = "It is too early"


class Nothing(ResponseBody):
    text: str


_FACTS: dict[str, dict[str, str | int]] = {
    "none": {},
    "some": {"retryAt": "2026-03-02T09:00:00Z", "currentRevision": 3},
    "in the way": {"status": 200, "code": "fine", "errors": "none", "left": 1},
}


@get("/facts/{name:str}", operation_id="tellFacts")
async def tell(name: FromPath[str]) -> None:
    raise TooEarly(facts=_FACTS[name.replace("_", " ")], retry_after_seconds=60)


@post("/facts/once", operation_id="tellFactsOnce")
async def tell_once(request: ApiRequest) -> Response[Nothing]:
    transact = MemoryTransaction(MemoryStore(), MemoryWork, SystemClock())
    actor = Actor(user_id="usr_1", role=Role.STUDENT, session_id="ses_1")

    async def refuse() -> Any:
        async def unit(_: MemoryWork) -> DomainError:
            return TooEarly(facts=_FACTS["some"])

        raise await transact(unit)

    return await once(request, actor, refuse, lambda _: Nothing(text=""))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    area = StubArea(handlers=[tell, tell_once], dependencies={"unused": Provide(lambda: None, sync_to_thread=False)})
    async with client_of(build_app(area)) as client:
        yield client


async def test_facts_are_members_of_the_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/facts/some")
    problem = assert_problem(answer, 429, "sample.too_early")
    assert (problem["retryAt"], problem["currentRevision"]) == ("2026-03-02T09:00:00Z", 3)
    assert answer.headers["retry-after"] == "60"


async def test_a_refusal_without_facts_has_the_usual_members_only(client: httpx.AsyncClient) -> None:
    problem = assert_problem(await client.get("/facts/none"), 429, "sample.too_early")
    assert set(problem) == {"type", "title", "status", "detail", "code", "instance"}


async def test_a_fact_never_takes_the_place_of_a_usual_member(client: httpx.AsyncClient) -> None:
    problem = assert_problem(await client.get("/facts/in_the_way"), 429, "sample.too_early")
    assert problem["left"] == 1
    assert "errors" not in problem


async def test_a_refusal_has_its_facts_under_a_key_too(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"idempotency-key": "one"}, {"idempotency-key": "one"}):
        problem = assert_problem(await client.post("/facts/once", headers=headers), 429, "sample.too_early")
        assert problem["currentRevision"] == 3


async def test_the_document_tells_that_problems_may_have_members_of_their_own(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["components"]["schemas"]["Problem"]["additionalProperties"]["type"] == ["string", "integer"]
