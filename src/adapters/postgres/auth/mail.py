"""Mail about accounts and invitations, on PostgreSQL."""

from __future__ import annotations

from adapters.postgres.auth.accounts import PostgresAccountWork
from adapters.postgres.auth.invitations import PostgresInvitationWork
from adapters.postgres.auth.throttle import PostgresThrottleWork
from application.auth.ports import MailWork


class PostgresMailWork(PostgresAccountWork, PostgresInvitationWork, PostgresThrottleWork, MailWork):
    """One transaction about one mail."""
