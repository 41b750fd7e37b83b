"""What an answer is: its one spelling, which number a text is, and what fits which question."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.numeric import LONGEST_NUMBER, NumberFault, read_number
from domain.question_bank.questions import AnswerInvalid, AnswerKey, KeyedQuestion, Response, refuse_unfit
from domain.question_bank.wording import LONGEST_ANSWER, as_compared, as_written

K = QuestionKind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("12.50", "12.5"),
        ("+3", "3"),
        (" 7\n", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("6.02e23", "602000000000000000000000"),
        ("1E-7", "0.0000001"),
        ("\N{MINUS SIGN}4", "-4"),
        ("0e9999", "0"),
        ("1e100", "1e100"),
        ("1e-100", "1e-100"),
        ("9" * 64, "9" * 64),
    ],
)
def test_a_number_is_read_to_its_last_digit(text: str, expected: str) -> None:
    assert read_number(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_number"),
        ("abc", "not_a_number"),
        ("NaN", "not_a_number"),
        ("-sNaN1", "not_a_number"),
        ("inf", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1_000", "not_a_number"),
        ("1 000", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1e", "not_a_number"),
        ("1e5.5", "not_a_number"),
        ("1e12345", "not_a_number"),
        ("--1", "not_a_number"),
        (".", "not_a_number"),
        ("1/2", "not_a_number"),
        ("50%", "not_a_number"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "not_a_number"),
        ("\N{SUPERSCRIPT TWO}", "not_a_number"),
        ("1,5", "comma"),
        ("1,500.25", "comma"),
        ("-,5", "comma"),
        ("1e101", "out_of_range"),
        ("1e-101", "out_of_range"),
        ("1e9999", "out_of_range"),
        ("1" * (LONGEST_NUMBER + 1), "too_long"),
        ("1" * 100_000, "too_long"),
    ],
)
def test_what_is_no_number_is_refused_and_not_guessed(text: str, code: str) -> None:
    read = read_number(text)
    assert isinstance(read, NumberFault)
    assert read.code == code
    with pytest.raises(AnswerInvalid) as refusal:
        Response.counting(text)
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/numericValue", code)]


@given(st.decimals(-(10**20), 10**20, places=9), st.integers(0, 20))
def test_equal_numbers_are_equal_answers_and_lose_no_digit(number: Decimal, zeros: int) -> None:
    plain = Response.counting(format(number, "f"))
    assert plain == Response.counting(format(number, "f") + "0" * zeros)
    assert plain == Response.counting(format(number, "E"))
    assert plain.numeric_value is not None
    assert Fraction(plain.numeric_value) == Fraction(number)
    assert str(plain.numeric_value) == str(Response.counting(format(number, "E")).numeric_value)


@given(st.lists(st.sampled_from("ABC"), min_size=1), st.dictionaries(st.sampled_from("123"), st.sampled_from("ABC")))
def test_equal_choices_and_pairs_are_equal_answers(choices: list[str], pairs: dict[str, str]) -> None:
    assert Response.choosing(choices) == Response.choosing(reversed(choices)) == Response.choosing(choices * 2)
    turned = dict(reversed(pairs.items()))
    assert Response.matching(pairs) == Response.matching(turned)
    assert Response.matching(pairs).matched == pairs


def test_another_order_is_another_answer() -> None:
    assert Response.arranging("AB") != Response.arranging("BA")


@pytest.mark.parametrize("blank", ["", "   ", "\t\n", "\u00a0\u2003"])
def test_nothing_but_blanks_is_no_answer(blank: str) -> None:
    assert Response.writing(blank) == Response()
    assert Response.writing(blank).is_blank


def test_a_short_text_is_kept_as_it_was_written_but_for_blanks() -> None:
    assert Response.writing("  San\t Jose\u0301 ").text == "San Jos\u00e9"
    assert not Response.writing("x").is_blank


@given(st.text(max_size=60))
def test_the_kept_spelling_of_a_text_is_stable_and_compares_as_the_text(text: str) -> None:
    assert as_written(as_written(text)) == as_written(text)
    assert as_compared(as_written(text)) == as_compared(text)


def test_a_short_text_has_an_end() -> None:
    Response.writing("x" * LONGEST_ANSWER)
    with pytest.raises(AnswerInvalid) as refusal:
        Response.writing("x" * (LONGEST_ANSWER + 1))
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/text", "too_long")]


@given(
    st.permutations("ABCD"), st.permutations("ABCD"), st.dictionaries(st.sampled_from("12"), st.sampled_from("ABCD"))
)
def test_another_name_for_every_choice_and_back_is_the_same_answer(
    names: list[str], order: list[str], pairs: dict[str, str]
) -> None:
    there = dict(zip("ABCD", names, strict=True))
    back = {name: choice for choice, name in there.items()}
    for response in (Response.arranging(order), Response.matching(pairs), Response.choosing(order[:2])):
        assert response.renamed(there).renamed(back) == response
    assert Response.arranging(order).renamed(there).order == tuple(there[choice] for choice in order)
    assert Response.choosing(["Z"]).renamed(there) == Response.choosing(["Z"])


def question(kind: QuestionKind) -> KeyedQuestion:
    return KeyedQuestion(kind=kind, choice_ids=tuple("ABC"), prompt_ids=("1", "2"), key=AnswerKey(correct=("A",)))


ANSWERS = {
    "/choiceIds": Response.choosing("A"),
    "/numericValue": Response.counting("0"),
    "/text": Response.writing("x"),
    "/pairs": Response.matching({"1": "A"}),
    "/order": Response.arranging("CAB"),
}
ASKED = {
    K.SINGLE: "/choiceIds",
    K.MULTIPLE: "/choiceIds",
    K.TRUE_FALSE: "/choiceIds",
    K.NUMERIC: "/numericValue",
    K.SHORT_TEXT: "/text",
    K.MATCHING: "/pairs",
    K.ORDERING: "/order",
}


def faults(kind: QuestionKind, response: Response) -> list[tuple[str, str]]:
    with pytest.raises(AnswerInvalid) as refusal:
        refuse_unfit(question(kind), response)
    return [(problem.pointer, problem.code) for problem in refusal.value.problems]


@pytest.mark.parametrize("kind", QuestionKind)
def test_a_question_takes_what_its_kind_asks_for_and_nothing_else(kind: QuestionKind) -> None:
    for pointer, response in ANSWERS.items():
        if pointer == ASKED[kind]:
            refuse_unfit(question(kind), response)
        else:
            assert faults(kind, response) == [(pointer, "not_asked"), (ASKED[kind], "required")]
    assert faults(kind, Response()) == [(ASKED[kind], "required")]


@pytest.mark.parametrize("kind", QuestionKind)
def test_an_answer_in_two_fields_is_refused_even_if_one_would_do(kind: QuestionKind) -> None:
    both = Response(choice_ids=("A",), numeric_value=Decimal(1), text="x", order=("C", "A", "B"), pairs=(("1", "A"),))
    assert set(faults(kind, both)) == {(pointer, "not_asked") for pointer in ANSWERS if pointer != ASKED[kind]}


@pytest.mark.parametrize(
    ("kind", "response", "fault"),
    [
        (K.SINGLE, Response.choosing("Z"), ("/choiceIds", "unknown_choice")),
        (K.SINGLE, Response.choosing("AB"), ("/choiceIds", "too_many_choices")),
        (K.TRUE_FALSE, Response.choosing("AB"), ("/choiceIds", "too_many_choices")),
        (K.MULTIPLE, Response.choosing("AZ"), ("/choiceIds", "unknown_choice")),
        (K.ORDERING, Response.arranging("ABZ"), ("/order", "unknown_choice")),
        (K.ORDERING, Response.arranging("AB"), ("/order", "not_an_order")),
        (K.ORDERING, Response.arranging("ABCA"), ("/order", "not_an_order")),
        (K.ORDERING, Response.arranging("AAB"), ("/order", "not_an_order")),
        (K.MATCHING, Response.matching({"3": "A"}), ("/pairs", "unknown_prompt")),
        (K.MATCHING, Response.matching({"1": "Z"}), ("/pairs", "unknown_choice")),
    ],
)
def test_an_answer_that_does_not_fit_names_its_field(
    kind: QuestionKind, response: Response, fault: tuple[str, str]
) -> None:
    assert faults(kind, response) == [fault]


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        (K.MULTIPLE, Response.choosing("CBA")),
        (K.MATCHING, Response.matching({"1": "B", "2": "B"})),
        (K.MATCHING, Response.matching({"2": "C"})),
    ],
)
def test_several_choices_fit_and_prompts_may_share_a_choice_or_stay_open(
    kind: QuestionKind, response: Response
) -> None:
    refuse_unfit(question(kind), response)


def test_a_refusal_repeats_no_more_than_the_start_of_a_name() -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        refuse_unfit(question(K.MATCHING), Response.matching({"x" * 5000: "A"}))
    assert len(refusal.value.detail) < 200
