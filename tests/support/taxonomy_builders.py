"""Banks, topics and difficulties for tests, on whichever store a test brings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.memory.question_bank.taxonomy import MemoryTaxonomyWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.question_bank.taxonomy import PostgresTaxonomyWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.ports import Clock, IdGenerator, Transaction
from application.question_bank.ports.taxonomy import TaxonomyWork
from application.question_bank.taxonomy import NewBank
from domain.auth.people import Actor, Role
from domain.question_bank.taxonomy import Bank, Difficulty, Topic
from tests.support.postgres import ClonedDatabase

OWNER = Actor(user_id="usr_owner", role=Role.INSTRUCTOR, session_id="ses_1")
EDITOR = Actor(user_id="usr_editor", role=Role.INSTRUCTOR, session_id="ses_2")
OTHER = Actor(user_id="usr_other", role=Role.INSTRUCTOR, session_id="ses_3")
ADMIN = Actor(user_id="usr_admin", role=Role.ADMIN, session_id="ses_4")
STUDENT = Actor(user_id="usr_student", role=Role.STUDENT, session_id="ses_5")
PEOPLE = (OWNER, EDITOR, OTHER, ADMIN, STUDENT)
NEW = NewBank(title="Network fundamentals", editor_ids=(EDITOR.user_id,))


class Library(Protocol):
    """A store of banks with people around it."""

    transact: Transaction[TaxonomyWork]
    ids: IdGenerator

    @abstractmethod
    def use_bank(self, bank_id: str) -> None:
        """A question comes to live in the bank."""

    @abstractmethod
    def use_topic(self, topic: Topic) -> None:
        """A version of a question comes to name the topic."""

    @abstractmethod
    def dismiss(self, actor: Actor) -> None:
        """Somebody's account is deleted."""

    @abstractmethod
    def audited(self) -> Sequence[str]:
        """The actions in the audit log, in their order."""

    @abstractmethod
    def jobs(self) -> Sequence[str]:
        """The names of the jobs that wait."""

    async def bank(self, bank_id: str) -> Bank | None:
        return await self.transact(lambda work: work.find_bank(bank_id))

    async def topic(self, topic_id: str) -> Topic | None:
        return await self.transact(lambda work: work.hold_topic(topic_id))

    async def difficulty(self, difficulty_id: str) -> Difficulty | None:
        return await self.transact(lambda work: work.hold_difficulty(difficulty_id))


@dataclass(slots=True)
class MemoryLibrary(Library):
    """On dictionaries."""

    clock: Clock
    store: MemoryStore = field(default_factory=MemoryStore)
    ids: IdGenerator = field(default_factory=TimeOrderedIds)
    transact: Transaction[TaxonomyWork] = field(init=False)

    def __post_init__(self) -> None:
        self.transact = MemoryTransaction(self.store, MemoryTaxonomyWork, self.clock)
        self.store.tables["staff"] = {actor.user_id: True for actor in PEOPLE if actor is not STUDENT}
        for rank, name in enumerate(("Easy", "Medium", "Hard"), 1):
            code = name.lower()
            self.store.tables["difficulties"][f"dif_{code}"] = Difficulty(
                id=f"dif_{code}", code=code, name=name, rank=rank
            )

    def use_bank(self, bank_id: str) -> None:
        self.store.tables["bank_users"][bank_id] = True

    def use_topic(self, topic: Topic) -> None:
        self.store.tables["topic_users"][topic.id] = True

    def dismiss(self, actor: Actor) -> None:
        del self.store.tables["staff"][actor.user_id]

    def audited(self) -> Sequence[str]:
        return [entry.action for entry in self.store.audit_log]

    def jobs(self) -> Sequence[str]:
        return [job.name for job in self.store.jobs]


@dataclass(slots=True)
class PostgresLibrary(Library):
    """On a cloned database."""

    cloned: ClonedDatabase
    transact: Transaction[TaxonomyWork]
    ids: IdGenerator = field(default_factory=TimeOrderedIds)

    def admit(self) -> None:
        """Everybody has an account."""
        with self.cloned.administration() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "insert into users (id, email, role, password_hash, created_at, updated_at)"
                " values (%(id)s, %(id)s || '@example.org', %(role)s, 'x', now(), now())",
                [{"id": actor.user_id, "role": actor.role.value} for actor in PEOPLE],
            )

    def use_bank(self, bank_id: str) -> None:
        self._add_question(bank_id, None)

    def use_topic(self, topic: Topic) -> None:
        self._add_question(topic.question_bank_id, topic.id)

    def dismiss(self, actor: Actor) -> None:
        with self.cloned.administration() as connection:
            connection.execute("update users set deleted_at = now() where id = %s", (actor.user_id,))

    def audited(self) -> Sequence[str]:
        return self._column("select action from audit_log order by id")

    def jobs(self) -> Sequence[str]:
        return self._column("select task_name from procrastinate_jobs order by id")

    def _column(self, query: str) -> list[str]:
        with self.cloned.administration() as connection:
            return [value for (value,) in connection.execute(query.encode()).fetchall()]

    def _add_question(self, bank_id: str, topic_id: str | None) -> None:
        """Version 1 names the topic, version 2, which the question's row speaks for, does not."""
        question = {"id": f"qst_{bank_id}", "bank": bank_id, "topic": topic_id}
        with self.cloned.administration() as connection:
            connection.execute(
                "insert into questions (id, question_bank_id, external_id, latest_version, latest_status, created_at,"
                " updated_at) values (%(id)s, %(bank)s, %(id)s, 2, 'draft', now(), now())",
                question,
            )
            for version, status, topic in ((1, "superseded", topic_id), (2, "draft", None)):
                connection.execute(
                    "insert into question_versions (question_id, version, status, kind, stem, stem_format, choices,"
                    " answer_key, topic_id, content_hash, created_at, updated_at) values (%(id)s, %(version)s,"
                    " %(status)s, 'single', 'x', 'plain', '[]', '{}', %(topic)s, sha256('x'), now(), now())",
                    question | {"version": version, "status": status, "topic": topic},
                )


def on_postgres(cloned: ClonedDatabase, database: object, clock: Clock) -> PostgresLibrary:
    """The library on PostgreSQL, with everybody's account in it."""
    transact = PostgresTransaction(database, PostgresTaxonomyWork, TimeOrderedIds(), clock)  # type: ignore[arg-type]
    library = PostgresLibrary(cloned, transact)
    library.admit()
    return library
