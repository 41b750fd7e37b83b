"""The question bank over HTTP: near duplicates of an import."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.question_bank.near_duplicates import ComparisonNotFound, ReadNearDuplicates
from application.question_bank.ports.near_duplicates import NearDuplicate
from domain.auth.people import Actor, Role
from entrypoints.http.fields import MarkedBody, PageBody, ResponseBody
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest


class AlikeQuestion(ResponseBody):
    """One of two questions that are alike, as it stands now."""

    question_id: str
    external_id: str
    stem: Annotated[str, Meta(description="The beginning of its text")]


class NearDuplicateBody(MarkedBody):
    """Two questions that say nearly the same."""

    question: Annotated[AlikeQuestion, Meta(description="The one that the import brought")]
    other: Annotated[AlikeQuestion, Meta(description="One of the bank, or of the same file")]
    resemblance: Annotated[Decimal, Meta(description="From 0.8 to 1: which part of their word runs they share")]
    identical: Annotated[bool, Meta(description="Whether they are equal in every respect, answers included")]

    example: ClassVar[Mapping[str, Any]] = {
        "question": {"questionId": "qst_01m7y0w5089re0wwbvvzgw20sm", "externalId": "n-118", "stem": "Which port?"},
        "other": {"questionId": "qst_01m7y0w5089re0wwbvvzgw20sk", "externalId": "n-017", "stem": "Which port ?"},
        "resemblance": "0.875",
        "identical": False,
    }


class NearDuplicatePage(PageBody):
    """A page of near duplicates, those that are most alike first."""

    compared: Annotated[bool, Meta(description="False: the comparison has not ended yet, ask again in a moment")]
    items: list[NearDuplicateBody]

    example: ClassVar[Mapping[str, Any]] = {
        "compared": True,
        "items": [NearDuplicateBody.example],
        "nextCursor": None,
    }


@get(
    "/instructor/question-imports/{import_id:str}/near-duplicates",
    summary="List the near duplicates of an import",
    operation_id="listNearDuplicates",
    opt={"callers": (Role.INSTRUCTOR, Role.ADMIN), "refusals": (ComparisonNotFound,)},
)
async def list_near_duplicates(
    request: ApiRequest,
    import_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    read_near_duplicates: Injected[ReadNearDuplicates],
) -> Response[NearDuplicatePage]:
    """Which questions of an import say nearly the same as others of their bank; found soon after the import."""
    after = paging.after(Decimal, str, str)
    compared, found = await read_near_duplicates(actor, import_id, after=after, limit=paging.limit + 1)
    return page(
        request,
        paging,
        found,
        key=lambda pair: (pair.resemblance, pair.question_id, pair.other_id),
        item=_body,
        body=NearDuplicatePage,
        compared=compared,
    )


def _body(pair: NearDuplicate) -> NearDuplicateBody:
    return NearDuplicateBody(
        question=AlikeQuestion(question_id=pair.question_id, external_id=pair.external_id, stem=pair.stem),
        other=AlikeQuestion(question_id=pair.other_id, external_id=pair.other_external_id, stem=pair.other_stem),
        resemblance=pair.resemblance,
        identical=pair.identical,
    )


handlers: list[ControllerRouterHandler] = [list_near_duplicates]
