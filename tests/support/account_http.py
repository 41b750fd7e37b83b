"""People with an account at one of the portals, their browsers, and links as if they had been mailed."""

from __future__ import annotations

from typing import Any

import httpx

from application.auth.registering import NewUser
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import Role
from domain.auth.refresh import encode_token
from entrypoints.http.app import Application
from tests.support.account_builders import NEW_EMAIL, NEW_PASSWORD, TOKEN
from tests.support.auth_builders import EMAIL, PASSWORD
from tests.support.auth_http import provided
from tests.support.postgres import ClonedDatabase

PORTALS = {
    "/student/auth": Role.STUDENT,
    "/instructor/auth": Role.INSTRUCTOR,
    "/admin/auth": Role.ADMIN,
    "/auth": Role.STUDENT,
}
PUBLIC: dict[str, dict[str, str]] = {
    "verify-email": {"token": "x"},
    "resend-verification": {"email": EMAIL},
    "request-password-reset": {"email": EMAIL},
    "reset-password": {"token": "x", "password": NEW_PASSWORD},
}
OWN: dict[str, dict[str, str]] = {
    "change-password": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD},
    "change-email": {"newEmail": NEW_EMAIL, "currentPassword": PASSWORD},
}


async def member(app: Application, portal: str, email: str = EMAIL, **changes: Any) -> None:
    """Somebody has an account at this portal."""
    new = NewUser(**{"role": PORTALS[portal], "email": email, "password": PASSWORD, "name": "Ada"} | changes)
    await provided(app, "create_user")(new)


async def signed_in(client: httpx.AsyncClient, portal: str, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Signs this browser in, and lets it send the CSRF token as our pages do."""
    answer = await client.post(f"{portal}/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["x-csrf-token"] = answer.json()["csrfToken"]


async def link(app: Application, purpose: LinkPurpose, owner: str, email: str = EMAIL) -> str:
    """A link as if it had been mailed."""

    async def put(work: Any) -> None:
        await work.put_link(Link.new(owner, purpose, email=email, token=TOKEN, now=work.now))

    await provided(app, "account_transaction")(put)
    return encode_token(TOKEN)


async def id_of(client: httpx.AsyncClient, portal: str) -> str:
    found: str = (await client.get(f"{portal}/me")).json()["user"]["id"]
    return found


def one(cloned: ClonedDatabase, query: bytes) -> Any:
    row = cloned.keeper.execute(query).fetchone()
    return None if row is None else row[0]
