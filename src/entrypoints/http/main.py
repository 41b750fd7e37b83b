"""The application of one server process, made from its environment."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from entrypoints.container import Container
from entrypoints.http.app import Application, create_app
from entrypoints.http.logs import configure_logging
from entrypoints.settings import Environment, Settings, load, with_development_secrets
from entrypoints.standstill import end_process, watched_for_standstill

# Far apart: at thousands of connections the default collects all the time. Generations 0, 1, 2.
_GC_THRESHOLDS = (100_000, 50, 1_000)


def application() -> Application:
    """What the ASGI server calls once per process."""
    configure_logging()
    settings = with_development_secrets(load())
    container = Container(settings=settings)
    return create_app(container, companions=(partial(_companions, container, settings),))


@asynccontextmanager
async def _companions(container: Container, settings: Settings) -> AsyncIterator[None]:
    """The job worker, unless it runs elsewhere, the hashing thread, and the watch over the loop they all share.

    What was loaded until now is not collected.
    """
    worker = container.job_worker() if settings.job_worker else None
    if worker is not None:
        await worker.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        with watched_for_standstill(end_process if settings.environment is Environment.PRODUCTION else None):
            yield
    finally:
        if worker is not None:
            await worker.stop()
        container.password_hasher().close()
