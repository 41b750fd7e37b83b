"""What administrators do, told as conversations: the same suite on memory and on PostgreSQL.

Every act leaves exactly one row in the audit log, and each test says which.
"""

from __future__ import annotations

from typing import Any

import pytest

from application.admin.people import Newcomer
from application.mail import MailKind, MailOrder
from domain.admin import LastAdmin, UserChange
from domain.auth.links import LinkPurpose
from domain.auth.people import (
    NO_PASSWORD,
    EmailTaken,
    Role,
    UsernameTaken,
    UserNotFound,
    UserStatus,
)
from domain.auth.sessions import SessionEnd
from domain.auth.throttling import account_key
from domain.errors import DomainError
from tests.support.admin_builders import ROOT, Administration, entry
from tests.support.auth_builders import EMAIL, NOW, a_user
from tests.support.postgres import SettableClock


async def test_an_account_made_by_an_admin_has_no_password_and_its_person_is_mailed_a_link(
    admin: Administration,
) -> None:
    newcomer = Newcomer(email=" Grace@Example.org", role=Role.INSTRUCTOR, name="Grace", username="grace")
    made = await admin.add_user(ROOT, newcomer, "New colleague ")
    user = await admin.find(made.id)
    assert (user.password_hash, user.email, user.email_verified_at) == (NO_PASSWORD, "grace@example.org", None)
    assert (made.email_verified, made.last_seen_at, made.role) == (False, None, Role.INSTRUCTOR)
    assert await admin.orders() == [MailOrder(kind=MailKind.SET_PASSWORD, user_id=made.id)]
    after = {"email": "grace@example.org", "email_verified": False, "username": "grace", "name": "Grace"}
    after |= {"role": "instructor", "status": "active", "deleted_at": None}
    assert await admin.act() == entry("user.created", made.id, after=after, reason="New colleague")


@pytest.mark.parametrize(
    ("newcomer", "refusal"),
    [
        (Newcomer(email=EMAIL.upper(), role=Role.STUDENT), EmailTaken),
        (Newcomer(email="grace@example.org", role=Role.STUDENT, username="ADA"), UsernameTaken),
    ],
)
async def test_nobody_gets_the_address_or_username_of_somebody_else(
    admin: Administration, newcomer: Newcomer, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        await admin.add_user(ROOT, newcomer)
    assert (await admin.acts(), await admin.orders()) == ([], [])


async def test_a_change_tells_only_what_differs_and_leaves_sessions_alone(
    admin: Administration, clock: SettableClock
) -> None:
    later = clock.advance(hours=1)
    shown = await admin.change_user(ROOT, "usr_ada", UserChange(name="Ada L.", username="", role=Role.STUDENT), "  ")
    assert (shown.name, shown.username, shown.updated_at, shown.last_seen_at) == ("Ada L.", None, later, NOW)
    assert (await admin.session("usr_ada")).is_live(later)
    before, after = {"username": "ada", "name": "Ada"}, {"username": None, "name": "Ada L."}
    assert await admin.act() == entry("user.changed", before=before, after=after)


async def test_what_is_so_already_is_no_act(admin: Administration, clock: SettableClock) -> None:
    before = await admin.find("usr_ada")
    clock.advance(hours=1)
    same = UserChange(email=EMAIL.upper(), name=" Ada", username="ada", role=Role.STUDENT, status=UserStatus.ACTIVE)
    assert (await admin.change_user(ROOT, "usr_ada", same, "no reason")).updated_at == NOW
    assert await admin.find("usr_ada") == before
    assert (await admin.acts(), await admin.orders()) == ([], [])


async def test_another_role_ends_every_session_and_link_to_a_password(admin: Administration) -> None:
    await admin.give_links("usr_ada")
    await admin.change_user(ROOT, "usr_ada", UserChange(role=Role.INSTRUCTOR), "Teaches now")
    session = await admin.session("usr_ada")
    assert (session.revoked_at, session.revoke_reason) == (NOW, SessionEnd.ROLE_CHANGED)
    assert await admin.links_of("usr_ada") == {LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL}
    assert await admin.orders() == []
    told: dict[str, Any] = {"before": {"role": "student"}, "after": {"role": "instructor"}}
    assert await admin.act() == entry("user.changed", **told, reason="Teaches now")


async def test_disabling_ends_every_session_and_link_and_enabling_brings_none_back(admin: Administration) -> None:
    await admin.give_links("usr_ada")
    await admin.change_user(ROOT, "usr_ada", UserChange(status=UserStatus.DISABLED, role=Role.INSTRUCTOR))
    assert (await admin.session("usr_ada")).revoke_reason == SessionEnd.DISABLED
    assert await admin.links_of("usr_ada") == set()
    shown = await admin.change_user(ROOT, "usr_ada", UserChange(status=UserStatus.ACTIVE))
    assert shown.status is UserStatus.ACTIVE
    assert (await admin.session("usr_ada")).revoked_at == NOW
    assert [act.after for act in await admin.acts()] == [
        {"role": "instructor", "status": "disabled"},
        {"status": "active"},
    ]


async def test_a_new_address_is_unverified_its_owner_is_asked_and_the_old_one_told(admin: Administration) -> None:
    await admin.give_links("usr_ada")
    shown = await admin.change_user(ROOT, "usr_ada", UserChange(email=" Ada@New.example"))
    assert (shown.email, shown.email_verified_at) == ("ada@new.example", None)
    assert await admin.orders() == [
        MailOrder(kind=MailKind.EMAIL_CHANGED, user_id="usr_ada", email=EMAIL),
        MailOrder(kind=MailKind.VERIFY_EMAIL, user_id="usr_ada"),
    ]
    assert await admin.links_of("usr_ada") == set()
    assert (await admin.session("usr_ada")).revoked_at is None
    before = {"email": EMAIL, "email_verified": True}
    after = {"email": "ada@new.example", "email_verified": False}
    assert await admin.act() == entry("user.changed", before=before, after=after)


async def test_who_has_no_password_yet_gets_the_link_to_set_one_at_the_new_address(admin: Administration) -> None:
    made = await admin.add_user(ROOT, Newcomer(email="grcae@example.org", role=Role.STUDENT))
    await admin.change_user(ROOT, made.id, UserChange(email="grace@example.org"))
    assert await admin.kinds() == [MailKind.SET_PASSWORD, MailKind.EMAIL_CHANGED, MailKind.SET_PASSWORD]


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({}, [MailKind.SET_PASSWORD]),
        ({"email": "grace@new.example"}, [MailKind.EMAIL_CHANGED, MailKind.SET_PASSWORD]),
        ({"status": UserStatus.DISABLED}, []),
    ],
)
async def test_who_has_no_password_yet_gets_the_link_to_set_one_at_the_portal_of_another_role(
    admin: Administration, change: dict[str, Any], more: list[MailKind]
) -> None:
    made = await admin.add_user(ROOT, Newcomer(email="grace@example.org", role=Role.STUDENT))
    await admin.give_links(made.id)
    await admin.change_user(ROOT, made.id, UserChange(role=Role.INSTRUCTOR, **change))
    assert await admin.kinds() == [MailKind.SET_PASSWORD, *more]
    assert LinkPurpose.SET_PASSWORD not in await admin.links_of(made.id)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"email": "ROOT@example.org"}, EmailTaken), ({"username": "ROOT"}, UsernameTaken)],
)
async def test_a_change_to_what_somebody_else_has_changes_nothing(
    admin: Administration, change: dict[str, Any], refusal: type[DomainError]
) -> None:
    before = await admin.find("usr_ada")
    with pytest.raises(refusal):
        await admin.change_user(ROOT, "usr_ada", UserChange(**change, role=Role.INSTRUCTOR))
    assert await admin.find("usr_ada") == before
    assert (await admin.session("usr_ada")).revoked_at is None
    assert (await admin.acts(), await admin.orders()) == ([], [])


async def test_the_operator_changes_somebody_without_being_anybody(admin: Administration) -> None:
    await admin.change_user(None, "usr_ada", UserChange(role=Role.ADMIN))
    assert (await admin.act()).actor_id is None


async def test_a_deleted_person_is_signed_out_frees_the_address_and_is_nobody_to_change(
    admin: Administration,
) -> None:
    await admin.give_links("usr_ada")
    await admin.delete_user(ROOT, "usr_ada", "Asked for it")
    session = await admin.session("usr_ada")
    assert (session.revoked_at, session.revoke_reason) == (NOW, SessionEnd.DELETED)
    assert await admin.links_of("usr_ada") == set()
    told: dict[str, Any] = {"before": {"deleted_at": None}, "after": {"deleted_at": NOW.isoformat()}}
    assert await admin.act() == entry("user.deleted", **told, reason="Asked for it")
    for act in (
        admin.change_user(ROOT, "usr_ada", UserChange(role=Role.ADMIN)),
        admin.delete_user(ROOT, "usr_ada"),
        admin.unlock_user(ROOT, "usr_ada"),
        admin.send_password_link(ROOT, "usr_ada"),
        admin.end_sessions_of(ROOT, "usr_ada"),
    ):
        with pytest.raises(UserNotFound):
            await act
    assert await admin.add_user(ROOT, Newcomer(email=EMAIL, role=Role.STUDENT, username="ada"))


async def test_a_restored_person_is_as_before_and_signed_out(admin: Administration, clock: SettableClock) -> None:
    before = await admin.find("usr_ada")
    await admin.delete_user(ROOT, "usr_ada")
    later = clock.advance(days=1)
    shown = await admin.restore_user(ROOT, "usr_ada", "A mistake")
    assert (shown.deleted_at, shown.updated_at, shown.email_verified_at) == (None, later, NOW)
    after = await admin.find("usr_ada")
    assert (after.password_hash, after.email, after.role) == (before.password_hash, before.email, before.role)
    assert (await admin.session("usr_ada")).revoke_reason == SessionEnd.DELETED
    told: dict[str, Any] = {"before": {"deleted_at": NOW.isoformat()}, "after": {"deleted_at": None}}
    assert (await admin.acts())[-1] == entry("user.restored", **told, reason="A mistake")


@pytest.mark.parametrize(
    ("newcomer", "refusal"),
    [
        (Newcomer(email=EMAIL, role=Role.STUDENT), EmailTaken),
        (Newcomer(email="grace@example.org", role=Role.STUDENT, username="Ada"), UsernameTaken),
    ],
)
async def test_nobody_is_restored_to_what_somebody_else_has_by_now(
    admin: Administration, newcomer: Newcomer, refusal: type[DomainError]
) -> None:
    await admin.delete_user(ROOT, "usr_ada")
    await admin.add_user(ROOT, newcomer)
    with pytest.raises(refusal):
        await admin.restore_user(ROOT, "usr_ada")
    assert (await admin.find("usr_ada")).deleted_at == NOW
    assert [act.action for act in await admin.acts()] == ["user.deleted", "user.created"]


async def test_restoring_who_is_there_is_no_act(admin: Administration) -> None:
    assert (await admin.restore_user(ROOT, "usr_ada")).deleted_at is None
    assert await admin.acts() == []
    with pytest.raises(UserNotFound):
        await admin.restore_user(ROOT, "usr_nobody")


@pytest.mark.parametrize("change", [{"role": Role.INSTRUCTOR}, {"status": UserStatus.DISABLED}, None])
async def test_the_last_admin_stays(admin: Administration, change: dict[str, Any] | None) -> None:
    """Admins who are disabled, deleted or without a password do not count; a second one makes it possible."""

    async def remove() -> None:
        if change is None:
            await admin.delete_user(ROOT, "usr_root")
        else:
            await admin.change_user(ROOT, "usr_root", UserChange(**change))

    for other in (
        {"id": "usr_off", "status": UserStatus.DISABLED},
        {"id": "usr_gone", "deleted_at": NOW},
        {"id": "usr_new", "password_hash": NO_PASSWORD},
    ):
        await admin.auth.add(a_user(email=f"{other['id']}@example.org", username=None, role=Role.ADMIN, **other))
    with pytest.raises(LastAdmin):
        await remove()
    assert (await admin.session("usr_root")).revoked_at is None
    assert await admin.acts() == []
    await admin.change_user(ROOT, "usr_root", UserChange(name="Still here"))
    await admin.change_user(ROOT, "usr_ada", UserChange(role=Role.ADMIN))
    await remove()
    assert (await admin.session("usr_root")).revoked_at == NOW


async def test_unlocking_forgets_the_failures_of_this_account_only(admin: Administration) -> None:
    for email in (EMAIL, "root@example.org"):
        await admin.count_failures(email)
    await admin.unlock_user(ROOT, "usr_ada", "Telephoned")
    assert await admin.counted() == {account_key("root@example.org")}
    assert await admin.act() == entry("user.unlocked", reason="Telephoned")
    await admin.unlock_user(ROOT, "usr_ada", "Telephoned again")
    assert len(await admin.acts()) == 1, "there was nothing to forget"


@pytest.mark.parametrize(
    ("password_hash", "kind"), [("kept:secret", MailKind.RESET_PASSWORD), (NO_PASSWORD, MailKind.SET_PASSWORD)]
)
async def test_an_admin_has_a_link_mailed_and_never_sees_it(
    admin: Administration, password_hash: str, kind: MailKind
) -> None:
    await admin.auth.change_user("usr_ada", password_hash=password_hash)
    await admin.send_password_link(ROOT, "usr_ada")
    assert await admin.orders() == [MailOrder(kind=kind, user_id="usr_ada")]
    assert await admin.act() == entry("user.password_link_sent")
