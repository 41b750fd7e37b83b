"""What is told of a sample of attempts, and what is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice

import pytest

from domain.exam.item_report import Report, report_on
from domain.exam.sampling import GradedPaper
from domain.exam.statistics import analyse
from tests.support.exam_samples import CHOICES, paper, sample_of

TEN: list[dict[str, float | None]] = [
    {"a": 1, "b": 1, "c": 0.5},
    {"a": 1, "b": 0, "c": 1},
    {"a": 0, "b": 0, "c": 0},
    {"a": 1, "b": 1, "c": 1},
    {"a": 0, "b": 1, "c": None},
    {"a": 1, "b": 0, "c": 0},
    {"a": 0, "b": 0, "c": 0.5},
    {"a": 1, "b": 1, "c": 1},
    {"a": 1, "b": None, "c": 0},
    {"a": 1, "b": 1, "c": 0},
]


def report_of(*papers: GradedPaper, draws: bool = False) -> Report:
    sample = sample_of(*papers, draws=draws)
    return report_on(sample, {(each, sample.latest(each)): CHOICES for each in sample.questions})


def test_of_fewer_than_ten_attempts_nothing_is_told() -> None:
    nine = report_of(*(paper(marks) for marks in TEN[:9]))
    assert nine == Report(attempts=9)
    assert report_of(*(paper(marks) for marks in TEN)).total is not None


def test_the_report_on_a_paper_that_is_always_the_same_is_the_analysis_of_its_table() -> None:
    found = report_of(*(paper(marks) for marks in TEN))
    right = analyse([list(marks.values()) for marks in TEN])
    assert found.total == right.total
    for item, figures in zip(found.items, right.items, strict=True):
        assert item.figures is not None
        assert item.figures == item.latest_figures
        assert item.figures.effective_weight == pytest.approx(figures.effective_weight)
        assert replace(item.figures, effective_weight=figures.effective_weight) == figures
    assert found.places == ()
    assert found.canvas is not None
    assert found.total is not None
    assert found.canvas.alpha == pytest.approx((found.total.consistency or 0) / 100)


def test_blanks_earn_nothing_and_answer_nothing() -> None:
    item = report_of(*(paper(marks) for marks in TEN)).items[2]
    assert item.figures is not None
    assert item.canvas is not None
    assert item.figures.facility == pytest.approx(0.4)
    assert (item.canvas.answered, item.canvas.correct, item.canvas.difficulty) == (9, 3, 1 / 3)
    assert [(option.choice_id, option.count) for option in item.canvas.options] == [("A", 3), ("B", 6), ("C", 0)]


def test_a_drawn_question_with_fewer_than_ten_attempts_is_hidden() -> None:
    names = [*("b" for _ in range(10)), *("c" for _ in range(9))]
    papers = [paper({"a": n % 2, each: n % 3 == 0}) for n, each in enumerate(names)]
    found = {item.question_id: item for item in report_of(*papers, draws=True).items}
    assert {name: item.is_hidden for name, item in found.items()} == {"a": False, "b": False, "c": True}
    assert found["c"].attempts == 9
    assert (found["c"].canvas, found["c"].latest_figures) == (None, None)


def test_weights_of_drawn_questions_belong_to_their_places() -> None:
    papers = [paper({"a": n % 2, each: n % 3 == 0}) for n, each in zip(range(30), cycle("bc"), strict=False)]
    found = report_of(*papers)
    weights = {item.question_id: item.figures.effective_weight for item in found.items if item.figures is not None}
    assert [weights["b"], weights["c"]] == [None, None]
    (place,) = found.places
    assert (place.section, place.number) == (0, 1)
    assert place.figures.effective_weight is not None
    assert weights["a"] is not None
    assert weights["a"] + place.figures.effective_weight == pytest.approx(100)
    # Two items: the question that everybody was asked, and the place.
    right = analyse([[n % 2, int(n % 3 == 0)] for n in range(30)])
    assert found.total == right.total
    assert [item.drawn for item in found.items] == [False, True, True]


def test_a_question_that_was_dropped_is_no_part_of_the_test() -> None:
    dropped = [paper({"z": 0}, max_mark=0) for _ in TEN]
    papers = [
        GradedPaper(
            sections=[0, 0, 0, 0],
            question_ids=[*one.question_ids, "z"],
            versions=[1, 1, 1, 1],
            marks=[*one.marks, 0],
            max_marks=[*one.max_marks, *gone.max_marks],
            correct=[*one.correct, None],
            chosen=[*one.chosen, ("A",)],
        )
        for one, gone in zip((paper(marks) for marks in TEN), dropped, strict=True)
    ]
    found = report_of(*papers)
    assert found.total == report_of(*(paper(marks) for marks in TEN)).total
    last = found.items[-1]
    assert last.figures is not None
    assert last.canvas is not None
    assert (last.figures.facility, last.figures.effective_weight, last.canvas.answered) == (None, None, 0)


def test_options_and_latest_figures_are_of_the_newest_version_alone() -> None:
    old = [paper({"a": 0, "b": n % 2}) for n in range(10)]
    new = [paper({"a": n % 2, "b": n % 2}, version=2) for n in range(9)]
    too_few = report_of(*old, *new).items[0]
    assert too_few.versions == (1, 2)
    assert too_few.latest_figures is None
    assert too_few.canvas is not None
    assert too_few.canvas.options == ()
    enough = report_of(*old, *new, paper({"a": 1, "b": 0}, version=2)).items[0]
    assert enough.figures is not None
    assert enough.latest_figures is not None
    assert enough.canvas is not None
    assert (enough.figures.attempts, enough.latest_figures.attempts) == (20, 10)
    assert (enough.figures.facility, enough.latest_figures.facility) == (0.25, 0.5)
    assert sum(option.count for option in enough.canvas.options) == 10


def test_questions_without_choices_have_no_options() -> None:
    sample = sample_of(*(paper(marks) for marks in TEN))
    item = report_on(sample, {}).items[0]
    assert item.canvas is not None
    assert item.canvas.options == ()
    assert item.canvas.answered == 10


def test_marks_that_differ_between_attempts_are_told() -> None:
    papers = [paper({"a": n % 2, "b": 1}, max_mark=1) for n in range(5)]
    papers += [paper({"a": 2 * (n % 2), "b": 2}, max_mark=2) for n in range(5)]
    item = report_of(*papers).items[0]
    assert (item.several_max_marks, item.max_mark) == (True, 2)
    assert item.figures is not None
    assert item.figures.facility == pytest.approx(sum(islice(cycle([0, 1]), 5)) * 3 / 15)
