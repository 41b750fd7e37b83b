"""Being dealt questions on every store: the same ones until the first is answered, by kinds too, one unit at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.practice.dealing import DealPractice
from application.practice.ports.sessions import PracticeWork
from application.practice.sitting import FinishPractice, PausePractice
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired
from domain.errors import InvalidInput
from domain.practice.judging import FeedbackMode
from domain.practice.plans import Filter, PracticePlan, Source, TemplateReference
from domain.practice.refusals import NoQuestions, PracticeNotInTier, StudyUnderWay, WeeklyPracticeLimit
from domain.practice.sessions import PracticeSession
from domain.question_bank.kinds import QuestionKind
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import (
    EVERY_KIND,
    STRANGER,
    STUDENT,
    Offer,
    PostgresWorld,
    World,
    offers,
    session,
)
from tests.support.practice_worlds import create, creating, draw, give, invalidate, plan, stocked, world_of

DEFERRED = FeedbackMode.DEFERRED
_KINDS = st.lists(st.sampled_from(QuestionKind), max_size=5)
_IDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=5)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


async def deal(world: World, actor: Actor = STUDENT, *, alone: bool = False, **wishes: Any) -> str:
    use_case = DealPractice(ids=TimeOrderedIds(), transact=world.transact, create=creating(world))
    return await use_case(actor, plan(**{"feedback": DEFERRED, "count": 2} | wishes), alone=alone)


async def begun(world: World, session_id: str) -> PracticeSession:
    found = await world.transact(lambda work: work.find_session(STUDENT.user_id, session_id))
    assert found is not None
    return found


async def test_who_asks_again_is_dealt_the_same(world: World) -> None:
    stocked(world, offers(5))
    first = await deal(world)
    assert (await begun(world, first)).served == 2
    assert [await deal(world) for _ in range(3)] == [first] * 3


async def test_asking_again_takes_no_further_session_of_the_week(world: World) -> None:
    stocked(world, offers(5))
    world.allow(1)
    first = await deal(world)
    assert await deal(world) == first
    with pytest.raises(WeeklyPracticeLimit):
        await deal(world, count=1)


async def test_asking_at_the_same_time_deals_once(world: World) -> None:
    stocked(world, offers(5))
    assert len(set(await asyncio.gather(*(deal(world) for _ in range(8))))) == 1


async def test_one_round_at_a_time_where_that_is_wanted(world: World) -> None:
    """Another one is a session of the same kind, begun wherever; what gives its feedback otherwise is none."""
    stocked(world, offers(5))
    await deal(world)
    other = (await create(world, count=1)).session.id
    round_: dict[str, Any] = {"alone": True, "feedback": FeedbackMode.IMMEDIATE, "kinds": (QuestionKind.SINGLE,)}
    with pytest.raises(StudyUnderWay):
        await deal(world, **round_)
    await _finished(world, other)
    first = await deal(world, **round_)
    assert await deal(world, **round_) == first
    others: list[dict[str, Any]] = [{"count": 3}, {"topic_ids": ("top_risk",)}]
    for wish in others:
        with pytest.raises(StudyUnderWay):
            await deal(world, **round_ | wish)
    await _answered(world, first)
    with pytest.raises(StudyUnderWay):
        await deal(world, **round_)
    await _finished(world, first)
    assert await deal(world, **round_) != first


async def test_a_round_of_questions_of_other_kinds_is_no_round(world: World) -> None:
    stocked(world, EVERY_KIND)
    mixed = (await create(world, count=len(EVERY_KIND))).session.id
    assert await deal(world, alone=True, feedback=FeedbackMode.IMMEDIATE, kinds=(QuestionKind.SINGLE,)) != mixed


async def test_of_rounds_wanted_at_the_same_time_one_begins(world: World) -> None:
    stocked(world, offers(5))
    wanted = [deal(world, alone=True, feedback=FeedbackMode.IMMEDIATE, count=1 + each % 4) for each in range(8)]
    told = await asyncio.gather(*wanted, return_exceptions=True)
    assert len({each for each in told if isinstance(each, str)}) == 1
    assert {type(each) for each in told} == {str, StudyUnderWay}


async def _answered(world: World, session_id: str) -> None:
    await give(world, session_id, 1)


async def _finished(world: World, session_id: str) -> None:
    await FinishPractice(world.transact)(STUDENT, session_id)


async def _paused(world: World, session_id: str) -> None:
    await PausePractice(world.transact)(STUDENT, session_id)


async def _void(world: World, session_id: str) -> None:
    await invalidate(world, session_id)


@pytest.mark.parametrize("became", [_answered, _finished, _paused, _void])
async def test_what_is_begun_or_over_is_not_dealt_again(world: World, became: Callable[..., Any]) -> None:
    stocked(world, offers(5))
    first = await deal(world)
    await became(world, first)
    second = await deal(world)
    assert second != first
    assert await deal(world) == second


@pytest.mark.parametrize(
    "wishes",
    [
        {"count": 3},
        {"topic_ids": ("top_risk",)},
        {"difficulty_ids": ("dif_easy",)},
        {"kinds": (QuestionKind.SINGLE,)},
        {"feedback": FeedbackMode.IMMEDIATE},
        {"source": Source.UNSEEN},
        {"certainty": True},
        {"time_limit_seconds": 60},
    ],
)
async def test_another_wish_is_another_deal(world: World, wishes: dict[str, Any]) -> None:
    stocked(world, offers(5, topic_id="top_risk"))
    first = await deal(world)
    other = await deal(world, **wishes)
    assert other != first
    assert (await deal(world, **wishes) == other) is ("time_limit_seconds" not in wishes)
    assert await deal(world) == first


async def test_the_order_in_which_a_wish_names_things_is_none(world: World) -> None:
    stocked(world, [*offers(3, prefix="r", topic_id="top_r"), *offers(3, prefix="c", topic_id="top_c")])
    first = await deal(world, topic_ids=("top_r", "top_c"))
    assert await deal(world, topic_ids=("top_c", "top_r", "top_c")) == first


async def test_of_several_the_latest_is_dealt(world: World) -> None:
    stocked(world, offers(5))
    older = (await create(world, feedback=DEFERRED, count=2)).session.id
    latest = (await create(world, feedback=DEFERRED, count=2)).session.id
    assert await deal(world) == max(older, latest)


async def test_nobody_is_dealt_what_another_was(world: World) -> None:
    stocked(world, offers(5))
    world.enroll(STRANGER.user_id)
    assert await deal(world) != await deal(world, STRANGER)


async def test_who_is_not_enrolled_any_more_is_dealt_nothing(world: World) -> None:
    stocked(world, offers(5))
    await deal(world)
    world.end_enrollment(STUDENT.user_id)
    with pytest.raises(EnrollmentRequired):
        await deal(world)


async def test_what_beginning_refuses_is_refused(world: World) -> None:
    stocked(world, offers(5))
    with pytest.raises(NoQuestions):
        await deal(world, topic_ids=("top_none",))
    with pytest.raises(InvalidInput):
        await deal(world, count=0)
    world.allow(0)
    with pytest.raises(PracticeNotInTier):
        await deal(world)


async def test_a_session_of_before_filters_were_kept_is_not_dealt(world: World) -> None:
    stocked(world, offers(5))
    first = await deal(world)

    async def unit(work: PracticeWork) -> None:
        held = await work.hold_session(STUDENT.user_id, first)
        assert held is not None
        assert held.filter == Filter()
        old = replace(held, id="prs_0old", filter=None)
        await work.add_session(old, ())
        await work.save_session(replace(held, status="finished", finished_at=work.now))  # type: ignore[arg-type]

    await world.transact(unit)
    assert await deal(world) not in (first, "prs_0old")


@pytest.mark.parametrize("source", [Source.ALL, Source.UNSEEN, Source.FLAGGED, Source.INCORRECT])
async def test_a_draw_keeps_to_the_kinds_that_are_wished_for(world: World, source: Source) -> None:
    """Whatever the source; without a wish every kind is drawn."""
    stocked(world, EVERY_KIND)
    for offer in EVERY_KIND:
        world.flag(STUDENT.user_id, offer.id)
    if source is Source.INCORRECT:
        await _answer_wrongly(world)
    of_letters = (QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE)
    every = {"qst_single", "qst_multiple", "qst_true_false"}
    drawn = {question.question_id for question in await draw(world, source=source, kinds=of_letters)}
    assert drawn == every
    assert {question.question_id for question in await draw(world, source=source, kinds=(QuestionKind.NUMERIC,))} == (
        set() if source is Source.INCORRECT else {"qst_number"}
    )
    assert {question.question_id for question in await draw(world, source=source)} >= every


async def _answer_wrongly(world: World) -> None:
    practice = await create(world, count=200)
    for question in practice.questions:
        if question.kind in (QuestionKind.SINGLE, QuestionKind.TRUE_FALSE, QuestionKind.MULTIPLE):
            wrong = "D" if question.kind is not QuestionKind.TRUE_FALSE else "A"
            await give(world, practice.session.id, question.question_id, wrong)


@given(topics=_IDS, levels=_IDS, kinds=_KINDS, data=st.data())
def test_equal_filters_are_equal_values(
    topics: list[str], levels: list[str], kinds: list[QuestionKind], data: st.DataObject
) -> None:
    shuffled = (data.draw(st.permutations(each * 2)) for each in (topics, levels, kinds))
    assert Filter.of(topics, levels, kinds) == Filter.of(*shuffled)  # type: ignore[arg-type]


def test_only_what_was_asked_for_in_these_words_is_dealt_again() -> None:
    """The rule, difference by difference."""
    wish = PracticePlan(exam_package_id="pkg_security", count=3, feedback=DEFERRED)
    asked = session(feedback=DEFERRED, filter=Filter())
    assert asked.is_untouched_wish(wish)
    template = TemplateReference(id="tpl_1", version=1)
    plans = [
        {"exam_package_id": "pkg_other"},
        {"count": 2},
        {"source": Source.WEAK},
        {"template": template},
        {"time_limit_seconds": 5},
        {"kinds": (QuestionKind.SINGLE,)},
    ]
    assert not any(asked.is_untouched_wish(replace(wish, **changes)) for changes in plans)  # type: ignore[arg-type]
    sessions = [{"answered_count": 1}, {"template_id": "tpl_1"}, {"deadline": asked.started_at}, {"filter": None}]
    assert not any(replace(asked, **changes).is_untouched_wish(wish) for changes in sessions)  # type: ignore[arg-type]


@pytest.fixture
def real(cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock) -> PostgresWorld:
    world = PostgresWorld(cloned, PostgresTransaction(database, PostgresPracticeWork, ids, clock))
    stocked(world, [*offers(4), Offer(id="qst_x", topic_id="top_risk")])
    return world


@pytest.fixture
def reader(database: Database, clock: SettableClock) -> PostgresPracticeReader:
    return PostgresPracticeReader(database, clock)


async def _sat(world: World, *letters: str, **wishes: Any) -> str:
    practice = await create(world, **{"count": 4} | wishes)
    for number, letter in enumerate(letters, start=1):
        await give(world, practice.session.id, number, letter)
    return practice.session.id


async def test_attempts_are_what_is_over_and_holds_an_answer(
    real: PostgresWorld, reader: PostgresPracticeReader, clock: SettableClock
) -> None:
    """In the order of their ends, which need not be that of their beginnings."""
    timed = await _sat(real, "B", time_limit_seconds=3600)
    early = await _sat(real, "B", "B", "A")
    late = await _sat(real, "B", "B", "B", "B")
    nothing, void, running = await _sat(real), await _sat(real, "B"), await _sat(real, "B", feedback=DEFERRED)
    await invalidate(real, void)
    clock.advance(seconds=1)
    for session_id in (early, nothing):
        await FinishPractice(real.transact)(STUDENT, session_id)
    found = await reader.attempts(STUDENT.user_id, None, offset=0, limit=10)
    assert (found.total, [each.id for each in found.sessions]) == (2, [early, late])
    clock.advance(hours=2)
    found = await reader.attempts(STUDENT.user_id, "pkg_security", offset=0, limit=2)
    assert (found.total, [each.id for each in found.sessions]) == (3, [timed, early])
    assert [each.correct_count for each in found.sessions] == [1, 2]
    rest = await reader.attempts(STUDENT.user_id, None, offset=2, limit=10)
    assert (rest.total, [each.id for each in rest.sessions]) == (3, [late])
    assert running not in {each.id for each in (*found.sessions, *rest.sessions)}
    for user_id, package in ((STRANGER.user_id, None), (STUDENT.user_id, "pkg_other")):
        assert (await reader.attempts(user_id, package, offset=0, limit=10)).total == 0


async def test_scores_are_shares_of_all_questions_of_an_attempt(
    real: PostgresWorld, reader: PostgresPracticeReader
) -> None:
    assert await reader.scores(STUDENT.user_id) == ()
    await _sat(real, "B", "B", "B", "B")
    await FinishPractice(real.transact)(STUDENT, await _sat(real, "B", "A"))
    (score,) = await reader.scores(STUDENT.user_id)
    assert (score.exam_package_id, score.attempts, score.answered) == ("pkg_security", 2, 6)
    assert (score.percents, score.best_percent) == (Decimal(125), Decimal(100))


async def test_a_question_tells_the_topic_that_its_answer_counts_for(
    real: PostgresWorld, reader: PostgresPracticeReader
) -> None:
    created = await create(real, topic_ids=("top_risk",))
    read = await reader.session(STUDENT.user_id, created.session.id)
    assert read is not None
    assert {question.topic_id for question in (*created.questions, *read.questions)} == {"top_risk"}
