"""Who gets which mail about an account, what its link is good for, and how much of it anybody gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.auth import MemoryMailWork
from adapters.memory.store import MemoryTransaction
from application.auth.mailing import PER_PERSON_AND_KIND
from application.mail import Mail, MailKind, MailNotSent, MailOrder, order_mail
from domain.auth.invitations import Invitation
from domain.auth.links import Link, LinkPurpose, link_hash
from domain.auth.people import NO_PASSWORD, Role, UserStatus
from domain.auth.refresh import encode_token
from tests.support.account_builders import TOKEN, accounts_of
from tests.support.auth_builders import EMAIL, NOW, AuthInMemory, a_user, auth_in_memory
from tests.support.mailbox import BASE_URL, KeptMailbox, mailbox_of

OTHER = "ada@elsewhere.example"
NOTICES = (MailKind.PASSWORD_CHANGED, MailKind.EMAIL_CHANGED, MailKind.EMAIL_CHANGING)


@pytest.fixture
def auth() -> AuthInMemory:
    return auth_in_memory()


@pytest.fixture
def mailbox(auth: AuthInMemory) -> KeptMailbox:
    return mailbox_of(auth)


async def order(auth: AuthInMemory, kind: MailKind, **whom: Any) -> None:
    """What a use case does in its unit of work."""
    await auth.transact(lambda work: work.enqueue(order_mail(kind, **whom)))


async def ask_to_move(auth: AuthInMemory, email: str = OTHER) -> None:
    """What asking for another address leaves: a link that nobody knows yet, and the order to mail one."""
    await accounts_of(auth).link(LinkPurpose.CHANGE_EMAIL, email=email)
    await order(auth, MailKind.CHANGE_EMAIL, user_id="usr_ada", email=email)


def link_of(auth: AuthInMemory, owner: str, purpose: LinkPurpose) -> Link:
    link: Link = auth.store.tables["one_time_links"][owner, purpose]
    return link


def sent(mailbox: KeptMailbox) -> list[Mail]:
    return mailbox.mailer.kept


@pytest.mark.parametrize(
    ("kind", "purpose", "page"),
    [
        (MailKind.VERIFY_EMAIL, LinkPurpose.VERIFY_EMAIL, "student/verify-email"),
        (MailKind.RESET_PASSWORD, LinkPurpose.RESET_PASSWORD, "student/reset-password"),
    ],
)
@pytest.mark.parametrize("whom", [{"user_id": "usr_ada"}, {"email": EMAIL}])
async def test_a_mail_brings_a_link_whose_hash_is_known(
    auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind, purpose: LinkPurpose, page: str, whom: dict[str, str]
) -> None:
    await auth.add(a_user())
    await order(auth, kind, **whom)

    mail = await mailbox.newest(kind)

    assert mail.to == EMAIL
    assert mail.url == f"{BASE_URL}/{page}#token={mail.token}"
    link = link_of(auth, "usr_ada", purpose)
    assert link == Link(
        owner_id="usr_ada",
        purpose=purpose,
        token_hash=link_hash(mail.secret),
        email=EMAIL,
        created_at=NOW,
        expires_at=NOW + purpose.life,
    )


@pytest.mark.parametrize("role", Role)
async def test_a_link_leads_to_the_portal_of_the_person(auth: AuthInMemory, mailbox: KeptMailbox, role: Role) -> None:
    await auth.add(a_user(role=role))
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)

    mail = await mailbox.newest(MailKind.RESET_PASSWORD)

    assert (mail.url or "").startswith(f"{BASE_URL}/{role}/reset-password#token=")


@pytest.mark.parametrize("kind", [MailKind.RESET_PASSWORD, MailKind.SET_PASSWORD])
@pytest.mark.parametrize(
    ("password_hash", "sent_kind", "purpose"),
    [
        (NO_PASSWORD, MailKind.SET_PASSWORD, LinkPurpose.SET_PASSWORD),
        ("kept:something", MailKind.RESET_PASSWORD, LinkPurpose.RESET_PASSWORD),
    ],
)
async def test_who_has_no_password_sets_one_and_who_has_one_resets_it(
    auth: AuthInMemory,
    mailbox: KeptMailbox,
    kind: MailKind,
    password_hash: str,
    sent_kind: MailKind,
    purpose: LinkPurpose,
) -> None:
    await auth.add(a_user(password_hash=password_hash))
    await order(auth, kind, user_id="usr_ada")

    (mail,) = await mailbox.mails()

    assert mail.kind is sent_kind
    assert f"/{sent_kind.replace('_', '-')}#" in (mail.url or "")
    assert link_of(auth, "usr_ada", purpose).token_hash == link_hash(mail.secret)


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind is not MailKind.INVITATION])
@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"id": "usr_other"}])
async def test_who_is_disabled_deleted_or_unknown_gets_no_mail(
    auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind, changes: dict[str, object]
) -> None:
    await auth.add(a_user(**changes))
    await order(auth, kind, user_id="usr_ada", email=OTHER)
    await order(auth, kind, user_id="usr_ada")
    await order(auth, kind, email=OTHER)

    assert await mailbox.mails() == []
    assert not auth.store.tables["one_time_links"]


async def test_an_order_by_address_finds_only_who_has_it_now(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user(deleted_at=NOW))
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    assert await mailbox.mails() == []

    await auth.add(a_user(id="usr_next"))
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    assert len(await mailbox.mails()) == 1
    assert link_of(auth, "usr_next", LinkPurpose.RESET_PASSWORD)


@pytest.mark.parametrize("kind", [MailKind.RESET_PASSWORD, MailKind.SET_PASSWORD, MailKind.VERIFY_EMAIL])
async def test_a_link_that_opens_an_account_goes_to_its_own_address_only(
    auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind
) -> None:
    await auth.add(a_user())
    await order(auth, kind, user_id="usr_ada", email=OTHER)

    assert [mail.to for mail in await mailbox.mails()] == [EMAIL]


async def test_an_address_that_is_verified_is_not_verified_again(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user(email_verified_at=NOW))
    await order(auth, MailKind.VERIFY_EMAIL, email=EMAIL)

    assert await mailbox.mails() == []


async def test_a_change_of_address_is_confirmed_at_the_new_one(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user())
    await ask_to_move(auth)
    later = auth.clock.advance(hours=2)

    mail = await mailbox.newest(MailKind.CHANGE_EMAIL)

    assert mail.to == OTHER
    link = link_of(auth, "usr_ada", LinkPurpose.CHANGE_EMAIL)
    assert (link.email, link.token_hash) == (OTHER, link_hash(mail.secret))
    assert (link.created_at, link.expires_at) == (later, later + timedelta(hours=24))


async def test_a_change_of_address_that_was_stopped_is_not_offered_any_more(
    auth: AuthInMemory, mailbox: KeptMailbox
) -> None:
    """However late its mail would go out: a stranger who got in may have asked, and the owner has put an end to it."""
    await auth.add(a_user())
    await ask_to_move(auth)
    await auth.transact(lambda work: work.drop_links("usr_ada", [LinkPurpose.CHANGE_EMAIL]))
    assert await mailbox.mails() == []
    assert not auth.store.tables["one_time_links"]
    assert all(counter.failures == 0 for counter in auth.store.tables["attempt_counters"].values())


async def test_only_the_address_that_was_asked_for_last_is_offered(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user())
    await ask_to_move(auth)
    await ask_to_move(auth, "ada@third.example")
    assert [mail.to for mail in await mailbox.mails()] == ["ada@third.example"]


async def test_a_change_that_is_above_the_quota_leaves_the_link_as_it_is(
    auth: AuthInMemory, mailbox: KeptMailbox
) -> None:
    await auth.add(a_user())
    for _ in range(PER_PERSON_AND_KIND.limit + 1):
        await ask_to_move(auth)
    assert len(await mailbox.mails()) == PER_PERSON_AND_KIND.limit
    await ask_to_move(auth)
    await mailbox.mails()
    assert link_of(auth, "usr_ada", LinkPurpose.CHANGE_EMAIL).token_hash == link_hash(encode_token(TOKEN))


@pytest.mark.parametrize("taken_by", ["usr_ada", "usr_other"])
async def test_no_change_is_offered_to_an_address_that_has_an_account(
    auth: AuthInMemory, mailbox: KeptMailbox, taken_by: str
) -> None:
    await auth.add(a_user(id=taken_by, email=OTHER))
    if taken_by != "usr_ada":
        await auth.add(a_user(username=None))
    await ask_to_move(auth)

    assert await mailbox.mails() == []


@pytest.mark.parametrize("kind", NOTICES)
async def test_a_notice_goes_where_it_is_told_to_and_brings_no_link(
    auth: AuthInMemory, mailbox: KeptMailbox, kind: MailKind
) -> None:
    await auth.add(a_user())
    await order(auth, kind, user_id="usr_ada")
    await order(auth, kind, user_id="usr_ada", email=OTHER)

    mails = await mailbox.mails()

    assert [(mail.kind, mail.to) for mail in mails] == [(kind, EMAIL), (kind, OTHER)]
    assert [(mail.url, mail.token, mail.life) for mail in sent(mailbox)] == [(None, None, None)] * 2
    assert not auth.store.tables["one_time_links"]


@pytest.mark.parametrize(("verified_at", "name"), [(NOW, "Ada"), (None, "")])
async def test_a_name_is_told_only_at_an_address_that_is_proved_to_be_its_own(
    auth: AuthInMemory, mailbox: KeptMailbox, verified_at: object, name: str
) -> None:
    """Or anybody could have us send words of their choice to strangers."""
    await auth.add(a_user(email_verified_at=verified_at))
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    await ask_to_move(auth)
    await mailbox.mails()

    assert [mail.name for mail in sent(mailbox)] == [name, ""]


def an_invitation(**changes: object) -> Invitation:
    values: dict[str, object] = {
        "id": "inv_1",
        "email": "grace@example.org",
        "role": Role.INSTRUCTOR,
        "invited_by": None,
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=7),
    }
    return Invitation(**values | changes)  # type: ignore[arg-type]


async def invite(auth: AuthInMemory, invitation: Invitation) -> None:
    transact = MemoryTransaction(auth.store, MemoryMailWork, auth.clock)
    await transact(lambda work: work.save_invitation(invitation))
    await order(auth, MailKind.INVITATION, invitation_id=invitation.id)


async def test_who_is_invited_gets_a_link_to_the_portal_of_the_role(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await invite(auth, an_invitation())

    mail = await mailbox.newest(MailKind.INVITATION)

    assert mail.to == "grace@example.org"
    assert (mail.url or "").startswith(f"{BASE_URL}/instructor/register#token=")
    assert link_of(auth, "inv_1", LinkPurpose.INVITATION).token_hash == link_hash(mail.secret)


@pytest.mark.parametrize("changes", [{"accepted_at": NOW}, {"revoked_at": NOW}, {"expires_at": NOW}])
async def test_an_invitation_that_is_not_open_is_not_sent(
    auth: AuthInMemory, mailbox: KeptMailbox, changes: dict[str, object]
) -> None:
    await invite(auth, an_invitation(**changes))
    await order(auth, MailKind.INVITATION, invitation_id="inv_unknown")
    await order(auth, MailKind.INVITATION)

    assert await mailbox.mails() == []
    assert not auth.store.tables["one_time_links"]


async def test_another_attempt_brings_a_new_link_and_the_first_is_good_for_nothing(
    auth: AuthInMemory, mailbox: KeptMailbox
) -> None:
    await auth.add(a_user())
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    mailbox.mailer.failing = True
    with pytest.raises(MailNotSent):
        await mailbox.mails()
    first = link_of(auth, "usr_ada", LinkPurpose.RESET_PASSWORD)

    mailbox.mailer.failing = False
    mail = await mailbox.newest(MailKind.RESET_PASSWORD)

    second = link_of(auth, "usr_ada", LinkPurpose.RESET_PASSWORD)
    assert second.token_hash == link_hash(mail.secret) != first.token_hash


async def test_the_link_is_stored_before_the_mail_is_sent(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    """Who is quick finds a link that works, and what is sent is never unknown."""
    await auth.add(a_user())
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    mailbox.mailer.failing = True

    with pytest.raises(MailNotSent):
        await mailbox.mails()

    assert link_of(auth, "usr_ada", LinkPurpose.RESET_PASSWORD)


async def test_nobody_is_flooded_and_the_last_link_that_came_stays_good(
    auth: AuthInMemory, mailbox: KeptMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    await auth.add(a_user())
    for _ in range(PER_PERSON_AND_KIND.limit + 3):
        await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)

    mails = await mailbox.mails()

    assert len(mails) == PER_PERSON_AND_KIND.limit == 5
    assert link_of(auth, "usr_ada", LinkPurpose.RESET_PASSWORD).token_hash == link_hash(mails[-1].secret)
    assert "reset_password mail was not sent" in caplog.text
    assert EMAIL not in caplog.text

    await order(auth, MailKind.VERIFY_EMAIL, email=EMAIL)
    assert len(await mailbox.mails()) == 6, "each kind has a quota of its own"
    auth.clock.advance(hours=1)
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    assert len(await mailbox.mails()) == 7


async def test_whoever_knows_an_address_uses_up_nothing_of_what_others_order_for_its_person(
    auth: AuthInMemory, mailbox: KeptMailbox
) -> None:
    """Or anybody could keep the link that an admin sends from its person."""
    await auth.add(a_user())
    for _ in range(PER_PERSON_AND_KIND.limit + 3):
        await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    assert len(await mailbox.mails()) == PER_PERSON_AND_KIND.limit
    for _ in range(PER_PERSON_AND_KIND.limit + 3):
        await order(auth, MailKind.RESET_PASSWORD, user_id="usr_ada")
    assert len(await mailbox.mails()) == 2 * PER_PERSON_AND_KIND.limit


async def test_every_change_is_told_however_many_there_are(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user())
    for _ in range(PER_PERSON_AND_KIND.limit + 3):
        await order(auth, MailKind.PASSWORD_CHANGED, user_id="usr_ada")
    assert len(await mailbox.mails()) == PER_PERSON_AND_KIND.limit + 3


async def test_attempts_at_a_mail_server_that_is_away_use_up_no_quota(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user())
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    mailbox.mailer.failing = True
    for _ in range(8):
        with pytest.raises(MailNotSent):
            await mailbox.mails()

    mailbox.mailer.failing = False
    assert len(await mailbox.mails()) == 1


@pytest.mark.parametrize(
    "ordered",
    [
        MailOrder(kind=MailKind.VERIFY_EMAIL, user_id="usr_ada"),
        MailOrder(kind=MailKind.EMAIL_CHANGED, user_id="usr_ada", email=OTHER),
        MailOrder(kind=MailKind.INVITATION, invitation_id="inv_1"),
    ],
)
def test_an_order_comes_out_of_its_job_as_it_went_in(ordered: MailOrder) -> None:
    assert MailOrder.of(ordered.job.payload) == ordered


async def test_neither_tokens_nor_addresses_are_shown(auth: AuthInMemory, mailbox: KeptMailbox) -> None:
    await auth.add(a_user())
    await order(auth, MailKind.RESET_PASSWORD, email=EMAIL)
    mail = await mailbox.newest(MailKind.RESET_PASSWORD)

    shown = repr(sent(mailbox))

    assert mail.secret not in shown
    assert EMAIL not in shown
