"""What the contract suites share: one store after the other behind the same face."""

from __future__ import annotations

import pytest

from adapters.postgres.database import Database
from tests.support.admin_builders import Administration, administration_of, root
from tests.support.auth_builders import NOW, Auth, a_user, auth_in_memory, auth_on_postgres
from tests.support.postgres import SettableClock


@pytest.fixture(params=["memory", "postgres"])
def auth(request: pytest.FixtureRequest, clock: SettableClock) -> Auth:
    """People and sessions, on dictionaries and on the real database."""
    if request.param == "memory":
        return auth_in_memory(clock=clock)
    database: Database = request.getfixturevalue("database")
    return auth_on_postgres(database, clock)


@pytest.fixture
async def admin(auth: Auth) -> Administration:
    """Root administers and Ada studies; both are signed in."""
    found = administration_of(auth)
    await found.settle(root(), a_user(email_verified_at=NOW))
    return found
