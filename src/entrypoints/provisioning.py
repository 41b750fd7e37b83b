"""A database to work with: the operator's own or the embedded one, migrated, with the accounts that settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec

from adapters.postgres.health import production_faults as find_faults
from adapters.postgres.migrations import Migrations, MigrationsPending, MigrationState
from adapters.system.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from application.auth.registering import NewUser
from domain.auth.people import Role
from entrypoints.container import Container
from entrypoints.demo import demo_accounts_in
from entrypoints.settings import Account, Environment, Settings

__all__ = [
    "MigrationState",
    "ProvisioningError",
    "bootstrap",
    "migrations",
    "opened",
    "production_faults",
    "provisioned",
    "running",
]


class ProvisioningError(Exception):
    """There is no database to work with; the text tells the operator why and what to do."""


@contextmanager
def provisioned(settings: Settings, *, migrate: bool = True) -> Iterator[Settings]:
    """Settings that name a running database. Outside production it is migrated as well."""
    with running(settings) as found:
        if migrate and found.environment is not Environment.PRODUCTION:
            _bring_up_to_date(migrations(found))
        yield found


def _bring_up_to_date(wanted: Migrations) -> None:
    """Looks before it acts: whoever may not migrate may still use a database that is up to date."""
    try:
        wanted.check()
    except MigrationsPending:
        wanted.up()


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """Settings that name a running database; the embedded one runs for as long as the block lasts."""
    if settings.database_url is not None:
        yield settings
        return
    embedded = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        urls = embedded.start()
        embedded.watch()
    except EmbeddedPostgresError as error:
        raise ProvisioningError(str(error)) from error
    try:
        yield msgspec.structs.replace(settings, database_url=urls.app, owner_database_url=urls.owner)
    finally:
        embedded.stop()


def migrations(settings: Settings) -> Migrations:
    """The migrations of the database that the settings name, run as its owner."""
    url = settings.owner_database_url or settings.database_url
    if url is None:
        raise ProvisioningError("There is no database: set DATABASE_URL")
    return Migrations(url)


def bootstrap(settings: Settings) -> list[str]:
    """Makes the accounts that the settings ask for, once; answers the addresses of those made now."""
    wanted = {Role.ADMIN: settings.bootstrap_admin, Role.INSTRUCTOR: settings.bootstrap_instructor}
    accounts = {role: account for role, account in wanted.items() if account is not None}
    if not accounts:
        return []

    async def ensure() -> list[str]:
        async with opened(settings) as container:
            made = [
                (account.email, await container.ensure_user()(_new_user(role, account)))
                for role, account in accounts.items()
            ]
        return [email for email, is_new in made if is_new]

    return asyncio.run(ensure())


def production_faults(settings: Settings) -> list[str]:
    """Why this database must not be served from in production: one line each, none if it may."""

    async def look() -> list[str]:
        async with opened(settings) as container:
            faults = await find_faults(container.database())
            demo = [] if faults else await demo_accounts_in(container)
        return faults + [f"there is a demo account with a public password: {email}" for email in demo]

    return asyncio.run(look())


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Container]:
    """The use cases, on an open database."""
    container = Container(settings=settings)
    database = container.database()
    await database.open()
    try:
        yield container
    finally:
        await database.close()


def _new_user(role: Role, account: Account) -> NewUser:
    """Its password stands in the settings of whoever installs, so it is good for its own change only."""
    return NewUser(
        role=role, email=account.email, password=account.password, email_verified=True, must_change_password=True
    )
