"""How a mail reads: the template of its kind, once as text and once as HTML, in a message with all its headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from application.mail import Mail

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).with_name("templates")
_LONGEST_NAME = 200
_JOINERS = "\u200c\u200d"  # they shape words in some scripts, and join emoji
_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


class MailComposer:
    """Makes the message. No header holds anything that a person has chosen but an address, and that one is parsed."""

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self.sender_address = parseaddr(sender)[1]

    @property
    def domain(self) -> str:
        """Where mail comes from."""
        return self.sender_address.rpartition("@")[2]

    def compose(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = self._rendered(mail, "subject")
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=self.domain)
        message["Auto-Submitted"] = "auto-generated"
        text, html = self._rendered(mail, "txt"), self._rendered(mail, "html")
        message.set_content(text, cte=_encoding_of(text))
        message.add_alternative(html, subtype="html", cte=_encoding_of(html))
        return message

    def _rendered(self, mail: Mail, form: str) -> str:
        """The template of the kind in one of its layouts; a value that a template lacks is an error."""
        environment = self._html if form == "html" else self._plain
        rendered = environment.get_template(f"{mail.kind}.mail").render(
            layout=f"layout.{form}",
            name=legible(mail.name),
            portal=mail.portal,
            site=mail.site,
            url=mail.url,
            life=None if mail.life is None else in_words(mail.life),
            used_once=mail.used_once,
        )
        return re.sub(r"\n{3,}", "\n\n", rendered).strip() + ("" if form == "subject" else "\n")

    @cached_property
    def _plain(self) -> Environment:
        return _environment(escaping=False)

    @cached_property
    def _html(self) -> Environment:
        return _environment(escaping=True)


def legible(name: str) -> str:
    """A name on one line, without characters that cannot be seen, however it came to be stored."""
    seen = "".join(character if character.isprintable() or character in _JOINERS else " " for character in name)
    return " ".join(seen.split())[:_LONGEST_NAME]


def in_words(life: timedelta) -> str:
    """A length of time in the largest unit that gives at least two of it: 30 minutes, 24 hours, 7 days."""
    for unit, length in _UNITS:
        if (count := life // length) >= 2:
            return f"{count} {unit}s"
    return "a minute"


def _encoding_of(text: str) -> str:
    """What is plain ASCII stays as it is, so that a link can be copied out of a message that is kept as a file."""
    return "7bit" if text.isascii() else "quoted-printable"


def _environment(*, escaping: bool) -> Environment:
    # Only the process that sends mail pays for the import.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=escaping, undefined=StrictUndefined)  # noqa: S701 - text is not HTML
