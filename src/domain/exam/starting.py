"""How an exam begins: what was drawn is frozen into a paper, what the package says into the rules of the session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from domain.enrollment.settings import PackageSettings
from domain.exam.deadlines import due_at
from domain.exam.moves import expire
from domain.exam.refusals import FormUnavailable
from domain.exam.sessions import Accommodation, ExamRules, ExamSession, ExamSlot, ExamStatus
from domain.question_bank.blueprints import (
    MAX_PAPER,
    Blueprint,
    BlueprintInfeasible,
    Candidate,
    PaperSlot,
    Section,
    assemble,
)
from domain.question_bank.ordering import choice_order
from domain.question_bank.questions import PublicQuestion

_NO_END = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A question for a place of the paper. `marks` None: its own points; what comes of it counts for its topic."""

    question: PublicQuestion
    section: int = 0
    topic_id: str | None = None
    marks: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who begins what, by which tier, and with how much more time than others."""

    user_id: str
    session_id: str
    exam_package_id: str
    tier_id: str
    number: int
    accommodation: Accommodation


def rules_of(settings: PackageSettings, duration_seconds: int | None, pass_mark: Decimal) -> ExamRules:
    """What a package says now of its exams, as a session keeps it."""
    return ExamRules(
        time_limit_seconds=duration_seconds,
        window_opens_at=settings.opens_at,
        window_closes_at=settings.closes_at,
        window_extends=settings.window_extends,
        overdue_policy=settings.overdue_policy,
        latency_seconds=settings.latency_seconds,
        grace_seconds=settings.grace_seconds,
        navigation=settings.navigation,
        pause_allowed=settings.pause_allowed,
        certainty=settings.certainty,
        scoring=settings.scoring,
        allow_negative_total=settings.allow_negative_total,
        cbm_official=settings.cbm_official,
        pass_mark=pass_mark,
    )


def wanted_sections(settings: PackageSettings, blueprint: Blueprint | None) -> Blueprint:
    """The blueprint; without one a single section of as many questions as the package says, or as a paper takes."""
    return blueprint or Blueprint(sections=(Section(count=settings.question_count or MAX_PAPER),))


def compose(
    settings: PackageSettings, blueprint: Blueprint | None, pool: Iterable[Candidate], seed: str
) -> tuple[PaperSlot, ...]:
    """The places of a paper, filled. Refuses when there are too few questions, and says how many lack.

    A package that does not say how many takes every question there is, as far as a paper goes.
    """
    candidates = {candidate.question_id: candidate for candidate in pool}
    wanted = wanted_sections(settings, blueprint)
    if blueprint is None and settings.question_count is None:
        wanted = Blueprint(sections=(Section(count=max(1, min(len(candidates), MAX_PAPER))),))
    try:
        return assemble(wanted, candidates.values(), seed)
    except BlueprintInfeasible as refusal:
        missing = sum(shortfall.missing for shortfall in refusal.shortfalls)
        raise FormUnavailable(facts={"shortfall": missing}) from None


def freeze(
    attempt: Attempt, rules: ExamRules, settings: PackageSettings, drawn: Sequence[Drawn], seed: str, now: datetime
) -> tuple[ExamSession, tuple[ExamSlot, ...]]:
    """A session that starts now, or waits for somebody to let it start, and its slots, in the order of `arranged`.

    All that is left to chance follows from the seed.
    """
    waits = settings.authorised_start
    session = ExamSession(
        user_id=attempt.user_id,
        id=attempt.session_id,
        exam_package_id=attempt.exam_package_id,
        tier_id=attempt.tier_id,
        attempt_no=attempt.number,
        status=ExamStatus.CREATED if waits else ExamStatus.ACTIVE,
        rules=rules,
        accommodation=attempt.accommodation,
        created_at=now,
        started_at=None if waits else now,
    )
    slots = (
        ExamSlot(
            user_id=attempt.user_id,
            session_id=attempt.session_id,
            slot=number,
            section=each.section,
            question_id=each.question.question_id,
            version=each.question.version,
            topic_id=each.topic_id,
            choice_order=_choice_order(seed, each.question, shuffled=settings.shuffle_options),
            max_mark=each.question.max_mark if each.marks is None else each.marks,
        )
        for number, each in enumerate(drawn, start=1)
    )
    return session, tuple(slots)


def arranged(drawn: Iterable[Drawn], settings: PackageSettings) -> tuple[Drawn, ...]:
    """The questions as they follow one another: as they were drawn, or in each section the oldest question first."""
    if settings.shuffle_questions:
        return tuple(drawn)
    return tuple(sorted(drawn, key=lambda each: (each.section, each.question.question_id)))


def foreseen(session: ExamSession, now: datetime) -> ExamSession:
    """The session as it will be once what time did to it is written down: what is handed in is graded at once."""
    session = expire(session, now)
    return replace(session, status=ExamStatus.FINISHED) if session.status is ExamStatus.SUBMITTED else session


def sitting_until(session: ExamSession, now: datetime) -> datetime:
    """Until when somebody may be sitting this exam, as far as can be told: while it is paused nobody knows."""
    end = None if session.paused_at is not None else due_at(session)
    return now + _NO_END if end is None else end


def _choice_order(seed: str, question: PublicQuestion, *, shuffled: bool) -> tuple[str, ...]:
    return choice_order(seed, question if shuffled else replace(question, shuffle=False))
