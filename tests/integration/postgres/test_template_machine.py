"""Any history of two templates, by several hands: both stores do what a plain model says, and versions never change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from application.practice.templates import TemplateChange
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.practice.templates import ExpectedTemplate, TemplateVersion
from tests.support.authoring_builders import ANN, BEN, ROOT, SAM
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.template_stores import PACKAGE, ROUTING, InMemory, OnPostgres, Shelf, TemplateStore

WHICH = st.integers(0, 1)
COUNTS = st.integers(10, 12)
ACTORS = st.sampled_from([ANN, ANN, ANN, BEN, ROOT, ROOT, SAM])
# How the revision that is expected differs from the one that is there; None expects nothing.
OFF = st.sampled_from([None, None, 0, 0, -1])


@dataclass
class ModelTemplate:
    """What is said, what was ever published, and what students see of it: an index into the latter."""

    author: Actor
    says: int = 10
    revision: int = 1
    published: list[int] = field(default_factory=list)
    shown: int | None = None
    practised: bool = False
    gone: bool = False

    def refusal(self, actor: Actor, revision: int | None) -> str | None:
        if actor is SAM:
            return "auth.forbidden"
        if self.gone:
            return "template.not_found"
        if actor not in (self.author, ROOT):
            return "template.not_the_author"
        return None if revision in (None, self.revision) else "template.stale"

    def say(self, count: int) -> None:
        self.revision += count != self.says
        self.says = count

    def publish(self) -> None:
        if not self.published or self.published[-1] != self.says:
            self.published.append(self.says)
        self.show(len(self.published) - 1)

    def show(self, index: int | None) -> None:
        self.revision += index != self.shown
        self.shown = index

    def delete(self) -> str | None:
        if self.practised:
            return "template.in_use"
        self.gone = True
        return None


class Together:
    """Memory and PostgreSQL on one event loop, for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class Templates(RuleBasedStateMachine):
    """Ann's template and an administrator's."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner, self.clock = together.runner, SettableClock()
        self.memory = InMemory(clock=self.clock)
        self.postgres = OnPostgres(database=together.database, clock=self.clock)
        self.model: list[ModelTemplate] = []
        self.seen: dict[tuple[str, int], TemplateVersion] = {}
        self.sessions = 0

    @initialize()
    def begin(self) -> None:
        for store in (self.memory, self.postgres):
            self.runner.run(store.settle())
        for actor in (ANN, ROOT):
            self.write(actor)

    def write(self, actor: Actor) -> None:
        self.both(lambda store: store.create(actor, PACKAGE, ROUTING))
        self.model.append(ModelTemplate(actor))

    @rule(which=WHICH, actor=ACTORS, count=COUNTS, off=OFF)
    def change(self, which: int, actor: Actor, count: int, off: int | None) -> None:
        self.take(
            which,
            actor,
            off,
            lambda template: template.say(count),
            lambda store, id_, expected: store.change(actor, id_, TemplateChange(count=count), expected),
        )

    @rule(which=WHICH, actor=ACTORS, off=OFF)
    def publish(self, which: int, actor: Actor, off: int | None) -> None:
        self.take(
            which,
            actor,
            off,
            lambda template: template.publish(),
            lambda store, id_, expected: store.publish(actor, id_, expected),
        )

    @rule(which=WHICH, actor=ACTORS, off=OFF)
    def unpublish(self, which: int, actor: Actor, off: int | None) -> None:
        self.take(
            which,
            actor,
            off,
            lambda template: template.show(None),
            lambda store, id_, expected: store.unpublish(actor, id_, expected),
        )

    @rule(which=WHICH, actor=ACTORS, off=OFF)
    def delete(self, which: int, actor: Actor, off: int | None) -> None:
        self.take(
            which,
            actor,
            off,
            lambda template: template.delete(),
            lambda store, id_, expected: store.delete(actor, id_, expected),
        )

    @rule(which=WHICH)
    def practise(self, which: int) -> None:
        template = self.model[which]
        self.sessions += 1
        version = self.both(lambda store: store.begin(self.id_of(which), f"prs_{self.sessions}"))
        if template.gone or template.shown is None:
            assert version is None
        else:
            assert (version.version, version.settings.count) == (template.shown + 1, template.published[template.shown])
            template.practised = True

    @rule()
    def wait(self) -> None:
        self.clock.advance(minutes=1)

    @invariant()
    def everything_is_as_it_must_be(self) -> None:
        ours, theirs = (self.runner.run(store.shelf()) for store in (self.memory, self.postgres))
        assert ours == theirs
        self.the_stores_hold_what_the_model_says(theirs)
        self.what_was_published_never_changes(theirs)
        records = [self.runner.run(store.audited()) for store in (self.memory, self.postgres)]
        assert records[0] == records[1]

    def the_stores_hold_what_the_model_says(self, shelf: Shelf) -> None:
        kept = {self.id_of(which): each for which, each in enumerate(self.model) if not each.gone}
        assert shelf.templates.keys() == kept.keys()
        for id_, template in kept.items():
            found = shelf.templates[id_]
            assert (found.settings.count, found.revision) == (template.says, template.revision)
            assert found.latest_version == len(template.published)
            assert found.published_version == (None if template.shown is None else template.shown + 1)
        versions = {(id_, n): count for id_, each in kept.items() for n, count in enumerate(each.published, start=1)}
        assert {key: version.settings.count for key, version in shelf.versions.items()} == versions

    def what_was_published_never_changes(self, shelf: Shelf) -> None:
        for key, version in shelf.versions.items():
            assert self.seen.setdefault(key, version) == version

    def id_of(self, which: int) -> str:
        return f"tpl_{which + 1:03}"

    def take(
        self,
        which: int,
        actor: Actor,
        off: int | None,
        model: Callable[[ModelTemplate], str | None],
        ask: Callable[[TemplateStore, str, ExpectedTemplate], Awaitable[Any]],
    ) -> None:
        """One command on both stores, and what the model says to it."""
        template = self.model[which]
        revision = None if off is None else template.revision + off
        refusal = template.refusal(actor, revision) or model(template)
        answer = self.both(lambda store: ask(store, self.id_of(which), ExpectedTemplate(revision=revision)))
        assert (answer if isinstance(answer, str) else None) == refusal

    def both(self, act: Callable[[TemplateStore], Awaitable[Any]]) -> Any:
        ours, theirs = (self.runner.run(told(act(store))) for store in (self.memory, self.postgres))
        assert ours == theirs
        return ours


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


def test_templates_do_what_the_model_says_on_both_stores(together: Together) -> None:
    class Here(Templates):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=25))
