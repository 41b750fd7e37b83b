"""What every area needs: settings, the database, identifiers, hashing and tokens."""

from __future__ import annotations

from functools import partial

from dependency_injector import containers, providers

from adapters.postgres.database import Database
from adapters.postgres.health import readiness
from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.csrf_tokens import HmacCsrfTokens
from adapters.security.keys import door_keys
from adapters.security.passwords import ArgonPasswordHasher
from adapters.security.token_source import SystemTokenSource
from adapters.system.clock import TimeOrderedIds
from entrypoints.settings import Settings


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url or "",
        pool_min=settings.db_pool_min,
        pool_max=settings.db_pool_max,
        prepare_threshold=settings.db_prepare_threshold,
        multiplex=settings.db_multiplex,
    )


class Foundations(containers.DeclarativeContainer):
    """What everything stands on. Nothing is connected when it is made; `database` is opened by whoever serves."""

    settings = providers.Dependency(instance_of=Settings)

    # Adapters
    database = providers.Singleton(_database, settings)
    check_readiness = providers.Callable(partial, readiness, database)
    ids = providers.Singleton(TimeOrderedIds)
    password_hasher = providers.Singleton(
        ArgonPasswordHasher,
        memory_kib=settings.provided.argon2_memory_kib,
        passes=settings.provided.argon2_passes,
        lanes=settings.provided.argon2_lanes,
    )
    token_source = providers.Singleton(SystemTokenSource)
    access_tokens = providers.Singleton(JwtAccessTokens, settings.provided.secret_keys)
    csrf_tokens = providers.Singleton(HmacCsrfTokens, settings.provided.secret_keys)
    door_keys = providers.Singleton(door_keys, settings.provided.better_auth.secrets, settings.provided.secret_keys)
