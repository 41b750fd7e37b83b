"""Every error is a problem document, whatever raised it and wherever."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.errors import Kind
from entrypoints.http.middleware.paths import Paths
from entrypoints.http.problems import STATUS
from tests.support.http import assert_problem, build_app, client_of
from tests.support.sample_area import sample_area


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(sample_area())) as client:
        yield client


def test_every_kind_of_refusal_has_a_status() -> None:
    assert set(STATUS) == set(Kind)


@pytest.mark.parametrize(
    "path", ["/nothing", "/items/itm_1/nothing", "/docs/../etc/passwd", "/docs/nothing.js", "//", "/"]
)
async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 404, "request.not_found")


@pytest.mark.parametrize(
    "segment",
    ["%00", "a%00b", "a%2Fb", "a%5cb", "%0a", "ab%0d%0ax", "é", "%ff", "a" * 65, "a b", "1.5", "a" * 3000, "٣"],
)
async def test_an_identifier_of_impossible_shape_is_of_nothing(client: httpx.AsyncClient, segment: str) -> None:
    assert_problem(await client.get(f"/items/{segment}"), 404, "request.not_found")
    assert_problem(await client.put(f"/items/{segment}", json={"title": "x"}), 404, "request.not_found")


async def test_a_wrong_method_is_told_with_those_that_are_right(client: httpx.AsyncClient) -> None:
    response = await client.post("/items/itm_1", json={})
    assert_problem(response, 405, "request.method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"
    assert_problem(await client.request("BREW", "/items"), 405, "request.method_not_allowed")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("busy", 429, "sample.busy"),
        ("outdated", 412, "sample.outdated"),
        ("signed_out", 401, "sample.signed_out"),
        ("unknown_outcome", 503, "service.outcome_unknown"),
        ("rejected", 400, "request.malformed"),
        ("invalid", 422, "request.invalid"),
    ],
)
async def test_a_refusal_is_answered_by_its_kind(client: httpx.AsyncClient, name: str, status: int, code: str) -> None:
    assert_problem(await client.get(f"/failures/{name}"), status, code)


async def test_a_refusal_says_what_helps_the_client(client: httpx.AsyncClient) -> None:
    assert (await client.get("/failures/busy")).headers["retry-after"] == "30"
    assert (await client.get("/failures/unknown_outcome")).headers["retry-after"] == "1"
    assert (await client.get("/failures/outdated")).headers["etag"] == '"9"'
    assert (await client.get("/failures/signed_out")).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["defect", "group", "not_validated"])
async def test_a_defect_tells_nothing_internal_and_is_logged_under_the_request_id(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get(f"/failures/{name}")
    problem = assert_problem(response, 500, "service.internal")
    assert not {"hunter2", "secret", "Error", "Traceback"} & set(response.text.replace("=", " ").split())
    assert "secret" not in response.text
    assert problem["detail"] == "Something went wrong on the server"
    assert caplog.records[-1].exc_info is not None


async def test_an_error_outside_the_router_is_a_problem_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(Paths, "__call__", broken)
    async with client_of(build_app()) as client:
        with caplog.at_level(logging.ERROR):
            response = await client.get("/healthz")
    assert_problem(response, 500, "service.internal")
    assert "hunter2" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("plain", [True, False])
async def test_an_answer_that_has_begun_is_cut_off_rather_than_completed_with_a_problem(plain: bool) -> None:
    """The error reaches the server, which closes the connection."""
    async with client_of(build_app(sample_area(), plain=plain), raise_errors=True) as client:
        with pytest.raises(Exception, match=r"after response started|errors in a TaskGroup"):
            await client.get("/broken-stream")


async def test_a_parameter_of_the_wrong_type_is_named_as_the_client_names_it(client: httpx.AsyncClient) -> None:
    problem = assert_problem(await client.get("/items?topicId=123456"), 422, "request.invalid")
    assert problem["errors"] == [
        {"pointer": "?topicId", "code": "too_long", "message": "Expected `str` of length <= 5"}
    ]


@pytest.mark.parametrize("limit", ["0", "101", "x", "", "1_0", "٣", "-1", "9" * 400, "1e3", "%ff"])
async def test_a_limit_out_of_bounds_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    problem = assert_problem(await client.get(f"/items?limit={limit}"), 422, "request.invalid")
    assert problem["errors"][0]["pointer"] == "?limit"


async def test_a_required_parameter_is_asked_for(client: httpx.AsyncClient) -> None:
    problem = assert_problem(await client.get("/search"), 422, "request.invalid")
    assert problem["errors"] == [{"pointer": "?q", "code": "required", "message": "The parameter is required"}]


@pytest.mark.parametrize("query", ["q=%00", "%00=1", "topicId=a%00b"])
async def test_nul_in_a_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert_problem(await client.get(f"/items?{query}"), 422, "request.invalid")


async def test_a_query_that_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/items?q=" + "a" * 9000), 400, "request.malformed")


async def test_a_forged_host_header_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/healthz", headers={"host": "a b/<x>"}), 400, "request.malformed")
