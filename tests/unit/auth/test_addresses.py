"""Verifying an address and moving to another one, in conversations."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application.auth.events import AuthAct, Outcome
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.mail import MailKind, MailOrder
from domain.auth.links import LinkInvalid, LinkPurpose, link_hash
from domain.auth.people import Actor, EmailTaken, Role, UserStatus
from domain.auth.refresh import encode_token
from domain.auth.sessions import CurrentPasswordWrong, ReauthenticationRequired, SessionEnded
from domain.errors import DomainError, InvalidInput
from tests.support.account_builders import NEW_EMAIL, TOKEN, Accounts, accounts_of, actor_of
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, AuthInMemory, a_user, auth_in_memory
from tests.support.mailbox import mailbox_of


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account."""
    auth = auth_in_memory()
    await auth.add(a_user())
    return auth


@pytest.fixture
def accounts(auth: AuthInMemory) -> Accounts:
    return accounts_of(auth)


@pytest.fixture
async def ada(auth: AuthInMemory) -> Actor:
    """Ada, who has just signed in."""
    return actor_of(await auth.enter())


async def test_the_mailed_link_verifies_the_address_and_signs_nobody_in(accounts: Accounts, auth: AuthInMemory) -> None:
    token, later = await accounts.link(LinkPurpose.VERIFY_EMAIL), auth.clock.advance(hours=23)
    await accounts.verify(token)
    assert await accounts.ada() == a_user(email_verified_at=later, updated_at=later)
    assert auth.store.tables["auth_sessions"] == {}


async def test_an_address_stays_verified_since_the_first_time(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.change_user("usr_ada", email_verified_at=NOW)
    auth.clock.advance(hours=1)
    await accounts.verify(await accounts.link(LinkPurpose.VERIFY_EMAIL))
    assert (await accounts.ada()).email_verified_at == NOW


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
async def test_a_link_is_good_once_and_for_a_day(accounts: Accounts, purpose: LinkPurpose) -> None:
    for age in (timedelta(hours=24), timedelta(days=2)):
        with pytest.raises(LinkInvalid):
            await accounts.verify(await accounts.link(purpose, age=age))
    assert (await accounts.ada()).email_verified_at is None
    token = await accounts.link(purpose)
    await accounts.verify(token)
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)


@pytest.mark.parametrize("purpose", [LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD, LinkPurpose.INVITATION])
async def test_a_link_for_something_else_verifies_nothing(accounts: Accounts, purpose: LinkPurpose) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.verify(await accounts.link(purpose))


@pytest.mark.parametrize("token", ["", "nonsense", encode_token(bytes(32)), encode_token(TOKEN)[:-1]])
async def test_a_made_up_token_verifies_nothing(accounts: Accounts, token: str) -> None:
    await accounts.link(LinkPurpose.VERIFY_EMAIL)
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)


async def test_a_link_to_an_address_that_was_left_verifies_nothing(accounts: Accounts, auth: AuthInMemory) -> None:
    token = await accounts.link(LinkPurpose.VERIFY_EMAIL)
    await auth.change_user("usr_ada", email=NEW_EMAIL)
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)
    assert (await accounts.ada()).email_verified_at is None


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
@pytest.mark.parametrize(
    "changes",
    [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"role": Role.INSTRUCTOR}],
    ids=lambda each: next(iter(each)),
)
async def test_a_link_is_good_for_a_living_person_of_the_portal(
    accounts: Accounts, auth: AuthInMemory, purpose: LinkPurpose, changes: dict[str, Any]
) -> None:
    token = await accounts.link(purpose)
    with pytest.raises(LinkInvalid):
        await accounts.verify_email(token, Visit(portal=Role.ADMIN))
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)
    with pytest.raises(LinkInvalid):
        await accounts.verify(await accounts.link(purpose, owner="usr_nobody", token=bytes(32)))


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
async def test_another_verification_mail_is_ordered_whoever_has_the_address(accounts: Accounts, email: str) -> None:
    await accounts.resend_verification(email.upper(), Visit(portal=Role.STUDENT))
    assert await accounts.orders() == [MailOrder(kind=MailKind.VERIFY_EMAIL, email=email)]


async def test_asking_for_another_address_mails_both_and_changes_nothing_yet(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    before = await accounts.ada()
    await accounts.move(ada, " " + NEW_EMAIL.upper())
    assert await accounts.orders() == [
        MailOrder(kind=MailKind.CHANGE_EMAIL, user_id="usr_ada", email=NEW_EMAIL),
        MailOrder(kind=MailKind.EMAIL_CHANGING, user_id="usr_ada", email=EMAIL),
    ]
    assert await accounts.ada() == before


async def test_the_change_that_was_asked_for_is_on_record_and_nobody_knows_its_link_yet(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    await accounts.move(ada)
    (link,) = auth.store.tables["one_time_links"].values()
    assert (link.owner_id, link.purpose, link.email) == ("usr_ada", LinkPurpose.CHANGE_EMAIL, NEW_EMAIL)
    (mail,) = [mail for mail in await mailbox_of(auth).mails() if mail.kind is MailKind.CHANGE_EMAIL]
    assert link.token_hash != link_hash(mail.secret)
    await accounts.verify(mail.secret)
    assert (await accounts.ada()).email == NEW_EMAIL


async def test_asking_once_more_voids_the_link_that_was_mailed(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    mailbox = mailbox_of(auth)
    await accounts.move(ada)
    first = await mailbox.newest(MailKind.CHANGE_EMAIL)
    await accounts.move(ada, "ada@third.example")
    with pytest.raises(LinkInvalid):
        await accounts.verify(first.secret)


async def test_an_address_in_use_is_asked_for_like_any_other(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    await auth.add(a_user(id="usr_bob", email=NEW_EMAIL, username=None))
    await accounts.move(ada)
    assert len(await accounts.orders()) == 2


async def test_the_link_moves_the_account_and_the_old_address_is_told(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    token, later = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL), auth.clock.advance(minutes=1)
    await accounts.verify(token)
    assert await accounts.ada() == a_user(email=NEW_EMAIL, email_verified_at=later, updated_at=later)
    assert await accounts.orders() == [MailOrder(kind=MailKind.EMAIL_CHANGED, user_id="usr_ada", email=EMAIL)]
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_ada", "user.email_changed", "usr_ada")
    assert (entry.before, entry.after) == ({"email": EMAIL}, {"email": NEW_EMAIL})
    assert await auth.enter(NEW_EMAIL)


@pytest.mark.parametrize("purpose", [LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD, LinkPurpose.VERIFY_EMAIL])
async def test_what_was_mailed_to_the_old_address_is_worthless_afterwards(
    accounts: Accounts, auth: AuthInMemory, purpose: LinkPurpose
) -> None:
    await accounts.link(purpose, token=bytes(32))
    await accounts.verify(await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL))
    assert auth.store.tables["one_time_links"] == {}


async def test_an_address_that_was_taken_meanwhile_is_refused_and_the_link_stays(
    accounts: Accounts, auth: AuthInMemory
) -> None:
    token = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL)
    await auth.add(a_user(id="usr_bob", email=NEW_EMAIL, username=None))
    with pytest.raises(EmailTaken):
        await accounts.verify(token)
    assert (await accounts.ada()).email == EMAIL
    assert (await accounts.orders(), auth.store.audit_log) == ([], [])
    await auth.change_user("usr_bob", deleted_at=NOW)
    await accounts.verify(token)


async def test_moving_takes_a_sign_in_that_is_not_long_ago(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    auth.policy = AuthPolicy(fresh_seconds=600)
    auth.clock.advance(seconds=600)
    await accounts.move(ada)
    auth.clock.advance(seconds=1)
    checked = len(auth.hasher.checks)
    for password in (PASSWORD, "a guess"):
        with pytest.raises(ReauthenticationRequired):
            await accounts.move(ada, password=password)
    assert len(auth.hasher.checks) == checked
    assert len(await accounts.orders()) == 2


async def test_moving_takes_the_right_password(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    for _ in range(5):
        with pytest.raises(CurrentPasswordWrong):
            await accounts.move(ada, password="a guess")
    with pytest.raises(CurrentPasswordWrong):
        await accounts.move(ada)
    assert len(auth.hasher.checks) == 6, "that of the sign-in, and those of five guesses"
    auth.clock.advance(minutes=1)
    await accounts.move(ada)
    assert len(await accounts.orders()) == 2


@pytest.mark.parametrize(
    ("email", "code"),
    [("nobody", "invalid_email"), ("a\0@b.example", "invalid_email"), (" ADA@example.org", "unchanged")],
)
async def test_an_address_that_cannot_be_moved_to_is_refused_at_its_field(
    accounts: Accounts, ada: Actor, email: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await accounts.move(ada, email)
    assert [(problem.pointer, problem.code) for problem in refused.value.problems] == [("/newEmail", code)]
    assert await accounts.orders() == []


@pytest.mark.parametrize(
    ("password_hash", "refusal"), [("other:" + PASSWORD, None), ("kept:changed", CurrentPasswordWrong)]
)
async def test_the_password_must_still_be_the_one_that_was_checked(
    accounts: Accounts, auth: AuthInMemory, ada: Actor, password_hash: str, refusal: type[DomainError] | None
) -> None:
    auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", password_hash=password_hash))
    if refusal is None:
        await accounts.move(ada)
    else:
        with pytest.raises(refusal):
            await accounts.move(ada)
    assert len(await accounts.orders()) == (2 if refusal is None else 0)


async def test_every_outcome_is_told_once(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    auth.events.all.clear()
    await accounts.move(ada)
    with pytest.raises(CurrentPasswordWrong):
        await accounts.move(ada, password="a guess")
    await accounts.verify(await accounts.link(LinkPurpose.VERIFY_EMAIL))
    token = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL)
    await accounts.verify(token)
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)
    assert [(event.act, event.outcome, event.user_id) for event in auth.events.all] == [
        (AuthAct.EMAIL_CHANGE_REQUESTED, Outcome.SUCCEEDED, "usr_ada"),
        (AuthAct.EMAIL_CHANGE_REQUESTED, Outcome.WRONG_CREDENTIALS, "usr_ada"),
        (AuthAct.EMAIL_VERIFIED, Outcome.SUCCEEDED, "usr_ada"),
        (AuthAct.EMAIL_CHANGED, Outcome.SUCCEEDED, "usr_ada"),
        (AuthAct.EMAIL_VERIFIED, Outcome.REFUSED, None),
    ]


async def test_a_session_that_ended_moves_nothing(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    await auth.sign_out_everywhere(ada)
    with pytest.raises(SessionEnded):
        await accounts.move(ada)
