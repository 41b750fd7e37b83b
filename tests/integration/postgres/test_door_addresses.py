"""Addresses through the cookie door, on memory and on PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from adapters.memory.auth import MemoryDoorWork
from adapters.memory.store import MemoryTransaction
from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.events import AuthAct, Outcome
from application.auth.opening import HeldTokens
from application.auth.ports import VerificationClaims
from application.mail import MailKind, MailOrder
from domain.auth.limits import LimitSource, WhenFull
from domain.auth.links import Link, LinkExpired, LinkInvalid, LinkOfAnother, LinkPurpose, link_hash
from domain.auth.people import Actor, EmailTaken, Role, User, UserNotFound, UserStatus
from domain.auth.sessions import Door, SessionEnded, SessionNotFresh
from domain.errors import InvalidInput
from tests.support.account_builders import NEW_EMAIL, actor_of
from tests.support.auth_builders import EMAIL, NOW, Auth, a_user, auth_in_memory
from tests.support.cookie_sessions import AT_COOKIE_DOOR
from tests.support.door_accounts import CALLBACK, DoorAccounts, door_accounts_of
from tests.support.mailbox import BASE_URL, DOOR_KEYS
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit

BOB = a_user(id="usr_bob", email="bob@example.org", username="bob")


@pytest.fixture
async def accounts(auth: Auth) -> DoorAccounts:
    """Ada has an account."""
    await auth.add(a_user())
    return door_accounts_of(auth)


def a_token(auth: Auth, email: str = EMAIL, **claims: str) -> str:
    """A token that is signed well and was never mailed."""
    now = int(auth.clock.now().timestamp())
    return JwtVerificationTokens(DOOR_KEYS).sign(
        VerificationClaims(email=email, issued_at=now, expires_at=now + 3_600, **claims)
    )


async def test_a_link_verifies_the_address_once_and_may_be_followed_again(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock
) -> None:
    link, later = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL), clock.advance(minutes=59)
    back = quote(CALLBACK, safe="")
    assert link.url == f"{BASE_URL}/api/auth/verify-email?token={link.secret}&callbackURL={back}"
    first, again = await accounts.confirm(link.secret), await accounts.confirm(link.secret)
    assert (first.verified, first.moved, first.grant, first.person.email_verified) == (True, False, None, True)
    assert (again.verified, again.moved, again.grant, again.person) == (False, False, None, first.person)
    assert await accounts.portal.ada() == a_user(email_verified_at=later, updated_at=later)
    assert not await auth.reader.live_sessions_of("usr_ada")
    told = [(event.act, event.outcome, event.user_id) for event in auth.events.all[1:]]
    assert told == [(AuthAct.EMAIL_VERIFIED, Outcome.SUCCEEDED, "usr_ada")] * 2


async def test_whoever_is_verified_needs_no_link_that_is_kept(accounts: DoorAccounts, auth: Auth) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.confirm(a_token(auth))
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    await accounts.confirm(link.secret)
    assert not (await accounts.confirm(a_token(auth))).verified


async def test_a_link_that_was_revoked_verifies_nothing(accounts: DoorAccounts) -> None:
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    await accounts.portal.transact(lambda work: work.drop_links("usr_ada", [LinkPurpose.VERIFY_EMAIL]))
    with pytest.raises(LinkInvalid):
        await accounts.confirm(link.secret)
    assert await accounts.portal.ada() == a_user()


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
async def test_a_link_of_another_person_moves_nobody(accounts: DoorAccounts, auth: Auth, purpose: LinkPurpose) -> None:
    """Whoever has the address now that a token names has nothing to do with a link that somebody else was mailed."""
    await auth.add(BOB)
    moves = {"update_to": NEW_EMAIL} if purpose is LinkPurpose.CHANGE_EMAIL else {}
    token = a_token(auth, **moves)
    link = Link.hashed(
        BOB.id,
        purpose,
        email=NEW_EMAIL if moves else EMAIL,
        token_hash=link_hash(token),
        now=auth.clock.now(),
        life=timedelta(hours=1),
    )
    await accounts.portal.transact(lambda work: work.put_link(link))
    with pytest.raises(LinkInvalid):
        await accounts.confirm(token)
    assert await accounts.portal.ada() == a_user()


async def test_a_newer_link_makes_the_older_worthless(accounts: DoorAccounts, clock: SettableClock) -> None:
    first = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    clock.advance(seconds=1)
    second = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    with pytest.raises(LinkInvalid):
        await accounts.confirm(first.secret)
    assert (await accounts.confirm(second.secret)).verified


@pytest.mark.parametrize(("seconds", "refusal"), [(3_599, None), (3_600, LinkExpired), (90_000, LinkExpired)])
async def test_a_link_is_good_for_an_hour(
    accounts: DoorAccounts, clock: SettableClock, seconds: int, refusal: type[LinkExpired] | None
) -> None:
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    clock.advance(seconds=seconds)
    if refusal is None:
        await accounts.confirm(link.secret)
        return
    with pytest.raises(refusal):
        await accounts.confirm(link.secret)
    with pytest.raises(LinkInvalid):
        await accounts.portal.verify(link.secret)
    assert await accounts.portal.ada() == a_user()


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 24, "A" * 43, "a.b.c"])
async def test_what_is_no_token_of_the_door_is_refused_and_told(accounts: DoorAccounts, auth: Auth, token: str) -> None:
    with pytest.raises(LinkInvalid):
        await accounts.confirm(token)
    (event,) = auth.events.all
    assert (event.act, event.outcome, event.user_id) == (AuthAct.EMAIL_VERIFIED, Outcome.REFUSED, None)


async def test_an_address_that_nobody_has_any_more_is_told(accounts: DoorAccounts, auth: Auth) -> None:
    with pytest.raises(UserNotFound):
        await accounts.confirm(a_token(auth, "nobody@example.org"))
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    await auth.change_user("usr_ada", deleted_at=NOW)
    with pytest.raises(UserNotFound):
        await accounts.confirm(link.secret)


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"role": Role.INSTRUCTOR}], ids=str)
async def test_a_link_is_good_for_a_living_student_only(
    accounts: DoorAccounts, auth: Auth, changes: dict[str, str]
) -> None:
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(LinkInvalid):
        await accounts.confirm(link.secret)


async def test_a_link_of_the_door_may_be_used_at_the_portal(accounts: DoorAccounts) -> None:
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    await accounts.portal.verify(link.secret)
    assert not (await accounts.confirm(link.secret)).verified
    with pytest.raises(LinkInvalid):
        await accounts.portal.verify(link.secret)


async def test_where_that_is_wanted_a_link_signs_in_who_is_not_signed_in(auth: Auth) -> None:
    await auth.add(a_user())
    await auth.add(BOB)
    accounts = door_accounts_of(auth, signs_in_by_mail=True)
    _, ada = await accounts.enter()
    _, bob = await accounts.enter(email=BOB.email)
    for actor, opens in ((ada, False), (None, True), (bob, True)):
        await auth.transact(lambda work: work.save_user(a_user()))
        auth.clock.advance(seconds=1)
        confirmed = await accounts.confirm((await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)).secret, actor)
        assert confirmed.verified
        assert (confirmed.grant is not None) is opens
        if confirmed.grant is not None:
            assert (await accounts.door.authenticate(confirmed.grant.secret)).user_id == "usr_ada"
    again = await accounts.confirm(a_token(auth))
    assert (again.verified, again.grant) == (False, None)


async def test_an_address_is_verified_also_where_the_session_limit_leaves_no_room(auth: Auth) -> None:
    await auth.add(a_user())
    await define_limit(auth, LimitSource.USER, "usr_ada", 1, when_full=WhenFull.DENY)
    accounts = door_accounts_of(auth, signs_in_by_mail=True)
    mine, _ = await accounts.enter()
    confirmed = await accounts.confirm((await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)).secret)
    assert (confirmed.verified, confirmed.grant) == (True, None)
    assert [session.id for session in await auth.reader.live_sessions_of("usr_ada")] == [mine.session.id]


async def test_a_session_that_is_not_opened_replaces_none(auth: Auth) -> None:
    """Where the limit leaves no room, whoever sits at the browser stays signed in there."""
    await auth.add(a_user())
    await auth.add(BOB)
    await define_limit(auth, LimitSource.USER, "usr_ada", 1, when_full=WhenFull.DENY)
    accounts = door_accounts_of(auth, signs_in_by_mail=True)
    await accounts.enter()
    bobs, bob = await accounts.enter(email=BOB.email)
    link = await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)
    browser = replace(AT_COOKIE_DOOR, held=HeldTokens(secret=bobs.secret))
    assert (await accounts.confirm_address(link.secret, browser, bob)).grant is None
    assert await accounts.door.authenticate(bobs.secret) == bob


@pytest.mark.parametrize("changes", [{"email": NEW_EMAIL}, {"deleted_at": NOW}], ids=["moved", "gone"])
async def test_an_account_that_moves_or_goes_while_it_is_waited_for_has_the_address_no_more(
    changes: dict[str, Any],
) -> None:
    auth = auth_in_memory()
    await auth.add(a_user(email_verified_at=NOW))

    class Late(MemoryDoorWork):
        async def hold_user(self, user_id: str) -> User | None:
            user = await super().hold_user(user_id)
            return None if user is None else replace(user, **changes)

    accounts = replace(door_accounts_of(auth), transact=MemoryTransaction(auth.store, Late, auth.clock))
    with pytest.raises(UserNotFound):
        await accounts.confirm(a_token(auth))


@pytest.mark.parametrize("verified", [{}, {"email_verified_at": NOW}], ids=["unverified", "verified"])
async def test_an_account_moves_by_a_link_to_the_new_address(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock, verified: dict[str, Any]
) -> None:
    await auth.transact(lambda work: work.save_user(a_user(**verified)))
    _, ada = await accounts.enter()
    await accounts.change_email(ada, NEW_EMAIL, replace(AT_COOKIE_DOOR, callback=CALLBACK))
    assert await accounts.portal.orders() == [
        MailOrder(kind=MailKind.CHANGE_EMAIL, user_id="usr_ada", email=NEW_EMAIL, door=Door.COOKIE, callback=CALLBACK),
        MailOrder(kind=MailKind.EMAIL_CHANGING, user_id="usr_ada", email=EMAIL),
    ]
    link = await accounts.mailbox.newest(MailKind.CHANGE_EMAIL)
    assert (link.to, await accounts.portal.ada()) == (NEW_EMAIL, a_user(**verified))
    later = clock.advance(minutes=1)
    confirmed = await accounts.confirm(link.secret, ada)
    assert (confirmed.moved, confirmed.verified, confirmed.grant) == (True, True, None)
    assert confirmed.person.email == NEW_EMAIL
    moved = a_user(email=NEW_EMAIL, email_verified_at=later, updated_at=later)
    assert await accounts.portal.ada() == moved
    assert (await accounts.portal.orders())[-1:] == [
        MailOrder(kind=MailKind.EMAIL_CHANGED, user_id="usr_ada", email=EMAIL)
    ]
    assert await auth.audited() == ["user.email_changed"]
    with pytest.raises(UserNotFound):
        await accounts.confirm(link.secret, ada)


async def test_who_is_signed_in_as_somebody_else_completes_no_change(accounts: DoorAccounts, auth: Auth) -> None:
    await auth.add(BOB)
    _, ada = await accounts.enter()
    _, bob = await accounts.enter(email=BOB.email)
    link = await accounts.asked_to_move(ada)
    with pytest.raises(LinkOfAnother):
        await accounts.confirm(link.secret, bob)
    assert await accounts.portal.ada() == a_user()
    assert (await accounts.confirm(link.secret)).moved, "the link is still good, and nobody needs to be signed in"


async def test_an_address_that_is_taken_is_answered_like_any_other_and_never_moved_to(
    accounts: DoorAccounts, auth: Auth
) -> None:
    _, ada = await accounts.enter()
    link = await accounts.asked_to_move(ada)
    await auth.add(a_user(id="usr_bob", email=NEW_EMAIL, username="bob"))
    with pytest.raises(EmailTaken):
        await accounts.confirm(link.secret, ada)
    assert await accounts.portal.ada() == a_user()
    await accounts.change_email(ada, NEW_EMAIL.upper(), AT_COOKIE_DOOR)
    kinds = [mail.kind for mail in await accounts.mailbox.mails()]
    assert kinds.count(MailKind.CHANGE_EMAIL) == 1
    assert kinds.count(MailKind.EMAIL_CHANGING) == 2


async def test_asking_at_the_portal_voids_the_link_of_the_door(accounts: DoorAccounts, auth: Auth) -> None:
    (_, ada), portal = await accounts.enter(), await auth.enter()
    link = await accounts.asked_to_move(ada)
    await accounts.portal.move(actor_of(portal), "ada@third.example")
    with pytest.raises(LinkInvalid):
        await accounts.confirm(link.secret)


@pytest.mark.parametrize(
    ("email", "code"), [(EMAIL, "unchanged"), (EMAIL.upper(), "unchanged"), ("nobody", "invalid_email")]
)
async def test_an_address_that_cannot_be_moved_to_is_refused(accounts: DoorAccounts, email: str, code: str) -> None:
    _, ada = await accounts.enter()
    with pytest.raises(InvalidInput) as refused:
        await accounts.change_email(ada, email, AT_COOKIE_DOOR)
    assert [(problem.pointer, problem.code) for problem in refused.value.problems] == [("/newEmail", code)]
    assert await accounts.portal.orders() == []


@pytest.mark.parametrize(
    ("age", "refusal"), [(timedelta(hours=23, minutes=59), None), (timedelta(days=1), SessionNotFresh)]
)
async def test_moving_takes_a_sign_in_of_the_last_day(
    accounts: DoorAccounts, clock: SettableClock, age: timedelta, refusal: type[SessionNotFresh] | None
) -> None:
    _, ada = await accounts.enter()
    clock.advance(seconds=int(age.total_seconds()))
    if refusal is None:
        await accounts.change_email(ada, NEW_EMAIL, AT_COOKIE_DOOR)
        return
    with pytest.raises(refusal):
        await accounts.change_email(ada, NEW_EMAIL, AT_COOKIE_DOOR)
    assert await accounts.portal.orders() == []


async def test_a_session_that_has_ended_moves_nothing(accounts: DoorAccounts) -> None:
    mine, ada = await accounts.enter()
    await accounts.door.leave(mine.secret)
    for actor in (ada, Actor(user_id="usr_nobody", role=Role.STUDENT, session_id="ses_1")):
        with pytest.raises(SessionEnded):
            await accounts.change_email(actor, NEW_EMAIL, AT_COOKIE_DOOR)
    assert await accounts.portal.orders() == []
