"""What people find in their mailboxes, on whichever store a test brings.

    mailbox = mailbox_of(auth)              # over the builders of auth_builders.py, in memory or on PostgreSQL
    mailbox = site_mailbox(site.container)  # over `whole_site_of(database, **mail_settings(tmp_path))`, or `serving(…)`

    await order_a_mail_somehow()
    mail = await mailbox.newest(MailKind.RESET_PASSWORD)
    await reset_password(token=mail.secret, ...)

`mails()` carries out every job that waits and returns all mail so far, the newest last; `newest(kind)` the last of a
kind. Nothing is sent before one of them is called. In memory and over the builders, `mailbox.mailer.failing` makes
sending fail for as long as it is true.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.memory.auth import MemoryMailWork
from adapters.memory.jobs import MemoryJobRunner
from adapters.memory.store import MemoryTransaction
from adapters.postgres.auth import PostgresMailWork
from adapters.postgres.jobs import JobWorker
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.token_source import SystemTokenSource
from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.mailed_links import CookieDoorLinks, PortalLinks
from application.auth.mailing import DeliverMail
from application.auth.ports import MailWork
from application.jobs import JobName
from application.mail import Mail, Mailer, MailKind, MailNotSent
from application.ports import Transaction
from entrypoints.settings import Environment
from tests.support.auth_builders import Auth, AuthInMemory, AuthOnPostgres

BASE_URL = "https://ace.test"
DOOR_KEYS = (b"a key of the door that is newest", b"a key of the door that was newest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail as a test looks at it."""

    kind: MailKind
    to: str
    url: str | None
    token: str | None

    @property
    def secret(self) -> str:
        """The token of a mail that must have one."""
        assert self.token is not None, f"{self.kind} brings no link"
        return self.token


@dataclass(slots=True)
class KeptMail(Mailer):
    """Keeps what it is asked to send, or fails if it is told to."""

    kept: list[Mail] = field(default_factory=list)
    failing: bool = False

    async def send(self, mail: Mail) -> None:
        if self.failing:
            raise MailNotSent("the mail server is away")
        self.kept.append(mail)


class Mailbox(ABC):
    """All mail of one store."""

    @abstractmethod
    async def mails(self) -> list[Received]: ...

    async def newest(self, kind: MailKind, to: str | None = None) -> Received:
        """The last of a kind. Jobs are carried out side by side: where several people wait for mail, say whose."""
        return [mail for mail in await self.mails() if mail.kind is kind and to in (None, mail.to)][-1]


@dataclass(slots=True)
class KeptMailbox(Mailbox):
    """Mail that was not written anywhere: every property of what was sent is in `mailer.kept`."""

    deliver_mail: DeliverMail
    mailer: KeptMail
    run_pending: Callable[[], Awaitable[object]]

    async def mails(self) -> list[Received]:
        await self.run_pending()
        return [Received(kind=m.kind, to=m.to, url=m.url, token=m.token) for m in self.mailer.kept]


@dataclass(slots=True)
class OutboxMailbox(Mailbox):
    """The files of an outbox."""

    folder: Path
    run_pending: Callable[[], Awaitable[object]]

    async def mails(self) -> list[Received]:
        await self.run_pending()
        told = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        return [Received(**mail | {"kind": MailKind(mail["kind"])}) for mail in told]


def mailbox_of(auth: Auth) -> KeptMailbox:
    """The mail that is ordered in the store of these use cases."""
    if isinstance(auth, AuthInMemory):
        deliver, mailer = _delivery(MemoryTransaction(auth.store, MemoryMailWork, auth.clock))
        return KeptMailbox(deliver, mailer, MemoryJobRunner(auth.store, {JobName.SEND_MAIL: deliver}).run_pending)
    assert isinstance(auth, AuthOnPostgres)
    deliver, mailer = _delivery(PostgresTransaction(auth.database, PostgresMailWork, auth.ids, auth.clock))
    worker = JobWorker(auth.database.conninfo, {JobName.SEND_MAIL: deliver}, concurrency=1)
    return KeptMailbox(deliver, mailer, worker.run_pending)


def site_mailbox(container: Any) -> OutboxMailbox:
    """The mail of a whole application, sent by its own worker."""
    settings = container.settings()
    assert settings.data_dir.is_absolute(), "give the application a folder of the test's own: **mail_settings(tmp_path)"
    return OutboxMailbox(settings.outbox, container.job_worker().run_pending)


def mail_settings(folder: Path) -> dict[str, Any]:
    """The settings with which an application puts its mail where `site_mailbox` finds it."""
    return {"data_dir": folder, "environment": Environment.TEST}


def _delivery(transact: Transaction[MailWork]) -> tuple[DeliverMail, KeptMail]:
    mailer = KeptMail()
    source, tokens = SystemTokenSource(), JwtVerificationTokens(DOOR_KEYS)
    deliver = DeliverMail(
        transact=transact,
        mailer=mailer,
        portal_links=PortalLinks(source=source, base_url=BASE_URL),
        cookie_door_links=CookieDoorLinks(source=source, tokens=tokens, base_url=BASE_URL),
        base_url=BASE_URL,
    )
    return deliver, mailer
