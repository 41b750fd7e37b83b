"""A student's profile and badges over HTTP."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from application.progress.badges import ListBadges
from application.progress.profile import ChangeStudentProfile, ReadStudentProfile
from domain.auth.people import Actor, Role, UsernameTaken, UserNotFound
from domain.progress.profile import ProfileChanged, TimeZoneChangedRecently
from entrypoints.http.conditional import expected_version, personal
from entrypoints.http.injection import Injected
from entrypoints.http.progress.profile_bodies import (
    BadgesBody,
    ChangeStudentProfileRequest,
    StudentProfileBody,
    badges_body,
    profile_body,
)
from entrypoints.http.requests import ApiRequest

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}


@get(
    "/student/profile",
    summary="Read one's profile",
    operation_id="getStudentProfile",
    opt={**_STUDENTS, "refusals": (UserNotFound,)},
)
async def read_own_profile(
    actor: NamedDependency[Actor], read_student_profile: Injected[ReadStudentProfile]
) -> Response[StudentProfileBody]:
    """What the caller says about themselves, what they have done so far, and how their streak stands today."""
    view = await read_student_profile(actor)
    return personal(profile_body(view), view.version)


@patch(
    "/student/profile",
    summary="Change one's profile",
    operation_id="changeStudentProfile",
    opt={**_STUDENTS, "refusals": (UserNotFound, UsernameTaken, TimeZoneChangedRecently, ProfileChanged)},
)
async def change_own_profile(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeStudentProfileRequest],
    change_student_profile: Injected[ChangeStudentProfile],
) -> Response[StudentProfileBody]:
    """Change the own profile. Time zone and start of the day change once in 24 hours; credited days stay as they are.

    `If-Match` asks for the profile that was read; what was counted since does not outdate it.
    """
    view = await change_student_profile(actor, data.change(), expected_version(request))
    return personal(profile_body(view), view.version)


@get("/student/badges", summary="List one's badges", operation_id="listBadges", opt=_STUDENTS)
async def list_own_badges(actor: NamedDependency[Actor], list_badges: Injected[ListBadges]) -> BadgesBody:
    """The badges that the caller has earned, with the evidence, and those still to earn, with how far they are."""
    return badges_body(await list_badges(actor))


handlers: list[ControllerRouterHandler] = [read_own_profile, change_own_profile, list_own_badges]
