"""Exams over HTTP: time that administrators grant somebody beyond what exams allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.exam.accommodating import AccommodationView, ReadAccommodation, SetAccommodation
from domain.auth.people import Actor, UserNotFound
from domain.exam.refusals import ReasonRequired
from entrypoints.http.exam.bodies import SESSION_ID
from entrypoints.http.exam.interventions import ADMINS
from entrypoints.http.exam.oversight_bodies import ADMIN_ID, USER_ID, ExamAccommodation
from entrypoints.http.exam.oversight_requests import AccommodationRequest
from entrypoints.http.fields import When
from entrypoints.http.injection import Injected


class GrantedExamAccommodation(ExamAccommodation):
    """What a student is granted for every exam that begins from now on."""

    user_id: str
    reason: Annotated[str | None, Meta(description="Why; null where nothing was ever granted")]
    updated_at: Annotated[When | None, Meta(description="Null where nothing was ever granted")]
    updated_by: Annotated[str | None, Meta(description="Null where nothing was ever granted")]
    sessions: Annotated[list[str], Meta(description="The live sessions that have it by this request")]

    example: ClassVar[Mapping[str, Any]] = {
        **ExamAccommodation.example,
        "userId": USER_ID,
        "reason": "A certificate of 2026-01-12",
        "updatedAt": "2026-03-01T15:00:00Z",
        "updatedBy": ADMIN_ID,
        "sessions": [SESSION_ID],
    }


@get(
    "/admin/users/{user_id:str}/accommodations",
    summary="Read somebody's accommodations",
    operation_id="getUserAccommodations",
    opt={"callers": ADMINS, "refusals": (UserNotFound,)},
)
async def read(
    user_id: FromPath[str], actor: NamedDependency[Actor], read_accommodation: Injected[ReadAccommodation]
) -> GrantedExamAccommodation:
    """How much more time a student has in exams: once the time and no seconds more, unless it was granted."""
    return _body(await read_accommodation(actor, user_id))


@put(
    "/admin/users/{user_id:str}/accommodations",
    summary="Grant somebody more time",
    operation_id="setUserAccommodations",
    opt={"callers": ADMINS, "refusals": (UserNotFound, ReasonRequired)},
)
async def grant(
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[AccommodationRequest],
    set_accommodation: Injected[SetAccommodation],
) -> GrantedExamAccommodation:
    """Grant a student more time in every exam that begins from now on; and, on request, in those that are live.

    It takes the place of what was granted before. No live exam ends earlier by it.
    """
    granted = await set_accommodation(
        actor, user_id, data.factor, data.extra_seconds, data.reason, apply_to_live=data.apply_to_live
    )
    return _body(granted)


def _body(view: AccommodationView) -> GrantedExamAccommodation:
    granted = view.granted
    return GrantedExamAccommodation(
        user_id=view.user_id,
        multiplier=view.accommodation.multiplier,
        extra_seconds=view.accommodation.extra_seconds,
        reason=None if granted is None else granted.reason,
        updated_at=None if granted is None else granted.updated_at,
        updated_by=None if granted is None else granted.updated_by,
        sessions=list(view.sessions),
    )


handlers: Sequence[ControllerRouterHandler] = [read, grant]
