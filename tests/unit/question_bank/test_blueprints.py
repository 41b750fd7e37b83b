"""Papers by blueprint: every section filled or the shortage proved, least seen first, and no question twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.question_bank.blueprints import (
    MAX_PAPER,
    MAX_SECTIONS,
    Blueprint,
    BlueprintInfeasible,
    Candidate,
    PaperSlot,
    Section,
    assemble,
    refuse_unsound,
)

TOPICS = ("top_a", "top_b", "top_c", None)
LEVELS = ("dif_easy", "dif_hard", None)
sections = st.builds(
    Section, count=st.integers(1, 3), topic_id=st.sampled_from(TOPICS), difficulty_id=st.sampled_from(LEVELS)
)
blueprints = st.lists(sections, min_size=1, max_size=4).map(lambda found: Blueprint(sections=tuple(found)))


@st.composite
def pools(draw: st.DrawFn, most: int = 9) -> tuple[Candidate, ...]:
    found = draw(
        st.lists(
            st.tuples(st.sampled_from(TOPICS), st.sampled_from(LEVELS), st.integers(0, 2)),
            max_size=most,
        )
    )
    return tuple(
        Candidate(question_id=f"qst_{number}", version=1, topic_id=topic, difficulty_id=level, seen=seen)
        for number, (topic, level, seen) in enumerate(found)
    )


def of(topic: str | None, level: str | None = None, *, count: int, seen: int = 0) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(question_id=f"qst_{topic}_{level}_{n}", version=1, topic_id=topic, difficulty_id=level, seen=seen)
        for n in range(count)
    )


def can_serve(blueprint: Blueprint, chosen: Sequence[Candidate]) -> bool:
    """Hall's condition, tried on every group of sections: enough of the chosen for each, and none left over."""
    numbers = range(len(blueprint.sections))
    for size in range(1, len(blueprint.sections) + 1):
        for group in combinations(numbers, size):
            needed = sum(blueprint.sections[number].count for number in group)
            fitting = [each for each in chosen if any(blueprint.sections[n].takes(each.cell) for n in group)]
            if len(fitting) < needed:
                return False
    return True


@given(blueprint=blueprints, pool=pools(), seed=st.sampled_from(["one", "two"]))
def test_a_paper_fills_every_section_with_what_it_asks_for(
    blueprint: Blueprint, pool: tuple[Candidate, ...], seed: str
) -> None:
    by_id = {candidate.question_id: candidate for candidate in pool}
    try:
        paper = assemble(blueprint, pool, seed)
    except BlueprintInfeasible:
        assert not can_serve(blueprint, pool)
        return
    assert can_serve(blueprint, pool)
    assert Counter(slot.section for slot in paper) == {
        number: section.count for number, section in enumerate(blueprint.sections)
    }
    assert len({slot.question_id for slot in paper}) == len(paper) == blueprint.total
    assert all(blueprint.sections[slot.section].takes(by_id[slot.question_id].cell) for slot in paper)
    assert [slot.slot for slot in paper] == list(range(1, blueprint.total + 1))
    assert [slot.section for slot in paper] == sorted(slot.section for slot in paper)


@given(blueprint=blueprints, pool=pools(7))
@example(  # The any-topic section must give way for the seen question of its topic to stay out.
    blueprint=Blueprint(sections=(Section(count=1), Section(count=1, topic_id="top_a"))),
    pool=(*of("top_a", count=2), *of("top_b", count=1, seen=1)),
)
def test_no_other_choice_has_been_seen_less(blueprint: Blueprint, pool: tuple[Candidate, ...]) -> None:
    """Against every choice there is: not only the fewest repeats, also the most often seen last."""
    by_id = {candidate.question_id: candidate for candidate in pool}
    best = min(
        (
            sorted(candidate.seen for candidate in chosen)
            for chosen in combinations(pool, blueprint.total)
            if can_serve(blueprint, chosen)
        ),
        default=None,
    )
    try:
        paper = assemble(blueprint, pool, "seed")
    except BlueprintInfeasible:
        assert best is None
        return
    assert sorted(by_id[slot.question_id].seen for slot in paper) == best


@given(blueprint=blueprints, pool=pools())
def test_a_shortage_is_proved_by_numbers(blueprint: Blueprint, pool: tuple[Candidate, ...]) -> None:
    """What a shortfall says can be counted again: so many ask, so many are there, whatever else is drawn."""
    assume(not can_serve(blueprint, pool))
    with pytest.raises(BlueprintInfeasible) as refused:
        assemble(blueprint, pool, "seed")
    refusal = refused.value
    assert refusal.shortfalls
    assert len(refusal.problems) == len(refusal.shortfalls)
    for shortfall in refusal.shortfalls:
        group = [blueprint.sections[number] for number in shortfall.sections]
        assert shortfall.required == sum(section.count for section in group)
        assert shortfall.available == sum(any(section.takes(each.cell) for section in group) for each in pool)
        assert shortfall.missing > 0
        assert set(shortfall.topic_ids) == {section.topic_id for section in group}
    named = [number for shortfall in refusal.shortfalls for number in shortfall.sections]
    assert len(named) == len(set(named))


def test_the_shortage_of_one_topic_is_told_by_its_name_and_number() -> None:
    blueprint = Blueprint(sections=(Section(count=5, topic_id="top_a"), Section(count=2, topic_id="top_b")))
    with pytest.raises(BlueprintInfeasible) as refused:
        assemble(blueprint, (*of("top_a", count=2), *of("top_b", count=9)), "seed")
    (shortfall,) = refused.value.shortfalls
    assert (shortfall.topic_ids, shortfall.sections, shortfall.missing) == (("top_a",), (0,), 3)
    assert refused.value.problems[0].pointer == "/sections/0"
    assert "top_a" in refused.value.problems[0].message


def test_sections_that_share_questions_are_short_together() -> None:
    """Four easy questions, but five of the topic and three easy ones of it are asked for: four are missing, once."""
    blueprint = Blueprint(
        sections=(Section(count=5, topic_id="top_a"), Section(count=3, topic_id="top_a", difficulty_id="dif_easy"))
    )
    with pytest.raises(BlueprintInfeasible) as refused:
        assemble(blueprint, of("top_a", "dif_easy", count=4), "seed")
    (shortfall,) = refused.value.shortfalls
    assert (shortfall.required, shortfall.available, shortfall.missing) == (8, 4, 4)


@given(pool=pools(), seed=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8))
def test_the_same_seed_tells_the_same_paper_in_whatever_order_the_pool_comes(
    pool: tuple[Candidate, ...], seed: str
) -> None:
    def paper(candidates: Sequence[Candidate]) -> tuple[PaperSlot, ...] | None:
        try:
            return assemble(Blueprint(sections=(Section(count=2), Section(count=1))), candidates, seed)
        except BlueprintInfeasible:
            return None

    assert paper(pool) == paper(tuple(reversed(pool)))


def test_another_seed_tells_another_paper() -> None:
    blueprint, pool = Blueprint(sections=(Section(count=5),)), of("top_a", count=60)
    assert len({assemble(blueprint, pool, str(number)) for number in range(20)}) == 20


def test_a_retake_meets_no_question_again_while_that_can_be_avoided() -> None:
    blueprint = Blueprint(sections=(Section(count=4, topic_id="top_a"), Section(count=2)))
    pool = [*of("top_a", count=9), *of("top_b", count=3)]
    met: set[str] = set()
    for attempt in range(2):
        paper = {slot.question_id for slot in assemble(blueprint, pool, f"attempt {attempt}")}
        assert not met & paper
        met |= paper
        pool = [replace(each, seen=each.seen + (each.question_id in paper)) for each in pool]
    assert met == {each.question_id for each in pool}


def test_a_question_is_drawn_in_one_version_only() -> None:
    twice = (Candidate(question_id="qst_1", version=1), Candidate(question_id="qst_1", version=2))
    with pytest.raises(BlueprintInfeasible):
        assemble(Blueprint(sections=(Section(count=2),)), twice, "seed")


def test_the_marks_of_a_section_go_to_its_questions() -> None:
    blueprint = Blueprint(sections=(Section(count=1, marks=Decimal("2.5")), Section(count=1)))
    assert [slot.marks for slot in assemble(blueprint, of("top_a", count=2), "seed")] == [Decimal("2.5"), None]


def test_a_large_paper_from_a_large_pool_is_quick() -> None:
    """Fifty sections that overlap everywhere, 500 questions out of 25,000."""
    topics = [f"top_{number}" for number in range(24)]
    parts = [Section(count=10, topic_id=topic) for topic in topics]
    parts += [Section(count=10, topic_id=topic, difficulty_id="dif_easy") for topic in topics]
    blueprint = Blueprint(sections=(*parts, Section(count=10), Section(count=10, difficulty_id="dif_easy")))
    pool = [each for topic in topics for level in LEVELS for each in of(topic, level, count=350)]
    assert len(assemble(blueprint, pool, "seed")) == MAX_PAPER


@pytest.mark.parametrize(
    ("blueprint", "pointer"),
    [
        (Blueprint(sections=()), "/sections"),
        (Blueprint(sections=(Section(count=1),) * (MAX_SECTIONS + 1)), "/sections"),
        (Blueprint(sections=(Section(count=300), Section(count=201))), "/sections"),
        (Blueprint(sections=(Section(count=0),)), "/sections/0/count"),
        (Blueprint(sections=(Section(count=1), Section(count=501))), "/sections"),
        (Blueprint(sections=(Section(count=1, marks=Decimal(0)),)), "/sections/0/marks"),
        (Blueprint(sections=(Section(count=1, marks=Decimal("1000.01")),)), "/sections/0/marks"),
    ],
)
def test_an_unsound_blueprint_is_refused(blueprint: Blueprint, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        refuse_unsound(blueprint)
    assert refused.value.problems[0].pointer == pointer


def test_a_sound_blueprint_is_taken() -> None:
    refuse_unsound(Blueprint(sections=(Section(count=MAX_PAPER, marks=Decimal(1000)),)))
