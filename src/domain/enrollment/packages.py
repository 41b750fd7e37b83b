"""Exam packages with their tiers: what a student can enrol in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from domain.enrollment.settings import PackageSettings, settings_problems
from domain.errors import FieldProblem, InvalidInput
from domain.question_bank.blueprints import Blueprint, refuse_unsound
from domain.question_bank.imported import has_too_many_marks

DEFAULT_TIER_NAME = "Standard"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SLUG_LENGTH = 100
_TITLE_LENGTH = 200
_DESCRIPTION_LENGTH = 10_000
# Controls, halves of characters, and what breaks lines.
_NO_NAME = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST_SECONDS = 7 * 24 * 3600
_TIER_NAME_LENGTH = 100
MAX_WEEKLY_SESSIONS = 10_000
MAX_ACCESS_DAYS = 3650
MAX_RANK = 1000


class Visibility(StrEnum):
    """Whether a package can be found and enrolled in. Hiding it takes nothing from those who are enrolled."""

    VISIBLE = "visible"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A way of being enrolled. `active`: offered to new students; `self_service`: a student may take it unasked.

    The weekly numbers cap the sessions begun in seven days: None is no limit, 0 leaves them out of the tier. Whoever
    enrols stays for `access_days`, or for good. These days count from when a student first began in the tier: leaving
    and coming back does not renew them, only an administrator does. A tier of a higher `rank` is an upgrade.
    """

    id: str
    name: str
    is_default: bool
    self_service: bool
    active: bool
    weekly_practice_sessions: int | None = None
    weekly_exam_sessions: int | None = None
    access_days: int | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPackage:
    """What a student enrols in. At most one tier is the default; `pass_mark` is a percentage."""

    id: str
    slug: str
    title: str
    description: str
    visibility: Visibility
    pass_mark: Decimal
    duration_seconds: int | None
    version: int
    tiers: tuple[Tier, ...]
    settings: PackageSettings = field(default_factory=PackageSettings)
    blueprint: Blueprint | None = None

    @property
    def exam_question_count(self) -> int | None:
        return exam_question_count(self.settings, self.blueprint)


def exam_question_count(settings: PackageSettings, blueprint: Blueprint | None) -> int | None:
    """How many questions an exam asks; None: every one there is, as far as a paper goes."""
    return settings.question_count if blueprint is None else blueprint.total


def check_package(package: ExamPackage) -> ExamPackage:
    """The package as it is, or every rule that it breaks at once."""
    problems = tuple(_package_problems(package))
    if problems:
        raise InvalidInput("The exam package breaks a rule", problems=problems)
    return package


def _package_problems(package: ExamPackage) -> Iterator[FieldProblem]:
    if len(package.slug) > _SLUG_LENGTH or not _SLUG.fullmatch(package.slug):
        message = f"lower-case letters and digits in groups joined by single hyphens, at most {_SLUG_LENGTH} characters"
        yield FieldProblem("/slug", "slug.invalid", message)
    if not _is_name(package.title, _TITLE_LENGTH):
        yield FieldProblem("/title", "title.invalid", f"1 to {_TITLE_LENGTH} characters in one line, not all blank")
    if len(package.description) > _DESCRIPTION_LENGTH or not _storable(package.description):
        yield FieldProblem("/description", "description.invalid", f"at most {_DESCRIPTION_LENGTH} characters")
    if not _is_pass_mark(package.pass_mark):
        yield FieldProblem("/passMark", "pass_mark.invalid", "a percentage from 0 to 100 with at most two decimals")
    if package.duration_seconds is not None and not 0 < package.duration_seconds <= _LONGEST_SECONDS:
        yield FieldProblem("/durationSeconds", "duration.invalid", f"1 to {_LONGEST_SECONDS} seconds")
    yield from settings_problems(package.settings)
    if package.blueprint is not None:
        yield from _blueprint_problems(package.blueprint)
        if package.settings.question_count is not None:
            message = "The sections of the blueprint say how many questions there are"
            yield FieldProblem("/settings/questionCount", "blueprint.counts", message)


def _blueprint_problems(blueprint: Blueprint) -> Iterator[FieldProblem]:
    try:
        refuse_unsound(blueprint)
    except InvalidInput as refusal:
        yield from (replace(problem, pointer=f"/blueprint{problem.pointer}") for problem in refusal.problems)


def check_tier(tier: Tier, before: Tier | None = None) -> Tier:
    """The tier as it is, or every rule that it breaks at once. `before` is what it was, unless it is new."""
    problems = (*_tier_problems(tier), *_default_problems(tier, before))
    if problems:
        raise InvalidInput("The tier breaks a rule", problems=problems)
    return tier


def _tier_problems(tier: Tier) -> Iterator[FieldProblem]:
    if not _is_name(tier.name, _TIER_NAME_LENGTH):
        yield FieldProblem("/name", "name.invalid", f"1 to {_TIER_NAME_LENGTH} characters in one line, not all blank")
    bounds: tuple[tuple[str, int | None, int, int], ...] = (
        ("weeklyPracticeSessions", tier.weekly_practice_sessions, 0, MAX_WEEKLY_SESSIONS),
        ("weeklyExamSessions", tier.weekly_exam_sessions, 0, MAX_WEEKLY_SESSIONS),
        ("accessDays", tier.access_days, 1, MAX_ACCESS_DAYS),
        ("rank", tier.rank, 0, MAX_RANK),
    )
    for name, value, lowest, highest in bounds:
        if value is not None and not lowest <= value <= highest:
            yield FieldProblem(f"/{name}", "out_of_range", f"{lowest} to {highest}")


def _default_problems(tier: Tier, before: Tier | None) -> Iterator[FieldProblem]:
    """The default is on offer. What is wrong is the field that differs: one of an inactive tier made the default."""
    if not tier.is_default or tier.active:
        return
    if before is not None and not before.active:
        message = "The tier is not on offer: activate it to make it the default"
        yield FieldProblem("/isDefault", "default.inactive", message)
    else:
        yield FieldProblem("/active", "default.inactive", "The default tier is on offer: make another one the default")


def _is_pass_mark(percent: Decimal) -> bool:
    """Refuses more decimals than are kept: a pass mark is never rounded behind its author's back."""
    return percent.is_finite() and 0 <= percent <= 100 and percent == round(percent, 2)


def _is_name(text: str, longest: int) -> bool:
    """Whether people can be shown it as the name of something, as they are shown the names of banks and topics."""
    if not text.strip() or len(text) > longest or has_too_many_marks(text):
        return False
    return not any(unicodedata.category(character) in _NO_NAME for character in text)


def _storable(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
