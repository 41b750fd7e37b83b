"""Started servers with a better-auth door, each with a database of its own, and the real client beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.support.better_auth_door import SETTINGS, Door
from tests.support.postgres import clone
from tests.support.process import Ace
from tests.support.real_client import needs_node, real_client
from tests.support.server import RunningServer


@pytest.fixture(scope="session")
def served(
    test_server: RunningServer, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Door]]:
    """Starts a server with these settings beside the usual ones of these tests; the end of the run stops it."""
    needs_node()
    with ExitStack() as stack:

        def start(**settings: str) -> Door:
            name = f"test_{uuid4().hex[:12]}"
            urls = clone(test_server, name).urls
            stack.callback(test_server.drop_database, name)
            folder = tmp_path_factory.mktemp("door")
            databases = {"DATABASE_URL": urls.app, "ACE_OWNER_DATABASE_URL": urls.owner}
            ace = Ace(folder, SETTINGS | databases)
            process = stack.enter_context(ace.serving(**settings))
            client = stack.enter_context(real_client(f"{process.address}/api/auth", folder))
            return Door(client, ace.data / "outbox", urls.owner)

        yield start


@pytest.fixture(scope="session")
def door(served: Callable[..., Door]) -> Door:
    """A server with nothing set beyond what an application must set that moves in."""
    return served()
