"""Figures for Prometheus. Counting a request is one look-up of its route; the text is made when it is asked for.

Figures of the store are asked for before that, in a second at most; where it does not answer they are left out.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.errors import DomainError

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ASK_SECONDS: Final = 1.0
_REMEMBERED_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGauge:
    """A gauge of the whole installation, the same at every process; with a label one value for each of the label's."""

    name: str
    meaning: str
    values: Mapping[str, float]
    label: str | None = None


AskStore: TypeAlias = Callable[[], Awaitable[Sequence[StoreGauge]]]


class _Route:
    """How often one route was answered with each status and within each bound, and the seconds of it together."""

    __slots__ = ("buckets", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: defaultdict[int, int] = defaultdict(int)
        self.buckets = [0] * (len(_BOUNDS) + 1)
        self.seconds = 0.0

    def cumulative(self) -> list[tuple[str, float]]:
        total = 0
        pairs: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.buckets, strict=True):
            total += count
            pairs.append((bound, total))
        return pairs


class Metrics(Collector):
    """The figures of this process: requests by route template and status, and gauges that are read when asked for."""

    def __init__(self) -> None:
        self._routes: defaultdict[tuple[str, str], _Route] = defaultdict(_Route)
        self._gauges: dict[str, tuple[str, Callable[[], Mapping[str, float]]]] = {}
        self._ask: AskStore | None = None
        self._answered: Sequence[StoreGauge] = ()
        self._asked_at = -_REMEMBERED_SECONDS
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes one answered request."""
        figures = self._routes[method, route]
        figures.statuses[status] += 1
        figures.buckets[bisect_left(_BOUNDS, seconds)] += 1
        figures.seconds += seconds

    def gauge(self, prefix: str, meaning: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Adds figures that `read` gives by name; each becomes the gauge `prefix_name`."""
        self._gauges[prefix] = (meaning, read)

    def of_store(self, ask: AskStore) -> None:
        """Adds gauges that only the store can tell."""
        self._ask = ask

    async def refresh(self) -> None:
        """Asks the store, but not again and again: anybody may read the figures, as often as they like."""
        if self._ask is None or time.monotonic() - self._asked_at < _REMEMBERED_SECONDS:
            return
        self._asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                self._answered = await self._ask()
        except (DomainError, TimeoutError):
            self._answered = ()

    def forget(self) -> None:
        """The store is asked again at once."""
        self._asked_at = -_REMEMBERED_SECONDS

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing is read when the collector is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("ace_http_requests", "Requests answered", labels=("method", "route", "status"))
        for labels, figures in sorted(self._routes.items()):
            for status, count in sorted(figures.statuses.items()):
                requests.add_metric((*labels, str(status)), count)
        yield requests
        seconds = HistogramMetricFamily("ace_http_request_seconds", "Time to answer", labels=("method", "route"))
        for labels, figures in sorted(self._routes.items()):
            seconds.add_metric(labels, figures.cumulative(), figures.seconds)
        yield seconds
        for prefix, (meaning, read) in self._gauges.items():
            for name, value in sorted(read().items()):
                yield GaugeMetricFamily(f"{prefix}_{name}", meaning, value=value)
        for gauge in self._answered:
            family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=(gauge.label,) if gauge.label else ())
            for label, value in sorted(gauge.values.items()):
                family.add_metric((label,) if gauge.label else (), value)
            yield family
