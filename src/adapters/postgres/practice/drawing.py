"""Drawing the questions of a practice session on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.postgres.connections import Query
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from domain.practice.paper import DrawnQuestion
from domain.practice.plans import PracticePlan, Source
from domain.question_bank.questions import PublicQuestion
from domain.question_bank.seeds import draw_start

SQL = load("practice/drawing")
_STATEMENTS: Mapping[Source, Query] = {
    Source.ALL: SQL["draw_questions"],
    Source.UNSEEN: SQL["draw_questions"],
    Source.WEAK: SQL["draw_questions"],
    Source.INCORRECT: SQL["draw_incorrect"],
    Source.FLAGGED: SQL["draw_flagged"],
    Source.DUE: SQL["draw_due"],
}


class PostgresDrawing(PostgresWork):
    """Each draw is one statement. Unseen questions and those of weak topics are drawn as all are, of fewer."""

    async def draw_questions(self, user_id: str, plan: PracticePlan, session_id: str) -> tuple[DrawnQuestion, ...]:
        wanted = {
            "user_id": user_id,
            "exam_package_id": plan.exam_package_id,
            "topic_ids": list(plan.topic_ids),
            "difficulty_ids": list(plan.difficulty_ids),
            "kinds": [kind.value for kind in plan.kinds],
            "count": plan.count,
            "session_id": session_id,
            "start": draw_start(session_id),
            "unseen": plan.source is Source.UNSEEN,
            "now": self.now,
        }
        rows = await self._all(_STATEMENTS[plan.source], wanted)
        return tuple(
            DrawnQuestion(question=entity(row, PublicQuestion), topic_id=row["topic_id"], flagged=row["flagged"])
            for row in rows
        )
