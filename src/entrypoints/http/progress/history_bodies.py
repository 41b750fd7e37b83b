"""What is answered about a student's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, convert

from application.progress.history import HistoryView
from application.progress.ports.history import LATEST_SESSIONS
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeStatus
from domain.progress.history import MOST_TOPICS, Effort, TopicEffort, Week
from entrypoints.http.fields import MarkedBody, ResponseBody, When

_Percent: TypeAlias = Annotated[
    Decimal | None, Meta(description="0 to 100, as a decimal string; null where nothing is judged")
]
_SessionPercent: TypeAlias = Annotated[
    Decimal | None,
    Meta(
        description="Marks in percent of those that its answers could earn, as a decimal string; null where nothing is"
        " answered, and as `mark`"
    ),
]


class EffortBody(MarkedBody):
    """Answers that were given. Right ones are counted of those that are judged: with deferred feedback not before the
    end of their session.
    """

    answered: Annotated[int, Meta(description="Answers that were given")]
    judged: Annotated[int, Meta(description="Answers of which it may be known whether they are right")]
    correct: Annotated[int, Meta(description="Those of the judged ones that are wholly right")]
    percent: _Percent
    time_spent_seconds: Annotated[int, Meta(description="The time that was spent on them")]


class WeekBody(EffortBody, kw_only=True):
    """The answers of a week."""

    week: Annotated[str, Meta(description="Year and number of the week (ISO 8601)")]
    starts_on: Annotated[date, Meta(description="The Monday on which it begins")]


class TopicProgress(EffortBody, kw_only=True):
    """The answers on a topic in all of the weeks, and in each of those with answers."""

    topic_id: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    name: Annotated[str | None, Meta(description="Null where there is no such topic any more, or none at all")]
    weeks: list[WeekBody]


class PracticeInHistory(MarkedBody):
    """A practice session with its score, which is null while a deferred one is not over, or when it does not count."""

    id: str
    exam_package_id: str
    status: PracticeStatus
    feedback: FeedbackMode
    served: Annotated[int, Meta(description="How many questions it has")]
    answered_count: Annotated[int, Meta(description="How many of them are answered")]
    correct_count: Annotated[
        int | None, Meta(description="How many answers are right; null while that is not to be known")
    ]
    mark: Annotated[
        Decimal | None,
        Meta(description="As a decimal string, never below zero; null while that is not to be known"),
    ]
    max_mark: Annotated[
        Decimal | None, Meta(description="What its answers could earn, as a decimal string; null as `mark`")
    ]
    percent: _SessionPercent
    started_at: When
    finished_at: Annotated[When | None, Meta(description="Null until it is over")]


class ExamInHistory(MarkedBody):
    """An exam with its result, which is null as long as it is under way, and where it does not count."""

    id: str
    exam_package_id: str
    percent: Annotated[
        Decimal | None, Meta(description="Marks in percent of those that can be had, as a decimal string")
    ]
    passed: Annotated[
        bool | None, Meta(description="Whether the pass mark was reached; null as long as there is no result")
    ]
    started_at: When
    finished_at: Annotated[When | None, Meta(description="Null until it is over")]


class ProgressBody(ResponseBody):
    """What a student did and what came of it."""

    time_zone: Annotated[str, Meta(description="Weeks are those of this time zone and of the student's start of day")]
    lifetime: EffortBody
    weeks: Annotated[list[WeekBody], Meta(description="Every week that was asked for, the earliest first")]
    topics: Annotated[
        list[TopicProgress], Meta(description=f"Of these weeks, at most {MOST_TOPICS}; those with most answers first")
    ]
    practice_sessions: Annotated[
        list[PracticeInHistory], Meta(description=f"The latest {LATEST_SESSIONS}; GET /practice-sessions lists all")
    ]
    exams: Annotated[
        list[ExamInHistory], Meta(description=f"The latest {LATEST_SESSIONS}; GET /student/exam-history tells all")
    ]
    due_count: Annotated[int, Meta(description="Questions that are due for review and can be practised now")]
    flagged_count: Annotated[int, Meta(description="Flagged questions that can be practised now")]

    example: ClassVar[Mapping[str, Any]] = {
        "timeZone": "Europe/Berlin",
        "lifetime": {"answered": 412, "judged": 402, "correct": 301, "percent": "74.88", "timeSpentSeconds": 9312},
        "weeks": [
            {
                "answered": 38,
                "judged": 28,
                "correct": 21,
                "percent": "75",
                "timeSpentSeconds": 940,
                "week": "2026-W10",
                "startsOn": "2026-03-02",
            }
        ],
        "topics": [
            {
                "answered": 12,
                "judged": 12,
                "correct": 9,
                "percent": "75",
                "timeSpentSeconds": 288,
                "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
                "name": "Addressing",
                "weeks": [
                    {
                        "answered": 12,
                        "judged": 12,
                        "correct": 9,
                        "percent": "75",
                        "timeSpentSeconds": 288,
                        "week": "2026-W10",
                        "startsOn": "2026-03-02",
                    }
                ],
            }
        ],
        "practiceSessions": [
            {
                "id": "prs_01m7y0w5089re0wwbvvzgw20sk",
                "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
                "status": "finished",
                "feedback": "immediate",
                "served": 10,
                "answeredCount": 8,
                "correctCount": 6,
                "mark": "6",
                "maxMark": "8",
                "percent": "75",
                "startedAt": "2026-03-02T08:20:00Z",
                "finishedAt": "2026-03-02T08:31:00Z",
            }
        ],
        "exams": [
            {
                "id": "exs_01m7y0w5089re0wwbvvzgw20sk",
                "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
                "percent": "77",
                "passed": True,
                "startedAt": "2026-03-02T09:00:00Z",
                "finishedAt": "2026-03-02T10:12:00Z",
            }
        ],
        "dueCount": 17,
        "flaggedCount": 3,
    }


def progress_body(view: HistoryView) -> ProgressBody:
    return ProgressBody(
        time_zone=view.time_zone,
        lifetime=EffortBody(**_effort(view.effort.lifetime)),
        weeks=[_week(week, effort) for week, effort in view.effort.weeks],
        topics=[_topic(topic, view.topic_names) for topic in view.effort.topics],
        practice_sessions=convert(view.sessions, list[PracticeInHistory], from_attributes=True),
        exams=convert(view.exams, list[ExamInHistory], from_attributes=True),
        due_count=view.due,
        flagged_count=view.flagged,
    )


def _effort(effort: Effort) -> dict[str, Any]:
    return asdict(effort) | {"percent": effort.percent}


def _week(week: Week, effort: Effort) -> WeekBody:
    return WeekBody(**_effort(effort), week=week.name, starts_on=week.monday)


def _topic(topic: TopicEffort, names: Mapping[str, str]) -> TopicProgress:
    return TopicProgress(
        **_effort(topic.effort),
        topic_id=topic.topic_id,
        name=names.get(topic.topic_id or ""),
        weeks=[_week(week, effort) for week, effort in topic.weeks],
    )
