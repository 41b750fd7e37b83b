"""Questions that statistics find wanting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InvalidInput
from domain.exam.item_report import report_on
from domain.exam.statistics import ItemStatistics
from domain.exam.suggesting import ReviewReason, Suggestion, dismiss, reasons_for, renewed, suggestions_from
from domain.exam.voiding import VoidMode
from tests.support.exam_samples import paper, sample_of

NOW = datetime(2026, 5, 4, 4, 13, tzinfo=UTC)
HARD = ReviewReason.VERY_HARD
EASY = ReviewReason.VERY_EASY
POOR = ReviewReason.POOR_DISCRIMINATOR
NEGATIVE = ReviewReason.NEGATIVE_DISCRIMINATOR


def suggestion(question_id: str = "qst_1", **changes: object) -> Suggestion:
    made = Suggestion(
        exam_package_id="pkg_1",
        question_id=question_id,
        version=1,
        reasons=(HARD,),
        figures={"facility": "0.1"},
        attempts=10,
        suggested_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facility", "index", "efficiency", "reasons"),
    [
        (0.5, 40.0, 60.0, ()),
        (0.2, 40.0, 60.0, ()),
        (0.199, 40.0, 60.0, (HARD,)),
        (0.95, 40.0, 60.0, ()),
        (0.951, 40.0, 60.0, (EASY,)),
        (0.5, 9.0, 14.9, (POOR,)),
        (0.5, 9.0, 15.0, ()),
        (0.5, -0.1, -0.2, (NEGATIVE,)),
        (0.1, -5.0, -9.0, (HARD, NEGATIVE)),
        (1.0, None, None, (EASY,)),
        (None, None, None, ()),
    ],
)
def test_what_is_wanting(
    facility: float | None, index: float | None, efficiency: float | None, reasons: tuple[ReviewReason, ...]
) -> None:
    figures = ItemStatistics(
        attempts=10, facility=facility, discrimination_index=index, discriminative_efficiency=efficiency
    )
    assert reasons_for(figures) == reasons


def test_nothing_is_suggested_about_a_version_that_is_void() -> None:
    papers = [paper({"easy": 1, "too easy": 1, "fair": n % 2}, version=2) for n in range(10)]
    voided = {("easy", 2): VoidMode.CREDIT_ALL, ("too easy", 1): VoidMode.DROP}
    report = report_on(sample_of(*papers), {}, voided)
    assert {item.question_id: item.voided for item in report.items} == {
        "easy": VoidMode.CREDIT_ALL,
        "too easy": None,
        "fair": None,
    }
    assert [each.question_id for each in suggestions_from("pkg_1", report, NOW)] == ["too easy"]


def test_only_what_is_wanting_is_suggested_and_of_its_newest_version() -> None:
    papers = [paper({"easy": 1, "good": int(n > 5), "fair": int(n > 4)}, version=3) for n in range(10)]
    found = suggestions_from("pkg_1", report_on(sample_of(*papers), {}), NOW)
    assert [(each.key, each.reasons, each.attempts) for each in found] == [(("pkg_1", "easy", 3), (EASY,), 10)]
    assert found[0].figures == {"facility": "1", "discriminationIndex": None, "discriminativeEfficiency": None}


def test_a_new_version_is_not_blamed_for_the_one_before() -> None:
    papers = [paper({"a": 1, "b": n % 2}) for n in range(10)]
    papers += [paper({"a": n % 2, "b": n % 2}, version=2) for n in range(9)]
    assert suggestions_from("pkg_1", report_on(sample_of(*papers), {}), NOW) == ()


def test_of_too_few_attempts_nothing_is_suggested() -> None:
    papers = [paper({"easy": 1, "b": n % 2}) for n in range(9)]
    assert suggestions_from("pkg_1", report_on(sample_of(*papers), {}), NOW) == ()


def test_what_is_still_wanting_keeps_its_place_and_gets_new_figures() -> None:
    later = suggestion(reasons=(HARD, POOR), attempts=20, suggested_at=NOW + timedelta(days=1))
    changes = renewed([suggestion()], [later])
    assert changes.keep == (replace(later, suggested_at=NOW),)
    assert changes.drop == ()


def test_what_is_not_wanting_any_more_is_not_suggested_any_more() -> None:
    changes = renewed([suggestion(), suggestion("qst_2")], [suggestion("qst_2")])
    assert changes.drop == (suggestion().key,)


def test_what_was_dismissed_stays_as_it_is_whatever_comes_of_it() -> None:
    dismissed = dismiss(suggestion(), "usr_1", "fine", NOW)
    for found in ([], [suggestion(attempts=50)]):
        changes = renewed([dismissed], found)
        assert (changes.keep, changes.drop) == ((), ())
    next_version = suggestion(version=2)
    assert renewed([dismissed], [next_version]).keep == (next_version,)


def test_the_first_dismissal_is_the_one_that_stays() -> None:
    first = dismiss(suggestion(), "usr_1", "fine", NOW)
    assert (first.dismissed_at, first.dismissed_by, first.dismiss_reason, first.is_open) == (
        NOW,
        "usr_1",
        "fine",
        False,
    )
    assert dismiss(first, "usr_2", "really", NOW + timedelta(hours=1)) == first


def test_a_reason_has_five_hundred_characters_at_most() -> None:
    assert dismiss(suggestion(), "usr_1", "x" * 500, NOW).dismiss_reason == "x" * 500
    with pytest.raises(InvalidInput):
        dismiss(suggestion(), "usr_1", "x" * 501, NOW)
