"""Drawing the questions of a practice session in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.memory.progress.repetition import StoredCard
from adapters.memory.store import MemoryWork
from domain.exam.moves import expire
from domain.exam.sessions import ExamSession, ExamSlot
from domain.practice.paper import DrawnQuestion
from domain.practice.plans import PracticePlan, Source
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus, lapse
from domain.question_bank.questions import AnswerKey, PublicQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedQuestion:
    """A published version as a package offers it; the table `published_questions` is keyed by package and question."""

    question: PublicQuestion
    key: AnswerKey
    topic_id: str | None = None
    difficulty_id: str | None = None

    def matches(self, plan: PracticePlan) -> bool:
        return (
            (not plan.topic_ids or self.topic_id in plan.topic_ids)
            and (not plan.difficulty_ids or self.difficulty_id in plan.difficulty_ids)
            and (not plan.kinds or self.question.kind in plan.kinds)
        )


class MemoryDrawing(MemoryWork):
    """Every draw is of all that matches, in an order that follows from the session or from what is due."""

    async def draw_questions(self, user_id: str, plan: PracticePlan, session_id: str) -> tuple[DrawnQuestion, ...]:
        offered: Mapping[tuple[str, str], PublishedQuestion] = self._tables["published_questions"]
        wanted, sitting = self._of_source(user_id, plan.source), self._sitting(user_id)
        matching = [
            DrawnQuestion(
                question=row.question,
                topic_id=row.topic_id,
                flagged=(user_id, question_id) in self._tables["flagged_questions"],
            )
            for (package_id, question_id), row in offered.items()
            if package_id == plan.exam_package_id
            and row.matches(plan)
            and wanted(question_id)
            and question_id not in sitting
        ]
        if plan.source is Source.DUE:
            due = self._due(user_id)
            matching.sort(key=lambda drawn: (due[drawn.question.question_id], drawn.question.question_id))
        else:
            matching.sort(key=lambda drawn: hashlib.sha256((session_id + drawn.question.question_id).encode()).digest())
        return tuple(matching[: plan.count])

    def _of_source(self, user_id: str, source: Source) -> Callable[[str], bool]:
        if source is Source.UNSEEN:
            answered = {slot.question_id for _, slot in self._answers(user_id)}
            return lambda question_id: question_id not in answered
        if source is Source.INCORRECT:
            return self._incorrect(user_id).__contains__
        if source is Source.FLAGGED:
            return lambda question_id: (user_id, question_id) in self._tables["flagged_questions"]
        if source is Source.DUE:
            return self._due(user_id).__contains__
        return lambda _: True

    def _sitting(self, user_id: str) -> set[str]:
        """What stands on the papers of exams that the student can still go on with: practice tells keys."""
        slots: list[ExamSlot] = list(self._tables["exam_slots"].values())
        exams: Mapping[tuple[str, str], ExamSession] = self._tables["exam_sessions"]
        live = {key for key, exam in exams.items() if key[0] == user_id and expire(exam, self.now).is_live}
        return {slot.question_id for slot in slots if (slot.user_id, slot.session_id) in live}

    def _incorrect(self, user_id: str) -> set[str]:
        """Where the latest judged answer is wrong. What is not judged yet does not count, nor what is void."""
        latest: dict[str, PracticeSlot] = {}
        for session, slot in sorted(self._answers(user_id), key=_answered_at):
            seen = lapse(session, self.now)
            if seen.judges_now and seen.status is not PracticeStatus.INVALIDATED:
                latest[slot.question_id] = slot
        return {question_id for question_id, slot in latest.items() if not slot.correct}

    def _due(self, user_id: str) -> dict[str, object]:
        cards: Mapping[tuple[str, str], StoredCard] = self._tables["review_cards"]
        return {
            question_id: stored.card.due
            for (owner, question_id), stored in cards.items()
            if owner == user_id and stored.card.due <= self.now
        }

    def _answers(self, user_id: str) -> list[tuple[PracticeSession, PracticeSlot]]:
        slots: list[PracticeSlot] = list(self._tables["practice_slots"].values())
        sessions: Mapping[tuple[str, str], PracticeSession] = self._tables["practice_sessions"]
        return [
            (sessions[slot.user_id, slot.session_id], slot)
            for slot in slots
            if slot.user_id == user_id and slot.answered_at is not None
        ]


def _answered_at(answer: tuple[PracticeSession, PracticeSlot]) -> tuple[object, str]:
    return answer[1].answered_at, answer[1].session_id
