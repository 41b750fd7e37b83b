"""The question bank over HTTP: banks, topics and difficulties."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from application.question_bank.ports.taxonomy import TaxonomyReader
from application.question_bank.taxonomy import (
    ChangeBank,
    CreateBank,
    CreateTopic,
    DeleteBank,
    DeleteTopic,
    ReadBank,
    RenameDifficulty,
    RenameTopic,
)
from domain.auth.people import Actor, Role
from domain.question_bank.lifecycle_refusals import BankNotFound
from domain.question_bank.taxonomy import (
    Bank,
    BankInUse,
    BankSlugTaken,
    DifficultyNameTaken,
    DifficultyNotFound,
    NotTheOwner,
    TaxonomyChanged,
    Topic,
    TopicInUse,
    TopicNameTaken,
    TopicNotFound,
)
from entrypoints.http.conditional import expected_version, personal
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.question_bank.taxonomy_bodies import (
    BankBody,
    BankPage,
    ChangeBankRequest,
    CountedBankBody,
    CreateBankRequest,
    CreateTopicRequest,
    DifficultyBody,
    DifficultyPage,
    PublicBankPage,
    RenameDifficultyRequest,
    RenameTopicRequest,
    TopicBody,
    TopicPage,
    bank_body,
    counted_bank_body,
    difficulty_body,
    public_bank_body,
    topic_body,
)
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STAFF: Final[dict[str, Any]] = {"callers": (Role.INSTRUCTOR, Role.ADMIN)}
_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_Text = Annotated[str | None, QueryParameter(name="q", max_length=200, description="A text that occurs in the name")]
_BankId = Annotated[str | None, QueryParameter(name="questionBankId", max_length=64, description="Only of this bank")]
_PackageId = Annotated[
    str | None, QueryParameter(name="examPackageId", max_length=64, description="Only of this package's banks")
]


@post(
    "/instructor/question-banks",
    summary="Make a bank",
    operation_id="createQuestionBank",
    opt={**_STAFF, "refusals": (BankSlugTaken,), "located": True},
)
async def create_one(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateBankRequest],
    create_bank: Injected[CreateBank],
) -> Response[BankBody]:
    """Make a bank for questions. It belongs to the caller, who may name others of the staff as its co-editors."""
    return await once(request, actor, lambda: create_bank(actor, data.new()), _made_bank)


@get("/instructor/question-banks", summary="List banks", operation_id="listQuestionBanks", opt=_STAFF)
async def list_banks(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    taxonomy_reader: Injected[TaxonomyReader],
    q: _Text = None,
) -> Response[BankPage]:
    """The banks that the caller may see: visible ones, and hidden ones of their own. Admins see all of them."""
    (after,) = paging.after(str) or (None,)
    found = await taxonomy_reader.banks(actor, text=q, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.bank.id,), item=counted_bank_body, body=BankPage)


@get(
    "/instructor/question-banks/{question_bank_id:str}",
    summary="Read a bank",
    operation_id="getQuestionBank",
    opt={**_STAFF, "refusals": (BankNotFound,)},
)
async def read_one(
    question_bank_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_bank: Injected[ReadBank],
) -> Response[CountedBankBody]:
    """One bank."""
    found = await read_bank(actor, question_bank_id)
    return personal(counted_bank_body(found), found.bank.version)


@patch(
    "/instructor/question-banks/{question_bank_id:str}",
    summary="Change a bank",
    operation_id="changeQuestionBank",
    opt={**_STAFF, "refusals": (BankNotFound, NotTheOwner, BankSlugTaken, TaxonomyChanged)},
)
async def change_one(
    request: ApiRequest,
    question_bank_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeBankRequest],
    change_bank: Injected[ChangeBank],
) -> BankBody:
    """Change a bank of one's own; admins change any. Nothing new is drawn from a hidden bank."""
    return bank_body(await change_bank(actor, question_bank_id, data.change(), expected_version(request)))


@delete(
    "/instructor/question-banks/{question_bank_id:str}",
    summary="Delete a bank",
    operation_id="deleteQuestionBank",
    response_description="The bank is deleted with its topics",
    opt={**_STAFF, "refusals": (BankNotFound, NotTheOwner, BankInUse)},
)
async def delete_one(
    question_bank_id: FromPath[str], actor: NamedDependency[Actor], delete_bank: Injected[DeleteBank]
) -> None:
    """Delete a bank of one's own that holds no question and that no package draws from."""
    await delete_bank(actor, question_bank_id)


@post(
    "/instructor/question-topics",
    summary="Make a topic",
    operation_id="createQuestionTopic",
    opt={**_STAFF, "refusals": (BankNotFound, TopicNameTaken)},
)
async def create_topic_in_bank(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateTopicRequest],
    create_topic: Injected[CreateTopic],
) -> Response[TopicBody]:
    """Make a topic in a bank that the caller may see."""
    return await once(request, actor, lambda: create_topic(actor, data.question_bank_id, data.name), topic_body)


@get("/instructor/question-topics", summary="List topics", operation_id="listQuestionTopics", opt=_STAFF)
async def list_topics(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    taxonomy_reader: Injected[TaxonomyReader],
    question_bank_id: _BankId = None,
    q: _Text = None,
) -> Response[TopicPage]:
    """The topics of the banks that the caller may see."""
    (after,) = paging.after(str) or (None,)
    found = await taxonomy_reader.topics(actor, bank_id=question_bank_id, text=q, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=_by_id, item=topic_body, body=TopicPage)


@patch(
    "/instructor/question-topics/{topic_id:str}",
    summary="Rename a topic",
    operation_id="renameQuestionTopic",
    opt={**_STAFF, "refusals": (TopicNotFound, NotTheOwner, TopicNameTaken, TaxonomyChanged)},
)
async def rename_one_topic(
    request: ApiRequest,
    topic_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[RenameTopicRequest],
    rename_topic: Injected[RenameTopic],
) -> TopicBody:
    """Give a topic another name. Files that still use the old one make a topic of that name again."""
    return topic_body(await rename_topic(actor, topic_id, data.name, expected_version(request)))


@delete(
    "/instructor/question-topics/{topic_id:str}",
    summary="Delete a topic",
    operation_id="deleteQuestionTopic",
    response_description="The topic is deleted",
    opt={**_STAFF, "refusals": (TopicNotFound, NotTheOwner, TopicInUse)},
)
async def delete_one_topic(
    topic_id: FromPath[str], actor: NamedDependency[Actor], delete_topic: Injected[DeleteTopic]
) -> None:
    """Delete a topic that no version of any question names."""
    await delete_topic(actor, topic_id)


@get("/instructor/question-difficulties", summary="List difficulties", operation_id="listDifficulties", opt=_STAFF)
async def list_difficulties(taxonomy_reader: Injected[TaxonomyReader]) -> DifficultyPage:
    """All difficulties, the easiest first."""
    return await _difficulties(taxonomy_reader)


@patch(
    "/instructor/question-difficulties/{difficulty_id:str}",
    summary="Rename a difficulty",
    operation_id="renameDifficulty",
    opt={**_STAFF, "refusals": (DifficultyNotFound, DifficultyNameTaken, TaxonomyChanged)},
)
async def rename_one_difficulty(
    request: ApiRequest,
    difficulty_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[RenameDifficultyRequest],
    rename_difficulty: Injected[RenameDifficulty],
) -> DifficultyBody:
    """Choose what people see a difficulty called; files go on naming it by its code."""
    return difficulty_body(await rename_difficulty(actor, difficulty_id, data.name, expected_version(request)))


@get("/question-banks", summary="List one's banks", operation_id="listOwnQuestionBanks", opt=_STUDENTS)
async def list_own_banks(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    taxonomy_reader: Injected[TaxonomyReader],
) -> Response[PublicBankPage]:
    """The visible banks of the packages that the caller is enrolled in."""
    (after,) = paging.after(str) or (None,)
    found = await taxonomy_reader.banks_of_student(actor.user_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=public_bank_body, body=PublicBankPage)


@get("/question-topics", summary="List one's topics", operation_id="listOwnQuestionTopics", opt=_STUDENTS)
async def list_own_topics(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    taxonomy_reader: Injected[TaxonomyReader],
    question_bank_id: _BankId = None,
    exam_package_id: _PackageId = None,
) -> Response[TopicPage]:
    """The topics of the visible banks of the packages that the caller is enrolled in, or of one of these packages."""
    (after,) = paging.after(str) or (None,)
    found = await taxonomy_reader.topics_of_student(
        actor.user_id, bank_id=question_bank_id, package_id=exam_package_id, after=after, limit=paging.limit + 1
    )
    return page(request, paging, found, key=_by_id, item=topic_body, body=TopicPage)


@get("/question-difficulties", summary="List the difficulties", operation_id="listDifficultyNames", opt=_STUDENTS)
async def list_difficulty_names(taxonomy_reader: Injected[TaxonomyReader]) -> DifficultyPage:
    """All difficulties, the easiest first."""
    return await _difficulties(taxonomy_reader)


async def _difficulties(reader: TaxonomyReader) -> DifficultyPage:
    return DifficultyPage(items=[difficulty_body(each) for each in await reader.difficulties()], next_cursor=None)


def _made_bank(bank: Bank) -> Reply:
    return Reply(bank_body(bank), headers={"location": f"/instructor/question-banks/{bank.id}"})


def _by_id(topic: Topic) -> tuple[str]:
    return (topic.id,)


handlers: list[ControllerRouterHandler] = [
    create_one,
    list_banks,
    read_one,
    change_one,
    delete_one,
    create_topic_in_bank,
    list_topics,
    rename_one_topic,
    delete_one_topic,
    list_difficulties,
    rename_one_difficulty,
    list_own_banks,
    list_own_topics,
    list_difficulty_names,
]
