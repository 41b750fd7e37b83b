"""A session and a person as the better-auth door tells them, at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from application.auth.views import PersonView
from domain.auth.people import Role
from domain.auth.sessions import Door, Session

NOW: Final = datetime(2027, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
TOKEN: Final = "pUbPPpFkOk1FhJPTTRZ622njABzHxmEb"


def a_session(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": "ses_1",
        "user_id": "usr_1",
        "door": Door.COOKIE,
        "audience": Role.STUDENT,
        "ip": "192.0.2.7",
        "user_agent": "a phone",
        "auth_time": NOW - timedelta(seconds=1),
        "created_at": NOW - timedelta(seconds=1),
        "last_seen_at": NOW,
        "idle_expires_at": NOW + timedelta(days=7),
        "absolute_expires_at": NOW + timedelta(days=30),
    }
    return Session(**values | changes)


def a_person(name: str = "Ada") -> PersonView:
    return PersonView(
        id="usr_1",
        email="ada@example.org",
        username=None,
        name=name,
        image=None,
        role=Role.STUDENT,
        email_verified=False,
        must_change_password=False,
        created_at=NOW - timedelta(seconds=5),
        updated_at=NOW - timedelta(seconds=4),
    )
