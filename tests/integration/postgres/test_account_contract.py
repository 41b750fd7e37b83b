"""What people do about their own account, on memory and on PostgreSQL alike."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest

from adapters.postgres.database import Database
from application.auth.opening import Grant, Visit
from application.auth.ports import AuthWork
from application.auth.registering import Registration
from application.mail import MailKind, MailNotSent, MailOrder
from domain.auth.links import Link, LinkInvalid, LinkPurpose
from domain.auth.people import Actor, EmailTaken, Role
from domain.auth.refresh import RefreshToken, digest, encode_token
from domain.auth.sessions import (
    CurrentPasswordWrong,
    InvalidCredentials,
    ReauthenticationRequired,
    Session,
    SessionEnded,
    SessionNotFound,
)
from domain.errors import DomainError
from tests.support.account_builders import (
    NEW_EMAIL,
    NEW_PASSWORD,
    TOKEN,
    Accounts,
    accounts_of,
    actor_of,
    an_invitation,
)
from tests.support.auth_builders import (
    EMAIL,
    NOW,
    PASSWORD,
    Auth,
    a_new_user,
    a_session,
    a_user,
    auth_in_memory,
    auth_on_postgres,
)
from tests.support.mailbox import mailbox_of
from tests.support.postgres import SettableClock


@pytest.fixture
async def accounts(auth: Auth) -> Accounts:
    """Ada has an account whose password somebody else chose."""
    await auth.add(a_user(must_change_password=True))
    return accounts_of(auth)


async def test_a_reset_writes_all_of_it_at_once(accounts: Accounts, auth: Auth, clock: SettableClock) -> None:
    grant = await auth.enter()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.enter(password="a guess")
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL, token=bytes(32))
    later = clock.advance(minutes=20)
    await accounts.reset(token)
    changed = {"password_hash": "kept:" + NEW_PASSWORD, "email_verified_at": later, "updated_at": later}
    assert await accounts.ada() == a_user(**changed)
    assert (await accounts.session(grant.session.id)).revoke_reason == "password_reset"
    assert await accounts.orders() == [MailOrder(kind=MailKind.PASSWORD_CHANGED, user_id="usr_ada")]
    assert await auth.audited() == ["user.password_reset"]
    for used in (token, encode_token(bytes(32))):
        with pytest.raises(LinkInvalid):
            await accounts.reset(used)
        with pytest.raises(LinkInvalid):
            await accounts.verify(used)
    assert await auth.enter(password=NEW_PASSWORD), "the lockout is over"


async def test_a_reset_that_is_refused_leaves_all_of_it(accounts: Accounts, auth: Auth) -> None:
    grant = await auth.enter()
    token = await accounts.link(LinkPurpose.RESET_PASSWORD, age=timedelta(minutes=31))
    with pytest.raises(LinkInvalid):
        await accounts.reset(token)
    assert await accounts.ada() == a_user(must_change_password=True)
    assert await auth.authenticate(grant.access_token)
    assert (await accounts.orders(), await auth.audited()) == ([], [])


async def test_a_change_of_password_ends_the_others(accounts: Accounts, auth: Auth, clock: SettableClock) -> None:
    others, mine = [await auth.enter() for _ in "12"], await auth.enter()
    assert (await auth.authenticate(mine.access_token)).must_change_password
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(actor_of(mine), current="a guess")
    later = clock.advance(minutes=1)
    assert await accounts.change(actor_of(mine)) == 2
    assert await accounts.ada() == a_user(password_hash="kept:" + NEW_PASSWORD, updated_at=later)
    assert not (await auth.authenticate(mine.access_token)).must_change_password
    for other in others:
        assert (await accounts.session(other.session.id)).revoke_reason == "password_changed"
    assert await accounts.orders() == [MailOrder(kind=MailKind.PASSWORD_CHANGED, user_id="usr_ada")]
    assert await auth.audited() == ["user.password_changed"]


async def test_guesses_from_within_and_from_without_lock_one_account(accounts: Accounts, auth: Auth) -> None:
    actor = actor_of(await auth.enter())
    for number in range(5):
        with pytest.raises(CurrentPasswordWrong if number % 2 else InvalidCredentials):
            await (accounts.change(actor, current="a guess") if number % 2 else auth.enter(password="a guess"))
    with pytest.raises(CurrentPasswordWrong):
        await accounts.move(actor)
    with pytest.raises(InvalidCredentials):
        await auth.enter()


async def test_an_account_moves_to_another_address(accounts: Accounts, auth: Auth, clock: SettableClock) -> None:
    actor = actor_of(await auth.enter())
    await accounts.move(actor)
    assert await accounts.orders() == [
        MailOrder(kind=MailKind.CHANGE_EMAIL, user_id="usr_ada", email=NEW_EMAIL),
        MailOrder(kind=MailKind.EMAIL_CHANGING, user_id="usr_ada", email=EMAIL),
    ]
    token, later = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL), clock.advance(minutes=1)
    await accounts.link(LinkPurpose.RESET_PASSWORD, token=bytes(32))
    await accounts.verify(token)
    moved = {"email": NEW_EMAIL, "email_verified_at": later, "updated_at": later, "must_change_password": True}
    assert await accounts.ada() == a_user(**moved)
    assert (await accounts.orders())[2:] == [
        MailOrder(kind=MailKind.EMAIL_CHANGED, user_id="usr_ada", email=EMAIL),
    ]
    assert await auth.audited() == ["user.email_changed"]
    with pytest.raises(LinkInvalid):
        await accounts.reset(encode_token(bytes(32)))
    assert await auth.reader.find_user_by_email(EMAIL) is None


@pytest.mark.parametrize("stop", ["reset", "change"])
async def test_a_change_of_address_that_waits_for_its_mail_ends_with_the_password(
    accounts: Accounts, auth: Auth, clock: SettableClock, stop: str
) -> None:
    """Mail may be late or sent again. Whoever had got in must not move the account after its owner shut them out."""
    actor, mailbox = actor_of(await auth.enter()), mailbox_of(auth)
    await accounts.move(actor)
    mailbox.mailer.failing = True
    with pytest.raises(MailNotSent):
        await mailbox.deliver_mail(dict((await accounts.orders())[0].job.payload))
    clock.advance(minutes=1)
    if stop == "reset":
        await accounts.reset(await accounts.link(LinkPurpose.RESET_PASSWORD))
    else:
        await accounts.change(actor)
    mailbox.mailer.failing = False
    assert {mail.kind for mail in await mailbox.mails()} == {MailKind.EMAIL_CHANGING, MailKind.PASSWORD_CHANGED}
    assert (await accounts.ada()).email == EMAIL


async def test_a_link_is_renewed_only_where_it_was_given_out(
    accounts: Accounts, auth: Auth, clock: SettableClock
) -> None:
    later, token = clock.advance(hours=30), bytes(32)

    async def renew(owner: str, purpose: LinkPurpose, email: str) -> bool:
        link = Link.new(owner, purpose, email=email, token=token, now=later)
        return await accounts.transact(lambda work: work.renew_link(link))

    await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL, age=timedelta(hours=30))
    assert not await renew("usr_bob", LinkPurpose.CHANGE_EMAIL, NEW_EMAIL)
    assert not await renew("usr_ada", LinkPurpose.VERIFY_EMAIL, NEW_EMAIL)
    assert not await renew("usr_ada", LinkPurpose.CHANGE_EMAIL, "ada@third.example")
    assert await auth.reader.find_link(digest(token), list(LinkPurpose)) is None
    assert await renew("usr_ada", LinkPurpose.CHANGE_EMAIL, NEW_EMAIL)
    renewed = Link.new("usr_ada", LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL, token=token, now=later)
    assert await auth.reader.find_link(digest(token), list(LinkPurpose)) == renewed
    assert await auth.reader.find_link(digest(TOKEN), list(LinkPurpose)) is None


async def test_an_address_that_was_taken_meanwhile_leaves_everything(accounts: Accounts, auth: Auth) -> None:
    token = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL)
    await auth.add(a_user(id="usr_bob", email=NEW_EMAIL, username=None))
    with pytest.raises(EmailTaken):
        await accounts.verify(token)
    assert await accounts.ada() == a_user(must_change_password=True)
    assert (await accounts.orders(), await auth.audited()) == ([], [])
    await auth.change_user("usr_bob", deleted_at=NOW)
    await accounts.verify(token)


async def test_verifying_says_since_when(accounts: Accounts, clock: SettableClock) -> None:
    token, later = await accounts.link(LinkPurpose.VERIFY_EMAIL), clock.advance(hours=23)
    await accounts.verify(token)
    assert (await accounts.ada()).email_verified_at == later
    with pytest.raises(LinkInvalid):
        await accounts.verify(token)


async def test_sessions_are_listed_and_ended_by_their_person_only(
    accounts: Accounts, auth: Auth, clock: SettableClock
) -> None:
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    first, bobs = await auth.enter(), await auth.enter("bob@example.org")
    clock.advance(minutes=59)
    second = await auth.enter()
    listed = await accounts.list_own_sessions(actor_of(first))
    assert [(each.id, each.current) for each in listed] == [(second.session.id, False), (first.session.id, True)]
    with pytest.raises(SessionNotFound):
        await accounts.end_own_session(actor_of(first), bobs.session.id)
    clock.advance(minutes=2)
    with pytest.raises(ReauthenticationRequired):
        await accounts.end_own_session(actor_of(first), second.session.id)
    await accounts.end_own_session(actor_of(second), first.session.id)
    with pytest.raises(SessionEnded):
        await auth.authenticate(first.access_token)
    with pytest.raises(SessionNotFound):
        await accounts.end_own_session(actor_of(second), first.session.id)
    assert [each.id for each in await accounts.list_own_sessions(actor_of(second))] == [second.session.id]
    assert await accounts.session(second.session.id) == second.session
    assert await accounts.transact(lambda work: work.find_session("usr_bob", second.session.id)) is None


async def test_an_invitation_makes_one_account(accounts: Accounts, auth: Auth, clock: SettableClock) -> None:
    token = await accounts.invite()
    grace = Registration(email="grace@example.org", password=PASSWORD, invitation=token)
    with pytest.raises(LinkInvalid):
        await auth.register_staff(grace, Visit(portal=Role.ADMIN))
    assert await accounts.invitation() == an_invitation()
    later = clock.advance(days=1)
    grant = await auth.register_staff(grace, Visit(portal=Role.INSTRUCTOR))
    assert await accounts.invitation() == an_invitation(accepted_at=later, accepted_by=grant.person.id)
    assert grant.person.email_verified
    assert await auth.audited() == ["invitation.accepted"]
    with pytest.raises(LinkInvalid):
        await auth.register_staff(grace, Visit(portal=Role.INSTRUCTOR))


async def test_an_account_with_a_temporary_password_says_so_until_it_is_changed(auth: Auth) -> None:
    person = await auth.create_user(a_new_user(must_change_password=True, role=Role.STUDENT))
    grant = await auth.enter(person.email)
    profile = await auth.read_profile(actor_of(grant))
    assert profile.person.must_change_password
    assert (await auth.authenticate(grant.access_token)).must_change_password
    await accounts_of(auth).change(actor_of(grant))
    assert not (await auth.read_profile(actor_of(grant))).person.must_change_password


async def test_the_operators_link_replaces_the_mailed_one(accounts: Accounts, auth: Auth) -> None:
    mailed = await accounts.link(LinkPurpose.RESET_PASSWORD)
    given = (await accounts.give_reset_link(EMAIL)).partition("#token=")[2]
    with pytest.raises(LinkInvalid):
        await accounts.reset(mailed)
    await accounts.reset(given)
    assert await auth.audited() == ["user.reset_link_given", "user.password_reset"]


@pytest.mark.parametrize("seed", range(4))
async def test_both_stores_answer_one_history_alike(seed: int, database: Database) -> None:
    """Thirty random acts on memory and on PostgreSQL: the same answers, person, sessions, mail and record."""
    clock, chance = SettableClock(), random.Random(seed)
    stores = [accounts_of(auth_in_memory(clock=clock)), accounts_of(auth_on_postgres(database, clock))]
    for store in stores:
        await store.auth.add(a_user())
        for number, session in enumerate((a_session(), a_session(id="ses_other"))):
            first = RefreshToken.first(session, bytes([number]) * 32)
            await store.auth.transact(partial(_open, session, first))
    for _ in range(30):
        clock.advance(seconds=chance.choice([0, 1, 61, 1_801]))
        act, purpose = chance.choice(["mail", "use", "change", "move", "enter", "end"]), chance.choice(_PURPOSES)
        password, email = chance.choice([PASSWORD, NEW_PASSWORD]), chance.choice([EMAIL, NEW_EMAIL])
        memory, postgres = [await _told(store, act, purpose, password, email) for store in stores]
        assert memory == postgres, (act, purpose, password, email)
    assert await _outcome(stores[0]) == await _outcome(stores[1])


_PURPOSES = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL, LinkPurpose.RESET_PASSWORD)


async def _open(session: Session, first: RefreshToken, work: AuthWork) -> None:
    await work.add_session(session, first)


async def _told(store: Accounts, act: str, purpose: LinkPurpose, password: str, email: str) -> object:
    """What one act answered."""
    ada = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "mail": lambda: store.link(purpose, email=email, token=_token(purpose)),
        "use": lambda: _use(store, purpose, password),
        "change": lambda: store.change(ada, password, NEW_PASSWORD if password == PASSWORD else PASSWORD),
        "move": lambda: store.move(ada, email, password),
        "enter": lambda: store.auth.enter(email, password),
        "end": lambda: store.end_own_session(ada, "ses_other"),
    }
    try:
        answer = await acts[act]()
    except DomainError as refusal:
        return refusal.code
    return answer.person if isinstance(answer, Grant) else answer


async def _use(store: Accounts, purpose: LinkPurpose, password: str) -> None:
    token = encode_token(_token(purpose))
    await (store.reset(token, password) if purpose is LinkPurpose.RESET_PASSWORD else store.verify(token))


def _token(purpose: LinkPurpose) -> bytes:
    return bytes([_PURPOSES.index(purpose)]) * 32


async def _outcome(store: Accounts) -> list[object]:
    sessions = [await store.session(session_id) for session_id in ("ses_ada", "ses_other")]
    return [await store.ada(), sessions, await store.orders(), list(await store.auth.audited())]
