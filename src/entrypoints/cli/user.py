"""`ace user`: accounts, made by the operator."""

from __future__ import annotations

import click

from application.auth.registering import NewUser
from domain.auth.people import Role
from entrypoints.cli.support import database, use


@click.group()
def user() -> None:
    """Accounts."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.STUDENT.value, show_default=True)
@click.option("--name")
@click.password_option(help="Asked for when it is not given.")
def create(email: str, role: str, name: str | None, password: str) -> None:
    """Create an account for EMAIL."""
    with database() as settings:
        new = NewUser(role=Role(role), email=email, password=password, name=name, email_verified=True)
        person = use(settings, lambda container: container.create_user()(None, new))
    click.echo(f"created {person.id} {person.email} ({person.role})")
