"""How a session is put in order: everything follows from its id, so that it can be told again later."""

from __future__ import annotations

from collections.abc import Iterable

from domain.question_bank.questions import PublicQuestion
from domain.question_bank.seeds import rank


def arranged(session_id: str, questions: Iterable[PublicQuestion]) -> tuple[PublicQuestion, ...]:
    """The order of the questions of a session, whatever order they were drawn in."""
    return tuple(sorted(questions, key=lambda question: rank(session_id, "question", question.question_id)))
