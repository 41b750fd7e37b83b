"""What every store of evidence promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.system.clock import TimeOrderedIds
from application.progress.estimating import CountFacilities, ShowReadiness, weak_topic_ids
from application.progress.ports.evidence import ReadinessWork
from domain.auth.people import Actor, Role
from domain.enrollment.packages import Visibility
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound
from domain.enrollment.settings import PackageSettings
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeStatus
from domain.progress.evidence import MOST_ANSWERS, Facility, PackageEvidence
from domain.progress.readiness import Readiness
from domain.progress.weak_areas import weak_areas
from domain.question_bank.blueprints import Blueprint, Section
from tests.support.evidence_stores import (
    ADA,
    BOB,
    PACKAGE,
    EvidenceStore,
    Given,
    MemoryEvidence,
    PostgresEvidence,
    several,
)
from tests.support.postgres import SettableClock

ACTOR = Actor(user_id=ADA, role=Role.STUDENT, session_id="ses_ada")
HOUR = timedelta(hours=1)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: SettableClock) -> EvidenceStore:
    if request.param == "memory":
        return MemoryEvidence(clock)
    return PostgresEvidence(clock, request.getfixturevalue("cloned"), request.getfixturevalue("database"))


def stocked(store: EvidenceStore, *topics: str | None, each: int = 10) -> None:
    """A published package with so many questions of each topic, in which Ada is enrolled."""
    store.enroll()
    for topic in topics:
        for number in range(each):
            store.publish(f"qst_{topic}_{number}", topic)


async def found_by(store: EvidenceStore, user_id: str = ADA) -> PackageEvidence:
    found = await store.evidence(user_id)
    assert found is not None
    return found


async def fractions(store: EvidenceStore, user_id: str = ADA) -> list[float]:
    return sorted(answer.fraction for answer in (await found_by(store, user_id)).answers)


async def show(store: EvidenceStore, package_id: str = PACKAGE) -> Readiness:
    return await ShowReadiness(transact=store.readiness, ids=TimeOrderedIds())(ACTOR, package_id)


async def weak(store: EvidenceStore) -> tuple[str, ...]:
    async def unit(work: ReadinessWork) -> tuple[str, ...]:
        return await weak_topic_ids(work, ADA, PACKAGE)

    return await store.readiness(unit)


async def test_of_an_unknown_package_there_is_nothing(store: EvidenceStore) -> None:
    assert await store.evidence(package_id="pkg_none") is None
    with pytest.raises(PackageNotFound):
        await show(store, "pkg_none")


async def test_what_the_package_says_is_told(store: EvidenceStore) -> None:
    stocked(store, "top_1", None, each=2)
    blueprint = Blueprint(sections=(Section(count=3, topic_id="top_1"), Section(count=1, marks=Decimal(2))))
    settings = PackageSettings(question_count=30)
    store.package(pass_mark=Decimal("72.50"), blueprint=blueprint, settings=settings, visibility=Visibility.HIDDEN)
    found = await found_by(store)
    assert (found.pass_mark, found.blueprint, found.settings.question_count) == (Decimal("72.50"), blueprint, 30)
    assert (found.visible, found.enrolled, found.at) == (False, True, store.clock.now())
    assert {topic.id: topic.published for topic in found.topics} == {"top_1": 2, None: 2}


async def test_an_answer_counts_for_what_it_earned_and_never_less_than_nothing(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(
        Given(question_id="qst_top_1_1", mark=Decimal("1.5"), max_mark=Decimal(2)),
        Given(question_id="qst_top_1_2", mark=Decimal(-2)),
        Given(question_id="qst_top_1_3", ago=HOUR),
    )
    found = await found_by(store)
    assert sorted((answer.question_id, answer.fraction, answer.topic_id) for answer in found.answers) == [
        ("qst_top_1_1", 0.75, "top_1"),
        ("qst_top_1_2", 0.0, "top_1"),
        ("qst_top_1_3", 1.0, "top_1"),
    ]
    assert {answer.answered_at for answer in found.answers} == {store.clock.now(), store.clock.now() - HOUR}


async def test_what_does_not_count(store: EvidenceStore) -> None:
    """Skipped questions, other students' answers, invalidated sessions, and questions of other banks."""
    stocked(store, "top_1")
    store.give(
        Given(answered=False),
        Given(user_id=BOB),
        Given(status=PracticeStatus.INVALIDATED, finished_at=store.clock.now()),
        Given(question_id="qst_elsewhere", topic_id="top_elsewhere"),
        Given(question_id="qst_elsewhere", topic_id=None),
    )
    assert await fractions(store) == []
    assert await fractions(store, BOB) == [1.0]


async def test_a_question_that_is_withdrawn_keeps_its_answers(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(Given(question_id="qst_top_1_1"))
    store.withdraw("qst_top_1_1")
    assert await fractions(store) == [1.0]


async def test_a_question_without_a_topic_counts_under_none(store: EvidenceStore) -> None:
    stocked(store, None)
    store.give(Given(question_id="qst_None_1", topic_id=None))
    (answer,) = (await found_by(store)).answers
    assert answer.topic_id is None


@pytest.mark.parametrize(
    ("given", "judged"),
    [
        (Given(feedback=FeedbackMode.DEFERRED), False),
        (Given(feedback=FeedbackMode.DEFERRED, status=PracticeStatus.PAUSED), False),
        (Given(feedback=FeedbackMode.IMMEDIATE, status=PracticeStatus.PAUSED), True),
    ],
)
async def test_a_session_that_goes_on_shows_only_what_it_has_judged(
    store: EvidenceStore, given: Given, judged: bool
) -> None:
    stocked(store, "top_1")
    store.give(given)
    assert await fractions(store) == ([1.0] if judged else [])


async def test_deferred_answers_are_judged_when_their_session_is_over_and_not_before(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    now = store.clock.now()
    deferred: dict[str, Any] = {"feedback": FeedbackMode.DEFERRED, "ago": HOUR}
    store.give(
        Given(**deferred, status=PracticeStatus.FINISHED, finished_at=now, mark=Decimal(0)),
        Given(**deferred, deadline=now + HOUR, mark=Decimal("0.5")),
        Given(**deferred, status=PracticeStatus.FINISHED, finished_at=now + 2 * HOUR),
    )
    assert await fractions(store) == [0.0]
    store.clock.advance(hours=1)
    assert await fractions(store) == [0.0, 0.5]
    store.clock.advance(hours=1)
    assert await fractions(store) == [0.0, 0.5, 1.0]


async def test_an_open_deferred_session_changes_nothing_that_is_shown(store: EvidenceStore) -> None:
    """Neither its right answers nor its wrong ones: whoever compares before and after learns nothing."""
    stocked(store, "top_1", "top_2")
    store.package(settings=PackageSettings(question_count=10))
    store.give(*several("top_1", 3, 5), *several("top_2", 6, 1))
    before = await show(store), await weak(store)
    assert before[0].outlook is not None
    assert before[1] == ("top_1",)
    open_session: dict[str, Any] = {"feedback": FeedbackMode.DEFERRED, "deadline": store.clock.now() + HOUR}
    store.give(*several("top_1", 10, **open_session), *several("top_2", 0, 10, **open_session))
    assert (await show(store), await weak(store)) == before
    store.clock.advance(hours=1)
    assert (await show(store), await weak(store)) != before


async def test_only_the_newest_answers_are_looked_at(store: EvidenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("adapters.postgres.progress.evidence", "adapters.memory.progress.evidence"):
        monkeypatch.setattr(f"{module}.MOST_ANSWERS", 2)
    stocked(store, "top_1")
    store.give(*[Given(mark=Decimal(days), max_mark=Decimal(4), ago=timedelta(days=days)) for days in (4, 1, 3, 2)])
    assert await fractions(store) == [0.25, 0.5]
    assert MOST_ANSWERS == 5_000


async def test_how_all_students_do_is_counted_from_time_to_time(store: EvidenceStore) -> None:
    stocked(store, "top_1", "top_2")
    await CountFacilities(transact=store.facilities)({})
    assert {topic.facility for topic in (await found_by(store)).topics} == {Facility()}
    store.give(
        *several("top_1", 3, 1),
        *several("top_1", 0, 1, user_id=BOB),
        Given(user_id=BOB, topic_id="top_2", mark=Decimal("0.25")),
        Given(topic_id="top_2", mark=Decimal(-3)),
        Given(topic_id="top_2", answered=False),
        Given(topic_id="top_2", feedback=FeedbackMode.DEFERRED),
        Given(topic_id="top_2", status=PracticeStatus.INVALIDATED),
        Given(topic_id=None),
    )
    await CountFacilities(transact=store.facilities)({})
    counted = {topic.id: topic.facility for topic in (await found_by(store)).topics}
    assert counted["top_1"] == Facility(responses=5, earned=3.0)
    assert counted["top_2"] == Facility(responses=2, earned=0.25)


async def test_what_is_taken_back_is_counted_no_more(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    now = store.clock.now()
    given = Given(feedback=FeedbackMode.DEFERRED, status=PracticeStatus.FINISHED, finished_at=now)
    store.give(given)
    await CountFacilities(transact=store.facilities)({})
    assert (await found_by(store)).topics[0].facility.responses == 1
    store.clock.advance(hours=-1)
    await CountFacilities(transact=store.facilities)({})
    assert (await found_by(store)).topics[0].facility == Facility()


async def test_beliefs_begin_with_how_all_students_do(store: EvidenceStore) -> None:
    stocked(store, "top_1", each=40)
    store.give(*several("top_1", 24, 6, user_id=BOB))
    await CountFacilities(transact=store.facilities)({})
    store.package(pass_mark=Decimal(60))
    store.give(*several("top_1", 0, 1))
    (area,) = weak_areas(await found_by(store))
    assert area.belief.mean == pytest.approx(4 * 0.8 / 5)


async def test_weak_topics_are_told_to_whoever_draws_questions(store: EvidenceStore) -> None:
    stocked(store, "top_1", "top_2", "top_3")
    store.give(*several("top_1", 1, 5), *several("top_2", 6), *several("top_3", 0, 4))
    assert await weak(store) == ("top_1",)


async def test_who_never_was_enrolled_is_told_nothing(store: EvidenceStore) -> None:
    store.publish("qst_1", "top_1")
    with pytest.raises(EnrollmentRequired):
        await show(store)
    store.package(visibility=Visibility.HIDDEN)
    with pytest.raises(PackageNotFound):
        await show(store)


@pytest.mark.parametrize("visibility", Visibility)
async def test_who_was_enrolled_once_still_is_told(store: EvidenceStore, visibility: Visibility) -> None:
    store.enroll(ended=True)
    store.publish("qst_1", "top_1")
    store.package(visibility=visibility)
    assert (await show(store)).outlook is None


async def test_what_is_shown_is_kept(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(*several("top_1", 8, 2))
    readiness = await show(store)
    (kept,) = store.predictions()
    assert readiness.outlook is not None
    assert (kept.user_id, kept.exam_package_id, kept.shown_at) == (ADA, PACKAGE, store.clock.now())
    assert kept.id.startswith("rdy_")
    assert (kept.p_pass, kept.expected, kept.lowest, kept.highest) == (
        readiness.outlook.p_pass,
        readiness.outlook.expected,
        readiness.outlook.lowest,
        readiness.outlook.highest,
    )
    assert (kept.need, kept.questions, kept.coverage) == (readiness.need, readiness.questions, readiness.coverage)


async def test_where_nothing_is_shown_nothing_is_kept(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(*several("top_1", 4))
    assert (await show(store)).outlook is None
    assert store.predictions() == ()


@pytest.mark.parametrize(("hours", "kept"), [(0, 1), (23.9, 1), (24, 2)])
async def test_the_same_numbers_within_a_day_are_kept_once(store: EvidenceStore, hours: float, kept: int) -> None:
    """Told of answers by a clock that is days ahead, which lose no weight meanwhile."""
    stocked(store, "top_1")
    now = store.clock.now()
    over: dict[str, Any] = {"feedback": FeedbackMode.DEFERRED, "status": PracticeStatus.FINISHED, "finished_at": now}
    store.give(*several("top_1", 8, 2, **over, ago=timedelta(days=-5)))
    first = await show(store)
    store.clock.advance(hours=hours)
    assert await show(store) == first
    assert len(store.predictions()) == kept


async def test_other_numbers_are_kept_at_once(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(*several("top_1", 8, 2))
    await show(store)
    store.give(*several("top_1", 0, 4))
    await show(store)
    assert len({kept.p_pass for kept in store.predictions()}) == 2


async def test_of_students_who_ask_twice_at_once_one_answer_is_kept(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    store.give(*several("top_1", 8, 2))
    shown = await asyncio.gather(*[show(store) for _ in range(4)])
    assert len(set(shown)) == 1
    assert len(store.predictions()) == 1


@pytest.mark.parametrize(
    ("sure", "unsure", "uncalibrated"),
    [
        ((100, 90), (100, 10), False),
        ((100, 60), (100, 40), True),
        ((100, 60), (99, 40), False),
        ((0, 0), (200, 200), False),
        ((0, 0), (0, 0), False),
    ],
)
async def test_chances_that_did_not_come_true_are_shown_as_such(
    store: EvidenceStore, sure: tuple[int, int], unsure: tuple[int, int], uncalibrated: bool
) -> None:
    """Of those who were shown 0.9 and 0.1 so many passed; 200 exams are the least that tells anything."""
    stocked(store, "top_1")
    for p_pass, (count, passed) in ((0.9, sure), (0.1, unsure)):
        store.show_and_examine(p_pass, count, passed=passed)
    assert (await show(store)).uncalibrated is uncalibrated
    store.give(*several("top_1", 8, 2))
    shown = await show(store)
    assert shown.outlook is not None
    assert shown.uncalibrated is uncalibrated


async def test_what_became_of_another_package_says_nothing_here(store: EvidenceStore) -> None:
    stocked(store, "top_1")
    for p_pass, passed in ((0.9, 60), (0.1, 40)):
        store.show_and_examine(p_pass, 100, passed=passed, package_id="pkg_other")
    assert not (await show(store)).uncalibrated
