"""Banks, topics and difficulties over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from application.question_bank.taxonomy import NewBank
from application.question_bank.taxonomy_views import BankView, PublicBankView
from domain.question_bank.banks import BankVisibility
from domain.question_bank.taxonomy import (
    DEFAULT_LANGUAGE,
    MAX_DESCRIPTION,
    MAX_EDITORS,
    MAX_TITLE,
    Bank,
    BankChange,
    Difficulty,
    Topic,
)
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody, When

_Slug = Annotated[str, Meta(min_length=1, max_length=100, description="As `network-plus`; files name the bank by it")]
_Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
_Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
_Language = Annotated[str, Meta(min_length=1, max_length=40, description="As `english`: how texts are searched")]
_Editors = Annotated[list[Id], Meta(max_length=MAX_EDITORS, description="Staff who may change every question in it")]
_Name = Annotated[str, Meta(min_length=1, max_length=512)]
_Published = Annotated[int, Meta(description="How many of its questions are published")]
_Version = Annotated[int, Meta(description="Grows with every change; the ETag")]
_BANK_ID = "qbk_01m7y0w5089re0wwbvvzgw20sq"
_TOPIC_ID = "top_01m7y0w5089re0wwbvvzgw20sg"


class CreateBankRequest(RequestBody):
    """A bank to be made, which belongs to whoever makes it."""

    title: _Title
    slug: Annotated[_Slug | None, Meta(description="Told by the title unless given")] = None
    description: _Description = ""
    visibility: BankVisibility = BankVisibility.VISIBLE
    language: _Language = DEFAULT_LANGUAGE
    editor_ids: Annotated[_Editors | None, Meta(description="Co-editors; nobody unless told")] = None

    example: ClassVar[Mapping[str, Any]] = {"title": "Network fundamentals", "language": "english"}

    def new(self) -> NewBank:
        return NewBank(
            title=self.title,
            slug=self.slug,
            description=self.description,
            visibility=self.visibility,
            language=self.language,
            editor_ids=tuple(self.editor_ids or ()),
        )


class ChangeBankRequest(RequestBody):
    """What is to change about a bank; what is absent stays as it is."""

    title: _Title | UnsetType = UNSET
    slug: _Slug | UnsetType = UNSET
    description: _Description | UnsetType = UNSET
    visibility: BankVisibility | UnsetType = UNSET
    language: _Language | UnsetType = UNSET
    owner_id: Id | UnsetType = UNSET
    editor_ids: _Editors | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"visibility": "hidden"}

    def change(self) -> BankChange:
        named = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
        if "editor_ids" in named:
            named["editor_ids"] = tuple(named["editor_ids"])
        return BankChange(**named)


class BankBody(ResponseBody):
    """A bank of questions."""

    id: str
    slug: str
    title: str
    description: str
    visibility: BankVisibility
    language: str
    owner_id: Annotated[str | None, Meta(description="Null: it belongs to the school")]
    editor_ids: list[str]
    version: _Version
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": _BANK_ID,
        "slug": "network-fundamentals",
        "title": "Network fundamentals",
        "description": "",
        "visibility": "visible",
        "language": "english",
        "ownerId": "usr_01m7y0w5089re0wwbvvzgw20sh",
        "editorIds": [],
        "version": 1,
        "createdAt": "2026-03-02T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z",
    }


class CountedBankBody(BankBody):
    """A bank of questions, and how many of them are published."""

    published_count: _Published

    example: ClassVar[Mapping[str, Any]] = {**BankBody.example, "publishedCount": 140}


class BankPage(PageBody):
    """A page of banks."""

    items: list[CountedBankBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [CountedBankBody.example], "nextCursor": None}


class PublicBankBody(ResponseBody):
    """A bank as a student sees it."""

    id: str
    slug: str
    title: str
    description: str
    published_count: _Published

    example: ClassVar[Mapping[str, Any]] = {
        "id": _BANK_ID,
        "slug": "network-fundamentals",
        "title": "Network fundamentals",
        "description": "",
        "publishedCount": 140,
    }


class PublicBankPage(PageBody):
    """A page of banks as a student sees them."""

    items: list[PublicBankBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [PublicBankBody.example], "nextCursor": None}


class CreateTopicRequest(RequestBody):
    """A topic of a bank."""

    question_bank_id: Id
    name: _Name

    example: ClassVar[Mapping[str, Any]] = {"questionBankId": _BANK_ID, "name": "Routing"}


class RenameTopicRequest(RequestBody):
    """Another name for a topic."""

    name: _Name

    example: ClassVar[Mapping[str, Any]] = {"name": "Routing and switching"}


class TopicBody(ResponseBody):
    """What questions of a bank are about."""

    id: str
    question_bank_id: str
    name: str
    version: _Version
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": _TOPIC_ID,
        "questionBankId": _BANK_ID,
        "name": "Routing",
        "version": 1,
        "createdAt": "2026-03-02T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z",
    }


class TopicPage(PageBody):
    """A page of topics."""

    items: list[TopicBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [TopicBody.example], "nextCursor": None}


class RenameDifficultyRequest(RequestBody):
    """What people shall see a difficulty called."""

    name: _Title

    example: ClassVar[Mapping[str, Any]] = {"name": "Warm-up"}


class DifficultyBody(ResponseBody):
    """How hard a question is. Files name the `code`, people see the `name`."""

    id: str
    code: str
    name: str
    rank: Annotated[int, Meta(description="The easiest has the lowest")]
    version: _Version

    example: ClassVar[Mapping[str, Any]] = {"id": "dif_easy", "code": "easy", "name": "Easy", "rank": 1, "version": 1}


class DifficultyPage(PageBody):
    """All difficulties, the easiest first."""

    items: list[DifficultyBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [DifficultyBody.example], "nextCursor": None}


def bank_body(bank: Bank) -> BankBody:
    return BankBody(**_of_bank(bank))


def counted_bank_body(view: BankView) -> CountedBankBody:
    return CountedBankBody(**_of_bank(view.bank), published_count=view.published_count)


def public_bank_body(view: PublicBankView) -> PublicBankBody:
    return PublicBankBody(
        id=view.id,
        slug=view.slug,
        title=view.title,
        description=view.description,
        published_count=view.published_count,
    )


def topic_body(topic: Topic) -> TopicBody:
    return TopicBody(
        id=topic.id,
        question_bank_id=topic.question_bank_id,
        name=topic.name,
        version=topic.version,
        created_at=topic.created_at,
        updated_at=topic.updated_at,
    )


def difficulty_body(difficulty: Difficulty) -> DifficultyBody:
    return DifficultyBody(
        id=difficulty.id,
        code=difficulty.code,
        name=difficulty.name,
        rank=difficulty.rank,
        version=difficulty.version,
    )


def _of_bank(bank: Bank) -> dict[str, Any]:
    fields = {name: getattr(bank, name) for name in BankBody.__struct_fields__}
    return fields | {"editor_ids": list(bank.editor_ids)}
