"""Conversations about being enrolled, on memory: what a student may do, and what each refusal is called."""

from __future__ import annotations

import pytest

from adapters.memory.enrollment.enrolling import MemoryEnrollmentWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from application.enrollment.enrolling import CancelEnrollment, Enroll
from domain.enrollment.enrolling import EnrollmentEnd, EnrollmentStatus
from domain.enrollment.packages import ExamPackage
from domain.enrollment.refusals import (
    EnrollmentExists,
    EnrollmentNotFound,
    PackageNotFound,
    TierNotSelfService,
    TierUnknown,
)
from tests.support.auth_builders import a_user
from tests.support.enrollment_builders import (
    NOON,
    OPEN,
    RETIRED,
    SPONSORED,
    STANDARD,
    CountingIds,
    a_package,
    a_student,
    hidden,
)
from tests.support.postgres import SettableClock

PACKAGE = a_package()


class Desk:
    """The use cases around one store and one clock."""

    def __init__(self, *packages: ExamPackage) -> None:
        self.store = MemoryStore()
        self.clock = SettableClock(NOON)
        self.put(*packages)
        for user_id in ("usr_ada", "usr_grace"):
            self.store.tables["users"][user_id] = a_user(id=user_id)
        transact = MemoryTransaction(self.store, MemoryEnrollmentWork, self.clock)
        self.enroll = Enroll(transact, CountingIds())
        self.cancel = CancelEnrollment(transact)

    def put(self, *packages: ExamPackage) -> None:
        self.store.tables["exam_packages"].update({(package.id,): package for package in packages})

    @property
    def row_count(self) -> int:
        return len(self.store.tables["enrollments"])


async def test_a_student_enrols_in_the_default_tier_when_none_is_named() -> None:
    desk = Desk(PACKAGE)
    enrolled = await desk.enroll(a_student(), PACKAGE.id)
    assert enrolled.created
    assert (enrolled.enrollment.tier_id, enrolled.enrollment.started_at) == (STANDARD.id, NOON)
    assert enrolled.enrollment.status is EnrollmentStatus.ACTIVE


async def test_a_student_chooses_another_tier_that_is_open_to_all() -> None:
    assert (await Desk(PACKAGE).enroll(a_student(), PACKAGE.id, OPEN.id)).enrollment.tier_id == OPEN.id


async def test_enrolling_again_answers_the_same_row_and_writes_nothing() -> None:
    desk = Desk(PACKAGE)
    first = await desk.enroll(a_student(), PACKAGE.id)
    desk.clock.advance(hours=1)
    second = await desk.enroll(a_student(), PACKAGE.id, STANDARD.id)
    assert (second.created, second.enrollment, desk.row_count) == (False, first.enrollment, 1)


async def test_students_do_not_share_enrolments() -> None:
    desk = Desk(PACKAGE)
    await desk.enroll(a_student(), PACKAGE.id)
    assert (await desk.enroll(a_student("usr_grace"), PACKAGE.id)).created
    await desk.cancel(a_student("usr_grace"), PACKAGE.id)
    assert not (await desk.enroll(a_student(), PACKAGE.id)).created


async def test_another_tier_is_not_enrolled_in_on_top() -> None:
    desk = Desk(PACKAGE)
    await desk.enroll(a_student(), PACKAGE.id)
    with pytest.raises(EnrollmentExists):
        await desk.enroll(a_student(), PACKAGE.id, OPEN.id)


@pytest.mark.parametrize("package_id", ["pkg_unknown", "pkg\0", "../etc", ""])
async def test_a_package_that_does_not_exist_is_not_found(package_id: str) -> None:
    with pytest.raises(PackageNotFound):
        await Desk(PACKAGE).enroll(a_student(), package_id)


async def test_a_hidden_package_is_not_found_by_a_new_student() -> None:
    with pytest.raises(PackageNotFound):
        await Desk(hidden(PACKAGE)).enroll(a_student(), PACKAGE.id)


async def test_hiding_a_package_takes_nothing_from_those_who_are_enrolled() -> None:
    desk = Desk(PACKAGE)
    first = await desk.enroll(a_student(), PACKAGE.id)
    desk.put(hidden(PACKAGE))
    assert (await desk.enroll(a_student(), PACKAGE.id)).enrollment == first.enrollment


@pytest.mark.parametrize("tier_id", [RETIRED.id, "tier_unknown"])
async def test_a_tier_that_is_not_offered_is_refused(tier_id: str) -> None:
    with pytest.raises(TierUnknown):
        await Desk(PACKAGE).enroll(a_student(), PACKAGE.id, tier_id)


async def test_a_package_without_a_default_tier_needs_one_to_be_named() -> None:
    package = a_package(tiers=(OPEN,))
    with pytest.raises(TierUnknown):
        await Desk(package).enroll(a_student(), package.id)


async def test_a_tier_given_by_administrators_is_refused_to_students() -> None:
    desk = Desk(PACKAGE)
    with pytest.raises(TierNotSelfService):
        await desk.enroll(a_student(), PACKAGE.id, SPONSORED.id)
    assert desk.row_count == 0


async def test_cancelling_ends_the_row_and_keeps_it() -> None:
    desk = Desk(PACKAGE)
    enrolled = await desk.enroll(a_student(), PACKAGE.id)
    desk.clock.advance(days=3)
    ended = await desk.cancel(a_student(), PACKAGE.id)
    assert (ended.id, ended.status) == (enrolled.enrollment.id, EnrollmentStatus.ENDED)
    assert (ended.ended_at, ended.end_reason) == (desk.clock.at, EnrollmentEnd.CANCELLED)
    assert desk.row_count == 1


async def test_after_cancelling_a_student_enrols_anew_in_any_open_tier() -> None:
    desk = Desk(PACKAGE)
    first = await desk.enroll(a_student(), PACKAGE.id)
    await desk.cancel(a_student(), PACKAGE.id)
    second = await desk.enroll(a_student(), PACKAGE.id, OPEN.id)
    assert second.created
    assert second.enrollment.id != first.enrollment.id
    assert desk.row_count == 2


async def test_cancelling_what_is_not_active_is_not_found() -> None:
    desk = Desk(PACKAGE)
    with pytest.raises(EnrollmentNotFound):
        await desk.cancel(a_student(), PACKAGE.id)
    await desk.enroll(a_student(), PACKAGE.id)
    await desk.cancel(a_student(), PACKAGE.id)
    with pytest.raises(EnrollmentNotFound):
        await desk.cancel(a_student(), PACKAGE.id)


async def test_what_students_do_for_themselves_is_not_a_privileged_act() -> None:
    desk = Desk(PACKAGE)
    await desk.enroll(a_student(), PACKAGE.id)
    await desk.cancel(a_student(), PACKAGE.id)
    assert desk.store.audit_log == []
