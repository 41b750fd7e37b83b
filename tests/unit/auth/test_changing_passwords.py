"""Changing the password, in conversations."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from application.auth.events import AuthAct, AuthEvent, Outcome
from application.mail import MailKind, MailOrder
from domain.auth.links import LinkInvalid, LinkPurpose
from domain.auth.passwords import PasswordRefused
from domain.auth.people import NO_PASSWORD, Actor, UserStatus
from domain.auth.sessions import Busy, CurrentPasswordWrong, InvalidCredentials, SessionEnded
from domain.auth.throttling import TooManyAttempts
from domain.errors import DomainError, InvalidInput
from tests.support.account_builders import NEW_PASSWORD, Accounts, accounts_of, actor_of
from tests.support.auth_builders import NOW, PASSWORD, AuthInMemory, a_user, auth_in_memory


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account."""
    auth = auth_in_memory()
    await auth.add(a_user(must_change_password=True))
    return auth


@pytest.fixture
def accounts(auth: AuthInMemory) -> Accounts:
    return accounts_of(auth)


@pytest.fixture
async def ada(auth: AuthInMemory) -> Actor:
    """Ada at her browser."""
    return actor_of(await auth.enter())


async def test_the_right_password_makes_room_for_another_one(accounts: Accounts, ada: Actor) -> None:
    auth, later = accounts.auth, accounts.auth.clock.advance(minutes=1)
    assert await accounts.change(ada) == 0
    user = await accounts.ada()
    assert user == a_user(password_hash="kept:" + NEW_PASSWORD, must_change_password=False, updated_at=later)
    assert await auth.enter(password=NEW_PASSWORD)
    with pytest.raises(InvalidCredentials):
        await auth.enter(password=PASSWORD)


async def test_every_other_session_ends_and_the_one_that_asks_stays(accounts: Accounts, auth: AuthInMemory) -> None:
    others = [await auth.enter() for _ in "12"]
    mine = await auth.enter()
    assert await accounts.change(actor_of(mine)) == 2
    assert await auth.authenticate(mine.access_token)
    for other in others:
        with pytest.raises(SessionEnded):
            await auth.authenticate(other.access_token)
        assert (await accounts.session(other.session.id)).revoke_reason == "password_changed"


async def test_the_owner_is_told_and_it_is_on_record(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    await auth.enter()
    await accounts.change(ada)
    assert await accounts.orders() == [MailOrder(kind=MailKind.PASSWORD_CHANGED, user_id="usr_ada")]
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_ada", "user.password_changed", "usr_ada")
    assert entry.after == {"ended_sessions": 1}


@pytest.mark.parametrize("purpose", [LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD, LinkPurpose.CHANGE_EMAIL])
async def test_what_was_mailed_before_is_worthless_afterwards(
    accounts: Accounts, ada: Actor, purpose: LinkPurpose
) -> None:
    """Whoever knew the old password may have asked for it."""
    token = await accounts.link(purpose)
    await accounts.change(ada)
    with pytest.raises(LinkInvalid):
        await (accounts.verify(token) if purpose is LinkPurpose.CHANGE_EMAIL else accounts.reset(token))


async def test_a_wrong_current_password_changes_nothing(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    before = await accounts.ada()
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(ada, current="not the password")
    assert await accounts.ada() == before
    assert auth.hasher.hashed == 0, "a new hash is made only for who may have it"
    assert (auth.store.audit_log, auth.store.jobs) == ([], [])


async def test_a_wrong_current_password_counts_like_a_failed_sign_in(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    """Five of either kind lock the account for both, and a locked one is answered alike, without a check."""
    for _ in range(3):
        with pytest.raises(CurrentPasswordWrong):
            await accounts.change(ada, current="a guess")
    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            await auth.enter(password="a guess")
    checked = len(auth.hasher.checks)
    with pytest.raises(CurrentPasswordWrong) as locked:
        await accounts.change(ada)
    with pytest.raises(InvalidCredentials):
        await auth.enter()
    assert len(auth.hasher.checks) == checked
    assert auth.hasher.idled == 2
    assert (locked.value.code, locked.value.detail) == (CurrentPasswordWrong.code, CurrentPasswordWrong.title)
    auth.clock.advance(minutes=1)
    assert await accounts.change(ada) == 0


async def test_too_many_guesses_from_one_address_are_refused(accounts: Accounts, auth: AuthInMemory) -> None:
    actors = []
    for number in range(7):
        await auth.add(a_user(id=f"usr_{number}", email=f"{number}@example.org", username=None))
        actors.append(actor_of(await auth.enter(f"{number}@example.org")))
    for actor in actors[:6]:
        for _ in range(5):
            with pytest.raises(CurrentPasswordWrong):
                await accounts.change(actor, current="a guess")
    with pytest.raises(TooManyAttempts):
        await accounts.change(actors[6])


@pytest.mark.parametrize(
    ("new", "refusal", "code"),
    [
        ("short", PasswordRefused, "too_short"),
        ("x" * 129, PasswordRefused, "too_long"),
        ("x" * 2_000, PasswordRefused, "too_long"),
        ("password123", PasswordRefused, "too_common"),
        ("ada@example.org", PasswordRefused, "too_personal"),
        (PASSWORD, PasswordRefused, "unchanged"),
        ("a password\0with an end", InvalidInput, "invalid_text"),
    ],
)
async def test_a_new_password_that_breaks_a_rule_is_refused_at_its_field_and_costs_nothing(
    accounts: Accounts, auth: AuthInMemory, ada: Actor, new: str, refusal: type[DomainError], code: str
) -> None:
    checked = len(auth.hasher.checks)
    with pytest.raises(refusal) as refused:
        await accounts.change(ada, new=new)
    assert [(problem.pointer, problem.code) for problem in refused.value.problems] == [("/newPassword", code)]
    assert (len(auth.hasher.checks), auth.hasher.hashed) == (checked, 0)


async def test_a_current_password_that_cannot_be_one_is_refused_at_its_field(accounts: Accounts, ada: Actor) -> None:
    for current in ("a\0b", "x" * 2_000):
        with pytest.raises(DomainError) as refused:
            await accounts.change(ada, current=current)
        assert [problem.pointer for problem in refused.value.problems] == ["/currentPassword"]


async def test_the_same_password_spelt_otherwise_is_the_same(accounts: Accounts, auth: AuthInMemory) -> None:
    await auth.change_user("usr_ada", password_hash="kept:office furniture")
    ada = actor_of(await auth.enter(password="oﬃce furniture"))
    with pytest.raises(PasswordRefused):
        await accounts.change(ada, current="oﬃce furniture", new="office furniture")
    assert await accounts.change(ada, current="oﬃce furniture") == 0


async def test_a_hash_that_was_renewed_meanwhile_is_checked_again(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    """A sign-in at the same moment brought the hash up to date: the password is as right as before."""
    auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", password_hash="other:" + PASSWORD))
    assert await accounts.change(ada) == 0
    assert (await accounts.ada()).password_hash == "kept:" + NEW_PASSWORD


async def test_a_password_that_was_changed_meanwhile_stays(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", password_hash="kept:of another device"))
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(ada)
    assert (await accounts.ada()).password_hash == "kept:of another device"


async def test_a_hash_that_never_rests_is_given_up(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    for number in range(5):
        renewed = f"{number}:" + PASSWORD
        auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", password_hash=renewed))
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(ada)
    assert len(auth.hasher.meanwhile) == 2


async def test_a_session_that_ended_meanwhile_changes_nothing(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    async def end() -> None:
        await auth.sign_out_everywhere(ada)

    auth.hasher.meanwhile.append(end)
    with pytest.raises(SessionEnded):
        await accounts.change(ada)
    assert (await accounts.ada()).password_hash == "kept:" + PASSWORD


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}])
async def test_a_dead_account_changes_nothing(
    accounts: Accounts, auth: AuthInMemory, ada: Actor, changes: dict[str, object]
) -> None:
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(SessionEnded):
        await accounts.change(ada)
    with pytest.raises(SessionEnded):
        await accounts.change(Actor(user_id="usr_nobody", role=ada.role, session_id=ada.session_id))


async def test_without_a_password_none_is_right(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    await auth.change_user("usr_ada", password_hash=NO_PASSWORD)
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(ada, current=NO_PASSWORD)


async def test_when_too_many_passwords_wait_nothing_is_changed_and_nothing_counted(
    accounts: Accounts, auth: AuthInMemory, ada: Actor
) -> None:
    auth.hasher.busy_hashing = True
    for _ in range(6):
        with pytest.raises(Busy):
            await accounts.change(ada)
    auth.hasher.busy_hashing = False
    assert await accounts.change(ada) == 0


async def test_every_outcome_is_told_once(accounts: Accounts, auth: AuthInMemory, ada: Actor) -> None:
    auth.events.all.clear()
    for _ in range(5):
        with pytest.raises(CurrentPasswordWrong):
            await accounts.change(ada, current="a guess")
    with pytest.raises(CurrentPasswordWrong):
        await accounts.change(ada)
    auth.clock.advance(minutes=1)
    with pytest.raises(PasswordRefused):
        await accounts.change(ada, new="short")
    await accounts.change(ada)
    refused = [Outcome.WRONG_CREDENTIALS] * 5 + [Outcome.LOCKED, Outcome.REFUSED]
    told = AuthEvent(act=AuthAct.PASSWORD_CHANGED, user_id="usr_ada", session_id=ada.session_id, portal=ada.role)
    assert auth.events.all == [
        *(replace(told, act=AuthAct.PASSWORD_CHANGE_REFUSED, outcome=outcome) for outcome in refused),
        told,
    ]


async def test_a_session_that_is_long_open_may_still_change_the_password(accounts: Accounts, ada: Actor) -> None:
    """The present password is proof enough."""
    accounts.auth.clock.advance(days=6)
    assert accounts.auth.policy.freshness < timedelta(days=6)
    assert await accounts.change(ada) == 0
