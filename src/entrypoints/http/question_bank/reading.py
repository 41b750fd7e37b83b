"""The question bank over HTTP: reading questions, as staff and as a student."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from application.auth.claimants import Caller
from application.question_bank.listing import PublishedFilter, QuestionFilter
from application.question_bank.ports.listing import PublishedQuestionReader, QuestionListReader
from application.question_bank.reading import (
    CompareVersions,
    ListReviews,
    ListVersions,
    QuestionVersionNotFound,
    ReadPublishedQuestion,
    ReadQuestion,
    ReadVersion,
)
from application.question_bank.views import StudentQuestion
from domain.auth.people import Actor, Role
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from domain.question_bank.listing import LONGEST_QUERY
from entrypoints.http.conditional import content_tag, tagged, versioned
from entrypoints.http.exchange import Exchange
from entrypoints.http.fields import ID_PATTERN
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.question_bank.history_bodies import (
    QuestionDifference,
    QuestionReviewList,
    QuestionVersionBody,
    QuestionVersionPage,
    difference_body,
    reviews_body,
    version_body,
    version_item,
)
from entrypoints.http.question_bank.reading_bodies import (
    PublishedQuestion,
    PublishedQuestionPage,
    QuestionBody,
    QuestionPage,
    published_body,
    published_item,
    question_body,
    question_item,
)
from entrypoints.http.requests import ApiRequest

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_STAFF: Final[dict[str, Any]] = {"callers": (Role.INSTRUCTOR, Role.ADMIN)}
_ONE: Final = {**_STAFF, "refusals": (QuestionNotFound,)}
_VERSION_OF_ONE: Final = {**_STAFF, "refusals": (QuestionNotFound, QuestionVersionNotFound)}
_NUMBER: Final = re.compile("[1-9][0-9]{0,9}")
_LAST_NUMBER: Final = 2**31 - 1
_REMEMBERED: Final = 2_048
"""Questions that are written out once while they are asked for."""


def _only(name: str, what: str) -> QueryParameter:
    return QueryParameter(name=name, min_length=1, max_length=64, pattern=ID_PATTERN, description=f"Only {what}")


_Bank = Annotated[str | None, _only("questionBankId", "questions of this bank")]
_Topic = Annotated[str | None, _only("topicId", "questions of this topic")]
_Difficulty = Annotated[str | None, _only("difficultyId", "questions of this difficulty")]


@get("/instructor/questions", summary="List questions", operation_id="listQuestions", opt=_STAFF)
async def list_questions(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    question_list_reader: Injected[QuestionListReader],
    bank: _Bank = None,
    topic: _Topic = None,
    difficulty: _Difficulty = None,
    author: Annotated[str | None, _only("authorId", "questions of this author")] = None,
    kind: Annotated[QuestionKind | None, QueryParameter(description="Only questions of this kind")] = None,
    status: Annotated[
        Literal["draft", "in_review", "changes_requested", "published", "archived"] | None,
        QueryParameter(description="Only where the latest version is so; `published`: where any version is"),
    ] = None,
    tag: Annotated[str | None, QueryParameter(max_length=512, description="Only questions with this tag")] = None,
    q: Annotated[
        str | None,
        QueryParameter(
            max_length=LONGEST_QUERY,
            description='Words in text, options, tags or external id; also `"a phrase"`, `or`, `-without`',
        ),
    ] = None,
) -> Response[QuestionPage]:
    """The questions of every bank that the caller may see, the newest first. Texts are told by their beginnings.

    What waits for a decision is found by `status=in_review`.
    """
    (after,) = paging.after(str) or (None,)
    chosen = QuestionFilter(
        bank_id=bank,
        topic_id=topic,
        difficulty_id=difficulty,
        status=None if status is None else VersionStatus(status),
        author_id=author,
        kind=kind,
        tag=tag,
        text=q,
    )
    found = await question_list_reader.page(chosen, actor, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda item: (item.id,), item=question_item, body=QuestionPage)


@get("/instructor/questions/{question_id:str}", summary="Read a question", operation_id="getQuestion", opt=_ONE)
async def get_question(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_question: Injected[ReadQuestion],
) -> Response[QuestionBody]:
    """The latest version of a question with its key, and how it stands. `publishedVersion` is what students see."""
    state = await read_question(actor, question_id)
    return versioned(request, question_body(state), state.etag)


@get(
    "/instructor/questions/{question_id:str}/versions",
    summary="List the versions of a question",
    operation_id="listQuestionVersions",
    opt=_ONE,
)
async def list_versions_of(
    request: ApiRequest,
    question_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_versions: Injected[ListVersions],
) -> Response[QuestionVersionPage]:
    """Every version of a question, the newest first: who wrote at it, and what became of it."""
    (before,) = paging.after(int) or (None,)
    before = None if before is None else min(before, _LAST_NUMBER)
    found = await list_versions(actor, question_id, before=before, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.version,), item=version_item, body=QuestionVersionPage)


@get(
    "/instructor/questions/{question_id:str}/versions/{version:str}",
    summary="Read a version of a question",
    operation_id="getQuestionVersion",
    opt=_VERSION_OF_ONE,
)
async def get_version(
    request: ApiRequest,
    question_id: FromPath[str],
    version: FromPath[str],
    actor: NamedDependency[Actor],
    read_version: Injected[ReadVersion],
) -> Response[QuestionVersionBody]:
    """A version of a question with its key, whatever became of it."""
    view = await read_version(actor, question_id, _number(version))
    return versioned(request, version_body(view), view.etag)


@get(
    "/instructor/questions/{question_id:str}/versions/{version:str}/diff",
    summary="Compare versions of a question",
    operation_id="compareQuestionVersions",
    opt=_VERSION_OF_ONE,
)
async def compare(
    question_id: FromPath[str],
    version: FromPath[str],
    actor: NamedDependency[Actor],
    compare_versions: Injected[CompareVersions],
    against: Annotated[
        int | None, QueryParameter(ge=1, le=_LAST_NUMBER, description="Another version; unless told, the one before")
    ] = None,
) -> QuestionDifference:
    """What changed in a version since another one: field by field, and word by word where texts differ."""
    return difference_body(await compare_versions(actor, question_id, _number(version), against))


@get(
    "/instructor/questions/{question_id:str}/reviews",
    summary="List the reviews of a question",
    operation_id="listQuestionReviews",
    opt=_ONE,
)
async def list_reviews_of(
    question_id: FromPath[str], actor: NamedDependency[Actor], list_reviews: Injected[ListReviews]
) -> QuestionReviewList:
    """Each time that a question was handed in, the latest first: what was decided, by whom, and why."""
    return reviews_body(await list_reviews(actor, question_id))


@get("/questions", summary="List published questions", operation_id="listPublishedQuestions", opt=_STUDENTS)
async def list_published(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    published_question_reader: Injected[PublishedQuestionReader],
    package: Annotated[str | None, _only("examPackageId", "questions of this exam package")] = None,
    bank: _Bank = None,
    topic: _Topic = None,
    difficulty: _Difficulty = None,
) -> Response[PublishedQuestionPage]:
    """The published questions of the packages that the caller is enrolled in, the newest first."""
    (after,) = paging.after(str) or (None,)
    chosen = PublishedFilter(package_id=package, bank_id=bank, topic_id=topic, difficulty_id=difficulty)
    found = await published_question_reader.page(chosen, actor.user_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda item: (item.id,), item=published_item, body=PublishedQuestionPage)


@get(
    "/questions/{question_id:str}",
    summary="Read a published question",
    operation_id="getPublishedQuestion",
    opt={**_STUDENTS, "refusals": (QuestionNotFound,), "claimant": True},
)
async def get_published(
    exchange: Injected[Exchange],
    question_id: FromPath[str],
    caller: Injected[Caller],
    read_published_question: Injected[ReadPublishedQuestion],
) -> Response[PublishedQuestion]:
    """A published question of a package that the caller is enrolled in, with its options and without its key.

    The options stand in an order that is always the same and tells nothing. In a practice session the order, and of
    `ordering` and `matching` questions the ids as well, are others.
    """
    return tagged(exchange, *_written(await read_published_question(caller, question_id)))


@lru_cache(maxsize=_REMEMBERED)
def _written(view: StudentQuestion) -> tuple[bytes, str]:
    """The body and its ETag, which follow from what is seen and from nothing else."""
    content = msgspec.json.encode(published_body(view))
    return content, content_tag(content)


def _number(version: str) -> int:
    """The number of a version in a path; what is none names no version."""
    if not _NUMBER.fullmatch(version) or int(version) > _LAST_NUMBER:
        raise QuestionVersionNotFound
    return int(version)


handlers: list[ControllerRouterHandler] = [
    list_questions,
    get_question,
    list_versions_of,
    get_version,
    compare,
    list_reviews_of,
    list_published,
    get_published,
]
