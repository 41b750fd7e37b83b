"""Exams over HTTP: their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from application.exam.statistics import ReadStatistics, StatisticsNotReady, StatisticsView
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import PackageNotFound
from domain.exam.sampling import AttemptRule
from entrypoints.http.exam.statistics_bodies import ExamStatistics
from entrypoints.http.exam.statistics_file import StatisticsTable, csv_of
from entrypoints.http.injection import Injected

_REFUSALS: Final = (PackageNotFound, StatisticsNotReady)
_CSV: Final = "text/csv"


class StatisticsFormat(StrEnum):
    """`json` has everything, `csv` one table of it."""

    JSON = "json"
    CSV = "csv"


_Rule = Annotated[
    AttemptRule, QueryParameter(name="attempts", description="Which finished attempts of each student count")
]
_Format = Annotated[StatisticsFormat, QueryParameter(name="format", description="`csv`: one table, see `table`")]
_Table = Annotated[
    StatisticsTable,
    QueryParameter(
        name="table",
        description="Of `csv`: a row for each question, one of the test as a whole, or one for each option of each "
        "question. `hidden-reason` says why a row tells nothing",
    ),
]


@get(
    "/instructor/exam-packages/{exam_package_id:str}/statistics",
    summary="Read the statistics of an exam",
    operation_id="getExamStatistics",
    opt={"callers": (Role.INSTRUCTOR, Role.ADMIN), "refusals": _REFUSALS, "also_as": (_CSV,)},
)
async def get_for_staff(
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_exam_statistics: Injected[ReadStatistics],
    rule: _Rule = AttemptRule.FIRST,
    as_format: _Format = StatisticsFormat.JSON,
    table: _Table = StatisticsTable.ITEMS,
) -> Response[ExamStatistics]:
    """How an exam and its questions do: facility, discrimination and reliability as Moodle computes them; difficulty,
    groups and point-biserials of options as Canvas does.

    Of fewer than ten attempts nothing is told. Figures are kept for up to 15 minutes; `computedAt` says from when.
    """
    return _answer(await read_exam_statistics(actor, exam_package_id, rule), as_format, table)


@get(
    "/admin/exam-packages/{exam_package_id:str}/statistics",
    summary="Read the statistics of any exam",
    operation_id="getExamStatisticsForAdmins",
    opt={"callers": (Role.ADMIN,), "refusals": _REFUSALS, "also_as": (_CSV,)},
)
async def get_for_admins(
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_exam_statistics: Injected[ReadStatistics],
    rule: _Rule = AttemptRule.FIRST,
    as_format: _Format = StatisticsFormat.JSON,
    table: _Table = StatisticsTable.ITEMS,
) -> Response[ExamStatistics]:
    """The same as at the instructors' portal, of questions in every bank."""
    return _answer(await read_exam_statistics(actor, exam_package_id, rule), as_format, table)


def _answer(view: StatisticsView, as_format: StatisticsFormat, table: StatisticsTable) -> Response[Any]:
    headers = {"cache-control": "no-store"}
    if as_format is StatisticsFormat.JSON:
        return Response(ExamStatistics.of(view), headers=headers)
    name = f"{view.exam_package_id}-statistics{'' if table is StatisticsTable.ITEMS else f'-{table}'}"
    headers["content-disposition"] = f'attachment; filename="{name}.csv"'
    return Response(csv_of(view, table), media_type=_CSV, headers=headers)


handlers: Sequence[ControllerRouterHandler] = [get_for_staff, get_for_admins]
