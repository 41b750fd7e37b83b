"""The stores that authoring is checked on, behind one face, and everything that they hold as comparable values."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.memory.question_bank.authoring import KeptQuestionRow, KeptVersion, MemoryAuthoringWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.question_bank.authoring import PostgresAuthoringWork
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.rows import entity
from adapters.postgres.transaction import PostgresTransaction
from application.ports import AuditEntry, Clock, IdGenerator, Transaction
from application.question_bank.authoring import (
    ArchiveQuestion,
    CreateQuestion,
    DeleteQuestion,
    EditQuestion,
    NewQuestion,
    RedraftQuestion,
)
from application.question_bank.ports.authoring import AuthoringWork
from application.question_bank.reviewing import (
    ApproveQuestion,
    PublishQuestion,
    RequestChanges,
    SubmitForReview,
    WithdrawFromReview,
)
from application.question_bank.steps import QuestionState
from domain.auth.people import Actor
from domain.question_bank.lifecycle import QuestionVersion, VersionStatus
from domain.question_bank.review import ReviewRound
from tests.support.authoring_builders import (
    ANN,
    BANKS,
    DIFFICULTIES,
    NET,
    PEOPLE,
    TOPICS,
    CountedIds,
    Marking,
    a_question,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """All that a store holds of questions."""

    questions: dict[str, KeptQuestionRow]
    versions: dict[tuple[str, int], KeptVersion]
    reviews: dict[tuple[str, int, int], ReviewRound]
    published: dict[str, int]


class AuthoringStore(Protocol):
    """A store with the use cases of authoring over it."""

    ids: IdGenerator

    @property
    @abstractmethod
    def transact(self) -> Transaction[AuthoringWork]: ...

    @abstractmethod
    async def settle(self) -> None:
        """The people, banks and topics of `authoring_builders`."""

    @abstractmethod
    async def serve(self, question_id: str, version: int) -> None:
        """Somebody practises the question."""

    @abstractmethod
    async def rows(self) -> Rows: ...

    @abstractmethod
    async def audited(self) -> list[AuditEntry]:
        """Every audit row, oldest first."""

    async def begin(self, actor: Actor = ANN, **changes: Any) -> QuestionState:
        """A complete draft of the actor's."""
        bank_id = changes.pop("bank_id", NET.id)
        external_id = changes.pop("external_id", None)
        return await self.create(
            actor, NewQuestion(bank_id=bank_id, external_id=external_id, content=a_question(**changes))
        )

    @property
    def create(self) -> CreateQuestion:
        return CreateQuestion(transact=self.transact, ids=self.ids, sanitise=Marking())

    @property
    def edit(self) -> EditQuestion:
        return EditQuestion(transact=self.transact, sanitise=Marking())

    @property
    def delete(self) -> DeleteQuestion:
        return DeleteQuestion(transact=self.transact)

    @property
    def archive(self) -> ArchiveQuestion:
        return ArchiveQuestion(transact=self.transact)

    @property
    def redraft(self) -> RedraftQuestion:
        return RedraftQuestion(transact=self.transact)

    @property
    def submit(self) -> SubmitForReview:
        return SubmitForReview(transact=self.transact)

    @property
    def withdraw(self) -> WithdrawFromReview:
        return WithdrawFromReview(transact=self.transact)

    @property
    def approve(self) -> ApproveQuestion:
        return ApproveQuestion(transact=self.transact)

    @property
    def request_changes(self) -> RequestChanges:
        return RequestChanges(transact=self.transact)

    @property
    def publish(self) -> PublishQuestion:
        return PublishQuestion(transact=self.transact)


@dataclass(kw_only=True)
class InMemory(AuthoringStore):
    """Dictionaries."""

    clock: Clock
    ids: IdGenerator = field(default_factory=CountedIds)
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def transact(self) -> Transaction[AuthoringWork]:
        return MemoryTransaction(self.store, MemoryAuthoringWork, self.clock)

    async def settle(self) -> None:
        tables = self.store.tables
        tables["authoring_banks"].update({bank.id: bank for bank in BANKS})
        tables["authoring_topics"].update(TOPICS)
        tables["authoring_difficulties"].update(DIFFICULTIES)
        tables["authoring_published"].update({bank.id: 0 for bank in BANKS})

    async def serve(self, question_id: str, version: int) -> None:
        self.store.tables["authoring_served"][question_id] = version

    async def rows(self) -> Rows:
        tables = self.store.tables
        return Rows(
            questions=dict(tables["authoring_questions"]),
            versions=dict(tables["authoring_versions"]),
            reviews=dict(tables["authoring_reviews"]),
            published=dict(tables["authoring_published"]),
        )

    async def audited(self) -> list[AuditEntry]:
        return self.store.audit_log


@dataclass(kw_only=True)
class OnPostgres(AuthoringStore):
    """The real database."""

    database: Database
    clock: Clock | None
    ids: IdGenerator = field(default_factory=CountedIds)

    @property
    def transact(self) -> Transaction[AuthoringWork]:
        return PostgresTransaction(self.database, PostgresAuthoringWork, self.ids, self.clock)

    async def settle(self) -> None:
        for actor in PEOPLE:
            row = {"id": actor.user_id, "email": f"{actor.user_id}@example.org", "role": actor.role.value}
            await self.database.fetch_one(_USER, row)
        for bank in BANKS:
            visibility = "visible" if bank.visible else "hidden"
            row = {"id": bank.id, "slug": bank.slug, "visibility": visibility, "owner_id": bank.owner_id or ""}
            await self.database.fetch_one(_BANK, row)
            for editor in bank.co_editors:
                await self.database.fetch_one(_EDITOR, {"id": bank.id, "user_id": editor})
        for topic_id, (bank_id, name) in TOPICS.items():
            await self.database.fetch_one(_TOPIC, {"id": topic_id, "bank_id": bank_id, "name": name})

    async def serve(self, question_id: str, version: int) -> None:
        await self.database.fetch_one(_PACKAGE, {})
        await self.database.fetch_one(_SESSION, {"id": f"prs_{question_id}", "now": "2030-01-15T09:00:00Z"})
        slot = {"id": f"prs_{question_id}", "question_id": question_id, "version": version}
        await self.database.fetch_one(_SLOT, slot)

    async def rows(self) -> Rows:
        questions = await self.database.fetch_all("select *, question_bank_id as bank_id from questions")
        versions = await self.database.fetch_all("select * from question_versions")
        reviews = await self.database.fetch_all("select * from question_reviews")
        banks = await self.database.fetch_all("select id, published_count from question_banks")
        return Rows(
            questions={row["id"]: entity(row, KeptQuestionRow) for row in questions},
            versions={(row["question_id"], row["version"]): kept_version(row) for row in versions},
            reviews={(row["question_id"], row["version"], row["round"]): entity(row, ReviewRound) for row in reviews},
            published={row["id"]: row["published_count"] for row in banks},
        )

    async def audited(self) -> list[AuditEntry]:
        return [entity(row, AuditEntry) for row in await self.database.fetch_all("select * from audit_log order by id")]


def kept_version(row: dict[str, Any]) -> KeptVersion:
    version = QuestionVersion(
        version=row["version"],
        rev=row["rev"],
        status=VersionStatus(row["status"]),
        editors=tuple(row["editors"]),
        content=content_of(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        decided_at=row["decided_at"],
    )
    return KeptVersion(version=version, content_hash=bytes(row["content_hash"]))


_USER = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%(id)s, %(email)s, %(role)s, 'x', now(), now()) returning id
"""
_BANK = """
insert into question_banks (id, slug, title, visibility, owner_id, created_at, updated_at)
values (%(id)s, %(slug)s, %(slug)s, %(visibility)s, nullif(%(owner_id)s, ''), now(), now()) returning id
"""
_EDITOR = "insert into question_bank_editors (question_bank_id, user_id) values (%(id)s, %(user_id)s) returning user_id"
_TOPIC = """
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(name)s, now(), now()) returning id
"""
_PACKAGE = """
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values ('pkg_net', 'net', 'Net', 'visible', 75, now(), now())
on conflict (id) do update set title = excluded.title returning id
"""
_SESSION = """
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               last_event_at)
values ('usr_sam', %(id)s, 'pkg_net', 'active', 'immediate', 1, 1, %(now)s, %(now)s) returning id
"""
_SLOT = """
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
values ('usr_sam', %(id)s, 1, %(question_id)s, %(version)s, '{A,B}', 1) returning slot
"""
