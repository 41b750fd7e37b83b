"""A password that becomes another one, and what becomes of the sessions that the old one had opened."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from application.auth.opening import CookieGrant, OpenCookieSession, Visit
from application.auth.ports import AccountWork, DoorWork
from application.mail import MailKind, order_mail
from application.ports import AuditEntry
from domain.auth.links import LinkPurpose
from domain.auth.people import User
from domain.auth.sessions import SessionEnd

WorkT = TypeVar("WorkT", bound=AccountWork)
WorkT_contra = TypeVar("WorkT_contra", bound=AccountWork, contravariant=True)
DoneT = TypeVar("DoneT")
DoneT_co = TypeVar("DoneT_co", covariant=True)

SET_A_PASSWORD = (LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD)
# Whoever got in with the password that is gone may have asked for another address; that ends with it.
_WORTHLESS_AFTERWARDS = (*SET_A_PASSWORD, LinkPurpose.CHANGE_EMAIL)
# As what the audit log tells a new password, by what the sessions of the old one ended of.
_ACTIONS = {
    SessionEnd.PASSWORD_CHANGED: "user.password_changed",
    SessionEnd.PASSWORD_RESET: "user.password_reset",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Whose password is another one now, why, from where, and through which session if through one."""

    user: User
    reason: SessionEnd
    visit: Visit
    session_id: str | None = None


class Aftermath(Protocol[WorkT_contra, DoneT_co]):
    """What a door does about the sessions of the old password, in the unit of work that replaces it."""

    @abstractmethod
    async def __call__(self, work: WorkT_contra, renewal: Renewal) -> tuple[int, DoneT_co]:
        """How many sessions ended, and what the door wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOthers(Aftermath[AccountWork, int]):
    """Every session ends but the one that asks."""

    async def __call__(self, work: AccountWork, renewal: Renewal) -> tuple[int, int]:
        ended = await work.end_sessions_of(renewal.user.id, renewal.reason, but=renewal.session_id)
        return ended, ended


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSessions(Aftermath[AccountWork, int]):
    """Where the door's clients expect it, no session ends unless that is asked for."""

    async def __call__(self, work: AccountWork, renewal: Renewal) -> tuple[int, int]:
        return 0, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginAnew(Aftermath[DoorWork, CookieGrant]):
    """Every session ends, also the one that asks, and its person goes on in a new one."""

    open_session: OpenCookieSession

    async def __call__(self, work: DoorWork, renewal: Renewal) -> tuple[int, CookieGrant]:
        ended = await work.end_sessions_of(renewal.user.id, renewal.reason)
        return ended, await self.open_session(work, renewal.user, renewal.visit)


async def renew_password(
    work: WorkT, password_hash: str, renewal: Renewal, aftermath: Aftermath[WorkT, DoneT]
) -> DoneT:
    """Writes the new password of a person who is held, and what follows from it."""
    user = replace(renewal.user, password_hash=password_hash, must_change_password=False, updated_at=work.now)
    await work.save_user(user)
    ended, done = await aftermath(work, replace(renewal, user=user))
    await work.drop_links(user.id, _WORTHLESS_AFTERWARDS)
    await work.enqueue(order_mail(MailKind.PASSWORD_CHANGED, user_id=user.id))
    await work.audit(
        AuditEntry(
            actor_id=user.id,
            action=_ACTIONS[renewal.reason],
            subject=user.id,
            after={"ended_sessions": ended},
        )
    )
    return done
