"""Laws of the one scoring function, by brute force up to six options and with hypothesis beyond."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.scoring import MultiplePolicy, Score, ScoringPolicy, score

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
LETTERS = "ABCDEFGHIJ"


def several(options: str, correct: str, weights: dict[str, Decimal] | None = None) -> KeyedQuestion:
    return KeyedQuestion(
        kind=QuestionKind.MULTIPLE,
        choice_ids=tuple(options),
        key=AnswerKey(correct=tuple(correct), weights=weights),
    )


def one(options: str, correct: str, weights: dict[str, Decimal] | None = None) -> KeyedQuestion:
    return KeyedQuestion(
        kind=QuestionKind.SINGLE, choice_ids=tuple(options), key=AnswerKey(correct=tuple(correct), weights=weights)
    )


def fraction(question: KeyedQuestion, selected: str, policy: MultiplePolicy, *, none_allowed: bool = False) -> Fraction:
    rules = ScoringPolicy(multiple=policy, none_allowed=none_allowed)
    return score(question, Response.choosing(selected), rules).fraction


def subsets(options: str) -> Iterator[str]:
    for size in range(len(options) + 1):
        yield from ("".join(chosen) for chosen in combinations(options, size))


def every_question() -> Iterator[KeyedQuestion]:
    """Every question of up to six options with every key that is not empty."""
    for size in range(2, 7):
        options = LETTERS[:size]
        for correct in subsets(options):
            if correct:
                yield several(options, correct)


def rescaled_decisions(question: KeyedQuestion, selected: str) -> Fraction:
    """The examples' `prop_with_penalty`, which is none of our policies: right decisions less wrong ones."""
    return max(Fraction(0), 2 * fraction(question, selected, MultiplePolicy.EVERY_DECISION) - 1)


@pytest.mark.skipif(not VECTORS.exists(), reason="the examples are not beside the repository")
def test_it_agrees_with_the_published_examples() -> None:
    """Every number of every example, rounded there at the sixth decimal place."""
    policies = {
        "all_or_nothing": MultiplePolicy.ALL_OR_NOTHING,
        "edc": MultiplePolicy.EVERY_DECISION,
        "halves": MultiplePolicy.HALVES,
        "right_minus_wrong": MultiplePolicy.RIGHT_MINUS_WRONG,
    }
    examples = json.loads(VECTORS.read_text())["multi_response"]
    assert examples
    for example in examples:
        question, selected = several(example["options"], example["correct"]), example["selected"]
        marks = {name: fraction(question, selected, policy) for name, policy in policies.items()}
        marks["prop_with_penalty"] = rescaled_decisions(question, selected)
        expected = {name: value for name, value in example.items() if name not in {"options", "correct", "selected"}}
        assert {name: round(float(mark), 6) for name, mark in marks.items()} == expected


@pytest.mark.parametrize(
    ("policy", "selected", "expected"),
    [
        (MultiplePolicy.ALL_OR_NOTHING, "AC", "1"),
        (MultiplePolicy.ALL_OR_NOTHING, "A", "0"),
        (MultiplePolicy.RIGHT_MINUS_WRONG, "A", "1/2"),
        (MultiplePolicy.RIGHT_MINUS_WRONG, "AB", "0"),
        (MultiplePolicy.EVERY_DECISION, "B", "1/4"),
        (MultiplePolicy.EVERY_DECISION, "ABCD", "1/2"),
        (MultiplePolicy.HALVES, "A", "1/2"),
        (MultiplePolicy.HALVES, "ABC", "1/2"),
        (MultiplePolicy.HALVES, "AB", "0"),
    ],
)
def test_a_key_of_two_in_four_is_marked_as_each_policy_says(
    policy: MultiplePolicy, selected: str, expected: str
) -> None:
    assert fraction(several("ABCD", "AC"), selected, policy) == Fraction(expected)


def test_halves_gives_a_quarter_for_two_errors_of_five_decisions() -> None:
    assert fraction(several("ABCDE", "ABC"), "A", MultiplePolicy.HALVES) == Fraction(1, 4)
    assert fraction(several("ABCDE", "A"), "ABC", MultiplePolicy.HALVES) == Fraction(1, 4)
    assert fraction(several("AB", "A"), "AB", MultiplePolicy.HALVES) == 0


@pytest.mark.parametrize("policy", MultiplePolicy)
def test_marks_stay_in_bounds_blank_is_nothing_and_exactly_the_key_is_everything(policy: MultiplePolicy) -> None:
    for question in every_question():
        right = "".join(question.key.correct)
        assert fraction(question, "", policy) == 0
        assert fraction(question, right, policy) == 1
        for selected in subsets("".join(question.choice_ids)):
            assert 0 <= fraction(question, selected, policy) <= 1
            result = score(question, Response.choosing(selected), ScoringPolicy(multiple=policy))
            assert result.correct == (set(selected) == set(right))


@pytest.mark.parametrize("policy", MultiplePolicy)
def test_one_more_right_option_never_lowers_and_one_more_wrong_option_never_raises(policy: MultiplePolicy) -> None:
    """The one exception is `every_decision` from the blank answer, which is held at nothing by rule."""
    for question in every_question():
        for selected in subsets("".join(question.choice_ids)):
            if not selected and policy is MultiplePolicy.EVERY_DECISION:
                continue
            before = fraction(question, selected, policy)
            for option in set(question.choice_ids) - set(selected):
                after = fraction(question, selected + option, policy)
                assert after >= before if option in question.key.correct else after <= before


def test_where_choosing_none_is_an_answer_every_decision_is_monotone_from_the_blank_too() -> None:
    policy = MultiplePolicy.EVERY_DECISION
    for question in every_question():
        before = fraction(question, "", policy, none_allowed=True)
        assert before == Fraction(len(question.choice_ids) - len(question.key.correct), len(question.choice_ids))
        for option in question.choice_ids:
            after = fraction(question, option, policy, none_allowed=True)
            assert after > before if option in question.key.correct else after < before


@st.composite
def weighted_questions(draw: st.DrawFn) -> KeyedQuestion:
    """Right options weigh 0..1, wrong ones −1..0."""
    options = LETTERS[: draw(st.integers(2, 10))]
    correct = draw(st.sets(st.sampled_from(options), min_size=1))
    share = st.decimals(0, 1, places=5)
    weights = {option: draw(share) * (1 if option in correct else -1) for option in options}
    return several(options, "".join(sorted(correct)), weights)


@given(st.data())
def test_weights_are_monotone_and_bounded(data: st.DataObject) -> None:
    question = data.draw(weighted_questions())
    selected = "".join(data.draw(st.sets(st.sampled_from(question.choice_ids))))
    before = fraction(question, selected, MultiplePolicy.WEIGHTED)
    assert 0 <= before <= 1
    for option in set(question.choice_ids) - set(selected):
        after = fraction(question, selected + option, MultiplePolicy.WEIGHTED)
        assert after >= before if option in question.key.correct else after <= before


def test_weights_are_summed_and_clamped() -> None:
    question = several("ABCD", "AB", {"A": Decimal("0.7"), "B": Decimal("0.3"), "C": Decimal("-0.5")})
    assert fraction(question, "A", MultiplePolicy.WEIGHTED) == Fraction(7, 10)
    assert fraction(question, "AC", MultiplePolicy.WEIGHTED) == Fraction(1, 5)
    assert fraction(question, "BC", MultiplePolicy.WEIGHTED) == 0
    assert fraction(question, "ABD", MultiplePolicy.WEIGHTED) == 1


@given(st.data())
def test_the_order_of_options_and_of_the_selection_changes_nothing(data: st.DataObject) -> None:
    question = data.draw(weighted_questions())
    selected = data.draw(st.lists(st.sampled_from(question.choice_ids)))
    shuffled = KeyedQuestion(
        kind=question.kind,
        choice_ids=tuple(data.draw(st.permutations(question.choice_ids))),
        key=AnswerKey(correct=tuple(data.draw(st.permutations(question.key.correct))), weights=question.key.weights),
    )
    for policy in MultiplePolicy:
        rules = ScoringPolicy(multiple=policy)
        again = Response.choosing(data.draw(st.permutations(selected)))
        assert score(question, Response.choosing(selected), rules) == score(shuffled, again, rules)


def test_the_fractions_of_a_single_choice_stay_within_a_full_mark_either_way() -> None:
    question = one("ABC", "A", {"A": Decimal(3), "B": Decimal(-3)})
    assert [score(question, Response.choosing(choice)).fraction for choice in "ABC"] == [1, -1, 0]


@pytest.mark.parametrize("policy", MultiplePolicy)
def test_a_key_without_a_right_option_gives_nothing_to_whoever_chooses(policy: MultiplePolicy) -> None:
    """A mistake of its author, but no reason to fail; `every_decision` still counts what was rightly left alone."""
    for selected in ("A", "AB", "ABC"):
        left_alone = Fraction(3 - len(selected), 3) if policy is MultiplePolicy.EVERY_DECISION else 0
        assert fraction(several("ABC", ""), selected, policy) == left_alone


@pytest.mark.parametrize("kind", [QuestionKind.SINGLE, QuestionKind.TRUE_FALSE])
def test_one_choice_earns_everything_or_nothing(kind: QuestionKind) -> None:
    question = KeyedQuestion(kind=kind, choice_ids=("A", "B"), key=AnswerKey(correct=("B",)))
    assert score(question, Response.choosing("B")) == Score(fraction=Fraction(1), correct=True)
    assert score(question, Response.choosing("A")) == Score(fraction=Fraction(0), correct=False)
    assert score(question, Response()) == Score(fraction=Fraction(0), correct=False)


@given(st.integers(2, 10), st.decimals(0, 1, places=4))
def test_a_wrong_single_choice_costs_the_penalty_and_a_blank_costs_nothing(options: int, penalty: Decimal) -> None:
    question = one(LETTERS[:options], "A")
    policy = ScoringPolicy(penalty=penalty)
    assert score(question, Response.choosing("B"), policy).fraction == -Fraction(penalty)
    assert score(question, Response.choosing("A"), policy).fraction == 1
    assert score(question, Response(), policy).fraction == 0


@pytest.mark.parametrize("options", range(2, 11))
def test_blind_guessing_gains_exactly_nothing_when_it_is_neutral(options: int) -> None:
    question = one(LETTERS[:options], "A")
    policy = ScoringPolicy(guess_neutral=True)
    assert sum(score(question, Response.choosing(choice), policy).fraction for choice in LETTERS[:options]) == 0


def test_a_single_choice_may_weigh_a_fraction_of_its_own() -> None:
    question = one("ABC", "A", {"A": Decimal(1), "B": Decimal("0.5"), "C": Decimal("-0.25")})
    marks = [score(question, Response.choosing(choice), ScoringPolicy(penalty=Decimal(1))) for choice in "ABC"]
    assert [result.fraction for result in marks] == [1, Fraction(1, 2), Fraction(-1, 4)]
    assert [result.correct for result in marks] == [True, False, False]


def test_a_choice_without_a_fraction_weighs_as_it_would_without_fractions() -> None:
    question = one("ABC", "A", {"B": Decimal("0.5")})
    assert [score(question, Response.choosing(choice)).fraction for choice in "ABC"] == [1, Fraction(1, 2), 0]


@given(st.fractions(-1, 1), st.decimals("0.0001", 9999, places=4))
def test_a_mark_is_the_exact_share_rounded_once(share: Fraction, max_mark: Decimal) -> None:
    mark = Score(fraction=share, correct=False).mark(max_mark)
    assert abs(Fraction(mark) - share * Fraction(max_mark)) <= Fraction(1, 2 * 10**6)
    assert mark.as_tuple().exponent == -6


def test_marks_are_rounded_half_to_even() -> None:
    assert Score(fraction=Fraction(1, 2), correct=False).mark(Decimal("0.000001")) == 0
    assert Score(fraction=Fraction(1, 2), correct=False).mark(Decimal("0.000003")) == Decimal("0.000002")


@pytest.mark.parametrize("penalty", ["-0.1", "1.1"])
def test_a_penalty_lies_between_nothing_and_everything(penalty: str) -> None:
    with pytest.raises(ValueError, match="penalty"):
        ScoringPolicy(penalty=Decimal(penalty))


@pytest.mark.parametrize("kind", QuestionKind)
def test_every_kind_is_marked_and_a_blank_earns_nothing(kind: QuestionKind) -> None:
    question = KeyedQuestion(kind=kind, choice_ids=("A", "B"), key=AnswerKey(correct=("A",)))
    assert score(question, Response()) == Score(fraction=Fraction(0), correct=False)
