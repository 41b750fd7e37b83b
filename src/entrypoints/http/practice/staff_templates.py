"""Templates of practice over HTTP, as those see them who write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from application.practice.ports.templates import TemplateReader
from application.practice.template_reading import ReadTemplate
from application.practice.template_views import TemplateView
from application.practice.templates import (
    ChangeTemplate,
    CreateTemplate,
    DeleteTemplate,
    PublishTemplate,
    UnpublishTemplate,
)
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import PackageNotFound
from domain.practice.templates import (
    ExpectedTemplate,
    NotTheAuthor,
    TemplateChanged,
    TemplateInUse,
    TemplateNotFound,
    TemplateStale,
)
from entrypoints.http.conditional import expected_version, versioned
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.practice.template_bodies import (
    ChangeTemplateRequest,
    CreateTemplateRequest,
    TemplateBody,
    TemplatePage,
    TemplateStepRequest,
    template_body,
)
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STAFF: Final[dict[str, Any]] = {"callers": (Role.INSTRUCTOR, Role.ADMIN)}
_STEP: Final[dict[str, Any]] = {
    **_STAFF,
    "refusals": (TemplateNotFound, NotTheAuthor, TemplateStale, TemplateChanged),
    "tagged": True,
}
_PackageId = Annotated[str | None, QueryParameter(name="examPackageId", max_length=64, description="Only of this one")]
_Published = Annotated[bool | None, QueryParameter(description="Only those that students see, or do not see")]
_Text = Annotated[str | None, QueryParameter(name="q", max_length=200, description="A text that occurs in the title")]


@post(
    "/instructor/practice-templates",
    summary="Write a template",
    operation_id="createPracticeTemplate",
    opt={**_STAFF, "refusals": (PackageNotFound,), "located": True, "tagged": True},
)
async def create_one(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateTemplateRequest],
    create_template: Injected[CreateTemplate],
) -> Response[TemplateBody]:
    """Write a template of practice for an exam package. Students see it once it is published."""
    content = data.content()
    return await once(request, actor, lambda: create_template(actor, data.exam_package_id, content), _created)


@get(
    "/instructor/practice-templates",
    summary="List the templates",
    operation_id="listAllPracticeTemplates",
    opt=_STAFF,
)
async def list_all(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    template_reader: Injected[TemplateReader],
    exam_package_id: _PackageId = None,
    published: _Published = None,
    q: _Text = None,
) -> Response[TemplatePage]:
    """All templates, published or not, whoever has written them, the oldest first."""
    (after,) = paging.after(str) or (None,)
    found = await template_reader.templates(
        exam_package_id=exam_package_id, published=published, text=q, after=after, limit=paging.limit + 1
    )
    return page(request, paging, found, key=lambda view: (view.template.id,), item=template_body, body=TemplatePage)


@get(
    "/instructor/practice-templates/{template_id:str}",
    summary="Read anybody's template",
    operation_id="getAnyPracticeTemplate",
    opt={**_STAFF, "refusals": (TemplateNotFound,)},
)
async def read_one(
    request: ApiRequest,
    template_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_template: Injected[ReadTemplate],
) -> Response[TemplateBody]:
    """One template with its draft, and with what is published."""
    found = await read_template(actor, template_id)
    return versioned(request, template_body(found), found.template.revision)


@patch(
    "/instructor/practice-templates/{template_id:str}",
    summary="Change a template",
    operation_id="changePracticeTemplate",
    opt=_STEP,
)
async def change_one(
    request: ApiRequest,
    template_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeTemplateRequest],
    change_template: Injected[ChangeTemplate],
) -> Response[TemplateBody]:
    """Change the draft of a template that one has written; admins change any.

    Students go on seeing what is published, and sessions keep what they were begun with.
    """
    expected = ExpectedTemplate(revision=data.expected_revision, etag=expected_version(request))
    view = await change_template(actor, template_id, data.change(), expected)
    return Response(template_body(view), headers=_tag(view))


@delete(
    "/instructor/practice-templates/{template_id:str}",
    summary="Delete a template",
    operation_id="deletePracticeTemplate",
    response_description="The template is gone, with its versions",
    opt={**_STAFF, "refusals": (TemplateNotFound, NotTheAuthor, TemplateChanged, TemplateInUse)},
)
async def delete_one(
    request: ApiRequest,
    template_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_template: Injected[DeleteTemplate],
) -> None:
    """Delete a template that one has written, as long as no session was begun from it: unpublish it otherwise."""
    await delete_template(actor, template_id, ExpectedTemplate(etag=expected_version(request)))


@post(
    "/instructor/practice-templates/{template_id:str}/publish",
    summary="Publish a template",
    operation_id="publishPracticeTemplate",
    status_code=200,
    opt=_STEP,
)
async def publish_one(
    request: ApiRequest,
    template_id: FromPath[str],
    actor: NamedDependency[Actor],
    publish_template: Injected[PublishTemplate],
    data: JSONBody[TemplateStepRequest | None] = None,
) -> Response[TemplateBody]:
    """Show students what the draft says now, as a version that never changes. Publishing the same again is no change.

    Every topic and difficulty that it names must still be there.
    """
    expected = ExpectedTemplate(revision=_revision(data), etag=expected_version(request))
    return await once(request, actor, lambda: publish_template(actor, template_id, expected), _stated)


@post(
    "/instructor/practice-templates/{template_id:str}/unpublish",
    summary="Unpublish a template",
    operation_id="unpublishPracticeTemplate",
    status_code=200,
    opt=_STEP,
)
async def unpublish_one(
    request: ApiRequest,
    template_id: FromPath[str],
    actor: NamedDependency[Actor],
    unpublish_template: Injected[UnpublishTemplate],
    data: JSONBody[TemplateStepRequest | None] = None,
) -> Response[TemplateBody]:
    """Hide a template from students. Sessions that were begun from it go on; hiding it again changes nothing."""
    expected = ExpectedTemplate(revision=_revision(data), etag=expected_version(request))
    return await once(request, actor, lambda: unpublish_template(actor, template_id, expected), _stated)


def _revision(data: TemplateStepRequest | None) -> int | None:
    return None if data is None else data.expected_revision


def _tag(view: TemplateView) -> dict[str, str]:
    return {"etag": f'"{view.template.revision}"'}


def _stated(view: TemplateView) -> Reply:
    return Reply(template_body(view), headers=_tag(view))


def _created(view: TemplateView) -> Reply:
    location = {"location": f"/instructor/practice-templates/{view.template.id}"}
    return Reply(template_body(view), headers=_tag(view) | location)


handlers: Sequence[ControllerRouterHandler] = [
    create_one,
    list_all,
    read_one,
    change_one,
    delete_one,
    publish_one,
    unpublish_one,
]
