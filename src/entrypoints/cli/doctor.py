"""`ace doctor`: what an operator looks at first when something is wrong."""

from __future__ import annotations

import sys

import click

from domain.errors import DomainError
from entrypoints.cli.support import REFUSED, mail_route, settled, stop_on_signals
from entrypoints.provisioning import migrations, production_faults, running
from entrypoints.settings import Environment, Settings


@click.command()
def doctor() -> None:
    """Examine settings, database, migrations and limits; exit with 1 if something would keep Ace from serving."""
    stop_on_signals()
    with settled() as settings:
        click.echo(f"ok    settings are valid ({settings.environment})")
        unsent = settings.mail_server is None and settings.environment is Environment.PRODUCTION
        click.echo(f"{'note ' if unsent else 'ok   '} {mail_route(settings)}")
        with running(settings) as ready:
            kind = "embedded PostgreSQL" if settings.embedded else "PostgreSQL"
            click.echo(f"ok    {kind} answers")
            healthy = _migrated(ready) and _fit(ready)
    if not healthy:
        sys.exit(REFUSED)


def _migrated(settings: Settings) -> bool:
    try:
        migrations(settings).check()
    except DomainError as refusal:
        click.echo(f"FAULT {refusal.detail}")
        return False
    click.echo("ok    every migration is applied")
    return True


def _fit(settings: Settings) -> bool:
    """What production refuses is a fault there and a remark elsewhere."""
    faults = production_faults(settings)
    strict = settings.environment is Environment.PRODUCTION
    for fault in faults:
        click.echo(f"{'FAULT' if strict else 'note '} {fault}")
    if not faults:
        click.echo("ok    role and limits of the database are fit for production")
    return not (faults and strict)
