"""Badges as this door tells them: achievements, with names and sentences for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from application.progress.profile_views import BadgesView
from domain.progress.badges import DEFINITIONS, Badge, BadgeDefinition, Metric
from entrypoints.http.fields import When
from entrypoints.http.practice_platform.fields import Percent, PlatformBody

_BY_CODE: Final[Mapping[str, BadgeDefinition]] = {each.code: each for each in DEFINITIONS}
_NAMES: Final[Mapping[str, str]] = {
    "first_exam": "First exam",
    "first_pass": "First pass",
    "streak_7": "A week in a row",
    "streak_30": "A month in a row",
    "answers_100": "A hundred answers",
    "answers_1000": "A thousand answers",
    "perfect_exam": "Nothing wrong",
}
_SENTENCES: Final[Mapping[Metric, str]] = {
    Metric.EXAMS_FINISHED: "Exams finished",
    Metric.EXAMS_PASSED: "Exams passed",
    Metric.QUESTIONS_ANSWERED: "Questions answered",
    Metric.LONGEST_STREAK: "Days of study in a row",
    Metric.DAYS_ACTIVE: "Days of study",
    Metric.PERFECT_EXAMS: "Exams without a mistake",
    Metric.STRONG_TOPICS: "Topics that one is strong in",
}
_THRESHOLD: Final = "From which number on it is earned"


class Achievement(PlatformBody):
    """A badge that can be earned."""

    id: str
    name: str
    description: str
    criteria_type: Annotated[str, Meta(description="What is counted")]
    criteria_value: Annotated[int, Meta(description=_THRESHOLD)]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "answers_100",
        "name": "A hundred answers",
        "description": "Questions answered: 100",
        "criteria_type": "questions_answered",
        "criteria_value": 100,
    }

    @classmethod
    def of(cls, definition: BadgeDefinition) -> Achievement:
        return cls(**_told(definition))


class AchievementProgress(Achievement, kw_only=True):
    """The same with how far the caller is."""

    is_earned: bool
    progress: Annotated[int, Meta(description="How much of it there is, at most as much as earns it")]
    progress_percentage: Percent

    example: ClassVar[Mapping[str, Any]] = {
        **Achievement.example,
        "is_earned": False,
        "progress": 40,
        "progress_percentage": 40.0,
    }

    @classmethod
    def at(cls, definition: BadgeDefinition, value: int, *, earned: bool) -> AchievementProgress:
        reached = definition.threshold if earned else min(value, definition.threshold)
        share = round(100 * reached / definition.threshold, 2)
        return cls(**_told(definition), is_earned=earned, progress=reached, progress_percentage=share)


class AchievementEarned(PlatformBody):
    """A badge that the caller has earned."""

    id: str
    name: str
    description: str
    earned_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": "answers_100",
        "name": "A hundred answers",
        "description": "Questions answered: 100",
        "earned_at": "2026-03-11T09:40:00Z",
    }

    @classmethod
    def of(cls, badge: Badge) -> AchievementEarned:
        name, sentence = _name(badge.code), f"{_SENTENCES[badge.metric]}: {_threshold(badge)}"
        return cls(id=badge.code, name=name, description=sentence, earned_at=badge.awarded_at)


class AchievementUnlocked(PlatformBody):
    """A badge that has just been earned by what was handed in."""

    achievement_id: str
    name: str
    description: str

    example: ClassVar[Mapping[str, Any]] = {
        "achievement_id": "answers_100",
        "name": "A hundred answers",
        "description": "Questions answered: 100",
    }


class AchievementStats(PlatformBody):
    """How many badges there are, and how many of them the caller has."""

    total_achievements: Annotated[int, Meta(description="How many there are to earn")]
    earned_achievements: Annotated[int, Meta(description="How many the caller has earned")]
    completion_percentage: Percent

    example: ClassVar[Mapping[str, Any]] = {
        "total_achievements": 7,
        "earned_achievements": 2,
        "completion_percentage": 28.57,
    }

    @classmethod
    def of(cls, badges: BadgesView) -> AchievementStats:
        earned, total = len(badges.earned), len(badges.earned) + len(badges.to_earn)
        share = round(100 * earned / total, 2) if total else 0.0
        return cls(total_achievements=total, earned_achievements=earned, completion_percentage=share)


def every_progress(badges: BadgesView) -> list[AchievementProgress]:
    """All badges in the order of their definition."""
    values = {each.definition.code: each.value for each in badges.to_earn}
    return [
        AchievementProgress.at(each, values.get(each.code, 0), earned=each.code not in values) for each in DEFINITIONS
    ]


def unlocked_by(badges: Iterable[Badge], session_id: str) -> list[AchievementUnlocked]:
    """Those of the badges that were earned by this session."""
    earned = (AchievementEarned.of(badge) for badge in badges if badge.source_id == session_id)
    return [
        AchievementUnlocked(achievement_id=each.id, name=each.name, description=each.description) for each in earned
    ]


def _told(definition: BadgeDefinition) -> dict[str, Any]:
    return {
        "id": definition.code,
        "name": _name(definition.code),
        "description": f"{_SENTENCES[definition.metric]}: {definition.threshold}",
        "criteria_type": definition.metric.value,
        "criteria_value": definition.threshold,
    }


def _name(code: str) -> str:
    return _NAMES.get(code, code.replace("_", " ").capitalize())


def _threshold(badge: Badge) -> int:
    """What earns it; of a badge that there is no more, what earned it."""
    return _BY_CODE[badge.code].threshold if badge.code in _BY_CODE else badge.value
