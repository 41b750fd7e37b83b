"""`ace migrate`: bring the database up to the code, or tell where it stands."""

from __future__ import annotations

import click

from entrypoints.cli.support import settled, stop_on_signals
from entrypoints.provisioning import MigrationState, bootstrap, migrations, running


@click.group(invoke_without_command=True)
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Apply pending migrations (up), list them (status) or verify that there are none (check)."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(up)


@migrate.command()
def up() -> None:
    """Apply what is pending, renew the grants, create the bootstrap accounts."""
    stop_on_signals()
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
@click.option("--all", "everything", is_flag=True, help="List the steps of the job queue's schema one by one, too.")
def status(everything: bool) -> None:
    """List every migration and when it was applied (UTC)."""
    stop_on_signals()
    with settled() as settings, running(settings) as ready:
        states = migrations(ready).status()
    own = [state for state in states if everything or "/" not in state.name]
    width = max(len(state.name) for state in own)
    for state in own:
        click.echo(f"{state.name:<{width}}  {_when(state)}")
    hidden = [state for state in states if state not in own]
    if hidden:
        applied = len([state for state in hidden if state.applied_at])
        click.echo(f"{'job queue':<{width}}  {applied} of {len(hidden)} steps applied")
    click.echo(f"{len([state for state in states if state.applied_at is None])} pending")


def _when(state: MigrationState) -> str:
    return f"{state.applied_at:%Y-%m-%d %H:%M:%S}" if state.applied_at else "pending"


@migrate.command()
def check() -> None:
    """Exit with 1 unless the database is exactly where the code is."""
    stop_on_signals()
    with settled() as settings, running(settings) as ready:
        migrations(ready).check()
        click.echo("The database is up to date.")
