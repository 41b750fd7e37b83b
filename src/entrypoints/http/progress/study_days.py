"""Days of study over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.progress.study_days import ReadStudyDays, StudyDaysView
from domain.auth.people import Actor, Role
from domain.progress.calendar import USUAL_DAYS
from entrypoints.http.fields import EARLIEST, LATEST, ResponseBody
from entrypoints.http.injection import Injected
from entrypoints.http.refusals import invalid


class StudyDaysBody(ResponseBody):
    """Days of study, for a calendar."""

    first: Annotated[date, Meta(description="The first day that is told of")] = field(name="from")
    last: Annotated[date, Meta(description="The last day that is told of")] = field(name="to")
    today: Annotated[date, Meta(description="Which day it is for the caller")]
    time_zone: Annotated[str, Meta(description="The zone in which it is that day")]
    days: Annotated[list[date], Meta(description="The days of study among them, in order")]

    example: ClassVar[Mapping[str, Any]] = {
        "from": "2026-03-01",
        "to": "2026-03-31",
        "today": "2026-03-12",
        "timeZone": "Europe/London",
        "days": ["2026-03-02", "2026-03-03", "2026-03-11"],
    }

    @classmethod
    def of(cls, view: StudyDaysView) -> StudyDaysBody:
        return cls(
            first=view.stretch.first,
            last=view.stretch.last,
            today=view.today,
            time_zone=view.time_zone,
            days=list(view.days),
        )


@get(
    "/student/study-days",
    summary="List one's days of study",
    operation_id="listStudyDays",
    opt={"callers": (Role.STUDENT,)},
)
async def list_study_days(
    actor: NamedDependency[Actor],
    read_study_days: Injected[ReadStudyDays],
    first: Annotated[
        date | None,
        QueryParameter(name="from", description=f"The first day; without it the {USUAL_DAYS} days up to `to`"),
    ] = None,
    last: Annotated[
        date | None,
        QueryParameter(name="to", description=f"The last day; without it {USUAL_DAYS} days, or those up to today"),
    ] = None,
) -> StudyDaysBody:
    """The days on which the caller studied, at most 400 days at once.

    A day is the caller's own, in the time zone of that moment: a later change of zone moves none.
    """
    return StudyDaysBody.of(await read_study_days(actor, _day("from", first), _day("to", last)))


def _day(name: str, value: date | None) -> date | None:
    if value is not None and not EARLIEST.date() <= value < LATEST.date():
        raise invalid(f"?{name}", "out_of_range", "Expected a day from 2000 to 2099")
    return value


handlers: Sequence[ControllerRouterHandler] = [list_study_days]
