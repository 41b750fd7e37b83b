"""Templates of practice over HTTP, as students see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from application.practice.ports.templates import TemplateReader
from application.practice.template_reading import ReadOfferedTemplate
from domain.auth.people import Actor, Role
from domain.practice.templates import TemplateNotFound
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.practice.template_bodies import OfferedTemplateBody, OfferedTemplatePage, offered_template_body
from entrypoints.http.requests import ApiRequest

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_PackageId = Annotated[str | None, QueryParameter(name="examPackageId", max_length=64, description="Only of this one")]


@get("/practice-templates", summary="List the templates", operation_id="listPracticeTemplates", opt=_STUDENTS)
async def list_offered(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    template_reader: Injected[TemplateReader],
    exam_package_id: _PackageId = None,
) -> Response[OfferedTemplatePage]:
    """What is published for the exam packages that the caller is enrolled in now, the oldest first."""
    (after,) = paging.after(str) or (None,)
    found = await template_reader.offered_templates(
        actor.user_id, exam_package_id=exam_package_id, after=after, limit=paging.limit + 1
    )
    return page(
        request,
        paging,
        found,
        key=lambda version: (version.template_id,),
        item=offered_template_body,
        body=OfferedTemplatePage,
    )


@get(
    "/practice-templates/{template_id:str}",
    summary="Read a template",
    operation_id="getPracticeTemplate",
    opt={**_STUDENTS, "refusals": (TemplateNotFound,)},
)
async def read_offered(
    template_id: FromPath[str], actor: NamedDependency[Actor], read_offered_template: Injected[ReadOfferedTemplate]
) -> OfferedTemplateBody:
    """A template that is published for an exam package of the caller's."""
    return offered_template_body(await read_offered_template(actor, template_id))


handlers: Sequence[ControllerRouterHandler] = [list_offered, read_offered]
