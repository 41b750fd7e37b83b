"""Over HTTP: whether readiness keeps its word."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.progress.calibrating import ReadCalibration
from domain.auth.people import Actor, Role
from domain.progress.calibration import Band, Calibration
from entrypoints.http.fields import ID_PATTERN, MarkedBody
from entrypoints.http.injection import Injected
from entrypoints.http.progress.estimate_bodies import ShareInterval, decimal

_PLACES = 4
_PackageId = Annotated[
    str | None,
    QueryParameter(
        name="examPackageId",
        min_length=1,
        max_length=64,
        pattern=ID_PATTERN,
        description="Only predictions about this exam package",
    ),
]


class CalibrationBand(MarkedBody):
    """Predictions whose chance lies within a tenth: what was said, and what became of it."""

    low: Annotated[Decimal, Meta(description="From here on")]
    high: Annotated[Decimal, Meta(description="Until below this; the last band includes 1")]
    count: Annotated[int, Meta(description="How many predictions with a known outcome")]
    predicted: Annotated[Decimal | None, Meta(description="Mean of the chances; null where there are none")]
    observed: Annotated[Decimal | None, Meta(description="Share that passed; null where there are none")]
    interval: Annotated[ShareInterval, Meta(description="Where the true share lies, at 95 % (Wilson)")]

    example: ClassVar[Mapping[str, Any]] = {
        "low": "0.7",
        "high": "0.8",
        "count": 42,
        "predicted": "0.7512",
        "observed": "0.7619",
        "interval": {"low": "0.6147", "high": "0.8649"},
    }

    @classmethod
    def of(cls, band: Band) -> CalibrationBand:
        return cls(
            low=decimal(band.low, 1),
            high=decimal(band.high, 1),
            count=band.count,
            predicted=_told(band.predicted),
            observed=_told(band.observed),
            interval=ShareInterval.of((band.lowest, band.highest)),
        )


class CalibrationBody(MarkedBody):
    """How the chances that students were shown compare with how their exams went."""

    exam_package_id: Annotated[str | None, Meta(description="Null: of all exam packages")]
    pairs: Annotated[int, Meta(description="Predictions whose exam has been sat")]
    passed: Annotated[int, Meta(description="How many of these exams were passed")]
    brier_score: Annotated[
        Decimal | None, Meta(description="Mean squared error: 0 is perfect, 0.25 a coin; null without pairs")
    ]
    slope: Annotated[
        Decimal | None,
        Meta(description="1 is right, below it chances were too extreme, above it too timid; null: undetermined"),
    ]
    uncalibrated: Annotated[
        bool, Meta(description="At least 200 pairs and a slope outside 0.8 to 1.2: readers have to be told")
    ]
    bands: list[CalibrationBand]

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": None,
        "pairs": 412,
        "passed": 268,
        "brierScore": "0.1734",
        "slope": "0.9312",
        "uncalibrated": False,
        "bands": [CalibrationBand.example],
    }


@get(
    "/admin/analytics/readiness-calibration",
    summary="Read how readiness is calibrated",
    operation_id="getReadinessCalibration",
    opt={"callers": (Role.ADMIN,)},
)
async def get_calibration(
    actor: NamedDependency[Actor], read_calibration: Injected[ReadCalibration], package: _PackageId = None
) -> CalibrationBody:
    """Whether the chances to pass that students were shown came true: Brier score, slope, and a table by tenths."""
    return _body(package, await read_calibration(actor, package))


def _body(package: str | None, found: Calibration) -> CalibrationBody:
    return CalibrationBody(
        exam_package_id=package,
        pairs=found.pairs,
        passed=found.passed,
        brier_score=_told(found.brier),
        slope=_told(found.slope),
        uncalibrated=found.is_uncalibrated,
        bands=[CalibrationBand.of(band) for band in found.bands],
    )


def _told(value: float | None) -> Decimal | None:
    return None if value is None else decimal(value, _PLACES)


handlers: list[ControllerRouterHandler] = [get_calibration]
