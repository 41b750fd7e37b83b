"""How alike questions are: a measure that words decide, and a sketch that finds those that are alike."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, Origin
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.similarity import (
    ALIKE,
    MOST_SHINGLES,
    SKETCH,
    resemblance,
    shingles,
    sketch,
)

WORDS = [f"word{number}" for number in range(40)]
texts = st.lists(st.sampled_from(WORDS), min_size=0, max_size=20).map(" ".join)


def question(stem: str, *options: str) -> ImportedQuestion:
    return ImportedQuestion(
        external_id="q",
        bank="b",
        domain="",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text=stem),
        choices=tuple(
            ImportedChoice(key=key, text=FormattedText(text=text), correct=key == "A")
            for key, text in zip("ABCDEFGH", options, strict=False)
        ),
        explanation=None,
        tags=(),
        points=Decimal(1),
        shuffle=True,
        origin=Origin(format="test", file="", record=1, line=1),
    )


questions = st.builds(lambda stem, options: question(stem, *options), texts, st.lists(texts, max_size=4))


@given(one=questions, other=questions)
def test_resemblance_is_a_symmetric_share(one: ImportedQuestion, other: ImportedQuestion) -> None:
    left, right = shingles(one), shingles(other)
    assert 0 <= resemblance(left, right) <= 1
    assert resemblance(left, right) == resemblance(right, left)
    assert resemblance(left, left) == (1 if left else 0)


@given(one=questions)
def test_the_order_and_the_key_of_choices_make_no_difference(one: ImportedQuestion) -> None:
    turned = replace(one, choices=tuple(replace(each, correct=not each.correct) for each in reversed(one.choices)))
    assert shingles(turned) == shingles(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Which port does SSH use?", "which port does ssh use"),
        ("Which port does SSH use?", "<p>Which  port does <b>SSH</b> use ?</p>"),
        ("Caf\u00e9 au lait is", "Cafe\u0301 au lait is"),
        ("Which port does SSH use?", "Which_port_does_SSH_use"),
    ],
)
def test_case_punctuation_markup_and_composition_make_no_difference(one: str, other: str) -> None:
    assert resemblance(shingles(question(one)), shingles(question(other))) == 1


def test_one_other_word_leaves_questions_alike_and_other_options_do_not() -> None:
    options = ("ten dot zero dot zero dot one", "the default gateway of the network", "any address at all of it")
    first = question("Which of these addresses may be used in a private network behind a router", *options)
    second = question("Which of these addresses may be used in a private network behind one router", *options)
    third = question(first.stem.text, "red and green and blue", "one or two or three of them", "none of what is here")
    assert ALIKE < resemblance(shingles(first), shingles(second)) < 1
    assert resemblance(shingles(first), shingles(third)) < Fraction(6, 10)


def test_short_texts_count_as_a_whole() -> None:
    assert len(shingles(question("TCP", "80", "443 only", ""))) == 3
    assert shingles(question("")) == frozenset()
    assert resemblance(frozenset(), frozenset()) == 0


def test_a_text_of_any_length_costs_no_more_than_a_long_one() -> None:
    assert len(shingles(question(" ".join(map(str, range(50_000)))))) == MOST_SHINGLES


@given(one=questions)
def test_a_sketch_is_the_smallest_part_of_the_set(one: ImportedQuestion) -> None:
    found = shingles(one)
    assert set(sketch(found)) <= found
    assert len(sketch(found)) == min(SKETCH, len(found))
    assert all(value <= other for value in sketch(found) for other in found - set(sketch(found)))
    assert all(0 <= value < 2**63 for value in found)


def test_questions_that_are_alike_share_a_value_of_their_sketches() -> None:
    """Of a thousand pairs that are just alike, hardly one is missed: 99.8 % are promised."""
    dice = random.Random(1)
    missed = 0
    for number in range(1_000):
        words = [f"w{number}x{place}" for place in range(60)]
        changed = [*words]
        # Two changed words far apart spoil six of 58 shingles: 52 of 64 are shared.
        for place in (dice.randrange(5, 25), dice.randrange(35, 55)):
            changed[place] = "other"
        one, other = shingles(question(" ".join(words))), shingles(question(" ".join(changed)))
        assert resemblance(one, other) == Fraction(52, 64)
        missed += not set(sketch(one)) & set(sketch(other))
    assert missed <= 10
