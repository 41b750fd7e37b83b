"""What is to change about a package or a tier: only what is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol, TypeVar

from application.question_bank.changes import KEPT, Named
from domain.enrollment.packages import ExamPackage, Tier, Visibility, check_package
from domain.enrollment.settings import Navigation, OfficialResult, OverduePolicy, PackageSettings, ReviewRule
from domain.errors import InvalidInput
from domain.question_bank.blueprints import Blueprint
from domain.question_bank.imported import canonical_text
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy, ScoringPolicy


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


ChangedT = TypeVar("ChangedT", bound=_Dataclass)


def named(change: _Dataclass) -> dict[str, Any]:
    """The fields that are named, with their values."""
    values = ((field.name, getattr(change, field.name)) for field in fields(change))
    return {name: value for name, value in values if value is not KEPT}


def _refuse_nothing(change: _Dataclass) -> None:
    if not named(change):
        raise InvalidInput("Nothing is to be changed: name what shall be different")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringChange:
    """What is to change about how answers are marked."""

    penalty: Named[Decimal] = KEPT
    guess_neutral: Named[bool] = KEPT
    multiple: Named[MultiplePolicy] = KEPT
    none_allowed: Named[bool] = KEPT
    ordering: Named[OrderingPolicy] = KEPT

    def of(self, policy: ScoringPolicy) -> ScoringPolicy:
        return replace(policy, **named(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """What is to change about the settings of a package."""

    scoring: Named[ScoringChange] = KEPT
    allow_negative_total: Named[bool] = KEPT
    certainty: Named[bool] = KEPT
    cbm_official: Named[bool] = KEPT
    question_count: Named[int | None] = KEPT
    shuffle_questions: Named[bool] = KEPT
    shuffle_options: Named[bool] = KEPT
    navigation: Named[Navigation] = KEPT
    opens_at: Named[datetime | None] = KEPT
    closes_at: Named[datetime | None] = KEPT
    window_extends: Named[bool] = KEPT
    attempts_allowed: Named[int | None] = KEPT
    cooldown_seconds: Named[int] = KEPT
    later_cooldown_seconds: Named[int] = KEPT
    overdue_policy: Named[OverduePolicy] = KEPT
    latency_seconds: Named[int] = KEPT
    grace_seconds: Named[int] = KEPT
    authorised_start: Named[bool] = KEPT
    pause_allowed: Named[bool] = KEPT
    review_rule: Named[ReviewRule] = KEPT
    official_result: Named[OfficialResult] = KEPT

    def of(self, settings: PackageSettings) -> PackageSettings:
        wanted = named(self)
        if self.scoring is not KEPT:
            wanted["scoring"] = self.scoring.of(settings.scoring)
        return replace(settings, **wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """What is to change about a package, and of its settings; refuses to change nothing at all."""

    slug: Named[str] = KEPT
    title: Named[str] = KEPT
    description: Named[str] = KEPT
    visibility: Named[Visibility] = KEPT
    pass_mark: Named[Decimal] = KEPT
    duration_seconds: Named[int | None] = KEPT
    settings: Named[SettingsChange] = KEPT
    blueprint: Named[Blueprint | None] = KEPT
    question_bank_ids: Named[tuple[str, ...]] = KEPT

    def __post_init__(self) -> None:
        _refuse_nothing(self)

    @property
    def is_for_admins(self) -> bool:
        """Whether it names what instructors leave to administrators: where a package is found, and what it holds."""
        return any(part is not KEPT for part in (self.slug, self.visibility, self.question_bank_ids))

    def of(self, package: ExamPackage) -> ExamPackage:
        """The package after the change, which refuses whatever breaks a rule; the very same one if nothing differs."""
        wanted = named(self)
        wanted.pop("question_bank_ids", None)
        if self.title is not KEPT:
            wanted["title"] = canonical_text(self.title)
        if self.settings is not KEPT:
            wanted["settings"] = self.settings.of(package.settings)
        changed = replace(package, **wanted)
        return package if changed == package else check_package(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """What is to change about a tier, or what a new one says; refuses to say nothing at all."""

    name: Named[str] = KEPT
    is_default: Named[bool] = KEPT
    self_service: Named[bool] = KEPT
    active: Named[bool] = KEPT
    weekly_practice_sessions: Named[int | None] = KEPT
    weekly_exam_sessions: Named[int | None] = KEPT
    access_days: Named[int | None] = KEPT
    rank: Named[int] = KEPT

    def __post_init__(self) -> None:
        _refuse_nothing(self)

    def of(self, tier: Tier) -> Tier:
        wanted = named(self)
        if self.name is not KEPT:
            wanted["name"] = canonical_text(self.name)
        return replace(tier, **wanted)


def differences(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """What differs, as it was and as it is; of documents within, what differs in them."""
    was: dict[str, object] = {}
    became: dict[str, object] = {}
    for name, old in before.items():
        new = after[name]
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            was[name], became[name] = differences(old, new)
        else:
            was[name], became[name] = old, new
    return was, became
