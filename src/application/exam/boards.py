"""What those who watch over exams are shown: all live sessions at one instant, and what has changed since another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from application.exam.ports.monitoring import EndedExam, ExamKey, LiveExam


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """Every session that is live; it takes the place of all that was told before."""

    at: datetime
    exams: tuple[LiveExam, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """What is different from what was told before: sessions that came, that are no longer as they were, that ended."""

    at: datetime
    added: tuple[LiveExam, ...]
    changed: tuple[LiveExam, ...]
    ended: tuple[EndedExam, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """Nothing has happened; the line is alive."""


News: TypeAlias = Snapshot | Changes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """All live sessions at one instant. One that has not changed is the same object on the next board.

    `endings` remembers the latest sessions that ended. What is told is made once for all who were told the same before.
    """

    at: datetime
    exams: Mapping[ExamKey, LiveExam]
    endings: Mapping[ExamKey, EndedExam]
    _made: dict[tuple[int, str | None], News | None] = field(default_factory=dict)

    def news(self, since: Board | None, exam_package_id: str | None) -> News | None:
        """What to tell somebody who knows the board `since`, or nothing yet; None when nothing has changed for them.

        Whoever knows a board so old that the end of a session is forgotten is told everything anew.
        """
        known = (0 if since is None else id(since), exam_package_id)
        if known not in self._made:
            # The caller holds `since`, so that no other board has its place in memory meanwhile.
            self._made[known] = self._compare(since, exam_package_id)
        return self._made[known]

    def _compare(self, since: Board | None, exam_package_id: str | None) -> News | None:
        mine = [exam for exam in self.exams.values() if exam_package_id in (None, exam.exam_package_id)]
        if since is None:
            return Snapshot(at=self.at, exams=tuple(mine))
        gone = [
            key
            for key, exam in since.exams.items()
            if key not in self.exams and exam_package_id in (None, exam.exam_package_id)
        ]
        if any(key not in self.endings for key in gone):
            return Snapshot(at=self.at, exams=tuple(mine))
        added = tuple(exam for exam in mine if exam.key not in since.exams)
        changed = tuple(exam for exam in mine if exam.key in since.exams and since.exams[exam.key] is not exam)
        if not (added or changed or gone):
            return None
        return Changes(at=self.at, added=added, changed=changed, ended=tuple(self.endings[key] for key in gone))
