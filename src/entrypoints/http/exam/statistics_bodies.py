"""What statistics of exams look like over HTTP. Figures are decimal strings, to ten digits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from application.exam.ports.statistics import QuestionLabel
from application.exam.statistics import StatisticsView
from domain.exam.canvas import CanvasItem, CanvasTotal, OptionStatistics
from domain.exam.item_report import FEWEST_ATTEMPTS, ItemReport, PlaceReport
from domain.exam.sampling import AttemptRule
from domain.exam.statistics import ItemStatistics, TotalStatistics
from domain.exam.suggesting import ReviewReason, reasons_for
from domain.exam.voiding import VoidMode
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.fields import MarkedBody, ResponseBody, When

_DIGITS = 10
_NOTHING = ItemStatistics(attempts=0)

Percent = Annotated[Decimal | None, Meta(description="In percent; null where it cannot be computed")]
Figure = Annotated[Decimal | None, Meta(description="Null where it cannot be computed")]
Marks = Annotated[Decimal | None, Meta(description="In marks; null where it cannot be computed")]
RightOnes = Annotated[int, Meta(description="How many attempts of that group are right")]
Share = Annotated[Decimal | None, Meta(description="From 0 to 1; null where it cannot be computed")]


class TotalFigures(MarkedBody):
    """The totals as Moodle computes them, with n−1."""

    mean: Marks
    median: Marks
    standard_deviation: Marks
    skewness: Figure
    kurtosis: Figure
    internal_consistency: Annotated[Decimal | None, Meta(description="100 times Cronbach's α, in percent")]
    error_ratio: Percent
    standard_error: Marks

    example: ClassVar[Mapping[str, Any]] = {
        "mean": "4.617333332",
        "median": "4.5",
        "standardDeviation": "0.8117265554",
        "skewness": "-0.092502502",
        "kurtosis": "-0.7073968557",
        "internalConsistency": "-87.22309355",
        "errorRatio": "136.82949",
        "standardError": "1.110681307",
    }

    @classmethod
    def of(cls, figures: TotalStatistics) -> TotalFigures:
        return cls(
            mean=told(figures.mean),
            median=told(figures.median),
            standard_deviation=told(figures.sd),
            skewness=told(figures.skewness),
            kurtosis=told(figures.kurtosis),
            internal_consistency=told(figures.consistency),
            error_ratio=told(figures.error_ratio),
            standard_error=told(figures.standard_error),
        )


class CanvasTotalFigures(MarkedBody):
    """The totals as Canvas computes them: variance of the population, and groups of the best and the worst 27 %."""

    variance: Figure
    standard_deviation: Marks
    alpha: Annotated[Decimal | None, Meta(description="Cronbach's α; of questions that are right or wrong, KR-20")]
    top: Annotated[int, Meta(description="How many attempts are among the best 27 %; whoever is level goes up")]
    middle: Annotated[int, Meta(description="How many are between")]
    bottom: Annotated[int, Meta(description="How many are among the worst 27 %")]

    example: ClassVar[Mapping[str, Any]] = {
        "variance": "0.6875",
        "standardDeviation": "0.8291561976",
        "alpha": "0.5454545455",
        "top": 3,
        "middle": 6,
        "bottom": 3,
    }

    @classmethod
    def of(cls, figures: CanvasTotal) -> CanvasTotalFigures:
        return cls(
            variance=told(figures.variance),
            standard_deviation=told(figures.sd),
            alpha=told(figures.alpha),
            top=figures.top,
            middle=figures.middle,
            bottom=figures.bottom,
        )


class OptionFigures(MarkedBody):
    """An option of the newest version that was asked: who chose it, and how that goes with the totals."""

    choice_id: str
    count: Annotated[int, Meta(description="How many attempts chose it")]
    top: Annotated[int, Meta(description="How many of the best 27 % did")]
    middle: Annotated[int, Meta(description="How many of those between did")]
    bottom: Annotated[int, Meta(description="How many of the worst 27 % did")]
    point_biserial: Annotated[Decimal | None, Meta(description="From -1 to 1; null if all or none chose it")]

    example: ClassVar[Mapping[str, Any]] = {
        "choiceId": "B",
        "count": 17,
        "top": 7,
        "middle": 8,
        "bottom": 2,
        "pointBiserial": "0.5",
    }

    @classmethod
    def of(cls, figures: OptionStatistics) -> OptionFigures:
        return cls(
            choice_id=figures.choice_id,
            count=figures.count,
            top=figures.top,
            middle=figures.middle,
            bottom=figures.bottom,
            point_biserial=told(figures.point_biserial),
        )


class CanvasItemFigures(MarkedBody):
    """A question as Canvas looks at it: among those who answered it. `top` to `bottom` count the right ones."""

    answered: Annotated[int, Meta(description="How many attempts are not blank")]
    correct: Annotated[int, Meta(description="How many of these are right")]
    difficulty: Annotated[Decimal | None, Meta(description="The share of answers that are right, blanks left out")]
    variance: Figure
    standard_deviation: Marks
    top: RightOnes
    middle: RightOnes
    bottom: RightOnes
    options: Annotated[
        list[OptionFigures],
        Meta(description="Empty where nothing is chosen, and of questions in banks that the caller may not see"),
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "answered": 24,
        "correct": 17,
        "difficulty": "0.7083333333",
        "variance": "0.2065972222",
        "standardDeviation": "0.4545296714",
        "top": 7,
        "middle": 8,
        "bottom": 2,
        "options": [OptionFigures.example],
    }

    @classmethod
    def of(cls, figures: CanvasItem, *, with_options: bool) -> CanvasItemFigures:
        return cls(
            answered=figures.answered,
            correct=figures.correct,
            difficulty=told(figures.difficulty),
            variance=told(figures.variance),
            standard_deviation=told(figures.sd),
            top=figures.top,
            middle=figures.middle,
            bottom=figures.bottom,
            options=[OptionFigures.of(each) for each in figures.options] if with_options else [],
        )


class ItemFigures(MarkedBody):
    """A figure each of how a question does, as Moodle computes them, with n−1."""

    facility: Share
    standard_deviation: Marks
    covariance: Figure
    max_covariance: Figure
    discrimination_index: Percent
    discriminative_efficiency: Percent
    effective_weight: Annotated[
        Decimal | None, Meta(description="In percent; null of a question that is drawn, see `places`, or works against")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "facility": "0.704",
        "standardDeviation": "0.4513682901",
        "covariance": "-0.02255555597",
        "maxCovariance": "0.2385555565",
        "discriminationIndex": "-7.065076753",
        "discriminativeEfficiency": "-9.455053697",
        "effectiveWeight": "21.29227423",
    }


class QuestionStatistics(ItemFigures):
    """A question of the exam. Figures are null where fewer than ten attempts were asked it."""

    question_id: str
    version: Annotated[int, Meta(description="The newest version that was asked")]
    versions: Annotated[list[int], Meta(description="All that were asked; figures are of all of them together")]
    external_id: Annotated[str | None, Meta(description="Null where the caller may not see the bank")]
    kind: Annotated[QuestionKind | None, Meta(description="Null where the caller may not see the bank")]
    topic_id: Annotated[str | None, Meta(description="Null if it has none, or the bank may not be seen")]
    stem: Annotated[str | None, Meta(description="The beginning of its text; null where the bank may not be seen")]
    section: Annotated[int, Meta(description="Of the blueprint, from 0")]
    attempts: Annotated[int, Meta(description="How many attempts were asked it")]
    max_mark: Annotated[Decimal, Meta(description="The marks that can be had; the most, where that differs")]
    several_max_marks: Annotated[bool, Meta(description="Not every attempt could earn as much")]
    drawn: Annotated[bool, Meta(description="Drawn at random: held against whole totals, itself included")]
    hidden: Annotated[bool, Meta(description="Too few attempts were asked it")]
    dubious: Annotated[bool, Meta(description="Its discriminative efficiency is below 15 %")]
    reasons: Annotated[list[ReviewReason], Meta(description="Why its newest version should be reviewed")]
    voided: Annotated[
        VoidMode | None, Meta(description="How its newest version is void, so that its marks say nothing about it")
    ]
    canvas: Annotated[CanvasItemFigures | None, Meta(description="Null if hidden")]

    example: ClassVar[Mapping[str, Any]] = {
        **ItemFigures.example,
        "questionId": "qst_01m7y0w5089re0wwbvvzgw20sm",
        "version": 2,
        "versions": [1, 2],
        "externalId": "net-017",
        "kind": "single",
        "topicId": None,
        "stem": "Which port does HTTPS use?",
        "section": 0,
        "attempts": 25,
        "maxMark": "1",
        "severalMaxMarks": False,
        "drawn": False,
        "hidden": False,
        "dubious": True,
        "reasons": ["negative_discriminator"],
        "voided": None,
        "canvas": CanvasItemFigures.example,
    }

    @classmethod
    def of(cls, item: ItemReport, label: QuestionLabel | None) -> QuestionStatistics:
        figures = item.figures or _NOTHING
        return cls(
            question_id=item.question_id,
            version=item.latest,
            versions=list(item.versions),
            external_id=None if label is None else label.external_id,
            kind=None if label is None else label.kind,
            topic_id=None if label is None else label.topic_id,
            stem=None if label is None else label.stem,
            section=item.section,
            attempts=item.attempts,
            max_mark=told(item.max_mark),
            several_max_marks=item.several_max_marks,
            drawn=item.drawn,
            hidden=item.is_hidden,
            dubious=figures.is_dubious,
            reasons=[] if item.voided else list(reasons_for(item.latest_figures or _NOTHING)),
            voided=item.voided,
            canvas=None if item.canvas is None else CanvasItemFigures.of(item.canvas, with_options=label is not None),
            **_figures(figures),
        )


class PlaceStatistics(ItemFigures):
    """A place of the paper whatever question was drawn for it: the n-th random one of its section."""

    section: Annotated[int, Meta(description="Of the blueprint, from 0")]
    number: Annotated[int, Meta(description="From 1")]

    example: ClassVar[Mapping[str, Any]] = {**ItemFigures.example, "section": 1, "number": 1}

    @classmethod
    def of(cls, place: PlaceReport) -> PlaceStatistics:
        return cls(section=place.section, number=place.number, **_figures(place.figures))


class ExamStatistics(ResponseBody):
    """How an exam and its questions do. Of fewer than ten attempts nothing is told but how many there are."""

    exam_package_id: str
    title: str
    attempts: Annotated[AttemptRule, Meta(description="Which attempts of each student count")]
    finished_attempts: Annotated[int, Meta(description="All finished attempts of the package")]
    sampled_attempts: Annotated[int, Meta(description="Those that count")]
    complete: Annotated[bool, Meta(description="False: there are more than can be looked at, these are the latest")]
    computed_at: When
    hidden: bool
    hidden_reason: Annotated[Literal["too_few_attempts"] | None, Meta(description="Null unless hidden")]
    fewest_attempts: Annotated[int, Meta(description="How many attempts it takes to be told")]
    test: Annotated[TotalFigures | None, Meta(description="Null if hidden")]
    canvas: Annotated[CanvasTotalFigures | None, Meta(description="Null if hidden")]
    items: list[QuestionStatistics]
    places: Annotated[list[PlaceStatistics], Meta(description="Only where questions are drawn at random")]

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "title": "Network+",
        "attempts": "first",
        "finishedAttempts": 31,
        "sampledAttempts": 25,
        "complete": True,
        "computedAt": "2026-05-04T10:00:00Z",
        "hidden": False,
        "hiddenReason": None,
        "fewestAttempts": FEWEST_ATTEMPTS,
        "test": TotalFigures.example,
        "canvas": CanvasTotalFigures.example,
        "items": [QuestionStatistics.example],
        "places": [],
    }

    @classmethod
    def of(cls, view: StatisticsView) -> ExamStatistics:
        report = view.report
        hidden = report.total is None
        return cls(
            exam_package_id=view.exam_package_id,
            title=view.title,
            attempts=view.rule,
            finished_attempts=view.finished,
            sampled_attempts=report.attempts,
            complete=view.complete,
            computed_at=view.computed_at,
            hidden=hidden,
            hidden_reason="too_few_attempts" if hidden else None,
            fewest_attempts=FEWEST_ATTEMPTS,
            test=None if report.total is None else TotalFigures.of(report.total),
            canvas=None if report.canvas is None else CanvasTotalFigures.of(report.canvas),
            items=[QuestionStatistics.of(item, view.labels.get(item.question_id)) for item in report.items],
            places=[PlaceStatistics.of(place) for place in report.places],
        )


def told(figure: float | None) -> Any:
    """A figure as it is told, a body's own Decimal."""
    return None if figure is None else Decimal(f"{figure:.{_DIGITS}g}")


def _figures(figures: ItemStatistics) -> dict[str, Any]:
    return {
        "facility": told(figures.facility),
        "standard_deviation": told(figures.sd),
        "covariance": told(figures.covariance),
        "max_covariance": told(figures.max_covariance),
        "discrimination_index": told(figures.discrimination_index),
        "discriminative_efficiency": told(figures.discriminative_efficiency),
        "effective_weight": told(figures.effective_weight),
    }
