"""Every mail reads well as text and as HTML, and nothing that a person has chosen becomes a header or markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from adapters.mail import rendering
from adapters.mail.rendering import MailComposer, in_words, legible
from application.mail import Mail, MailKind

COMPOSER = MailComposer("Ace <no-reply@ace.test>")
NOTICES = {MailKind.PASSWORD_CHANGED, MailKind.EMAIL_CHANGED, MailKind.EMAIL_CHANGING}
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}


def a_mail(kind: MailKind, name: str = "", to: str = "ada@example.org", portal: str = "instructor") -> Mail:
    notice = kind in NOTICES
    return Mail(
        kind=kind,
        to=to,
        portal=portal,
        site="ace.test",
        name=name,
        url=None if notice else "https://ace.test/student/page#token=t0ken-of_the-link",
        token=None if notice else "t0ken-of_the-link",
        life=None if notice else timedelta(hours=24),
    )


def read_back(mail: Mail) -> EmailMessage:
    """What a mail program makes of it."""
    return message_from_bytes(COMPOSER.compose(mail).as_bytes(), _class=EmailMessage, policy=policy.SMTP)


def body(message: EmailMessage, form: str) -> str:
    part = message.get_body((form,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_reads_the_same_as_text_and_as_html(kind: MailKind) -> None:
    mail = a_mail(kind, name="Zoë <王>")
    message = read_back(mail)
    text, html = body(message, "plain"), body(message, "html")

    assert set(message.keys()) == HEADERS
    assert message["Subject"]
    assert message.get_content_type() == "multipart/alternative"
    assert text.startswith("Hello Zoë <王>,\n\n")
    assert "<p>Hello Zoë &lt;王&gt;,</p>" in html
    assert f"<title>{message['Subject']}</title>" in html
    assert "\n\n\n" not in text
    assert {line.strip() for line in text.splitlines() if "https://" in line} == ({mail.url} if mail.url else set())
    assert ('<a href="https://ace.test/student/page#token=t0ken-of_the-link">' in html) is (mail.url is not None)
    assert ("24 hours" in text) is ("24 hours" in html) is (mail.url is not None)
    assert text.rstrip().endswith("Ace at ace.test")


def test_subjects_differ_and_are_plain() -> None:
    subjects = [str(COMPOSER.compose(a_mail(kind))["Subject"]) for kind in MailKind]

    assert len(set(subjects)) == len(MailKind)
    assert all(subject.isascii() and subject.isprintable() and len(subject) < 70 for subject in subjects)


@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_a_notice_says_what_to_do(kind: MailKind) -> None:
    assert "tell an administrator" in " ".join(body(read_back(a_mail(kind)), "plain").split())


@pytest.mark.parametrize(("portal", "role"), [("admin", "an administrator"), ("instructor", "an instructor")])
def test_an_invitation_says_as_what_one_is_invited(portal: str, role: str) -> None:
    assert f"register as {role}," in body(read_back(a_mail(MailKind.INVITATION, portal=portal)), "plain")


def test_only_a_link_that_is_spent_by_its_use_is_said_to_be() -> None:
    for used_once, words in ((True, "The link can be used once, within 24 hours."), (False, "used within 24 hours.")):
        message = read_back(replace(a_mail(MailKind.VERIFY_EMAIL), used_once=used_once))
        assert words in body(message, "plain")
        assert words in body(message, "html")


def test_a_link_can_be_copied_out_of_the_raw_message() -> None:
    mail = a_mail(MailKind.VERIFY_EMAIL)

    assert f"\r\n{mail.url}\r\n".encode() in COMPOSER.compose(mail).as_bytes()


@given(st.text())
def test_no_name_adds_a_header_or_markup(name: str) -> None:
    message = read_back(a_mail(MailKind.RESET_PASSWORD, name=name))

    assert set(message.keys()) == HEADERS
    assert str(message["To"]) == "ada@example.org"
    assert body(message, "plain").splitlines()[0].startswith("Hello")
    assert body(message, "html").count("<p>") == 6


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: all@example.org\r\n\r\nBody", "</p><a href='https://evil.test'>x</a>", "\ud800", "a\u202eb"]
)
def test_hostile_names(name: str) -> None:
    message = read_back(a_mail(MailKind.RESET_PASSWORD, name=name))
    html = body(message, "html")

    assert set(message.keys()) == HEADERS
    assert "evil.test'>" not in html
    assert "\u202e" not in html


@pytest.mark.parametrize("to", ["ada@example.org\r\nBcc: x@y.test", "a@b.test, c@d.test", "Ada <ada@example.org>", ""])
def test_what_is_not_one_address_is_not_written_to(to: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        COMPOSER.compose(a_mail(MailKind.RESET_PASSWORD, to=to))


@given(st.text())
def test_a_legible_name_is_one_short_line(name: str) -> None:
    shown = legible(name)

    assert len(shown) <= 200
    assert len(shown.splitlines()) <= 1
    shown.encode()


@pytest.mark.parametrize("name", ["Ada Lovelace", "Zoë 王", "نیم\u200cفاصله", "👩\u200d💻"])
def test_honest_names_stay_as_they_are(name: str) -> None:
    assert legible(name) == name


def test_a_value_that_a_template_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "verify_email.mail").write_text("{{ surprise }}")
    monkeypatch.setattr(rendering, "TEMPLATES", tmp_path)

    with pytest.raises(UndefinedError, match="surprise"):
        MailComposer("no-reply@ace.test").compose(a_mail(MailKind.VERIFY_EMAIL))


@pytest.mark.parametrize(
    ("life", "words"),
    [
        (timedelta(minutes=30), "30 minutes"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=7), "7 days"),
        (timedelta(seconds=90), "a minute"),
    ],
)
def test_lengths_of_time_in_words(life: timedelta, words: str) -> None:
    assert in_words(life) == words


def test_each_template_belongs_to_a_kind() -> None:
    assert {path.stem for path in rendering.TEMPLATES.glob("*.mail")} == set(MailKind)
