"""The whole application with its outbox, and visitors with addresses of their own, so that none shares a quota."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.mailbox import OutboxMailbox, mail_settings, site_mailbox
from tests.support.postgres import ClonedDatabase, clone
from tests.support.server import RunningServer
from tests.support.visitors import FROM_ANYWHERE, Visitor, elsewhere, student
from tests.support.whole_site import WholeSite, whole_site_of


@pytest.fixture(scope="session")
def asvs_database(test_server: RunningServer, template: str) -> Iterator[ClonedDatabase]:
    database = clone(test_server, f"{template}_asvs")
    yield database
    database.close()
    test_server.drop_database(f"{template}_asvs")


@pytest.fixture(scope="session")
async def whole_site(
    asvs_database: ClonedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WholeSite]:
    """Made and filled once for all of these tests; each of them brings its own visitors."""
    plenty = {"mail_requests_per_ten_minutes": 1_000_000}
    settings = mail_settings(tmp_path_factory.mktemp("data")) | FROM_ANYWHERE | plenty
    async with whole_site_of(asvs_database, **settings) as site:
        await elsewhere(site)
        yield site


@pytest.fixture
def site(whole_site: WholeSite) -> Iterator[WholeSite]:
    """The site, in which a test must leave every table with as many rows as before."""
    before = whole_site.rows()
    yield whole_site
    assert whole_site.rows() == before


@pytest.fixture
def mailbox(whole_site: WholeSite) -> OutboxMailbox:
    return site_mailbox(whole_site.container)


@pytest.fixture
async def ada(whole_site: WholeSite) -> AsyncIterator[Visitor]:
    """A student who has just registered."""
    async with student(whole_site) as person:
        yield person
