"""Invitations: the one way to become an instructor or an admin by oneself."""

from __future__ import annotations

from dataclasses import dataclass

from application.admin.auditing import act, require_admin
from application.admin.ports import AdminWork
from application.admin.views import InvitationView
from application.mail import MailKind, order_mail
from application.ports import IdGenerator, Transaction
from domain.auth.invitations import Invitation, InvitationNotFound
from domain.auth.links import LinkPurpose
from domain.auth.people import Actor, EmailTaken, Facts, Role, User, normalise_email
from domain.auth.sessions import Forbidden
from domain.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """An address that has no account is mailed a link to register as staff; an earlier invitation is replaced."""

    transact: Transaction[AdminWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor | None, email: str, role: Role, reason: str | None = None) -> InvitationView:
        inviter, address = require_admin(actor), normalise_email(email)
        invitation_id = self.ids.new("inv")
        _refuse_students(role)

        async def invite(work: AdminWork) -> InvitationView:
            # Held, so that of an admin who is being dismissed none is sent that the dismissal does not see.
            if inviter is not None and not _is_admin(await work.hold_user(inviter)):
                raise Forbidden
            if await work.find_user_by_email(address) is not None:
                raise EmailTaken
            invitation = Invitation(
                id=invitation_id,
                email=address,
                role=role,
                invited_by=inviter,
                created_at=work.now,
                expires_at=work.now + LinkPurpose.INVITATION.life,
            )
            replaced = await _replace(work, invitation)
            await work.enqueue(order_mail(MailKind.INVITATION, invitation_id=invitation.id))
            before = {"replaced": replaced} if replaced else None
            after = _facts(invitation)
            await work.audit(
                act("invitation.created", invitation.id, by=actor, before=before, after=after, reason=reason)
            )
            return InvitationView.of(invitation, work.now)

        return await self.transact(invite)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawInvitation:
    """An invitation that is still open is taken back, and its link is good for nothing."""

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, invitation_id: str, reason: str | None = None) -> None:
        require_admin(actor)

        async def withdraw(work: AdminWork) -> None:
            invitation = await work.hold_invitation(invitation_id)
            if invitation is None or not invitation.is_open(work.now):
                raise InvitationNotFound
            await revoke(work, invitation)
            before = _facts(invitation)
            await work.audit(act("invitation.revoked", invitation_id, by=actor, before=before, reason=reason))

        await self.transact(withdraw)


async def _replace(work: AdminWork, invitation: Invitation) -> str | None:
    """Adds it in the place of the one there is; the id of that one, the last if several were faster."""
    replaced = None
    while not await work.add_invitation(invitation):
        pending = await work.hold_pending_invitation(invitation.email)
        if pending is not None:
            await revoke(work, pending)
            replaced = pending.id
    return replaced


async def revoke(work: AdminWork, invitation: Invitation) -> None:
    """Takes back an invitation that is held, with its link."""
    await work.save_invitation(invitation.revoked(work.now))
    await work.drop_links(invitation.id, [LinkPurpose.INVITATION])


def _is_admin(user: User | None) -> bool:
    return user is not None and user.role is Role.ADMIN and user.is_alive


def _refuse_students(role: Role) -> None:
    if not role.is_staff:
        message = "Students register without an invitation"
        raise InvalidInput(message, problems=(FieldProblem("/role", "not_one_of", message),))


def _facts(invitation: Invitation) -> Facts:
    return {"email": invitation.email, "role": invitation.role.value}
