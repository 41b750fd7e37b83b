"""What is answered about questions: to staff with the key, to students without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, convert

from application.question_bank.listing import PublishedListItem, QuestionListItem
from application.question_bank.steps import QuestionState
from application.question_bank.views import StudentQuestion
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from entrypoints.http.fields import MarkedBody, MaxMark, PageBody, ResponseBody, When
from entrypoints.http.question_bank.content_bodies import (
    CONTENT_EXAMPLE,
    TOPIC_ID,
    QuestionContentBody,
    Topic,
    content_fields,
)
from entrypoints.http.question_bank.history_bodies import Editors, Note, Rev, Version

_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"
_BANK_ID = "qbk_01m7y0w5089re0wwbvvzgw20sq"
_AUTHOR_ID = "usr_01m7y0w5089re0wwbvvzgw20sg"

_Published: TypeAlias = Annotated[int | None, Meta(description="The version that students see; null: none")]
_Author: TypeAlias = Annotated[str | None, Meta(description="Null: it came with a file that nobody in particular read")]
_Excerpt: TypeAlias = Annotated[str, Meta(description="The beginning of its text, in one line")]


class QuestionBody(QuestionContentBody, kw_only=True):
    """A question as staff see it: its latest version, and how it stands."""

    id: str
    question_bank_id: str
    external_id: Annotated[str, Meta(description="What files call it")]
    author_id: _Author
    version: Version
    rev: Rev
    status: VersionStatus
    published_version: _Published
    editors: Editors
    note: Note
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        **CONTENT_EXAMPLE,
        "id": _ID,
        "questionBankId": _BANK_ID,
        "externalId": "addressing-17",
        "authorId": _AUTHOR_ID,
        "version": 1,
        "rev": 3,
        "status": "changes_requested",
        "publishedVersion": None,
        "editors": [_AUTHOR_ID],
        "note": "Option C is right as well.",
        "createdAt": "2026-03-02T08:20:00Z",
        "updatedAt": "2026-03-03T10:00:00Z",
    }


class QuestionSummary(ResponseBody):
    """A question in a list, told by its latest version."""

    id: str
    question_bank_id: str
    external_id: str
    kind: QuestionKind
    stem: _Excerpt
    status: VersionStatus
    version: Version
    rev: Rev
    published_version: _Published
    topic_id: Topic
    difficulty_id: Topic
    author_id: _Author
    tags: list[str]
    created_at: When
    updated_at: When


class QuestionPage(PageBody):
    """A page of questions."""

    items: list[QuestionSummary]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {name: QuestionBody.example[name] for name in QuestionSummary.__struct_encode_fields__},
        ],
        "nextCursor": None,
    }


class PublishedQuestionSummary(MarkedBody):
    """A published question in a list: what gives nothing away."""

    id: str
    question_bank_id: str
    version: Version
    kind: QuestionKind
    stem: _Excerpt
    topic_id: Topic
    difficulty_id: Topic
    max_mark: MaxMark


class PublishedQuestionPage(PageBody):
    """A page of published questions."""

    items: list[PublishedQuestionSummary]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "id": _ID,
                "questionBankId": _BANK_ID,
                "version": 2,
                "kind": "single",
                "stem": "Which address is private?",
                "topicId": TOPIC_ID,
                "difficultyId": "dif_easy",
                "maxMark": "1",
            }
        ],
        "nextCursor": None,
    }


class PublishedChoice(ResponseBody):
    """An option, or what one is to be matched with."""

    id: str
    text: str
    format: TextFormat


class PublishedQuestion(MarkedBody):
    """A published question as students see it. Choices stand in an order that tells nothing."""

    id: str
    question_bank_id: str
    version: Version
    kind: QuestionKind
    stem: Annotated[str, Meta(description="The text of the question")]
    stem_format: TextFormat
    choices: list[PublishedChoice]
    prompts: Annotated[list[PublishedChoice], Meta(description="Of `matching`: what the choices are matched with")]
    topic_id: Topic
    difficulty_id: Topic
    max_mark: MaxMark

    example: ClassVar[Mapping[str, Any]] = {
        "id": _ID,
        "questionBankId": _BANK_ID,
        "version": 2,
        "kind": "single",
        "stem": "Which address is private?",
        "stemFormat": "plain",
        "choices": [
            {"id": "B", "text": "10.1.2.3", "format": "plain"},
            {"id": "A", "text": "8.8.8.8", "format": "plain"},
        ],
        "prompts": [],
        "topicId": TOPIC_ID,
        "difficultyId": "dif_easy",
        "maxMark": "1",
    }


def question_body(state: QuestionState) -> QuestionBody:
    return QuestionBody(
        **content_fields(state.content),
        id=state.id,
        question_bank_id=state.bank_id,
        external_id=state.external_id,
        author_id=state.author_id,
        version=state.version,
        rev=state.rev,
        status=state.status,
        published_version=state.published_version,
        editors=list(state.editors),
        note=state.note,
        created_at=state.created_at,
        updated_at=state.updated_at,
    )


def question_item(item: QuestionListItem) -> QuestionSummary:
    return convert(item, QuestionSummary, from_attributes=True)


def published_item(item: PublishedListItem) -> PublishedQuestionSummary:
    return convert(item, PublishedQuestionSummary, from_attributes=True)


def published_body(view: StudentQuestion) -> PublishedQuestion:
    question = view.question
    return PublishedQuestion(
        id=question.question_id,
        question_bank_id=view.question_bank_id,
        version=question.version,
        kind=question.kind,
        stem=question.stem,
        stem_format=question.stem_format,
        choices=convert(question.choices, list[PublishedChoice], from_attributes=True),
        prompts=convert(question.prompts, list[PublishedChoice], from_attributes=True),
        topic_id=view.topic_id,
        difficulty_id=view.difficulty_id,
        max_mark=question.max_mark,
    )
