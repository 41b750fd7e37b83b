"""Where no secret is ever seen: the repository, the logs, addresses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from adapters.system.security_log import LOGGER
from application.mail import MailKind
from tests.support.log_lines import logged
from tests.support.mailbox import OutboxMailbox
from tests.support.visitors import Visitor
from tests.support.whole_site import PASSWORD, WholeSite

_ROOT = Path(__file__).parents[3]


# What secrets look like. Those of tests and examples say of themselves that they are none.
_LOOKS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "cloud key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "token of a forge": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|sk-[A-Za-z0-9]{32,})\b",
    "signed token": r"\beyJ[\w-]{30,}\.eyJ[\w-]{30,}\.[\w-]{43}\b",
    # Those of documents and tests say what they are.
    "password in an address": r"""\b(?:postgres(?:ql)?|smtps?)://[^\s:/@]+:(?!password@|hush-hush|p%40ss)[^\s:/@"'`…{}$<]{3,}@""",
    "kept hash": r"\$argon2id\$v=19\$m=19456,t=2,p=1\$",
    "secret of an installation": r"ACE_SECRET_KEY\s*[=:]\s*[\"']?[A-Za-z0-9_-]{40,}",
}


def test_asvs_13_3_1_no_secret_stands_in_the_repository() -> None:
    files = [path for path in tracked() if path.stat().st_size < 4_000_000]
    assert len(files) > 100
    assert not [
        path for path in files if re.search(r"(?:^|/)(?:\.env|secret-key|.*\.(?:pem|key|p12))$", path.as_posix())
    ]
    looks = {kind: re.compile(pattern) for kind, pattern in _LOOKS.items()}
    found = [
        f"{path.relative_to(_ROOT)}: {kind}"
        for path in files
        if path != Path(__file__)
        for text in [path.read_text(errors="replace")]
        for kind, look in looks.items()
        if look.search(text)
    ]
    assert found == []


def tracked() -> list[Path]:
    """What is in version control, or would be: the folder without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return [path for name in names if name and (path := _ROOT / name).is_file()]
    shown = (path for path in _ROOT.rglob("*") if path.is_file())
    return [
        path
        for path in shown
        if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(_ROOT).parts)
    ]


async def test_asvs_13_3_1_and_14_2_1_and_16_2_5_no_secret_and_no_address_of_mail_is_in_any_log(
    ada: Visitor, whole_site: WholeSite, mailbox: OutboxMailbox
) -> None:
    """Whatever is done with an account, rightly and wrongly: requests, events, jobs and libraries tell none of it."""
    passwords = [PASSWORD, "a password that is wrong", "a third sentence of hers", "quite another sentence"]
    seen = [ada.email, "elsewhere@example.org", *passwords, *ada.client.cookies.values(), "$argon2"]
    with logged() as lines:
        await ada.post("login", email=ada.email, password=passwords[1])
        await ada.post("login", email=PASSWORD, password=ada.email)
        await ada.post("request-password-reset", email=ada.email)
        reset = await mailbox.newest(MailKind.RESET_PASSWORD, ada.email)
        verify = await mailbox.newest(MailKind.VERIFY_EMAIL, ada.email)
        await ada.post("verify-email", token=verify.secret)
        await ada.client.get("/student/auth/me", params={"token": reset.secret, "email": ada.email})
        assert (await ada.post("reset-password", token=reset.secret, password=passwords[2])).status_code == 204
        ada.password = passwords[2]
        assert (await ada.sign_in()).status_code == 200
        await ada.post("refresh")
        await ada.post("change-password", currentPassword=passwords[2], newPassword=passwords[3])
        asked = await ada.post("change-email", newEmail="elsewhere@example.org", currentPassword=passwords[3])
        assert asked.status_code == 202
        await mailbox.mails()
    whole_site.app.log.flush()
    told = "\n".join([*lines.texts, requests_of(whole_site)])
    seen += [reset.secret, verify.secret, *ada.client.cookies.values()]
    assert "/student/auth/reset-password" in told
    assert LOGGER in told
    assert [secret for secret in seen if secret in told] == []


def requests_of(site: WholeSite) -> str:
    """What the record of requests holds."""
    write = site.app.log._write
    return str(write.__self__.text.decode())  # type: ignore[attr-defined]


async def test_asvs_14_2_1_the_secret_of_a_link_is_not_sent_with_a_request(
    ada: Visitor, mailbox: OutboxMailbox
) -> None:
    """Browsers keep what stands behind the sign to themselves; a page hands it over in a body."""
    await ada.post("request-password-reset", email=ada.email)
    mail = await mailbox.newest(MailKind.RESET_PASSWORD, ada.email)
    assert mail.url is not None
    sent, _, kept = mail.url.partition("#")
    assert mail.secret in kept
    assert mail.secret not in sent
