"""One's own account: what it says about its person, and its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from application.auth.events import AuthAct
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AccountWork, AuthEvents
from application.auth.proving import ConfirmPassword, event_of, hold_actor, hold_unchanged, lately_signed_in
from application.auth.telling import telling
from application.auth.views import PersonView
from application.ports import AuditEntry, Transaction
from domain.auth.links import PERSONAL
from domain.auth.people import Actor, User, differences, facts_of, normalise_image, normalise_name
from domain.auth.sessions import Forbidden, SessionEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """What is to be changed about oneself. None leaves it as it is; an empty name or image takes it away."""

    name: str | None = None
    image: str | None = None

    def applied_to(self, user: User, now: datetime) -> User:
        """The person as changed, and changed now, even where nothing differs."""
        return replace(
            user,
            name=user.name if self.name is None else normalise_name(self.name),
            image=user.image if self.image is None else normalise_image(self.image),
            updated_at=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOwnPerson:
    """Everybody may say under which name and picture they are shown; it is not kept on record."""

    transact: Transaction[AccountWork]

    async def __call__(self, actor: Actor, change: PersonChange) -> PersonView:
        async def carry_out(work: AccountWork) -> PersonView:
            user, _ = await hold_actor(work, actor)
            changed = change.applied_to(user, work.now)
            await work.save_user(changed)
            return PersonView.of(changed)

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOwnAccount:
    """Students who know their password, or signed in lately, may give their account up. They are signed out everywhere,
    under every door, and free the address; what they did stays, and an administrator may restore the account. It is on
    record. Staff are deleted by administrators only.

    Somebody who sits an exam leaves it: nobody answers in it any more, and it ends by its deadline.
    """

    transact: Transaction[AccountWork]
    confirm_password: ConfirmPassword
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, actor: Actor, visit: Visit, password: str | None = None) -> None:
        with telling(self.events, event_of(actor, AuthAct.ACCOUNT_DELETED)):
            if password is None:
                await self.transact(lambda work: self._leave(work, actor))
            else:
                await self._leave_by_password(actor, password, visit)

    async def _leave(self, work: AccountWork, actor: Actor) -> None:
        await _delete(work, await lately_signed_in(work, actor, self.policy))

    async def _leave_by_password(self, actor: Actor, password: str, visit: Visit) -> None:
        async def leave(proven: User) -> bool | None:
            async def write(work: AccountWork) -> bool | None:
                user = await hold_unchanged(work, actor, proven)
                if user is None:
                    return None
                await _delete(work, user)
                return True

            return await self.transact(write)

        await self.confirm_password(actor, password, visit, leave)


async def _delete(work: AccountWork, user: User) -> None:
    """The end of the account of a person who is held."""
    if user.role.is_staff:
        raise Forbidden
    deleted = replace(user, deleted_at=work.now, updated_at=work.now)
    await work.save_user(deleted)
    await work.end_sessions_of(user.id, SessionEnd.DELETED)
    await work.drop_links(user.id, PERSONAL)
    was, became = differences(facts_of(user), facts_of(deleted))
    await work.audit(
        AuditEntry(
            actor_id=user.id,
            action="user.deleted",
            subject=user.id,
            before=was,
            after=became,
        )
    )
