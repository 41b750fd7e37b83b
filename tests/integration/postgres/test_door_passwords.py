"""Passwords through the cookie door, on memory and on PostgreSQL alike."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from application.auth.events import AuthAct, Outcome
from application.auth.opening import Visit
from application.mail import MailKind, MailOrder
from domain.auth.guessing import ConfirmationLocked
from domain.auth.limits import LimitSource, WhenFull
from domain.auth.links import LinkInvalid, LinkPurpose
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Role
from domain.auth.sessions import CurrentPasswordWrong, Door, InvalidCredentials, SessionEnd, SessionEnded
from domain.errors import DomainError
from tests.support.account_builders import NEW_EMAIL, NEW_PASSWORD, actor_of
from tests.support.auth_builders import EMAIL, PASSWORD, STUDENT_VISIT, Auth, a_user
from tests.support.cookie_sessions import AT_COOKIE_DOOR
from tests.support.door_accounts import CALLBACK, DoorAccounts, actor_at_door, door_accounts_of
from tests.support.mailbox import BASE_URL
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit

TOLD = [MailOrder(kind=MailKind.PASSWORD_CHANGED, user_id="usr_ada")]


@pytest.fixture
async def accounts(auth: Auth) -> DoorAccounts:
    """Ada has an account."""
    await auth.add(a_user())
    return door_accounts_of(auth)


async def _live(auth: Auth) -> set[str]:
    return {session.id for session in await auth.reader.live_sessions_of("usr_ada")}


async def test_a_change_that_keeps_the_sessions_changes_nothing_but_the_password(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock
) -> None:
    portal, (mine, ada) = await auth.enter(), await accounts.enter()
    await accounts.portal.link(LinkPurpose.CHANGE_EMAIL, email=NEW_EMAIL)
    later = clock.advance(minutes=1)
    assert await accounts.keep(ada) == 0
    assert await accounts.portal.ada() == a_user(password_hash="kept:" + NEW_PASSWORD, updated_at=later)
    assert await _live(auth) == {portal.session.id, mine.session.id}
    assert (await accounts.portal.orders(), await auth.audited()) == (TOLD, ["user.password_changed"])
    with pytest.raises(InvalidCredentials):
        await accounts.enter()
    again, _ = await accounts.enter(password=NEW_PASSWORD)
    assert again.session.id in await _live(auth)


async def test_a_change_that_begins_anew_leaves_one_session_and_that_is_a_new_one(
    accounts: DoorAccounts, auth: Auth
) -> None:
    portal, (other, _), (mine, ada) = await auth.enter(), await accounts.enter(), await accounts.enter()
    grant = await accounts.begin_anew(ada)
    assert await _live(auth) == {grant.session.id}
    assert grant.session.id not in {portal.session.id, other.session.id, mine.session.id}
    assert (grant.session.door, grant.session.audience, grant.person.id) == (Door.COOKIE, Role.STUDENT, "usr_ada")
    for ended in (portal.session.id, other.session.id, mine.session.id):
        assert (await accounts.portal.session(ended)).revoke_reason == SessionEnd.PASSWORD_CHANGED
    with pytest.raises(SessionEnded):
        await accounts.door.read(mine.secret)
    assert (await accounts.door.authenticate(grant.secret)).session_id == grant.session.id
    assert (await accounts.portal.orders(), await auth.audited()) == (TOLD, ["user.password_changed"])


async def test_beginning_anew_finds_room_where_the_limit_is_one(accounts: DoorAccounts, auth: Auth) -> None:
    await define_limit(auth, LimitSource.USER, "usr_ada", 1, when_full=WhenFull.DENY)
    _, ada = await accounts.enter()
    grant = await accounts.begin_anew(ada)
    assert await _live(auth) == {grant.session.id}
    assert grant.evicted_sessions == 0


@pytest.mark.parametrize("way", ["keep", "begin_anew"])
@pytest.mark.parametrize(
    ("current", "new", "refusal", "pointer"),
    [
        ("a guess", NEW_PASSWORD, CurrentPasswordWrong, None),
        ("a guess", "short", PasswordRefused, "/newPassword"),
        (PASSWORD, "password1", PasswordRefused, "/newPassword"),
        (PASSWORD, PASSWORD, PasswordRefused, "/newPassword"),
        ("x" * 2_000, NEW_PASSWORD, PasswordRefused, "/currentPassword"),
    ],
)
async def test_a_change_that_is_refused_leaves_everything(
    accounts: DoorAccounts,
    auth: Auth,
    way: str,
    current: str,
    new: str,
    refusal: type[DomainError],
    pointer: str | None,
) -> None:
    mine, ada = await accounts.enter()
    with pytest.raises(refusal) as refused:
        await getattr(accounts, way)(ada, current=current, new=new)
    assert [problem.pointer for problem in refused.value.problems] == ([pointer] if pointer else [])
    assert (await accounts.portal.ada(), await _live(auth)) == (a_user(), {mine.session.id})
    assert (await accounts.portal.orders(), await auth.audited()) == ([], [])


@pytest.mark.parametrize("way", ["keep", "begin_anew"])
async def test_a_session_that_has_ended_changes_no_password(accounts: DoorAccounts, way: str) -> None:
    mine, ada = await accounts.enter()
    await accounts.door.leave(mine.secret)
    with pytest.raises(SessionEnded):
        await getattr(accounts, way)(ada)
    assert await accounts.portal.ada() == a_user()


async def test_a_password_may_be_checked_and_guesses_at_it_lock_the_account(accounts: DoorAccounts, auth: Auth) -> None:
    _, ada = await accounts.enter()
    auth.events.all.clear()
    await accounts.verify_password(ada, PASSWORD, AT_COOKIE_DOOR)
    for _ in range(5):
        with pytest.raises(CurrentPasswordWrong):
            await accounts.verify_password(ada, "a guess", AT_COOKIE_DOOR)
    checked = len(auth.hasher.checks)
    with pytest.raises(ConfirmationLocked):
        await accounts.verify_password(ada, PASSWORD, AT_COOKIE_DOOR)
    with pytest.raises(InvalidCredentials):
        await auth.enter()
    assert len(auth.hasher.checks) == checked
    told = [(event.act, event.outcome) for event in auth.events.all[:-1]]
    assert told == [
        (AuthAct.PASSWORD_CONFIRMED, Outcome.SUCCEEDED),
        *[(AuthAct.PASSWORD_CONFIRMED, Outcome.WRONG_CREDENTIALS)] * 5,
        (AuthAct.PASSWORD_CONFIRMED, Outcome.LOCKED),
    ]


async def test_a_link_of_the_door_is_asked_about_and_used_once(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock
) -> None:
    mine, _ = await accounts.enter()
    link = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    assert link.url == f"{BASE_URL}/api/auth/reset-password/{link.secret}?callbackURL={quote(CALLBACK, safe='')}"
    for _ in "12":
        await accounts.check_reset_link(link.secret, AT_COOKIE_DOOR)
    clock.advance(minutes=29)
    await accounts.reset_password(link.secret, NEW_PASSWORD, AT_COOKIE_DOOR)
    with pytest.raises(LinkInvalid):
        await accounts.check_reset_link(link.secret, AT_COOKIE_DOOR)
    with pytest.raises(LinkInvalid):
        await accounts.reset_password(link.secret, NEW_PASSWORD, AT_COOKIE_DOOR)
    with pytest.raises(SessionEnded):
        await accounts.door.read(mine.secret)
    assert await auth.audited() == ["user.password_reset"]
    assert (await accounts.portal.ada()).email_verified_at is not None


@pytest.mark.parametrize("changes", [{"age": timedelta(minutes=30)}, {"owner": "usr_nobody"}, {"email": NEW_EMAIL}])
async def test_a_link_that_is_not_good_is_not_said_to_be(
    accounts: DoorAccounts, changes: dict[str, timedelta | str]
) -> None:
    token = await accounts.portal.link(LinkPurpose.RESET_PASSWORD, **changes)  # type: ignore[arg-type]
    for made_up in (token, "A" * 24, "", "nonsense"):
        with pytest.raises(LinkInvalid):
            await accounts.check_reset_link(made_up, AT_COOKIE_DOOR)


async def test_the_link_of_a_student_is_good_for_no_portal_of_staff(accounts: DoorAccounts) -> None:
    link = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    with pytest.raises(LinkInvalid):
        await accounts.check_reset_link(link.secret, Visit(portal=Role.ADMIN))


async def test_a_link_works_at_whichever_door(accounts: DoorAccounts, auth: Auth) -> None:
    of_door = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    await accounts.portal.reset(of_door.secret)
    await accounts.portal.request_password_reset(EMAIL, STUDENT_VISIT)
    of_portal = await accounts.mailbox.newest(MailKind.RESET_PASSWORD)
    await accounts.reset_password(of_portal.secret, PASSWORD, AT_COOKIE_DOOR)
    assert await auth.enter()
    assert await auth.audited() == ["user.password_reset"] * 2


async def test_a_link_of_one_door_replaces_that_of_another(accounts: DoorAccounts) -> None:
    first = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    await accounts.portal.request_password_reset(EMAIL, STUDENT_VISIT)
    await accounts.mailbox.mails()
    with pytest.raises(LinkInvalid):
        await accounts.reset_password(first.secret, NEW_PASSWORD, AT_COOKIE_DOOR)


async def test_a_reset_that_keeps_the_sessions_does_all_else(auth: Auth) -> None:
    await auth.add(a_user())
    accounts = door_accounts_of(auth, keeps_sessions=True)
    portal, (mine, _) = await auth.enter(), await accounts.enter()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.enter(password="a guess")
    link = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    await accounts.reset_password(link.secret, NEW_PASSWORD, AT_COOKIE_DOOR)
    assert await _live(auth) == {portal.session.id, mine.session.id}
    assert (await accounts.portal.orders())[-1:] == TOLD
    again, _ = await accounts.enter(password=NEW_PASSWORD)
    assert again.session.id in await _live(auth), "the lockout is over"


async def test_the_portals_end_every_other_session_as_ever(accounts: DoorAccounts, auth: Auth) -> None:
    """Those of the cookie door too."""
    (mine, _), portal = await accounts.enter(), await auth.enter()
    assert await accounts.portal.change(actor_of(portal)) == 1
    assert await _live(auth) == {portal.session.id}
    with pytest.raises(SessionEnded):
        await accounts.door.read(mine.secret)
    grant = await accounts.begin_anew(actor_of(portal), current=NEW_PASSWORD, new=PASSWORD)
    assert actor_at_door(grant).session_id in await _live(auth)
