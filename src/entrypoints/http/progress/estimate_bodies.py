"""What estimates of a student look like over HTTP. Shares and chances lie between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from application.progress.estimating import WeakAreaView
from domain.progress.readiness import CHANCE_DECIMALS, SCORE_DECIMALS, Readiness
from domain.progress.weak_areas import TopicClass
from entrypoints.http.fields import MarkedBody, ResponseBody

_SHARE_DECIMALS = 4
_PERCENT_DECIMALS = 2
_PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"


def decimal(value: float, places: int) -> Decimal:
    """The number as it is told, to so many places."""
    return Decimal(f"{value:.{places}f}")


class ReadinessStatus(StrEnum):
    """Whether enough is known to name a chance."""

    OK = "ok"
    INSUFFICIENT_DATA = "insufficient_data"


class ShareInterval(MarkedBody):
    """Where a share lies, as decimal strings to four places."""

    low: Annotated[Decimal, Meta(description="From this share")]
    high: Annotated[Decimal, Meta(description="To this share")]

    example: ClassVar[Mapping[str, Any]] = {"low": "0.5153", "high": "0.7781"}

    @classmethod
    def of(cls, interval: tuple[float, float]) -> ShareInterval:
        low, high = interval
        return cls(low=decimal(low, _SHARE_DECIMALS), high=decimal(high, _SHARE_DECIMALS))


class WeakAreaBody(MarkedBody):
    """Where the caller stands in a topic."""

    topic_id: str
    topic_name: str
    class_: Annotated[TopicClass, Meta(description="`unknown`: there is not enough evidence to say")] = field(
        name="class"
    )
    mean: Annotated[Decimal, Meta(description="Share that would be answered rightly, as is believed; four places")]
    interval: Annotated[ShareInterval, Meta(description="Its middle 80 %")]
    chance_below_pass_mark: Annotated[Decimal, Meta(description="How likely that share is below the pass mark")]
    weight: Annotated[Decimal, Meta(description="The topic's part of an exam; four places")]
    priority: Annotated[Decimal, Meta(description="Weight times chance below the pass mark; four places")]
    effective_answers: Annotated[Decimal, Meta(description="Answers, old and repeated ones counted less; two places")]
    answers: Annotated[int, Meta(description="Answers as they are")]
    raw_percent: Annotated[Decimal | None, Meta(description="Plain mean of all answers; null where there is none")]

    example: ClassVar[Mapping[str, Any]] = {
        "topicId": "top_01m7y0w5089re0wwbvvzgw20sg",
        "topicName": "Routing",
        "class": "developing",
        "mean": "0.6429",
        "interval": {"low": "0.4744", "high": "0.8025"},
        "chanceBelowPassMark": "0.794",
        "weight": "0.25",
        "priority": "0.1985",
        "effectiveAnswers": "10",
        "answers": 10,
        "rawPercent": "70",
    }

    @classmethod
    def of(cls, view: WeakAreaView) -> WeakAreaBody:
        area = view.area
        return cls(
            topic_id=area.topic_id,
            topic_name=area.name,
            class_=area.class_,
            mean=decimal(area.belief.mean, _SHARE_DECIMALS),
            interval=ShareInterval.of(view.interval),
            chance_below_pass_mark=decimal(area.p_below, _SHARE_DECIMALS),
            weight=decimal(area.weight, _SHARE_DECIMALS),
            priority=decimal(area.priority, _SHARE_DECIMALS),
            effective_answers=decimal(area.belief.effective, _PERCENT_DECIMALS),
            answers=area.answers,
            raw_percent=None if area.raw is None else decimal(100 * area.raw, _PERCENT_DECIMALS),
        )


class WeakAreasBody(ResponseBody):
    """Every topic of an exam package, the most urgent first."""

    exam_package_id: str
    items: list[WeakAreaBody]

    example: ClassVar[Mapping[str, Any]] = {"examPackageId": _PACKAGE_ID, "items": [WeakAreaBody.example]}


class ScoreInterval(ResponseBody):
    """From so many right answers to so many."""

    low: Annotated[int, Meta(description="Right answers at least")]
    high: Annotated[int, Meta(description="Right answers at most")]


class ReadinessBody(MarkedBody):
    """How likely the caller would pass an exam of the package today. Without enough data no number is named."""

    exam_package_id: str
    status: ReadinessStatus
    coverage: Annotated[
        Decimal, Meta(description="The part of an exam in whose topics enough is known; below 0.6 no number is named")
    ]
    questions: Annotated[int, Meta(description="How many questions the exam is expected to have")]
    questions_needed: Annotated[int, Meta(description="How many of them have to be answered rightly")]
    pass_probability: Annotated[Decimal | None, Meta(description="To three places")]
    expected_score: Annotated[Decimal | None, Meta(description="Right answers to be expected, to one place")]
    score_interval: Annotated[ScoreInterval | None, Meta(description="The middle 80 % of right answers")]
    uncalibrated: Annotated[
        bool,
        Meta(
            description="At least 200 chances shown about this exam package are known to have been too extreme or"
            " too timid: whoever shows the number has to say so"
        ),
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": _PACKAGE_ID,
        "status": "ok",
        "coverage": "1",
        "questions": 20,
        "questionsNeeded": 15,
        "passProbability": "0.688",
        "expectedScore": "15.5",
        "scoreInterval": {"low": 12, "high": 18},
        "uncalibrated": False,
    }


def weak_areas_body(exam_package_id: str, areas: Sequence[WeakAreaView]) -> WeakAreasBody:
    return WeakAreasBody(exam_package_id=exam_package_id, items=[WeakAreaBody.of(view) for view in areas])


def readiness_body(exam_package_id: str, readiness: Readiness) -> ReadinessBody:
    outlook = readiness.outlook
    return ReadinessBody(
        exam_package_id=exam_package_id,
        status=ReadinessStatus.INSUFFICIENT_DATA if outlook is None else ReadinessStatus.OK,
        coverage=decimal(readiness.coverage, CHANCE_DECIMALS),
        questions=readiness.questions,
        questions_needed=readiness.need,
        pass_probability=None if outlook is None else decimal(outlook.p_pass, CHANCE_DECIMALS),
        expected_score=None if outlook is None else decimal(outlook.expected, SCORE_DECIMALS),
        score_interval=None if outlook is None else ScoreInterval(low=outlook.lowest, high=outlook.highest),
        uncalibrated=readiness.uncalibrated,
    )
