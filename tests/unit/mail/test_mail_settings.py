"""Where mail goes, by the settings: what is secret is not shown, and what must be kept secret is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mail.outbox import OutboxMailer
from adapters.mail.smtp import SmtpMailer, Tls
from application.mail import Mail, MailKind
from entrypoints.cli.support import mail_route
from entrypoints.container import Container
from entrypoints.setting_values import MailServer
from entrypoints.settings import SettingsError, load

PRODUCTION = {
    "ACE_ENVIRONMENT": "production",
    "ACE_SECRET_KEY": "k3J9-d8sPq_72mZx-w01nBvC-yT5uE6rA",
    "DATABASE_URL": "postgresql://ace_app@127.0.0.1/ace",
    "ACE_PUBLIC_URL": "https://exams.school.test",
}
MAIL = Mail(
    kind=MailKind.VERIFY_EMAIL, to="ada@example.org", portal="student", site="ace.test", url="https://x", token="t"
)


def problem_of(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.school.test", MailServer(host="mail.school.test", port=587, tls=False)),
        ("smtp://127.0.0.1:25/", MailServer(host="127.0.0.1", port=25, tls=False)),
        ("smtps://mail.school.test", MailServer(host="mail.school.test", port=465, tls=True)),
        ("smtp://[::1]:2525", MailServer(host="::1", port=2525, tls=False)),
        (
            "smtp://ace%40school:p%40ss%2Fw%3A%C3%BC@mail.school.test:587",
            MailServer(host="mail.school.test", port=587, tls=False, credentials=("ace@school", "p@ss/w:ü")),
        ),
    ],
)
def test_a_mail_server_is_named_by_an_address(url: str, server: MailServer) -> None:
    assert load({"ACE_SMTP_URL": url}).mail_server == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.school.test",
        "http://ace:hush-hush@mail.school.test",
        "smtp://",
        "smtp://ace:hush-hush@",
        "smtp://ace:hush-hush@mail:port",
        "smtp://ace:hush-hush/hush@mail.school.test",
        "smtp://ace:hush-hush#hush@mail.school.test",
        "smtp://ace:hush-hush@mail.school.test/hush-hush",
        "smtp://ace:hush-hush@mail.school.test?hush-hush",
        "smtp://ace:hush-hush@mail.school.test:0",
        "smtp://ace:hush-hush@[mail",
        "smtp://:hush-hush@mail.school.test",
        "smtp://hush-hush@mail.school.test",
        "smtp://ace:hush-hush%0d%0a@mail.school.test",
        "smtp://ace:hush-hush%ff@mail.school.test",
        "smtp://ace:hush-hush ü@mail.school.test",
    ],
)
def test_what_is_wrong_with_it_is_told_without_its_password(url: str) -> None:
    problem = problem_of(ACE_SMTP_URL=url)

    assert problem.startswith("ACE_SMTP_URL")
    assert "hush" not in problem


@given(st.text(max_size=30))
def test_whatever_follows_the_scheme_is_a_server_or_a_problem(rest: str) -> None:
    try:
        outcome: object = load({"ACE_SMTP_URL": "smtp://" + rest}).mail_server
    except SettingsError as error:
        outcome = error.problems[0].partition(":")[0]

    assert outcome == "ACE_SMTP_URL" or (isinstance(outcome, MailServer) and outcome.host)


def test_a_password_is_never_shown() -> None:
    settings = load({"ACE_SMTP_URL": "smtp://ace:hush-hush@mail.school.test"})

    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "url", "tls"),
    [
        (PRODUCTION, "smtp://mail.school.test", Tls.REQUIRED),
        (PRODUCTION, "smtp://a:b@localhost", Tls.IF_OFFERED),
        (PRODUCTION, "smtp://127.0.0.1:25", Tls.IF_OFFERED),
        (PRODUCTION, "smtp://[::1]:25", Tls.IF_OFFERED),
        (PRODUCTION, "smtps://localhost", Tls.FROM_THE_START),
        ({}, "smtp://a:b@mail.school.test", Tls.REQUIRED),
        ({}, "smtp://mail.school.test", Tls.IF_OFFERED),
        ({}, "smtps://mail.school.test", Tls.FROM_THE_START),
    ],
)
def test_tls_is_required_where_somebody_could_listen_to_something(environ: dict[str, str], url: str, tls: Tls) -> None:
    mailer = Container(settings=load(environ | {"ACE_SMTP_URL": url})).mailer()

    assert isinstance(mailer, SmtpMailer)
    assert mailer._tls is tls


@pytest.mark.parametrize(
    ("environ", "suffixes", "logged"),
    [
        ({}, [".eml", ".json"], 1),
        ({"ACE_ENVIRONMENT": "test"}, [".eml", ".json"], 0),
        (PRODUCTION, [".eml"], 0),
    ],
)
async def test_without_a_mail_server_links_are_shown_only_where_nothing_is_at_stake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, environ: dict[str, str], suffixes: list[str], logged: int
) -> None:
    caplog.set_level("DEBUG", "ace.mail")
    settings = load(environ | {"ACE_DATA_DIR": str(tmp_path)})
    mailer = Container(settings=settings).mailer()
    assert isinstance(mailer, OutboxMailer)

    await mailer.send(MAIL)

    assert sorted(path.suffix for path in settings.outbox.iterdir()) == suffixes
    assert settings.outbox == tmp_path / "outbox"
    assert len([record for record in caplog.records if record.name == "ace.mail"]) == logged


def test_an_operator_is_told_where_mail_goes() -> None:
    to_server = mail_route(load({"ACE_SMTP_URL": "smtp://ace:hush-hush@mail.school.test"}))

    assert to_server == "mail goes to mail.school.test:587, from Ace <no-reply@127.0.0.1>"
    assert mail_route(load({})).startswith("mail is put as files into .data/outbox")


@pytest.mark.parametrize(
    ("environ", "base_url", "sender"),
    [
        ({}, "http://127.0.0.1:8000", "Ace <no-reply@127.0.0.1>"),
        ({"ACE_HOST": "::1", "ACE_PORT": "8123"}, "http://[::1]:8123", "Ace <no-reply@localhost>"),
        ({"ACE_PUBLIC_URL": "https://ace.test:8443"}, "https://ace.test:8443", "Ace <no-reply@ace.test>"),
        ({"ACE_MAIL_FROM": "Exams <exams@school.test>"}, "http://127.0.0.1:8000", "Exams <exams@school.test>"),
        ({"ACE_MAIL_FROM": "exams@school.test"}, "http://127.0.0.1:8000", "exams@school.test"),
    ],
)
def test_links_and_senders(environ: dict[str, str], base_url: str, sender: str) -> None:
    settings = load({**environ, "ACE_SECRET_KEY": PRODUCTION["ACE_SECRET_KEY"]})

    assert (settings.base_url, settings.sender) == (base_url, sender)
    assert Container(settings=settings).deliver_mail().base_url == base_url


@pytest.mark.parametrize(
    "text",
    ["nobody", "a@b.test, c@d.test", "Ace <no-reply@ace.test>\r\nBcc: x@y.test", "Ace <>", "@ace.test", "ü@a.test"],
)
def test_a_sender_is_one_address(text: str) -> None:
    assert problem_of(ACE_MAIL_FROM=text).startswith("ACE_MAIL_FROM")
