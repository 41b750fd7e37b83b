"""`ace migrate`: bring the database up to the code, or tell where it stands."""

from __future__ import annotations

import click

from entrypoints.cli.support import settled, stop_on_sigterm
from entrypoints.provisioning import bootstrap, migrations, running


@click.group(invoke_without_command=True)
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Apply pending migrations (up), list them (status) or verify that there are none (check)."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(up)


@migrate.command()
def up() -> None:
    """Apply what is pending, renew the grants, create the bootstrap accounts."""
    stop_on_sigterm()
    with settled() as settings, running(settings) as ready:
        upgrade = migrations(ready).up()
        for name in upgrade.applied:
            click.echo(f"applied {name}")
        for note in upgrade.notes:
            click.echo(f"note: {note}", err=True)
        for email in bootstrap(ready):
            click.echo(f"created {email}")
        click.echo("The database is up to date.")


@migrate.command()
def status() -> None:
    """List every migration and when it was applied."""
    stop_on_sigterm()
    with settled() as settings, running(settings) as ready:
        for state in migrations(ready).status():
            click.echo(f"{state.name}  {state.applied_at.isoformat() if state.applied_at else 'pending'}")


@migrate.command()
def check() -> None:
    """Exit with 1 unless the database is exactly where the code is."""
    stop_on_sigterm()
    with settled() as settings, running(settings) as ready:
        migrations(ready).check()
        click.echo("The database is up to date.")
