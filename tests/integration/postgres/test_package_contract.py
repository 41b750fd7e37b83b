"""What every store of packages keeps while they are managed: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from application.enrollment.changes import PackageChange, ScoringChange, SettingsChange, TierChange
from application.enrollment.managing import NewPackage
from domain.auth.sessions import Forbidden
from domain.enrollment.package_refusals import (
    LastTier,
    PackageChanged,
    PackageInUse,
    PackageSlugTaken,
    TierInUse,
    TierNameTaken,
    TierNotFound,
)
from domain.enrollment.packages import Tier, Visibility
from domain.enrollment.refusals import BankUnknown, PackageNotFound
from domain.enrollment.settings import PackageSettings
from domain.errors import InvalidInput
from domain.question_bank.blueprints import Blueprint, Section
from tests.support.enrollment_builders import OPEN, STANDARD, StoredBank, a_package, a_student
from tests.support.package_builders import ADMIN, BLUEPRINT, INSTRUCTOR, STUDENT, TALKATIVE, package_settings
from tests.support.package_stores import PackagesInMemory, PackagesOnPostgres, PackageStore
from tests.support.postgres import SettableClock

PACKAGE = a_package(tiers=(STANDARD, OPEN))
NEW = NewPackage(slug="routing", title="Routing", question_bank_ids=("qbk_1",))


@pytest.fixture(params=["memory", "postgres"])
def empty_store(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> PackageStore:
    if request.param == "memory":
        return PackagesInMemory(clock=clock, ids=ids)
    database: Database = request.getfixturevalue("database")
    return PackagesOnPostgres(database=database, clock=clock, ids=ids)


@pytest.fixture
async def store(empty_store: PackageStore) -> PackageStore:
    """A store with one package, one student, two banks with a topic each, and a topic of a third."""
    await empty_store.add_package(PACKAGE)
    await empty_store.add_student("usr_ada")
    for actor in (ADMIN, INSTRUCTOR):
        await empty_store.add_student(actor.user_id, role=actor.role)
    for number, slug in enumerate(("cables", "routes", "secrets"), start=1):
        await empty_store.add_bank(StoredBank(id=f"qbk_{number}", slug=slug))
        await empty_store.add_topic(f"top_{number}", f"qbk_{number}")
    return empty_store


async def test_a_package_comes_back_with_everything_it_says(store: PackageStore) -> None:
    tiers = (
        replace(STANDARD, id="tier_1", weekly_practice_sessions=0, weekly_exam_sessions=7, access_days=30, rank=3),
        replace(OPEN, id="tier_2", self_service=False, active=False),
    )
    said = replace(
        a_package("pkg_said", slug="said", tiers=tiers), settings=TALKATIVE, blueprint=BLUEPRINT, description="ß"
    )
    assert await store.add_package(said)
    assert await store.stored("said") == await store.stored("pkg_said") == said
    assert await store.stored(PACKAGE.id) == PACKAGE
    assert await store.stored("unknown") is None


@settings(max_examples=25)
@given(said=package_settings())
async def test_whatever_a_package_says_is_kept(store: PackageStore, said: PackageSettings) -> None:
    await store.packages(lambda work: work.save_package(replace(PACKAGE, settings=said)))
    found = await store.stored(PACKAGE.id)
    assert found is not None
    assert found.settings == said


async def test_an_administrator_makes_a_package_with_a_first_tier(store: PackageStore) -> None:
    made = await store.create(
        ADMIN,
        replace(
            NEW,
            settings=SettingsChange(attempts_allowed=2, scoring=ScoringChange(penalty=Decimal("0.5"))),
            blueprint=Blueprint(sections=(Section(count=3, topic_id="top_1", difficulty_id="dif_easy"),)),
        ),
    )
    assert made.question_bank_ids == ("qbk_1",) == await store.banks_of(made.package.id)
    assert await store.stored("routing") == made.package
    (tier,) = made.package.tiers
    assert (tier.is_default, tier.self_service, tier.active) == (True, True, True)
    assert (made.package.version, made.package.settings.attempts_allowed) == (1, 2)
    ((action, subject, before, after),) = await store.told()
    assert (action, subject, before) == ("package.created", made.package.id, None)
    assert (after["slug"], after["question_bank_ids"]) == ("routing", ["qbk_1"])
    assert after["settings"]["scoring"]["penalty"] == "0.5"
    assert after["blueprint"]["sections"][0]["topic_id"] == "top_1"


async def test_a_new_package_needs_a_slug_of_its_own_and_banks_that_there_are(store: PackageStore) -> None:
    with pytest.raises(PackageSlugTaken):
        await store.create(ADMIN, replace(NEW, slug=PACKAGE.slug))
    with pytest.raises(BankUnknown) as refused:
        await store.create(ADMIN, replace(NEW, question_bank_ids=("qbk_1", "qbk_7")))
    assert [problem.pointer for problem in refused.value.problems] == ["/questionBankIds/1"]
    with pytest.raises(InvalidInput):
        await store.create(ADMIN, replace(NEW, settings=SettingsChange(latency_seconds=-1)))
    assert await store.stored("routing") is None
    assert not await store.told()


async def test_sections_name_topics_of_the_packages_own_banks(store: PackageStore) -> None:
    sections = (
        Section(count=1, topic_id="top_1"),
        Section(count=1, topic_id="top_3"),
        Section(count=1, difficulty_id="dif_unheard_of"),
    )
    with pytest.raises(InvalidInput) as refused:
        await store.create(ADMIN, replace(NEW, blueprint=Blueprint(sections=sections)))
    pointers = [problem.pointer for problem in refused.value.problems]
    assert pointers == ["/blueprint/sections/1/topicId", "/blueprint/sections/2/difficultyId"]
    made = await store.create(ADMIN, replace(NEW, blueprint=Blueprint(sections=sections[:1])))
    with pytest.raises(InvalidInput) as orphaned:
        await store.change_package(ADMIN, "routing", PackageChange(question_bank_ids=("qbk_2",)))
    assert [problem.pointer for problem in orphaned.value.problems] == ["/blueprint/sections/0/topicId"]
    assert await store.banks_of(made.package.id) == ("qbk_1",)


async def test_only_what_is_named_changes_and_the_log_tells_what(store: PackageStore, clock: SettableClock) -> None:
    clock.advance(minutes=1)
    change = PackageChange(title="Networks", settings=SettingsChange(attempts_allowed=3))
    after = await store.change_package(INSTRUCTOR, PACKAGE.id, change)
    expected = replace(PACKAGE, title="Networks", settings=PackageSettings(attempts_allowed=3), version=2)
    assert after.package == expected == await store.stored(PACKAGE.id)
    assert list(await store.told()) == [
        (
            "package.changed",
            PACKAGE.id,
            {"title": PACKAGE.title, "settings": {"attempts_allowed": None}},
            {"title": "Networks", "settings": {"attempts_allowed": 3}},
        )
    ]
    assert [entry.actor_id for entry in await store.audit_log()] == [INSTRUCTOR.user_id]


async def test_a_change_that_changes_nothing_is_not_written_down(store: PackageStore) -> None:
    after = await store.change_package(ADMIN, PACKAGE.slug, PackageChange(title=PACKAGE.title, question_bank_ids=()))
    assert after.package == PACKAGE
    assert not await store.told()


async def test_banks_come_and_go(store: PackageStore) -> None:
    async def draws_from(*banks: str) -> tuple[str, ...]:
        after = await store.change_package(ADMIN, PACKAGE.id, PackageChange(question_bank_ids=banks))
        assert after.question_bank_ids == await store.banks_of(PACKAGE.id)
        return after.question_bank_ids

    assert await draws_from("qbk_2", "qbk_1", "qbk_2") == ("qbk_1", "qbk_2")
    assert await draws_from("qbk_3", "qbk_2") == ("qbk_2", "qbk_3")
    assert await draws_from() == ()
    with pytest.raises(BankUnknown):
        await draws_from("qbk_9")
    found = await store.stored(PACKAGE.id)
    assert found is not None
    assert found.version == 4
    assert [before["question_bank_ids"] for _, _, before, _ in await store.told()] == [
        [],
        ["qbk_1", "qbk_2"],
        ["qbk_2", "qbk_3"],
    ]


async def test_a_slug_is_changed_to_one_that_is_free(store: PackageStore) -> None:
    await store.create(ADMIN, NEW)
    with pytest.raises(PackageSlugTaken):
        await store.change_package(ADMIN, PACKAGE.id, PackageChange(slug="routing"))
    await store.change_package(ADMIN, PACKAGE.id, PackageChange(slug="networks"))
    assert await store.stored("network") is None
    assert (await store.stored("networks")) == replace(PACKAGE, slug="networks", version=2)


@pytest.mark.parametrize(
    "change",
    [
        PackageChange(slug="other"),
        PackageChange(visibility=Visibility.HIDDEN),
        PackageChange(question_bank_ids=("qbk_1",), title="New"),
    ],
)
async def test_instructors_do_not_decide_where_a_package_is_found(store: PackageStore, change: PackageChange) -> None:
    with pytest.raises(Forbidden):
        await store.change_package(INSTRUCTOR, PACKAGE.id, change)
    await store.change_package(ADMIN, PACKAGE.id, change)


async def test_who_is_no_administrator_neither_makes_nor_deletes(store: PackageStore) -> None:
    for actor in (STUDENT, INSTRUCTOR):
        with pytest.raises(Forbidden):
            await store.create(actor, NEW)
        with pytest.raises(Forbidden):
            await store.delete(actor, PACKAGE.id)
        with pytest.raises(Forbidden):
            await store.add_tier(actor, PACKAGE.id, TierChange(name="New"))
        with pytest.raises(Forbidden):
            await store.change_tier(actor, PACKAGE.id, OPEN.id, TierChange(name="New"))
        with pytest.raises(Forbidden):
            await store.delete_tier(actor, PACKAGE.id, OPEN.id)
    with pytest.raises(Forbidden):
        await store.change_package(STUDENT, PACKAGE.id, PackageChange(title="Mine"))
    assert await store.stored(PACKAGE.id) == PACKAGE


async def test_what_was_changed_meanwhile_is_not_changed_unseen(store: PackageStore) -> None:
    await store.change_package(ADMIN, PACKAGE.id, PackageChange(title="First"), 1)
    with pytest.raises(PackageChanged) as stale:
        await store.change_package(ADMIN, PACKAGE.id, PackageChange(title="Second"), 1)
    assert stale.value.current_version == 2
    for late in (
        store.delete(ADMIN, PACKAGE.id, 1),
        store.add_tier(ADMIN, PACKAGE.id, TierChange(name="New"), 1),
        store.change_tier(ADMIN, PACKAGE.id, OPEN.id, TierChange(name="New"), 1),
        store.delete_tier(ADMIN, PACKAGE.id, OPEN.id, 1),
    ):
        with pytest.raises(PackageChanged):
            await late
    assert await store.stored(PACKAGE.id) == replace(PACKAGE, title="First", version=2)


async def test_what_is_not_there_is_not_found(store: PackageStore) -> None:
    for missing in (
        store.change_package(ADMIN, "pkg_9", PackageChange(title="New")),
        store.change_package(ADMIN, "pkg_9", PackageChange(slug="new")),
        store.delete(ADMIN, "pkg_9"),
        store.add_tier(ADMIN, "pkg_9", TierChange(name="New")),
    ):
        with pytest.raises(PackageNotFound):
            await missing
    other = await store.create(ADMIN, NEW)
    for elsewhere in (
        store.change_tier(ADMIN, other.package.id, OPEN.id, TierChange(name="New")),
        store.delete_tier(ADMIN, other.package.id, OPEN.id),
    ):
        with pytest.raises(TierNotFound):
            await elsewhere


async def test_a_package_without_a_history_is_deleted_with_all_that_is_its_own(store: PackageStore) -> None:
    await store.change_package(ADMIN, PACKAGE.id, PackageChange(question_bank_ids=("qbk_1",)))
    await store.delete(ADMIN, PACKAGE.slug, 2)
    assert await store.stored(PACKAGE.id) is None
    assert await store.banks_of(PACKAGE.id) == ()
    action, subject, before, after = (await store.told())[-1]
    assert (action, subject, after) == ("package.deleted", PACKAGE.id, None)
    assert (before["slug"], before["question_bank_ids"]) == (PACKAGE.slug, ["qbk_1"])
    assert await store.add_package(PACKAGE)


async def test_a_package_that_anybody_was_ever_enrolled_in_stays(store: PackageStore) -> None:
    await store.enroll(a_student(), PACKAGE.id)
    await store.cancel(a_student(), PACKAGE.id)
    with pytest.raises(PackageInUse):
        await store.delete(ADMIN, PACKAGE.id)
    assert await store.stored(PACKAGE.id) == PACKAGE
    assert not await store.told()


async def test_a_package_with_a_template_stays(store: PackageStore) -> None:
    await store.add_template(PACKAGE.id)
    with pytest.raises(PackageInUse):
        await store.delete(ADMIN, PACKAGE.id)


async def test_tiers_are_added_changed_and_deleted(store: PackageStore) -> None:
    said = TierChange(
        name="Trial",
        self_service=False,
        active=False,
        weekly_practice_sessions=0,
        weekly_exam_sessions=1,
        access_days=14,
        rank=2,
    )
    added = await store.add_tier(ADMIN, PACKAGE.id, said, 1)
    trial = Tier(
        id=added.tier.id,
        name="Trial",
        is_default=False,
        self_service=False,
        active=False,
        weekly_practice_sessions=0,
        weekly_exam_sessions=1,
        access_days=14,
        rank=2,
    )
    assert added.tier == trial
    assert await store.stored(PACKAGE.id) == added.package
    assert added.package.version == 2

    changed = await store.change_tier(ADMIN, PACKAGE.id, trial.id, TierChange(weekly_practice_sessions=None, rank=0))
    assert changed.tier == replace(trial, weekly_practice_sessions=None, rank=0)
    assert await store.stored(PACKAGE.id) == changed.package

    await store.delete_tier(ADMIN, PACKAGE.id, trial.id, 3)
    assert await store.stored(PACKAGE.id) == replace(PACKAGE, version=4)
    created, then, gone = await store.told()
    assert (created[0], created[1], created[3]["exam_package_id"]) == ("tier.created", trial.id, PACKAGE.id)
    assert created[3]["access_days"] == 14
    assert then == (
        "tier.changed",
        trial.id,
        {"weekly_practice_sessions": 0, "rank": 2},
        {"weekly_practice_sessions": None, "rank": 0},
    )
    assert (gone[0], gone[2]["name"], gone[3]) == ("tier.deleted", "Trial", None)


async def test_one_tier_is_the_default(store: PackageStore) -> None:
    await store.change_tier(ADMIN, PACKAGE.id, OPEN.id, TierChange(is_default=True))
    added = await store.add_tier(ADMIN, PACKAGE.id, TierChange(name="New", is_default=True))
    assert await store.stored(PACKAGE.id) == added.package
    assert [tier.id for tier in added.package.tiers if tier.is_default] == [added.tier.id]
    assert (await store.enroll(a_student(), PACKAGE.id)).enrollment.tier_id == added.tier.id


async def test_a_tier_that_changes_nothing_is_not_written_down(store: PackageStore) -> None:
    same = await store.change_tier(ADMIN, PACKAGE.id, OPEN.id, TierChange(name=OPEN.name))
    assert (same.package, same.tier) == (PACKAGE, OPEN)
    assert not await store.told()


async def test_names_of_tiers_differ(store: PackageStore) -> None:
    with pytest.raises(TierNameTaken):
        await store.add_tier(ADMIN, PACKAGE.id, TierChange(name="STANDARD"))

    async def save_unasked(work: Any) -> None:
        await work.save_tier(PACKAGE.id, replace(OPEN, id="tier_new", name="sTandard"))

    with pytest.raises(TierNameTaken):
        await store.packages(save_unasked)


async def test_a_tier_that_anybody_was_ever_enrolled_in_stays(store: PackageStore) -> None:
    await store.enroll(a_student(), PACKAGE.id, OPEN.id)
    await store.cancel(a_student(), PACKAGE.id)
    with pytest.raises(TierInUse):
        await store.delete_tier(ADMIN, PACKAGE.id, OPEN.id)
    retired = await store.change_tier(ADMIN, PACKAGE.id, OPEN.id, TierChange(active=False))
    assert retired.tier.active is False
    await store.delete_tier(ADMIN, PACKAGE.id, STANDARD.id)
    with pytest.raises(LastTier):
        await store.delete_tier(ADMIN, PACKAGE.id, OPEN.id)


async def test_ten_who_add_a_tier_at_once_all_do(store: PackageStore) -> None:
    """Each sees the tiers of those who came before it, however long it waited for them."""
    names = [f"Tier {number}" for number in range(10)]
    wishes = [TierChange(name=name, is_default=True) for name in names]
    added = await asyncio.gather(*(store.add_tier(ADMIN, PACKAGE.id, wish) for wish in wishes))
    found = await store.stored(PACKAGE.id)
    assert found is not None
    assert found.version == 11
    assert sorted(tier.name for tier in found.tiers) == sorted([STANDARD.name, OPEN.name, *names])
    assert sorted(len(each.package.tiers) for each in added) == list(range(3, 13))
    assert [tier.is_default for tier in found.tiers].count(True) == 1


async def test_of_ten_who_saw_the_same_version_one_changes_it(store: PackageStore) -> None:
    changes = [PackageChange(title=f"Title {number}") for number in range(10)]
    asked = [store.change_package(ADMIN, PACKAGE.id, change, 1) for change in changes]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results].count(PackageChanged) == 9
    assert [action for action, *_ in await store.told()] == ["package.changed"]


async def test_of_ten_who_want_a_slug_at_once_one_gets_it(store: PackageStore) -> None:
    asked = [store.create(ADMIN, NEW) for _ in range(10)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results].count(PackageSlugTaken) == 9
