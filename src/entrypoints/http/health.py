"""Whether the process lives, whether it can serve, and its figures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal, Protocol

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from entrypoints.http import metrics
from entrypoints.http.fields import ResponseBody
from entrypoints.http.metrics import Metrics
from entrypoints.http.refusals import NotReady


class Readiness(Protocol):
    """What was found when the store was asked."""

    @property
    @abstractmethod
    def ready(self) -> bool: ...


CheckReadiness = Callable[[], Awaitable[Readiness]]


class Health(ResponseBody):
    """All is well."""

    status: Literal["ok"]

    example: ClassVar[Mapping[str, Any]] = {"status": "ok"}


_LIVE = {"/healthz": "checkHealthz", "/health": "checkHealth", "/v1/health": "checkHealthV1"}


def health_handlers(check_readiness: CheckReadiness, figures: Metrics | None) -> list[HTTPRouteHandler]:
    """The routes that orchestrators and monitoring call."""
    handlers = [_liveness(path, operation_id) for path, operation_id in _LIVE.items()]
    handlers.append(_readiness(check_readiness))
    if figures is not None:
        handlers.append(_figures(figures))
    return handlers


def _liveness(path: str, operation_id: str) -> HTTPRouteHandler:
    @get(path, operation_id=operation_id, summary="Is the process alive?", tags=["health"])
    async def check_liveness() -> Health:
        """Answers as long as the process serves; it does not ask the database."""
        return Health(status="ok")

    return check_liveness


def _readiness(check: CheckReadiness) -> HTTPRouteHandler:
    @get(
        "/readyz",
        operation_id="checkReadiness",
        summary="Can requests be served?",
        tags=["health"],
        opt={"refusals": (NotReady,)},
    )
    async def check_readiness() -> Health:
        """Whether requests can be served: the database answers and has every migration."""
        if not (await check()).ready:
            raise NotReady
        return Health(status="ok")

    return check_readiness


def _figures(figures: Metrics) -> HTTPRouteHandler:
    @get(
        "/metrics",
        operation_id="readMetrics",
        summary="Read the metrics",
        tags=["health"],
        media_type=metrics.MEDIA_TYPE,
        response_description="The figures",
    )
    async def read_metrics() -> Response[str]:
        """The figures of this process, and of the exams of the whole installation, in Prometheus' text format."""
        await figures.refresh()
        content: Any = figures.text()
        return Response(content, media_type=metrics.MEDIA_TYPE)

    return read_metrics
