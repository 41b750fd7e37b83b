"""People and sessions as the better-auth door tells them, member by member in its order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from application.auth.views import PersonView
from domain.auth.sessions import Session


def user_body(person: PersonView) -> dict[str, Any]:
    """A person; nothing that this door has no name for."""
    return {
        "name": person.name,
        "email": person.email,
        "emailVerified": person.email_verified,
        "image": person.image,
        "createdAt": time_text(person.created_at),
        "updatedAt": time_text(person.updated_at),
        "id": person.id,
    }


def session_body(session: Session, token: str) -> dict[str, Any]:
    """A session under the token that the reader may know: its secret, or the handle that ends it."""
    return {
        "expiresAt": time_text(session.ends_at),
        "token": token,
        "createdAt": time_text(session.created_at),
        "updatedAt": time_text(session.updated_at),
        "ipAddress": session.ip,
        "userAgent": session.user_agent,
        "userId": session.user_id,
        "id": session.id,
    }


def time_text(at: datetime) -> str:
    """An instant in UTC with milliseconds, always three digits: clients take more digits for more milliseconds."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
