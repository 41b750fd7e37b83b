"""Practice over HTTP: what became of a session, as it is told: the review and the summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta, convert

from application.practice.views import ReviewItem, SummaryView
from domain.practice.sessions import PracticeStatus
from domain.question_bank.certainty import Calibration, Certainty, Judgement
from domain.question_bank.totals import percent_of
from entrypoints.http.fields import MarkedBody, MaxMark, ResponseBody
from entrypoints.http.practice.answers import (
    AcceptedTexts,
    CertaintyMark,
    CorrectChoices,
    CorrectOrder,
    CorrectPairs,
    CorrectValues,
    PracticeExplanation,
    PracticeFeedback,
    PracticeResponse,
)
from entrypoints.http.practice.bodies import SESSION_ID, AnsweredCount, CorrectCount, PracticeQuestion, flat

_MarkIfKnown = Annotated[Decimal | None, Meta(description="Marks, as a decimal string; null while that is deferred")]
_Percent = Annotated[
    Decimal | None,
    Meta(description="`mark` in percent of `maxMark`; null where nothing is answered, and while that is deferred"),
]
_Seconds = Annotated[int, Meta(description="How many seconds it took; of each wait for an answer at most 300 count")]
_CertaintyTotal = Annotated[
    Decimal | None,
    Meta(description="Marks by certainty, never below zero; null while deferred, and where it is not asked for"),
]
_CertaintyMax = Annotated[
    Decimal | None,
    Meta(description="The most that certainty could earn: three times `maxMark`; null where it is not asked for"),
]
_Served = Annotated[int, Meta(description="How many questions there are")]


class PracticeReviewItem(PracticeQuestion):
    """A question after the fact; without an answer `correct` and the marks are null."""

    correct: Annotated[bool | None, Meta(description="Whether the answer is wholly right; null without one")]
    mark: Annotated[Decimal | None, Meta(description="Marks, as a decimal string; null without an answer")]
    certainty_mark: CertaintyMark
    time_spent_seconds: _Seconds
    correct_choice_ids: CorrectChoices
    correct_order: CorrectOrder
    correct_pairs: CorrectPairs
    correct_values: CorrectValues
    accepted_texts: AcceptedTexts
    explanations: list[PracticeExplanation]


class PracticeReview(ResponseBody):
    """The questions that may be reviewed now, with keys and explanations."""

    items: list[PracticeReviewItem]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                **PracticeQuestion.example,
                **PracticeFeedback.example,
                "response": PracticeResponse.example,
                "answeredAt": "2026-03-02T09:00:24Z",
                "timeSpentSeconds": 24,
            }
        ]
    }


class PracticeCalibration(MarkedBody):
    """What was answered with one certainty, and whether the share of right answers fits it."""

    certainty: Certainty
    answered: AnsweredCount
    correct: Annotated[int, Meta(description="How many of them are wholly right")]
    percent: Annotated[Decimal | None, Meta(description="What they earned, in percent; null without answers")]
    judgement: Annotated[Judgement | None, Meta(description="Null without answers")]
    fits_from_percent: Annotated[Decimal, Meta(description="From which percentage on this certainty pays best")]
    fits_to_percent: Annotated[Decimal, Meta(description="Up to which percentage this certainty pays best")]


class PracticeTopicSummary(MarkedBody):
    """What a session says about one topic."""

    topic_id: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    name: Annotated[str | None, Meta(description="Null: the questions that have no topic")]
    served: _Served
    answered: AnsweredCount
    correct: CorrectCount
    mark: _MarkIfKnown
    max_mark: MaxMark
    percent: _Percent
    certainty_mark: _CertaintyTotal
    certainty_max_mark: _CertaintyMax
    time_spent_seconds: _Seconds


class PracticeSummary(MarkedBody):
    """A session in numbers. Marks are over the answered questions; a skipped one does not count.

    What is lost on one question is taken from what others earn, but no total is below zero, neither the whole nor that
    of a topic.

    `correct`, the marks and `percent` are null while a deferred session is not over. Where certainty is asked for,
    `calibration` tells then whether the student was as sure as it was right to be.
    """

    id: str
    status: PracticeStatus
    served: _Served
    answered: AnsweredCount
    correct: CorrectCount
    mark: _MarkIfKnown
    max_mark: MaxMark
    percent: _Percent
    certainty_mark: _CertaintyTotal
    certainty_max_mark: _CertaintyMax
    time_spent_seconds: _Seconds
    topics: list[PracticeTopicSummary]
    calibration: Annotated[
        list[PracticeCalibration] | None, Meta(description="Null while deferred, and where certainty is not asked for")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "status": "finished",
        "served": 10,
        "answered": 8,
        "correct": 6,
        "mark": "6",
        "maxMark": "8",
        "percent": "75",
        "certaintyMark": None,
        "certaintyMaxMark": None,
        "timeSpentSeconds": 312,
        "topics": [
            {
                "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
                "name": "Addressing",
                "served": 10,
                "answered": 8,
                "correct": 6,
                "mark": "6",
                "maxMark": "8",
                "percent": "75",
                "certaintyMark": None,
                "certaintyMaxMark": None,
                "timeSpentSeconds": 312,
            }
        ],
        "calibration": None,
    }


def review_body(items: Iterable[ReviewItem]) -> PracticeReview:
    shown = [flat(item.question, item, item.revelation) for item in items]
    return PracticeReview(items=convert(shown, list[PracticeReviewItem], from_attributes=True))


def summary_body(view: SummaryView) -> PracticeSummary:
    topics = [flat(topic, topic.tally) for topic in view.summary.topics]
    whole = flat(view.session, view.summary, view.summary.overall)
    whole.topics = topics
    whole.calibration = view.summary.calibration and [_calibration(row) for row in view.summary.calibration]
    return convert(whole, PracticeSummary, from_attributes=True)


def _calibration(row: Calibration) -> PracticeCalibration:
    return PracticeCalibration(
        certainty=row.certainty,
        answered=row.answered,
        correct=row.right,
        percent=None if row.right_share is None else percent_of(row.right_share),
        judgement=row.judgement,
        fits_from_percent=percent_of(row.fits_from),
        fits_to_percent=percent_of(row.fits_to),
    )
