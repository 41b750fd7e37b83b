"""How many questions of each topic an exam is expected to ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import PackageSettings
from domain.progress.evidence import PackageEvidence, PackageTopic
from domain.progress.expected_paper import apportion, expected_paper
from domain.question_bank.blueprints import Blueprint, Section

NOW = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
TOPICS = st.sampled_from(["top_1", "top_2", "top_3", "top_4", None])
PUBLISHED = st.dictionaries(TOPICS, st.integers(0, 300))
SECTIONS = st.lists(st.builds(Section, count=st.integers(1, 20), topic_id=TOPICS), min_size=1, max_size=8)


def package(
    published: Mapping[str | None, int], *sections: Section, question_count: int | None = None
) -> PackageEvidence:
    return PackageEvidence(
        at=NOW,
        visible=True,
        enrolled=True,
        pass_mark=Decimal(75),
        settings=PackageSettings(question_count=question_count),
        blueprint=Blueprint(sections=sections) if sections else None,
        topics=tuple(PackageTopic(id=topic, published=count) for topic, count in published.items()),
    )


@given(st.integers(0, 500), st.dictionaries(TOPICS, st.integers(1, 500), min_size=1))
def test_every_seat_is_given_and_none_is_further_off_than_one(seats: int, weights: dict[str | None, int]) -> None:
    given_out = apportion(seats, weights)
    whole = sum(weights.values())
    assert sum(given_out.values()) == seats
    for key, count in given_out.items():
        assert abs(count - Fraction(seats * weights[key], whole)) < 1


@given(st.integers(0, 500), st.dictionaries(TOPICS, st.integers(1, 500), min_size=1))
def test_the_order_of_topics_makes_no_difference(seats: int, weights: dict[str | None, int]) -> None:
    assert apportion(seats, weights) == apportion(seats, dict(reversed(weights.items())))


def test_the_largest_remainders_get_what_is_left() -> None:
    assert apportion(10, {"top_1": 5, "top_2": 3, "top_3": 3}) == {"top_1": 4, "top_2": 3, "top_3": 3}
    assert apportion(1, {"top_2": 1, "top_1": 1}) == {"top_1": 1, "top_2": 0}


def test_a_blueprint_says_it_all() -> None:
    sections = (
        Section(count=3, topic_id="top_1"),
        Section(count=2, topic_id="top_2"),
        Section(count=1, topic_id="top_1"),
    )
    paper = expected_paper(package({"top_1": 5, "top_2": 500}, *sections, question_count=99))
    assert dict(paper.questions) == {"top_1": 4, "top_2": 2}
    assert paper.weight("top_1") == pytest.approx(4 / 6)
    assert paper.weight("top_none") == 0.0


def test_a_section_for_any_topic_is_spread_over_what_is_published() -> None:
    sections = Section(count=2, topic_id="top_1"), Section(count=8, difficulty_id="dif_hard")
    paper = expected_paper(package({"top_1": 30, "top_2": 10}, *sections))
    assert dict(paper.questions) == {"top_1": 8, "top_2": 2}
    assert paper.weight("top_2") == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("asked", "published", "total"), [(20, 400, 20), (20, 7, 7), (None, 400, 400), (None, 900, 500)]
)
def test_without_a_blueprint_it_is_as_long_as_the_package_says_or_as_there_are_questions(
    asked: int | None, published: int, total: int
) -> None:
    assert expected_paper(package({"top_1": published}, question_count=asked)).total == total


@given(PUBLISHED, SECTIONS)
def test_a_paper_by_blueprint_is_as_long_as_its_blueprint(
    published: dict[str | None, int], sections: list[Section]
) -> None:
    paper = expected_paper(package(published, *sections))
    assert paper.total == sum(section.count for section in sections)
    named = {section.topic_id for section in sections if section.topic_id}
    assert all(
        count == 0 or topic in named or published.get(topic) or topic is None
        for topic, count in paper.questions.items()
    )


@given(PUBLISHED, st.integers(1, 500))
def test_the_parts_of_topics_add_up_to_the_whole(published: dict[str | None, int], asked: int) -> None:
    paper = expected_paper(package(published, question_count=asked))
    assert paper.total == min(asked, sum(published.values()))
    assert sum(paper.shares.values()) == (1 if paper.total else 0)


def test_nothing_published_asks_nothing() -> None:
    assert expected_paper(package({})).total == 0
