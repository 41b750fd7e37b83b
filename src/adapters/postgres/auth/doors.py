"""What people change about their own account where that may open a session, on PostgreSQL."""

from __future__ import annotations

from adapters.postgres.auth.accounts import PostgresAccountWork
from adapters.postgres.auth.sessions import PostgresAuthWork
from application.auth.ports import DoorWork


class PostgresDoorWork(PostgresAuthWork, PostgresAccountWork, DoorWork):
    """One transaction about one account and its sessions."""
