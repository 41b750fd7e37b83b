"""Coming and going, in conversations."""

from collections.abc import Mapping
from functools import partial

import pytest

from application.auth.opening import HeldTokens, Visit
from application.auth.registering import NewUser, Registration
from application.auth.signing_in import Credentials
from domain.auth.passwords import canonical_password
from domain.auth.people import Role, UserStatus
from domain.auth.sessions import InvalidCredentials, SessionEnded, WrongPortal
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, AuthInMemory, a_user, auth_in_memory


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account."""
    auth = auth_in_memory()
    await auth.add(a_user())
    return auth


async def test_the_right_password_opens_a_session(auth: AuthInMemory) -> None:
    visit = Visit(portal=Role.STUDENT, ip="192.0.2.7", user_agent="x" * 500 + "\0", remember=True)
    grant = await auth.enter(" ADA@example.org", visit=visit)
    assert (grant.session.ip, len(grant.session.user_agent), grant.session.remember) == ("192.0.2.7", 400, True)
    assert (await auth.authenticate(grant.access_token)).user_id == "usr_ada"
    assert auth.hasher.checks == ["kept:" + PASSWORD]


@pytest.mark.parametrize(
    ("email", "changes"),
    [
        (EMAIL, {}),
        ("nobody@example.org", {}),
        ("not an address", {}),
        (EMAIL, {"status": UserStatus.DISABLED}),
        (EMAIL, {"deleted_at": NOW}),
    ],
)
async def test_every_failure_costs_one_check_and_gets_the_same_answer(
    auth: AuthInMemory, email: str, changes: dict[str, object]
) -> None:
    """Even the right password of a dead account: nobody learns from words or time which address exists."""
    await auth.change_user("usr_ada", **changes)
    with pytest.raises(InvalidCredentials):
        await auth.enter(email, PASSWORD if changes or email != EMAIL else "not the password")
    assert len(auth.hasher.checks) == 1
    assert auth.hasher.hashed == 0
    assert auth.store.tables["auth_sessions"] == {}


async def test_each_role_signs_in_at_its_own_portal(auth: AuthInMemory) -> None:
    for portal in (Role.INSTRUCTOR, Role.ADMIN):
        with pytest.raises(WrongPortal):
            await auth.enter(visit=Visit(portal=portal))
        with pytest.raises(InvalidCredentials):
            await auth.enter(password="wrong", visit=Visit(portal=portal))


async def test_a_hash_of_other_parameters_is_replaced_after_success(auth: AuthInMemory) -> None:
    auth.hasher.scheme = "new"
    await auth.enter()
    assert auth.store.tables["users"]["usr_ada"].password_hash == "new:" + PASSWORD
    await auth.enter()
    assert auth.hasher.hashed == 1


async def test_a_sign_in_does_not_fail_because_the_new_hash_would_have_to_wait(auth: AuthInMemory) -> None:
    auth.hasher.scheme, auth.hasher.busy_hashing = "new", True
    assert await auth.enter()
    assert auth.store.tables["users"]["usr_ada"].password_hash == "kept:" + PASSWORD


@pytest.mark.parametrize("scheme", ["kept", "new"])
@pytest.mark.parametrize(
    ("role", "password", "must_change"),
    [
        (Role.ADMIN, "x" * 14, True),
        (Role.INSTRUCTOR, "x" * 14, True),
        (Role.ADMIN, "\N{LATIN SMALL LIGATURE FFI}" * 5, False),
        (Role.ADMIN, "x" * 15, False),
        (Role.STUDENT, "x" * 7, False),
    ],
)
async def test_staff_with_the_short_password_of_a_student_change_it_first(
    auth: AuthInMemory, role: Role, password: str, must_change: bool, scheme: str
) -> None:
    """As somebody has it who registered as a student and was given another role since."""
    kept = "kept:" + canonical_password(password)
    await auth.change_user("usr_ada", role=role, password_hash=kept)
    auth.hasher.scheme = scheme
    grant = await auth.enter(password=password, visit=Visit(portal=role))
    assert grant.person.must_change_password is must_change
    assert (await auth.authenticate(grant.access_token)).must_change_password is must_change
    user = auth.store.tables["users"]["usr_ada"]
    assert (user.must_change_password, user.password_hash) == (must_change, kept.replace("kept", scheme))


async def test_a_sign_in_asks_nobody_to_change_a_password_when_it_is_refused(auth: AuthInMemory) -> None:
    await auth.change_user("usr_ada", role=Role.ADMIN, password_hash="kept:short one")
    with pytest.raises(InvalidCredentials):
        await auth.enter(password="short on", visit=Visit(portal=Role.ADMIN))
    with pytest.raises(WrongPortal):
        await auth.enter(password="short one")
    assert not auth.store.tables["users"]["usr_ada"].must_change_password


def meanwhile(auth: AuthInMemory, *changes: Mapping[str, object]) -> None:
    """Ada is changed between the check of her password and her sign-in, by one of these after each check."""
    for change in changes:
        auth.hasher.meanwhile.append(partial(auth.change_user, "usr_ada", **change))


async def test_a_hash_that_was_replaced_meanwhile_is_checked_again(auth: AuthInMemory) -> None:
    """Two sign-ins at once, of which the other one brought the hash up to date: both are honest."""
    meanwhile(auth, {"password_hash": "other:" + PASSWORD})
    assert await auth.enter()
    assert auth.hasher.checks == ["kept:" + PASSWORD, "other:" + PASSWORD]


async def test_a_password_that_was_changed_meanwhile_opens_nothing(auth: AuthInMemory) -> None:
    meanwhile(auth, {"password_hash": "kept:a new password"})
    with pytest.raises(InvalidCredentials):
        await auth.enter()
    assert auth.store.tables["auth_sessions"] == {}


@pytest.mark.parametrize("changes", [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}])
async def test_an_account_that_died_meanwhile_opens_nothing(auth: AuthInMemory, changes: dict[str, object]) -> None:
    meanwhile(auth, changes)
    with pytest.raises(InvalidCredentials):
        await auth.enter()
    assert auth.store.tables["auth_sessions"] == {}


async def test_an_account_whose_hash_never_stands_still_is_given_up_on(auth: AuthInMemory) -> None:
    meanwhile(auth, *({"password_hash": f"{turn}:{PASSWORD}"} for turn in range(5)))
    with pytest.raises(InvalidCredentials):
        await auth.enter()


@pytest.mark.parametrize("kept", ["access", "refresh", "both"])
async def test_signing_in_again_ends_the_session_whose_cookies_came_along(auth: AuthInMemory, kept: str) -> None:
    first, elsewhere = await auth.enter(), await auth.enter()
    held = HeldTokens(
        access=first.access_token if kept != "refresh" else "nonsense",
        refresh=first.refresh_token if kept != "access" else "nonsense",
    )
    second = await auth.enter(visit=Visit(portal=Role.STUDENT, held=held))
    with pytest.raises(SessionEnded):
        await auth.authenticate(first.access_token)
    assert auth.store.tables["auth_sessions"]["usr_ada", first.session.id].revoke_reason == "replaced"
    assert await auth.authenticate(second.access_token)
    assert await auth.authenticate(elsewhere.access_token)


async def test_a_session_at_another_portal_is_left_alone(auth: AuthInMemory) -> None:
    await auth.add(a_user(id="usr_root", email="root@example.org", username=None, role=Role.ADMIN))
    admin = await auth.enter("root@example.org", visit=Visit(portal=Role.ADMIN))
    await auth.enter(visit=Visit(portal=Role.STUDENT, held=HeldTokens(access=admin.access_token)))
    assert await auth.authenticate(admin.access_token)


async def test_a_failed_sign_in_ends_nothing(auth: AuthInMemory) -> None:
    first = await auth.enter()
    with pytest.raises(InvalidCredentials):
        await auth.enter(password="wrong", visit=Visit(portal=Role.STUDENT, held=HeldTokens(access=first.access_token)))
    assert await auth.authenticate(first.access_token)


async def test_signing_out_ends_the_session_at_once_and_once(auth: AuthInMemory) -> None:
    grant = await auth.enter()
    assert await auth.sign_out(HeldTokens(access=grant.access_token))
    assert not await auth.sign_out(HeldTokens(access=grant.access_token))
    with pytest.raises(SessionEnded):
        await auth.authenticate(grant.access_token)


async def test_an_expired_access_token_or_the_refresh_token_alone_is_enough_to_sign_out(auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    auth.clock.advance(hours=1)
    assert await auth.sign_out(HeldTokens(access=first.access_token))
    assert await auth.sign_out(HeldTokens(refresh=second.refresh_token))


async def test_signing_out_without_a_session_is_as_well(auth: AuthInMemory) -> None:
    assert not await auth.sign_out(HeldTokens())
    assert not await auth.sign_out(HeldTokens(access="nonsense", refresh="nonsense"))


async def test_signing_out_everywhere_ends_all_sessions_of_this_person_only(auth: AuthInMemory) -> None:
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    grants = [await auth.enter() for _ in range(3)]
    bob = await auth.enter("bob@example.org")
    assert await auth.sign_out_everywhere(await auth.authenticate(grants[1].access_token)) == 3
    for grant in grants:
        with pytest.raises(SessionEnded):
            await auth.authenticate(grant.access_token)
    assert await auth.authenticate(bob.access_token)


def test_nothing_that_is_shown_of_a_sign_in_holds_a_secret() -> None:
    held = HeldTokens(access="TOKEN", refresh="TOKEN")
    shown = [
        Credentials(email=EMAIL, password=PASSWORD),
        Registration(email=EMAIL, password=PASSWORD, invitation="TOKEN"),
        NewUser(role=Role.STUDENT, email=EMAIL, password=PASSWORD),
        Visit(portal=Role.STUDENT, held=held),
        held,
    ]
    assert not any(PASSWORD in repr(each) or "TOKEN" in repr(each) for each in shown)
    assert PASSWORD not in repr(a_user())
