"""How answers are marked that are written, matched or put in order; and what holds for every kind."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.imported import NumericBand
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response, refuse_unfit
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy, Score, ScoringPolicy, score
from domain.question_bank.totals import SlotMark, TotalPolicy, total

LETTERS = "ABCDEF"
PAIRWISE = ScoringPolicy(ordering=OrderingPolicy.ADJACENT_PAIRS)
RIGHT, WRONG = Score(fraction=Fraction(1), correct=True), Score(fraction=Fraction(0), correct=False)


def numeric(*bands: NumericBand) -> KeyedQuestion:
    return KeyedQuestion(kind=QuestionKind.NUMERIC, choice_ids=(), key=AnswerKey(bands=bands))


def band(answer: str, tol_abs: str = "0", tol_rel: str = "0", fraction: str = "1") -> NumericBand:
    return NumericBand(
        answer=Decimal(answer), tol_abs=Decimal(tol_abs), tol_rel=Decimal(tol_rel), fraction=Decimal(fraction)
    )


def short(*accepted: str) -> KeyedQuestion:
    return KeyedQuestion(kind=QuestionKind.SHORT_TEXT, choice_ids=(), key=AnswerKey(accepted=accepted))


def matching(pairs: dict[str, str], choices: str = LETTERS) -> KeyedQuestion:
    key = AnswerKey(correct=tuple(choices), pairs=pairs)
    return KeyedQuestion(kind=QuestionKind.MATCHING, choice_ids=tuple(choices), prompt_ids=tuple(pairs), key=key)


def ordering(right: str) -> KeyedQuestion:
    key = AnswerKey(correct=tuple(right))
    return KeyedQuestion(kind=QuestionKind.ORDERING, choice_ids=tuple(sorted(right)), key=key)


def number_of(question: KeyedQuestion, answer: str) -> Fraction:
    return score(question, Response.counting(answer)).fraction


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("9.99", 0), ("10", 1), ("10.5", 1), ("10.500000000000000000000000000001", 0), ("9.5", 1), ("9.4999", 0)],
)
def test_a_number_is_right_up_to_the_very_edge_of_its_tolerance(answer: str, expected: int) -> None:
    exact = numeric(band("10"))
    assert number_of(exact, answer) == (answer == "10")
    tolerant = numeric(band("10", tol_abs="0.5"))
    assert number_of(tolerant, answer) == (1 if answer == "9.99" else expected)


def test_a_relative_tolerance_is_a_share_of_the_size_of_the_right_value() -> None:
    question = numeric(band("-200", tol_rel="0.01"))
    assert [number_of(question, answer) for answer in ("-198", "-202", "-197.99", "-202.01", "200")] == [1, 1, 0, 0, 0]
    assert number_of(numeric(band("0", tol_rel="0.5")), "0.0001") == 0
    assert number_of(numeric(band("0", tol_rel="0.5")), "-0.0") == 1


def test_either_tolerance_is_enough() -> None:
    question = numeric(band("1000", tol_abs="1", tol_rel="0.01"))
    assert [number_of(question, answer) for answer in ("1010", "1001", "1010.1")] == [1, 1, 0]
    near_nothing = numeric(band("0.01", tol_abs="1", tol_rel="0.01"))
    assert number_of(near_nothing, "1") == 1


def test_the_first_band_that_holds_the_number_decides() -> None:
    question = numeric(band("10"), band("10", tol_abs="1", fraction="0.5"), band("100", fraction="0.25"))
    assert [number_of(question, answer) for answer in ("10", "10.9", "100", "12")] == [
        1,
        Fraction(1, 2),
        Fraction(1, 4),
        0,
    ]
    assert not score(question, Response.counting("10.9")).correct
    wide_first = numeric(band("10", tol_abs="1", fraction="0.5"), band("10"))
    assert number_of(wide_first, "10") == Fraction(1, 2)


@given(st.decimals(-1000, 1000, places=6), st.decimals(0, 10, places=6), st.decimals(-1000, 1000, places=6))
def test_a_wider_tolerance_never_takes_a_mark_away(answer: Decimal, tolerance: Decimal, given_number: Decimal) -> None:
    narrow, wide = numeric(band(str(answer), str(tolerance))), numeric(band(str(answer), str(tolerance + 1)))
    assert number_of(narrow, str(given_number)) <= number_of(wide, str(given_number))
    off = abs(Fraction(given_number) - Fraction(answer))
    assert number_of(narrow, str(given_number)) == (off <= Fraction(tolerance))


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("Paris", True),
        ("  pARIS\t", True),
        ("new   york\u00a0city", True),
        ("newyork city", False),
        ("Pariss", False),
        ("STRASSE", True),
        ("straße", True),
        ("cafe\u0301", True),
        ("CAFÉ", True),
        ("cafe", False),
        ("Pa\u200bris", False),
    ],
)
def test_a_short_text_is_compared_without_case_blanks_and_encoding_and_without_mercy(written: str, right: bool) -> None:
    question = short("Paris", "New York City", "Straße", "caf\u00e9")
    assert score(question, Response.writing(written)) == (RIGHT if right else WRONG)


@given(st.text(max_size=30))
def test_whatever_is_accepted_is_right_in_any_spelling_of_the_same(text: str) -> None:
    question = short("something else", text)
    blank = not text.split()
    for form in ("NFC", "NFD"):
        written = Response.writing("  " + unicodedata.normalize(form, text).replace(" ", "   ") + " ")
        assert score(question, written) == (WRONG if blank else RIGHT)


def test_an_accepted_text_of_blanks_makes_no_blank_answer_right() -> None:
    assert score(short("  "), Response(text="")) == WRONG


def test_each_prompt_counts_the_same() -> None:
    question = matching({"1": "A", "2": "B", "3": "C"})
    assert score(question, Response.matching({"1": "A", "2": "B", "3": "C"})) == RIGHT
    assert score(question, Response.matching({"1": "A", "2": "C", "3": "C"})).fraction == Fraction(2, 3)
    assert score(question, Response.matching({"2": "B"})).fraction == Fraction(1, 3)
    assert score(question, Response.matching({"1": "B", "2": "A"})) == WRONG


def test_one_more_right_pair_never_lowers_and_a_wrong_one_never_raises() -> None:
    key = {"1": "A", "2": "B", "3": "B"}
    question = matching(key, "ABC")
    for choices in product((None, "A", "B", "C"), repeat=3):
        pairs = {prompt: choice for prompt, choice in zip(key, choices, strict=True) if choice}
        before = score(question, Response.matching(pairs)).fraction
        assert before == Fraction(sum(key[prompt] == choice for prompt, choice in pairs.items()), 3)
        for prompt in set(key) - set(pairs):
            for choice in "ABC":
                after = score(question, Response.matching({**pairs, prompt: choice})).fraction
                assert after - before == (Fraction(1, 3) if choice == key[prompt] else 0)


@pytest.mark.parametrize(
    ("order", "pairs"),
    [("ABCD", "1"), ("BCDA", "2/3"), ("DABC", "2/3"), ("CDAB", "2/3"), ("DCBA", "0"), ("BACD", "1/3")],
)
def test_an_order_counts_as_a_whole_or_by_its_neighbours(order: str, pairs: str) -> None:
    question = ordering("ABCD")
    assert score(question, Response.arranging(order)) == (RIGHT if order == "ABCD" else WRONG)
    assert score(question, Response.arranging(order), PAIRWISE).fraction == Fraction(pairs)


@pytest.mark.parametrize("size", range(2, 7))
def test_every_order_is_marked_within_bounds_and_only_the_right_one_fully(size: int) -> None:
    right = LETTERS[:size]
    question = ordering(right)
    for order in permutations(right):
        whole, by_pairs = (
            score(question, Response.arranging(order)),
            score(question, Response.arranging(order), PAIRWISE),
        )
        assert whole.correct == by_pairs.correct == ("".join(order) == right)
        assert 0 <= whole.fraction <= by_pairs.fraction <= 1
        assert (by_pairs.fraction == 1) == whole.correct
        follows = sum(pair in right for pair in map("".join, pairwise(order)))
        assert by_pairs.fraction == Fraction(follows, size - 1)


@pytest.mark.parametrize("order", ["A", "AB", "ABCC", "ABCDA", "ZABCD"])
def test_what_is_no_order_of_the_options_earns_nothing(order: str) -> None:
    assert score(ordering("ABCD"), Response.arranging(order), PAIRWISE) == WRONG


def every_kind() -> list[KeyedQuestion]:
    chosen = AnswerKey(correct=("B",))
    return [
        KeyedQuestion(kind=QuestionKind.SINGLE, choice_ids=tuple("ABC"), key=chosen),
        KeyedQuestion(kind=QuestionKind.TRUE_FALSE, choice_ids=tuple("AB"), key=chosen),
        KeyedQuestion(kind=QuestionKind.MULTIPLE, choice_ids=tuple("ABCD"), key=AnswerKey(correct=("B", "D"))),
        numeric(band("0", tol_abs="1"), band("2", fraction="0.3")),
        short("B", "zwei"),
        matching({"1": "B", "2": "A"}, "AB"),
        ordering("BAC"),
    ]


responses = st.one_of(
    st.lists(st.sampled_from("ABCD"), max_size=4).map(Response.choosing),
    st.integers(-3, 3).map(str).map(Response.counting),
    st.sampled_from(["", "b", "Zwei", "drei"]).map(Response.writing),
    st.permutations("ABC").map(Response.arranging),
    st.dictionaries(st.sampled_from("123"), st.sampled_from("AB")).map(Response.matching),
)
policies = st.builds(
    ScoringPolicy,
    penalty=st.decimals(0, 1, places=3),
    guess_neutral=st.booleans(),
    multiple=st.sampled_from(MultiplePolicy),
    ordering=st.sampled_from(OrderingPolicy),
)


@pytest.mark.parametrize("question", every_kind(), ids=lambda question: question.kind)
@given(policy=policies)
def test_a_blank_answer_earns_nothing_of_any_kind_under_any_policy(
    question: KeyedQuestion, policy: ScoringPolicy
) -> None:
    assert score(question, Response(), policy) == WRONG


@given(st.sampled_from(every_kind()), responses, policies)
def test_a_mark_stays_in_the_bounds_of_its_kind_whatever_is_answered(
    question: KeyedQuestion, response: Response, policy: ScoringPolicy
) -> None:
    lowest = -1 if question.kind in {QuestionKind.SINGLE, QuestionKind.TRUE_FALSE} else 0
    result = score(question, response, policy)
    assert lowest <= result.fraction <= 1
    assert result.fraction == 1 or not result.correct


@given(st.lists(st.tuples(st.sampled_from(every_kind()), responses), max_size=20), policies)
def test_marking_again_with_the_same_key_changes_nothing(
    answers: list[tuple[KeyedQuestion, Response]], policy: ScoringPolicy
) -> None:
    def marks() -> list[Decimal]:
        return [score(question, response, policy).mark(Decimal("2.5")) for question, response in answers]

    first = marks()
    assert marks() == first
    slots = [SlotMark(mark=mark, max_mark=Decimal("2.5")) for mark in first]
    whole = total(slots, TotalPolicy(pass_mark=Decimal(75), allow_negative_total=True))
    assert Fraction(whole.mark) == sum(map(Fraction, first), Fraction(0))


@pytest.mark.parametrize("question", every_kind(), ids=lambda question: question.kind)
def test_the_order_in_which_a_question_lists_its_parts_changes_no_mark(question: KeyedQuestion) -> None:
    """Choices, prompts and, but for an order, the right choices. What was accepted stands in no order either."""
    dice = random.Random(1)
    key = question.key
    turned = replace(
        question,
        choice_ids=tuple(dice.sample(question.choice_ids, len(question.choice_ids))),
        prompt_ids=question.prompt_ids[::-1],
        key=replace(
            key,
            correct=key.correct if question.kind is QuestionKind.ORDERING else key.correct[::-1],
            accepted=key.accepted[::-1],
            pairs=dict(reversed(list(key.pairs.items()))),
        ),
    )
    answers = [Response.choosing(letter) for letter in ("B", "BD", "A")]
    answers += [Response.counting("2"), Response.writing("zwei"), Response.matching({"2": "A", "1": "A"})]
    answers += [Response.arranging(order) for order in permutations("ABC")]
    for answer in answers:
        assert score(question, answer, PAIRWISE) == score(turned, answer, PAIRWISE)


@pytest.mark.parametrize("question", every_kind(), ids=lambda question: question.kind)
def test_some_answer_that_fits_is_fully_right(question: KeyedQuestion) -> None:
    key = question.key
    right = {
        QuestionKind.NUMERIC: Response.counting("0.5"),
        QuestionKind.SHORT_TEXT: Response.writing("b"),
        QuestionKind.MATCHING: Response.matching(key.pairs),
        QuestionKind.ORDERING: Response.arranging(key.correct),
    }.get(question.kind, Response.choosing(key.correct))
    refuse_unfit(question, right)
    assert score(question, right) == RIGHT
