"""Mail is handed to a real server: in secret where that matters, in bounded time, and nothing quotes an address."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.mail.rendering import MailComposer
from adapters.mail.smtp import SmtpMailer, Tls
from application.mail import Mail, MailKind, MailNotSent
from domain.auth.links import LinkPurpose
from tests.support.smtp import PASSWORD, USER, PostOffice, certificate, post_office, server_context

TO = "ada@example.org"
MAIL = Mail(
    kind=MailKind.RESET_PASSWORD,
    to=TO,
    portal="student",
    site="ace.test",
    url="https://ace.test/student/reset-password#token=secret-of-the-link",
    token="secret-of-the-link",
    life=LinkPurpose.RESET_PASSWORD.life,
)


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


def mailer(port: int, **options: Any) -> SmtpMailer:
    composer = MailComposer("Ace <no-reply@ace.test>")
    return SmtpMailer(composer, "127.0.0.1", port, **{"tls": Tls.IF_OFFERED, "seconds": 5.0, **options})


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


async def refusal(office: PostOffice | int, **options: Any) -> str:
    """Why a mail was not sent."""
    port = office if isinstance(office, int) else office.port
    with pytest.raises(MailNotSent) as caught:
        await mailer(port, **options).send(MAIL)
    assert caught.value.__suppress_context__, "the cause may quote the address"
    return str(caught.value)


async def test_a_mail_arrives_whole_with_its_sender_and_recipient() -> None:
    async with post_office() as office:
        await mailer(office.port).send(MAIL)

    ((envelope, message),) = office.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@ace.test", [TO])
    assert (message["From"], message["To"]) == ("Ace <no-reply@ace.test>", TO)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert MAIL.url is not None
    assert MAIL.url in text.get_content()
    assert f'href="{MAIL.url}"' in html.get_content()
    assert office.over_tls == [False]


async def test_user_and_password_are_told_over_tls_to_a_server_with_a_good_certificate(
    own_certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, own_certificate)
    async with post_office(starttls=server_context(own_certificate), login=True) as office:
        await mailer(office.port, tls=Tls.REQUIRED, credentials=(USER, PASSWORD)).send(MAIL)

    assert office.over_tls == [True]
    assert office.asked_for_password == 1


async def test_a_server_that_speaks_tls_from_the_start(own_certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, own_certificate)
    async with post_office(tls=server_context(own_certificate)) as office:
        await mailer(office.port, tls=Tls.FROM_THE_START).send(MAIL)

    assert len(office.taken) == 1


async def test_where_tls_is_required_nothing_is_told_without_it() -> None:
    async with post_office(login=True) as office:
        assert "STARTTLS" in await refusal(office, tls=Tls.REQUIRED, credentials=(USER, PASSWORD))

    assert office.asked_for_password == 0
    assert office.taken == []


@pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.FROM_THE_START])
async def test_where_tls_is_required_nothing_is_told_to_a_server_that_anybody_may_be(
    own_certificate: Path, tls: Tls
) -> None:
    context = server_context(own_certificate)
    offers: dict[str, Any] = {"tls": context} if tls is Tls.FROM_THE_START else {"starttls": context}
    async with post_office(**offers) as office:
        assert "certificate" in await refusal(office, tls=tls)

    assert office.taken == []


async def test_where_tls_is_not_required_it_is_used_if_it_is_offered(own_certificate: Path) -> None:
    async with post_office(starttls=server_context(own_certificate)) as office:
        await mailer(office.port).send(MAIL)

    assert office.over_tls == [True]


async def test_a_wrong_password_is_told_by_its_code_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    async with post_office(login=True) as office:
        reason = await refusal(office, credentials=(USER, "wrong-password"))

    assert "535" in reason
    assert "wrong-password" not in reason + caplog.text


@pytest.mark.parametrize("answer", [f"450 4.2.1 {TO} is busy", f"421 4.3.2 {TO} later"])
async def test_a_recipient_who_is_refused_for_now_is_tried_again(answer: str) -> None:
    async with post_office() as office:
        office.to_recipient = answer
        reason = await refusal(office)

    assert answer[:9] in reason
    assert TO not in reason


async def test_a_recipient_who_is_refused_for_good_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with post_office() as office:
        office.to_recipient = f"550 5.1.1 there is no {TO}"
        await mailer(office.port).send(MAIL)

    assert office.taken == []
    (record,) = [record for record in caplog.records if record.name == "ace.mail"]
    assert record.levelno == logging.WARNING
    assert "reset_password mail" in record.getMessage()
    assert "550 5.1.1" in record.getMessage()
    assert TO not in caplog.text


async def test_a_message_that_is_refused_is_tried_again_and_the_answer_is_not_quoted() -> None:
    async with post_office() as office:
        office.to_data = f"554 {TO} may not have {MAIL.url}"
        reason = await refusal(office)

    assert reason.endswith(": 554")


async def test_a_server_that_is_down() -> None:
    with socket.socket() as deaf:  # nobody else is given the port meanwhile
        deaf.bind(("127.0.0.1", 0))
        port: int = deaf.getsockname()[1]
        assert f"127.0.0.1:{port}" in await refusal(port)


async def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    async with post_office() as office:
        office.silent = True
        before = time.monotonic()
        await refusal(office, seconds=0.2)

    assert time.monotonic() - before < 10


async def test_a_server_that_takes_its_time_at_each_step_is_given_up_when_they_add_up() -> None:
    async with post_office() as office:
        office.pause_seconds = 0.2
        await refusal(office, seconds=0.3)


async def test_a_server_that_says_nothing_at_all_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before = time.monotonic()
        await refusal(listener.getsockname()[1], seconds=0.2)

    assert time.monotonic() - before < 10
