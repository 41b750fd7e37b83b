"""What administrators do, told as conversations: the same suite on memory and on PostgreSQL.

Every act leaves exactly one row in the audit log, and each test says which.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.postgres.database import Database
from application.admin.people import Newcomer
from application.admin.views import SessionState
from application.mail import MailKind, MailOrder
from application.ports import AuditEntry
from domain.admin import LastAdmin, UserChange
from domain.auth.invitations import InvitationNotFound, InvitationState
from domain.auth.links import LinkPurpose
from domain.auth.people import (
    NO_PASSWORD,
    EmailTaken,
    Role,
    UsernameTaken,
    UserNotFound,
    UserStatus,
)
from domain.auth.sessions import SessionEnd, SessionNotFound
from domain.auth.throttling import account_key
from domain.errors import DomainError
from tests.support.admin_builders import PERSONAL, ROOT, Administration, administration_of, root
from tests.support.auth_builders import EMAIL, NOW, Auth, a_session, a_user, auth_in_memory, auth_on_postgres
from tests.support.postgres import SettableClock


@pytest.fixture(params=["memory", "postgres"])
def auth(request: pytest.FixtureRequest, clock: SettableClock) -> Auth:
    if request.param == "memory":
        return auth_in_memory(clock=clock)
    database: Database = request.getfixturevalue("database")
    return auth_on_postgres(database, clock)


@pytest.fixture
async def admin(auth: Auth) -> Administration:
    """Root administers and Ada studies; both are signed in."""
    found = administration_of(auth)
    await found.settle(root(), a_user(email_verified_at=NOW))
    return found


def entry(action: str, subject: str = "usr_ada", **told: Any) -> AuditEntry:
    return AuditEntry(actor_id="usr_root", action=action, subject=subject, **told)


async def test_an_account_made_by_an_admin_has_no_password_and_its_person_is_mailed_a_link(
    admin: Administration,
) -> None:
    newcomer = Newcomer(email=" Grace@Example.org", role=Role.INSTRUCTOR, name="Grace", username="grace")
    made = await admin.add_user(ROOT, newcomer, "New colleague ")
    user = await admin.find(made.id)
    assert (user.password_hash, user.email, user.email_verified_at) == (NO_PASSWORD, "grace@example.org", None)
    assert (made.email_verified, made.last_seen_at, made.role) == (False, None, Role.INSTRUCTOR)
    assert await admin.orders() == [MailOrder(kind=MailKind.SET_PASSWORD, user_id=made.id)]
    after = {"email": "grace@example.org", "emailVerified": False, "username": "grace", "name": "Grace"}
    after |= {"role": "instructor", "status": "active", "deletedAt": None}
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


async def test_another_role_ends_every_session_and_keeps_the_links(admin: Administration) -> None:
    await admin.give_links("usr_ada")
    await admin.change_user(ROOT, "usr_ada", UserChange(role=Role.INSTRUCTOR), "Teaches now")
    session = await admin.session("usr_ada")
    assert (session.revoked_at, session.revoke_reason) == (NOW, SessionEnd.ROLE_CHANGED)
    assert await admin.links_of("usr_ada") == PERSONAL
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
    before = {"email": EMAIL, "emailVerified": True}
    after = {"email": "ada@new.example", "emailVerified": False}
    assert await admin.act() == entry("user.changed", before=before, after=after)


async def test_who_has_no_password_yet_gets_the_link_to_set_one_at_the_new_address(admin: Administration) -> None:
    made = await admin.add_user(ROOT, Newcomer(email="grcae@example.org", role=Role.STUDENT))
    await admin.change_user(ROOT, made.id, UserChange(email="grace@example.org"))
    assert await admin.kinds() == [MailKind.SET_PASSWORD, MailKind.EMAIL_CHANGED, MailKind.SET_PASSWORD]


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
    told: dict[str, Any] = {"before": {"deletedAt": None}, "after": {"deletedAt": NOW.isoformat()}}
    assert await admin.act() == entry("user.deleted", **told, reason="Asked for it")
    for act in (
        admin.change_user(ROOT, "usr_ada", UserChange(role=Role.ADMIN)),
        admin.delete_user(ROOT, "usr_ada"),
        admin.unlock_user(ROOT, "usr_ada"),
        admin.send_password_link(ROOT, "usr_ada"),
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
    told: dict[str, Any] = {"before": {"deletedAt": NOW.isoformat()}, "after": {"deletedAt": None}}
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
    """Admins who are disabled or deleted do not count; a second one makes it possible."""

    async def remove() -> None:
        if change is None:
            await admin.delete_user(ROOT, "usr_root")
        else:
            await admin.change_user(ROOT, "usr_root", UserChange(**change))

    for other in ({"id": "usr_off", "status": UserStatus.DISABLED}, {"id": "usr_gone", "deleted_at": NOW}):
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


async def test_one_session_is_ended_once(admin: Administration, clock: SettableClock) -> None:
    await admin.open(a_session(id="ses_other"))
    clock.advance(minutes=1)
    ended = await admin.end_session_of(ROOT, "usr_ada", "ses_ada", "Lost the telephone")
    assert (ended.state, ended.revoked_at, ended.revoke_reason) == (SessionState.REVOKED, clock.now(), "admin_revoked")
    again = await admin.end_session_of(ROOT, "usr_ada", "ses_ada")
    assert again == ended
    other = await admin.transact(lambda work: work.find_session("usr_ada", "ses_other"))
    assert other is not None
    assert other.revoked_at is None
    told: dict[str, Any] = {"after": {"userId": "usr_ada", "revoked": 1}, "reason": "Lost the telephone"}
    assert await admin.act() == entry("session.revoked", "ses_ada", **told)


@pytest.mark.parametrize("key", [("usr_ada", "ses_root"), ("usr_ada", "ses_none"), ("usr_none", "ses_ada")])
async def test_a_session_of_nobody_or_of_somebody_else_is_not_found(
    admin: Administration, key: tuple[str, str]
) -> None:
    with pytest.raises(SessionNotFound):
        await admin.end_session_of(ROOT, *key)
    assert await admin.acts() == []


async def test_a_session_that_ran_out_is_shown_as_it_is(admin: Administration, clock: SettableClock) -> None:
    clock.advance(days=8)
    shown = await admin.end_session_of(ROOT, "usr_ada", "ses_ada")
    assert (shown.state, shown.expires_at, shown.revoked_at) == (SessionState.EXPIRED, NOW + timedelta(days=7), None)
    assert await admin.acts() == []


async def test_all_sessions_of_a_person_end_and_nobody_elses(admin: Administration) -> None:
    await admin.open(a_session(id="ses_other"))
    await admin.open(a_session(id="ses_old", idle_expires_at=NOW))
    assert await admin.end_sessions_of(ROOT, "usr_ada", "Stolen") == 2
    assert (await admin.session("usr_root")).revoked_at is None
    assert await admin.act() == entry("sessions.revoked", after={"revoked": 2}, reason="Stolen")
    with pytest.raises(UserNotFound):
        await admin.end_sessions_of(ROOT, "usr_nobody")


async def test_everybody_is_signed_out_but_who_says_so(admin: Administration) -> None:
    await admin.open(a_session(id="ses_elsewhere", user_id="usr_root", audience=Role.ADMIN))
    assert await admin.end_every_session(ROOT, "A key was lost") == 2
    assert (await admin.session("usr_root")).revoked_at is None
    assert (await admin.session("usr_ada")).revoke_reason == SessionEnd.ADMIN_REVOKED
    told: dict[str, Any] = {"after": {"revoked": 2}, "reason": "A key was lost"}
    assert await admin.act() == entry("sessions.revoked", "everybody", **told)


async def test_an_invitation_is_good_for_a_week_and_mailed(admin: Administration) -> None:
    made = await admin.invite(ROOT, " Grace@Example.org", Role.ADMIN, "Deputy")
    kept = await admin.invitation(made.id)
    assert (kept.email, kept.role, kept.invited_by) == ("grace@example.org", Role.ADMIN, "usr_root")
    assert kept.expires_at == NOW + timedelta(days=7)
    assert made.state is InvitationState.OPEN
    assert await admin.orders() == [MailOrder(kind=MailKind.INVITATION, invitation_id=made.id)]
    after = {"email": "grace@example.org", "role": "admin"}
    assert await admin.act() == entry("invitation.created", made.id, after=after, reason="Deputy")


@pytest.mark.parametrize("days", [0, 8])
async def test_a_newer_invitation_replaces_the_older_and_its_link(
    admin: Administration, clock: SettableClock, days: int
) -> None:
    first = await admin.invite(ROOT, "grace@example.org", Role.INSTRUCTOR)
    await admin.give_links(first.id, [LinkPurpose.INVITATION])
    later = clock.advance(days=days)
    second = await admin.invite(ROOT, "GRACE@example.org", Role.ADMIN)
    assert (await admin.invitation(first.id)).revoked_at == later
    assert await admin.links_of(first.id) == set()
    assert (await admin.invitation(second.id)).is_open(later)
    assert [act.before for act in await admin.acts()] == [None, {"replaced": first.id}]


async def test_who_has_an_account_is_not_invited_and_who_had_one_is(admin: Administration) -> None:
    with pytest.raises(EmailTaken):
        await admin.invite(ROOT, EMAIL.upper(), Role.INSTRUCTOR)
    assert (await admin.acts(), await admin.orders()) == ([], [])
    await admin.delete_user(ROOT, "usr_ada")
    assert await admin.invite(ROOT, EMAIL, Role.INSTRUCTOR)


async def test_an_invitation_is_taken_back_once_with_its_link(admin: Administration) -> None:
    made = await admin.invite(ROOT, "grace@example.org", Role.INSTRUCTOR)
    await admin.give_links(made.id, [LinkPurpose.INVITATION])
    await admin.withdraw_invitation(ROOT, made.id, "Left")
    assert (await admin.invitation(made.id)).state(NOW) is InvitationState.REVOKED
    assert await admin.links_of(made.id) == set()
    before = {"email": "grace@example.org", "role": "instructor"}
    assert (await admin.acts())[-1] == entry("invitation.revoked", made.id, before=before, reason="Left")
    for unknown in (made.id, "inv_none"):
        with pytest.raises(InvitationNotFound):
            await admin.withdraw_invitation(ROOT, unknown)
    assert len(await admin.acts()) == 2


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_invitation_that_was_used_or_ran_out_cannot_be_taken_back(
    admin: Administration, clock: SettableClock, *, accepted: bool
) -> None:
    made = await admin.invite(ROOT, "grace@example.org", Role.INSTRUCTOR)
    if accepted:
        used = (await admin.invitation(made.id)).accepted("usr_ada", NOW)
        await admin.transact(lambda work: work.save_invitation(used))
    else:
        clock.advance(days=7)
    with pytest.raises(InvitationNotFound):
        await admin.withdraw_invitation(ROOT, made.id)
    assert (await admin.invitation(made.id)).revoked_at is None
