"""A student's history over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from application.progress.history import ReadProgress
from domain.auth.people import Actor, Role
from domain.progress.history import DEFAULT_WEEKS, MOST_WEEKS
from entrypoints.http.fields import ID_PATTERN
from entrypoints.http.injection import Injected
from entrypoints.http.progress.history_bodies import ProgressBody, progress_body


@get("/student/progress", summary="Read own progress", operation_id="getProgress", opt={"callers": (Role.STUDENT,)})
async def get_progress(
    actor: NamedDependency[Actor],
    read_progress: Injected[ReadProgress],
    package: Annotated[
        str | None,
        QueryParameter(
            name="examPackageId",
            min_length=1,
            max_length=64,
            pattern=ID_PATTERN,
            description="Only what belongs to this exam package",
        ),
    ] = None,
    weeks: Annotated[
        int, QueryParameter(ge=1, le=MOST_WEEKS, description="How many weeks, the current one included")
    ] = DEFAULT_WEEKS,
) -> ProgressBody:
    """What the caller did, as a whole and week by week, how much of it was right, and what can be practised next.

    Weeks are those of the caller's profile: its time zone, and the hour at which a day begins there.
    """
    return progress_body(await read_progress(actor, exam_package_id=package, weeks=weeks))


handlers: Sequence[ControllerRouterHandler] = [get_progress]
