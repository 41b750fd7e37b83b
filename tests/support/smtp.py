"""A real mail server on this machine, for as long as a block lasts, and a certificate for it."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "ace", "p@ss/word: ü"


@dataclass(slots=True)
class PostOffice:
    """What the server was given, and how it answers: an answer that is set is given instead of doing the thing."""

    port: int = 0
    to_recipient: str | None = None
    to_data: str | None = None
    silent: bool = False
    pause_seconds: float = 0.0
    taken: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    asked_for_password: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.pause_seconds)
        if self.to_recipient is not None:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.pause_seconds)
        if self.silent:
            await asyncio.Event().wait()
        if self.to_data is not None:
            return self.to_data
        content = envelope.original_content
        assert content is not None
        self.taken.append((envelope, message_from_bytes(content, _class=EmailMessage, policy=policy.SMTP)))
        self.over_tls.append(session.ssl is not None)
        return "250 taken"

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.asked_for_password += 1
        right = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


class _Server(SMTP):
    """One connection, that can be cut even if a handshake on it has failed."""

    cable: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.cable = self.cable or transport
        super().connection_made(transport)

    def cut(self) -> None:
        if isinstance(self.cable, asyncio.WriteTransport):
            self.cable.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()


@asynccontextmanager
async def post_office(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[PostOffice]:
    """A server on a free port, that offers STARTTLS, or speaks TLS from the start, or wants a password."""
    office = PostOffice()
    connections: list[_Server] = []

    def serve() -> SMTP:
        connection = _Server(
            office,
            hostname="localhost",
            tls_context=starttls,
            auth_required=login and starttls is not None,
            auth_require_tls=starttls is not None,
            authenticator=office.check,
            loop=asyncio.get_running_loop(),
        )
        connections.append(connection)
        return connection

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=tls)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for connection in connections:
            connection.cut()
        for _ in range(5):  # until what was cut is closed
            await asyncio.sleep(0)


def certificate(folder: Path) -> Path:
    """A certificate of our own for 127.0.0.1, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    path = folder / "certificate.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    command = [openssl, *options.split(), "-keyout", str(folder / "key.pem"), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + (folder / "key.pem").read_text())
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
