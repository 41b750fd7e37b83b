"""Who may begin to practise, how often and with which rules, on every store alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from application.practice.ports.sessions import PracticeWork
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.admission import Admission
from domain.practice.plans import FromTemplate
from domain.practice.refusals import NoQuestions, PracticeNotInTier, WeeklyPracticeLimit
from domain.practice.templates import TemplateNotFound, TemplateSettings, TemplateVersion
from domain.question_bank.scoring import STANDARD, MultiplePolicy, ScoringPolicy
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, START, STRANGER, STUDENT, PostgresWorld, World, offers
from tests.support.practice_worlds import create, create_from, creating, give, invalidate, plan, stocked, world_of

STRICT = ScoringPolicy(penalty=Decimal("0.25"), multiple=MultiplePolicy.HALVES)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


on_postgres = pytest.mark.parametrize("world", ["postgres"], indirect=True)


def template(number: int = 1, package_id: str = PACKAGE, scoring: ScoringPolicy | None = None) -> TemplateVersion:
    return TemplateVersion(
        template_id="tpl_1",
        version=number,
        exam_package_id=package_id,
        title="Warm-up",
        description="",
        settings=TemplateSettings(count=1, scoring=scoring),
        published_at=START,
    )


async def admission(world: World) -> Admission | None:
    async def unit(work: PracticeWork) -> Admission | None:
        return await work.hold_admission(STUDENT.user_id, PACKAGE)

    return await world.transact(unit)


async def test_an_enrolment_opens_what_its_tier_and_its_package_say(world: World) -> None:
    assert await admission(world) is None
    stocked(world, offers(1))
    assert await admission(world) == Admission(weekly_sessions=None, policy=STANDARD)
    world.allow(3)
    world.mark_by(STRICT)
    assert await admission(world) == Admission(weekly_sessions=3, policy=STRICT)
    world.end_enrollment(STUDENT.user_id)
    assert await admission(world) is None


async def test_an_enrolment_that_has_run_out_opens_nothing_any_more(world: World, clock: SettableClock) -> None:
    world.offer(offers(3))
    world.enroll(STUDENT.user_id, expires_at=clock.now() + timedelta(days=1))
    session_id = (await create(world)).session.id
    clock.advance(hours=23, minutes=59, seconds=59)
    await give(world, session_id, 1)
    clock.advance(seconds=1)
    with pytest.raises(EnrollmentRequired):
        await create(world)
    with pytest.raises(EnrollmentRequired):
        await give(world, session_id, 2)
    await PausePractice(world.transact)(STUDENT, session_id)
    with pytest.raises(EnrollmentRequired):
        await ResumePractice(world.transact)(STUDENT, session_id)
    assert (await FinishPractice(world.transact)(STUDENT, session_id)).answered_count == 1


async def test_the_latest_starts_are_counted_backwards_in_one_package(world: World, clock: SettableClock) -> None:
    stocked(world, offers(1))
    world.offer(offers(1, prefix="other"), "pkg_other")
    world.enroll(STUDENT.user_id, "pkg_other")
    starts = []
    for _ in range(3):
        starts.append(clock.now())
        await create(world)
        clock.advance(hours=1)

    async def unit(work: PracticeWork) -> list[object]:
        return [await work.nth_latest_start(STUDENT.user_id, PACKAGE, nth) for nth in range(1, 5)]

    assert await world.transact(unit) == [*starts[::-1], None]

    async def elsewhere(work: PracticeWork) -> list[object]:
        return [
            await work.nth_latest_start(STUDENT.user_id, "pkg_other", 1),
            await work.nth_latest_start(STRANGER.user_id, PACKAGE, 1),
        ]

    assert await world.transact(elsewhere) == [None, None]


async def test_sessions_of_the_last_seven_days_fill_the_week_whatever_became_of_them(
    world: World, clock: SettableClock
) -> None:
    stocked(world, offers(1))
    world.allow(2)
    await invalidate(world, (await create(world)).session.id)
    clock.advance(days=1)
    await create(world)
    with pytest.raises(WeeklyPracticeLimit) as refusal:
        await create(world)
    assert refusal.value.retry_after_seconds == 6 * 24 * 3600
    clock.advance(days=6)
    await create(world)
    with pytest.raises(WeeklyPracticeLimit) as refusal:
        await create(world)
    assert refusal.value.retry_after_seconds == 24 * 3600


async def test_a_tier_that_allows_fewer_from_now_on_is_full_until_enough_have_passed(
    world: World, clock: SettableClock
) -> None:
    stocked(world, offers(1))
    for _ in range(3):
        await create(world)
        clock.advance(days=1)
    world.allow(1)
    with pytest.raises(WeeklyPracticeLimit) as refusal:
        await create(world)
    assert refusal.value.retry_after_seconds == 6 * 24 * 3600


@pytest.mark.parametrize("allowed", [1, 3])
async def test_ten_beginnings_at_once_begin_as_many_as_are_allowed(world: World, allowed: int) -> None:
    stocked(world, offers(5))
    world.allow(allowed)
    outcomes = await asyncio.gather(*(create(world) for _ in range(10)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, WeeklyPracticeLimit)]
    assert len(refused) == 10 - allowed
    assert len([outcome for outcome in outcomes if not isinstance(outcome, BaseException)]) == allowed


@on_postgres
async def test_who_begins_while_the_tier_is_changed_begins_in_the_new_one(world: PostgresWorld) -> None:
    """The change ends one row and adds another; who has waited for the end finds the new row."""
    stocked(world, offers(5))
    keeper = world.cloned.keeper
    with world.cloned.administration() as connection, connection.transaction():
        connection.execute("select from enrollments where user_id = %s for no key update", [STUDENT.user_id])
        beginning = asyncio.create_task(create(world))
        while not keeper.execute("select 1 from pg_locks where not granted").fetchone():
            assert not beginning.done()
            await asyncio.sleep(0.01)
        connection.execute(
            "update enrollments set status = 'ended', ended_at = started_at, end_reason = 'tier_change'"
            " where user_id = %s",
            [STUDENT.user_id],
        )
        connection.execute(
            "insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)"
            " select user_id, 'enr_new', exam_package_id, tier_id, 'active', started_at from enrollments"
        )
    assert (await beginning).session.served == 5


async def test_a_template_is_looked_for_first_then_the_enrolment_the_tier_the_week_and_the_questions(
    world: World, clock: SettableClock
) -> None:
    world.allow(None)
    with pytest.raises(TemplateNotFound):
        await create_from(world, "tpl_1")
    world.offer(offers(1))
    world.publish(template())
    with pytest.raises(EnrollmentRequired):
        await create_from(world, "tpl_1")
    world.enroll(STUDENT.user_id)
    world.allow(0)
    with pytest.raises(PracticeNotInTier):
        await create_from(world, "tpl_1")
    world.allow(1)
    await create_from(world, "tpl_1")
    world.withdraw("qst_000")
    with pytest.raises(WeeklyPracticeLimit):
        await create_from(world, "tpl_1")
    clock.advance(days=7)
    with pytest.raises(NoQuestions):
        await create_from(world, "tpl_1")


async def test_a_template_that_names_another_package_is_not_found(world: World) -> None:
    stocked(world, offers(1))
    world.publish(template())
    assert (await create_from(world, "tpl_1", PACKAGE)).session.template_version == 1
    with pytest.raises(TemplateNotFound):
        await create_from(world, "tpl_1", "pkg_other")


async def test_a_session_keeps_the_version_and_the_rules_that_it_was_begun_with(world: World) -> None:
    stocked(world, offers(2))
    world.mark_by(STRICT)
    gentle = ScoringPolicy(penalty=Decimal("0.1"))
    world.publish(template(scoring=gentle))
    by_template, by_wish = await create_from(world, "tpl_1"), await create(world)
    world.publish(template(2))
    world.mark_by(STANDARD)

    async def unit(work: PracticeWork) -> list[object]:
        kept = [await work.find_session(STUDENT.user_id, view.session.id) for view in (by_template, by_wish)]
        return [each and (each.template_id, each.template_version, each.policy) for each in kept]

    assert await world.transact(unit) == [("tpl_1", 1, gentle), (None, None, STRICT)]
    assert (await create_from(world, "tpl_1")).session.template_version == 2
    wrong = await give(world, by_wish.session.id, 1, "A")
    assert wrong.feedback is not None
    assert wrong.feedback.mark == Decimal("-0.25")


async def test_a_refused_beginning_leaves_nothing(world: World) -> None:
    stocked(world, offers(1))
    with pytest.raises(NoQuestions):
        await create(world, topic_ids=("top_none",))

    async def unit(work: PracticeWork) -> object:
        return await work.nth_latest_start(STUDENT.user_id, PACKAGE, 1)

    assert await world.transact(unit) is None


async def test_a_wish_is_checked_before_anything_is_looked_up(world: World) -> None:
    with pytest.raises(TemplateNotFound):
        await creating(world)(STUDENT, FromTemplate(template_id="tpl_none"))
    with pytest.raises(EnrollmentRequired):
        await creating(world)(STUDENT, plan())
