"""Without a mail server, mail lies in a folder that only its owner reads."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import stat
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from adapters.mail import outbox
from adapters.mail.outbox import OutboxMailer
from adapters.mail.rendering import MailComposer
from application.mail import Mail, MailKind, MailNotSent

URL = "https://ace.test/student/verify-email#token=t0ken"
MAIL = Mail(kind=MailKind.VERIFY_EMAIL, to="ada@example.org", portal="student", site="ace.test", url=URL, token="t0ken")
NOTICE = Mail(kind=MailKind.PASSWORD_CHANGED, to="ada@example.org", portal="student", site="ace.test")


def mailer(folder: Path, **options: Any) -> OutboxMailer:
    return OutboxMailer(folder, MailComposer("no-reply@ace.test"), **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_mail_becomes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "outbox"
    await mailer(folder).send(MAIL)

    (name,) = names(folder)
    assert re.fullmatch(r"20\d{6}T\d{6}\.\d{6}Z-verify_email\.eml", name)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    message = message_from_bytes((folder / name).read_bytes(), policy=policy.SMTP)
    assert message["To"] == "ada@example.org"


@pytest.mark.parametrize(("mail", "url", "token"), [(MAIL, URL, "t0ken"), (NOTICE, None, None)])
async def test_where_nothing_is_at_stake_a_second_file_says_what_is_in_it(
    tmp_path: Path, mail: Mail, url: str | None, token: str | None
) -> None:
    await mailer(tmp_path, telling=True).send(mail)

    eml, told = names(tmp_path)
    assert (Path(eml).stem, Path(told).suffix) == (Path(told).stem, ".json")
    assert stat.S_IMODE((tmp_path / told).stat().st_mode) == 0o600
    assert json.loads((tmp_path / told).read_text()) == {
        "kind": mail.kind,
        "to": "ada@example.org",
        "url": url,
        "token": token,
    }


async def test_mail_of_one_instant_never_replaces_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([f"{number // 3}-verify_email.eml" for number in range(99)])
    monkeypatch.setattr(outbox, "_name", lambda mail: next(told))

    await asyncio.gather(*(mailer(tmp_path).send(MAIL) for _ in range(9)))

    assert len(names(tmp_path)) == 9


async def test_a_mail_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(MailNotSent, match="No space left"):
        await mailer(tmp_path).send(MAIL)

    assert names(tmp_path) == []


@pytest.mark.parametrize(("log_links", "lines"), [(True, 1), (False, 0)])
async def test_links_are_logged_only_where_that_is_wanted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, log_links: bool, lines: int
) -> None:
    caplog.set_level(logging.DEBUG)
    for mail in (MAIL, NOTICE):
        await mailer(tmp_path, log_links=log_links).send(mail)

    assert caplog.text.count(URL) == lines
    assert len([record for record in caplog.records if record.name == "ace.mail"]) == lines
    assert "ada@example.org" not in caplog.text
