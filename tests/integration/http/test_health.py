"""Liveness does not need the database, readiness does, and the figures are in Prometheus' format."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from entrypoints.http.metrics import Metrics
from tests.support.http import EdgeSettings, StubDatabase, assert_problem, build_app, client_of


@pytest.mark.parametrize("path", ["/healthz", "/health", "/v1/health"])
async def test_a_process_lives_without_its_database(path: str) -> None:
    async with client_of(build_app(database=StubDatabase(is_ready=False))) as client:
        response = await client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_readiness_follows_the_database() -> None:
    database = StubDatabase(is_ready=False)
    async with client_of(build_app(database=database)) as client:
        refused = await client.get("/readyz")
        database.is_ready = True
        ready = await client.get("/readyz")
    assert_problem(refused, 503, "service.not_ready")
    assert refused.headers["retry-after"] == "1"
    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})


async def test_metrics_can_be_read_by_prometheus() -> None:
    app = build_app()
    app.metrics.gauge("ace_exams", "Exams", lambda: {"live": 3})
    async with client_of(app) as client:
        await client.get("/healthz")
        response = await client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, sample.labels.get("route")): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples["ace_http_requests_total", "/healthz"] == 1
    assert samples["ace_http_request_seconds_count", "/healthz"] == 1
    assert samples["ace_db_pool_size", None] == 2
    assert samples["ace_exams_live", None] == 3


async def test_metrics_can_be_switched_off() -> None:
    async with client_of(build_app(settings=EdgeSettings(metrics=False))) as client:
        assert_problem(await client.get("/metrics"), 404, "request.not_found")


def test_a_latency_is_counted_in_every_bucket_that_it_fits() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.002, 20.0):
        metrics.count("GET", "/x", 200, seconds)
    text = metrics.text().decode()
    assert 'ace_http_request_seconds_bucket{le="0.001",method="GET",route="/x"} 2.0' in text
    assert 'ace_http_request_seconds_bucket{le="10.0",method="GET",route="/x"} 3.0' in text
    assert 'ace_http_request_seconds_bucket{le="+Inf",method="GET",route="/x"} 4.0' in text
    assert 'ace_http_request_seconds_sum{method="GET",route="/x"} 20.0035' in text
