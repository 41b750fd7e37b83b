"""Templates of practice: who writes, publishes and deletes them and what stays, in memory and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from application.enrollment.changes import ScoringChange
from application.practice.templates import TemplateChange
from domain.auth.people import Actor
from domain.auth.sessions import Forbidden
from domain.enrollment.refusals import PackageNotFound
from domain.errors import InvalidInput
from domain.practice.templates import (
    ANY_STATE,
    ExpectedTemplate,
    NotTheAuthor,
    TemplateChanged,
    TemplateContent,
    TemplateInUse,
    TemplateNotFound,
    TemplateSettings,
    TemplateStale,
)
from tests.support.authoring_builders import ANN, BEN, ROOT, SAM
from tests.support.postgres import SettableClock
from tests.support.template_stores import FULL, OTHER_PACKAGE, PACKAGE, ROUTING, InMemory, OnPostgres, TemplateStore

LONGER = TemplateChange(count=20)
Act = Callable[[TemplateStore, Actor, str, ExpectedTemplate], Awaitable[object]]
ACTS: dict[str, Act] = {
    "change": lambda store, actor, id_, expected: store.change(actor, id_, LONGER, expected),
    "publish": lambda store, actor, id_, expected: store.publish(actor, id_, expected),
    "unpublish": lambda store, actor, id_, expected: store.unpublish(actor, id_, expected),
    "delete": lambda store, actor, id_, expected: store.delete(actor, id_, expected),
}
every_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())


@pytest.fixture(params=["memory", "postgres"])
def empty(request: pytest.FixtureRequest, clock: SettableClock) -> TemplateStore:
    if request.param == "memory":
        return InMemory(clock=clock)
    return OnPostgres(database=request.getfixturevalue("database"), clock=clock)


@pytest.fixture
async def store(empty: TemplateStore) -> TemplateStore:
    await empty.settle()
    return empty


async def actions(store: TemplateStore) -> list[str]:
    return [entry.action for entry in await store.audited()]


@pytest.mark.parametrize("content", [ROUTING, FULL])
async def test_a_template_is_kept_as_it_was_written(store: TemplateStore, content: TemplateContent) -> None:
    view = await store.publish(ANN, (await store.written(content)).id)
    shelf = await store.shelf()
    assert shelf.templates == {view.template.id: view.template}
    assert view.template.content == content
    assert view.published is not None
    assert list(shelf.versions.values()) == [view.published]
    assert view.published.content == content
    assert (view.template.author_id, view.published.published_by) == (ANN.user_id, ANN.user_id)


async def test_a_template_is_of_a_package_that_there_is(store: TemplateStore) -> None:
    with pytest.raises(PackageNotFound):
        await store.create(ANN, "pkg_none", TemplateContent(title="x"))
    assert not (await store.shelf()).templates


@pytest.mark.parametrize("package", [PACKAGE, OTHER_PACKAGE])
@pytest.mark.parametrize(
    ("settings", "pointers"),
    [
        (TemplateSettings(topic_ids=("top_route", "top_den")), {PACKAGE: ["/topicIds/1"]}),
        (TemplateSettings(topic_ids=("top_none",)), {}),
        (TemplateSettings(difficulty_ids=("dif_easy", "dif_none")), {}),
    ],
)
async def test_a_filter_names_topics_of_the_banks_of_the_package(
    store: TemplateStore, package: str, settings: TemplateSettings, pointers: dict[str, list[str]]
) -> None:
    """A topic of another bank is as unknown as one that is not there."""
    with pytest.raises(InvalidInput) as refused:
        await store.create(ANN, package, TemplateContent(title="x", settings=settings))
    found = [problem.pointer for problem in refused.value.problems]
    ids = (*settings.topic_ids, *settings.difficulty_ids)
    everything = [f"/{'topicIds' if id_.startswith('top') else 'difficultyIds'}/{n}" for n, id_ in enumerate(ids)]
    expected = pointers.get(package, [each for each, id_ in zip(everything, ids, strict=True) if id_ != "dif_easy"])
    assert found == expected
    assert not await store.audited()


async def test_a_changed_filter_is_looked_at_again(store: TemplateStore) -> None:
    template = await store.written()
    with pytest.raises(InvalidInput):
        await store.change(ANN, template.id, TemplateChange(topic_ids=("top_den",)))
    with pytest.raises(InvalidInput):
        await store.change(ANN, template.id, TemplateChange(count=0))
    assert (await store.shelf()).templates[template.id] == template


async def test_a_topic_that_has_gone_is_noticed_when_it_matters(store: TemplateStore) -> None:
    """The draft may be retitled; to be published as something new it must name what there is."""
    view = await store.published()
    await store.forget_topic("top_route")
    again = await store.publish(ANN, view.template.id)
    assert again == view
    await store.change(ANN, view.template.id, TemplateChange(title="Another"))
    with pytest.raises(InvalidInput) as refused:
        await store.publish(ANN, view.template.id)
    assert [problem.pointer for problem in refused.value.problems] == ["/topicIds/0"]
    await store.change(ANN, view.template.id, TemplateChange(topic_ids=()))
    assert (await store.publish(ANN, view.template.id)).template.latest_version == 2


async def test_a_change_shows_students_nothing_before_it_is_published(store: TemplateStore) -> None:
    first = await store.published()
    changed = await store.change(ANN, first.template.id, LONGER)
    assert (changed.template.settings.count, changed.template.revision) == (20, 3)
    assert (changed.published, changed.has_unpublished_changes) == (first.published, True)
    second = await store.publish(ANN, first.template.id)
    assert (second.template.published_version, second.has_unpublished_changes) == (2, False)
    versions = (await store.shelf()).versions
    assert [versions[first.template.id, number].settings.count for number in (1, 2)] == [10, 20]
    assert versions[first.template.id, 1] == first.published


async def test_publishing_the_same_again_is_no_change(store: TemplateStore, clock: SettableClock) -> None:
    view = await store.published()
    clock.advance(minutes=1)
    assert await store.publish(ROOT, view.template.id) == view
    assert await actions(store) == ["template.created", "template.published"]


async def test_a_hidden_template_is_shown_again_as_the_version_that_it_was(store: TemplateStore) -> None:
    view = await store.published()
    hidden = await store.unpublish(ANN, view.template.id)
    assert (hidden.template.published_version, hidden.template.latest_version, hidden.published) == (None, 1, None)
    assert await store.unpublish(ANN, view.template.id) == hidden
    shown = await store.publish(ANN, view.template.id)
    assert (shown.published, shown.template.latest_version) == (view.published, 1)
    told = ["template.created", "template.published", "template.unpublished", "template.published"]
    assert await actions(store) == told


async def test_a_change_back_to_an_older_version_is_published_as_a_new_one(store: TemplateStore) -> None:
    view = await store.published()
    for count in (20, 10):
        await store.change(ANN, view.template.id, TemplateChange(count=count))
        await store.publish(ANN, view.template.id)
    versions = (await store.shelf()).versions
    assert [versions[view.template.id, number].settings.count for number in (1, 2, 3)] == [10, 20, 10]


async def test_what_is_said_already_is_no_change(store: TemplateStore, clock: SettableClock) -> None:
    template = await store.written()
    clock.advance(minutes=1)
    same = TemplateChange(title=template.title, topic_ids=(*ROUTING.settings.topic_ids, "top_route"), scoring=None)
    assert (await store.change(ANN, template.id, same)).template == template
    assert await actions(store) == ["template.created"]


async def test_every_change_is_on_record_as_it_was_and_as_it_is(store: TemplateStore) -> None:
    template = await store.written()
    await store.change(ANN, template.id, TemplateChange(count=20, scoring=ScoringChange(penalty=Decimal("0.5"))))
    await store.publish(ANN, template.id)
    await store.unpublish(ROOT, template.id)
    await store.delete(ROOT, template.id)
    created, changed, published, unpublished, deleted = await store.audited()
    assert {entry.subject for entry in await store.audited()} == {template.id}
    assert [entry.actor_id for entry in (created, unpublished)] == [ANN.user_id, ROOT.user_id]
    assert created.before is None
    assert created.after is not None
    assert (created.after["exam_package_id"], created.after["count"]) == (PACKAGE, 10)
    assert (changed.before, changed.after and changed.after["count"]) == ({"count": 10, "scoring": None}, 20)
    assert changed.after is not None
    assert changed.after.keys() == {"count", "scoring"}
    assert (published.before, published.after) == ({"published_version": None}, {"published_version": 1})
    assert (unpublished.before, unpublished.after) == ({"published_version": 1}, {"published_version": None})
    assert deleted.before is not None
    assert (deleted.before["title"], deleted.after) == (template.title, None)


@every_act
async def test_a_template_that_is_not_there_is_not_found(store: TemplateStore, act: Act) -> None:
    with pytest.raises(TemplateNotFound):
        await act(store, ROOT, "tpl_none", ANY_STATE)


@every_act
async def test_other_instructors_only_look_on(store: TemplateStore, act: Act) -> None:
    view = await store.published()
    with pytest.raises(NotTheAuthor):
        await act(store, BEN, view.template.id, ANY_STATE)
    with pytest.raises(Forbidden):
        await act(store, SAM, view.template.id, ANY_STATE)
    with pytest.raises(Forbidden):
        await store.create(SAM, PACKAGE, ROUTING)
    assert (await store.shelf()).templates == {view.template.id: view.template}


@every_act
async def test_a_template_that_others_have_changed_meanwhile_is_read_again_first(
    store: TemplateStore, act: Act
) -> None:
    template = await store.written()
    await store.change(ROOT, template.id, TemplateChange(title="Meanwhile"))
    with pytest.raises(TemplateChanged) as changed:
        await act(store, ANN, template.id, ExpectedTemplate(etag=1, revision=1))
    assert changed.value.current_version == 2
    with pytest.raises(TemplateStale):
        await act(store, ANN, template.id, ExpectedTemplate(etag=2, revision=1))
    await act(store, ANN, template.id, ExpectedTemplate(etag=2, revision=2))


async def test_what_nobody_has_practised_goes_with_its_versions(store: TemplateStore) -> None:
    kept, gone = await store.published(), await store.published()
    await store.delete(ANN, gone.template.id)
    shelf = await store.shelf()
    assert set(shelf.templates) == {kept.template.id}
    assert set(shelf.versions) == {(kept.template.id, 1)}


async def test_a_template_that_somebody_has_practised_stays(store: TemplateStore) -> None:
    """Even when another version is shown by now, or none."""
    view = await store.published()
    assert await store.begin(view.template.id, "prs_1") == view.published
    await store.change(ANN, view.template.id, LONGER)
    for act in (store.publish, store.unpublish):
        await act(ANN, view.template.id)
        before = await store.shelf()
        with pytest.raises(TemplateInUse):
            await store.delete(ANN, view.template.id)
        assert await store.shelf() == before


async def test_students_begin_with_what_is_published_now(store: TemplateStore) -> None:
    template = await store.written()
    assert await store.begin(template.id, "prs_0") is None
    first = (await store.publish(ANN, template.id)).published
    assert await store.begin(template.id, "prs_1") == first
    await store.change(ANN, template.id, LONGER)
    assert await store.begin(template.id, "prs_2") == first
    second = (await store.publish(ANN, template.id)).published
    assert await store.begin(template.id, "prs_3") == second
    await store.unpublish(ANN, template.id)
    assert await store.begin(template.id, "prs_4") is None
    assert await store.begin("tpl_none", "prs_5") is None


async def test_a_package_without_a_template_gets_one_of_the_school_once(store: TemplateStore) -> None:
    for _ in range(2):
        await store.provide(PACKAGE, ROUTING)
    shelf = await store.shelf()
    (template,), (version,) = shelf.templates.values(), shelf.versions.values()
    assert (template.author_id, template.published_version, version.content) == (None, 1, ROUTING)
    assert [entry.actor_id for entry in await store.audited()] == [None, None]
    with pytest.raises(NotTheAuthor):
        await store.change(ANN, template.id, LONGER)
    await store.change(ROOT, template.id, LONGER)


async def test_a_package_with_a_template_of_somebody_keeps_that_alone(store: TemplateStore) -> None:
    template = await store.written()
    await store.provide(PACKAGE, FULL)
    assert (await store.shelf()).templates == {template.id: template}
    await store.provide(OTHER_PACKAGE, TemplateContent(title="x"))
    assert len((await store.shelf()).templates) == 2
    with pytest.raises(PackageNotFound):
        await store.provide("pkg_none", TemplateContent(title="x"))
