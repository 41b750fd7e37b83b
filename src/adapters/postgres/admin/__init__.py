"""Administration on PostgreSQL."""

from adapters.postgres.admin.dashboard import PostgresDashboardReader
from adapters.postgres.admin.limits import PostgresGroupWork, PostgresLimitReader, PostgresLimitWork, PostgresTurnover
from adapters.postgres.admin.people import PostgresAdminWork
from adapters.postgres.admin.reading import PostgresAdminReader

__all__ = [
    "PostgresAdminReader",
    "PostgresAdminWork",
    "PostgresDashboardReader",
    "PostgresGroupWork",
    "PostgresLimitReader",
    "PostgresLimitWork",
    "PostgresTurnover",
]
