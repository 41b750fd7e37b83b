"""What an installation may choose about access; the defaults are the recommended ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from domain.auth.cookie_sessions import CookieLife
from domain.auth.people import Role
from domain.auth.sessions import SessionLife


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthPolicy:
    """Lifetimes in seconds and lengths in code points. `demo_accounts` is for development only."""

    access_seconds: int = 900
    refresh_idle_seconds: int = 7 * 86_400
    session_seconds: int = 30 * 86_400
    grace_seconds: int = 10
    leeway_seconds: int = 5
    student_min_length: int = 8
    staff_min_length: int = 15
    fresh_seconds: int = 3_600
    demo_accounts: bool = False
    cookie_life: CookieLife = field(default_factory=CookieLife)

    @property
    def life(self) -> SessionLife:
        return SessionLife(
            idle=timedelta(seconds=self.refresh_idle_seconds), absolute=timedelta(seconds=self.session_seconds)
        )

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)

    @property
    def freshness(self) -> timedelta:
        """How long after a sign-in its person may do what could lock the owner out."""
        return timedelta(seconds=self.fresh_seconds)

    def min_length(self, role: Role) -> int:
        return self.staff_min_length if role.is_staff else self.student_min_length
