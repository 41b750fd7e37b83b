"""What every test shares: the profiles of hypothesis and the event loop."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from adapters.postgres import database

# Examples may share a test's database: such tests state laws that hold whatever is in it. And how long the first
# examples took to draw, how large they were or how many of them did not fit is chance, and no defect.
_ALLOWED = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
)
settings.register_profile("fast", max_examples=25, deadline=None, suppress_health_check=_ALLOWED)
settings.register_profile("ci", max_examples=200, deadline=None, suppress_health_check=_ALLOWED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

# `make test-pool` runs everything without shared connections.
database.MULTIPLEX = os.environ.get("TEST_MULTIPLEX", "on") != "off"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the run, asyncio's, so that a pool may outlive a test."""
    return "asyncio"
