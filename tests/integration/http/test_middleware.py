"""What every answer carries and what every request passes, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar import get
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from application.request_context import request_context
from entrypoints.http import openapi_headers
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging
from tests.support.http import (
    ORIGIN,
    EdgeSettings,
    LogLines,
    StubArea,
    StubDatabase,
    assert_problem,
    build_app,
    client_of,
)
from tests.support.sample_area import Greeter, PoliteGreeter, greet, sample_area

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ANY_ANSWER = [
    ("GET", "/healthz", 200),
    ("GET", "/nothing", 404),
    ("POST", "/healthz", 405),
    ("POST", "/items", 422),
    ("GET", "/failures/defect", 500),
    ("GET", "/items/%00", 404),
    ("OPTIONS", "/items", 204),
    ("HEAD", "/items", 200),
    ("DELETE", "/items/itm_1", 204),
    ("GET", "/redoc", 308),
]


@pytest.fixture
def logs() -> LogLines:
    return LogLines()


@pytest.fixture
async def client(logs: LogLines) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(sample_area(), logs=logs)) as client:
        yield client


@get("/context")
async def tell_context() -> dict[str, str | None]:
    context = request_context.get()
    return {"id": context.request_id, "ip": context.ip}


@pytest.mark.parametrize(("method", "path", "status"), ANY_ANSWER)
async def test_every_answer_has_an_id_and_the_security_headers(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    headers = response.headers
    assert len(headers["x-request-id"]) == 32
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    assert len(headers.multi_items()) == len(set(headers))


@pytest.mark.parametrize(("method", "path", "status"), ANY_ANSWER)
async def test_every_request_is_counted_and_logged(logs: LogLines, method: str, path: str, status: int) -> None:
    app = build_app(sample_area(), logs=logs)
    async with client_of(app) as client:
        response = await client.request(method, path)
        figures = (await client.get("/metrics")).text
    line = logs.lines()[0]
    assert (line["method"], line["status"]) == (method, status)
    assert line["requestId"] == response.headers["x-request-id"]
    assert f'ace_http_requests_total{{method="{method}",route="{line["route"]}",status="{status}"}} 1.0' in figures


async def test_the_log_names_the_route_and_not_what_was_asked_of_it(client: httpx.AsyncClient, logs: LogLines) -> None:
    await client.get(
        "/items/itm_secret?token=hunter2",
        headers={"authorization": "Bearer hunter2", "cookie": "ace_access=hunter2", "traceparent": TRACE_PARENT},
    )
    await client.get("/nothing/hunter2")
    await client.request("HUNTER2", "/items")
    await client.aclose()
    app_lines = logs
    assert b"hunter2" not in app_lines.text.lower()
    assert b"itm_secret" not in app_lines.text


async def test_log_lines_are_json_with_the_route_template(logs: LogLines) -> None:
    async with client_of(build_app(sample_area(), logs=logs)) as client:
        await client.get("/items/itm_1", headers={"traceparent": TRACE_PARENT, "x-request-id": "req-1"})
        await client.get("/nothing")
    first, second = logs.lines()
    assert first["ms"] >= 0
    assert first["time"].endswith("Z")
    chosen = {key: first[key] for key in ("message", "requestId", "method", "route", "status", "trace")}
    assert chosen == {
        "message": "request",
        "requestId": "req-1",
        "method": "GET",
        "route": "/items/{item_id}",
        "status": 200,
        "trace": TRACE,
    }
    assert second["route"] == "(unmatched)"


@pytest.mark.parametrize("given", ["abc", "A-1.b_c:d", "x" * 128])
async def test_a_sane_request_id_is_kept(client: httpx.AsyncClient, given: str) -> None:
    assert (await client.get("/healthz", headers={"x-request-id": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", 'a"b', "é".encode().decode("latin-1")])
async def test_any_other_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/healthz", headers={b"x-request-id": given.encode("latin-1")})
    assert response.headers["x-request-id"] != given


async def test_a_trace_names_the_request_and_is_returned(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz", headers={"traceparent": TRACE_PARENT})
    assert response.headers["traceparent"] == TRACE_PARENT
    assert response.headers["x-request-id"] == TRACE
    for wrong in ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", TRACE_PARENT.upper(), TRACE_PARENT + "-x", "00"):
        assert "traceparent" not in (await client.get("/healthz", headers={"traceparent": wrong})).headers


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ((), "9.9.9.9", "127.0.0.1"),
        (("10.0.0.0/8",), "9.9.9.9", "127.0.0.1"),
        (("127.0.0.1/32",), "9.9.9.9", "9.9.9.9"),
        (("127.0.0.1/32",), "1.1.1.1, 9.9.9.9", "9.9.9.9"),
        (("127.0.0.1/32", "10.0.0.0/8"), "1.1.1.1, 9.9.9.9, 10.1.2.3", "9.9.9.9"),
        (("127.0.0.1/32", "10.0.0.0/8"), "10.0.0.1, 10.0.0.2", "10.0.0.1"),
        (("127.0.0.1/32",), "9.9.9.9, nonsense", "127.0.0.1"),
        (("127.0.0.1/32",), "", "127.0.0.1"),
        (("127.0.0.1/32",), "2001:db8::1", "2001:db8::1"),
    ],
)
async def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(
    trusted: tuple[str, ...], forwarded: str, expected: str
) -> None:
    app = build_app(StubArea([tell_context]), settings=EdgeSettings(trusted_proxies=trusted))
    async with client_of(app) as client:
        response = await client.get("/context", headers={"x-forwarded-for": forwarded, "x-request-id": "req-7"})
    assert response.json() == {"id": "req-7", "ip": expected}
    assert request_context.get().request_id is None


@pytest.mark.parametrize(
    ("settings", "headers", "expected"),
    [
        (EdgeSettings(public_url="https://ace.example"), {}, True),
        (EdgeSettings(trusted_proxies=("127.0.0.1/32",)), {"x-forwarded-proto": "https"}, True),
        (EdgeSettings(), {"x-forwarded-proto": "https"}, False),
        (EdgeSettings(public_url="http://ace.example"), {}, False),
    ],
)
async def test_strict_transport_security_is_sent_under_https_only(
    settings: EdgeSettings, headers: dict[str, str], expected: bool
) -> None:
    async with client_of(build_app(settings=settings)) as client:
        response = await client.get("/nothing", headers=headers)
    assert ("strict-transport-security" in response.headers) is expected


_NOT_FOR_PAGES = {"Deprecation", "WWW-Authenticate"}
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}


def cors_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", ["/items", "/nothing", "/failures/defect"])
async def test_an_allowed_origin_reads_every_answer_errors_included(path: str) -> None:
    app = build_app(sample_area(), settings=EdgeSettings(cors_origins=("https://app.example",)))
    async with client_of(app) as client:
        response = await client.get(path, headers={"origin": "https://app.example"})
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["access-control-allow-credentials"] == "true"
    exposed = set(response.headers["access-control-expose-headers"].split(", "))
    assert exposed == openapi_headers.COMPONENTS.keys() - _NOT_FOR_PAGES | {"X-Retry-After", "traceparent"}
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://app.example.evil", "http://app.example", "null", "https://APP.example"])
async def test_another_origin_reads_nothing(origin: str) -> None:
    app = build_app(sample_area(), settings=EdgeSettings(cors_origins=("https://app.example",)))
    async with client_of(app) as client:
        plain = await client.get("/items", headers={"origin": origin})
        preflight = await client.options("/items", headers={"origin": origin, **PREFLIGHT})
    assert cors_headers(plain.headers) == {}
    assert cors_headers(preflight.headers) == {}
    assert plain.headers["vary"] == "Origin"


async def test_a_preflight_is_answered_before_routing() -> None:
    app = build_app(sample_area(), settings=EdgeSettings(cors_origins=("https://app.example",)))
    async with client_of(app) as client:
        response = await client.options("/items/itm_1", headers={"origin": "https://app.example", **PREFLIGHT})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert "PUT" in response.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in response.headers["access-control-allow-headers"]


async def test_without_origins_there_is_no_cross_origin_header(client: httpx.AsyncClient) -> None:
    response = await client.get("/items", headers={"origin": ORIGIN})
    assert cors_headers(response.headers) == {}
    assert "vary" not in response.headers


async def test_a_star_allows_each_origin_by_its_name() -> None:
    async with client_of(build_app(settings=EdgeSettings(cors_origins=("*",)))) as client:
        response = await client.get("/healthz", headers={"origin": "http://localhost:5173"})
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"


@pytest.mark.parametrize(("host", "status"), [("ace.test", 200), ("ACE.test:8000", 200), ("evil.test", 400), ("", 400)])
async def test_only_the_allowed_hosts_are_answered_for(host: str, status: int) -> None:
    settings = EdgeSettings(allowed_hosts=("ace.test",))
    async with client_of(build_app(sample_area(), settings=settings)) as client:
        response = await client.get("/items", headers={"host": host})
        assert response.status_code == status
        if status == 400:
            assert_problem(response, 400, "request.host_not_allowed")
        assert (await client.get("/healthz", headers={"host": "10.0.0.5"})).status_code == 200


async def test_two_host_headers_do_not_smuggle_one_in() -> None:
    settings = EdgeSettings(allowed_hosts=("ace.test",))
    async with client_of(build_app(sample_area(), settings=settings)) as client:
        response = await client.get("/items", headers=[("host", "ace.test"), ("host", "evil.test")])
    assert_problem(response, 400, "request.host_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/items",
        "/items/itm_1",
        "/hashed",
        "/docs",
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/healthz",
        "/nothing",
        "/readyz",
    ],
)
async def test_head_answers_as_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    whole, head = await client.get(path), await client.head(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    differing = {"x-request-id", "date"}
    assert {k: v for k, v in head.headers.items() if k not in differing} == {
        k: v for k, v in whole.headers.items() if k not in differing
    }


@pytest.mark.parametrize("path", ["/items", "/stream", "/nothing"])
async def test_not_a_byte_of_the_body_is_given_to_the_server(path: str) -> None:
    app = build_app(sample_area())
    sent: list[dict[str, Any]] = []

    over = asyncio.Event()

    async def receive() -> Any:
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            over.set()

    scope: Any = {
        "type": "http",
        "method": "HEAD",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "scheme": "http",
        "client": None,
    }
    async with app.lifespan():
        await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b""
    assert not sent[1].get("more_body")
    assert scope["method"] == "HEAD"


async def test_head_of_a_stream_and_of_what_has_no_get(client: httpx.AsyncClient) -> None:
    assert (await client.head("/stream")).content == b""
    assert (await client.get("/stream")).text == "onetwothree"
    refused = await client.head("/large")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "OPTIONS, POST"


async def test_options_lists_the_methods(client: httpx.AsyncClient) -> None:
    response = await client.options("/items")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_the_database_is_open_while_the_application_lives() -> None:
    database = StubDatabase()
    async with client_of(build_app(database=database)):
        assert database.history == ["open"]
    assert database.history == ["open", "close"]


async def test_a_port_is_injected_by_name_even_where_its_implementation_does_not_inherit_it() -> None:
    async with client_of(build_app(StubArea([greet]), greeter=PoliteGreeter)) as client:
        assert (await client.get("/greetings/Ada")).json() == {"text": "Good day, Ada"}


def test_no_dependency_costs_a_task_of_its_own() -> None:
    """Litestar would start one for each of several dependencies."""

    @get("/both")
    async def both(greeter: Injected[Greeter], paging: Injected[Paging]) -> dict[str, int]:
        return {greeter.greet("Ada"): paging.limit}

    app = build_app(StubArea([both]), greeter=PoliteGreeter)
    models = [
        model
        for route in app.litestar.routes
        if isinstance(route, HTTPRoute)
        for _, model in route.route_handler_map.values()
    ]
    assert any(len(model.dependency_batches) == 2 for model in models)
    assert all(len(batch) == 1 for model in models for batch in model.dependency_batches)


@dataclass
class Person:
    user_id: str


class SignsIn(ASGIMiddleware):
    """Stands for authentication: it runs after routing and may refuse."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        handler: Any = scope["route_handler"]
        if handler.opt.get("callers"):
            scope["user"] = Person("usr_1")
        await next_app(scope, receive, send)


async def test_an_area_may_bring_middleware_that_knows_the_route_and_names_the_user() -> None:
    @get("/mine", opt={"callers": ("student",)})
    async def mine() -> dict[str, str]:
        return {}

    logs = LogLines()
    async with client_of(build_app(StubArea([mine], middleware=[SignsIn()]), logs=logs)) as client:
        await client.get("/mine")
        await client.head("/mine")
        await client.get("/healthz")
    assert [line.get("userId") for line in logs.lines()] == ["usr_1", "usr_1", None]
