"""How doors spell the links that they mail, and that the store knows every spelling by its hash alone."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.token_source import SystemTokenSource
from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.mailed_links import CookieDoorLinks, Occasion, PortalLinks
from application.mail import MailKind, MailNotSent, order_mail
from domain.auth.links import Link, LinkInvalid, LinkPurpose, link_hash
from domain.auth.people import NO_PASSWORD, Role
from domain.auth.refresh import digest, encode_token
from domain.auth.sessions import Door
from tests.support.auth_builders import EMAIL, NOW, AuthInMemory, CountedTokens, a_user, auth_in_memory
from tests.support.mailbox import BASE_URL, DOOR_KEYS, KeptMailbox, mailbox_of

OTHER = "ada@elsewhere.example"
TOKENS = JwtVerificationTokens(DOOR_KEYS)
PORTAL = PortalLinks(source=CountedTokens(), base_url=BASE_URL)
_WRITTEN = st.text(max_size=80).filter(lambda text: not any("\ud800" <= each <= "\udfff" for each in text))


@pytest.fixture
def auth() -> AuthInMemory:
    return auth_in_memory()


@pytest.fixture
def mailbox(auth: AuthInMemory) -> KeptMailbox:
    return mailbox_of(auth)


def links() -> CookieDoorLinks:
    return CookieDoorLinks(source=SystemTokenSource(), tokens=TOKENS, base_url=BASE_URL)


def an_occasion(kind: MailKind, **values: str | None) -> Occasion:
    given = {"to": EMAIL, "account": EMAIL, **values}
    return Occasion(kind=kind, owner_id="usr_ada", role=Role.STUDENT, **given)  # type: ignore[arg-type]


async def order(auth: AuthInMemory, kind: MailKind, callback: str | None = None, **whom: str | None) -> None:
    job = order_mail(kind, door=Door.COOKIE, callback=callback, **whom)
    await auth.transact(lambda work: work.enqueue(job))


@given(token=st.binary(min_size=32, max_size=32))
def test_a_token_of_a_portal_is_known_by_the_hash_of_its_bytes(token: bytes) -> None:
    assert link_hash(encode_token(token)) == digest(token)


@given(token=st.from_regex(r"[A-Za-z0-9]{24}|[\w-]{20}\.[\w-]{30,60}\.[\w-]{43}", fullmatch=True).filter(str.isascii))
def test_a_token_of_the_cookie_door_is_known_by_the_hash_of_its_text(token: str) -> None:
    assert link_hash(token) == hashlib.sha256(token.encode()).digest()


@given(text=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_.-]{0,60}", fullmatch=True))
def test_what_is_spelt_like_no_token_is_none(text: str) -> None:
    """Above all not 32 letters, whose hash could be that of the 32 bytes of another token."""
    spelt = re.fullmatch(r"[A-Za-z0-9]{24}|[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{43}", text)
    if spelt is None:
        with pytest.raises(LinkInvalid):
            link_hash(text)


def test_letters_that_are_the_bytes_of_a_token_do_not_pass_for_it() -> None:
    letters = "A" * 32
    assert link_hash(encode_token(letters.encode())) == hashlib.sha256(letters.encode()).digest()
    with pytest.raises(LinkInvalid):
        link_hash(letters)


@given(callback=_WRITTEN)
def test_a_callback_arrives_as_it_was_given(callback: str) -> None:
    reset = links().new(an_occasion(MailKind.RESET_PASSWORD, callback=callback), NOW)
    path, _, query = reset.url.partition("?")
    assert path == f"{BASE_URL}/api/auth/reset-password/{reset.token}"
    assert unquote(query.removeprefix("callbackURL=")) == callback
    assert re.fullmatch(r"callbackURL=(?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2})*", query)


@pytest.mark.parametrize(
    ("kind", "callback", "encoded"),
    [
        (MailKind.RESET_PASSWORD, None, ""),
        (MailKind.VERIFY_EMAIL, None, "%2F"),
        (MailKind.VERIFY_EMAIL, "/a b?c=d&e=!'()*~", "%2Fa%20b%3Fc%3Dd%26e%3D!'()*~"),
        (MailKind.RESET_PASSWORD, "https://app.test/ä", "https%3A%2F%2Fapp.test%2F%C3%A4"),
    ],
)
def test_a_callback_is_encoded_as_browsers_do_it(kind: MailKind, callback: str | None, encoded: str) -> None:
    assert links().new(an_occasion(kind, callback=callback), NOW).url.endswith(f"callbackURL={encoded}")


def test_a_token_that_resets_a_password_is_24_letters_that_nobody_can_guess() -> None:
    made = links()
    tokens = {made.new(an_occasion(MailKind.RESET_PASSWORD), NOW).token for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", token) for token in tokens)


@pytest.mark.parametrize(
    ("kind", "to", "purpose", "life", "claims"),
    [
        (MailKind.RESET_PASSWORD, EMAIL, LinkPurpose.RESET_PASSWORD, timedelta(minutes=30), None),
        (MailKind.VERIFY_EMAIL, EMAIL, LinkPurpose.VERIFY_EMAIL, timedelta(hours=1), (EMAIL, None, None)),
        (
            MailKind.CHANGE_EMAIL,
            OTHER,
            LinkPurpose.CHANGE_EMAIL,
            timedelta(hours=1),
            (EMAIL, OTHER, "change-email-verification"),
        ),
    ],
)
def test_a_link_is_kept_by_its_hash_for_as_long_as_it_is_good(
    kind: MailKind, to: str, purpose: LinkPurpose, life: timedelta, claims: tuple[str | None, ...] | None
) -> None:
    made = links().new(an_occasion(kind, to=to), NOW)
    assert made.life == life
    assert made.kept == Link(
        owner_id="usr_ada",
        purpose=purpose,
        token_hash=hashlib.sha256(made.token.encode()).digest(),
        email=to,
        created_at=NOW,
        expires_at=NOW + life,
    )
    if claims is not None:
        read = TOKENS.read(made.token)
        assert (read.email, read.update_to, read.request_type) == claims
        assert (read.issued_at, read.expires_at - read.issued_at) == (int(NOW.timestamp()), 3_600)


@pytest.mark.parametrize("kind", [kind for kind in MailKind if "CHANGED" not in kind.name and "ING" not in kind.name])
def test_portals_spell_their_links_as_ever(kind: MailKind) -> None:
    made = PORTAL.new(an_occasion(kind, callback="/ignored"), NOW)
    assert re.fullmatch(rf"{BASE_URL}/student/[a-z-]+#token={made.token}", made.url)
    assert (made.kept.token_hash, made.life) == (link_hash(made.token), made.kept.purpose.life)
    assert made.used_once


@pytest.mark.parametrize("kind", [MailKind.RESET_PASSWORD, MailKind.VERIFY_EMAIL])
async def test_a_mail_asked_for_at_the_door_brings_its_link(
    auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind
) -> None:
    await auth.add(a_user())
    await order(auth, kind, email=EMAIL, callback="/done")
    await mailbox.mails()
    (mail,) = mailbox.mailer.kept
    assert mail.url is not None
    assert mail.url.startswith(f"{BASE_URL}/api/auth/")
    assert parse_qs(urlsplit(mail.url).query)["callbackURL"] == ["/done"]
    assert mail.used_once is (kind is MailKind.RESET_PASSWORD)
    (kept,) = auth.store.tables["one_time_links"].values()
    assert (kept.token_hash, mail.life) == (link_hash(mail.token or ""), kept.expires_at - kept.created_at)


@pytest.mark.parametrize(
    "changes", [{"role": Role.INSTRUCTOR}, {"role": Role.ADMIN}, {"password_hash": NO_PASSWORD}], ids=str
)
async def test_staff_and_a_first_password_have_the_link_of_a_portal(
    auth: AuthInMemory, mailbox: KeptMailbox, changes: dict[str, object]
) -> None:
    await auth.add(a_user(**changes))
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL, callback="/done")
    (mail,) = await mailbox.mails()
    role = changes.get("role", Role.STUDENT)
    assert re.fullmatch(rf"{BASE_URL}/{role}/(re)?set-password#token=[\w-]{{43}}", mail.url or "")


@pytest.mark.parametrize("kind", [MailKind.PASSWORD_CHANGED, MailKind.EMAIL_CHANGED, MailKind.EMAIL_CHANGING])
async def test_a_notice_is_the_same_at_every_door(auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind) -> None:
    await auth.add(a_user())
    await order(auth, kind, user_id="usr_ada")
    (mail,) = await mailbox.mails()
    assert (mail.kind, mail.url, mail.token) == (kind, None, None)


async def test_a_notice_that_did_not_go_out_is_tried_again_and_counts_nothing(
    auth: AuthInMemory, mailbox: KeptMailbox
) -> None:
    await auth.add(a_user())
    await order(auth, MailKind.PASSWORD_CHANGED, user_id="usr_ada")
    mailbox.mailer.failing = True
    with pytest.raises(MailNotSent):
        await mailbox.mails()
    assert auth.store.tables["attempt_counters"] == {}
    mailbox.mailer.failing = False
    assert len(await mailbox.mails()) == 1
