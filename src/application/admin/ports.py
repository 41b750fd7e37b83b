"""What administration needs from outside: its unit of work on people, and the reader of its lists."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from application.admin.views import AuditView, InvitationView, SessionView, UserView
from application.auth.ports import AccountWork, InvitationWork
from domain.auth.invitations import Invitation, InvitationState
from domain.auth.people import Role, User
from domain.auth.sessions import SessionEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBatch:
    """How many sessions a batch has ended, and the person's and the session's id of the last of them."""

    revoked: int = 0
    last: tuple[str, str] = ("", "")


class AdminWork(AccountWork, InvitationWork, Protocol):
    """What administrators do with people, sessions and invitations."""

    @abstractmethod
    async def hold_with_admins(self, user_id: str) -> tuple[User | None, frozenset[str]]:
        """The person, and the ids of all who govern, everybody held at once and in one order: whoever changes who
        governs takes turns here.
        """

    @abstractmethod
    async def last_seen(self, user_id: str) -> datetime | None:
        """When a session of the person was last used; None if there is none."""

    @abstractmethod
    async def end_everybodys(
        self, opened_until: datetime, reason: SessionEnd, *, but: str, after: tuple[str, str], limit: int
    ) -> EndedBatch:
        """Revokes, in the order of their persons' and their own ids, the next live sessions after `after` that were
        opened until then, except `but`. Fewer than `limit`: there are no more.
        """

    @abstractmethod
    async def add_invitation(self, invitation: Invitation) -> bool:
        """False, and nothing is added, where the address has one that was neither accepted nor revoked."""

    @abstractmethod
    async def hold_pending_invitation(self, email: str) -> Invitation | None:
        """The one of this address that was neither accepted nor revoked, expired or not, held."""

    @abstractmethod
    async def hold_open_invitations(self, invited_by: str) -> Sequence[Invitation]:
        """Those that this person has sent and that are still open, held."""


class UserState(StrEnum):
    """Whom a list of people shows."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Without a state all who are not deleted. `text`: words that address, username or name have, or begin with."""

    role: Role | None = None
    state: UserState | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFilter:
    """None is no restriction."""

    state: InvitationState | None = None
    role: Role | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """None is no restriction; `since` is the first instant that is shown and `until` the first that is not."""

    actor_id: str | None = None
    subject: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AdminReader(Protocol):
    """Lists, each at most `limit` of what comes after a place in it, the newest first."""

    @abstractmethod
    async def users(self, chosen: UserFilter, *, after: str | None, limit: int) -> Sequence[UserView]: ...

    @abstractmethod
    async def user(self, user_id: str) -> UserView | None:
        """A person, deleted or not."""

    @abstractmethod
    async def sessions(
        self, user_id: str, *, ended_too: bool, after: str | None, limit: int
    ) -> Sequence[SessionView]: ...

    @abstractmethod
    async def invitations(
        self, chosen: InvitationFilter, *, after: str | None, limit: int
    ) -> Sequence[InvitationView]: ...

    @abstractmethod
    async def audit_log(
        self, chosen: AuditFilter, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[AuditView]: ...
