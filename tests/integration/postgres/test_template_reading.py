"""Templates of practice as they are read: by staff with their drafts, by students of the package as published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.templates import PostgresTemplateReader
from application.practice.template_reading import ReadOfferedTemplate, ReadTemplate
from application.practice.template_views import TemplateView
from application.practice.templates import TemplateChange
from domain.auth.sessions import Forbidden
from domain.practice.templates import TemplateContent, TemplateNotFound
from tests.support.authoring_builders import ANN, BEN, ROOT, SAM
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.template_stores import FULL, OTHER_PACKAGE, PACKAGE, ROUTING, OnPostgres


@pytest.fixture
async def shelves(database: Database, clock: SettableClock) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock)
    await store.settle()
    return store


@pytest.fixture
def reader(database: Database, clock: SettableClock) -> PostgresTemplateReader:
    return PostgresTemplateReader(database, clock)


def enroll(cloned: ClonedDatabase, package: str, *, expires_at: object = None, ended: bool = False) -> None:
    """Sam is, or was, enrolled since 2030-01-01."""
    with cloned.administration() as connection:
        connection.execute(
            "with tier as (insert into exam_package_tiers (id, exam_package_id, name, is_default)"
            " values ('tie_' || %(package)s::text, %(package)s, 'Standard', true) returning id)"
            " insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, ended_at, end_reason,"
            " expires_at) select 'usr_sam', 'enr_' || %(package)s::text, %(package)s, id,"
            " case when %(ended)s then 'ended' else 'active' end, '2030-01-01',"
            " case when %(ended)s then timestamptz '2030-01-02' end, case when %(ended)s then 'cancelled' end,"
            " %(expires_at)s from tier",
            {"package": package, "expires_at": expires_at, "ended": ended},
        )


async def ids(reader: PostgresTemplateReader, **wishes: object) -> list[str]:
    """Of the staff's list."""
    wanted: dict[str, object] = {"exam_package_id": None, "published": None, "text": None, "after": None, "limit": 9}
    return [view.template.id for view in await reader.templates(**wanted | wishes)]  # type: ignore[arg-type]


async def offered(reader: PostgresTemplateReader, **wishes: object) -> list[tuple[str, int]]:
    wanted: dict[str, object] = {"exam_package_id": None, "after": None, "limit": 9}
    found = await reader.offered_templates(SAM.user_id, **wanted | wishes)  # type: ignore[arg-type]
    return [(version.template_id, version.version) for version in found]


async def test_staff_find_templates_by_package_title_and_state(
    shelves: OnPostgres, reader: PostgresTemplateReader
) -> None:
    first, second = await shelves.written(), await shelves.written(replace(ROUTING, title="50 % of_it"))
    third = await shelves.written(TemplateContent(title="Void"), package=OTHER_PACKAGE)
    await shelves.publish(ANN, second.id)
    assert await ids(reader) == [first.id, second.id, third.id]
    assert await ids(reader, limit=2) == [first.id, second.id]
    assert await ids(reader, after=first.id) == [second.id, third.id]
    assert await ids(reader, exam_package_id=OTHER_PACKAGE) == [third.id]
    assert await ids(reader, published=True) == [second.id]
    assert await ids(reader, published=False) == [first.id, third.id]
    assert await ids(reader, text="ROUT") == [first.id]
    assert await ids(reader, text="% of_") == [second.id]
    assert await ids(reader, text="%") == [second.id]


async def test_staff_read_the_draft_beside_what_is_published(
    shelves: OnPostgres, reader: PostgresTemplateReader
) -> None:
    first = await shelves.published(FULL)
    changed = await shelves.change(ANN, first.template.id, TemplateChange(title="Another", scoring=None, count=3))
    read = ReadTemplate(template_reader=reader)
    assert await read(BEN, first.template.id) == changed
    assert changed.published == first.published
    hidden = await shelves.unpublish(ANN, first.template.id)
    assert await read(BEN, first.template.id) == TemplateView(template=hidden.template, published=None)
    with pytest.raises(TemplateNotFound):
        await read(ROOT, "tpl_none")
    with pytest.raises(Forbidden):
        await read(SAM, first.template.id)


async def test_students_see_the_published_version_of_their_packages(
    shelves: OnPostgres, reader: PostgresTemplateReader, cloned: ClonedDatabase
) -> None:
    shown = await shelves.published()
    await shelves.written()
    foreign = await shelves.written(TemplateContent(title="Void"), package=OTHER_PACKAGE)
    await shelves.publish(ANN, foreign.id)
    await shelves.change(ANN, shown.template.id, TemplateChange(title="Not yet", count=3))
    read = ReadOfferedTemplate(template_reader=reader)
    assert await offered(reader) == []
    with pytest.raises(TemplateNotFound):
        await read(SAM, shown.template.id)
    enroll(cloned, PACKAGE)
    assert await offered(reader) == [(shown.template.id, 1)]
    assert await read(SAM, shown.template.id) == shown.published
    with pytest.raises(TemplateNotFound):
        await read(SAM, foreign.id)
    enroll(cloned, OTHER_PACKAGE)
    assert await offered(reader) == [(shown.template.id, 1), (foreign.id, 1)]
    assert await offered(reader, limit=1) == [(shown.template.id, 1)]
    assert await offered(reader, after=shown.template.id) == [(foreign.id, 1)]
    assert await offered(reader, exam_package_id=OTHER_PACKAGE) == [(foreign.id, 1)]
    await shelves.publish(ANN, shown.template.id)
    assert await offered(reader, exam_package_id=PACKAGE) == [(shown.template.id, 2)]
    await shelves.unpublish(ANN, shown.template.id)
    assert await offered(reader, exam_package_id=PACKAGE) == []


async def test_an_enrolment_that_has_ended_or_lapsed_shows_nothing(
    shelves: OnPostgres, reader: PostgresTemplateReader, cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """From the instant on at which it lapses, whether or not anybody has written that down."""
    shown = await shelves.published()
    other = await shelves.written(TemplateContent(title="Void"), package=OTHER_PACKAGE)
    await shelves.publish(ANN, other.id)
    enroll(cloned, OTHER_PACKAGE, ended=True)
    lapses = clock.now().replace(hour=10)
    enroll(cloned, PACKAGE, expires_at=lapses)
    assert await offered(reader) == [(shown.template.id, 1)]
    clock.set(lapses.replace(hour=9, minute=59, second=59, microsecond=999_999))
    assert await offered(reader) == [(shown.template.id, 1)]
    clock.set(lapses)
    assert await offered(reader) == []
    assert await reader.offered_template(SAM.user_id, shown.template.id) is None


async def test_the_database_tells_the_time_where_no_test_does(shelves: OnPostgres, cloned: ClonedDatabase) -> None:
    shown = await shelves.published()
    by_itself = PostgresTemplateReader(shelves.database)
    enroll(cloned, PACKAGE, expires_at="2999-01-01")
    assert await offered(by_itself) == [(shown.template.id, 1)]
    with cloned.administration() as connection:
        connection.execute("update enrollments set started_at = '2000-01-01', expires_at = now() - interval '1 minute'")
    assert await offered(by_itself) == []
