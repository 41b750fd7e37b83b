"""What an administrator looks at first: the whole installation in figures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.admin.auditing import require_admin
from domain.auth.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """How much of everything there is at `at`. Days begin at midnight UTC.

    Of live exam sessions `due` are those whose time is over and that nobody has ended yet, `lost` those that are active
    and were not heard of for long.
    """

    at: datetime
    students: int
    instructors: int
    admins: int
    question_banks: int
    topics: int
    drafts: int
    in_review: int
    changes_requested: int
    published: int
    archived: int
    exam_packages: int
    enrollments: int
    created: int
    active: int
    paused: int
    overdue: int
    due: int
    lost: int
    finished: int
    today: int
    events_24h: int
    flags_24h: int
    open_flags: int

    @property
    def live(self) -> int:
        return self.created + self.active + self.paused + self.overdue


class DashboardReader(Protocol):
    """Counts everything at one instant."""

    @abstractmethod
    async def dashboard(self) -> Dashboard: ...


@dataclass(frozen=True, slots=True)
class ReadDashboard:
    """Admins see the whole installation in figures."""

    dashboard_reader: DashboardReader

    async def __call__(self, actor: Actor) -> Dashboard:
        require_admin(actor)
        return await self.dashboard_reader.dashboard()
