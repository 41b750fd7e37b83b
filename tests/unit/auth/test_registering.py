"""Becoming somebody, in conversations."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.auth.opening import HeldTokens, Visit
from application.auth.policy import AuthPolicy
from application.auth.registering import Registration
from application.mail import MailKind, MailOrder
from domain.auth.links import LinkInvalid, LinkPurpose
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Actor, DemoAccountsRefused, EmailTaken, InvitationRequired, Role, UsernameTaken
from domain.auth.sessions import Busy, SessionEnded
from domain.errors import InvalidInput
from tests.support.account_builders import accounts_of, actor_of, an_invitation
from tests.support.auth_builders import EMAIL, NOW, PASSWORD, STUDENT_VISIT, a_new_user, auth_in_memory

GRACE = Registration(email="grace@example.org", password=PASSWORD, name="Grace")
AT_THE_INSTRUCTORS = Visit(portal=Role.INSTRUCTOR)


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
    for invitation in (None, ""):
        with pytest.raises(InvitationRequired):
            await auth.register_staff(replace(GRACE, invitation=invitation), Visit(portal=Role.ADMIN))
    assert auth.hasher.hashed == 0


async def test_when_too_many_passwords_wait_nobody_is_registered() -> None:
    auth = auth_in_memory()
    auth.hasher.busy_hashing = True
    with pytest.raises(Busy):
        await auth.register()
    assert not await auth.reader.was_ever_registered(EMAIL)


async def test_an_operator_makes_an_account_and_it_is_on_record() -> None:
    auth = auth_in_memory()
    person = await auth.create_user(a_new_user(email_verified=True, name="Grace"))
    assert (person.role, person.email_verified) == (Role.INSTRUCTOR, True)
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == (None, "user.created", person.id)
    assert entry.after == {
        "email": person.email,
        "email_verified": True,
        "username": None,
        "name": "Grace",
        "role": "instructor",
        "status": "active",
        "deleted_at": None,
        "demo": False,
    }


async def test_staff_need_a_longer_password_than_students() -> None:
    auth = auth_in_memory()
    await auth.create_user(a_new_user(role=Role.STUDENT, email="a@example.org", password="12 chars lon"))
    for role in (Role.INSTRUCTOR, Role.ADMIN):
        with pytest.raises(PasswordRefused):
            await auth.create_user(a_new_user(role=role, password="14 chars long."))
        await auth.create_user(a_new_user(role=role, email=f"{role}@example.org", password="15 chars long.."))


async def test_a_demo_account_may_have_a_short_password_where_demos_are_allowed() -> None:
    short = a_new_user(password="for demos", demo=True)
    allowed = auth_in_memory(policy=AuthPolicy(demo_accounts=True))
    assert await allowed.create_user(short)
    with pytest.raises(PasswordRefused):
        await allowed.create_user(a_new_user(password="short", demo=True))
    with pytest.raises(DemoAccountsRefused):
        await auth_in_memory().create_user(short)


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


async def test_a_new_student_is_asked_to_verify_the_address() -> None:
    auth = auth_in_memory()
    grant = await auth.register()
    assert await accounts_of(auth).orders() == [MailOrder(kind=MailKind.VERIFY_EMAIL, user_id=grant.person.id)]


async def test_who_was_invited_registers_with_a_verified_address_and_is_signed_in() -> None:
    auth = auth_in_memory()
    accounts = accounts_of(auth)
    token = await accounts.invite()
    later = auth.clock.advance(days=6)
    grant = await auth.register_staff(replace(GRACE, email=" Grace@Example.org", invitation=token), AT_THE_INSTRUCTORS)
    assert (grant.person.role, grant.person.email_verified) == (Role.INSTRUCTOR, True)
    assert (await auth.authenticate(grant.access_token)).role is Role.INSTRUCTOR
    assert await accounts.invitation() == an_invitation(accepted_at=later, accepted_by=grant.person.id)
    (entry,) = auth.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == (grant.person.id, "invitation.accepted", "inv_grace")
    assert await accounts.orders() == [], "the address is verified already"


async def test_an_invitation_is_good_once() -> None:
    auth = auth_in_memory()
    token = await accounts_of(auth).invite()
    await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)
    with pytest.raises(LinkInvalid) as refused:
        await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)
    assert [problem.pointer for problem in refused.value.problems] == ["/invitation"]


@pytest.mark.parametrize(
    "invitation",
    [
        {"expires_at": NOW},
        {"revoked_at": NOW},
        {"accepted_at": NOW, "accepted_by": "usr_other"},
        {"email": "other@example.org"},
        {"role": Role.ADMIN},
    ],
    ids=["expired", "revoked", "accepted", "for another address", "for another portal"],
)
async def test_an_invitation_that_does_not_admit_is_refused_and_nobody_is_registered(
    invitation: dict[str, Any],
) -> None:
    auth = auth_in_memory()
    token = await accounts_of(auth).invite(**invitation)
    with pytest.raises(LinkInvalid):
        await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)
    assert not await auth.reader.was_ever_registered(GRACE.email)
    assert auth.store.tables["one_time_links"], "what was refused is not used up"


async def test_a_link_that_is_too_old_or_leads_nowhere_is_refused() -> None:
    auth = auth_in_memory()
    accounts = accounts_of(auth)
    await accounts.invite()
    for link in ({"owner": "inv_grace", "age": timedelta(days=7)}, {"owner": "inv_none"}):
        token = await accounts.link(LinkPurpose.INVITATION, email=GRACE.email, **link)
        with pytest.raises(LinkInvalid):
            await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)


@pytest.mark.parametrize("purpose", [each for each in LinkPurpose if each is not LinkPurpose.INVITATION])
async def test_a_link_for_something_else_is_no_invitation(purpose: LinkPurpose) -> None:
    auth = auth_in_memory()
    await accounts_of(auth).invite(token=bytes(32))
    token = await accounts_of(auth).link(purpose, owner="inv_grace", email=GRACE.email)
    with pytest.raises(LinkInvalid):
        await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)


@pytest.mark.parametrize("invitation", ["guessed", "A" * 43, "\0"])
async def test_a_made_up_invitation_costs_no_hash(invitation: str) -> None:
    auth = auth_in_memory()
    with pytest.raises(LinkInvalid):
        await auth.register_staff(replace(GRACE, invitation=invitation), AT_THE_INSTRUCTORS)
    assert auth.hasher.hashed == 0


async def test_a_registration_that_is_refused_leaves_the_invitation_good() -> None:
    auth = auth_in_memory()
    accounts = accounts_of(auth)
    token = await accounts.invite()
    with pytest.raises(PasswordRefused):
        await auth.register_staff(replace(GRACE, invitation=token, password="14 characters."), AT_THE_INSTRUCTORS)
    await auth.register(username="grace")
    with pytest.raises(UsernameTaken):
        await auth.register_staff(replace(GRACE, invitation=token, username="Grace"), AT_THE_INSTRUCTORS)
    assert (await accounts.invitation()).is_open(NOW)
    assert await auth.register_staff(replace(GRACE, invitation=token), AT_THE_INSTRUCTORS)


async def test_an_account_with_a_temporary_password_has_to_change_it() -> None:
    auth = auth_in_memory()
    person = await auth.create_user(a_new_user(must_change_password=True))
    assert person.must_change_password
    grant = await auth.enter(person.email, visit=AT_THE_INSTRUCTORS)
    assert grant.person.must_change_password
    assert (await auth.authenticate(grant.access_token)).must_change_password
    actor = actor_of(grant, Role.INSTRUCTOR)
    await accounts_of(auth).change(actor)
    assert not (await auth.authenticate(grant.access_token)).must_change_password
    assert not (await auth.read_profile(actor)).person.must_change_password
