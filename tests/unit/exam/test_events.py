"""The catalogue of events."""

from __future__ import annotations

import pytest

from domain.exam.events import (
    EVENTS_PER_MINUTE,
    MAX_PAYLOAD,
    MOVES,
    STUDENT_EVENTS,
    SYSTEM_EVENTS,
    refuse_flood,
    refuse_too_large,
    refuse_unknown,
)
from domain.exam.refusals import EventRate, EventTooLarge, EventTypeUnknown


def test_students_record_what_their_browser_sees_and_nothing_else() -> None:
    for known in STUDENT_EVENTS:
        refuse_unknown(known)
    assert not STUDENT_EVENTS & (SYSTEM_EVENTS | MOVES)
    assert not SYSTEM_EVENTS & MOVES
    for other in (*SYSTEM_EVENTS, *MOVES, "", "Focus_Lost"):
        with pytest.raises(EventTypeUnknown):
            refuse_unknown(other)


def test_an_event_has_a_largest_size_and_a_minute_a_largest_number() -> None:
    refuse_too_large(MAX_PAYLOAD)
    with pytest.raises(EventTooLarge):
        refuse_too_large(MAX_PAYLOAD + 1)
    refuse_flood(EVENTS_PER_MINUTE - 1)
    with pytest.raises(EventRate) as refused:
        refuse_flood(EVENTS_PER_MINUTE)
    assert refused.value.retry_after_seconds == 60
