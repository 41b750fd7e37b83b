"""A started server with a better-auth door, as an application meets it that has moved in."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.support.postgres_user import eventually
from tests.support.real_client import Browser, RealClient

TRUSTED = "http://localhost:3000"  # where the pages of the application are
PUBLIC = "http://study.school.test"  # what people know the server by
SECRET = "kT9vQ2mXw7Lr4ZpB8nYd3HsF6jGc1RaE"
PASSWORD = "practise-every-day"
SETTINGS = {"ACE_PUBLIC_URL": PUBLIC, "ACE_TRUSTED_ORIGINS": TRUSTED, "ACE_BETTER_AUTH_SECRET": SECRET}


@dataclass(frozen=True, slots=True)
class Door:
    """A started server as the client of an application meets it."""

    client: RealClient
    outbox: Path
    owner_url: str

    def browser(self, **options: object) -> Browser:
        """A new one on the application's page, unless `origin` says otherwise."""
        return self.client.browser(**{"origin": TRUSTED, **options})

    def student(self, name: str, **more: object) -> Browser:
        """A browser in which somebody has just signed up as `name`@school.test."""
        browser = self.browser()
        browser.must("signUp.email", sign_up(name, **more))
        return browser

    def another(self, name: str, **more: object) -> Browser:
        """One more browser in which the same person signs in."""
        browser = self.browser()
        browser.must("signIn.email", {"email": f"{name}@school.test", "password": PASSWORD, **more})
        return browser

    def mailed_link(self, to: str, *, containing: str = "/api/auth/", number: int = 1) -> str:
        """Path and query, below the door, of the link in the last of `number` mails to this address."""
        assert eventually(lambda: len(self._links(to, containing)) >= number), f"{to} got {self.mails_to(to)}"
        link = urlsplit(self._links(to, containing)[number - 1])
        assert f"{link.scheme}://{link.netloc}" == PUBLIC
        return f"{link.path.removeprefix('/api/auth')}?{link.query}"

    def mails_to(self, to: str) -> list[str]:
        """The links of all mail to this address so far, "" where a mail brings none."""
        told = [json.loads(path.read_text()) for path in sorted(self.outbox.glob("*.json"))]
        return [mail["url"] or "" for mail in told if mail["to"] == to]

    def _links(self, to: str, containing: str) -> list[str]:
        return [url for url in self.mails_to(to) if containing in url]


def sign_up(name: str, **more: object) -> dict[str, object]:
    """What somebody types who signs up."""
    return {"name": name.title(), "email": f"{name}@school.test", "password": PASSWORD, **more}


def signed(text: str) -> str:
    """The text and its signature as better-auth's cookies carry them, before they are encoded."""
    return f"{text}.{b64encode(hmac.digest(SECRET.encode(), text.encode(), 'sha256')).decode()}"


def encoded(text: str) -> str:
    """What `encodeURIComponent` makes of it."""
    return quote(text, safe="-_.!~*'()")
