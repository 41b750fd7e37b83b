"""Mail: what kinds there are, how one is ordered inside a unit of work, and the port that sends it.

An order names whom the mail concerns and holds no secret: the worker that carries it out makes the one-time link, so
that its token is never stored and the request that ordered it takes as long whether or not there is such a person.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from application.jobs import JobName, Payload
from application.ports import Job
from domain.auth.sessions import Door
from domain.auth.throttling import account_key


class MailKind(StrEnum):
    """What a mail is about; each kind has its template."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a kind
    SET_PASSWORD = "set_password"  # noqa: S105 - a kind
    INVITATION = "invitation"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGING = "email_changing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one address, about an account at one portal of a site.

    `url` is the link that it brings, `token` the secret in it and `life` for how long it is good; unless `used_once` it
    may be followed again within that. A notice has none of them. `name` is empty where nobody has proved that the name
    and the address belong together.
    """

    kind: MailKind
    to: str = field(repr=False)
    portal: str
    site: str
    name: str = field(default="", repr=False)
    url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    life: timedelta | None = None
    used_once: bool = True


class MailNotSent(Exception):
    """The mail did not go out and may be sent later. The text tells no address."""


class Mailer(Protocol):
    """Sends mail, or raises `MailNotSent` and is asked again later."""

    @abstractmethod
    async def send(self, mail: Mail) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOrder:
    """What is to be sent: to a person by id, to the person who has an address, or to who is invited.

    With both, `email` is where it goes and `user_id` whom it concerns. `door` is the one whose link it brings, and
    `callback` the page that the link leads back to, where that door's links do.
    """

    kind: MailKind
    user_id: str | None = None
    email: str | None = None
    invitation_id: str | None = None
    door: Door = Door.PORTAL
    callback: str | None = None

    @classmethod
    def of(cls, payload: Payload) -> MailOrder:
        """The order that a job brings."""
        return cls(
            kind=MailKind(str(payload["kind"])),
            user_id=_text(payload.get("user_id")),
            email=_text(payload.get("email")),
            invitation_id=_text(payload.get("invitation_id")),
            door=Door(str(payload.get("door") or Door.PORTAL)),
            callback=_text(payload.get("callback")),
        )

    @property
    def job(self) -> Job:
        payload = {
            "kind": self.kind.value,
            "user_id": self.user_id,
            "email": self.email,
            "invitation_id": self.invitation_id,
            "door": self.door.value,
            "callback": self.callback,
        }
        return Job(name=JobName.SEND_MAIL, payload=payload, lock=self._lock)

    @property
    def _lock(self) -> str:
        """The same for orders that name the same addressee in the same way: a newer link makes the older one worthless,
        so the newer mail has to be the later one. An address is not told.
        """
        addressee = self.user_id or self.invitation_id or account_key(self.email or "")
        return f"{self.kind}:{addressee}"


def order_mail(
    kind: MailKind,
    *,
    user_id: str | None = None,
    email: str | None = None,
    invitation_id: str | None = None,
    door: Door = Door.PORTAL,
    callback: str | None = None,
) -> Job:
    """The job that sends a mail; see `MailOrder` for who gets it."""
    order = MailOrder(
        kind=kind, user_id=user_id, email=email, invitation_id=invitation_id, door=door, callback=callback
    )
    return order.job


def _text(value: object) -> str | None:
    return None if value is None else str(value)
