"""Whose act it is: what every act of an administrator begins with, and the entry that tells of it."""

from __future__ import annotations

from application.ports import AuditEntry
from domain.auth.people import Actor, Facts, Role
from domain.auth.sessions import Forbidden


def require_admin(actor: Actor | None) -> str | None:
    """The id of the admin who acts, None for the operator at the command line; anybody else is refused."""
    if actor is not None and actor.role is not Role.ADMIN:
        raise Forbidden
    return None if actor is None else actor.user_id


def act(
    action: str,
    subject: str,
    *,
    by: Actor | None,
    before: Facts | None = None,
    after: Facts | None = None,
    reason: str | None = None,
) -> AuditEntry:
    """The entry of one act. A reason that says nothing is none."""
    return AuditEntry(
        actor_id=require_admin(by),
        action=action,
        subject=subject,
        before=before or None,
        after=after or None,
        reason=(reason or "").strip() or None,
    )
