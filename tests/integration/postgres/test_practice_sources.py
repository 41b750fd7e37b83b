"""Where the questions of a session come from, on every store alike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from application.practice.ports.sessions import PracticeWork
from application.practice.sitting import FinishPractice
from domain.practice.judging import FeedbackMode
from domain.practice.plans import Source
from domain.practice.refusals import NoQuestions
from tests.support.postgres import SettableClock
from tests.support.practice_builders import STUDENT, Offer, World, offers
from tests.support.practice_worlds import catch_up, create, draw, give, invalidate, plan, stocked, world_of

DEFERRED = FeedbackMode.DEFERRED
KNOWING = (Source.INCORRECT, Source.DUE, Source.WEAK)  # who tell right from wrong


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


async def drawn_from(world: World, source: Source, **wishes: Any) -> set[str]:
    """By beginning a session; nothing where that is refused for want of questions."""
    try:
        practice = await create(world, source=source, count=200, **wishes)
    except NoQuestions:
        return set()
    assert practice.session.source is source
    return {question.question_id for question in practice.questions}


async def answered(world: World, letters: dict[str, str], **wishes: Any) -> str:
    """A session of all questions in which some are answered."""
    session_id = (await create(world, count=200, **wishes)).session.id
    for question_id, letter in letters.items():
        await give(world, session_id, question_id, letter)
    return session_id


async def test_unseen_is_what_was_never_answered_in_whatever_session(world: World, clock: SettableClock) -> None:
    stocked(world, offers(5))
    await answered(world, {"qst_000": "B"})
    await answered(world, {"qst_001": "A"}, feedback=DEFERRED)
    await invalidate(world, await answered(world, {"qst_002": "B"}))
    assert await drawn_from(world, Source.UNSEEN) == {"qst_003", "qst_004"}


async def test_incorrect_is_what_was_answered_wrongly_at_last(world: World, clock: SettableClock) -> None:
    stocked(world, offers(4))
    await answered(world, {"qst_000": "A", "qst_001": "B", "qst_002": "A"})
    clock.advance(hours=1)
    await answered(world, {"qst_000": "B", "qst_001": "A"})
    assert await drawn_from(world, Source.INCORRECT) == {"qst_001", "qst_002"}


async def test_what_is_void_neither_counts_nor_hides_what_was_before(world: World, clock: SettableClock) -> None:
    stocked(world, offers(4))
    await answered(world, {"qst_000": "A", "qst_001": "B"})
    clock.advance(hours=1)
    void = await answered(world, {"qst_000": "B", "qst_001": "A", "qst_002": "A"})
    assert await drawn_from(world, Source.INCORRECT) == {"qst_001", "qst_002"}
    await invalidate(world, void)
    assert await drawn_from(world, Source.INCORRECT) == {"qst_000"}


async def test_a_deferred_answer_is_known_when_its_session_is_over_also_by_time(
    world: World, clock: SettableClock
) -> None:
    stocked(world, offers(2))
    by_hand = await answered(world, {"qst_000": "A"}, feedback=DEFERRED)
    await answered(world, {"qst_001": "A"}, feedback=DEFERRED, time_limit_seconds=60)
    assert await drawn_from(world, Source.INCORRECT) == set()
    clock.advance(seconds=60)
    assert await drawn_from(world, Source.INCORRECT) == {"qst_001"}
    await FinishPractice(world.transact)(STUDENT, by_hand)
    assert await drawn_from(world, Source.INCORRECT) == {"qst_000", "qst_001"}


@pytest.mark.parametrize("source", Source)
async def test_no_draw_tells_what_is_deferred(world: World, clock: SettableClock, source: Source) -> None:
    """Right or wrong, in a session that is not over: the same questions are drawn by the same session."""
    stocked(world, offers(12, topic_id="top_risk"))
    every = [f"qst_{number:03}" for number in range(12)]
    await answered(world, dict.fromkeys(every[:6], "A"))
    clock.advance(hours=8)
    session_id = await answered(world, {}, feedback=DEFERRED)
    outcomes = []
    for letter in "BAB":
        for question_id in every[:11]:
            await give(world, session_id, question_id, letter)
        clock.advance(hours=8)
        outcomes.append(await drawn_from(world, source))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert bool(outcomes[0]) == (source is not Source.FLAGGED)


async def test_flagged_is_what_the_student_flagged(world: World) -> None:
    stocked(world, offers(4))
    world.flag(STUDENT.user_id, "qst_001")
    world.flag(STUDENT.user_id, "qst_003")
    assert await drawn_from(world, Source.FLAGGED) == {"qst_001", "qst_003"}


async def test_weak_is_every_question_of_a_weak_topic(world: World, clock: SettableClock) -> None:
    stocked(world, [*offers(8, prefix="r", topic_id="top_risk"), *offers(8, prefix="c", topic_id="top_crypto")])
    letters = {f"r_{number:03}": "A" for number in range(7)} | {f"c_{number:03}": "B" for number in range(7)}
    await answered(world, letters)
    clock.advance(hours=1)
    weak = {f"r_{number:03}" for number in range(8)}
    assert await drawn_from(world, Source.WEAK) == weak
    assert await drawn_from(world, Source.WEAK, topic_ids=("top_risk", "top_crypto")) == weak
    assert await drawn_from(world, Source.WEAK, topic_ids=("top_crypto",)) == set()


async def test_due_is_what_is_most_overdue_first(world: World, clock: SettableClock) -> None:
    stocked(world, offers(4))
    session_id = await answered(world, {"qst_002": "A"})
    clock.advance(minutes=30)
    await give(world, session_id, "qst_000", "A")
    clock.advance(seconds=30)
    assert await drawn_from(world, Source.DUE) == {"qst_002"}
    clock.advance(days=1)
    await give(world, session_id, "qst_001", "B")
    assert await drawn_from(world, Source.DUE) == {"qst_000", "qst_002"}
    assert [question.question_id for question in await draw(world, source=Source.DUE, count=1)] == ["qst_002"]


async def test_what_the_job_has_scheduled_is_due_like_what_is_scheduled_at_the_draw(
    world: World, clock: SettableClock
) -> None:
    stocked(world, offers(2))
    await answered(world, {"qst_000": "A", "qst_001": "A"})
    await catch_up(world)
    clock.advance(days=1)
    assert len(await draw(world, source=Source.DUE)) == 2


@pytest.mark.parametrize("source", Source)
async def test_every_source_keeps_to_the_package_what_is_published_and_the_filter(
    world: World, clock: SettableClock, source: Source
) -> None:
    stocked(world, [*offers(8, prefix="e", topic_id="top_risk"), *offers(8, prefix="gone", topic_id="top_risk")])
    world.offer(offers(8, prefix="h", topic_id="top_risk", difficulty_id="dif_hard"))
    world.offer(offers(8, prefix="c", topic_id="top_crypto"))
    world.offer(offers(8, prefix="other", topic_id="top_other"), "pkg_other")
    world.enroll(STUDENT.user_id, "pkg_other")
    if source in KNOWING:
        elsewhere = await create(world, count=200)
        for question in elsewhere.questions:
            await give(world, elsewhere.session.id, question.slot, "A")
        clock.advance(days=1)
    for question_id in [f"{prefix}_{number:03}" for prefix in ("e", "h", "c", "gone", "other") for number in range(8)]:
        world.flag(STUDENT.user_id, question_id)
    for number in range(8):
        world.withdraw(f"gone_{number:03}")
    risk_easy: dict[str, Any] = {"topic_ids": ("top_risk",), "difficulty_ids": ("dif_easy",)}
    assert await drawn_from(world, source, **risk_easy) == {f"e_{number:03}" for number in range(8)}
    # What is archived does not take the place of what is not.
    assert len(await draw(world, source=source, count=8, **risk_easy)) == 8
    prefixes = Counter(each.split("_")[0] for each in await drawn_from(world, source))
    assert prefixes == {"e": 8, "h": 8, "c": 8}
    assert await drawn_from(world, source, difficulty_ids=("dif_hard",)) == {f"h_{number:03}" for number in range(8)}


@pytest.mark.parametrize("source", [Source.UNSEEN, Source.INCORRECT, Source.FLAGGED])
async def test_a_draw_from_a_source_is_fair(world: World, clock: SettableClock, source: Source) -> None:
    """5 of the 20 that qualify, 300 times: each is expected 75 times, give or take 7.5. The other 20 never come."""
    stocked(world, offers(40))
    every = [f"qst_{number:03}" for number in range(40)]
    wrong_or_open = every[::2]
    if source is Source.UNSEEN:
        await answered(world, dict.fromkeys(every[1::2], "B"))
    elif source is Source.INCORRECT:
        await answered(world, {each: "A" if each in wrong_or_open else "B" for each in every})
    else:
        for each in wrong_or_open:
            world.flag(STUDENT.user_id, each)

    async def unit(work: PracticeWork) -> Counter[str]:
        wanted = plan(count=5, source=source)
        draws = [await work.draw_questions(STUDENT.user_id, wanted, f"prs_{number}") for number in range(300)]
        return Counter(each.question.question_id for drawn in draws for each in drawn)

    counts = await world.transact(unit)
    assert sorted(counts) == wrong_or_open
    assert all(38 <= count <= 112 for count in counts.values()), counts


async def test_the_topic_of_a_question_is_kept_with_its_slot(world: World) -> None:
    stocked(world, [Offer(id="qst_1", topic_id="top_risk"), Offer(id="qst_2")])

    async def unit(work: PracticeWork) -> dict[str, str | None]:
        drawn = await work.draw_questions(STUDENT.user_id, plan(), "prs_1")
        return {each.question.question_id: each.topic_id for each in drawn}

    assert await world.transact(unit) == {"qst_1": "top_risk", "qst_2": None}
