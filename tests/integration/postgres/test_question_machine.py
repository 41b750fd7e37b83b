"""Any history of a question, by several hands and by files: both stores do what the table of the lifecycle says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.memory.question_bank.authoring import KeptQuestionRow, KeptVersion
from adapters.postgres.database import Database
from adapters.postgres.question_bank.imports import PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank.authoring import NewQuestion
from application.question_bank.changes import QuestionChange
from application.question_bank.imports import ImportQuestions
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import Expected, QuestionVersion, VersionStatus
from domain.question_bank.review import Decision
from tests.support.authoring_builders import ANN, BEN, CAT, EVE, NET, RITA, ROOT, text
from tests.support.authoring_model import ModelQuestion, ModelVersion
from tests.support.authoring_stores import AuthoringStore, InMemory, OnPostgres, Rows
from tests.support.import_files import order
from tests.support.postgres import ClonedDatabase, SettableClock

WHICH = st.integers(0, 1)
SAYS = st.integers(1, 3)
STAFF = st.sampled_from([ANN, ANN, BEN, CAT, EVE, ROOT])
ADMINS = st.sampled_from([ROOT, ROOT, RITA])
# How the revision that is expected differs from the one that is there; None expects nothing.
OFF = st.sampled_from([None, 0, 0, 0, -1])


def stem(says: int) -> FormattedText:
    return text(f"What is {says}?")


def content(says: int) -> QuestionContent:
    """What a file says, too."""
    return QuestionContent(
        kind=QuestionKind.SINGLE,
        stem=stem(says),
        choices=tuple(ImportedChoice(key=key.upper(), text=text(key), correct=key == "b") for key in "abcd"),
        topic_id="top_route",
        difficulty_id="dif_easy",
        tags=("ip", "net"),
    )


class Together:
    """Memory and PostgreSQL with one clock, on one event loop, for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class Questions(RuleBasedStateMachine):
    """Two questions of one bank: Ann's and an administrator's."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner, self.clock = together.runner, SettableClock()
        self.memory = InMemory(clock=self.clock)
        self.postgres = OnPostgres(database=together.database, clock=self.clock)
        transact = PostgresTransaction(together.database, PostgresImportWork, TimeOrderedIds(), self.clock)
        self.import_questions = ImportQuestions(transact, TimeOrderedIds(), AsyncioThreads())
        self.model: list[ModelQuestion] = []
        self.said: dict[tuple[str, int], bytes] = {}
        self.steps = 0

    @initialize()
    def begin(self) -> None:
        for store in (self.memory, self.postgres):
            self.runner.run(store.settle())
        for actor in (ANN, ROOT):
            self.create(actor)

    def create(self, actor: Actor) -> None:
        number = len(self.model) + 1
        new = NewQuestion(bank_id=NET.id, external_id=f"Q{number}", content=content(1))
        self.both(lambda store: store.create(actor, new))
        first = ModelVersion(1, [actor.user_id])
        self.model.append(ModelQuestion(actor.user_id, (BEN.user_id, CAT.user_id), [first]))
        self.steps += 1

    # What happens.

    @rule(which=WHICH, actor=STAFF, says=SAYS, off=OFF)
    def edit(self, which: int, actor: Actor, says: int, off: int | None) -> None:
        change = QuestionChange(stem=stem(says))
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=True) or question.edit(actor, says),
            lambda store, id_, expected: store.edit(actor, id_, change, expected),
        )

    @rule(which=WHICH, actor=STAFF, command=st.sampled_from(["submit", "submit", "submit", "withdraw"]), off=OFF)
    def hand_in_or_take_back(self, which: int, actor: Actor, command: str, off: int | None) -> None:
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=True) or getattr(question, command)(actor),
            lambda store, id_, expected: getattr(store, command)(actor, id_, expected),
        )

    @rule(which=WHICH, actor=ADMINS, override=st.booleans(), off=OFF)
    def approve(self, which: int, actor: Actor, override: bool, off: int | None) -> None:
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=True) or question.approve(actor, override),
            lambda store, id_, expected: store.approve(actor, id_, expected, override=override, note="Good."),
        )

    @rule(which=WHICH, actor=ADMINS, off=OFF)
    def request_changes(self, which: int, actor: Actor, off: int | None) -> None:
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=True) or question.request_changes(actor),
            lambda store, id_, expected: store.request_changes(actor, id_, "Why?", expected),
        )

    @rule(which=WHICH, actor=ADMINS, off=OFF)
    def publish(self, which: int, actor: Actor, off: int | None) -> None:
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=True) or question.publish(actor),
            lambda store, id_, expected: store.publish(actor, id_, expected),
        )

    @rule(which=WHICH, actor=STAFF, command=st.sampled_from(["archive", "redraft", "delete"]), off=OFF)
    def put_away(self, which: int, actor: Actor, command: str, off: int | None) -> None:
        self.take(
            which,
            off,
            lambda question, rev: question.refusal(actor, rev, helpers=False) or getattr(question, command)(actor),
            lambda store, id_, expected: getattr(store, command)(actor, id_, expected),
        )

    @rule(
        which=WHICH,
        actor=st.sampled_from([ROOT, RITA, None]),
        says=SAYS,
        publish=st.sampled_from([False, False, True]),
    )
    def bring_a_file(self, which: int, actor: Actor | None, says: int, publish: bool) -> None:
        """The real import on PostgreSQL; in memory, what the model says of it."""
        question = self.model[which]
        if question.gone:
            return
        row = f"Q{which + 1},Routing,What is {says}?,a,b,c,d,,,,,easy,ip;net,B"
        report = self.runner.run(self.import_questions(actor, order(row, bank=NET.slug, publish=publish)))
        in_review = question.latest.status == "in_review" and not publish
        changed = question.take_in(actor, says, publish=publish)
        assert (report.updated, report.unchanged) == (int(changed), int(not changed))
        assert report.warnings == ({"changed_in_review": 1} if changed and in_review else {})
        if changed:
            self.write_to_memory(self.id_of(which), question, by=actor.user_id if actor else None)

    @rule(seconds=st.sampled_from([0, 1, 60, -1]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    # What holds after each step.

    @invariant()
    def everything_is_as_it_must_be(self) -> None:
        """All invariants on one reading of the stores."""
        ours, theirs = (self.runner.run(store.rows()) for store in (self.memory, self.postgres))
        assert ours == theirs
        self.the_stores_hold_what_the_model_says(ours)
        self.a_question_row_repeats_what_its_versions_say(theirs)
        self.what_was_published_never_changes(theirs)
        self.every_step_is_on_record_once()

    def the_stores_hold_what_the_model_says(self, ours: Rows) -> None:
        for which, question in enumerate(self.model):
            id_ = self.id_of(which)
            told = [ours.versions[key].version for key in sorted(ours.versions) if key[0] == id_]
            if question.gone:
                assert not told
                continue
            assert [(v.status, v.rev, list(v.editors), v.content) for v in told] == [
                (v.status, v.rev, v.editors, content(v.says)) for v in question.versions
            ]
            rounds = [
                [ours.reviews[key].decision or "open" for key in sorted(ours.reviews) if key[:2] == (id_, v.version)]
                for v in told
            ]
            assert rounds == [version.rounds for version in question.versions]

    def a_question_row_repeats_what_its_versions_say(self, rows: Rows) -> None:
        for row in rows.questions.values():
            versions = [kept.version for key, kept in sorted(rows.versions.items()) if key[0] == row.id]
            published = [v.version for v in versions if v.status is VersionStatus.PUBLISHED]
            assert len(published) <= 1
            assert sum(v.status.is_open for v in versions) <= 1
            assert (row.latest_version, row.latest_status) == (versions[-1].version, versions[-1].status)
            assert row.published_version == (published[0] if published else None)
        count = sum(row.published_version is not None for row in rows.questions.values())
        assert rows.published[NET.id] == count

    def what_was_published_never_changes(self, rows: Rows) -> None:
        for key, kept in rows.versions.items():
            if not kept.version.status.is_open:
                assert self.said.setdefault(key, kept.content_hash) == kept.content_hash

    def every_step_is_on_record_once(self) -> None:
        ours, theirs = (self.runner.run(store.audited()) for store in (self.memory, self.postgres))
        assert ours == [entry for entry in theirs if entry.action.startswith("question.")]
        assert len(ours) == self.steps

    # How it is asked.

    def id_of(self, which: int) -> str:
        return f"qst_{which + 1:03}"

    def take(
        self,
        which: int,
        off: int | None,
        model: Callable[[ModelQuestion, int | None], str | None],
        ask: Callable[[AuthoringStore, str, Expected], Awaitable[Any]],
    ) -> None:
        """One command on both stores, and what the model says to it."""
        question = self.model[which]
        rev = None if off is None else question.latest.rev + off
        before = repr(question)
        refusal = model(question, rev)
        answer = self.both(lambda store: ask(store, self.id_of(which), Expected(rev=rev)))
        assert (answer if isinstance(answer, str) else None) == refusal
        self.steps += before != repr(question)

    def both(self, act: Callable[[AuthoringStore], Awaitable[Any]]) -> Any:
        ours, theirs = (self.runner.run(told(act(store))) for store in (self.memory, self.postgres))
        assert ours == theirs
        return ours

    def write_to_memory(self, id_: str, question: ModelQuestion, *, by: str | None) -> None:
        """The rows of a question as an import leaves them."""
        tables, now = self.memory.store.tables, self.clock.now()
        versions: dict[tuple[str, int], KeptVersion] = tables["authoring_versions"]
        for number, version in enumerate(question.versions, start=1):
            kept = versions.get((id_, number))
            if kept is None or kept.version.rev != version.rev:
                versions[id_, number] = imported(kept, version, number, now)
        for key, review in tables["authoring_reviews"].items():
            if key[0] == id_ and review.is_open:
                decision = Decision(question.latest.rounds[-1])
                tables["authoring_reviews"][key] = replace(review, decision=decision, decided_by=by, decided_at=now)
        row: KeptQuestionRow = tables["authoring_questions"][id_]
        published = next((n for n, v in enumerate(question.versions, start=1) if v.status == "published"), None)
        tables["authoring_published"][NET.id] += int(published is not None) - int(row.published_version is not None)
        tables["authoring_questions"][id_] = replace(
            row,
            latest_version=len(question.versions),
            latest_status=VersionStatus(question.latest.status),
            published_version=published,
            updated_at=now,
        )


def imported(kept: KeptVersion | None, version: ModelVersion, number: int, now: datetime) -> KeptVersion:
    """A version that an import has written, or only moved out of the way."""
    says, status = content(version.says), VersionStatus(version.status)
    stated = says.canonical(external_id="", bank="", topic="Routing", difficulty="easy")
    fresh = QuestionVersion(version=number, content=says, created_at=now, updated_at=now)
    before = kept.version if kept else fresh
    after = replace(
        before,
        content=says,
        rev=version.rev,
        status=status,
        editors=tuple(version.editors),
        updated_at=now,
        decided_at=now if status is VersionStatus.PUBLISHED else before.decided_at,
    )
    return KeptVersion(version=after, content_hash=stated.content_hash)


async def told(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except DomainError as refusal:
        return refusal.code


@pytest.fixture
def together(cloned: ClonedDatabase) -> Iterator[Together]:
    with asyncio.Runner() as runner:
        database = Database(cloned.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        yield Together(runner, cloned, database)
        runner.run(database.close())


def test_questions_do_what_the_table_says_on_both_stores(together: Together) -> None:
    class Here(Questions):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=30))
