"""A real PostgreSQL for every integration test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from tests.support.postgres import ClonedDatabase, SettableClock, clone, make_template
from tests.support.server import RunningServer, test_server

__all__ = ["test_server"]


@pytest.fixture(scope="session")
def template(test_server: RunningServer) -> str:
    """Migrated once per run."""
    return make_template(test_server)


@pytest.fixture(scope="module")
def module_database(test_server: RunningServer, template: str) -> Iterator[ClonedDatabase]:
    """A clone of the template for one module of tests."""
    name = f"test_{uuid4().hex[:12]}"
    database = clone(test_server, name)
    yield database
    database.close()
    test_server.drop_database(name)


@pytest.fixture
def cloned(module_database: ClonedDatabase) -> ClonedDatabase:
    """The module's database, emptied."""
    module_database.empty()
    return module_database


@pytest.fixture
async def database(cloned: ClonedDatabase) -> AsyncIterator[Database]:
    """The store as the application sees it: connected as `ace_app`, with a pool of four."""
    database = Database(cloned.urls.app, pool_min=1, pool_max=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def clock() -> SettableClock:
    """Time that a test sets."""
    return SettableClock()


@pytest.fixture
def ids() -> TimeOrderedIds:
    return TimeOrderedIds()
