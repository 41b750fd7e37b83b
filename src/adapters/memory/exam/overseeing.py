"""Overseeing exams in memory."""

from __future__ import annotations

from adapters.memory.exam.sessions import MemoryExamWork
from application.exam.ports.overseeing import OverseeWork
from domain.auth.people import Role, User
from domain.exam.accommodations import GrantedAccommodation
from domain.exam.flags import Flag
from domain.exam.sessions import ExamSession


class MemoryOverseeWork(MemoryExamWork, OverseeWork):
    """People are those of the table `users`."""

    async def has_live_session(self, user_id: str, exam_package_id: str) -> bool:
        return any(session.exam_package_id == exam_package_id for session in await self.live_sessions_of(user_id))

    async def live_sessions_of(self, user_id: str) -> tuple[ExamSession, ...]:
        rows: dict[tuple[str, str], ExamSession] = self._tables["exam_sessions"]
        return tuple(rows[key] for key in sorted(rows) if key[0] == user_id and rows[key].is_live)

    async def add_flag(self, flag: Flag) -> None:
        self._tables["exam_flags"][flag.user_id, flag.session_id, flag.id] = flag

    async def flags(self, user_id: str, session_id: str) -> tuple[Flag, ...]:
        rows: list[Flag] = list(self._tables["exam_flags"].values())
        mine = (flag for flag in rows if (flag.user_id, flag.session_id) == (user_id, session_id))
        return tuple(sorted(mine, key=lambda flag: (flag.created_at, flag.id)))

    async def is_student(self, user_id: str) -> bool:
        rows: list[User] = list(self._tables["users"].values())
        return any(user.id == user_id and user.role is Role.STUDENT and user.deleted_at is None for user in rows)

    async def granted(self, user_id: str) -> GrantedAccommodation | None:
        found: GrantedAccommodation | None = self._tables["exam_accommodations"].get(user_id)
        return found

    async def grant(self, granted: GrantedAccommodation) -> None:
        self._tables["exam_accommodations"][granted.user_id] = granted
