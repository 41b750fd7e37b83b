"""The lists of packages and enrolments, each one statement."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentReader
from adapters.postgres.enrollment.packages import PostgresPackageReader
from adapters.postgres.files import sql_folder
from adapters.postgres.statements import load
from adapters.system.clock import TimeOrderedIds
from application.enrollment.defining import PackageOutline
from application.enrollment.ports.enrolling import WantedEnrollments
from application.enrollment.views import PackageView, TierView
from domain.enrollment.enrolling import EnrollmentEnd, EnrollmentStatus
from tests.support.enrollment_builders import OPEN, STANDARD, StoredBank, a_package, a_student, hidden
from tests.support.enrollment_stores import OnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock

NETWORK = a_package()
QUERIES = sql_folder() / "queries"
AREAS = sorted(str(path.relative_to(QUERIES).with_suffix("")) for path in QUERIES.rglob("*.sql"))


def numbered(statement: str) -> str:
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)


@pytest.fixture
def store(database: Database, clock: SettableClock, ids: TimeOrderedIds) -> OnPostgres:
    return OnPostgres(database=database, clock=clock, ids=ids)


@pytest.fixture
def packages(database: Database) -> PostgresPackageReader:
    return PostgresPackageReader(database)


@pytest.fixture
def enrollments(database: Database) -> PostgresEnrollmentReader:
    return PostgresEnrollmentReader(database)


async def _count_published(store: OnPostgres, bank_id: str, published: int) -> None:
    """As whatever publishes and archives keeps it."""
    await store.database.fetch_all(
        "update question_banks set published_count = %(published)s where id = %(bank)s returning id",
        {"bank": bank_id, "published": published},
    )


async def _slugs(packages: PostgresPackageReader, text: str | None) -> list[str]:
    return [package.slug for package in await packages.visible_packages(text=text, after=None, limit=100)]


async def test_a_chooser_sees_a_package_with_the_tiers_open_to_all(
    store: OnPostgres, packages: PostgresPackageReader
) -> None:
    await store.add_package(NETWORK)
    assert await packages.visible_packages(text=None, after=None, limit=20) == (
        PackageView(
            id=NETWORK.id,
            slug=NETWORK.slug,
            title=NETWORK.title,
            description=NETWORK.description,
            question_count=0,
            duration_seconds=NETWORK.duration_seconds,
            pass_mark=NETWORK.pass_mark,
            version=1,
            tiers=(
                TierView(id=STANDARD.id, name=STANDARD.name, is_default=True),
                TierView(id=OPEN.id, name=OPEN.name, is_default=False),
            ),
        ),
    )


async def test_hidden_packages_are_not_listed(store: OnPostgres, packages: PostgresPackageReader) -> None:
    await store.add_package(hidden(NETWORK))
    assert await packages.visible_packages(text=None, after=None, limit=20) == ()


async def test_published_questions_of_all_visible_banks_are_counted(
    store: OnPostgres, packages: PostgresPackageReader
) -> None:
    """Banks may be shared between packages; hidden banks do not count."""
    for number, slug in enumerate(("cables", "routes", "secrets"), start=1):
        await store.add_bank(StoredBank(id=f"qbk_{number}", slug=slug))
    for bank_id, published in (("qbk_1", 4), ("qbk_2", 3), ("qbk_3", 7)):
        await _count_published(store, bank_id, published)
    await store.database.fetch_all("update question_banks set visibility = 'hidden' where id = 'qbk_3' returning id")
    await store.define(None, PackageOutline(slug="first", title="F", banks=("cables", "routes", "secrets")))
    await store.define(None, PackageOutline(slug="second", title="S", banks=("cables",)))
    await store.define(None, PackageOutline(slug="third", title="T"))
    found = await packages.visible_packages(text=None, after=None, limit=20)
    assert {package.slug: package.question_count for package in found} == {"first": 7, "second": 4, "third": 0}


async def test_pages_neither_repeat_nor_skip(store: OnPostgres, packages: PostgresPackageReader) -> None:
    for number in range(7):
        await store.define(None, PackageOutline(slug=f"package-{number}", title=f"Package {number}"))
    seen: list[str] = []
    after = None
    for size in (3, 3, 1):
        found = await packages.visible_packages(text=None, after=after, limit=3)
        assert len(found) == size
        seen += [package.slug for package in found]
        after = found[-1].id
    assert seen == [f"package-{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("NETWORK", ["net"]),
        ("net", ["net"]),
        ("Net", ["net"]),
        ("élégance", ["fr"]),
        ("100%", ["percent"]),
        ("_", []),
        ("%", ["percent"]),
        ("\\", ["percent"]),
        ("nothing of the kind", []),
        ("", ["net", "fr", "percent"]),
        (None, ["net", "fr", "percent"]),
    ],
)
async def test_a_search_compares_without_case_and_knows_no_wildcards(
    store: OnPostgres, packages: PostgresPackageReader, text: str | None, slugs: list[str]
) -> None:
    await store.define(None, PackageOutline(slug="net", title="network fundamentals"))
    await store.define(None, PackageOutline(slug="fr", title="Français", description="L'ÉLÉGANCE des réponses"))
    await store.define(None, PackageOutline(slug="percent", title="100% of \\ everything"))
    assert await _slugs(packages, text) == slugs


async def test_students_see_their_own_enrolments_newest_first_ended_and_hidden_ones_too(
    store: OnPostgres, enrollments: PostgresEnrollmentReader, clock: SettableClock
) -> None:
    await store.add_package(NETWORK)
    await store.add_package(replace(NETWORK, id="pkg_routing", slug="routing", title="Routing", tiers=()))
    for user_id in ("usr_ada", "usr_grace"):
        await store.add_student(user_id)
    first = (await store.enroll(a_student(), NETWORK.id)).enrollment
    clock.advance(days=2)
    await store.cancel(a_student(), NETWORK.id)
    second = (await store.enroll(a_student(), NETWORK.id, OPEN.id)).enrollment
    await store.enroll(a_student("usr_grace"), NETWORK.id)
    await store.database.fetch_all("update exam_packages set visibility = 'hidden' returning id")

    newest, oldest = await enrollments.enrollments("usr_ada", WantedEnrollments(), after=None, limit=20)
    assert (newest.id, newest.status, newest.ended_at, newest.end_reason) == (
        second.id,
        EnrollmentStatus.ACTIVE,
        None,
        None,
    )
    assert (newest.package_slug, newest.package_title, newest.tier_name) == ("network", NETWORK.title, OPEN.name)
    assert (oldest.id, oldest.status, oldest.end_reason) == (first.id, EnrollmentStatus.ENDED, EnrollmentEnd.CANCELLED)
    assert (oldest.started_at, oldest.ended_at) == (first.started_at, clock.now())


async def test_enrolments_are_read_page_by_page(store: OnPostgres, enrollments: PostgresEnrollmentReader) -> None:
    await store.add_package(NETWORK)
    await store.add_student("usr_ada")
    made = []
    for _ in range(5):
        made.append((await store.enroll(a_student(), NETWORK.id)).enrollment.id)
        await store.cancel(a_student(), NETWORK.id)
    first = await enrollments.enrollments("usr_ada", WantedEnrollments(), after=None, limit=3)
    rest = await enrollments.enrollments("usr_ada", WantedEnrollments(), after=first[-1].id, limit=3)
    assert [row.id for row in (*first, *rest)] == made[::-1]


@pytest.mark.parametrize("area", [area for area in AREAS if area != "enrollment/enrolling"])
def test_whoever_asks_for_an_active_enrolment_asks_whether_its_time_is_over(area: str) -> None:
    """The sweeper is only ever late; nothing may rely on it."""
    for name, statement in load(area).items():
        for alias in re.findall(r"(?:from|join) enrollments (\w+)", statement):
            active = statement.count(f"{alias}.status = 'active'")
            in_time = statement.count(f"({alias}.expires_at is null or {alias}.expires_at > ")
            assert active == in_time, f"{area}: {name}"
        assert not re.search(r"enrollments where[^;]*status = 'active'", statement), f"{area}: {name}: give it an alias"


@pytest.mark.parametrize(("name", "index"), [("end_expired", "expiring"), ("list_enrolled", "of_package")])
def test_sweeping_and_listing_walk_along_an_index(name: str, index: str, module_database: ClonedDatabase) -> None:
    """However many enrolments there are that do not matter."""
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        statement = numbered(load("enrollment/enrolling")[name])
        plan = "\n".join(line for (line,) in connection.execute(f"explain (generic_plan) {statement}".encode()))
    assert f"enrollments_{index}" in plan
    assert "Seq Scan on enrollments" not in plan
