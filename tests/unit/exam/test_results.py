"""What counts of several attempts, topic by topic, and when it may be seen question by question."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import OfficialResult, PackageSettings, ReviewRule
from domain.exam.grading import SlotGrade
from domain.exam.results import Attempt, Score, TopicSlot, by_topic, may_review, official
from domain.exam.sessions import ExamStatus
from tests.support.exam_builders import START, exam_rules, exam_session

_MARKS = st.decimals(min_value=-10, max_value=10, places=6)


@st.composite
def attempts(draw: st.DrawFn) -> list[Attempt]:
    numbers = draw(st.lists(st.integers(1, 50), unique=True, max_size=8))
    return [
        Attempt(
            session_id=f"exs_{number}",
            attempt_no=number,
            score=Score(mark=draw(_MARKS), max_mark=draw(st.sampled_from([Decimal(10), Decimal(0)])), passed=False),
            pass_mark=Decimal(50),
        )
        for number in numbers
    ]


@given(attempts(), st.sampled_from(OfficialResult), st.randoms(use_true_random=False))
def test_the_official_result_does_not_depend_on_the_order_in_which_attempts_are_listed(
    made: list[Attempt], rule: OfficialResult, random: object
) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert official(rule, shuffled) == official(rule, made)


@given(attempts())
def test_the_official_result_is_the_one_that_the_rule_names(made: list[Attempt]) -> None:
    if not made:
        assert {official(rule, made) for rule in OfficialResult} == {None}
        return
    told = {rule: official(rule, made) for rule in OfficialResult}
    first, latest = min(made, key=lambda each: each.attempt_no), max(made, key=lambda each: each.attempt_no)
    assert told[OfficialResult.FIRST].session_id == first.session_id  # type: ignore[union-attr]
    assert told[OfficialResult.LATEST].session_id == latest.session_id  # type: ignore[union-attr]
    highest = max(each.score.share for each in made)
    best = min((each for each in made if each.score.share == highest), key=lambda each: each.attempt_no)
    assert told[OfficialResult.HIGHEST].session_id == best.session_id  # type: ignore[union-attr]
    for each in told.values():
        assert each is not None
        assert each.attempts == len(made)
        assert 0 <= each.percent <= 100


def attempt(number: int, mark: str, *, pass_mark: str = "50") -> Attempt:
    score = Score(mark=Decimal(mark), max_mark=Decimal(3), passed=False)
    return Attempt(session_id=f"exs_{number}", attempt_no=number, score=score, pass_mark=Decimal(pass_mark))


def test_an_average_is_exact_and_held_against_the_pass_mark_of_the_latest_attempt() -> None:
    third, two_thirds = attempt(1, "1", pass_mark="90"), attempt(2, "2")
    average = official(OfficialResult.AVERAGE, [two_thirds, third])
    assert average is not None
    assert (average.percent, average.passed, average.session_id, average.score) == (Decimal(50), True, None, None)
    thirds = official(OfficialResult.AVERAGE, [third, attempt(2, "1", pass_mark="33.333")])
    assert thirds is not None
    assert (thirds.percent, thirds.passed) == (Decimal("33.33"), True)
    stricter = official(OfficialResult.AVERAGE, [third, replace(two_thirds, pass_mark=Decimal("50.0001"))])
    assert stricter is not None
    assert not stricter.passed


@pytest.mark.parametrize("status", ExamStatus)
def test_only_a_finished_exam_has_a_score_and_is_an_attempt(status: ExamStatus) -> None:
    session = exam_session(
        status=status, mark=Decimal(2), max_mark=Decimal(3), passed=True, rules=exam_rules(pass_mark=Decimal(60))
    )
    finished = status is ExamStatus.FINISHED
    score, tried = Score.of(session), Attempt.of(session)
    assert (score is not None, tried is not None) == (finished, finished)
    if score is not None and tried is not None:
        assert (score.share, score.percent, score.passed) == (Fraction(2, 3), Decimal("66.67"), True)
        assert (tried.pass_mark, tried.attempt_no) == (Decimal(60), 1)


def slot(number: int, topic: str | None, mark: str, most: str = "1", *, answered: bool = True) -> TopicSlot:
    grade = SlotGrade(slot=number, mark=Decimal(mark), max_mark=Decimal(most), answered=answered)
    return TopicSlot(topic_id=topic, name=topic and topic.title(), grade=grade)


def test_topics_are_told_in_the_order_of_the_paper_without_what_was_dropped_and_never_below_nothing() -> None:
    slots = [
        slot(1, "routing", "1"),
        slot(2, None, "0", answered=False),
        slot(3, "ports", "-1"),
        slot(4, "routing", "0.5"),
        slot(5, "dropped", "0", "0"),
        slot(6, "routing", "0", "0"),
    ]
    told = [(each.topic_id, each.name, each.questions, each.answered) for each in by_topic(slots)]
    assert told == [("routing", "Routing", 2, 2), (None, None, 1, 0), ("ports", "Ports", 1, 1)]
    marks = [(each.mark, each.max_mark, each.percent) for each in by_topic(slots)]
    assert marks == [
        (Decimal("1.5"), Decimal(2), Decimal(75)),
        (Decimal(0), Decimal(1), Decimal(0)),
        (Decimal(0), Decimal(1), Decimal(0)),
    ]


def test_a_review_is_seen_as_the_package_says_now() -> None:
    second = timedelta(seconds=1)
    never = PackageSettings(review_rule=ReviewRule.NEVER, closes_at=START)
    assert not may_review(never, START + second, is_sat=False)
    assert may_review(PackageSettings(review_rule=ReviewRule.AFTER_RELEASE), START, is_sat=True)
    window = PackageSettings(review_rule=ReviewRule.AFTER_WINDOW, closes_at=START)
    shifts = (-second, timedelta(0), second)
    assert [may_review(window, START + shift, is_sat=False) for shift in shifts] == [False, True, True]
    assert not any(may_review(window, START + shift, is_sat=True) for shift in shifts)
    assert not may_review(PackageSettings(review_rule=ReviewRule.AFTER_WINDOW), START, is_sat=False)
