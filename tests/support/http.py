"""An HTTP client in front of the application, in the same event loop and without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar.di import Provide
from litestar.types import ControllerRouterHandler, Middleware

from entrypoints.http.app import Application, create_app
from entrypoints.http.areas import Area
from entrypoints.http.logs import AccessLog

ORIGIN = "http://ace.test"


@dataclass(kw_only=True)
class EdgeSettings:
    """The settings that the HTTP edge reads, with the defaults of a development server."""

    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    public_url: str | None = None
    docs: bool = True
    metrics: bool = True


@dataclass(frozen=True)
class StubReadiness:
    """What a database says of itself."""

    ready: bool


@dataclass
class StubDatabase:
    """A database that is opened and closed, and ready when told so."""

    is_ready: bool = True
    history: list[str] = field(default_factory=list)

    async def open(self) -> None:
        self.history.append("open")

    async def close(self) -> None:
        self.history.append("close")

    async def check_readiness(self) -> StubReadiness:
        return StubReadiness(self.is_ready)

    def statistics(self) -> Mapping[str, float]:
        return {"pool_size": 2, "requests_waiting": 0}


@dataclass
class StubContainer:
    """Providers by name, as the composition root has them."""

    providers: dict[str, Callable[[], Any]]


@dataclass
class StubArea:
    """An area made up by a test."""

    handlers: Sequence[ControllerRouterHandler] = ()
    middleware: Sequence[Middleware] = ()
    dependencies: dict[str, Provide] = field(default_factory=dict)


@dataclass
class LogLines:
    """What was written to the access log."""

    text: bytes = b""

    def write(self, text: bytes) -> None:
        self.text += text

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def build_app(
    *areas: Area,
    settings: EdgeSettings | None = None,
    database: StubDatabase | None = None,
    logs: LogLines | None = None,
    plain: bool = True,
    **providers: Callable[[], Any],
) -> Application:
    """The application with these areas over a stub container."""
    chosen, store = settings or EdgeSettings(), database or StubDatabase()
    own = {"settings": lambda: chosen, "database": lambda: store, "check_readiness": lambda: store.check_readiness}
    container = StubContainer({**own, **providers})
    return create_app(container, areas, log=AccessLog((logs or LogLines()).write), plain=plain)


@asynccontextmanager
async def client_of(
    app: Application, *, raise_errors: bool = False, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client while the application is alive. `raise_errors` raises what leaves the application."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=raise_errors)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=ORIGIN, **options) as client:
        yield client


def told_in_detail(response: httpx.Response) -> str:
    """The code of an error of the practice platform's door, whose body is `{"detail": …}` and nothing else."""
    assert response.headers["content-type"] == "application/json"
    (detail,) = response.json().values()
    assert detail, response.text
    if response.status_code == 422:
        assert all(set(fault) == {"loc", "msg", "type"} for fault in detail)
    else:
        assert isinstance(detail, str)
    assert list(response.json()) == ["detail"]
    assert (response.status_code == 401) == ("www-authenticate" in response.headers)
    return response.headers["x-error-code"]


def code_of(response: httpx.Response) -> str:
    """The stable code of an error, at whichever door."""
    return str(response.headers.get("x-error-code") or response.json()["code"])


def faults_of(response: httpx.Response) -> list[tuple[str, str]]:
    """What is wrong and where, as a pointer, at whichever door."""
    if "x-error-code" in response.headers:
        return [
            (fault["type"], "".join(f"/{step}" for step in fault["loc"][1:])) for fault in response.json()["detail"]
        ]
    return [(fault["code"], fault["pointer"]) for fault in response.json()["errors"]]


# What the practice platform's clients know by another status than ours do.
_OTHERWISE = {"request.malformed": 422}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Checks every member of a problem document and returns it, or of what stands for one at another door."""
    if "x-error-code" in response.headers:
        assert (told_in_detail(response), response.status_code) == (code, _OTHERWISE.get(code, status)), response.text
        told: dict[str, Any] = response.json()
        return told
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"urn:ace:problem:{code}"
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.headers["x-request-id"]
    return problem
