"""`ace serve` and `ace worker`: the processes that stay."""

from __future__ import annotations

import os
import sys

import click
import msgspec

from entrypoints.cli.support import REFUSED, mail_route, settled, stop_on_signals
from entrypoints.provisioning import bootstrap, production_faults, provisioned
from entrypoints.settings import Environment, Settings


@click.command()
@click.option("--host", help="The address to listen on (ACE_HOST).")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen on (ACE_PORT).")
@click.option("--no-worker", is_flag=True, help="Leave background jobs to `ace worker`.")
@click.option("--demo", is_flag=True, help="Load demo content and accounts (development only).")
def serve(host: str | None, port: int | None, no_worker: bool, demo: bool) -> None:
    """Serve the HTTP API until Ctrl-C."""
    from entrypoints.server import CannotServe, listen
    from entrypoints.server import serve as run

    stop_on_signals()
    with settled() as settings:
        chosen = _chosen(settings, host, port, worker=not no_worker)
        try:
            with listen(chosen) as listening, provisioned(chosen) as ready:
                _refuse_unfit(ready)
                bootstrap(ready)
                lines = _demo(ready) if demo else []
                address = f"http://{ready.host}:{listening.getsockname()[1]}"
                _export(ready)
                run(ready, listening, lambda: click.echo("\n".join(_welcome(address, ready, lines))))
        except CannotServe as error:
            click.echo(str(error), err=True)
            sys.exit(REFUSED)


@click.command()
def worker() -> None:
    """Carry out background jobs until Ctrl-C."""
    from entrypoints.worker import work

    stop_on_signals()
    with settled() as settings, provisioned(settings) as ready:
        _refuse_unfit(ready)
        work(ready)


def _chosen(settings: Settings, host: str | None, port: int | None, *, worker: bool) -> Settings:
    return msgspec.structs.replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        job_worker=settings.job_worker and worker,
    )


def _refuse_unfit(settings: Settings) -> None:
    """In production a database that could lose or leak data is neither served from nor worked on."""
    if settings.environment is not Environment.PRODUCTION:
        return
    if settings.mail_server is None:
        click.echo(f"Nobody gets mail: {mail_route(settings)}", err=True)
    faults = production_faults(settings)
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        sys.exit(REFUSED)


def _demo(settings: Settings) -> list[str]:
    from entrypoints.cli.demo import load_demo

    return load_demo(settings)


def _export(settings: Settings) -> None:
    """Server processes read their settings from the environment, as they were settled here."""
    os.environ |= {
        "DATABASE_URL": settings.database_url or "",
        "ACE_HOST": settings.host,
        "ACE_PORT": str(settings.port),
        "ACE_SECRET_KEY": ",".join(settings.secret_keys),
        "ACE_JOB_WORKER": "on" if settings.job_worker else "off",
    }


def _welcome(address: str, settings: Settings, demo: list[str]) -> list[str]:
    lines = ["", f"Ace is ready: {address}"]
    if settings.docs:
        lines.append(f"API page:     {address}/docs")
    lines += demo
    lines += ["", "Ctrl-C stops everything.", ""]
    return lines
