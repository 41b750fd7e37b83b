"""Review cards in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import xor

from adapters.memory.store import MemoryWork, Tables
from application.progress.ports.repetition import RepetitionWork
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus
from domain.progress.repetition import AnsweredQuestion, ReviewCard, ReviewedAnswer, ScheduledQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """A row of the table `review_cards`, which is keyed by student and question."""

    card: ReviewCard
    made_of: int
    as_of: datetime


class MemoryRepetitionWork(MemoryWork, RepetitionWork):
    """Units of work take turns, so nobody has to be waited for."""

    async def hold_reviews(self, user_id: str) -> None:
        """They take turns."""

    async def stale_reviews(self, user_id: str, *, limit: int) -> Sequence[AnsweredQuestion]:
        judged = _judged_answers(self._tables, user_id, self._now)
        cards: dict[str, StoredCard] = {
            question_id: row for (owner, question_id), row in self._tables["review_cards"].items() if owner == user_id
        }
        stale: list[tuple[datetime, AnsweredQuestion]] = []
        for question_id in judged.keys() | cards.keys():
            answers, stored = judged.get(question_id, ()), cards.get(question_id)
            made_of = _fingerprint(answers)
            if stored is not None and stored.as_of > self._now:
                continue
            if not answers or stored is None or stored.made_of != made_of:
                instants = [each.answered_at for each in answers]
                last = max(instants) if instants else cards[question_id].card.last_review
                stale.append((last, AnsweredQuestion(question_id=question_id, made_of=made_of, answers=tuple(answers))))
        stale.sort(key=lambda each: (each[0], each[1].question_id))
        return [question for _, question in stale[:limit]]

    async def save_review_cards(self, user_id: str, questions: Sequence[ScheduledQuestion]) -> None:
        cards = self._tables["review_cards"]
        for each in questions:
            if each.card is None:
                cards.pop((user_id, each.question_id), None)
            else:
                cards[user_id, each.question_id] = StoredCard(card=each.card, made_of=each.made_of, as_of=self._now)


def _judged_answers(tables: Tables, user_id: str, now: datetime) -> dict[str, list[ReviewedAnswer]]:
    """By question, as the view of that name has them."""
    slots: list[PracticeSlot] = [slot for (owner, *_), slot in tables["practice_slots"].items() if owner == user_id]
    found: dict[str, list[ReviewedAnswer]] = {}
    for slot in slots:
        session: PracticeSession = tables["practice_sessions"][user_id, slot.session_id]
        judged_at = _judged_at(session, slot)
        if slot.answered_at is not None and judged_at is not None and judged_at <= now:
            answer = ReviewedAnswer(
                session_id=slot.session_id,
                answered_at=slot.answered_at,
                correct=slot.correct is True,
                certainty_asked=session.certainty,
                certainty=slot.certainty,
            )
            found.setdefault(slot.question_id, []).append(answer)
    return found


def _judged_at(session: PracticeSession, slot: PracticeSlot) -> datetime | None:
    if session.status is PracticeStatus.INVALIDATED:
        return None
    if session.feedback is FeedbackMode.IMMEDIATE:
        return slot.answered_at
    return min((end for end in (session.finished_at, session.deadline) if end is not None), default=None)


def _fingerprint(answers: Iterable[ReviewedAnswer]) -> int:
    digests = (hashlib.blake2b(each.session_id.encode(), digest_size=8).digest() for each in answers)
    return reduce(xor, (int.from_bytes(digest, signed=True) for digest in digests), 0)
