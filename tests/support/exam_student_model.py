"""How often and how soon exams may be sat, written down a second time: for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.exam_model import ModelExam, ModelRules, Refusal


@dataclass(slots=True)
class ModelStudent:
    """All sessions of a student in a package, the first first, and how often the audit log was written to."""

    rules: ModelRules
    multiplier: Decimal = Decimal(1)
    extra: int = 0
    exams: list[ModelExam] = field(default_factory=list)
    audited: int = 0

    def live(self, now: datetime) -> ModelExam | None:
        for exam in self.exams:
            exam.expire(now)
        return next((exam for exam in self.exams if exam.is_live), None)

    def start(self, now: datetime, session_id: str) -> tuple[Refusal, ModelExam | None]:
        """The refusal, or the session that is live then."""
        live = self.live(now)
        if live is not None:
            return None, live
        refusal = self._may_not_start(now)
        if refusal is not None:
            return refusal, None
        exam = ModelExam(session_id, self.rules, len(self.exams) + 1, now, self.multiplier, self.extra)
        self.exams.append(exam)
        return None, exam

    def _may_not_start(self, now: datetime) -> Refusal:
        rules = self.rules
        week = [each for each in self.exams if each.started and each.started + timedelta(days=7) > now]
        if rules.weekly is not None and len(week) >= rules.weekly:
            return "exam.weekly_limit"
        if rules.closes is not None and now >= rules.closes:
            return "exam.closed"
        used = [each for each in self.exams if each.status not in ("created", "invalidated")]
        if rules.attempts is not None and len(used) >= rules.attempts:
            return "exam.attempt_limit"
        if used:
            last, allowed = used[-1], used[-1].allowed()
            assert last.sealed is not None
            base = last.sealed
            if last.started is not None and allowed is not None:
                base = min(base, last.started + timedelta(seconds=allowed))
            if now < base + timedelta(seconds=rules.cooldown if len(used) == 1 else rules.later_cooldown):
                return "exam.retake_cooldown"
        return None
