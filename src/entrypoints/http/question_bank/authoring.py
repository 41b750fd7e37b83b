"""The question bank over HTTP: writing questions and deciding about them."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.question_bank.authoring import (
    ArchiveQuestion,
    CreateQuestion,
    DeleteQuestion,
    EditQuestion,
    RedraftQuestion,
)
from application.question_bank.reviewing import (
    ApproveQuestion,
    PublishQuestion,
    RequestChanges,
    SubmitForReview,
    WithdrawFromReview,
)
from application.question_bank.steps import QuestionState
from domain.auth.people import Actor, Role
from domain.question_bank.lifecycle import Expected
from domain.question_bank.lifecycle_refusals import (
    AlreadyDecided,
    BankNotFound,
    DifficultyUnknown,
    DirectPublishingNotAllowed,
    ExternalIdTaken,
    LockedInReview,
    NotAnEditor,
    NoteInvalid,
    OpenVersionExists,
    QuestionChanged,
    QuestionIncomplete,
    QuestionInUse,
    QuestionNotFound,
    QuestionStale,
    SelfApproval,
    TopicUnknown,
    WrongStatus,
)
from entrypoints.http.conditional import expected_version
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.question_bank.authoring_bodies import (
    ApproveQuestionRequest,
    ChangeQuestionRequest,
    CreateQuestionRequest,
    QuestionStepRequest,
    ReplaceChoicesRequest,
    RequestChangesRequest,
)
from entrypoints.http.question_bank.reading_bodies import QuestionBody, question_body
from entrypoints.http.refusals import invalid
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STAFF: Final[dict[str, Any]] = {"callers": (Role.INSTRUCTOR, Role.ADMIN)}
_ADMINS: Final[dict[str, Any]] = {"callers": (Role.ADMIN,)}
_UNREAD: Final = (QuestionNotFound, QuestionStale, QuestionChanged)
_UNEDITED: Final = (
    *_UNREAD,
    NotAnEditor,
    LockedInReview,
    WrongStatus,
    OpenVersionExists,
    TopicUnknown,
    DifficultyUnknown,
)
_UNDELETED: Final = (QuestionNotFound, QuestionChanged, NotAnEditor, QuestionInUse)


def _step(*refusals: type[Exception], callers: dict[str, Any] = _STAFF) -> dict[str, Any]:
    return {**callers, "refusals": (*_UNREAD, *refusals)}


@post(
    "/instructor/questions",
    summary="Write a question",
    operation_id="createQuestion",
    opt={**_STAFF, "refusals": (BankNotFound, ExternalIdTaken, TopicUnknown, DifficultyUnknown), "located": True},
)
async def create(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateQuestionRequest],
    create_question: Injected[CreateQuestion],
) -> Response[QuestionBody]:
    """Begin a question as a draft, which may still lack almost everything. The caller is its author."""
    return await once(request, actor, lambda: create_question(actor, data.new()), _created)


@put(
    "/instructor/questions/{question_id:str}",
    summary="Change a question",
    operation_id="changeQuestion",
    opt={**_STAFF, "refusals": _UNEDITED},
)
async def change(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeQuestionRequest],
    edit_question: Injected[EditQuestion],
) -> Response[QuestionBody]:
    """Change fields of a question: absent stays as it is. The caller is then one of the editors of the version.

    A published question gets a new draft with the change in it, and students go on seeing what is published.
    """
    expected = Expected(rev=data.expected_rev, etag=expected_version(request))
    return _answer(await edit_question(actor, question_id, data.change(), expected))


@put(
    "/instructor/questions/{question_id:str}/choices",
    summary="Replace the choices of a question",
    operation_id="replaceQuestionChoices",
    opt={**_STAFF, "refusals": _UNEDITED},
)
async def replace_choices(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ReplaceChoicesRequest],
    edit_question: Injected[EditQuestion],
) -> Response[QuestionBody]:
    """Replace all that the answers of a question are made of: choices, prompts, bands and accepted texts.

    Choices are lettered A, B, C… in the order in which they are sent. Otherwise like changing a field.
    """
    expected = Expected(rev=data.expected_rev, etag=expected_version(request))
    return _answer(await edit_question(actor, question_id, data.change(), expected))


@delete(
    "/instructor/questions/{question_id:str}",
    summary="Delete a question",
    operation_id="deleteQuestion",
    response_description="The question is gone",
    opt={**_STAFF, "refusals": _UNDELETED},
)
async def delete_own(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_question: Injected[DeleteQuestion],
) -> None:
    """Delete a question that one has written, as long as it was never published and never served."""
    await delete_question(actor, question_id, Expected(etag=expected_version(request)))


@delete(
    "/admin/questions/{question_id:str}",
    summary="Delete anybody's question",
    operation_id="deleteAnyQuestion",
    response_description="The question is gone",
    opt={**_ADMINS, "refusals": _UNDELETED},
)
async def delete_any(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_question: Injected[DeleteQuestion],
) -> None:
    """Delete a question whoever has written it, as long as it was never published and never served."""
    await delete_question(actor, question_id, Expected(etag=expected_version(request)))


@post(
    "/instructor/questions/{question_id:str}/submit-for-review",
    summary="Hand a question in for review",
    operation_id="submitQuestion",
    status_code=200,
    opt=_step(NotAnEditor, QuestionIncomplete, WrongStatus),
)
async def submit(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    submit_for_review: Injected[SubmitForReview],
    data: JSONBody[QuestionStepRequest | None] = None,
) -> Response[QuestionBody]:
    """Hand a complete draft in. Until it is decided about or withdrawn nobody changes it."""
    expected = Expected(rev=_rev(data), etag=expected_version(request))
    return await once(request, actor, lambda: submit_for_review(actor, question_id, expected), _stated)


@post(
    "/instructor/questions/{question_id:str}/withdraw",
    summary="Withdraw a question from review",
    operation_id="withdrawQuestion",
    status_code=200,
    opt=_step(NotAnEditor, WrongStatus),
)
async def withdraw(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    withdraw_from_review: Injected[WithdrawFromReview],
    data: JSONBody[QuestionStepRequest | None] = None,
) -> Response[QuestionBody]:
    """Take back what was handed in: it is a draft again."""
    expected = Expected(rev=_rev(data), etag=expected_version(request))
    return await once(request, actor, lambda: withdraw_from_review(actor, question_id, expected), _stated)


@post(
    "/instructor/questions/{question_id:str}/publish",
    summary="Publish a question without a review",
    operation_id="publishQuestion",
    status_code=200,
    opt=_step(DirectPublishingNotAllowed, QuestionIncomplete, LockedInReview, WrongStatus),
)
async def publish(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    publish_question: Injected[PublishQuestion],
    data: JSONBody[QuestionStepRequest | None] = None,
) -> Response[QuestionBody]:
    """Publish a complete draft at once. Only administrators may; what instructors write is reviewed first."""
    expected = Expected(rev=_rev(data), etag=expected_version(request))
    return await once(request, actor, lambda: publish_question(actor, question_id, expected), _stated)


@post(
    "/instructor/questions/{question_id:str}/archive",
    summary="Archive a question",
    operation_id="archiveQuestion",
    status_code=200,
    opt=_step(NotAnEditor, WrongStatus),
)
async def archive(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    archive_question: Injected[ArchiveQuestion],
    data: JSONBody[QuestionStepRequest | None] = None,
) -> Response[QuestionBody]:
    """Offer a published question no more. Sessions that have it keep it."""
    expected = Expected(rev=_rev(data), etag=expected_version(request))
    return await once(request, actor, lambda: archive_question(actor, question_id, expected), _stated)


@post(
    "/instructor/questions/{question_id:str}/draft",
    summary="Open a question again",
    operation_id="redraftQuestion",
    status_code=200,
    opt=_step(NotAnEditor, LockedInReview, OpenVersionExists),
)
async def redraft(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    redraft_question: Injected[RedraftQuestion],
    data: JSONBody[QuestionStepRequest | None] = None,
) -> Response[QuestionBody]:
    """Copy an archived question into a new draft. A published one is archived with it, which administrators may."""
    expected = Expected(rev=_rev(data), etag=expected_version(request))
    return await once(request, actor, lambda: redraft_question(actor, question_id, expected), _stated)


@post(
    "/admin/questions/{question_id:str}/approve",
    summary="Approve a question",
    operation_id="approveQuestion",
    status_code=200,
    opt=_step(SelfApproval, AlreadyDecided, QuestionIncomplete, NoteInvalid, callers=_ADMINS),
)
async def approve(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    approve_question: Injected[ApproveQuestion],
    data: JSONBody[ApproveQuestionRequest | None] = None,
) -> Response[QuestionBody]:
    """Publish what waits for a decision. The revision that was read comes as `expectedRev` or with `If-Match`.

    What one has written oneself takes an `override`, which is recorded. What is incomplete is sent back instead.
    """
    decision = data or ApproveQuestionRequest()
    expected = Expected(rev=decision.expected_rev, etag=expected_version(request))
    if expected == Expected():
        raise invalid("/expectedRev", "required", "Name the revision that was read, here or by If-Match")

    async def decide() -> QuestionState:
        return await approve_question(actor, question_id, expected, override=decision.override, note=decision.note)

    return await once(request, actor, decide, _stated)


@post(
    "/admin/questions/{question_id:str}/request-changes",
    summary="Send a question back",
    operation_id="requestQuestionChanges",
    status_code=200,
    opt=_step(AlreadyDecided, NoteInvalid, callers=_ADMINS),
)
async def send_back(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[RequestChangesRequest],
    request_changes: Injected[RequestChanges],
) -> Response[QuestionBody]:
    """Give back what waits for a decision, with a note that says what is to change."""
    expected = Expected(rev=data.expected_rev, etag=expected_version(request))
    return await once(request, actor, lambda: request_changes(actor, question_id, data.note, expected), _stated)


def _rev(data: QuestionStepRequest | None) -> int | None:
    return None if data is None else data.expected_rev


def _tag(state: QuestionState) -> dict[str, str]:
    return {"etag": f'"{state.etag}"'}


def _answer(state: QuestionState) -> Response[QuestionBody]:
    return Response(question_body(state), headers=_tag(state))


def _stated(state: QuestionState) -> Reply:
    return Reply(question_body(state), headers=_tag(state))


def _created(state: QuestionState) -> Reply:
    location = {"location": f"/instructor/questions/{state.id}"}
    return Reply(question_body(state), headers=_tag(state) | location)


handlers: list[ControllerRouterHandler] = [
    create,
    change,
    replace_choices,
    delete_own,
    delete_any,
    submit,
    withdraw,
    publish,
    archive,
    redraft,
    approve,
    send_back,
]
