"""Profile and badges over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from application.progress.profile_views import BadgesView, BadgeToEarn, ProfileView
from domain.progress.badges import Badge, Metric
from domain.progress.days import LATEST_START
from domain.progress.profile import LONGEST_BIO, LONGEST_URL, ProfileChange
from domain.progress.streaks import StreakState
from entrypoints.http.auth_bodies import Name, Username
from entrypoints.http.fields import RequestBody, ResponseBody, When

_Bio = Annotated[str, Meta(max_length=LONGEST_BIO)]
_Url = Annotated[str, Meta(max_length=LONGEST_URL)]
_Zone = Annotated[str, Meta(min_length=1, max_length=64, description="As `Europe/Berlin`; days go by its clock")]
_Hour = Annotated[int, Meta(ge=0, le=LATEST_START, description="The hour at which a new day begins")]
_Code = Annotated[str, Meta(description="As `streak_7`")]
_DefinitionVersion = Annotated[int, Meta(description="Which threshold: another one is another version")]
_SESSION_ID = "prs_01m7y0w5089re0wwbvvzgw20sk"


class ChangeStudentProfileRequest(RequestBody):
    """What is to be changed; what is absent stays as it is."""

    username: Annotated[
        Username | UnsetType | None, Meta(description="Unique without regard to case; null takes it away")
    ] = UNSET
    name: Annotated[Name | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    bio: Annotated[_Bio | UnsetType | None, Meta(description="A text about oneself; null takes it away")] = UNSET
    avatar_url: Annotated[_Url | UnsetType | None, Meta(description="https only; null takes it away")] = UNSET
    time_zone: _Zone | UnsetType = UNSET
    day_start_hour: _Hour | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"name": "Ada Lovelace", "timeZone": "Europe/London"}

    def change(self) -> ProfileChange:
        """Null is the empty text there, so that None can mean absent."""
        return ProfileChange(
            username=_text(self.username),
            name=_text(self.name),
            bio=_text(self.bio),
            avatar_url=_text(self.avatar_url),
            time_zone=None if isinstance(self.time_zone, UnsetType) else self.time_zone,
            day_start_hour=None if isinstance(self.day_start_hour, UnsetType) else self.day_start_hour,
        )


def _text(value: str | UnsetType | None) -> str | None:
    return None if isinstance(value, UnsetType) else value or ""


class StudentProfileBody(ResponseBody):
    """What a student says about themselves, and what they have come to."""

    username: Annotated[str | None, Meta(description="Null where none was chosen")]
    name: str
    bio: str
    avatar_url: Annotated[str | None, Meta(description="Of a picture; null where there is none that is https")]
    time_zone: str
    day_start_hour: Annotated[int, Meta(description="The hour at which a new day begins")]
    time_zone_changeable_at: Annotated[
        When | None, Meta(description="When time zone and start of the day may be changed again; null: now")
    ]
    total_questions_answered: Annotated[int, Meta(description="Answers that were accepted in practice")]
    total_exams_taken: Annotated[int, Meta(description="Exams that were handed in and not declared invalid")]
    total_exams_passed: Annotated[int, Meta(description="Those of them that were passed")]
    days_active: Annotated[int, Meta(description="Days with an accepted answer or an exam")]
    study_streak_current: Annotated[int, Meta(description="Days in a row up to today, or up to yesterday")]
    study_streak_longest: Annotated[int, Meta(description="The most days in a row that there ever were")]
    study_streak_state: Annotated[
        StreakState, Meta(description="`at_risk`: studied yesterday, not yet today in one's own time zone")
    ]
    last_activity_date: Annotated[date | None, Meta(description="The last day of study; null: none yet")]

    example: ClassVar[Mapping[str, Any]] = {
        "username": "ada",
        "name": "Ada Lovelace",
        "bio": "",
        "avatarUrl": None,
        "timeZone": "Europe/London",
        "dayStartHour": 0,
        "timeZoneChangeableAt": None,
        "totalQuestionsAnswered": 140,
        "totalExamsTaken": 1,
        "totalExamsPassed": 1,
        "daysActive": 9,
        "studyStreakCurrent": 3,
        "studyStreakLongest": 7,
        "studyStreakState": "secured",
        "lastActivityDate": "2026-03-02",
    }


class BadgeEvidenceBody(ResponseBody):
    """Why a badge was earned."""

    metric: Metric
    value: Annotated[int, Meta(description="What the metric was then")]
    source_id: Annotated[str, Meta(description="The session that it was reached in")]
    at: When

    example: ClassVar[Mapping[str, Any]] = {
        "metric": "longest_streak",
        "value": 7,
        "sourceId": _SESSION_ID,
        "at": "2026-03-02T09:00:00Z",
    }


class EarnedBadgeBody(ResponseBody):
    """A badge that was earned."""

    code: _Code
    version: _DefinitionVersion
    earned_at: When
    evidence: BadgeEvidenceBody

    example: ClassVar[Mapping[str, Any]] = {
        "code": "streak_7",
        "version": 1,
        "earnedAt": "2026-03-02T09:00:00Z",
        "evidence": BadgeEvidenceBody.example,
    }


class BadgeToEarnBody(ResponseBody):
    """A badge that is still to earn: it is earned when `value` reaches `threshold`."""

    code: _Code
    version: _DefinitionVersion
    metric: Metric
    value: Annotated[int, Meta(description="What the metric is now")]
    threshold: Annotated[int, Meta(description="What it has to be")]

    example: ClassVar[Mapping[str, Any]] = {
        "code": "answers_1000",
        "version": 1,
        "metric": "questions_answered",
        "value": 140,
        "threshold": 1000,
    }


class BadgesBody(ResponseBody):
    """The badges of a student."""

    earned: Annotated[list[EarnedBadgeBody], Meta(description="The latest first")]
    to_earn: Annotated[list[BadgeToEarnBody], Meta(description="One that was revoked is among them")]

    example: ClassVar[Mapping[str, Any]] = {"earned": [EarnedBadgeBody.example], "toEarn": [BadgeToEarnBody.example]}


def profile_body(view: ProfileView) -> StudentProfileBody:
    student = view.student
    return StudentProfileBody(
        username=view.username,
        name=view.name,
        bio=student.bio,
        avatar_url=view.avatar_url,
        time_zone=student.time_zone,
        day_start_hour=student.day_start_hour,
        time_zone_changeable_at=view.clock_changeable_at,
        total_questions_answered=student.questions_answered,
        total_exams_taken=student.exams_finished,
        total_exams_passed=student.exams_passed,
        days_active=view.days_active,
        study_streak_current=view.streak_current,
        study_streak_longest=view.streak_longest,
        study_streak_state=view.streak_state,
        last_activity_date=view.last_activity_date,
    )


def badges_body(view: BadgesView) -> BadgesBody:
    return BadgesBody(earned=[_earned(each) for each in view.earned], to_earn=[_to_earn(each) for each in view.to_earn])


def _earned(badge: Badge) -> EarnedBadgeBody:
    evidence = BadgeEvidenceBody(metric=badge.metric, value=badge.value, source_id=badge.source_id, at=badge.awarded_at)
    return EarnedBadgeBody(code=badge.code, version=badge.version, earned_at=badge.awarded_at, evidence=evidence)


def _to_earn(badge: BadgeToEarn) -> BadgeToEarnBody:
    definition = badge.definition
    return BadgeToEarnBody(
        code=definition.code,
        version=definition.version,
        metric=definition.metric,
        value=badge.value,
        threshold=definition.threshold,
    )
