"""The process that carries out background jobs and serves nothing."""

from __future__ import annotations

import asyncio
import signal

from entrypoints.http.logs import configure_logging
from entrypoints.provisioning import opened
from entrypoints.settings import Environment, Settings
from entrypoints.standstill import end_process, watched_for_standstill


def work(settings: Settings) -> None:
    """Works until SIGINT or SIGTERM; jobs that are being carried out then have ten seconds to finish."""
    configure_logging()
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings) as container:
        worker = container.job_worker()
        await worker.start()
        try:
            with watched_for_standstill(end_process if settings.environment is Environment.PRODUCTION else None):
                await stop.wait()
        finally:
            await worker.stop()
