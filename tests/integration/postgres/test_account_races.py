"""Many at once on PostgreSQL: a link is used once, an address has one owner, no session outlives its password."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from adapters.postgres.database import Database
from application.auth.opening import Grant, Visit
from application.auth.registering import Registration
from domain.auth.limits import LimitSource
from domain.auth.links import LinkInvalid, LinkPurpose
from domain.auth.people import Actor, EmailTaken, Role
from domain.auth.sessions import CurrentPasswordWrong, InvalidCredentials, SessionEnded
from tests.support.account_builders import NEW_EMAIL, NEW_PASSWORD, Accounts, accounts_of, actor_of
from tests.support.auth_builders import PASSWORD, AuthOnPostgres, a_user, auth_on_postgres
from tests.support.mailbox import mailbox_of
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit


@pytest.fixture
def auth(database: Database, clock: SettableClock) -> AuthOnPostgres:
    return auth_on_postgres(database, clock)


@pytest.fixture
async def accounts(auth: AuthOnPostgres) -> Accounts:
    """Ada has an account, and no session of hers ends for there being too many."""
    await auth.add(a_user())
    await define_limit(auth, LimitSource.USER, "usr_ada", 100)
    return accounts_of(auth)


async def _at_once(*acts: Any) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


async def _live(accounts: Accounts) -> set[str]:
    return {session.id for session in await accounts.auth.reader.live_sessions_of("usr_ada")}


async def test_of_six_that_use_one_reset_link_one_succeeds(accounts: Accounts, auth: AuthOnPostgres) -> None:
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    passwords = [f"the sentence of attempt number {number}" for number in range(6)]
    answers = await _at_once(*(accounts.reset(token, password) for password in passwords))
    assert Counter(map(type, answers)) == {type(None): 1, LinkInvalid: 5}
    assert (await accounts.ada()).password_hash == "kept:" + passwords[answers.index(None)]
    assert (len(await accounts.orders()), list(await auth.audited())) == (1, ["user.password_reset"])


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
async def test_of_six_that_use_one_link_to_an_address_one_succeeds(accounts: Accounts, purpose: LinkPurpose) -> None:
    token = await accounts.link(purpose)
    answers = await _at_once(*(accounts.verify(token) for _ in range(6)))
    assert Counter(map(type, answers)) == {type(None): 1, LinkInvalid: 5}


async def test_of_six_that_use_one_invitation_one_is_registered(accounts: Accounts, auth: AuthOnPostgres) -> None:
    token = await accounts.invite()
    grace = Registration(email="grace@example.org", password=PASSWORD, invitation=token)
    answers = await _at_once(*(auth.register_staff(grace, Visit(portal=Role.INSTRUCTOR)) for _ in range(6)))
    assert Counter(map(type, answers)) == {Grant: 1, LinkInvalid: 5}


async def test_of_two_links_that_set_the_password_one_is_good(accounts: Accounts) -> None:
    tokens = [
        await accounts.link(purpose, token=bytes([number]) * 32)
        for number, purpose in enumerate((LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD))
    ]
    answers = await _at_once(*(accounts.reset(token) for token in tokens * 3))
    assert Counter(map(type, answers)) == {type(None): 1, LinkInvalid: 5}


async def test_of_four_who_move_to_one_address_one_has_it(accounts: Accounts, auth: AuthOnPostgres) -> None:
    tokens = []
    for number in range(4):
        await auth.add(a_user(id=f"usr_{number}", email=f"{number}@example.org", username=None))
        token = bytes([number]) * 32
        tokens.append(
            await accounts.link(LinkPurpose.CHANGE_EMAIL, owner=f"usr_{number}", email=NEW_EMAIL, token=token)
        )
    answers = await _at_once(*(accounts.verify(token) for token in tokens))
    assert Counter(map(type, answers)) == {type(None): 1, EmailTaken: 3}
    owner = await auth.reader.find_user_by_email(NEW_EMAIL)
    assert owner is not None
    assert owner.id == f"usr_{answers.index(None)}"


async def test_no_session_opened_with_the_old_password_outlives_its_change(
    accounts: Accounts, auth: AuthOnPostgres
) -> None:
    """Sign-ins with the old password all around a change: whatever each was answered, only the changer stays."""
    old, new = PASSWORD, NEW_PASSWORD
    mine = await auth.enter()
    for _ in range(5):
        answers = await _at_once(
            *(auth.enter(password=old) for _ in range(2)),
            accounts.change(actor_of(mine), old, new),
            *(auth.enter(password=old) for _ in range(2)),
        )
        assert isinstance(answers[2], int)
        assert await _live(accounts) == {mine.session.id}
        # Whoever came too late guessed wrong: four times at most, which a right one makes up for and a fifth would not.
        assert await auth.enter(password=new)
        old, new = new, old


async def test_no_session_opened_with_the_old_password_outlives_a_reset(
    accounts: Accounts, auth: AuthOnPostgres
) -> None:
    for number in range(4):
        token = await accounts.link(LinkPurpose.RESET_PASSWORD)
        old = PASSWORD if number == 0 else f"a sentence with the number {number - 1}"
        answers = await _at_once(
            *(auth.enter(password=old) for _ in range(2)),
            accounts.reset(token, f"a sentence with the number {number}"),
            *(auth.enter(password=old) for _ in range(2)),
        )
        assert answers[2] is None
        assert await _live(accounts) == set()


async def test_no_change_of_address_is_offered_that_was_asked_for_before_a_reset(
    accounts: Accounts, auth: AuthOnPostgres
) -> None:
    """Its mail goes out around the reset: whichever is first, no link of it is good afterwards."""
    mailbox, actor = mailbox_of(auth), actor_of(await auth.enter())
    await accounts.move(actor)
    payload = dict((await accounts.orders())[0].job.payload)
    token = await accounts.link(LinkPurpose.RESET_PASSWORD)
    answers = await _at_once(*(mailbox.deliver_mail(payload) for _ in "12"), accounts.reset(token), mailbox.mails())
    await mailbox.deliver_mail(payload)
    assert answers[2] is None
    assert await auth.database.fetch_all("select purpose from one_time_links") == []


async def test_of_two_devices_that_change_the_password_one_does(accounts: Accounts, auth: AuthOnPostgres) -> None:
    """The other one was signed out by it."""
    grants = [await auth.enter() for _ in "12"]
    answers = await _at_once(
        *(accounts.change(actor_of(grant), new=f"a sentence of {grant.session.id}") for grant in grants)
    )
    assert Counter(map(type, answers)) == {int: 1, SessionEnded: 1}
    winner = grants[[isinstance(answer, int) for answer in answers].index(True)]
    assert await _live(accounts) == {winner.session.id}
    assert (await accounts.ada()).password_hash == f"kept:a sentence of {winner.session.id}"


async def test_one_device_that_changes_the_password_twice_at_once_does_so_once(
    accounts: Accounts, auth: AuthOnPostgres
) -> None:
    actor: Actor = actor_of(await auth.enter())
    answers = await _at_once(*(accounts.change(actor, new=f"a sentence with {number}") for number in range(3)))
    assert Counter(map(type, answers)) == {int: 1, CurrentPasswordWrong: 2}
    assert list(await auth.audited()) == ["user.password_changed"]


async def test_changes_of_every_kind_at_once_do_not_wait_for_each_other(
    accounts: Accounts, auth: AuthOnPostgres, clock: SettableClock
) -> None:
    """All of them begin with the person, so there is no circle: each is answered, and what is left fits together."""
    for number in range(4):
        clock.advance(minutes=2)
        password = (await accounts.ada()).password_hash.removeprefix("kept:")
        email = (await accounts.ada()).email
        actor = actor_of(await auth.enter(email, password))
        reset = await accounts.link(LinkPurpose.RESET_PASSWORD, email=email)
        move = await accounts.link(LinkPurpose.CHANGE_EMAIL, email=f"{number}@lovelace.example", token=bytes(32))
        answers = await _at_once(
            accounts.change(actor, password, f"a changed sentence {number}"),
            accounts.verify(move),
            accounts.reset(reset, f"a sentence that was reset {number}"),
            accounts.link(LinkPurpose.VERIFY_EMAIL, email=email, token=bytes([9]) * 32),
            auth.enter(email, password),
        )
        refusals = (LinkInvalid, SessionEnded, CurrentPasswordWrong, InvalidCredentials)
        assert all(isinstance(answer, (type(None), int, str, Grant, *refusals)) for answer in answers), answers
