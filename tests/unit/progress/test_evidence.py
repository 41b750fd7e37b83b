"""What an answer weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.evidence import JudgedAnswer, fraction, gather, weight

NOW = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)


def answered(
    *, days_ago: float = 0, right: float = 1.0, question: str = "qst_1", topic: str | None = "top_1"
) -> JudgedAnswer:
    return JudgedAnswer(
        question_id=question, topic_id=topic, fraction=right, answered_at=NOW - timedelta(days=days_ago)
    )


def effective(*answers: JudgedAnswer) -> float:
    return gather(answers, NOW)["top_1"].effective


ANSWERS = st.lists(
    st.builds(
        answered,
        days_ago=st.integers(0, 200),
        right=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        question=st.sampled_from(["qst_1", "qst_2", "qst_3"]),
        topic=st.sampled_from(["top_1", "top_2", None]),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("days", "weighed"), [(0, 1.0), (45, 0.5), (90, 0.25), (0.9, 1.0), (1, 0.5 ** (1 / 45)), (1.99, 0.5 ** (1 / 45))]
)
def test_an_answer_loses_half_of_its_weight_every_45_days(days: float, weighed: float) -> None:
    """Whole days count: five answers of this very day are five."""
    assert effective(answered(days_ago=days)) == pytest.approx(weighed, abs=1e-12)


def test_an_answer_of_a_clock_that_is_ahead_weighs_no_more_than_one() -> None:
    assert weight(timedelta(days=-3), 0) == 1.0


def test_each_earlier_answer_to_the_question_within_30_days_halves_the_weight() -> None:
    assert effective(*[answered() for _ in range(3)]) == pytest.approx(1 + 0.5 + 0.25)
    assert effective(answered(), answered(question="qst_2")) == pytest.approx(2.0)


@pytest.mark.parametrize(("days", "halved"), [(29.9, True), (30, True), (30.1, False)])
def test_after_30_days_a_question_is_as_new(days: float, halved: bool) -> None:
    expected = (0.5 if halved else 1.0) + 0.5 ** (int(days) / 45)
    assert effective(answered(days_ago=days), answered()) == pytest.approx(expected)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_the_order_of_answers_makes_no_difference(answers: Sequence[JudgedAnswer], chance: object) -> None:
    shuffled = sorted(answers, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert gather(shuffled, NOW) == gather(answers, NOW)


@given(ANSWERS)
def test_nothing_counts_for_more_than_it_is(answers: Sequence[JudgedAnswer]) -> None:
    for topic, found in gather(answers, NOW).items():
        own = [answer for answer in answers if answer.topic_id == topic]
        assert found.answers == len(own)
        assert found.total == pytest.approx(sum(answer.fraction for answer in own))
        assert 0.0 <= found.earned <= found.effective + 1e-12 <= len(own) + 1e-12


def test_questions_without_a_topic_stand_together() -> None:
    gathered = gather([answered(topic=None), replace(answered(topic=None), question_id="qst_2"), answered()], NOW)
    assert {topic: found.answers for topic, found in gathered.items()} == {None: 2, "top_1": 1}


@pytest.mark.parametrize(
    ("mark", "max_mark", "earned"),
    [("1", "2", 0.5), ("-3", "2", 0.0), ("2", "2", 1.0), ("3", "2", 1.0), ("1", "0", 0.0)],
)
def test_less_than_nothing_is_nothing(mark: str, max_mark: str, earned: float) -> None:
    assert fraction(Decimal(mark), Decimal(max_mark)) == earned
