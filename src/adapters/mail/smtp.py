"""Mail through a mail server."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from adapters.mail.rendering import MailComposer
from application.mail import Mail, Mailer, MailNotSent

if TYPE_CHECKING:
    from aiosmtplib import SMTP

_log = logging.getLogger("ace.mail")
_ENHANCED_CODE = re.compile(r"\d\.\d{1,3}\.\d{1,3}")
_FAREWELL_SECONDS = 1.0
_REFUSED_FOR_GOOD = 500


class Tls(Enum):
    """How a connection is kept secret: from its first byte on, by STARTTLS or not at all, or by it if it is offered.

    Where it is only taken if offered, the certificate is not looked at: who could forge it could also not offer it.
    """

    FROM_THE_START = auto()
    REQUIRED = auto()
    IF_OFFERED = auto()


class SmtpMailer(Mailer):
    """Hands each mail in on a connection of its own, in bounded time. What is raised or logged tells no address.

    A recipient whom the server refuses for good (5xx) is not tried again: the mail is given up and that is logged.
    """

    def __init__(
        self,
        composer: MailComposer,
        host: str,
        port: int,
        *,
        tls: Tls,
        credentials: tuple[str, str] | None = None,
        seconds: float = 20.0,
    ) -> None:
        self._composer = composer
        self._host = host
        self._port = port
        self._tls = tls
        self._credentials = credentials
        self._seconds = seconds

    async def send(self, mail: Mail) -> None:
        from aiosmtplib import SMTPException, SMTPRecipientsRefused

        client = self._client()
        try:
            async with asyncio.timeout(self._seconds):
                await self._hand_in(client, mail)
        except SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            if refusal.code < _REFUSED_FOR_GOOD:
                raise self._not_sent(refusal) from None
            told = _told(refusal)
            _log.warning("a %s mail is given up: the mail server refuses its recipient (%s)", mail.kind, told)
        except (SMTPException, OSError) as error:
            # Without its cause, which may quote the address.
            raise self._not_sent(error) from None
        else:
            # It is sent, however the server takes leave.
            with suppress(Exception):
                await client.quit(timeout=_FAREWELL_SECONDS)
        finally:
            client.close()

    async def _hand_in(self, client: SMTP, mail: Mail) -> None:
        await client.connect()
        message = self._composer.compose(mail)
        await client.send_message(message, sender=self._composer.sender_address, recipients=[mail.to])

    def _client(self) -> SMTP:
        from aiosmtplib import SMTP

        username, password = self._credentials or (None, None)
        return SMTP(
            hostname=self._host,
            port=self._port,
            username=username,
            password=password,
            local_hostname=self._composer.domain,
            timeout=self._seconds,
            use_tls=self._tls is Tls.FROM_THE_START,
            start_tls={Tls.FROM_THE_START: False, Tls.REQUIRED: True, Tls.IF_OFFERED: None}[self._tls],
            validate_certs=self._tls is not Tls.IF_OFFERED,
        )

    def _not_sent(self, error: Exception) -> MailNotSent:
        return MailNotSent(f"the mail server {self._host}:{self._port} did not take it: {_told(error)}")


def _told(error: Exception) -> str:
    """What may be told of it. The text of a server's answer may quote addresses, so only its codes are."""
    from aiosmtplib import SMTPResponseException

    if not isinstance(error, SMTPResponseException):
        return str(error) or type(error).__name__
    enhanced = _ENHANCED_CODE.match(error.message)
    return f"{error.code} {enhanced.group()}" if enhanced else str(error.code)
