"""Which questions count as drawn at random, and which columns the marks of a sample make."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.exam.sampling import UNIT, Sample
from tests.support.exam_samples import joined, paper, sample_of


def drawn_of(sample: Sample) -> set[str]:
    return {each for each in sample.questions if sample.is_drawn(each)}


def test_what_everybody_was_asked_is_not_drawn() -> None:
    sample = sample_of(paper({"a": 1, "b": 0}), paper({"b": 1, "a": 0}), draws=True)
    assert drawn_of(sample) == set()
    assert sample.places() == []
    assert sample.totals == [UNIT, UNIT]


def test_what_not_everybody_was_asked_is_drawn() -> None:
    """Whether the package draws or not: no total can be told without a question that is not in it."""
    sample = sample_of(paper({"a": 1, "b": 0}), paper({"a": 1, "c": 0}), draws=False)
    assert drawn_of(sample) == {"b", "c"}


def test_a_section_with_more_questions_than_places_is_drawn_as_a_whole() -> None:
    """`a` was in every paper by chance."""
    papers = [paper({"a": 1, each: 0}) for each in "bcd"]
    assert drawn_of(sample_of(*papers, draws=True)) == {"a", "b", "c", "d"}
    assert drawn_of(sample_of(*papers, draws=False)) == {"b", "c", "d"}


def test_sections_are_drawn_or_not_each_by_itself() -> None:
    fixed, one, other = paper({"a": 1}, section=0), paper({"b": 1}, section=1), paper({"c": 0}, section=1)
    sample = sample_of(joined(fixed, one), joined(fixed, other), draws=True)
    assert drawn_of(sample) == {"b", "c"}
    assert sample.questions == ["a", "b", "c"]


def test_a_question_of_two_sections_is_drawn_if_one_of_them_is() -> None:
    sample = sample_of(
        joined(paper({"a": 1}, section=0), paper({"b": 1}, section=1)),
        joined(paper({"b": 1}, section=0), paper({"a": 0}, section=1)),
        draws=True,
    )
    assert drawn_of(sample) == {"a", "b"}
    assert [(place.section, place.number, list(place.column.marks)) for place in sample.places()] == [
        (0, 1, [UNIT, UNIT]),
        (1, 1, [UNIT, 0]),
    ]


def test_a_longer_paper_since_has_no_place_before() -> None:
    """A question was added: earlier attempts earned nothing there, and the others are not drawn for it."""
    sample = sample_of(paper({"a": 1}), paper({"a": 1, "b": 1}), draws=True)
    assert drawn_of(sample) == {"b"}
    (place,) = sample.places()
    assert (list(place.column.marks), place.column.max_marks) == ([0, UNIT], UNIT)


def test_a_column_holds_the_totals_of_those_who_were_asked() -> None:
    sample = sample_of(paper({"a": 1, "b": 0.5}), paper({"a": 0, "c": 1}), paper({"a": 1, "c": 0}), draws=True)
    column = sample.column("c")
    assert (list(column.marks), list(column.totals), column.max_marks) == ([UNIT, 0], [UNIT, UNIT], 2 * UNIT)
    assert (column.drawn, column.unit) == (True, UNIT)


def test_a_version_has_a_column_of_its_own() -> None:
    sample = sample_of(paper({"a": 1, "b": 1}), paper({"a": 0, "b": 1}, version=2), paper({"a": 1, "b": 0}, version=2))
    assert sample.latest("a") == 2
    column = sample.column("a", 2)
    assert (list(column.marks), list(column.totals)) == ([0, UNIT], [UNIT, UNIT])
    assert column.max_marks == 2 * UNIT


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from("abcdefgh"), st.integers(0, 3)), unique_by=lambda s: s[1]
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
def test_the_places_and_what_everybody_was_asked_make_up_the_totals(
    papers: list[list[tuple[int, str, int]]], draws: bool
) -> None:
    sample = sample_of(
        *(
            paper({name: mark for _, name, mark in slots}, sections=[section for section, _, _ in slots], max_mark=3)
            for slots in papers
        ),
        draws=draws,
    )
    columns = [place.column for place in sample.places()]
    columns += [sample.column(each) for each in sample.questions if not sample.is_drawn(each)]
    assert [sum(column.marks[n] for column in columns) for n in range(sample.attempts)] == sample.totals
    assert sum(column.max_marks for column in columns) == sum(3 * UNIT for slots in papers for _ in slots)
