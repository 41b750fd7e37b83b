"""Invitations as administrators send and take them back: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.mail import MailKind, MailOrder
from domain.admin import UserChange
from domain.auth.invitations import InvitationNotFound, InvitationState
from domain.auth.links import LinkPurpose
from domain.auth.people import (
    Actor,
    EmailTaken,
    Role,
    UserStatus,
)
from domain.auth.sessions import Forbidden
from tests.support.admin_builders import ROOT, Administration, entry
from tests.support.auth_builders import EMAIL, NOW, a_user
from tests.support.postgres import SettableClock


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


@pytest.mark.parametrize("change", [{"role": Role.INSTRUCTOR}, {"status": UserStatus.DISABLED}, None])
async def test_a_dismissed_admin_leaves_no_open_invitation(
    admin: Administration, change: dict[str, Any] | None
) -> None:
    """Neither to themselves nor to friends; those of others, and those that were accepted, stay as they are."""
    boss = Actor(user_id="usr_boss", role=Role.ADMIN, session_id="ses_boss")
    await admin.settle(a_user(id="usr_boss", email="boss@example.org", username=None, role=Role.ADMIN))
    used, mine, friends = [
        await admin.invite(boss, f"{name}@example.org", Role.ADMIN) for name in ("used", "mine", "friend")
    ]
    others = await admin.invite(ROOT, "other@example.org", Role.ADMIN)
    accepted = (await admin.invitation(used.id)).accepted("usr_ada", NOW)
    await admin.transact(lambda work: work.save_invitation(accepted))
    for invitation in (mine, friends, others):
        await admin.give_links(invitation.id, [LinkPurpose.INVITATION])
    await admin.change_user(ROOT, "usr_boss", UserChange(name="Still an admin"))
    assert (await admin.invitation(mine.id)).is_open(NOW)
    if change is None:
        await admin.delete_user(ROOT, "usr_boss")
    else:
        await admin.change_user(ROOT, "usr_boss", UserChange(**change))
    states = [(await admin.invitation(each.id)).state(NOW) for each in (used, mine, friends, others)]
    revoked, is_open = InvitationState.REVOKED, InvitationState.OPEN
    assert states == [InvitationState.ACCEPTED, revoked, revoked, is_open]
    assert [await admin.links_of(each.id) for each in (mine, friends, others)] == [
        set(),
        set(),
        {LinkPurpose.INVITATION},
    ]
    assert len(await admin.acts()) == 4 + 2
    assert ((await admin.acts())[-1].after or {})["revoked_invitations"] == [mine.id, friends.id]


async def test_who_is_no_admin_any_more_invites_nobody(admin: Administration) -> None:
    """Even with a request that was let in when they still were one."""
    await admin.auth.change_user("usr_root", role=Role.STUDENT)
    with pytest.raises(Forbidden):
        await admin.invite(ROOT, "grace@example.org", Role.ADMIN)
    assert (await admin.acts(), await admin.orders()) == ([], [])
