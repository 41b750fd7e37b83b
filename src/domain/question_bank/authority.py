"""Who may see, change and decide about questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.question_bank.lifecycle_refusals import DirectPublishingNotAllowed, NotAnEditor

Authority: TypeAlias = Callable[["Actor", "BankAccess", "str | None"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccess:
    """What decides about access to a bank. One without an owner belongs to the school."""

    id: str
    slug: str
    visible: bool
    owner_id: str | None = None
    co_editors: tuple[str, ...] = ()

    def may_be_seen_by(self, actor: Actor) -> bool:
        """Staff see visible banks, hidden ones are seen by owner, co-editors and administrators."""
        return actor.role.is_staff and (self.visible or self.is_edited_by(actor))

    def is_edited_by(self, actor: Actor) -> bool:
        """Whether the actor may change whatever lives in the bank."""
        return actor.role is Role.ADMIN or (
            actor.role.is_staff and (actor.user_id == self.owner_id or actor.user_id in self.co_editors)
        )


def require_staff(actor: Actor) -> None:
    """Students read what is published elsewhere; nothing here is for them."""
    if not actor.role.is_staff:
        raise Forbidden


def require_admin(actor: Actor) -> None:
    """Decisions about what others wrote are an administrator's."""
    if actor.role is not Role.ADMIN:
        raise Forbidden


def require_publisher(actor: Actor, bank: BankAccess, author_id: str | None) -> None:
    """Publishing without a review is an administrator's."""
    if actor.role is not Role.ADMIN:
        raise DirectPublishingNotAllowed


def require_editor(actor: Actor, bank: BankAccess, author_id: str | None) -> None:
    """The author, the owner and co-editors of the bank, and administrators."""
    if actor.user_id != author_id and not bank.is_edited_by(actor):
        raise NotAnEditor


def require_author(actor: Actor, bank: BankAccess, author_id: str | None) -> None:
    """The author and administrators."""
    if actor.user_id != author_id and actor.role is not Role.ADMIN:
        raise NotAnEditor


def anybody(actor: Actor, bank: BankAccess, author_id: str | None) -> None:
    """Whoever may see it; the command itself has asked for the role before."""
