"""Setting a password by a mailed link, in conversations."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.auth.events import AuthAct, AuthEvent, Outcome, account_of
from application.auth.opening import Visit
from application.mail import MailKind, MailOrder
from domain.auth.links import Link, LinkInvalid, LinkPurpose, link_hash
from domain.auth.passwords import PasswordRefused
from domain.auth.people import NO_PASSWORD, Role, UserNotFound, UserStatus
from domain.auth.refresh import encode_token
from domain.auth.sessions import Busy, InvalidCredentials, SessionEnded
from domain.errors import InvalidInput
from tests.support.account_builders import NEW_PASSWORD, TOKEN, Accounts, accounts_of
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, AuthInMemory, a_user, auth_in_memory


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account."""
    auth = auth_in_memory()
    await auth.add(a_user(must_change_password=True))
    return auth


@pytest.fixture
def accounts(auth: AuthInMemory) -> Accounts:
    return accounts_of(auth)


@pytest.mark.parametrize("purpose", [LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD])
async def test_the_link_sets_a_password_and_verifies_the_address(accounts: Accounts, purpose: LinkPurpose) -> None:
    token, later = await accounts.link(purpose), accounts.auth.clock.advance(minutes=5)
    await accounts.reset(token)
    expected = {"password_hash": "kept:" + NEW_PASSWORD, "email_verified_at": later, "updated_at": later}
    assert await accounts.ada() == a_user(**expected)
    assert await accounts.auth.enter(password=NEW_PASSWORD)


async def test_an_address_that_was_verified_stays_verified_since_then(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.change_user("usr_ada", email_verified_at=NOW)
    auth.clock.advance(days=1)
    await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD))
    assert (await accounts.ada()).email_verified_at == NOW


async def test_every_session_ends_and_none_begins(accounts: Accounts, auth: AuthInMemory) -> None:
    grants = [await auth.enter() for _ in "12"]
    await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD))
    for grant in grants:
        with pytest.raises(SessionEnded):
            await auth.authenticate(grant.access_token)
        assert (await accounts.session(grant.session.id)).revoke_reason == "password_reset"
    assert len(auth.store.tables["auth_sessions"]) == 2


async def test_the_owner_is_told_and_it_is_on_record(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.enter()
    await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD))
    assert await accounts.orders() == [MailOrder(kind=MailKind.PASSWORD_CHANGED, user_id="usr_ada")]
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_ada", "user.password_reset", "usr_ada")
    assert entry.after == {"ended_sessions": 1}


async def test_a_lockout_ends_with_it(accounts: Accounts, auth: AuthInMemory) -> None:
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.enter(password="a guess")
    await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD))
    assert await auth.enter(password=NEW_PASSWORD)


async def test_a_link_is_good_once(accounts: Accounts) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    await accounts.reset(token)
    with pytest.raises(LinkInvalid):
        await accounts.reset(token, "yet another one, never set")
    assert (await accounts.ada()).password_hash == "kept:" + NEW_PASSWORD


async def test_all_links_that_set_a_password_or_move_the_account_go_with_the_first(accounts: Accounts) -> None:
    tokens = {
        purpose: await accounts.link(purpose, token=bytes([number]) * 32)
        for number, purpose in enumerate(
            (LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD, LinkPurpose.CHANGE_EMAIL), 1
        )
    }
    await accounts.reset(tokens[LinkPurpose.RESET_PASSWORD])
    with pytest.raises(LinkInvalid):
        await accounts.reset(tokens[LinkPurpose.SET_PASSWORD])
    with pytest.raises(LinkInvalid):
        await accounts.verify(tokens[LinkPurpose.CHANGE_EMAIL])


@pytest.mark.parametrize(
    ("purpose", "good", "bad"),
    [
        (LinkPurpose.RESET_PASSWORD, timedelta(minutes=29), timedelta(minutes=30)),
        (LinkPurpose.RESET_PASSWORD, timedelta(minutes=29), timedelta(minutes=31)),
        (LinkPurpose.SET_PASSWORD, timedelta(days=6), timedelta(days=7)),
    ],
)
async def test_a_link_is_good_for_a_while(
    accounts: Accounts, purpose: LinkPurpose, good: timedelta, bad: timedelta
) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.reset(await accounts.link(purpose, age=bad))
    assert (await accounts.ada()).password_hash == "kept:" + PASSWORD
    await accounts.reset(await accounts.link(purpose, age=good))


@pytest.mark.parametrize(
    "token", ["", "nonsense", encode_token(bytes(32)), encode_token(TOKEN) + "=", encode_token(TOKEN) + "A", "é" * 43]
)
async def test_a_made_up_token_costs_no_hash(accounts: Accounts, auth: AuthInMemory, token: str) -> None:
    await accounts.link(LinkPurpose.RESET_PASSWORD)
    with pytest.raises(LinkInvalid) as refused:
        await accounts.reset(token)
    assert [problem.pointer for problem in refused.value.problems] == ["/token"]
    assert auth.hasher.hashed == 0


async def test_a_newer_link_replaces_the_older(accounts: Accounts) -> None:
    older = await accounts.link(LinkPurpose.RESET_PASSWORD)
    newer = await accounts.link(LinkPurpose.RESET_PASSWORD, token=bytes(32))
    with pytest.raises(LinkInvalid):
        await accounts.reset(older)
    await accounts.reset(newer)


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL, LinkPurpose.INVITATION])
async def test_a_link_for_something_else_sets_no_password(accounts: Accounts, purpose: LinkPurpose) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.reset(await accounts.link(purpose))


@pytest.mark.parametrize(
    "changes",
    [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"email": "moved@example.org"}, {"role": Role.ADMIN}],
    ids=lambda each: next(iter(each)),
)
async def test_it_is_good_for_a_living_person_with_that_address_and_role(
    accounts: Accounts, auth: AuthInMemory, changes: dict[str, Any]
) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(LinkInvalid):
        await accounts.reset(token)
    assert auth.hasher.hashed == 0
    assert (await accounts.ada()).password_hash == "kept:" + PASSWORD


@pytest.mark.parametrize(
    "changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"email": "moved@example.org"}]
)
async def test_what_changes_while_the_password_is_hashed_counts(
    accounts: Accounts, auth: AuthInMemory, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    token, hash_ = await accounts.link(LinkPurpose.RESET_PASSWORD), type(auth.hasher).hash

    async def slowly(self: Any, password: str) -> str:
        await auth.change_user("usr_ada", **changes)
        return await hash_(self, password)

    monkeypatch.setattr(type(auth.hasher), "hash", slowly)
    with pytest.raises(LinkInvalid):
        await accounts.reset(token)
    assert (await accounts.ada()).password_hash == "kept:" + PASSWORD


async def test_at_another_portal_the_link_is_not_good_and_stays(accounts: Accounts) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    for portal in (Role.INSTRUCTOR, Role.ADMIN):
        with pytest.raises(LinkInvalid):
            await accounts.reset_password(token, NEW_PASSWORD, Visit(portal=portal))
    await accounts.reset(token)


async def test_a_link_whose_owner_never_was_is_not_good(accounts: Accounts) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD, owner="usr_nobody"))


@pytest.mark.parametrize("password", ["short", "x" * 129, "password123", EMAIL, "Ada 1234"])
async def test_a_refused_password_leaves_the_link_good(accounts: Accounts, auth: AuthInMemory, password: str) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    with pytest.raises(PasswordRefused) as refused:
        await accounts.reset(token, password)
    assert [problem.pointer for problem in refused.value.problems] == ["/password"]
    assert auth.hasher.hashed == 0
    await accounts.reset(token)


async def test_staff_choose_a_longer_one(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username=None, role=Role.ADMIN))
    token = await accounts.link(LinkPurpose.SET_PASSWORD, owner="usr_bob", email="bob@example.org")
    with pytest.raises(PasswordRefused):
        await accounts.reset_password(token, "14 characters.", Visit(portal=Role.ADMIN))
    await accounts.reset_password(token, "15 characters..", Visit(portal=Role.ADMIN))


async def test_a_busy_hasher_leaves_the_link_good(accounts: Accounts, auth: AuthInMemory) -> None:
    token, auth.hasher.busy_hashing = await accounts.link(LinkPurpose.RESET_PASSWORD), True
    with pytest.raises(Busy):
        await accounts.reset(token)
    auth.hasher.busy_hashing = False
    await accounts.reset(token)


async def test_whoever_has_no_password_yet_sets_the_first(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.change_user("usr_ada", password_hash=NO_PASSWORD)
    await accounts.reset(await accounts.link(LinkPurpose.SET_PASSWORD))
    assert await auth.enter(password=NEW_PASSWORD)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "gone@example.org"])
async def test_asking_orders_one_mail_whoever_has_the_address(
    accounts: Accounts, auth: AuthInMemory, email: str
) -> None:
    """The same work for everybody: nothing is looked up."""
    await auth.add(a_user(id="usr_gone", email="gone@example.org", username=None, deleted_at=NOW))
    await accounts.request_password_reset(f" {email.upper()} ", Visit(portal=Role.STUDENT))
    assert await accounts.orders() == [MailOrder(kind=MailKind.RESET_PASSWORD, email=email)]


async def test_every_outcome_is_told_once(accounts: Accounts, auth: AuthInMemory) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    with pytest.raises(LinkInvalid):
        await accounts.reset("made up")
    with pytest.raises(PasswordRefused):
        await accounts.reset(token, "short")
    await accounts.reset(token)
    await accounts.request_password_reset(EMAIL, Visit(portal=Role.STUDENT))
    told = AuthEvent(act=AuthAct.PASSWORD_RESET, user_id="usr_ada", portal=Role.STUDENT)
    assert auth.events.all == [
        replace(told, user_id=None, outcome=Outcome.REFUSED),
        replace(told, outcome=Outcome.REFUSED),
        told,
        AuthEvent(act=AuthAct.RESET_REQUESTED, account=account_of(EMAIL), portal=Role.STUDENT),
    ]


async def test_what_is_no_address_is_refused_as_everywhere(accounts: Accounts) -> None:
    for email in ("nobody", "a@b", "x" * 300 + "@example.org", "a\0@example.org"):
        with pytest.raises(InvalidInput):
            await accounts.request_password_reset(email, Visit(portal=Role.STUDENT))
        with pytest.raises(InvalidInput):
            await accounts.resend_verification(email, Visit(portal=Role.STUDENT))
    assert await accounts.orders() == []


async def test_the_operator_gets_a_link_and_it_is_on_record(accounts: Accounts, auth: AuthInMemory) -> None:
    older = await accounts.link(LinkPurpose.RESET_PASSWORD)
    page, _, token = (await accounts.give_reset_link(EMAIL.upper())).partition("#token=")
    assert page == "https://ace.test/student/reset-password"
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == (None, "user.reset_link_given", "usr_ada")
    assert token not in repr(entry)
    link: Link = auth.store.tables["one_time_links"]["usr_ada", LinkPurpose.RESET_PASSWORD]
    assert (link.token_hash, link.expires_at - NOW) == (link_hash(token), timedelta(minutes=30))
    with pytest.raises(LinkInvalid):
        await accounts.reset(older)
    await accounts.reset(token)


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"email": "x@example.org"}])
async def test_for_nobody_who_may_sign_in_there_is_no_link(
    accounts: Accounts, auth: AuthInMemory, changes: dict[str, Any]
) -> None:
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(UserNotFound):
        await accounts.give_reset_link(EMAIL)
    assert auth.store.tables["one_time_links"] == {}
