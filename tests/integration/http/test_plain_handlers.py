"""Plain handlers are called without the framework: told apart by nothing. And what a route for claimants must be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

import httpx
import pytest
from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from application.auth.claimants import Caller
from domain.auth.people import Actor, Role
from entrypoints.http.authentication import provide_actor, provide_caller
from entrypoints.http.injection import Injected
from entrypoints.http.plain import is_plain
from entrypoints.http.replies import Written
from entrypoints.http.requests import ApiRequest
from entrypoints.http.route_layers import ServedRoute
from tests.support.callers import Wire
from tests.support.http import StubArea, assert_problem, build_app, client_of
from tests.support.sample_area import FAILURES, NewItem, sample_area
from tests.support.whole_site import WholeSite

_ITEM: Final = b'{"title": "A", "itemCount": 2, "choices": [{"choiceId": "c", "weight": "0.5"}]}'
_BODIES: Final = [_ITEM, b"", b"null", b"{}", b"{", b"[]", b"\xff", b'{"title": 1}', b'{"title": "\\u0000"}', b"[" * 90]
_TYPES: Final = ["application/json", "application/json; charset=utf-8", "text/plain", "multipart/form-data", ""]
_HEADERS: Final[list[dict[str, str]]] = [
    {},
    {"if-none-match": '"7"'},
    {"if-none-match": "*"},
    {"if-match": '"7"'},
    {"if-match": '"8"'},
    {"content-length": "9999999999"},
    {"content-length": "many"},
    {"host": "ace test"},
]
_TARGETS: Final = [
    *[("POST", path) for path in ("/items", "/items/optional", "/large", "/twice", "/forms")],
    *[("PUT", path) for path in ("/items/itm_1", "/items/" + "x" * 65, "/items/a%20b")],
    *[("GET", path) for path in ("/items/itm_1", "/hashed", "/greetings/ada", "/items", "/search?q=a")],
    *[("GET", f"/failures/{name}") for name in FAILURES],
    *[("DELETE", "/items/itm_1"), ("PATCH", "/items/itm_1"), ("HEAD", "/hashed"), ("OPTIONS", "/hashed")],
    *[("HEAD", "/items/itm_1"), ("GET", "/nowhere"), ("GET", "/greetings/ada?name=eve"), ("HEAD", "/greetings/ada")],
]
_PLAIN: Final = 190
"""So many of the API's routes at least: whoever makes a dependency that is not plain slows them down."""


@pytest.fixture(scope="module")
async def wires() -> AsyncIterator[list[Wire]]:
    """The same handlers: called directly, and by the framework."""
    async with AsyncExitStack() as stack:
        apps = [build_app(sample_area(), plain=plain) for plain in (True, False)]
        for app in apps:
            await stack.enter_async_context(app.lifespan())
        yield [Wire(app) for app in apps]


def told(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer but the identifier of its request."""
    request_id = answer.headers.get("x-request-id", "-")
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "x-request-id"]
    return answer.status_code, headers, answer.content.replace(request_id.encode(), b"-")


@pytest.mark.parametrize(("method", "target"), _TARGETS)
async def test_both_kinds_of_calls_answer_alike(wires: list[Wire], method: str, target: str) -> None:
    """The same status, headers in the same order, and the same bytes."""
    bodies = _BODIES if method in ("POST", "PUT") else [b""]
    for content in bodies:
        for media_type in _TYPES:
            for more in _HEADERS:
                sent = {"content-type": media_type} | more
                plain, other = [told(await wire.ask(method, target, sent, content)) for wire in wires]
                assert plain == other, (content, sent)


@pytest.mark.parametrize("hosts", [[b"ace.test", b"ace test"], [b"ace test", b"ace.test"]])
async def test_each_of_several_hosts_must_be_one(wires: list[Wire], hosts: list[bytes]) -> None:
    """The framework looks at the first of them only."""

    async def with_hosts(scope: Any, receive: Receive, send: Send) -> None:
        await wires[0].app(scope | {"headers": [(b"host", host) for host in hosts]}, receive, send)

    assert_problem(await Wire(with_hosts).ask("GET", "/items/itm_1", {}), 400, "request.malformed")


async def test_most_handlers_of_the_api_are_plain(site: WholeSite) -> None:
    found = [
        is_plain(handler, frozenset(route.path_parameters))
        for route in site.app.litestar.routes
        if isinstance(route, HTTPRoute)
        for handler, _ in route.route_handler_map.values()
    ]
    assert found.count(True) >= _PLAIN, found.count(True)


def test_what_is_written_is_sent_alike_by_the_framework() -> None:
    written = Written(b"{}", status=201, headers={"location": "/a"}, media_type="application/problem+json")
    sent = written.to_asgi_response(None, Any)  # type: ignore[arg-type]
    assert (sent.status_code, sent.body) == (201, b"{}")
    assert sent.encode_headers() == [
        (b"location", b"/a"),
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"2"),
    ]


_CALLERS: Final = {
    "actor": Provide(provide_actor, sync_to_thread=False),
    "caller": Provide(provide_caller, sync_to_thread=False),
}
_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,), "claimant": True}


@get("/actor", opt=_STUDENTS)
async def asks_for_an_actor(actor: NamedDependency[Actor]) -> None: ...


@get("/both", opt=_STUDENTS)
async def asks_for_both(actor: NamedDependency[Actor], caller: Injected[Caller]) -> None: ...


@get("/public", opt={"claimant": True})
async def serves_everybody(caller: Injected[Caller]) -> None: ...


@get("/counted", opt={**_STUDENTS, "quota": "link"})
async def is_counted(caller: Injected[Caller]) -> None: ...


@get("/bearers", opt={**_STUDENTS, "bearer_only": True})
async def serves_bearers_only(caller: Injected[Caller]) -> None: ...


@get("/early", opt={**_STUDENTS, "before_password_change": True})
async def serves_before_a_change(caller: Injected[Caller]) -> None: ...


@get("/query", opt=_STUDENTS)
async def asks_for_more(
    caller: Injected[Caller], more: Annotated[str | None, QueryParameter(name="more")] = None
) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        asks_for_an_actor,
        asks_for_both,
        serves_everybody,
        is_counted,
        serves_bearers_only,
        serves_before_a_change,
        asks_for_more,
    ],
)
def test_a_route_that_cannot_take_claimants_is_refused_at_the_start(handler: HTTPRouteHandler) -> None:
    with pytest.raises(ImproperlyConfiguredException, match="cannot take claimants"):
        build_app(StubArea([handler], dependencies=_CALLERS))


class Watched:
    """A layer of our own that tells which routes it was asked about."""

    def __init__(self) -> None:
        self.routes: list[ServedRoute] = []

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        self.routes.append(route)

        async def enter(scope: Scope, receive: Receive, send: Send) -> None:
            scope["user"] = Actor(user_id="usr_1", role=Role.STUDENT, session_id="ses_1", must_change_password=False)
            await app(scope, receive, send)

        return enter


def foreign(app: ASGIApp) -> ASGIApp:
    """A middleware of the framework's kind, which might answer in place of a handler."""
    return app


@post("/items/{item_id:str}/claims", opt=_STUDENTS, status_code=200)
async def claim(
    request: ApiRequest, item_id: FromPath[str], caller: Injected[Caller], data: JSONBody[NewItem]
) -> Response[dict[str, str]]:
    return Response({"item": item_id, "caller": caller.user_id, "title": data.title, "method": request.method})


@pytest.mark.parametrize(("plain", "others", "takes"), [(True, [], True), (False, [], False), (True, [foreign], False)])
async def test_claims_are_taken_only_where_a_refusal_passes_through_our_layers(
    plain: bool, others: list[Any], takes: bool
) -> None:
    """Elsewhere the same handler gets an actor."""
    watched: Any = Watched()
    area = StubArea([claim], middleware=[watched, *others], dependencies=_CALLERS)
    async with client_of(build_app(area, plain=plain)) as client:
        answer = await client.post("/items/itm_1/claims", json={"title": "A"})
        assert answer.json() == {"item": "itm_1", "caller": "usr_1", "title": "A", "method": "POST"}
        assert [route.takes_claims for route in watched.routes] == [takes]
