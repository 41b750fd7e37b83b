"""The events of an exam: which there are, who may record them, how large and how many they may be."""

from __future__ import annotations

from typing import Final

from domain.errors import FieldProblem
from domain.exam.refusals import EventRate, EventTooLarge, EventTypeUnknown

STUDENT_EVENTS: Final = frozenset(
    {
        "focus_lost",
        "focus_gained",
        "fullscreen_exited",
        "fullscreen_entered",
        "tab_switch",
        "window_resized",
        "second_display",
        "copy",
        "cut",
        "paste",
        "context_menu",
        "keyboard_shortcut",
        "developer_tools",
        "page_reloaded",
        "page_hidden",
        "page_visible",
        "network_offline",
        "network_online",
        "question_viewed",
        "navigation",
        "tool_opened",
        "clipboard_blocked",
        "print_attempt",
        "client_error",
        "note",
    }
)
"""What the browser of whoever sits the exam may report."""
SYSTEM_EVENTS: Final = frozenset({"connection_gap", "clock_drift"})
"""What is seen by heartbeats."""
MOVES: Final = frozenset(
    {
        "session_started",
        "session_paused",
        "session_resumed",
        "time_adjusted",
        "session_overdue",
        "session_submitted",
        "session_abandoned",
        "session_terminated",
        "session_invalidated",
        "session_reinstated",
        "session_reopened",
        "grade_recorded",
        "accommodation_applied",
    }
)
"""What was done to the session, whoever did it."""

MAX_PAYLOAD = 8 * 1024
"""Bytes."""
EVENTS_PER_MINUTE = 60


def refuse_unknown(event_type: str) -> None:
    """Students record what their browser sees; nobody can record what only the system may know."""
    if event_type not in STUDENT_EVENTS:
        message = "One of " + ", ".join(sorted(STUDENT_EVENTS))
        raise EventTypeUnknown(message, problems=(FieldProblem("/type", "unknown", message),))


def refuse_too_large(payload_bytes: int) -> None:
    """A payload is a note and no place to keep files."""
    if payload_bytes > MAX_PAYLOAD:
        message = f"A payload has at most {MAX_PAYLOAD} bytes"
        raise EventTooLarge(message, problems=(FieldProblem("/payload", "too_large", message),))


def refuse_flood(in_the_last_minute: int) -> None:
    """`in_the_last_minute` are the events that the student recorded in it."""
    if in_the_last_minute >= EVENTS_PER_MINUTE:
        raise EventRate(retry_after_seconds=60)
