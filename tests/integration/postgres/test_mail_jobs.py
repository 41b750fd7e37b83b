"""From the order in a unit of work to the file in the outbox, with nothing in the database that opens anything."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.postgres.database import Database
from application.auth.mailing import PER_PERSON_AND_KIND
from application.auth.ports import AuthWork
from application.mail import MailKind, MailNotSent, order_mail
from domain.auth.links import LinkPurpose, link_hash
from entrypoints.container import Container
from entrypoints.http.logs import JsonFormatter
from entrypoints.setting_values import MailServer
from entrypoints.settings import Settings
from tests.support.auth_builders import EMAIL, SECRET, AuthOnPostgres, a_user, auth_on_postgres
from tests.support.mailbox import OutboxMailbox, mail_settings, mailbox_of, site_mailbox
from tests.support.postgres import ClonedDatabase, SettableClock


@pytest.fixture
def settings(cloned: ClonedDatabase, tmp_path: Path) -> Settings:
    return Settings(database_url=cloned.urls.app, secret_keys=(SECRET,), **mail_settings(tmp_path))


@pytest.fixture
async def container(settings: Settings) -> AsyncIterator[Container]:
    container = Container(settings=settings)
    await container.database().open()
    yield container
    await container.database().close()


@pytest.fixture
def mailbox(container: Container) -> OutboxMailbox:
    return site_mailbox(container)


@pytest.fixture
async def auth(database: Database, clock: SettableClock) -> AuthOnPostgres:
    """Ada has an account."""
    auth = auth_on_postgres(database, clock)
    await auth.add(a_user())
    return auth


async def order(auth: AuthOnPostgres, kind: MailKind = MailKind.RESET_PASSWORD) -> None:
    await auth.transact(lambda work: work.enqueue(order_mail(kind, email=EMAIL)))


def everything_in(database: ClonedDatabase) -> str:
    """Every row of every table, as text."""
    tables = database.keeper.execute("select quote_ident(relname) from pg_class where relkind = 'r' and relowner > 10")
    rows = [
        database.keeper.execute(f"select t::text from {table} t".encode()).fetchall() for (table,) in tables.fetchall()
    ]
    return str(rows)


async def test_a_mail_that_was_ordered_lies_in_the_outbox_and_its_token_nowhere_else(
    auth: AuthOnPostgres, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    await order(auth)
    assert EMAIL in everything_in(cloned)

    mail = await mailbox.newest(MailKind.RESET_PASSWORD)

    assert mail.to == EMAIL
    assert mail.url == f"http://127.0.0.1:8000/student/reset-password#token={mail.token}"
    (written,) = mailbox.folder.glob("*.eml")
    assert mail.secret in written.read_text()
    link = await auth.reader.find_link(link_hash(mail.secret), [LinkPurpose.RESET_PASSWORD])
    assert link is not None
    assert (link.owner_id, link.email) == ("usr_ada", EMAIL)
    assert link_hash(mail.secret).hex() in everything_in(cloned)
    assert mail.secret not in everything_in(cloned)


async def test_a_mail_of_a_unit_that_was_undone_is_never_sent(auth: AuthOnPostgres, mailbox: OutboxMailbox) -> None:
    async def refuse(work: AuthWork) -> None:
        await work.enqueue(order_mail(MailKind.RESET_PASSWORD, email=EMAIL))
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await auth.transact(refuse)
    assert await mailbox.mails() == []


async def test_an_order_without_a_person_is_done_and_leaves_nothing(
    auth: AuthOnPostgres, cloned: ClonedDatabase, mailbox: OutboxMailbox
) -> None:
    await auth.transact(lambda work: work.enqueue(order_mail(MailKind.RESET_PASSWORD, email="nobody@example.org")))

    assert await mailbox.mails() == []
    assert "nobody@example.org" not in everything_in(cloned)


async def test_a_mail_server_that_is_down_is_tried_again_and_no_log_tells_whom_it_is_about(
    auth: AuthOnPostgres, cloned: ClonedDatabase, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    down = MailServer(host="127.0.0.1", port=port, tls=False)
    container = Container(settings=Settings(**values | {"mail_server": down}))
    await container.database().open()
    caplog.set_level(logging.DEBUG)
    await auth.transact(lambda work: work.enqueue(order_mail(MailKind.RESET_PASSWORD, user_id="usr_ada")))

    await container.job_worker().run_pending()

    row = await auth.database.fetch_one("select status::text, attempts, args::text from procrastinate_jobs")
    assert row is not None
    assert (row["status"], row["attempts"]) == ("todo", 1)
    assert json.loads(row["args"])["kind"] == "reset_password"
    assert f"a reset_password mail did not go out and is tried again: the mail server 127.0.0.1:{port}" in told(caplog)

    await auth.database.fetch_one("update procrastinate_jobs set attempts = 12, scheduled_at = null returning id")
    await container.job_worker().run_pending()

    row = await auth.database.fetch_one("select status::text from procrastinate_jobs")
    assert row == {"status": "failed"}
    assert "Traceback" in told(caplog)
    assert EMAIL not in told(caplog)
    assert "usr_ada" not in told(caplog)
    await container.database().close()


async def test_two_workers_at_one_person_agree_on_the_last_link(auth: AuthOnPostgres) -> None:
    mailbox = mailbox_of(auth)
    await asyncio.gather(*(mailbox.deliver_mail(_payload()) for _ in range(4)))

    hashes = {link_hash(mail.token or "") for mail in mailbox.mailer.kept}
    rows = await auth.database.fetch_all("select token_hash from one_time_links")
    assert len(hashes) == 4
    assert [row["token_hash"] in hashes for row in rows] == [True]


async def test_nobody_is_flooded_however_many_workers_there_are(auth: AuthOnPostgres) -> None:
    mailbox = mailbox_of(auth)
    await asyncio.gather(*(mailbox.deliver_mail(_payload()) for _ in range(12)))

    assert len(mailbox.mailer.kept) == PER_PERSON_AND_KIND.limit


async def test_a_mail_that_did_not_go_out_is_not_counted(auth: AuthOnPostgres) -> None:
    mailbox = mailbox_of(auth)
    mailbox.mailer.failing = True
    for _ in range(PER_PERSON_AND_KIND.limit + 1):
        with pytest.raises(MailNotSent):
            await mailbox.deliver_mail(_payload())

    mailbox.mailer.failing = False
    await mailbox.deliver_mail(_payload())
    assert len(mailbox.mailer.kept) == 1


def told(caplog: pytest.LogCaptureFixture) -> str:
    """What a process that works writes to its log."""
    return "\n".join(JsonFormatter().format(record) for record in caplog.records if record.levelno > logging.INFO)


def _payload() -> dict[str, str | int | bool | None]:
    return dict(order_mail(MailKind.RESET_PASSWORD, email=EMAIL).payload)
