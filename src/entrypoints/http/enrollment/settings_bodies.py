"""What an exam package says about its exams, over HTTP: as it is changed, and as it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from application.enrollment.changes import ScoringChange, SettingsChange
from domain.enrollment.settings import (
    MAX_ATTEMPTS,
    MAX_COOLDOWN_SECONDS,
    MAX_GRACE_SECONDS,
    MAX_LATENCY_SECONDS,
    Navigation,
    OfficialResult,
    OverduePolicy,
    PackageSettings,
    ReviewRule,
)
from domain.question_bank.blueprints import MAX_PAPER, MAX_SECTIONS, Blueprint, Section
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy
from entrypoints.http.decimals import FRACTION
from entrypoints.http.fields import MarkedBody, Moment, RequestBody, ResponseBody, SmallCount, When
from entrypoints.http.question_bank.papers import BlueprintSection

_Penalty = Annotated[str, Meta(pattern=FRACTION, max_length=42, description="What a wrong single choice costs, 0 to 1")]
_QuestionCount = Annotated[
    SmallCount | None, Meta(description=f"1 to {MAX_PAPER} without a blueprint; null: every question there is")
]
_Attempts = Annotated[SmallCount | None, Meta(description=f"1 to {MAX_ATTEMPTS}; null: as many as one likes")]
_Cooldown = Annotated[SmallCount, Meta(description=f"Seconds before the second attempt, 0 to {MAX_COOLDOWN_SECONDS}")]
_Later = Annotated[SmallCount, Meta(description=f"Seconds before each further attempt, 0 to {MAX_COOLDOWN_SECONDS}")]
_Latency = Annotated[SmallCount, Meta(description=f"Seconds in which late answers count, 0 to {MAX_LATENCY_SECONDS}")]
_Grace = Annotated[SmallCount, Meta(description=f"Seconds to hand in under `grace`, 0 to {MAX_GRACE_SECONDS}")]
_OpensAt = Annotated[Moment | None, Meta(description="From when on exams begin; null: at any time")]
_ClosesAt = Annotated[Moment | None, Meta(description="When exams end at the latest; null: never")]
_Certainty = Annotated[bool, Meta(description="Whether an exam asks how sure one is")]
_ByCertainty = Annotated[bool, Meta(description="Whether the mark by certainty is the one that counts")]
_Extends = Annotated[bool, Meta(description="Whether extra time of a student reaches beyond the window")]
_Authorised = Annotated[bool, Meta(description="Whether somebody has to let a student begin")]
_Pause = Annotated[bool, Meta(description="Whether students pause an exam without a limit of time themselves")]


class PackageScoringRequest(RequestBody):
    """What is to change about how answers are marked."""

    penalty: _Penalty | UnsetType = UNSET
    guess_neutral: bool | UnsetType = UNSET
    multiple: MultiplePolicy | UnsetType = UNSET
    none_allowed: bool | UnsetType = UNSET
    ordering: OrderingPolicy | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"penalty": "0.25"}

    def change(self) -> ScoringChange:
        wanted = named(self)
        if "penalty" in wanted:
            wanted["penalty"] = Decimal(wanted["penalty"])
        return ScoringChange(**wanted)


class PackageSettingsRequest(RequestBody):
    """What is to change about the settings of an exam package; what is absent stays as it is."""

    scoring: PackageScoringRequest | UnsetType = UNSET
    allow_negative_total: bool | UnsetType = UNSET
    certainty: _Certainty | UnsetType = UNSET
    cbm_official: _ByCertainty | UnsetType = UNSET
    question_count: _QuestionCount | UnsetType = UNSET
    shuffle_questions: bool | UnsetType = UNSET
    shuffle_options: bool | UnsetType = UNSET
    navigation: Navigation | UnsetType = UNSET
    opens_at: _OpensAt | UnsetType = UNSET
    closes_at: _ClosesAt | UnsetType = UNSET
    window_extends: _Extends | UnsetType = UNSET
    attempts_allowed: _Attempts | UnsetType = UNSET
    cooldown_seconds: _Cooldown | UnsetType = UNSET
    later_cooldown_seconds: _Later | UnsetType = UNSET
    overdue_policy: OverduePolicy | UnsetType = UNSET
    latency_seconds: _Latency | UnsetType = UNSET
    grace_seconds: _Grace | UnsetType = UNSET
    authorised_start: _Authorised | UnsetType = UNSET
    pause_allowed: _Pause | UnsetType = UNSET
    review_rule: ReviewRule | UnsetType = UNSET
    official_result: OfficialResult | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"attemptsAllowed": 3, "cooldownSeconds": 86_400, "questionCount": 60}

    def change(self) -> SettingsChange:
        wanted = {name: _in_utc(value) for name, value in named(self).items()}
        if isinstance(self.scoring, PackageScoringRequest):
            wanted["scoring"] = self.scoring.change()
        return SettingsChange(**wanted)


class PackageBlueprintRequest(RequestBody):
    """How many questions of which topic and difficulty make the paper of an exam."""

    sections: Annotated[list[BlueprintSection], Meta(min_length=1, max_length=MAX_SECTIONS)]

    example: ClassVar[Mapping[str, Any]] = {"sections": [BlueprintSection.example]}

    def blueprint(self) -> Blueprint:
        return Blueprint(
            sections=tuple(
                Section(
                    count=section.count,
                    topic_id=section.topic_id,
                    difficulty_id=section.difficulty_id,
                    marks=None if section.marks is None else Decimal(section.marks),
                )
                for section in self.sections
            )
        )


class PackageScoringBody(MarkedBody):
    """How answers are marked, in practice and in exams."""

    penalty: Annotated[Decimal, Meta(description="What a wrong single choice costs, as a decimal string")]
    guess_neutral: Annotated[bool, Meta(description="In its place what makes blind guessing gain nothing")]
    multiple: MultiplePolicy
    none_allowed: Annotated[bool, Meta(description="Under `every_decision`: whether a blank answer is one like others")]
    ordering: OrderingPolicy

    example: ClassVar[Mapping[str, Any]] = {
        "penalty": "0.25",
        "guessNeutral": False,
        "multiple": "all_or_nothing",
        "noneAllowed": False,
        "ordering": "exact",
    }


class PackageSettingsBody(ResponseBody):
    """What an exam package says about its exams."""

    scoring: PackageScoringBody
    allow_negative_total: bool
    certainty: _Certainty
    cbm_official: _ByCertainty
    question_count: _QuestionCount
    shuffle_questions: bool
    shuffle_options: bool
    navigation: Navigation
    opens_at: Annotated[When | None, Meta(description="From when on exams begin; null: at any time")]
    closes_at: Annotated[When | None, Meta(description="When exams end at the latest; null: never")]
    window_extends: _Extends
    attempts_allowed: _Attempts
    cooldown_seconds: _Cooldown
    later_cooldown_seconds: _Later
    overdue_policy: OverduePolicy
    latency_seconds: _Latency
    grace_seconds: _Grace
    authorised_start: _Authorised
    pause_allowed: _Pause
    review_rule: ReviewRule
    official_result: OfficialResult

    example: ClassVar[Mapping[str, Any]] = {
        "scoring": PackageScoringBody.example,
        "allowNegativeTotal": False,
        "certainty": False,
        "cbmOfficial": False,
        "questionCount": None,
        "shuffleQuestions": True,
        "shuffleOptions": True,
        "navigation": "free",
        "opensAt": "2026-03-02T08:00:00Z",
        "closesAt": None,
        "windowExtends": False,
        "attemptsAllowed": 3,
        "cooldownSeconds": 86_400,
        "laterCooldownSeconds": 172_800,
        "overduePolicy": "auto_submit",
        "latencySeconds": 60,
        "graceSeconds": 86_400,
        "authorisedStart": False,
        "pauseAllowed": False,
        "reviewRule": "after_release",
        "officialResult": "highest",
    }


class BlueprintSectionBody(MarkedBody):
    """So many questions of a topic, of a difficulty, of both or of any."""

    count: Annotated[int, Meta(description="How many questions")]
    topic_id: Annotated[str | None, Meta(description="Null: any topic")]
    difficulty_id: Annotated[str | None, Meta(description="Null: any difficulty")]
    marks: Annotated[Decimal | None, Meta(description="For each question, as a decimal string; null: its own points")]

    example: ClassVar[Mapping[str, Any]] = {
        "count": 10,
        "topicId": "top_01m7y0w5089re0wwbvvzgw20sg",
        "difficultyId": None,
        "marks": "2",
    }


class PackageBlueprintBody(ResponseBody):
    """How many questions of which topic and difficulty make the paper of an exam."""

    sections: list[BlueprintSectionBody]

    example: ClassVar[Mapping[str, Any]] = {"sections": [BlueprintSectionBody.example]}


def named(body: Struct) -> dict[str, Any]:
    """The fields that were sent, by our names."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


def settings_body(settings: PackageSettings) -> PackageSettingsBody:
    return convert(settings, PackageSettingsBody, from_attributes=True)


def blueprint_body(blueprint: Blueprint | None) -> PackageBlueprintBody | None:
    return None if blueprint is None else convert(blueprint, PackageBlueprintBody, from_attributes=True)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
