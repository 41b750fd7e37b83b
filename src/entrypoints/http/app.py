"""The application: the areas' handlers on Litestar, inside the layers that every request passes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, Protocol, TypeAlias, cast

from litestar import Litestar
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.openapi.config import OpenAPIConfig
from litestar.types import HTTPScope, LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from entrypoints.http import openapi
from entrypoints.http.areas import AREAS, Area, dependencies_of, forms_of, middleware_of, routers_of, served_areas
from entrypoints.http.better_auth.document import door_document
from entrypoints.http.better_auth.mounting import with_better_auth
from entrypoints.http.docs_page import docs_handlers
from entrypoints.http.exam.figures import exam_gauges
from entrypoints.http.exchange import HttpApp, exchange_of
from entrypoints.http.health import Readiness, health_handlers
from entrypoints.http.injection import provided, resolve_one_by_one
from entrypoints.http.logs import AccessLog
from entrypoints.http.metrics import Metrics
from entrypoints.http.middleware.admission import Admission
from entrypoints.http.middleware.cors import Cors
from entrypoints.http.middleware.envelope import Envelope
from entrypoints.http.middleware.forms import Forms
from entrypoints.http.middleware.hosts import Hosts
from entrypoints.http.middleware.methods import Methods, allowed_methods
from entrypoints.http.middleware.observation import ClientAddresses, Observation
from entrypoints.http.middleware.paths import Paths
from entrypoints.http.middleware.routing import Routing
from entrypoints.http.pagination import provide_paging
from entrypoints.http.problems import answer
from entrypoints.http.requests import BODY_LIMIT, ApiRequest
from entrypoints.http.route_layers import RouteLayers, refuse_impossible_claims


class Settings(Protocol):
    """The settings that the edge reads."""

    @property
    def cors_origins(self) -> tuple[str, ...]: ...
    @property
    def allowed_hosts(self) -> tuple[str, ...]: ...
    @property
    def trusted_proxies(self) -> tuple[str, ...]: ...
    @property
    def public_url(self) -> str | None: ...
    @property
    def docs(self) -> bool: ...
    @property
    def metrics(self) -> bool: ...


class Database(Protocol):
    """The database as the application's life needs it."""

    @abstractmethod
    async def open(self) -> None: ...
    @abstractmethod
    async def close(self) -> None: ...
    @abstractmethod
    def statistics(self) -> Mapping[str, float]: ...


class Container(Protocol):
    """The composition root: a provider for each name that a handler may ask for."""

    @property
    def providers(self) -> Mapping[str, Callable[[], Any]]: ...


# What lives beside the application in its process, such as the job worker.
Companion: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]


class Application:
    """ASGI: Litestar with the areas' handlers, surrounded by the layers of `middleware/`.

    Without `plain` the framework calls every handler itself; the answers are the same.
    """

    def __init__(
        self,
        container: Container,
        areas: Sequence[Area] = AREAS,
        *,
        log: AccessLog | None = None,
        companions: Sequence[Companion] = (),
        plain: bool = True,
    ) -> None:
        self._container = container
        self._plain = plain
        self._companions = companions
        self._settings: Settings = container.providers["settings"]()
        self._areas = served_areas(areas, self._settings)
        self._database: Database = container.providers["database"]()
        self.metrics = Metrics()
        self.metrics.gauge("ace_db", "Connection pool", self._database.statistics)
        if (monitor_reader := container.providers.get("monitor_reader")) is not None:
            self.metrics.of_store(lambda: exam_gauges(monitor_reader()))
        self.log = log or AccessLog()
        self.document = cache(lambda: openapi.complete(self._litestar(openapi.CONFIG), door_document(container)))
        self.litestar = self._litestar(None)
        resolve_one_by_one(self.litestar)
        refuse_impossible_claims(self.litestar)
        self._entry = self._surrounded(Routing(self.litestar) if plain else cast("HttpApp", self.litestar))

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self._entry(cast("HTTPScope", scope), cast("Receive", receive), cast("Send", send))
        else:
            await self.litestar(scope, receive, send)

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Serves inside this block: the database is open."""
        return self.litestar.lifespan()

    def _litestar(self, document: OpenAPIConfig | None) -> Litestar:
        """The router with everything on it; one that makes the OpenAPI document is built only when it is asked for."""
        own = [
            *health_handlers(self._check_readiness, self.metrics if self._settings.metrics else None),
            *(openapi.document_handlers(self.document) if self._settings.docs else ()),
            *(docs_handlers() if self._settings.docs else ()),
        ]
        available = {
            "exchange": Provide(exchange_of, sync_to_thread=False),
            "paging": Provide(provide_paging, sync_to_thread=False),
            **provided(self._container.providers),
            **dependencies_of(self._areas, self._container),
        }
        return Litestar(
            route_handlers=[*own, *routers_of(self._areas, available)],
            middleware=[RouteLayers([Admission(), *middleware_of(self._areas, self._container)], plain=self._plain)],
            exception_handlers={Exception: answer},
            request_class=ApiRequest,
            request_max_body_size=BODY_LIMIT,
            lifespan=[self._life],
            openapi_config=document,
            plugins=[openapi.OpaqueBodies()],
            logging_config=None,
            debug=False,
        )

    async def _check_readiness(self) -> Readiness:
        found: Readiness = await self._container.providers["check_readiness"]()()
        return found

    def _surrounded(self, app: HttpApp) -> HttpApp:
        """The layers, innermost first."""
        app = Paths(app)
        app = Methods(app, allowed=allowed_methods(self.litestar))
        app = with_better_auth(app, self._container)
        if self._settings.cors_origins:
            app = Cors(app, origins=self._settings.cors_origins)
        if self._settings.allowed_hosts:
            app = Hosts(app, allowed=self._settings.allowed_hosts)
        app = Envelope(app, https=(self._settings.public_url or "").startswith("https://"))
        app = Forms(app, forms_of(self._areas))
        addresses = ClientAddresses(self._settings.trusted_proxies)
        return Observation(app, metrics=self.metrics, log=self.log, addresses=addresses)

    @asynccontextmanager
    async def _life(self, _: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(self.log.flush)
            stack.push_async_callback(self._database.close)
            await self._database.open()
            for companion in self._companions:
                await stack.enter_async_context(companion())
            yield


def create_app(
    container: Container,
    areas: Sequence[Area] = AREAS,
    *,
    log: AccessLog | None = None,
    companions: Sequence[Companion] = (),
    plain: bool = True,
) -> Application:
    """The application that serves these areas with what the container provides; companions live as long as it does."""
    return Application(container, areas, log=log, companions=companions, plain=plain)
