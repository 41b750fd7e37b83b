"""Becoming somebody, in conversations."""

from datetime import timedelta
from typing import Any

import pytest

from application.auth.opening import HeldTokens, Visit
from application.auth.policy import AuthPolicy
from application.auth.registering import Registration
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Actor, DemoAccountsRefused, EmailTaken, InvitationRequired, Role, UsernameTaken
from domain.auth.sessions import Busy, Forbidden, SessionEnded
from domain.errors import InvalidInput
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, STUDENT_VISIT, a_new_user, auth_in_memory


async def test_a_student_registers_and_is_signed_in_at_once() -> None:
    auth = auth_in_memory()
    grant = await auth.register(" Ada@Example.org ", name="Ada", username="ada")
    assert (grant.person.email, grant.person.name, grant.person.role) == (EMAIL, "Ada", Role.STUDENT)
    assert not grant.person.email_verified
    assert grant.session.idle_expires_at == NOW + timedelta(days=7)
    assert grant.session.absolute_expires_at == NOW + timedelta(days=30)
    actor = await auth.authenticate(grant.access_token)
    assert actor == Actor(user_id=grant.person.id, role=Role.STUDENT, session_id=grant.session.id)
    assert await auth.audited() == []


async def test_the_password_is_kept_only_as_a_hash_of_its_canonical_form() -> None:
    auth = auth_in_memory()
    await auth.register_student(Registration(email=EMAIL, password="ﬃ ﬃ ﬃ ﬃ"), STUDENT_VISIT)
    found = await auth.reader.find_user_by_email(EMAIL)
    assert found is not None
    assert found.password_hash == "kept:ffi ffi ffi ffi"
    assert await auth.enter(password="ﬃ ffi ﬃ ffi")


async def test_an_address_and_a_username_belong_to_one_person() -> None:
    auth = auth_in_memory()
    await auth.register(username="ada")
    with pytest.raises(EmailTaken):
        await auth.register("ADA@example.org")
    with pytest.raises(UsernameTaken):
        await auth.register("other@example.org", username="ADA")
    assert await auth.reader.find_user_by_email("other@example.org") is None


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"email": "nobody"}, InvalidInput),
        ({"name": "a\nb"}, InvalidInput),
        ({"username": "?"}, InvalidInput),
        ({"password": "short"}, PasswordRefused),
        ({"password": "x" * 129}, PasswordRefused),
    ],
)
async def test_what_breaks_a_rule_is_refused_before_anything_is_hashed(
    values: dict[str, Any], refusal: type[Exception]
) -> None:
    auth = auth_in_memory()
    with pytest.raises(refusal):
        await auth.register_student(Registration(**{"email": EMAIL, "password": PASSWORD} | values), STUDENT_VISIT)
    assert auth.hasher.hashed == 0


async def test_registering_ends_the_session_that_the_browser_still_held() -> None:
    auth = auth_in_memory()
    before = await auth.register()
    held = HeldTokens(access=before.access_token, refresh=before.refresh_token)
    await auth.register_student(
        Registration(email="grace@example.org", password=PASSWORD), Visit(portal=Role.STUDENT, held=held)
    )
    with pytest.raises(SessionEnded):
        await auth.authenticate(before.access_token)


async def test_staff_do_not_register_without_an_invitation() -> None:
    auth = auth_in_memory()
    with pytest.raises(InvitationRequired):
        await auth.register_staff(Registration(email=EMAIL, password=PASSWORD), Visit(portal=Role.ADMIN))


async def test_when_too_many_passwords_wait_nobody_is_registered() -> None:
    auth = auth_in_memory()
    auth.hasher.busy_hashing = True
    with pytest.raises(Busy):
        await auth.register()
    assert not await auth.reader.was_ever_registered(EMAIL)


async def test_an_operator_makes_an_account_and_it_is_on_record() -> None:
    auth = auth_in_memory()
    person = await auth.create_user(None, a_new_user(email_verified=True, name="Grace"))
    assert (person.role, person.email_verified) == (Role.INSTRUCTOR, True)
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == (None, "user.created", person.id)
    assert entry.after == {"role": "instructor", "demo": False}


async def test_an_admin_makes_an_account_and_nobody_else_may() -> None:
    auth = auth_in_memory()
    await auth.create_user(Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_root"), a_new_user())
    assert auth.store.audit_log[0].actor_id == "usr_root"
    for role in (Role.INSTRUCTOR, Role.STUDENT):
        with pytest.raises(Forbidden):
            await auth.create_user(Actor(user_id="usr_x", role=role, session_id="ses_x"), a_new_user(email=EMAIL))
    assert auth.hasher.hashed == 1


async def test_staff_need_a_longer_password_than_students() -> None:
    auth = auth_in_memory()
    await auth.create_user(None, a_new_user(role=Role.STUDENT, email="a@example.org", password="12 chars lon"))
    for role in (Role.INSTRUCTOR, Role.ADMIN):
        with pytest.raises(PasswordRefused):
            await auth.create_user(None, a_new_user(role=role, password="14 chars long."))
        await auth.create_user(None, a_new_user(role=role, email=f"{role}@example.org", password="15 chars long.."))


async def test_a_demo_account_may_have_a_short_password_where_demos_are_allowed() -> None:
    short = a_new_user(password="for demos", demo=True)
    allowed = auth_in_memory(policy=AuthPolicy(demo_accounts=True))
    assert await allowed.create_user(None, short)
    with pytest.raises(PasswordRefused):
        await allowed.create_user(None, a_new_user(password="short", demo=True))
    with pytest.raises(DemoAccountsRefused):
        await auth_in_memory().create_user(None, short)


async def test_an_account_an_installation_begins_with_is_made_once() -> None:
    auth = auth_in_memory()
    assert await auth.ensure_user(a_new_user())
    assert not await auth.ensure_user(a_new_user(email="GRACE@example.org", password="another long sentence"))
    assert auth.hasher.hashed == 1
    found = await auth.reader.find_user_by_email("grace@example.org")
    assert found is not None
    await auth.change_user(found.id, deleted_at=NOW)
    assert not await auth.ensure_user(a_new_user()), "an account that was deleted does not come back"


async def test_of_two_starters_one_makes_the_account() -> None:
    """The other one saw nobody with this address, and came second all the same."""
    auth = auth_in_memory()

    class Late(type(auth.reader)):  # type: ignore[misc]
        async def was_ever_registered(self, email: str) -> bool:
            return False

    await auth.ensure_user(a_new_user())
    auth.reader = Late(auth.store, auth.clock)
    assert not await auth.ensure_user(a_new_user())
