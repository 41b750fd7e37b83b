"""`ace user`: accounts, made and mended by the operator."""

from __future__ import annotations

import click

from application.auth.registering import NewUser
from domain.admin import UserChange
from domain.auth.people import Role, UserNotFound, normalise_email
from entrypoints.cli.support import database, use
from entrypoints.container import Container

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def user() -> None:
    """Accounts."""


@user.command()
@click.argument("email")
@click.option("--role", type=_ROLE, default=Role.STUDENT.value, show_default=True)
@click.option("--name")
@click.option("--temporary", is_flag=True, help="The password opens nothing but its own change.")
@click.password_option(help="Asked for when it is not given.")
def create(email: str, role: str, name: str | None, password: str, *, temporary: bool) -> None:
    """Create an account for EMAIL."""
    with database() as settings:
        new = NewUser(
            role=Role(role),
            email=email,
            password=password,
            name=name,
            email_verified=True,
            must_change_password=temporary,
        )
        person = use(settings, lambda container: container.create_user()(new))
    click.echo(f"created {person.id} {person.email} ({person.role})")


@user.command("role")
@click.argument("email")
@click.argument("role", type=_ROLE)
def change_role(email: str, role: str) -> None:
    """Make whoever has EMAIL a student, an instructor or an admin; who becomes another is signed out."""

    async def change(container: Container) -> None:
        person = await container.auth_reader().find_user_by_email(normalise_email(email))
        if person is None:
            raise UserNotFound
        await container.change_user()(None, person.id, UserChange(role=Role(role)))

    with database() as settings:
        use(settings, change)
    click.echo(f"{email} is {role}")


@user.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link with which whoever has EMAIL sets a password; it is good once and for half an hour.

    It begins with ACE_PUBLIC_URL, or in development with the address that ACE_HOST and ACE_PORT name.
    """
    with database() as settings:
        link = use(settings, lambda container: container.give_reset_link()(email))
    click.echo(link)
