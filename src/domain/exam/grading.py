"""Grades: what a session comes to, in revisions that are never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from domain.exam.papers import GradedSlot
from domain.exam.sessions import ExamSession
from domain.exam.voiding import Void, VoidMode, counting, voids_of, widened
from domain.question_bank.certainty import HIGHEST_FACTOR, with_certainty
from domain.question_bank.scoring import Score, score
from domain.question_bank.totals import SlotMark, Total, TotalPolicy, total

AS_ASKED = "as_asked"
"""By the keys of the versions that were asked."""
LATEST_VERSIONS = "latest_versions"
"""By the keys of the latest published versions, where these ask the same (`domain.exam.regrading`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotGrade:
    """What one slot earned, and how: by the key of `key_version` (None: the version that was asked), under `void`.

    A slot that was dropped has a `max_mark` of 0. `correct` is None of a blank one, and where nothing is right or
    wrong any more because the question was dropped or credited to everybody.
    """

    slot: int
    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None = None
    correct: bool | None = None
    answered: bool = False
    void: VoidMode | None = None
    key_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One revision. `voids` are the ids of those that it regards; `mode` says by which keys it was made."""

    user_id: str
    session_id: str
    revision: int
    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None = None
    passed: bool
    marks: tuple[SlotGrade, ...]
    voids: tuple[str, ...] = ()
    mode: str
    reason: str | None = None
    graded_at: datetime
    graded_by: str | None = None


def grade(
    session: ExamSession,
    slots: Sequence[GradedSlot],
    voids: Sequence[Void],
    now: datetime,
    *,
    mode: str = AS_ASKED,
    by: str | None = None,
    reason: str | None = None,
) -> Grade:
    """What a session comes to, by the rules it began with: the next revision of its grade.

    It depends on nothing but what is stored: the same answers, keys and voids always give the same marks.
    """
    void, asked = counting(voids), [(each.slot.question_id, each.slot.version) for each in slots]
    marks = tuple(slot_grade(session, each, void.get(version)) for each, version in zip(slots, asked, strict=True))
    whole = come_to(session, marks)
    return Grade(
        user_id=session.user_id,
        session_id=session.id,
        revision=session.grade_revision + 1,
        mark=whole.mark,
        max_mark=whole.max_mark,
        certainty_mark=whole.certainty_mark,
        passed=whole.passed,
        marks=marks,
        voids=voids_of(voids, asked),
        mode=mode,
        reason=reason,
        graded_at=now,
        graded_by=by,
    )


def come_to(session: ExamSession, marks: Iterable[SlotGrade]) -> Total:
    """What the marks of all slots come to by the rules of the session, in whatever order they stand."""
    rules = session.rules
    policy = TotalPolicy(
        pass_mark=rules.pass_mark, allow_negative_total=rules.allow_negative_total, cbm_official=rules.cbm_official
    )
    return total(
        [SlotMark(mark=each.mark, max_mark=each.max_mark, certainty_mark=each.certainty_mark) for each in marks], policy
    )


def slot_grade(session: ExamSession, graded: GradedSlot, void: Void | None) -> SlotGrade:
    """What one slot earns: by its key, or by what its question was declared to be.

    What is credited is the most that can be earned, whoever answered and however sure: three times the full mark by
    certainty. So crediting takes nothing from anybody. What is dropped is gone from the sum and from the most.
    """
    judged = replace(_judged(session, graded, void), void=void.mode if void else None, key_version=graded.key_version)
    if void is None or void.mode is VoidMode.ACCEPT_ALSO:
        return judged
    worth = judged.max_mark if void.mode is VoidMode.CREDIT_ALL else Decimal(0)
    sure = worth * HIGHEST_FACTOR if session.rules.certainty else None
    return replace(judged, mark=worth, max_mark=worth, certainty_mark=sure, correct=None)


def _judged(session: ExamSession, graded: GradedSlot, void: Void | None) -> SlotGrade:
    slot, response = graded.slot, graded.slot.response
    if response is None:
        plain = Score(fraction=Fraction(0), correct=False)
    else:
        plain = score(widened(graded.question, response, void), response, session.rules.scoring)
    certainty_mark = None
    if session.rules.certainty:
        sure = with_certainty(plain, slot.certainty, answered=response is not None)
        certainty_mark = sure.mark(slot.max_mark)
    return SlotGrade(
        slot=slot.slot,
        mark=plain.mark(slot.max_mark),
        max_mark=slot.max_mark,
        certainty_mark=certainty_mark,
        correct=None if response is None else plain.correct,
        answered=response is not None,
    )
