"""What administrators do with people: make accounts, change, delete and restore them, and let somebody in again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from application.admin.auditing import act, require_admin
from application.admin.inviting import revoke
from application.admin.ports import AdminReader, AdminWork
from application.admin.views import UserView
from application.mail import MailKind, order_mail
from application.ports import IdGenerator, Transaction
from domain.admin import UserChange, end_of_sessions, is_dismissed, keep_an_admin
from domain.auth.links import PERSONAL, LinkPurpose
from domain.auth.people import (
    NO_PASSWORD,
    Actor,
    Facts,
    Role,
    User,
    UserNotFound,
    differences,
    facts_of,
    normalise_email,
    normalise_name,
    normalise_username,
)
from domain.auth.throttling import account_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody for whom an account is to be made."""

    email: str
    role: Role
    name: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUser:
    """An admin sees everybody, deleted ones too."""

    admin_reader: AdminReader

    async def __call__(self, user_id: str) -> UserView:
        user = await self.admin_reader.user(user_id)
        if user is None:
            raise UserNotFound
        return user


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser:
    """An account made by an admin has no password: its person is mailed a link to set one, which proves the address."""

    transact: Transaction[AdminWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor | None, newcomer: Newcomer, reason: str | None = None) -> UserView:
        require_admin(actor)
        user_id = self.ids.new("usr")
        email, name = normalise_email(newcomer.email), normalise_name(newcomer.name)
        username = normalise_username(newcomer.username)

        async def add(work: AdminWork) -> UserView:
            user = User(
                id=user_id,
                email=email,
                username=username,
                name=name,
                role=newcomer.role,
                password_hash=NO_PASSWORD,
                created_at=work.now,
                updated_at=work.now,
            )
            await work.add_user(user)
            await work.enqueue(order_mail(MailKind.SET_PASSWORD, user_id=user.id))
            await work.audit(act("user.created", user.id, by=actor, after=facts_of(user), reason=reason))
            return UserView.of(user, None)

        return await self.transact(add)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUser:
    """An admin, or the operator at the command line (no actor), changes somebody; what is so already is left alone.

    Another role and disabling end every session at once. With another role, links that set a password are good for
    nothing, and who has none yet is mailed a new one. A new address has to be verified by its owner, the old one is
    told, and links that were mailed to it are good for nothing. The last admin stays one; of an admin who is none any
    more the open invitations are revoked.
    """

    transact: Transaction[AdminWork]

    async def __call__(
        self, actor: Actor | None, user_id: str, change: UserChange, reason: str | None = None
    ) -> UserView:
        require_admin(actor)

        async def carry_out(work: AdminWork) -> UserView:
            if change.may_unseat:
                before, governing = await _hold_with_admins(work, user_id)
            else:
                before, governing = await _hold_living(work, user_id), frozenset[str]()
            after = change.applied_to(before, work.now)
            if after is not before:
                keep_an_admin(before, after, governing)
                was, became = await _rewrite(work, before, after)
                await work.audit(act("user.changed", user_id, by=actor, before=was, after=became, reason=reason))
            return await _shown(work, after)

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser:
    """A deleted person is signed out everywhere and frees the address; what they did stays. Never the last admin.

    Of an admin the open invitations are revoked.
    """

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> None:
        require_admin(actor)

        async def delete(work: AdminWork) -> None:
            before, governing = await _hold_with_admins(work, user_id)
            after = replace(before, deleted_at=work.now, updated_at=work.now)
            keep_an_admin(before, after, governing)
            was, became = await _rewrite(work, before, after)
            await work.audit(act("user.deleted", user_id, by=actor, before=was, after=became, reason=reason))

        await self.transact(delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreUser:
    """A deleted person comes back as they were, unless somebody has the address or username by now.

    Sessions stay ended. Whoever is there already stays as they are.
    """

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> UserView:
        require_admin(actor)

        async def restore(work: AdminWork) -> UserView:
            before = await work.hold_user(user_id)
            if before is None:
                raise UserNotFound
            if before.deleted_at is None:
                return await _shown(work, before)
            after = replace(before, deleted_at=None, updated_at=work.now)
            await work.save_user(after)
            was, became = differences(facts_of(before), facts_of(after))
            await work.audit(act("user.restored", user_id, by=actor, before=was, after=became, reason=reason))
            return await _shown(work, after)

        return await self.transact(restore)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockUser:
    """Wrong passwords that were counted against an account are forgotten, so that its person may try again at once.

    Where none were counted that is no act.
    """

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> None:
        async def unlock(work: AdminWork, user: User) -> bool:
            return await work.clear_attempts([account_key(user.email)])

        await _help(self.transact, actor, user_id, "user.unlocked", reason, unlock)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPasswordLink:
    """Somebody who cannot sign in is mailed a link to choose a password; no admin ever knows one."""

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> None:
        async def send(work: AdminWork, user: User) -> bool:
            kind = MailKind.SET_PASSWORD if user.password_hash == NO_PASSWORD else MailKind.RESET_PASSWORD
            await work.enqueue(order_mail(kind, user_id=user.id))
            return True

        await _help(self.transact, actor, user_id, "user.password_link_sent", reason, send)


async def _help(
    transact: Transaction[AdminWork],
    actor: Actor | None,
    user_id: str,
    action: str,
    reason: str | None,
    helps: Callable[[AdminWork, User], Awaitable[bool]],
) -> None:
    """An act for somebody that changes nothing of what the person is; none where there was nothing to help with."""
    require_admin(actor)

    async def unit(work: AdminWork) -> None:
        if await helps(work, await _hold_living(work, user_id)):
            await work.audit(act(action, user_id, by=actor, reason=reason))

    await transact(unit)


async def _hold_living(work: AdminWork, user_id: str) -> User:
    """The person, held. A deleted one is there only to be seen and restored."""
    return _living(await work.hold_user(user_id))


async def _hold_with_admins(work: AdminWork, user_id: str) -> tuple[User, frozenset[str]]:
    """The person and, held at the same time, all who govern."""
    user, governing = await work.hold_with_admins(user_id)
    return _living(user), governing


def _living(user: User | None) -> User:
    if user is None or user.deleted_at is not None:
        raise UserNotFound
    return user


async def _rewrite(work: AdminWork, before: User, after: User) -> tuple[Facts, Facts]:
    """Writes the change and what follows from it, in the same unit; what there is to tell, as it was and as it is."""
    await work.save_user(after)
    end = end_of_sessions(before, after)
    if end is not None:
        await work.end_sessions_of(after.id, end)
    if after.email != before.email or not after.is_alive:
        await work.drop_links(after.id, PERSONAL)
    elif after.role is not before.role:
        await _send_to_another_portal(work, after)
    if after.email != before.email:
        await work.enqueue(order_mail(MailKind.EMAIL_CHANGED, user_id=after.id, email=before.email))
        kind = MailKind.SET_PASSWORD if after.password_hash == NO_PASSWORD else MailKind.VERIFY_EMAIL
        await work.enqueue(order_mail(kind, user_id=after.id))
    was, became = differences(facts_of(before), facts_of(after))
    revoked = await _revoke_invitations(work, after.id) if is_dismissed(before, after) else []
    return was, {**became, "revoked_invitations": revoked} if revoked else became


async def _revoke_invitations(work: AdminWork, user_id: str) -> list[str]:
    """So that a dismissed admin does not come back, nor bring friends, by an invitation of their own."""
    sent = await work.hold_open_invitations(user_id)
    for invitation in sent:
        await revoke(work, invitation)
    return [invitation.id for invitation in sent]


async def _send_to_another_portal(work: AdminWork, user: User) -> None:
    """What was mailed leads to the portal of the role before, where no password of this person is set any more."""
    await work.drop_links(user.id, (LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD))
    if user.password_hash == NO_PASSWORD:
        await work.enqueue(order_mail(MailKind.SET_PASSWORD, user_id=user.id))


async def _shown(work: AdminWork, user: User) -> UserView:
    return UserView.of(user, await work.last_seen(user.id))
