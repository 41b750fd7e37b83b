"""What choosers and staff see of packages: each list and each package is one statement, however many there are."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.enrollment.packages import PostgresPackageReader
from adapters.postgres.statements import load
from adapters.system.clock import TimeOrderedIds
from application.enrollment.changes import PackageChange, SettingsChange
from application.enrollment.views import StaffPackageView, TierView
from domain.enrollment.packages import Visibility
from domain.enrollment.settings import PackageSettings
from tests.support.enrollment_builders import OPEN, RETIRED, SPONSORED, STANDARD, StoredBank, a_package, hidden
from tests.support.package_builders import ADMIN, BLUEPRINT, TALKATIVE
from tests.support.package_stores import PackagesOnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock

NETWORK = replace(
    a_package(tiers=(replace(STANDARD, weekly_exam_sessions=2, access_days=90), OPEN, RETIRED, SPONSORED)),
    settings=TALKATIVE,
    blueprint=BLUEPRINT,
)
SECRET = hidden(a_package("pkg_secret", slug="secret", tiers=(replace(STANDARD, id="tier_secret"),)))
_MANY = """
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
select 'pkg_many' || n, 'many-' || n, 'Many', case when n % 2 = 0 then 'visible' else 'hidden' end, 70, now(), now()
  from generate_series(1, 20000) n
"""


@pytest.fixture
async def store(database: Database, clock: SettableClock, ids: TimeOrderedIds) -> PackagesOnPostgres:
    """One visible package that says everything, and a hidden one that says nothing."""
    store = PackagesOnPostgres(database=database, clock=clock, ids=ids)
    await store.add_package(NETWORK)
    await store.add_package(SECRET)
    return store


@pytest.fixture
def reader(database: Database) -> PostgresPackageReader:
    return PostgresPackageReader(database)


async def slugs(
    reader: PostgresPackageReader, visibility: Visibility | None = None, text: str | None = None
) -> list[str]:
    found = await reader.packages(visibility=visibility, text=text, after=None, limit=10)
    return [view.package.slug for view in found]


async def test_a_chooser_sees_what_exams_are_like_and_what_the_tiers_give(
    store: PackagesOnPostgres, reader: PostgresPackageReader
) -> None:
    found = await reader.visible_package("network")
    assert found is not None
    assert found == await reader.visible_package(NETWORK.id)
    assert (found,) == await reader.visible_packages(text=None, after=None, limit=10)
    assert (found.exam_question_count, found.attempts_allowed) == (11, 3)
    assert (found.opens_at, found.closes_at) == (TALKATIVE.opens_at, TALKATIVE.closes_at)
    assert found.tiers == (
        TierView(id=STANDARD.id, name="Standard", is_default=True, weekly_exam_sessions=2, access_days=90),
        TierView(id=OPEN.id, name="Open", is_default=False),
    )


@pytest.mark.parametrize("name", [SECRET.id, SECRET.slug, "unknown"])
async def test_a_hidden_package_is_not_there_for_choosers(
    store: PackagesOnPostgres, reader: PostgresPackageReader, name: str
) -> None:
    assert await reader.visible_package(name) is None


async def test_staff_see_everything(
    store: PackagesOnPostgres, reader: PostgresPackageReader, clock: SettableClock
) -> None:
    for bank_id, slug in (("qbk_2", "routes"), ("qbk_1", "cables")):
        await store.add_bank(StoredBank(id=bank_id, slug=slug))
    made = clock.now()
    clock.advance(minutes=1)
    await store.change_package(ADMIN, SECRET.id, PackageChange(question_bank_ids=("qbk_2", "qbk_1")))
    await store.database.fetch_all("update question_banks set published_count = 3 returning id")
    await store.database.fetch_all("update question_banks set visibility = 'hidden' where id = 'qbk_1' returning id")
    found = await reader.package(SECRET.slug)
    assert found == StaffPackageView(
        package=replace(SECRET, version=2),
        question_bank_ids=("qbk_1", "qbk_2"),
        question_count=3,
        created_at=made,
        updated_at=clock.now(),
    )
    network = await reader.package(NETWORK.id)
    assert network is not None
    assert (network.package, network.question_bank_ids, network.question_count) == (NETWORK, (), 0)
    assert await reader.packages(visibility=None, text=None, after=None, limit=10) == (network, found)
    assert await reader.package("unknown") is None


async def test_staff_choose_by_visibility_and_text(store: PackagesOnPostgres, reader: PostgresPackageReader) -> None:
    assert await slugs(reader) == ["network", "secret"]
    assert await slugs(reader, Visibility.HIDDEN) == ["secret"]
    assert await slugs(reader, Visibility.VISIBLE) == ["network"]
    assert await slugs(reader, text="SECRE") == ["secret"]
    assert await slugs(reader, text="%") == []
    assert await slugs(reader, text="CABLES,") == ["network", "secret"]


async def test_pages_neither_repeat_nor_skip(store: PackagesOnPostgres, reader: PostgresPackageReader) -> None:
    for number in range(5):
        await store.add_package(a_package(f"pkg_{number}", slug=f"more-{number}", tiers=()))
    seen: list[str] = []
    after = None
    for size in (3, 3, 1):
        found = await reader.packages(visibility=None, text=None, after=after, limit=3)
        assert len(found) == size
        seen += [view.package.id for view in found]
        after = found[-1].package.id
    assert seen == sorted({*seen, NETWORK.id, SECRET.id})


async def test_a_row_from_before_there_were_settings_reads_as_all_defaults(
    store: PackagesOnPostgres, reader: PostgresPackageReader
) -> None:
    await store.database.fetch_all("update exam_packages set settings = '{}', blueprint = null returning id")
    for package_id in (NETWORK.id, SECRET.id):
        found = await store.stored(package_id)
        assert found is not None
        assert (found.settings, found.blueprint) == (PackageSettings(), None)
    shown = await reader.visible_package(NETWORK.id)
    assert shown is not None
    assert (shown.exam_question_count, shown.attempts_allowed, shown.opens_at) == (None, None, None)


async def test_settings_written_by_a_later_version_do_not_break_this_one(store: PackagesOnPostgres) -> None:
    await store.database.fetch_all(
        """update exam_packages set settings = '{"attempts_allowed": 4, "unheard_of": true}' returning id"""
    )
    found = await store.stored(NETWORK.id)
    assert found is not None
    assert found.settings == PackageSettings(attempts_allowed=4)


async def test_a_pass_mark_keeps_its_decimals(store: PackagesOnPostgres, reader: PostgresPackageReader) -> None:
    change = PackageChange(pass_mark=Decimal("66.67"), settings=SettingsChange(window_extends=False))
    await store.change_package(ADMIN, NETWORK.id, change)
    found = await reader.package(NETWORK.id)
    assert found is not None
    assert found.package.pass_mark == Decimal("66.67")


def plan(connection: psycopg.Connection, statement: str, /, **params: object) -> str:
    explained = f"explain (analyze, costs off, timing off, summary off) {load('enrollment/packages')[statement]}"
    return "\n".join(line for (line,) in connection.execute(explained.encode(), params))


async def test_a_page_of_packages_costs_the_same_however_many_there_are(cloned: ClonedDatabase) -> None:
    """Nothing reads all of twenty thousand, neither for a page nor for one of them."""
    with psycopg.connect(cloned.superuser, autocommit=True) as connection:
        connection.execute(_MANY)
        connection.execute("analyze exam_packages")
        page = {"text": None, "after": "pkg_many15", "limit": 21}
        for found in (
            plan(connection, "list_packages_of_staff", visibility=None, **page),
            plan(connection, "list_packages_of_staff", visibility="hidden", **page),
            plan(connection, "list_packages", **page),
            plan(connection, "find_package_of_staff", name="many-7"),
            plan(connection, "find_visible_package", name="pkg_many8"),
            plan(connection, "hold_package", name="many-7"),
        ):
            assert "Seq Scan on exam_packages" not in found, found
            assert "Sort Key: p.id" not in found, found


_REFERRING = """
select c.conrelid::regclass::text, a.attname
  from pg_constraint c
  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
 where c.contype = 'f' and c.confrelid in ('exam_packages'::regclass, 'exam_package_tiers'::regclass)
"""


async def test_a_deletion_reads_no_whole_table(cloned: ClonedDatabase) -> None:
    """Each foreign key that leads to a package or a tier looks there for what refers to it."""
    with psycopg.connect(cloned.superuser, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        asked = connection.execute(_REFERRING).fetchall()
        assert ("enrollments", "tier_id") in asked
        for table, column in asked:
            query = f"explain (costs off) select 1 from {table} where {column} = 'x' for key share"
            found = "\n".join(line for (line,) in connection.execute(query.encode()))
            # Where the index begins with another column all of it would be read.
            (index,) = re.findall(r"Index (?:Only )?Scan (?:using|on) (\w+)", found)
            definition = connection.execute("select pg_get_indexdef(to_regclass(%s))", [index]).fetchone()
            assert definition is not None
            assert f"({column}" in definition[0], (table, found)
