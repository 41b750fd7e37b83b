"""How a question came to be, as staff are answered it: its versions, what changed between them, and its reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, convert

from application.question_bank.views import Difference, ReviewView, VersionSummary, VersionView
from domain.question_bank.differences import Edit, Part
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from domain.question_bank.review import Decision
from entrypoints.http.fields import PageBody, ResponseBody, When
from entrypoints.http.question_bank.content_bodies import CONTENT_EXAMPLE, QuestionContentBody, content_fields

_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"
_AUTHOR_ID = "usr_01m7y0w5089re0wwbvvzgw20sg"
_REVIEWER_ID = "usr_01m7y0w5089re0wwbvvzgw20sf"

Version: TypeAlias = Annotated[int, Meta(description="Which version this is, from 1")]
Rev: TypeAlias = Annotated[int, Meta(description="Grows with every change of the version")]
Editors: TypeAlias = Annotated[list[str], Meta(description="Everybody who wrote at the version")]
Note: TypeAlias = Annotated[str | None, Meta(description="What the last round of its review ended with, if anything")]
_Decided: TypeAlias = Annotated[When | None, Meta(description="When it was published or sent back; null: not yet")]
_VERSION_EXAMPLE: Mapping[str, Any] = {
    "version": 1,
    "status": "changes_requested",
    "rev": 3,
    "kind": "single",
    "editors": [_AUTHOR_ID],
    "createdAt": "2026-03-02T08:20:00Z",
    "updatedAt": "2026-03-03T10:00:00Z",
    "decidedAt": "2026-03-03T10:00:00Z",
}


class QuestionVersionSummary(ResponseBody):
    """A version in the history of its question."""

    version: Version
    status: VersionStatus
    rev: Rev
    kind: QuestionKind
    editors: Editors
    created_at: When
    updated_at: When
    decided_at: _Decided


class QuestionVersionPage(PageBody):
    """A page of the versions of a question."""

    items: list[QuestionVersionSummary]

    example: ClassVar[Mapping[str, Any]] = {"items": [_VERSION_EXAMPLE], "nextCursor": None}


class QuestionVersionBody(QuestionContentBody, kw_only=True):
    """A version as it was, or is."""

    question_id: str
    version: Version
    status: VersionStatus
    rev: Rev
    editors: Editors
    note: Note
    created_at: When
    updated_at: When
    decided_at: _Decided

    example: ClassVar[Mapping[str, Any]] = {
        **CONTENT_EXAMPLE,
        **_VERSION_EXAMPLE,
        "questionId": _ID,
        "note": "Option C is right as well.",
    }


class QuestionStretch(ResponseBody):
    """Words that follow each other and share one fate."""

    edit: Edit
    text: str


class QuestionVersionChange(ResponseBody):
    """One thing that changed. Numbers and yes-or-no are told as text here."""

    part: Part
    before_id: Annotated[str | None, Meta(description="Of a choice or prompt, in the version before; null: of neither")]
    after_id: Annotated[str | None, Meta(description="Of a choice or prompt, in the version after; null: of neither")]
    before: Annotated[str | None, Meta(description="Null: it was not there")]
    after: Annotated[str | None, Meta(description="Null: it is there no more")]
    words: Annotated[list[QuestionStretch], Meta(description="Word by word, where a text became another one")]


class QuestionDifference(ResponseBody):
    """What changed from one version to another, in the order of a question."""

    before: Annotated[int, Meta(description="The version that was compared with")]
    after: Annotated[int, Meta(description="The version that was asked about")]
    changes: list[QuestionVersionChange]

    example: ClassVar[Mapping[str, Any]] = {
        "before": 1,
        "after": 2,
        "changes": [
            {
                "part": "stem",
                "beforeId": None,
                "afterId": None,
                "before": "Which address is private?",
                "after": "Which address is public?",
                "words": [
                    {"edit": "same", "text": "Which address is "},
                    {"edit": "removed", "text": "private?"},
                    {"edit": "added", "text": "public?"},
                ],
            }
        ],
    }


class QuestionReview(ResponseBody):
    """One time that a version was handed in, and what was decided."""

    version: Version
    round: Annotated[int, Meta(description="Which time it was for this version, from 1")]
    submitted_by: str
    submitted_by_name: str
    submitted_at: When
    decision: Annotated[Decision | None, Meta(description="Null while it waits")]
    decided_by: Annotated[str | None, Meta(description="Null while it waits")]
    decided_by_name: Annotated[str | None, Meta(description="Null while it waits")]
    decided_at: Annotated[When | None, Meta(description="Null while it waits")]
    note: Annotated[str | None, Meta(description="What the reviewer said; null: nothing")]


class QuestionReviewList(ResponseBody):
    """The rounds of review of a question, the latest first."""

    items: list[QuestionReview]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "version": 1,
                "round": 1,
                "submittedBy": _AUTHOR_ID,
                "submittedByName": "Grace Hopper",
                "submittedAt": "2026-03-02T09:00:00Z",
                "decision": "changes_requested",
                "decidedBy": _REVIEWER_ID,
                "decidedByName": "Ada Lovelace",
                "decidedAt": "2026-03-03T10:00:00Z",
                "note": "Option C is right as well.",
            }
        ]
    }


def version_item(view: VersionSummary) -> QuestionVersionSummary:
    return convert(view, QuestionVersionSummary, from_attributes=True)


def version_body(view: VersionView) -> QuestionVersionBody:
    return QuestionVersionBody(
        **content_fields(view.content),
        question_id=view.question_id,
        version=view.version,
        status=view.status,
        rev=view.rev,
        editors=list(view.editors),
        note=view.note,
        created_at=view.created_at,
        updated_at=view.updated_at,
        decided_at=view.decided_at,
    )


def difference_body(difference: Difference) -> QuestionDifference:
    return convert(difference, QuestionDifference, from_attributes=True)


def reviews_body(reviews: Iterable[ReviewView]) -> QuestionReviewList:
    return QuestionReviewList(items=convert(list(reviews), list[QuestionReview], from_attributes=True))
