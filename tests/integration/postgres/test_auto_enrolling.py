"""New students begin in the packages that the operator named: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.memory.enrollment.registering import MemoryRegistrationWork
from adapters.memory.store import MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.enrollment.registering import PostgresRegistrationWork
from adapters.postgres.transaction import PostgresTransaction
from application.auth.opening import Grant
from application.auth.ports import Welcome
from application.auth.registering import RegisterStudent, Registration
from application.enrollment.auto_enrolling import AutoEnroll
from application.enrollment.ports.enrolling import EnrollmentWork
from application.ports import Transaction
from domain.auth.people import EmailTaken
from domain.enrollment.packages import Tier
from tests.support.auth_builders import (
    EMAIL,
    PASSWORD,
    STUDENT_VISIT,
    Auth,
    AuthInMemory,
    auth_in_memory,
    auth_on_postgres,
)
from tests.support.enrollment_builders import ALL_TIERS, MONTHLY, STANDARD, a_package, hidden
from tests.support.enrollment_stores import EnrollmentStore, InMemory, OnPostgres
from tests.support.postgres import SettableClock


@dataclass(kw_only=True)
class Desk:
    """Where students register, and what they are enrolled in afterwards."""

    auth: Auth
    store: EnrollmentStore
    transact: Transaction[Any]

    async def register(self, *packages: str, email: str = EMAIL, welcome: Welcome[Any] | None = None) -> Grant:
        register = RegisterStudent(
            transact=self.transact,
            examine=self.auth.examine,
            open_session=self.auth.open_session,
            policy=self.auth.policy,
            events=self.auth.events,
            welcome=welcome or AutoEnroll(ids=self.store.ids, packages=packages),
        )
        return await register(Registration(email=email, password=PASSWORD, name="Ada"), STUDENT_VISIT)

    async def enrolled(self) -> Sequence[tuple[str, str, str]]:
        return [(row.user_id, row.exam_package_id, row.tier_id) for row in await self.store.history()]


@pytest.fixture(params=["memory", "postgres"])
def empty_desk(request: pytest.FixtureRequest, clock: SettableClock) -> Desk:
    if request.param == "memory":
        ours: AuthInMemory = auth_in_memory(clock=clock)
        store = InMemory(clock=clock, ids=ours.ids, store=ours.store)
        return Desk(auth=ours, store=store, transact=MemoryTransaction(ours.store, MemoryRegistrationWork, clock))
    database: Database = request.getfixturevalue("database")
    auth = auth_on_postgres(database, clock)
    transact = PostgresTransaction(database, PostgresRegistrationWork, auth.ids, clock)
    return Desk(auth=auth, store=OnPostgres(database=database, clock=clock, ids=auth.ids), transact=transact)


def renamed(tier: Tier, number: int) -> Tier:
    return Tier(
        id=f"{tier.id}_{number}",
        name=tier.name,
        is_default=tier.is_default,
        self_service=tier.self_service,
        active=tier.active,
        access_days=tier.access_days,
    )


@pytest.fixture
async def desk(empty_desk: Desk) -> Desk:
    """Two packages that can be entered, and one of each kind that cannot."""
    await empty_desk.store.add_package(a_package(tiers=ALL_TIERS))
    await empty_desk.store.add_package(a_package("pkg_routing", slug="routing", tiers=(renamed(STANDARD, 2),)))
    await empty_desk.store.add_package(hidden(a_package("pkg_hidden", slug="hidden", tiers=(renamed(STANDARD, 3),))))
    await empty_desk.store.add_package(a_package("pkg_bare", slug="bare", tiers=(renamed(MONTHLY, 4),)))
    return empty_desk


async def test_whoever_registers_is_enrolled_in_each_package_once_by_slug_or_id(desk: Desk) -> None:
    grant = await desk.register("network", "pkg_routing", "pkg_network")
    user_id = grant.person.id
    assert await desk.enrolled() == [
        (user_id, "pkg_network", STANDARD.id),
        (user_id, "pkg_routing", f"{STANDARD.id}_2"),
    ]
    assert await desk.auth.authenticate(grant.access_token)
    assert not await desk.store.audited()


async def test_where_no_package_is_named_nobody_is_enrolled(desk: Desk) -> None:
    assert await desk.register()
    assert not await desk.enrolled()


async def test_what_cannot_be_entered_is_left_out_and_logged_without_a_word_about_the_person(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        grant = await desk.register("hidden", "unknown", "bare", "routing")
    assert [package for _, package, _ in await desk.enrolled()] == ["pkg_routing"]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("application.enrollment")]
    assert told == [
        "a new student was not enrolled in the package hidden: package.not_found",
        "a new student was not enrolled in the package unknown: package.not_found",
        "a new student was not enrolled in the package bare: enrollment.tier_unknown",
    ]
    everything = caplog.text
    assert not any(fact in everything for fact in (EMAIL, "Ada", grant.person.id))


class Clumsy(Welcome[EnrollmentWork]):
    """Enrols as it should, but with a row that the store refuses in between."""

    def __init__(self, enroll: AutoEnroll) -> None:
        self.enroll = enroll

    async def __call__(self, work: EnrollmentWork, user: Any, /) -> None:
        await self.enroll(work, user)
        await self.enroll(work, user)


async def test_what_the_store_refuses_is_undone_and_everything_else_stays(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """A second active row of a package is against a constraint: a real error of the database."""
    with caplog.at_level(logging.WARNING):
        grant = await desk.register(welcome=Clumsy(AutoEnroll(ids=desk.store.ids, packages=("network",))))
    assert len(await desk.enrolled()) == 1
    assert await desk.auth.authenticate(grant.access_token)
    assert await desk.auth.enter()
    assert len(caplog.records) == 1
    assert not any(fact in caplog.text for fact in (EMAIL, grant.person.id))


async def test_whoever_is_refused_is_not_enrolled_either(desk: Desk) -> None:
    await desk.register("network")
    with pytest.raises(EmailTaken):
        await desk.register("network", "routing")
    assert len(await desk.enrolled()) == 1
