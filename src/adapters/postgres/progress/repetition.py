"""Review cards on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb

from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.progress.ports.repetition import RepetitionWork
from domain.progress.repetition import AnsweredQuestion, ScheduledQuestion

SQL = load("progress/repetition")


class PostgresRepetitionWork(PostgresWork, RepetitionWork):
    """Judged answers are read where practice wrote them."""

    async def hold_reviews(self, user_id: str) -> None:
        await self._run(SQL["hold_reviews"], {"user_id": user_id})

    async def stale_reviews(self, user_id: str, *, limit: int) -> Sequence[AnsweredQuestion]:
        params = {"user_id": user_id, "now": self._now, "limit": limit}
        return entities(await self._all(SQL["stale_reviews"], params), AnsweredQuestion)

    async def save_review_cards(self, user_id: str, questions: Sequence[ScheduledQuestion]) -> None:
        cards = Jsonb([_card(each) for each in questions])
        await self._run(SQL["save_review_cards"], {"user_id": user_id, "cards": cards, "now": self._now})


def _card(scheduled: ScheduledQuestion) -> dict[str, Any]:
    card = {} if scheduled.card is None else asdict(scheduled.card)
    return card | {"question_id": scheduled.question_id, "made_of": scheduled.made_of}
