"""Badges, streaks and weak areas at this door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.progress.badges import ListBadges
from application.progress.estimating import ReadWeakAreas, WeakAreaView
from application.progress.profile import ReadStudentProfile
from application.progress.profile_views import ProfileView
from domain.auth.people import Actor, Role, UserNotFound
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound
from domain.progress.badges import DEFINITIONS
from domain.progress.streaks import StreakState
from domain.progress.weak_areas import TopicClass
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.badges import (
    Achievement,
    AchievementEarned,
    AchievementProgress,
    AchievementStats,
    every_progress,
)
from entrypoints.http.practice_platform.exam_types import ExamTypes
from entrypoints.http.practice_platform.fields import PlatformBody, WantedExam

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}


class StreakBody(PlatformBody):
    """Days of study in a row."""

    study_streak_current: Annotated[int, Meta(description="Days in a row, up to today or yesterday")]
    study_streak_longest: Annotated[int, Meta(description="The most days there ever were in a row")]
    streak_state: Annotated[
        StreakState, Meta(description="`secured`: today counts already; `at_risk`: only yesterday does; `none`")
    ]
    days_active: Annotated[int, Meta(description="Days of study in all")]
    last_activity_date: Annotated[date | None, Meta(description="The last day of study; null: there was none yet")]

    example: ClassVar[Mapping[str, Any]] = {
        "study_streak_current": 3,
        "study_streak_longest": 8,
        "streak_state": "secured",
        "days_active": 21,
        "last_activity_date": "2026-03-11",
    }

    @classmethod
    def of(cls, view: ProfileView) -> StreakBody:
        return cls(
            study_streak_current=view.streak_current,
            study_streak_longest=view.streak_longest,
            streak_state=view.streak_state,
            days_active=view.days_active,
            last_activity_date=view.last_activity_date,
        )


class WeakDomain(PlatformBody):
    """Where one stands in a topic."""

    domain: str
    classification: Annotated[
        TopicClass, Meta(description="`unknown`: not enough answers to say, which is not the same as `weak`")
    ]
    estimated_percentage: Annotated[float, Meta(description="What one would answer rightly, 0 to 100, as is believed")]
    questions_answered: Annotated[int, Meta(description="Answers that are known to be right or wrong")]
    accuracy_percentage: Annotated[
        float | None, Meta(description="How much of them was right, 0 to 100; null: there are none")
    ]

    @classmethod
    def of(cls, view: WeakAreaView) -> WeakDomain:
        area = view.area
        return cls(
            domain=area.name,
            classification=area.class_,
            estimated_percentage=round(100 * area.belief.mean, 2),
            questions_answered=area.answers,
            accuracy_percentage=None if area.raw is None else round(100 * area.raw, 2),
        )


class WeakDomains(PlatformBody):
    """The topics of an exam, the most urgent first."""

    exam_type: str
    weak_areas: list[WeakDomain]

    example: ClassVar[Mapping[str, Any]] = {
        "exam_type": "security",
        "weak_areas": [
            {
                "domain": "1.1",
                "classification": "weak",
                "estimated_percentage": 48.2,
                "questions_answered": 12,
                "accuracy_percentage": 41.67,
            }
        ],
    }


@get("/achievements", summary="List the achievements", operation_id="platformAchievements")
async def achievements() -> list[Achievement]:
    """What can be earned."""
    return [Achievement.of(each) for each in DEFINITIONS]


@get("/achievements/me", summary="Follow one's achievements", operation_id="platformMyAchievements", opt=_STUDENTS)
async def my_achievements(
    actor: NamedDependency[Actor], list_badges: Injected[ListBadges]
) -> list[AchievementProgress]:
    """What can be earned, and how far the caller is."""
    return every_progress(await list_badges(actor))


@get(
    "/achievements/earned",
    summary="List the achievements that are earned",
    operation_id="platformEarnedAchievements",
    opt=_STUDENTS,
)
async def earned_achievements(
    actor: NamedDependency[Actor], list_badges: Injected[ListBadges]
) -> list[AchievementEarned]:
    """What the caller has earned, the latest first."""
    return [AchievementEarned.of(badge) for badge in (await list_badges(actor)).earned]


@get("/achievements/stats", summary="Count the achievements", operation_id="platformAchievementStats", opt=_STUDENTS)
async def achievement_stats(actor: NamedDependency[Actor], list_badges: Injected[ListBadges]) -> AchievementStats:
    """How many there are to earn, and how many of them the caller has."""
    return AchievementStats.of(await list_badges(actor))


@get(
    "/streak",
    summary="Read one's streak",
    operation_id="platformStreak",
    opt={**_STUDENTS, "refusals": (UserNotFound,)},
)
async def streak(actor: NamedDependency[Actor], read_student_profile: Injected[ReadStudentProfile]) -> StreakBody:
    """How many days in a row the caller has studied, by the clock that they live by."""
    return StreakBody.of(await read_student_profile(actor))


@get(
    "/weak-areas",
    summary="List one's weak areas",
    operation_id="platformWeakAreas",
    opt={**_STUDENTS, "refusals": (PackageNotFound, EnrollmentRequired)},
)
async def weak_areas(
    actor: NamedDependency[Actor],
    exam_type: WantedExam,
    exam_types: NamedDependency[ExamTypes],
    read_weak_areas: Injected[ReadWeakAreas],
) -> WeakDomains:
    """Where the caller stands in each topic of an exam, the most urgent first. For whoever is or was enrolled."""
    found = await read_weak_areas(actor, await exam_types.package_id(actor, exam_type))
    return WeakDomains(exam_type=exam_type, weak_areas=[WeakDomain.of(view) for view in found])


handlers: Sequence[ControllerRouterHandler] = [
    achievements,
    my_achievements,
    earned_achievements,
    achievement_stats,
    streak,
    weak_areas,
]
