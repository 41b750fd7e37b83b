"""The fixtures of the tests of accounts at the better-auth door. A test module imports those that it needs, and names
them in its `__all__`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entrypoints.http.app import Application
from tests.support.account_door import DOOR_KEY, accounts_at, empty_mailbox, newcomer, stranger
from tests.support.doors import DoorDevice
from tests.support.mailbox import OutboxMailbox
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def app(
    module_database: ClonedDatabase, log: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Application]:
    """The auth area with the door, one application for the tests of a module."""
    async with accounts_at(module_database, log, tmp_path_factory.mktemp("site"), secrets=(DOOR_KEY,)) as app:
        yield app


@pytest.fixture
async def ada(app: Application, cloned: ClonedDatabase) -> AsyncIterator[DoorDevice]:
    """Ada's browser, signed in."""
    async with newcomer(app) as device:
        yield device


@pytest.fixture
async def nobody(app: Application, cloned: ClonedDatabase) -> AsyncIterator[DoorDevice]:
    """A browser that nobody has signed in with."""
    async with stranger(app) as device:
        yield device


@pytest.fixture
def mailbox(app: Application) -> OutboxMailbox:
    """What people are mailed, from now on."""
    return empty_mailbox(app)
