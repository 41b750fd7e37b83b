"""People, their sessions, links and attempts on PostgreSQL."""

from adapters.postgres.auth.accounts import PostgresAccountWork
from adapters.postgres.auth.doors import PostgresDoorWork
from adapters.postgres.auth.invitations import PostgresInvitationWork
from adapters.postgres.auth.links import PostgresLinkWork
from adapters.postgres.auth.mail import PostgresMailWork
from adapters.postgres.auth.people import PostgresPeopleWork
from adapters.postgres.auth.quick import PostgresQuickRefresh
from adapters.postgres.auth.reading import PostgresAuthReader
from adapters.postgres.auth.sessions import PostgresAuthWork
from adapters.postgres.auth.throttle import PostgresThrottleWork

__all__ = [
    "PostgresAccountWork",
    "PostgresAuthReader",
    "PostgresAuthWork",
    "PostgresDoorWork",
    "PostgresInvitationWork",
    "PostgresLinkWork",
    "PostgresMailWork",
    "PostgresPeopleWork",
    "PostgresQuickRefresh",
    "PostgresThrottleWork",
]
