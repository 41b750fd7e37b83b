"""The stores that templates of practice are checked on, behind one face, with people and packages in them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from adapters.memory.practice.templates import MemoryTemplateSource, MemoryTemplateWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.practice.templates import PostgresTemplateSource, PostgresTemplateWork
from adapters.postgres.rows import entity
from adapters.postgres.transaction import PostgresTransaction
from application.ports import AuditEntry, Clock, IdGenerator, Transaction
from application.practice.ports.templates import TemplateWork
from application.practice.template_views import TemplateView
from application.practice.templates import (
    ChangeTemplate,
    CreateTemplate,
    DeleteTemplate,
    ProvideTemplate,
    PublishTemplate,
    UnpublishTemplate,
)
from domain.auth.people import Actor
from domain.practice.judging import FeedbackMode
from domain.practice.plans import Source
from domain.practice.templates import PracticeTemplate, TemplateContent, TemplateSettings, TemplateVersion
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy, ScoringPolicy
from domain.question_bank.taxonomy import Topic
from tests.support.authoring_builders import ANN, DIFFICULTIES, NET, SAM, TOPICS, CountedIds
from tests.support.authoring_stores import OnPostgres as Authors
from tests.support.practice_builders import session

PACKAGE: Final = "pkg_net"
OTHER_PACKAGE: Final = "pkg_void"
ROUTING: Final = TemplateContent(
    title="Ten on routing", settings=TemplateSettings(topic_ids=("top_route",), difficulty_ids=("dif_easy",))
)
# Every setting differs from what it is by itself.
FULL: Final = TemplateContent(
    title="All of it",
    description="What **it** is",
    settings=TemplateSettings(
        topic_ids=("top_switch", "top_route"),
        difficulty_ids=("dif_hard", "dif_easy"),
        count=200,
        source=Source.INCORRECT,
        feedback=FeedbackMode.DEFERRED,
        certainty=True,
        time_limit_seconds=3600,
        scoring=ScoringPolicy(
            penalty=Decimal("0.3333"),
            guess_neutral=True,
            multiple=MultiplePolicy.EVERY_DECISION,
            none_allowed=True,
            ordering=OrderingPolicy.ADJACENT_PAIRS,
        ),
    ),
)
LONG_AGO: Final = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that a store holds of templates."""

    templates: Mapping[str, PracticeTemplate]
    versions: Mapping[tuple[str, int], TemplateVersion]


class TemplateStore(Protocol):
    """A store with the use cases of templates over it."""

    ids: IdGenerator

    @property
    @abstractmethod
    def transact(self) -> Transaction[TemplateWork]: ...

    @abstractmethod
    async def settle(self) -> None:
        """The people, banks and topics of `authoring_builders`; one package of the bank `NET`, and one of no bank."""

    @abstractmethod
    async def begin(self, template_id: str, session_id: str) -> TemplateVersion | None:
        """Sam begins a session from the template, if that is published."""

    @abstractmethod
    async def forget_topic(self, topic_id: str) -> None: ...

    @abstractmethod
    async def shelf(self) -> Shelf: ...

    @abstractmethod
    async def audited(self) -> list[AuditEntry]:
        """Every audit row, oldest first."""

    async def written(
        self, content: TemplateContent = ROUTING, *, by: Actor = ANN, package: str = PACKAGE
    ) -> PracticeTemplate:
        return (await self.create(by, package, content)).template

    async def published(self, content: TemplateContent = ROUTING, *, by: Actor = ANN) -> TemplateView:
        return await self.publish(by, (await self.written(content, by=by)).id)

    @property
    def create(self) -> CreateTemplate:
        return CreateTemplate(transact=self.transact, ids=self.ids)

    @property
    def change(self) -> ChangeTemplate:
        return ChangeTemplate(transact=self.transact)

    @property
    def publish(self) -> PublishTemplate:
        return PublishTemplate(transact=self.transact)

    @property
    def unpublish(self) -> UnpublishTemplate:
        return UnpublishTemplate(transact=self.transact)

    @property
    def delete(self) -> DeleteTemplate:
        return DeleteTemplate(transact=self.transact)

    @property
    def provide(self) -> ProvideTemplate:
        return ProvideTemplate(transact=self.transact, ids=self.ids)


@dataclass(kw_only=True)
class InMemory(TemplateStore):
    """Dictionaries."""

    clock: Clock
    ids: IdGenerator = field(default_factory=CountedIds)
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def transact(self) -> Transaction[TemplateWork]:
        return MemoryTransaction(self.store, MemoryTemplateWork, self.clock)

    async def settle(self) -> None:
        tables = self.store.tables
        tables["exam_packages"].update({(package,): package for package in (PACKAGE, OTHER_PACKAGE)})
        tables["exam_package_banks"][PACKAGE, NET.id] = None
        for topic_id, (bank_id, name) in TOPICS.items():
            tables["topics"][topic_id] = Topic(
                id=topic_id, question_bank_id=bank_id, name=name, created_at=LONG_AGO, updated_at=LONG_AGO
            )
        tables["difficulties"].update(DIFFICULTIES)

    async def begin(self, template_id: str, session_id: str) -> TemplateVersion | None:
        async def start(work: MemoryTemplateSource) -> TemplateVersion | None:
            version = await work.published_template(template_id)
            if version is not None:
                begun = session(
                    user_id=SAM.user_id,
                    id=session_id,
                    exam_package_id=version.exam_package_id,
                    template_id=version.template_id,
                    template_version=version.version,
                )
                work._tables["practice_sessions"][SAM.user_id, session_id] = begun
            return version

        return await MemoryTransaction(self.store, MemoryTemplateSource, self.clock)(start)

    async def forget_topic(self, topic_id: str) -> None:
        del self.store.tables["topics"][topic_id]

    async def shelf(self) -> Shelf:
        tables = self.store.tables
        return Shelf(dict(tables["practice_templates"]), dict(tables["practice_template_versions"]))

    async def audited(self) -> list[AuditEntry]:
        """As they would be read from a table."""
        return [msgspec.json.decode(msgspec.json.encode(entry), type=AuditEntry) for entry in self.store.audit_log]


class Beginning(PostgresTemplateSource):
    """A unit of work in which a session begins, whatever else it is made of."""

    async def add(self, version: TemplateVersion, session_id: str) -> None:
        await self._run(
            _SESSION, {"id": session_id, "template_id": version.template_id, "version": version.version, "at": self.now}
        )


@dataclass(kw_only=True)
class OnPostgres(TemplateStore):
    """The real database."""

    database: Database
    clock: Clock | None
    ids: IdGenerator = field(default_factory=CountedIds)

    @property
    def transact(self) -> Transaction[TemplateWork]:
        return PostgresTransaction(self.database, PostgresTemplateWork, self.ids, self.clock)

    @property
    def beginning(self) -> Transaction[Beginning]:
        return PostgresTransaction(self.database, Beginning, self.ids, self.clock)

    async def settle(self) -> None:
        await Authors(database=self.database, clock=self.clock).settle()
        for package in (PACKAGE, OTHER_PACKAGE):
            await self.database.fetch_one(_PACKAGE, {"id": package, "slug": package.removeprefix("pkg_")})
        await self.database.fetch_one(_LINK, {"package": PACKAGE, "bank": NET.id})

    async def begin(self, template_id: str, session_id: str) -> TemplateVersion | None:
        async def start(work: Beginning) -> TemplateVersion | None:
            version = await work.published_template(template_id)
            if version is not None:
                await work.add(version, session_id)
            return version

        return await self.beginning(start)

    async def forget_topic(self, topic_id: str) -> None:
        await self.database.fetch_one("delete from question_topics where id = %(id)s returning id", {"id": topic_id})

    async def shelf(self) -> Shelf:
        templates = await self.database.fetch_all("select * from practice_templates")
        versions = await self.database.fetch_all(_VERSIONS)
        return Shelf(
            {row["id"]: entity(row, PracticeTemplate) for row in templates},
            {(row["template_id"], row["version"]): entity(row, TemplateVersion) for row in versions},
        )

    async def audited(self) -> list[AuditEntry]:
        rows: list[dict[str, Any]] = await self.database.fetch_all("select * from audit_log order by id")
        return [entity(row, AuditEntry) for row in rows]


_PACKAGE = """
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values (%(id)s, %(slug)s, %(slug)s, 'visible', 75, now(), now()) returning id
"""
_LINK = """
insert into exam_package_banks (exam_package_id, question_bank_id) values (%(package)s, %(bank)s)
returning question_bank_id
"""
_SESSION = """
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               last_event_at, template_id, template_version)
values ('usr_sam', %(id)s, 'pkg_net', 'active', 'immediate', 1, 1, %(at)s, %(at)s, %(template_id)s, %(version)s)
"""
_VERSIONS = """
select v.*, t.exam_package_id from practice_template_versions v join practice_templates t on t.id = v.template_id
"""
