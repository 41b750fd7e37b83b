"""What a student is shown of their profile and badges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from domain.auth.people import User
from domain.progress.badges import DEFINITIONS, Badge, BadgeDefinition, Metrics
from domain.progress.days import local_day
from domain.progress.profile import clock_changeable_at, profile_version, shown_avatar
from domain.progress.streaks import StreakState, current, longest, state
from domain.progress.students import StudentProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOwner:
    """What a profile shows of the person, and when the person was last changed."""

    username: str | None
    name: str
    image: str | None
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> ProfileOwner:
        return cls(username=user.username, name=user.name, image=user.image, updated_at=user.updated_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """A student at an instant: who they are, what they counted, and their streak as of their own today.

    `version` moves with whatever the student may change. `clock_changeable_at`: when they may choose another time zone;
    None: now.
    """

    version: int
    username: str | None
    name: str
    avatar_url: str | None
    student: StudentProgress
    clock_changeable_at: datetime | None
    days_active: int
    streak_current: int
    streak_longest: int
    streak_state: StreakState
    last_activity_date: date | None

    @classmethod
    def of(cls, student: StudentProgress, owner: ProfileOwner, *, days: Iterable[date], now: datetime) -> ProfileView:
        known = frozenset(days)
        today = local_day(now, student.time_zone, student.day_start_hour)
        return cls(
            version=profile_version(student, owner.updated_at),
            username=owner.username,
            name=owner.name,
            avatar_url=shown_avatar(owner.image),
            student=student,
            clock_changeable_at=clock_changeable_at(student, now),
            days_active=len(known),
            streak_current=current(known, today),
            streak_longest=longest(known),
            streak_state=state(known, today),
            last_activity_date=max(known, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeToEarn:
    """A badge that is not held, and how far it is."""

    definition: BadgeDefinition
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgesView:
    """What a student has earned, the latest first, and what is still to earn. One that was revoked is to earn."""

    earned: tuple[Badge, ...]
    to_earn: tuple[BadgeToEarn, ...]

    @classmethod
    def of(cls, badges: Iterable[Badge], metrics: Metrics) -> BadgesView:
        earned = sorted((each for each in badges if each.is_held), key=lambda each: each.code)
        codes = {each.code for each in earned}
        return cls(
            earned=tuple(sorted(earned, key=lambda each: each.awarded_at, reverse=True)),
            to_earn=tuple(
                BadgeToEarn(definition=each, value=metrics.get(each.metric, 0))
                for each in DEFINITIONS
                if each.code not in codes
            ),
        )
