"""Students with an account at the better-auth door, over HTTP, their mail, and what the store knows of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from application.mail import MailKind
from entrypoints.http.app import Application
from entrypoints.settings import BetterAuthSettings
from tests.support.account_http import one
from tests.support.auth_http import serving
from tests.support.doors import AT_HOME, SITE, DoorDevice, device_at
from tests.support.mailbox import OutboxMailbox, mail_settings, site_mailbox
from tests.support.postgres import ClonedDatabase

DOOR_KEY: Final = "a key of the door, long enough to sign with"
APP_ORIGIN: Final = "https://app.example.com"
NEW_PASSWORD: Final = "eleven quiet rivers going north"
NEW_EMAIL: Final = "elsewhere@example.org"
_COOKIES: Final = ("session_token", "session_data", "dont_remember")
CLEARED: Final = {f"better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax" for name in _COOKIES}


@asynccontextmanager
async def accounts_at(
    database: ClonedDatabase, log: list[bytes], folder: Path, *, more: dict[str, Any] | None = None, **door: Any
) -> AsyncIterator[Application]:
    """The auth area with the door as these settings of it have it, and an outbox of its own."""
    settings = {**AT_HOME, **mail_settings(folder), "trusted_origins": (APP_ORIGIN, "myapp://"), **(more or {})}
    async with serving(database, log, better_auth=BetterAuthSettings(**door), **settings) as app:
        yield app


@asynccontextmanager
async def newcomer(app: Application, email: str | None = None) -> AsyncIterator[DoorDevice]:
    """Somebody who has just signed up."""
    async with device_at(app, "better-auth", email) as device:
        answer = await device.register()
        assert answer.status_code == 200, answer.text
        yield device


@asynccontextmanager
async def stranger(app: Application) -> AsyncIterator[DoorDevice]:
    """A browser without any cookie."""
    async with device_at(app, "better-auth") as device:
        yield device


def empty_mailbox(app: Application) -> OutboxMailbox:
    """What people are mailed, from now on."""
    mailbox = site_mailbox(app._container)
    for path in mailbox.folder.glob("*"):
        path.unlink()
    return mailbox


async def mailed_link(mailbox: OutboxMailbox, kind: MailKind) -> tuple[str, str]:
    """The address in the last mail of a kind, below the door, and its token."""
    mail = await mailbox.newest(kind)
    return (mail.url or "").removeprefix(f"{SITE}/api/auth"), mail.secret


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """A refusal by its status and its code, or its message where it has no code."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) in (["message", "code"], ["message"]), body
    return answer.status_code, body.get("code", body["message"])


def cookies_of(answer: httpx.Response) -> list[str]:
    """What the answer sets."""
    return answer.headers.get_list("set-cookie")


def location(answer: httpx.Response) -> str:
    """Where an empty redirect leads."""
    assert (answer.status_code, answer.content) == (302, b""), answer.text
    assert answer.headers["content-type"] == "application/json"
    return str(answer.headers["location"])


def live_sessions(database: ClonedDatabase) -> int:
    count: int = one(database, b"select count(*) from auth_sessions where revoked_at is null")
    return count


def audited(database: ClonedDatabase) -> list[tuple[str, int]]:
    """The acts on record, and how often each."""
    return database.keeper.execute("select action, count(*) from audit_log group by 1 order by 1").fetchall()
