"""`ace demo load`: content to try the platform with."""

from __future__ import annotations

import click

from entrypoints.cli.support import database, use
from entrypoints.demo import ACCOUNTS, PASSWORD, DemoInProduction
from entrypoints.demo import load_demo as load_into
from entrypoints.settings import Environment, Settings


@click.group()
def demo() -> None:
    """Content to try the platform with."""


@demo.command("load")
def load() -> None:
    """Load the demo packages and accounts; what was loaded before stays as it is."""
    with database() as settings:
        click.echo("\n".join(load_demo(settings)))


def load_demo(settings: Settings) -> list[str]:
    """Loads what is missing; answers lines that tell how to use it."""
    if settings.environment is Environment.PRODUCTION:
        raise DemoInProduction
    use(settings, load_into)
    logins = [f"  {role:<11} {email}  {PASSWORD}" for role, email in ACCOUNTS.items()]
    return ["", "Demo logins (POST /<portal>/auth/login):", *logins, "", "Try first: the tour in README.md"]
