"""What people say about themselves and the end of their account, on memory and on PostgreSQL alike."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.auth.events import AuthAct, Outcome
from application.auth.own_account import PersonChange
from application.mail import MailKind
from domain.auth.links import LinkInvalid, LinkPurpose, link_hash
from domain.auth.people import Actor, Role, normalise_image, normalise_name
from domain.auth.sessions import (
    CurrentPasswordWrong,
    Forbidden,
    InvalidCredentials,
    SessionEnd,
    SessionEnded,
    SessionNotFresh,
)
from domain.errors import InvalidInput
from tests.support.account_builders import actor_of
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, Auth, AuthInMemory, AuthOnPostgres, a_user
from tests.support.cookie_sessions import AT_COOKIE_DOOR
from tests.support.door_accounts import DoorAccounts, door_accounts_of
from tests.support.postgres import SettableClock

IMAGE = "https://pictures.test/ada.png"
_LINES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40)


@pytest.fixture
async def accounts(auth: Auth) -> DoorAccounts:
    """Ada has an account."""
    await auth.add(a_user())
    return door_accounts_of(auth)


@given(name=st.none() | _LINES, image=st.none() | _LINES)
def test_what_is_not_named_stays_and_what_is_empty_goes(name: str | None, image: str | None) -> None:
    before = a_user(image=IMAGE)
    after = PersonChange(name=name, image=image).applied_to(before, NOW)
    assert after.name == ("Ada" if name is None else normalise_name(name))
    assert after.image == (IMAGE if image is None else normalise_image(image))
    assert after == a_user(name=after.name, image=after.image)


async def test_one_says_under_which_name_and_picture_one_is_shown(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock
) -> None:
    mine, ada = await accounts.enter()
    later = clock.advance(minutes=1)
    shown = await accounts.change_person(ada, PersonChange(name=" Ada Lovelace ", image=IMAGE))
    assert await accounts.portal.ada() == a_user(name="Ada Lovelace", image=IMAGE, updated_at=later)
    assert (await accounts.door.read(mine.secret)).person == shown
    assert (shown.name, shown.image, shown.updated_at) == ("Ada Lovelace", IMAGE, later)
    await accounts.change_person(ada, PersonChange(image=""))
    assert (await accounts.portal.ada()).image is None
    assert (await accounts.portal.ada()).name == "Ada Lovelace"
    assert (await accounts.portal.orders(), await auth.audited()) == ([], [])


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (PersonChange(name="a\nb"), "/name"),
        (PersonChange(name="a" * 201), "/name"),
        (PersonChange(image="a\0b"), "/image"),
        (PersonChange(image="a" * 2_001), "/image"),
    ],
)
async def test_what_cannot_be_shown_is_refused(accounts: DoorAccounts, change: PersonChange, pointer: str) -> None:
    _, ada = await accounts.enter()
    with pytest.raises(InvalidInput) as refused:
        await accounts.change_person(ada, change)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert await accounts.portal.ada() == a_user()


async def test_a_session_that_has_ended_says_nothing(accounts: DoorAccounts) -> None:
    mine, ada = await accounts.enter()
    await accounts.door.leave(mine.secret)
    with pytest.raises(SessionEnded):
        await accounts.change_person(ada, PersonChange(name="Eve"))
    with pytest.raises(SessionEnded):
        await accounts.delete_account(ada, AT_COOKIE_DOOR)
    with pytest.raises(SessionEnded):
        await accounts.delete_account(ada, AT_COOKIE_DOOR, PASSWORD)
    assert await accounts.portal.ada() == a_user()


@pytest.mark.parametrize("password", [None, PASSWORD])
async def test_an_account_that_is_given_up_is_dead_everywhere_and_its_address_is_free(
    accounts: DoorAccounts, auth: Auth, clock: SettableClock, password: str | None
) -> None:
    portal, (mine, ada) = await auth.enter(), await accounts.enter()
    link = await accounts.mailed(MailKind.RESET_PASSWORD, EMAIL)
    later = clock.advance(minutes=1)
    await accounts.delete_account(ada, AT_COOKIE_DOOR, password)
    assert await accounts.portal.ada() == a_user(deleted_at=later, updated_at=later)
    for session in (portal.session, mine.session):
        assert (await accounts.portal.session(session.id)).revoke_reason == SessionEnd.DELETED
    with pytest.raises(SessionEnded):
        await auth.authenticate(portal.access_token)
    with pytest.raises(SessionEnded):
        await accounts.door.read(mine.secret)
    with pytest.raises(InvalidCredentials):
        await accounts.enter()
    assert await auth.reader.find_link(link_hash(link.secret), tuple(LinkPurpose)) is None
    with pytest.raises(LinkInvalid):
        await accounts.reset_password(link.secret, "another sentence of Ada's", AT_COOKIE_DOOR)
    again = await accounts.door.sign_up()
    assert (again.person.email, again.person.id != "usr_ada") == (EMAIL, True)


async def test_giving_up_is_on_record_once_and_told(accounts: DoorAccounts, auth: Auth) -> None:
    _, ada = await accounts.enter()
    auth.events.all.clear()
    with pytest.raises(CurrentPasswordWrong):
        await accounts.delete_account(ada, AT_COOKIE_DOOR, "a guess")
    assert await auth.audited() == []
    await accounts.delete_account(ada, AT_COOKIE_DOOR, PASSWORD)
    assert await auth.audited() == ["user.deleted"]
    assert [(event.act, event.outcome, event.user_id) for event in auth.events.all] == [
        (AuthAct.ACCOUNT_DELETED, Outcome.WRONG_CREDENTIALS, "usr_ada"),
        (AuthAct.ACCOUNT_DELETED, Outcome.SUCCEEDED, "usr_ada"),
    ]
    (actor, before, after) = await _entry(auth)
    assert (actor, before) == ("usr_ada", {"deleted_at": None})
    assert after == {"deleted_at": (await accounts.portal.ada()).deleted_at.isoformat()}  # type: ignore[union-attr]


async def _entry(auth: Auth) -> tuple[object, object, object]:
    """Who is on record, and how it was before and after."""
    if isinstance(auth, AuthInMemory):
        (entry,) = auth.store.audit_log
        return entry.actor_id, entry.before, entry.after
    assert isinstance(auth, AuthOnPostgres)
    (row,) = await auth.database.fetch_all("select actor_id, before, after from audit_log")
    return row["actor_id"], row["before"], row["after"]


async def test_without_the_password_it_takes_a_sign_in_of_the_last_day(
    accounts: DoorAccounts, clock: SettableClock
) -> None:
    _, ada = await accounts.enter()
    clock.advance(days=1)
    with pytest.raises(SessionNotFresh):
        await accounts.delete_account(ada, AT_COOKIE_DOOR)
    assert await accounts.portal.ada() == a_user()
    await accounts.delete_account(ada, AT_COOKIE_DOOR, PASSWORD)
    assert (await accounts.portal.ada()).deleted_at is not None


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("says", [Role.INSTRUCTOR, Role.ADMIN, Role.STUDENT])
async def test_staff_do_not_delete_themselves(auth: Auth, password: str | None, says: Role) -> None:
    """Not even by a request that began while they were students."""
    await auth.add(a_user())
    accounts = door_accounts_of(auth)
    grant = await auth.enter()
    await auth.change_user("usr_ada", role="instructor" if isinstance(auth, AuthOnPostgres) else Role.INSTRUCTOR)
    with pytest.raises(Forbidden):
        await accounts.delete_account(actor_of(grant, says), AT_COOKIE_DOOR, password)
    assert (await accounts.portal.ada()).deleted_at is None
    assert await auth.audited() == []


@pytest.mark.parametrize(("asked", "found"), [("ada", "usr_ada"), ("ADA", "usr_ada"), ("", None), ("bob", None)])
async def test_a_living_person_is_found_by_username_whatever_its_case(
    accounts: DoorAccounts, auth: Auth, asked: str, found: str | None
) -> None:
    await auth.add(a_user(id="usr_nameless", username=None, email="nameless@example.org"))
    await auth.add(a_user(id="usr_gone", username="bob", email="bob@example.org", deleted_at=NOW))
    user = await auth.reader.find_user_by_username(asked)
    assert (None if user is None else user.id) == found
    if found is not None:
        assert user == await accounts.portal.ada()


async def test_who_has_the_username_of_a_deleted_person_is_found(auth: Auth) -> None:
    await auth.add(a_user(deleted_at=NOW))
    await auth.add(a_user(id="usr_next"))
    found = await auth.reader.find_user_by_username("Ada")
    assert found is not None
    assert found.id == "usr_next"


@pytest.mark.parametrize(
    ("password_hash", "refusal"), [("other:" + PASSWORD, None), ("kept:changed", CurrentPasswordWrong)]
)
async def test_the_password_must_still_be_the_one_that_was_checked(
    accounts: DoorAccounts, auth: Auth, password_hash: str, refusal: type[CurrentPasswordWrong] | None
) -> None:
    _, ada = await accounts.enter()
    auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", password_hash=password_hash))
    if refusal is None:
        await accounts.delete_account(ada, AT_COOKIE_DOOR, PASSWORD)
    else:
        with pytest.raises(refusal):
            await accounts.delete_account(ada, AT_COOKIE_DOOR, PASSWORD)
    assert ((await accounts.portal.ada()).deleted_at is None) is (refusal is not None)


async def test_who_is_disabled_by_now_acts_no_more(accounts: DoorAccounts, auth: Auth) -> None:
    _, ada = await accounts.enter()
    await auth.change_user("usr_ada", status="disabled")
    with pytest.raises(SessionEnded):
        await accounts.change_person(ada, PersonChange(name="Eve"))
    with pytest.raises(SessionEnded):
        await accounts.delete_account(ada, AT_COOKIE_DOOR)
    assert (await accounts.portal.ada()).name == "Ada"


async def test_nobody_acts_for_an_account_that_is_gone(accounts: DoorAccounts) -> None:
    nobody = Actor(user_id="usr_nobody", role=Role.STUDENT, session_id="ses_1")
    with pytest.raises(SessionEnded):
        await accounts.change_person(nobody, PersonChange(name="Eve"))
