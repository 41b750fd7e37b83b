"""Which topics a student is weak in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.evidence import Facility, JudgedAnswer, PackageEvidence, PackageTopic, TopicEvidence
from domain.progress.weak_areas import (
    Belief,
    TopicClass,
    WeakArea,
    believe,
    classify,
    prior_mean,
    weak_areas,
    weak_topics,
)
from domain.question_bank.blueprints import Blueprint, Section

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
NOW = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
TOPICS = (
    PackageTopic(id="top_1", name="Routing", published=30),
    PackageTopic(id="top_2", name="Cables", published=10),
    PackageTopic(id=None, published=5),
)
PRIORS = st.floats(0.2, 0.9)
FRACTIONS = st.floats(0.0, 1.0)
THRESHOLDS = st.floats(0.0, 1.0)


def package(*answers: JudgedAnswer, topics: Sequence[PackageTopic] = TOPICS) -> PackageEvidence:
    return PackageEvidence(
        at=NOW, visible=True, enrolled=True, pass_mark=Decimal(75), topics=tuple(topics), answers=answers
    )


def answered(number: int, right: float, topic: str | None = "top_1", days_ago: int = 0) -> JudgedAnswer:
    return JudgedAnswer(
        question_id=f"qst_{topic}_{number}",
        topic_id=topic,
        fraction=right,
        answered_at=NOW - timedelta(days=days_ago, seconds=number),
    )


def answers_in(topic: str | None, right: int, wrong: int) -> list[JudgedAnswer]:
    return [answered(number, float(number < right), topic) for number in range(right + wrong)]


def area_of(areas: Sequence[WeakArea], topic: str) -> WeakArea:
    (found,) = [area for area in areas if area.topic_id == topic]
    return found


def evidence(fractions: Sequence[float], weights: Sequence[float] | None = None) -> TopicEvidence:
    weights = weights or [1.0] * len(fractions)
    return TopicEvidence(
        answers=len(fractions),
        total=sum(fractions),
        effective=sum(weights),
        earned=sum(w * f for w, f in zip(weights, fractions, strict=True)),
    )


ANSWERS = st.lists(
    st.builds(
        answered,
        number=st.integers(0, 12),
        right=st.sampled_from([0.0, 0.5, 1.0]),
        topic=st.sampled_from(["top_1", "top_2", None]),
        days_ago=st.integers(0, 100),
    ),
    max_size=40,
)


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_the_published_cases_are_met() -> None:
    for case in json.loads(VECTORS.read_text(encoding="utf-8"))["classify"]:
        belief = believe(0.5, evidence([1.0] * case["k"] + [0.0] * (case["n"] - case["k"])))
        p_below = belief.below(0.75)
        told = (belief.a, belief.b, belief.mean, p_below)
        assert told == pytest.approx((case["a"], case["b"], case["mean"], case["p_below"]), abs=1e-9), case
        assert classify(belief, p_below) == case["klass"], case


@given(PRIORS, st.lists(FRACTIONS, max_size=20), THRESHOLDS, st.floats(0.01, 1.0))
def test_a_right_answer_never_makes_weaker_and_a_wrong_one_never_stronger(
    prior: float, fractions: list[float], threshold: float, weight: float
) -> None:
    before = believe(prior, evidence(fractions)).below(threshold)
    weights = [1.0] * len(fractions) + [weight]
    assert believe(prior, evidence([*fractions, 1.0], weights)).below(threshold) <= before + 1e-12
    assert believe(prior, evidence([*fractions, 0.0], weights)).below(threshold) >= before - 1e-12


@given(ANSWERS, st.sampled_from(["top_1", "top_2"]))
def test_the_next_answer_moves_a_topic_its_own_way(answers: list[JudgedAnswer], topic: str) -> None:
    """Also where the question was answered before: then it counts for less, but never the other way round."""
    before = area_of(weak_areas(package(*answers)), topic).p_below
    last = replace(answered(0, 1.0, topic), answered_at=NOW)
    assert area_of(weak_areas(package(*answers, last)), topic).p_below <= before + 1e-12
    missed = replace(last, fraction=0.0)
    assert area_of(weak_areas(package(*answers, missed)), topic).p_below >= before - 1e-12


@given(ANSWERS, st.integers(0, 99))
def test_the_order_of_answers_and_topics_makes_no_difference(answers: list[JudgedAnswer], seed: int) -> None:
    shuffled, topics = list(answers), list(TOPICS)
    chance = Random(seed)
    chance.shuffle(shuffled)
    chance.shuffle(topics)
    assert weak_areas(package(*shuffled, topics=topics)) == weak_areas(package(*answers))


@given(PRIORS, THRESHOLDS)
def test_without_evidence_nothing_is_known(prior: float, threshold: float) -> None:
    belief = believe(prior)
    assert belief.mean == pytest.approx(prior)
    assert classify(belief, belief.below(threshold)) is TopicClass.UNKNOWN


@given(PRIORS, st.floats(0, 100), st.floats(0, 1), THRESHOLDS)
def test_weak_and_strong_exclude_each_other(prior: float, effective: float, share: float, threshold: float) -> None:
    found = TopicEvidence(answers=1, total=share, effective=effective, earned=effective * share)
    belief = believe(prior, found)
    p_below = belief.below(threshold)
    class_ = classify(belief, p_below)
    assert (class_ is TopicClass.UNKNOWN) == (effective < 5)
    if class_ is TopicClass.WEAK:
        assert p_below >= 0.8
    if class_ is TopicClass.STRONG:
        assert p_below <= 0.2


@pytest.mark.parametrize(
    ("effective", "p_below", "class_"),
    [
        (4.999, 0.99, TopicClass.UNKNOWN),
        (5.0, 0.80, TopicClass.WEAK),
        (5.0, 0.799, TopicClass.DEVELOPING),
        (5.0, 0.201, TopicClass.DEVELOPING),
        (5.0, 0.20, TopicClass.STRONG),
    ],
)
def test_the_bounds_of_the_classes(effective: float, p_below: float, class_: TopicClass) -> None:
    assert classify(Belief(a=2.0, b=2.0, effective=effective), p_below) is class_


@given(PRIORS, FRACTIONS)
def test_much_evidence_overrules_the_prior(prior: float, share: float) -> None:
    found = TopicEvidence(answers=1, total=share, effective=1e6, earned=share * 1e6)
    belief = believe(prior, found)
    assert belief.mean == pytest.approx(share, abs=1e-5)
    low, high = belief.interval()
    assert high - low < 0.002


@given(st.floats(0.5, 50), st.floats(0.5, 50))
def test_the_interval_holds_the_middle_four_fifths(a: float, b: float) -> None:
    belief = Belief(a=a, b=b, effective=5)
    low, high = belief.interval()
    assert (belief.below(low), belief.below(high)) == pytest.approx((0.1, 0.9), abs=1e-8)


@pytest.mark.parametrize(
    ("topic", "whole", "mean"),
    [
        ((30, 21.0), (90, 45.0), 0.7),
        ((29, 21.0), (90, 45.0), 0.5),
        ((0, 0.0), (29, 27.0), 0.5),
        ((0, 0.0), (60, 36.0), 0.6),
        ((100, 99.0), (100, 99.0), 0.9),
        ((100, 1.0), (100, 1.0), 0.2),
    ],
)
def test_the_prior_is_how_all_students_do_where_enough_have_answered(
    topic: tuple[int, float], whole: tuple[int, float], mean: float
) -> None:
    facilities = [Facility(responses=responses, earned=earned) for responses, earned in (topic, whole)]
    assert prior_mean(*facilities) == pytest.approx(mean)


def test_the_package_stands_in_for_a_topic_that_few_have_answered() -> None:
    topics = (
        PackageTopic(id="top_1", published=1, facility=Facility(responses=100, earned=80.0)),
        PackageTopic(id="top_2", published=1, facility=Facility(responses=20, earned=4.0)),
    )
    areas = weak_areas(package(topics=topics))
    assert area_of(areas, "top_1").belief.mean == pytest.approx(0.8)
    assert area_of(areas, "top_2").belief.mean == pytest.approx(84 / 120)


def test_the_most_urgent_comes_first() -> None:
    """By weight in the exam times the chance to lie below the pass mark, unknown topics among the others."""
    areas = weak_areas(package(*answers_in("top_1", 9, 1), *answers_in("top_2", 0, 8)))
    assert [(area.topic_id, area.class_) for area in areas] == [
        ("top_2", TopicClass.WEAK),
        ("top_1", TopicClass.DEVELOPING),
    ]
    assert [area.weight for area in areas] == pytest.approx([10 / 45, 30 / 45])
    assert areas[0].priority == pytest.approx(10 / 45 * areas[0].p_below)
    unknown = weak_areas(package(*answers_in("top_2", 0, 8)))
    assert [(area.topic_id, area.class_) for area in unknown] == [
        ("top_1", TopicClass.UNKNOWN),
        ("top_2", TopicClass.WEAK),
    ]


def test_equals_are_ordered_by_mean_and_then_by_id() -> None:
    nowhere = replace(
        package(*answers_in("top_2", 1, 4), *answers_in("top_3", 0, 5)),
        topics=tuple(PackageTopic(id=f"top_{number}", published=1) for number in (4, 3, 2, 1)),
        blueprint=Blueprint(sections=(Section(count=1, topic_id="top_9"),)),
    )
    assert [area.topic_id for area in weak_areas(nowhere)] == ["top_3", "top_2", "top_1", "top_4"]


def test_the_plain_mean_is_told_beside() -> None:
    old = [answered(number, 1.0, "top_1", days_ago=90) for number in range(10, 13)]
    area = area_of(weak_areas(package(*answers_in("top_1", 1, 2), *old)), "top_1")
    assert area.answers == 6
    assert area.raw == pytest.approx(4 / 6)
    assert area.belief.effective == pytest.approx(3.75)
    assert area_of(weak_areas(package()), "top_2").raw is None


def test_questions_without_a_topic_are_no_weak_area() -> None:
    found = package(*answers_in(None, 0, 20))
    assert [area.topic_id for area in weak_areas(found)] == ["top_1", "top_2"]
    assert weak_topics(found) == ()


def test_topics_with_nothing_in_them_are_not_listed() -> None:
    empty = PackageTopic(id="top_3", name="Empty")
    assert "top_3" not in {area.topic_id for area in weak_areas(package(topics=(*TOPICS, empty)))}
    answered_once = weak_areas(package(answered(1, 1.0, "top_3"), topics=(*TOPICS, empty)))
    assert area_of(answered_once, "top_3").answers == 1


def test_weak_topics_are_those_that_are_weak_the_most_urgent_first() -> None:
    found = package(*answers_in("top_1", 2, 10), *answers_in("top_2", 0, 8))
    assert weak_topics(found) == ("top_1", "top_2")
    assert weak_topics(package(*answers_in("top_1", 0, 4))) == ()
