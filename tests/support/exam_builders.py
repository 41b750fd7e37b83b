"""Exams for tests: sessions, slots and answers as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.auth.people import Actor, Role
from domain.exam.record import Draft, EntryKind
from domain.exam.sessions import ExamRules, ExamSession, ExamSlot, ExamStatus
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import Response
from tests.support.practice_builders import EVERY_KIND, PACKAGE, START, STRANGER, STUDENT, Offer

__all__ = ["EVERY_KIND", "PACKAGE", "START", "STRANGER", "STUDENT", "Offer"]

ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_root")
TIER = "tie_security"
SESSION = "exs_1"
AN_HOUR = 3600
_PLACES = Decimal("0.0001")  # as the database keeps them
PAPER: tuple[Offer, ...] = EVERY_KIND
"""A question of each kind, worth a point each but the numeric one, which is worth two."""


def exam_rules(**changes: object) -> ExamRules:
    """An hour, half of the marks to pass."""
    return replace(ExamRules(time_limit_seconds=AN_HOUR, pass_mark=Decimal(50)), **changes)  # type: ignore[arg-type]


def exam_session(
    *, user_id: str = STUDENT.user_id, session_id: str = SESSION, at: datetime = START, **changes: Any
) -> ExamSession:
    """An active session that began at `at`, unless the changes say something else."""
    begun = ExamSession(
        user_id=user_id,
        id=session_id,
        exam_package_id=PACKAGE,
        tier_id=TIER,
        attempt_no=1,
        status=ExamStatus.ACTIVE,
        rules=exam_rules(),
        created_at=at,
        started_at=at,
    )
    return replace(begun, **changes)


def exam_slots(session: ExamSession, paper: Sequence[Offer] = PAPER) -> tuple[ExamSlot, ...]:
    """Its slots, untouched, with the choices in their own order."""
    return tuple(
        ExamSlot(
            user_id=session.user_id,
            session_id=session.id,
            slot=number,
            section=0,
            question_id=offer.id,
            version=1,
            topic_id=offer.topic_id,
            choice_order=tuple(offer.options),
            max_mark=offer.points.quantize(_PLACES),
        )
        for number, offer in enumerate(paper, start=1)
    )


def right(offer: Offer) -> Response:
    """What earns the full mark, in the question's own names."""
    if offer.bands:
        return Response.counting("98.6")
    if offer.accepted:
        return Response.writing("dns")
    if offer.matches:
        return Response.matching(offer.pairs)
    if offer.kind is QuestionKind.ORDERING:
        return Response.arranging(offer.correct)
    return Response.choosing(offer.correct)


def wrong(offer: Offer) -> Response:
    """What fits the question and earns nothing, in the question's own names."""
    if offer.bands:
        return Response.counting("1")
    if offer.accepted:
        return Response.writing("nonsense")
    if offer.matches:
        return Response.matching({"1": "D"})
    if offer.kind is QuestionKind.ORDERING:
        return Response.arranging(reversed(offer.correct))
    return Response.choosing(offer.wrong)


def an_event(number: int = 1, **changes: object) -> Draft:
    """Something that a student's browser told."""
    told = Draft(kind=EntryKind.EVENT, id=f"evt_{number}", type="focus_lost", client_event_id=f"cev_{number}")
    return replace(told, **changes)  # type: ignore[arg-type]


def later(**by: float) -> datetime:
    """`START` and what `timedelta` takes."""
    return START + timedelta(**by)
