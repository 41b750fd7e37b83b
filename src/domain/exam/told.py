"""What the record tells of a session besides what happened: the form that was frozen, its end, its pauses, its time.

Each is told where it changes, so that whatever else stands in a session was put there by somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from domain.exam.record import fingerprint
from domain.exam.sessions import ExamSession, ExamSlot

AT_FIRST: Final[Mapping[str, object]] = {
    "pausedMicroseconds": 0,
    "sealedAt": None,
    "sealReason": None,
    "sealedBy": None,
    "sealNote": None,
    "late": False,
    "statusBeforeInvalidation": None,
    "invalidatedAt": None,
    "invalidatedBy": None,
    "invalidationReason": None,
}
"""What is so of every session until its record tells otherwise."""
ACCOMMODATION: Final = "accommodation"
"""Is told when a session begins, because students have different ones, and when it changes."""


def facts_of(session: ExamSession) -> dict[str, object]:
    """What the record tells, by the names under which it does."""
    return {
        "pausedMicroseconds": session.paused_microseconds,
        "sealedAt": _plain(session.sealed_at),
        "sealReason": session.seal_reason,
        "sealedBy": session.sealed_by,
        "sealNote": session.seal_note,
        "late": session.late,
        "statusBeforeInvalidation": session.status_before_invalidation,
        "invalidatedAt": _plain(session.invalidated_at),
        "invalidatedBy": session.invalidated_by,
        "invalidationReason": session.invalidation_reason,
        ACCOMMODATION: _plain(session.accommodation),
    }


def changes(before: ExamSession, after: ExamSession) -> dict[str, object]:
    """What the entry of a move tells of what it changed."""
    was = facts_of(before)
    return {name: fact for name, fact in facts_of(after).items() if fact != was[name]}


def beginning(session: ExamSession, slots: Iterable[ExamSlot]) -> dict[str, object]:
    """What the entry of a start tells."""
    return {
        "attemptNo": session.attempt_no,
        "form": form_digest(session, slots),
        ACCOMMODATION: facts_of(session)[ACCOMMODATION],
    }


def form_digest(session: ExamSession, slots: Iterable[ExamSlot]) -> str:
    """64 hexadecimal digits for all that was frozen: the attempt, the tier, the rules, and the paper slot by slot.

    A rule that is as rules usually are is left out, so that a new one leaves what was told before as it is.
    """
    return fingerprint(
        {
            "attemptNo": session.attempt_no,
            "tierId": session.tier_id,
            "rules": _plain(session.rules),
            "slots": [
                {
                    "slot": each.slot,
                    "section": each.section,
                    "questionId": each.question_id,
                    "version": each.version,
                    "topicId": each.topic_id,
                    "choiceOrder": list(each.choice_order),
                    "maxMark": _plain(each.max_mark),
                }
                for each in sorted(slots, key=lambda each: each.slot)
            ],
        }
    )


def _plain(value: Any) -> Any:
    """As JSON, the same whichever store the value comes from: numbers without idle zeros, instants in UTC."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value):
        named = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: _plain(has) for each, has in named if each.default is MISSING or has != each.default}
    return value
