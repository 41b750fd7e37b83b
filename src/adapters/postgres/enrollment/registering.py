"""Registration together with what a new student is given, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from adapters.postgres.auth import PostgresAuthWork
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentWork
from domain.errors import DomainError


class PostgresRegistrationWork(PostgresAuthWork, PostgresEnrollmentWork):
    """One unit of work that speaks of people and of enrolments."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        **PostgresAuthWork.refusals,
        **PostgresEnrollmentWork.refusals,
    }
