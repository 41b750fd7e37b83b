"""Mail as files in a folder, where there is no mail server."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from adapters.mail.rendering import MailComposer
from application.mail import Mail, Mailer, MailNotSent

_log = logging.getLogger("ace.mail")


class OutboxMailer(Mailer):
    """One `.eml` per mail, for the owner of the folder only, named by time and kind.

    Where nothing is at stake, `telling` puts a `.json` beside it that says what is in it, `log_links` logs its link.
    """

    def __init__(self, folder: Path, composer: MailComposer, *, telling: bool = False, log_links: bool = False) -> None:
        self._folder = folder
        self._composer = composer
        self._telling = telling
        self._log_links = log_links

    async def send(self, mail: Mail) -> None:
        try:
            await asyncio.to_thread(self._put, mail)
        except OSError as error:
            raise MailNotSent(f"nothing can be written to {self._folder}: {error.strerror}") from None
        if self._log_links and mail.url is not None:
            _log.info("a %s mail brings the link %s", mail.kind, mail.url)

    def _put(self, mail: Mail) -> None:
        content = self._composer.compose(mail).as_bytes()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / _name(mail)
        while not _placed(content, path):
            path = self._folder / _name(mail)
        if self._telling:
            told = {"kind": mail.kind, "to": mail.to, "url": mail.url, "token": mail.token}
            _placed(json.dumps(told).encode(), path.with_suffix(".json"))


def _name(mail: Mail) -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{mail.kind}.eml"


def _placed(content: bytes, path: Path) -> bool:
    """Whether the file got its name, which it gets when all of it is on the disk; not if another one has it."""
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
            return True
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
