"""What a package says about its exams and its practice, beyond pass mark and duration.

A package that says nothing has every default: an empty document of settings reads as `PackageSettings()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.errors import FieldProblem
from domain.question_bank.blueprints import MAX_PAPER
from domain.question_bank.scoring import STANDARD, ScoringPolicy

DAY_SECONDS = 24 * 3600
MAX_ATTEMPTS = 1000
MAX_COOLDOWN_SECONDS = 366 * DAY_SECONDS
MAX_LATENCY_SECONDS = 3600
MAX_GRACE_SECONDS = 30 * DAY_SECONDS


class OverduePolicy(StrEnum):
    """What becomes of an exam whose time is over: handed in as it is, handed in late by its student, or given up."""

    AUTO_SUBMIT = "auto_submit"
    GRACE = "grace"
    ABANDON = "abandon"


class ReviewRule(StrEnum):
    """When a student may see question by question how an exam went."""

    NEVER = "never"
    AFTER_RELEASE = "after_release"
    AFTER_WINDOW = "after_window"


class OfficialResult(StrEnum):
    """Which of several attempts counts."""

    HIGHEST = "highest"
    LATEST = "latest"
    FIRST = "first"
    AVERAGE = "average"


class Navigation(StrEnum):
    """Whether a student may come back to a question that was passed."""

    FREE = "free"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSettings:
    """How exams of a package are held and marked; `scoring` marks its practice too.

    Marks: `allow_negative_total` keeps a total below 0; with `certainty` an exam asks how sure one is, and with
    `cbm_official` the mark by certainty is the one that counts.
    Paper: `question_count` where there is no blueprint (None: every question there is, as far as a paper goes).
    Window: from `opens_at` until before `closes_at`; `window_extends` lets extra time of a student reach beyond it.
    Attempts: None is as many as one likes; the pause before the second is `cooldown_seconds`, before each further one
    `later_cooldown_seconds`.
    Time over: what arrives within `latency_seconds` still counts; under `grace` there are `grace_seconds` to hand in.
    With `authorised_start` somebody lets a student begin; with `pause_allowed` students pause an exam without a limit
    of time themselves.
    """

    scoring: ScoringPolicy = STANDARD
    allow_negative_total: bool = False
    certainty: bool = False
    cbm_official: bool = False
    question_count: int | None = None
    shuffle_questions: bool = True
    shuffle_options: bool = True
    navigation: Navigation = Navigation.FREE
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    window_extends: bool = False
    attempts_allowed: int | None = None
    cooldown_seconds: int = 0
    later_cooldown_seconds: int = 0
    overdue_policy: OverduePolicy = OverduePolicy.AUTO_SUBMIT
    latency_seconds: int = 60
    grace_seconds: int = DAY_SECONDS
    authorised_start: bool = False
    pause_allowed: bool = False
    review_rule: ReviewRule = ReviewRule.NEVER
    official_result: OfficialResult = OfficialResult.HIGHEST


def settings_problems(settings: PackageSettings) -> Iterator[FieldProblem]:
    """Every field that breaks a rule, by its place in the package."""
    yield from _out_of_bounds(settings)
    opens, closes = settings.opens_at, settings.closes_at
    if opens is not None and closes is not None and closes <= opens:
        yield FieldProblem("/settings/closesAt", "window.empty", "The window closes after it has opened")
    if settings.cbm_official and not settings.certainty:
        message = "A mark by certainty counts only where certainty is asked for"
        yield FieldProblem("/settings/cbmOfficial", "certainty.not_asked", message)
    if settings.review_rule is ReviewRule.AFTER_WINDOW and closes is None:
        message = "Without an end of the window nobody would ever see a review"
        yield FieldProblem("/settings/reviewRule", "window.endless", message)


def _out_of_bounds(settings: PackageSettings) -> Iterator[FieldProblem]:
    bounds: tuple[tuple[str, int | None, int, int], ...] = (
        ("questionCount", settings.question_count, 1, MAX_PAPER),
        ("attemptsAllowed", settings.attempts_allowed, 1, MAX_ATTEMPTS),
        ("cooldownSeconds", settings.cooldown_seconds, 0, MAX_COOLDOWN_SECONDS),
        ("laterCooldownSeconds", settings.later_cooldown_seconds, 0, MAX_COOLDOWN_SECONDS),
        ("latencySeconds", settings.latency_seconds, 0, MAX_LATENCY_SECONDS),
        ("graceSeconds", settings.grace_seconds, 0, MAX_GRACE_SECONDS),
    )
    for name, value, lowest, highest in bounds:
        if value is not None and not lowest <= value <= highest:
            yield FieldProblem(f"/settings/{name}", "out_of_range", f"{lowest} to {highest}")
