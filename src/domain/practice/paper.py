"""How a paper is put in order: everything follows from the id of its session, so that it can be told again later."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from domain.question_bank.questions import PublicQuestion

_DRAW_BITS = 52  # as many as a double holds exactly below one


def draw_start(session_id: str) -> float:
    """Where on the circle of draw keys, 0 ≤ x < 1, the questions of a session are looked for."""
    return (int.from_bytes(_rank(session_id, "draw")[:8], "big") >> (64 - _DRAW_BITS)) / (1 << _DRAW_BITS)


def arranged(session_id: str, questions: Iterable[PublicQuestion]) -> tuple[PublicQuestion, ...]:
    """The order of the questions of a session, whatever order they were drawn in."""
    return tuple(sorted(questions, key=lambda question: _rank(session_id, "question", question.question_id)))


def choice_order(session_id: str, question: PublicQuestion) -> tuple[str, ...]:
    """The order of the choices of one question in a session; as written where the question says so."""
    ids = tuple(choice.id for choice in question.choices)
    if not question.shuffle:
        return ids
    return tuple(sorted(ids, key=lambda choice: _rank(session_id, "choice", question.question_id, choice)))


def _rank(session_id: str, *parts: str) -> bytes:
    # Ids hold no NUL, so that two different lists of parts never make one message.
    return hmac.digest(session_id.encode(), "\0".join(parts).encode(), hashlib.sha256)
