"""What a student asks to practise, and how a session begins with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import FieldProblem, InvalidInput
from domain.practice.paper import arranged
from domain.practice.refusals import NoQuestions
from domain.practice.sessions import FeedbackMode, PracticeSession, PracticeSlot
from domain.question_bank.ordering import choice_order
from domain.question_bank.questions import PublicQuestion

MAX_QUESTIONS = 200
DEFAULT_QUESTIONS = 10
MAX_FILTER_VALUES = 50
MAX_TIME_LIMIT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePlan:
    """A package, a filter (empty = no restriction), how many questions, when they are judged, and for how long."""

    exam_package_id: str
    topic_ids: tuple[str, ...] = ()
    difficulty_ids: tuple[str, ...] = ()
    count: int = DEFAULT_QUESTIONS
    feedback: FeedbackMode = FeedbackMode.IMMEDIATE
    time_limit_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePaper:
    """A session that is about to begin: its slots, and the question of each, in the same order."""

    session: PracticeSession
    slots: tuple[PracticeSlot, ...]
    questions: tuple[PublicQuestion, ...]


def refuse_unsound(plan: PracticePlan) -> None:
    """Every number of a plan lies within its bounds, and a filter names a bounded number of values."""
    limit = plan.time_limit_seconds
    broken = {
        "/count": (1 <= plan.count <= MAX_QUESTIONS, f"1 to {MAX_QUESTIONS} questions"),
        "/topicIds": (len(plan.topic_ids) <= MAX_FILTER_VALUES, f"at most {MAX_FILTER_VALUES} topics"),
        "/difficultyIds": (len(plan.difficulty_ids) <= MAX_FILTER_VALUES, f"at most {MAX_FILTER_VALUES} difficulties"),
        "/timeLimitSeconds": (
            limit is None or 1 <= limit <= MAX_TIME_LIMIT_SECONDS,
            f"1 to {MAX_TIME_LIMIT_SECONDS} seconds",
        ),
    }
    problems = tuple(
        FieldProblem(pointer=pointer, code="out_of_range", message=f"A session takes {bounds}.")
        for pointer, (sound, bounds) in broken.items()
        if not sound
    )
    if problems:
        raise InvalidInput(problems=problems)


def begin(
    plan: PracticePlan, session_id: str, user_id: str, drawn: Iterable[PublicQuestion], now: datetime
) -> PracticePaper:
    """Freeze what was drawn into a session. Fewer questions than asked for are served as they are, none is refused."""
    questions = arranged(session_id, drawn)
    if not questions:
        raise NoQuestions
    limit = plan.time_limit_seconds
    session = PracticeSession(
        user_id=user_id,
        id=session_id,
        exam_package_id=plan.exam_package_id,
        feedback=plan.feedback,
        requested=plan.count,
        served=len(questions),
        started_at=now,
        deadline=None if limit is None else now + timedelta(seconds=limit),
        last_event_at=now,
    )
    slots = tuple(_open_slot(session, number, question) for number, question in enumerate(questions, start=1))
    return PracticePaper(session=session, slots=slots, questions=questions)


def _open_slot(session: PracticeSession, number: int, question: PublicQuestion) -> PracticeSlot:
    return PracticeSlot(
        user_id=session.user_id,
        session_id=session.id,
        slot=number,
        question_id=question.question_id,
        version=question.version,
        choice_order=choice_order(session.id, question),
        max_mark=question.max_mark,
    )
