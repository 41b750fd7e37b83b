"""Flagged questions over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.progress.flagging import FlagQuestion, UnflagQuestion
from application.progress.ports.flags import FlaggedQuestion, FlaggedQuestionReader
from domain.auth.people import Actor, Role
from domain.progress.flags import TooManyFlags
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from entrypoints.http.fields import ID_PATTERN, MarkedBody, MaxMark, PageBody, When
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_PackageId = Annotated[
    str | None,
    QueryParameter(
        name="examPackageId",
        min_length=1,
        max_length=64,
        pattern=ID_PATTERN,
        description="Only those of this exam package, in which the caller is or was enrolled",
    ),
]


class FlaggedQuestionSummary(MarkedBody):
    """A flagged question in a list: what gives nothing away."""

    question_id: str
    question_bank_id: str
    version: Annotated[int, Meta(description="The version that students see")]
    kind: QuestionKind
    stem: Annotated[str, Meta(description="The beginning of its text, in one line")]
    topic_id: Annotated[str | None, Meta(description="Null without a topic")]
    difficulty_id: Annotated[str | None, Meta(description="Null without a difficulty")]
    max_mark: MaxMark
    flagged_at: When


class FlaggedQuestionPage(PageBody):
    """A page of flagged questions."""

    items: list[FlaggedQuestionSummary]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "questionId": "qst_01m7y0w5089re0wwbvvzgw20sm",
                "questionBankId": "qbk_01m7y0w5089re0wwbvvzgw20sq",
                "version": 2,
                "kind": "single",
                "stem": "Which address is private?",
                "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
                "difficultyId": "dif_easy",
                "maxMark": "1",
                "flaggedAt": "2026-03-02T08:20:00Z",
            }
        ],
        "nextCursor": None,
    }


@get("/student/flagged-questions", summary="List flagged questions", operation_id="listFlaggedQuestions", opt=_STUDENTS)
async def list_flagged(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    flagged_question_reader: Injected[FlaggedQuestionReader],
    package: _PackageId = None,
) -> Response[FlaggedQuestionPage]:
    """The questions that the caller flagged and may still see, the last flagged first."""
    after: Any = paging.after(datetime, str)
    found = await flagged_question_reader.page(
        actor.user_id, exam_package_id=package, after=after, limit=paging.limit + 1
    )
    return page(request, paging, found, key=_key, item=_item, body=FlaggedQuestionPage)


@put(
    "/student/flagged-questions/{question_id:str}",
    summary="Flag a question",
    operation_id="flagQuestion",
    status_code=204,
    response_description="The question is flagged",
    opt={**_STUDENTS, "refusals": (QuestionNotFound, TooManyFlags)},
)
async def flag(
    question_id: FromPath[str], actor: NamedDependency[Actor], flag_question: Injected[FlagQuestion]
) -> None:
    """Flag a question for later practice. It is one that the caller may see: published in a package they are enrolled
    in, or asked of them before. Flagging it again changes nothing.
    """
    await flag_question(actor, question_id)


@delete(
    "/student/flagged-questions/{question_id:str}",
    summary="Take the flag off a question",
    operation_id="unflagQuestion",
    response_description="The question is not flagged",
    opt={**_STUDENTS, "refusals": (QuestionNotFound,)},
)
async def unflag(
    question_id: FromPath[str], actor: NamedDependency[Actor], unflag_question: Injected[UnflagQuestion]
) -> None:
    """Take the flag off a question. Where there is none nothing changes."""
    await unflag_question(actor, question_id)


def _key(question: FlaggedQuestion) -> tuple[datetime, str]:
    return question.flagged_at, question.question_id


def _item(question: FlaggedQuestion) -> FlaggedQuestionSummary:
    return convert(question, FlaggedQuestionSummary, from_attributes=True)


handlers: Sequence[ControllerRouterHandler] = [list_flagged, flag, unflag]
