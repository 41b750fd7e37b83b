"""What every command shares: settings, a database, refusals as exit codes, the event loop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

import click

from domain.errors import DomainError
from entrypoints.container import Container
from entrypoints.provisioning import ProvisioningError, opened, provisioned
from entrypoints.settings import Settings, SettingsError, load, with_development_secrets

ResultT = TypeVar("ResultT")
REFUSED = 1
WRONG_USAGE = 2


@contextmanager
def settled() -> Iterator[Settings]:
    """The settings, complete; what is wrong with them is printed line by line."""
    try:
        settings = with_development_secrets(load())
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(WRONG_USAGE)
    with refusals():
        yield settings


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is printed with its code and ends the command with 1."""
    try:
        yield
    except DomainError as error:
        click.echo(f"{error.code}: {error.detail}", err=True)
        for problem in error.problems:
            click.echo(f"  {problem.pointer}: {problem.message}", err=True)
        sys.exit(REFUSED)
    except ProvisioningError as error:
        click.echo(str(error), err=True)
        sys.exit(REFUSED)


@contextmanager
def database() -> Iterator[Settings]:
    """The settings with a database that is running and migrated, for as long as the block lasts."""
    stop_on_signals()
    with settled() as settings, provisioned(settings) as ready:
        yield ready


def use(settings: Settings, work: Callable[[Container], Awaitable[ResultT]]) -> ResultT:
    """Runs `work` with the use cases on an open database."""

    async def carry_out() -> ResultT:
        async with opened(settings) as container:
            return await work(container)

    return asyncio.run(carry_out())


def mail_route(settings: Settings) -> str:
    """Where mail goes, for an operator to read."""
    server = settings.mail_server
    if server is None:
        return f"mail is put as files into {settings.outbox}; ACE_SMTP_URL names a mail server"
    return f"mail goes to {server.host}:{server.port}, from {settings.sender}"


def stop_on_signals() -> None:
    """SIGTERM, and SIGHUP of a closed terminal, end a command as Ctrl-C does: in order, with nothing left behind."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
