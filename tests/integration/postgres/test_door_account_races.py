"""Many at once at several doors: a link is used once, and no session outlives the password that opened it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from adapters.postgres.database import Database
from application.auth.opening import CookieGrant
from application.mail import MailKind
from domain.auth.limits import LimitSource
from domain.auth.links import LinkInvalid
from domain.auth.people import EmailTaken, UserNotFound
from domain.auth.sessions import CurrentPasswordWrong, InvalidCredentials, SessionEnded
from tests.support.account_builders import NEW_EMAIL
from tests.support.auth_builders import EMAIL, AuthOnPostgres, a_user, auth_on_postgres
from tests.support.cookie_sessions import AT_COOKIE_DOOR
from tests.support.door_accounts import DoorAccounts, door_accounts_of
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit


@pytest.fixture
def auth(database: Database, clock: SettableClock) -> AuthOnPostgres:
    return auth_on_postgres(database, clock)


@pytest.fixture
async def accounts(auth: AuthOnPostgres) -> DoorAccounts:
    """Ada has an account, and no session of hers ends for there being too many."""
    await auth.add(a_user())
    await define_limit(auth, LimitSource.USER, "usr_ada", 100)
    return door_accounts_of(auth)


async def _at_once(*acts: Any) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


async def _live(accounts: DoorAccounts) -> set[str]:
    return {session.id for session in await accounts.auth.reader.live_sessions_of("usr_ada")}


async def test_of_six_that_use_one_reset_link_at_two_doors_one_succeeds(
    accounts: DoorAccounts, auth: AuthOnPostgres
) -> None:
    token = (await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)).secret
    passwords = [f"the sentence of attempt number {number}" for number in range(6)]
    answers = await _at_once(
        *(accounts.portal.reset(token, password) for password in passwords[:3]),
        *(accounts.reset_password(token, password, AT_COOKIE_DOOR) for password in passwords[3:]),
    )
    assert Counter(map(type, answers)) == {type(None): 1, LinkInvalid: 5}
    assert (await accounts.portal.ada()).password_hash == "kept:" + passwords[answers.index(None)]
    assert list(await auth.audited()) == ["user.password_reset"]


async def test_of_six_that_follow_one_link_to_an_address_one_uses_it_up(auth: AuthOnPostgres) -> None:
    """The others at the door find the address verified; only one of all is signed in, or none."""
    await auth.add(a_user())
    accounts = door_accounts_of(auth, signs_in_by_mail=True)
    token = (await accounts.mailed(MailKind.VERIFY_EMAIL, EMAIL)).secret
    answers = await _at_once(
        *(accounts.portal.verify(token) for _ in range(2)), *(accounts.confirm(token) for _ in range(4))
    )
    at_portal, at_door = answers[:2], answers[2:]
    used = sum(answer is None for answer in at_portal) + sum(answer.verified for answer in at_door)
    granted = [answer.grant for answer in at_door if answer.grant is not None]
    assert used == 1
    assert len(granted) == sum(answer.verified for answer in at_door)
    assert await _live(accounts) == {grant.session.id for grant in granted}


async def test_of_six_that_complete_one_move_one_succeeds(accounts: DoorAccounts, auth: AuthOnPostgres) -> None:
    _, ada = await accounts.enter()
    token = (await accounts.asked_to_move(ada)).secret
    answers = await _at_once(
        *(accounts.portal.verify(token) for _ in range(3)), *(accounts.confirm(token, ada) for _ in range(3))
    )
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 5
    assert set(map(type, refused)) <= {LinkInvalid, UserNotFound}
    assert list(await auth.audited()) == ["user.email_changed"]


async def test_of_two_who_move_to_one_address_one_has_it(accounts: DoorAccounts, auth: AuthOnPostgres) -> None:
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username="bob"))
    tokens = []
    for email in (EMAIL, "bob@example.org"):
        _, actor = await accounts.enter(email=email)
        tokens.append((await accounts.asked_to_move(actor)).secret)
    answers = await _at_once(*(accounts.confirm(token) for token in tokens))
    assert Counter(isinstance(answer, EmailTaken) for answer in answers) == {False: 1, True: 1}
    found = await auth.reader.find_user_by_email(NEW_EMAIL)
    assert found is not None


async def test_beginning_anew_beside_sign_ins_leaves_no_session_of_the_old_password(accounts: DoorAccounts) -> None:
    """Whoever signed in before is ended; whoever comes later has to know the new password."""
    for turn in range(6):
        old, new = (f"the sentence of turn number {turn - 1}" if turn else None), f"the sentence of turn number {turn}"
        known = {} if old is None else {"password": old}
        _, ada = await accounts.enter(**known)
        current = {} if old is None else {"current": old}
        answers = await _at_once(
            *(accounts.enter(**known) for _ in range(2)),
            accounts.begin_anew(ada, new=new, **current),
            *(accounts.enter(**known) for _ in range(2)),
        )
        grant = answers.pop(2)
        assert isinstance(grant, CookieGrant)
        assert await _live(accounts) == {grant.session.id}
        assert {type(answer) for answer in answers} <= {tuple, InvalidCredentials}


async def test_of_six_that_begin_anew_one_does_and_holds_the_one_session(
    accounts: DoorAccounts, auth: AuthOnPostgres
) -> None:
    _, ada = await accounts.enter()
    answers = await _at_once(
        *(accounts.begin_anew(ada, new=f"the sentence of attempt number {number}") for number in range(6))
    )
    granted = [answer for answer in answers if isinstance(answer, CookieGrant)]
    assert len(granted) == 1
    assert {type(answer) for answer in answers if answer is not granted[0]} <= {SessionEnded, CurrentPasswordWrong}
    assert await _live(accounts) == {granted[0].session.id}
    assert list(await auth.audited()) == ["user.password_changed"]


async def test_an_account_is_given_up_once_and_nobody_is_let_in_meanwhile(
    accounts: DoorAccounts, auth: AuthOnPostgres
) -> None:
    _, ada = await accounts.enter()
    answers = await _at_once(
        *(accounts.enter() for _ in range(2)),
        *(accounts.delete_account(ada, AT_COOKIE_DOOR) for _ in range(3)),
        *(accounts.enter() for _ in range(2)),
    )
    assert Counter(map(type, answers[2:5])) == {type(None): 1, SessionEnded: 2}
    assert {type(answer) for answer in answers[:2] + answers[5:]} <= {tuple, InvalidCredentials}
    assert await _live(accounts) == set()
    assert list(await auth.audited()) == ["user.deleted"]
