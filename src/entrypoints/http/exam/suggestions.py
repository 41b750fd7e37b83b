"""Exams over HTTP: questions that their statistics find wanting, for those who review questions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.exam.ports.statistics import SuggestionView, WantedSuggestions
from application.exam.suggestions import DismissReviewSuggestion, ListReviewSuggestions
from domain.auth.people import Actor, Role
from domain.exam.suggesting import LONGEST_REASON, ReviewReason, Suggestion, SuggestionNotFound
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import NotAnEditor
from entrypoints.http.fields import ID_PATTERN, PageBody, RequestBody, ResponseBody, When
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest

_NUMBER = re.compile("[1-9][0-9]{0,9}")
_LAST_NUMBER = 2**31 - 1


class DismissSuggestionRequest(RequestBody):
    """Why the question may stay as it is."""

    reason: Annotated[
        Annotated[str, Meta(max_length=LONGEST_REASON)] | None, Meta(description="Null or left out: none is given")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {"reason": "It is meant to be this easy."}


class SuggestionFigures(ResponseBody):
    """What the reasons follow from: facility from 0 to 1, the others in percent, as decimal strings."""

    facility: Annotated[str | None, Meta(description="Share of the marks that was earned; null: cannot be computed")]
    discrimination_index: Annotated[str | None, Meta(description="In percent; null where it cannot be computed")]
    discriminative_efficiency: Annotated[str | None, Meta(description="In percent; null where it cannot be computed")]


class ReviewSuggestion(ResponseBody):
    """A version of a question that should be looked at, for what it came to in the exams of a package."""

    exam_package_id: str
    question_id: str
    version: Annotated[int, Meta(description="The version of the question, from 1")]
    reasons: list[ReviewReason]
    figures: SuggestionFigures
    attempts: Annotated[int, Meta(description="How many first attempts were asked this version")]
    suggested_at: When
    dismissed_at: Annotated[When | None, Meta(description="Null while nobody has dismissed it")]
    dismissed_by: Annotated[str | None, Meta(description="The person; null while nobody has dismissed it")]
    dismiss_reason: Annotated[str | None, Meta(description="Null if none was given")]

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "questionId": "qst_01m7y0w5089re0wwbvvzgw20sm",
        "version": 2,
        "reasons": ["very_hard", "poor_discriminator"],
        "figures": {"facility": "0.12", "discriminationIndex": "4.1", "discriminativeEfficiency": "6.02"},
        "attempts": 25,
        "suggestedAt": "2026-05-04T04:13:00Z",
        "dismissedAt": None,
        "dismissedBy": None,
        "dismissReason": None,
    }


class ListedSuggestion(ReviewSuggestion):
    """A suggestion with the question that it is about."""

    external_id: str
    kind: QuestionKind
    topic_id: Annotated[str | None, Meta(description="Null if it has none")]
    stem: Annotated[str, Meta(description="The beginning of its text")]

    example: ClassVar[Mapping[str, Any]] = {
        **ReviewSuggestion.example,
        "externalId": "net-017",
        "kind": "single",
        "topicId": None,
        "stem": "Which port does HTTPS use?",
    }


class ReviewSuggestionPage(PageBody):
    """A page of suggestions, the newest first."""

    items: list[ListedSuggestion]

    example: ClassVar[Mapping[str, Any]] = {"items": [ListedSuggestion.example], "nextCursor": None}


@get(
    "/instructor/review-suggestions",
    summary="List questions that should be reviewed",
    operation_id="listReviewSuggestions",
    opt={"callers": (Role.INSTRUCTOR, Role.ADMIN)},
)
async def list_all(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_review_suggestions: Injected[ListReviewSuggestions],
    exam_package_id: Annotated[
        str | None,
        QueryParameter(
            name="examPackageId",
            min_length=1,
            max_length=64,
            pattern=ID_PATTERN,
            description="Only what the exams of this package say",
        ),
    ] = None,
    reason: Annotated[ReviewReason | None, QueryParameter(description="Only those with this reason")] = None,
) -> Response[ReviewSuggestionPage]:
    """Published questions that came out too hard, too easy, or not discriminating in exams, and were not dismissed.

    Every night the first attempts of all students are looked at anew. What waits for a decision about its text is
    listed by `GET /instructor/questions?status=in_review`.
    """
    wanted = WantedSuggestions(exam_package_id=exam_package_id, reason=reason)
    after = paging.after(datetime, str, str, int)
    found = await list_review_suggestions(actor, wanted, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=_place, item=_listed, body=ReviewSuggestionPage)


@post(
    "/instructor/review-suggestions/{exam_package_id:str}/{question_id:str}/{version:str}/dismiss",
    summary="Dismiss a suggestion",
    operation_id="dismissReviewSuggestion",
    status_code=200,
    opt={"callers": (Role.INSTRUCTOR, Role.ADMIN), "refusals": (SuggestionNotFound, NotAnEditor)},
)
async def dismiss_one(
    exam_package_id: FromPath[str],
    question_id: FromPath[str],
    version: FromPath[str],
    actor: NamedDependency[Actor],
    dismiss_review_suggestion: Injected[DismissReviewSuggestion],
    data: JSONBody[DismissSuggestionRequest | None] = None,
) -> ReviewSuggestion:
    """Say that this version of a question may stay as it is: it is not suggested again, whatever later exams say.

    By whoever may change the question. Doing it again changes nothing and keeps the first reason.
    """
    if not _NUMBER.fullmatch(version) or int(version) > _LAST_NUMBER:
        raise SuggestionNotFound
    key = (exam_package_id, question_id, int(version))
    reason = None if data is None else (data.reason or "").strip() or None
    return ReviewSuggestion(**_said(await dismiss_review_suggestion(actor, key, reason)))


def _place(view: SuggestionView) -> tuple[datetime, str, str, int]:
    return (view.suggestion.suggested_at, *view.suggestion.key)


def _listed(view: SuggestionView) -> ListedSuggestion:
    label = view.label
    return ListedSuggestion(
        external_id=label.external_id,
        kind=label.kind,
        topic_id=label.topic_id,
        stem=label.stem,
        **_said(view.suggestion),
    )


def _said(suggestion: Suggestion) -> dict[str, Any]:
    figures = suggestion.figures
    return {
        "exam_package_id": suggestion.exam_package_id,
        "question_id": suggestion.question_id,
        "version": suggestion.version,
        "reasons": list(suggestion.reasons),
        "figures": SuggestionFigures(
            facility=figures.get("facility"),
            discrimination_index=figures.get("discriminationIndex"),
            discriminative_efficiency=figures.get("discriminativeEfficiency"),
        ),
        "attempts": suggestion.attempts,
        "suggested_at": suggestion.suggested_at,
        "dismissed_at": suggestion.dismissed_at,
        "dismissed_by": suggestion.dismissed_by,
        "dismiss_reason": suggestion.dismiss_reason,
    }


handlers: Sequence[ControllerRouterHandler] = [list_all, dismiss_one]
