"""How a session begins: what was drawn becomes a paper; everything random about it follows from the id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.practice.plans import PracticePlan
from domain.practice.refusals import NoQuestions
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.question_bank.ordering import choice_order
from domain.question_bank.questions import PublicQuestion
from domain.question_bank.scoring import STANDARD, ScoringPolicy
from domain.question_bank.seeds import rank


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnQuestion:
    """A question that was drawn, the topic that what comes of it will count for, and whether its student flagged it."""

    question: PublicQuestion
    topic_id: str | None
    flagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePaper:
    """A session that is about to begin: its slots, and the question of each, in the same order.

    `flagged` are the ids of those questions that its student has flagged.
    """

    session: PracticeSession
    slots: tuple[PracticeSlot, ...]
    questions: tuple[PublicQuestion, ...]
    flagged: frozenset[str] = frozenset()


def begin(
    plan: PracticePlan,
    session_id: str,
    user_id: str,
    drawn: Iterable[DrawnQuestion],
    now: datetime,
    *,
    policy: ScoringPolicy = STANDARD,
) -> PracticePaper:
    """Freeze what was drawn into a session. Fewer questions than asked for are served as they are, none is refused.

    `policy` is what the package says about marks; a plan may have its own.
    """
    questions = arranged(session_id, drawn)
    if not questions:
        raise NoQuestions
    limit, template = plan.time_limit_seconds, plan.template
    session = PracticeSession(
        user_id=user_id,
        id=session_id,
        exam_package_id=plan.exam_package_id,
        feedback=plan.feedback,
        certainty=plan.certainty,
        policy=plan.policy or policy,
        source=plan.source,
        filter=plan.filter,
        template_id=None if template is None else template.id,
        template_version=None if template is None else template.version,
        requested=plan.count,
        served=len(questions),
        started_at=now,
        deadline=None if limit is None else now + timedelta(seconds=limit),
        last_event_at=now,
    )
    return PracticePaper(
        session=session,
        slots=tuple(_open_slot(session, number, each) for number, each in enumerate(questions, start=1)),
        questions=tuple(each.question for each in questions),
        flagged=frozenset(each.question.question_id for each in questions if each.flagged),
    )


def arranged(session_id: str, drawn: Iterable[DrawnQuestion]) -> tuple[DrawnQuestion, ...]:
    """The order of the questions of a session, whatever order they were drawn in."""
    return tuple(sorted(drawn, key=lambda each: rank(session_id, "question", each.question.question_id)))


def _open_slot(session: PracticeSession, number: int, drawn: DrawnQuestion) -> PracticeSlot:
    return PracticeSlot(
        user_id=session.user_id,
        session_id=session.id,
        slot=number,
        question_id=drawn.question.question_id,
        version=drawn.question.version,
        topic_id=drawn.topic_id,
        choice_order=choice_order(session.id, drawn.question),
        max_mark=drawn.question.max_mark,
    )
