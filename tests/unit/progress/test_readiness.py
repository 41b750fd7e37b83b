"""How likely a student would pass."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from math import comb, fsum, sqrt
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.evidence import JudgedAnswer, PackageEvidence, PackageTopic
from domain.progress.readiness import (
    Outlook,
    Prediction,
    TopicForecast,
    assess,
    distribution,
    foresee,
    questions_needed,
    rounded,
)
from domain.progress.weak_areas import Belief
from domain.question_bank.blueprints import Blueprint, Section

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
NOW = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)


def forecast(questions: int, a: float, b: float) -> TopicForecast:
    return TopicForecast(questions=questions, belief=Belief(a=a, b=b, effective=10.0))


PARAMETERS = st.floats(0.5, 500.0)
FORECASTS = st.lists(st.builds(forecast, st.integers(1, 30), PARAMETERS, PARAMETERS), min_size=1, max_size=6)


def package(
    *answers: JudgedAnswer, sections: tuple[Section, ...], pass_mark: str = "75", topics: tuple[PackageTopic, ...] = ()
) -> PackageEvidence:
    return PackageEvidence(
        at=NOW,
        visible=True,
        enrolled=True,
        pass_mark=Decimal(pass_mark),
        blueprint=Blueprint(sections=sections),
        topics=topics or (PackageTopic(id="top_1", published=9), PackageTopic(id="top_2", published=9)),
        answers=answers,
    )


def answers_in(topic: str | None, right: int, wrong: int) -> list[JudgedAnswer]:
    return [
        JudgedAnswer(
            question_id=f"qst_{topic}_{number}", topic_id=topic, fraction=float(number < right), answered_at=NOW
        )
        for number in range(right + wrong)
    ]


SIX_AND_FOUR = (Section(count=6, topic_id="top_1"), Section(count=4, topic_id="top_2"))


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_the_published_cases_are_met() -> None:
    for case in json.loads(VECTORS.read_text(encoding="utf-8"))["readiness"]:
        topics = [forecast(*topic) for topic in case["topics"]]
        outlook = foresee(topics, case["need"])
        chances = distribution(topics)
        mean = fsum(k * chance for k, chance in enumerate(chances))
        deviation = sqrt(fsum((k - mean) ** 2 * chance for k, chance in enumerate(chances)))
        told = (outlook.p_pass, outlook.expected, mean, deviation)
        assert told == pytest.approx((case["p_pass"], case["mean"], case["mean"], case["sd"]), abs=1e-9), case


def test_it_agrees_with_exams_that_are_drawn_at_random() -> None:
    """An exam of five topics of 11, 20, 16, 25 and 18 questions, sat 20,000 times by students as they are believed."""
    topics = [
        forecast(11, 12.0, 6.0),
        forecast(20, 9.5, 4.5),
        forecast(16, 7.0, 5.0),
        forecast(25, 15.0, 5.5),
        forecast(18, 6.0, 3.0),
    ]
    chance, sittings, need = Random(20300115), 20_000, 68
    outlook = foresee(topics, need)
    scores = []
    for _ in range(sittings):
        shares = [(topic.questions, chance.betavariate(topic.belief.a, topic.belief.b)) for topic in topics]
        scores.append(sum(chance.random() < share for questions, share in shares for _ in range(questions)))
    passed = sum(score >= need for score in scores) / sittings
    assert passed == pytest.approx(outlook.p_pass, abs=4 * sqrt(0.25 / sittings))
    assert sum(scores) / sittings == pytest.approx(outlook.expected, abs=0.3)
    assert sum(score < outlook.lowest for score in scores) / sittings <= 0.11
    assert sum(score > outlook.highest for score in scores) / sittings <= 0.11
    assert sum(outlook.lowest <= score <= outlook.highest for score in scores) / sittings >= 0.79


@given(FORECASTS)
def test_all_scores_together_are_certain(topics: list[TopicForecast]) -> None:
    chances = distribution(topics)
    assert len(chances) == sum(topic.questions for topic in topics) + 1
    assert fsum(chances) == pytest.approx(1.0, abs=1e-9)
    assert min(chances) >= 0.0


@given(FORECASTS)
def test_who_needs_nothing_passes_and_who_needs_more_than_there_is_does_not(topics: list[TopicForecast]) -> None:
    total = sum(topic.questions for topic in topics)
    assert foresee(topics, 0).p_pass == 1.0
    assert foresee(topics, total + 1).p_pass == 0.0


@given(FORECASTS, st.integers(0, 200))
def test_needing_more_is_never_more_likely(topics: list[TopicForecast], need: int) -> None:
    assert 0.0 <= foresee(topics, need + 1).p_pass <= foresee(topics, need).p_pass <= 1.0


@given(FORECASTS, st.integers(0, 120), st.integers(0, 5), st.floats(0.01, 3.0))
def test_a_right_answer_never_lowers_the_chance_and_a_wrong_one_never_raises_it(
    topics: list[TopicForecast], need: int, place: int, weight: float
) -> None:
    place %= len(topics)
    before = foresee(topics, need).p_pass
    for better in (True, False):
        belief = topics[place].belief
        moved = replace(belief, a=belief.a + weight) if better else replace(belief, b=belief.b + weight)
        changed = [*topics[:place], replace(topics[place], belief=moved), *topics[place + 1 :]]
        after = foresee(changed, need).p_pass
        assert after >= before - 1e-9 if better else after <= before + 1e-9


@given(FORECASTS, st.integers(0, 120), st.randoms(use_true_random=False))
def test_the_order_of_topics_makes_no_difference(topics: list[TopicForecast], need: int, chance: object) -> None:
    shuffled = sorted(topics, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert foresee(shuffled, need) == foresee(topics, need)


@given(FORECASTS)
def test_the_interval_holds_four_fifths_at_least(topics: list[TopicForecast]) -> None:
    outlook, chances = foresee(topics, 1), distribution(topics)
    assert fsum(chances[outlook.lowest : outlook.highest + 1]) >= 0.8 - 1e-9
    assert fsum(chances[: outlook.lowest]) < 0.1
    assert fsum(chances[: outlook.highest]) < 0.9


def test_certainty_about_a_coin_is_a_binomial_distribution() -> None:
    certain = [forecast(4, 1e9, 1e9), forecast(6, 1e9, 1e9)]
    assert distribution(certain) == pytest.approx([comb(10, k) / 1024 for k in range(11)], abs=1e-6)


@pytest.mark.parametrize(
    ("pass_mark", "questions", "need"),
    [
        ("75", 20, 15),
        ("75", 21, 16),
        ("72.5", 40, 29),
        ("0", 40, 0),
        ("100", 40, 40),
        ("70", 10, 7),
        ("0.01", 500, 1),
        ("60", 0, 0),
        ("55", 100, 55),
    ],
)
def test_what_is_needed_is_counted_exactly(pass_mark: str, questions: int, need: int) -> None:
    """0.55 · 100 in binary fractions is a little more than 55."""
    assert questions_needed(Decimal(pass_mark), questions) == need


@pytest.mark.parametrize(
    ("sections", "coverage", "known"),
    [
        (SIX_AND_FOUR, 0.6, True),
        ((Section(count=59, topic_id="top_1"), Section(count=41, topic_id="top_2")), 0.59, False),
    ],
)
def test_no_number_is_named_where_less_than_three_fifths_are_known(
    sections: tuple[Section, ...], coverage: float, known: bool
) -> None:
    found = assess(package(*answers_in("top_1", 4, 1), *answers_in("top_2", 4, 0), sections=sections))
    assert found.coverage == pytest.approx(coverage)
    assert (found.outlook is not None) == known


def test_questions_without_a_topic_count_as_one_topic() -> None:
    found = assess(
        package(
            *answers_in(None, 5, 0),
            sections=(Section(count=10),),
            topics=(PackageTopic(id=None, published=7), PackageTopic(id="top_1", published=3)),
        )
    )
    assert found.coverage == pytest.approx(0.7)
    assert found.outlook is not None
    assert found.outlook.expected == pytest.approx(7 * (2 + 5) / 9 + 3 * 0.5)


def test_a_topic_that_no_bank_has_any_more_is_guessed_at() -> None:
    sections = (Section(count=8, topic_id="top_1"), Section(count=2, topic_id="top_gone"))
    found = assess(package(*answers_in("top_1", 9, 1), sections=sections))
    assert found.outlook is not None
    assert found.outlook.expected == pytest.approx(8 * 11 / 14 + 2 * 0.5)


def test_of_a_package_without_questions_nothing_is_known() -> None:
    empty = replace(package(sections=SIX_AND_FOUR), blueprint=None, topics=())
    found = assess(empty)
    assert (found.questions, found.need, found.coverage, found.outlook) == (0, 0, 0.0, None)


def test_only_so_much_is_shown_as_is_known() -> None:
    found = rounded(assess(package(*answers_in("top_1", 7, 2), sections=SIX_AND_FOUR)))
    assert found.outlook is not None
    assert found.outlook.p_pass == round(found.outlook.p_pass, 3)
    assert found.outlook.expected == round(found.outlook.expected, 1)
    unknown = assess(package(sections=SIX_AND_FOUR))
    assert rounded(unknown) == unknown


def test_a_prediction_says_the_same_whoever_was_shown_it_and_when() -> None:
    outlook = Outlook(p_pass=0.5, expected=7.5, lowest=5, highest=9)
    shown = Prediction(
        user_id="usr_ada",
        id="rdy_1",
        exam_package_id="pkg_1",
        shown_at=NOW,
        need=7,
        questions=10,
        coverage=1.0,
        p_pass=outlook.p_pass,
        expected=outlook.expected,
        lowest=outlook.lowest,
        highest=outlook.highest,
    )
    assert shown.says_the_same_as(replace(shown, id="rdy_2", shown_at=NOW.replace(hour=10)))
    for name in ("p_pass", "expected", "lowest", "highest", "need", "questions", "coverage"):
        assert not shown.says_the_same_as(replace(shown, **{name: 0})), name  # type: ignore[arg-type]
