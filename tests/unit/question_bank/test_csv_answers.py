"""The notation of answer keys: letters in every real spelling, exact texts, and nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.answers import AnswerFault, AnswerKey, read_answer
from domain.question_bank.imported import CHOICE_KEYS

GREEK = ("Alpha", "Beta", "Gamma", "Delta")


@pytest.mark.parametrize(
    "answer",
    [
        "A,C",
        "A, C",
        "AC",
        "Ac",
        "a;c",
        "A;C",
        "A and C",
        "a AND c",
        "C,A",
        "A|C",
        "A/C",
        "A & C",
        "A, and C",
        "A\u00a0C",
        "A,C,",
    ],
)
def test_every_spelling_of_two_letters_means_both(answer: str) -> None:
    assert read_answer(answer, GREEK) == AnswerKey(keys=("A", "C"))


@pytest.mark.parametrize(
    ("answer", "keys"),
    [("B", "B"), ("b", "B"), (" D ", "D"), ("\u200bC", "C"), ("ABCD", "ABCD"), ("Beta", "B"), ("A|B|D", "ABD")],
)
def test_letters_and_exact_texts_are_accepted(answer: str, keys: str) -> None:
    assert read_answer(answer, GREEK) == AnswerKey(keys=tuple(keys))


@pytest.mark.parametrize("answer", ["A,A", "AA", "a A"])
def test_a_letter_named_twice_is_told(answer: str) -> None:
    assert read_answer(answer, GREEK) == AnswerKey(keys=("A",), repeated=True)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "missing_answer"),
        (" \u200b", "missing_answer"),
        ("E", "answer_not_an_option"),
        ("Z", "answer_not_an_option"),
        ("A,E", "answer_not_an_option"),
        ("AE", "answer_not_an_option"),
        ("1", "bad_answer"),
        ("0,2", "bad_answer"),
        ("12", "bad_answer"),
        ("True", "bad_answer"),
        ("TRUE", "bad_answer"),
        ("?", "bad_answer"),
        ("B) Beta", "bad_answer"),
        ("A Beta", "bad_answer"),
        ("AB C", "bad_answer"),
        ("beta", "bad_answer"),
        ("and", "bad_answer"),
        ("A," * 5000, "bad_answer"),
        ("Ä", "bad_answer"),
    ],
)
def test_what_names_no_option_is_refused(answer: str, code: str) -> None:
    found = read_answer(answer, GREEK)
    assert isinstance(found, AnswerFault)
    assert found.code == code


def test_a_blank_option_cannot_be_the_answer() -> None:
    for answer in ("B", "b", "A,B"):
        found = read_answer(answer, ("x", "", "z"))
        assert isinstance(found, AnswerFault)
        assert found.code == "answer_not_an_option"


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        (("A", "B", "AB", "0"), "AB", "ambiguous_answer"),
        (("x", "A, C", "y"), "A, C", "ambiguous_answer"),
        (("same", "same", "z"), "same", "bad_answer"),
        (("3", "4"), "2", "bad_answer"),
        (("3", "4"), "3", "A"),
        (("16", "15"), "15", "B"),
        (("16", "15"), "17", "bad_answer"),
        (("2,15", "x"), "2,15", "bad_answer"),
        (("C", "B", "A"), "A", "A"),
        (("I", "X", "V"), "X", "B"),
        (("e\u0301t\u00e9", "x"), "\u00e9t\u00e9", "A"),
    ],
)
def test_an_answer_that_could_mean_two_things_is_refused_and_a_single_letter_is_always_a_key(
    options: tuple[str, ...], answer: str, expected: str
) -> None:
    found = read_answer(answer, options)
    assert (found.code if isinstance(found, AnswerFault) else ",".join(found.keys)) == expected


@pytest.mark.parametrize(
    ("answer", "base", "expected"),
    [
        ("0", 0, "A"),
        ("1", 1, "A"),
        ("0,2", 0, "A,C"),
        ("1;3", 1, "A,C"),
        ("4", 0, "answer_not_an_option"),
        ("0", 1, "answer_not_an_option"),
        ("99", 1, "answer_not_an_option"),
        ("B", 0, "B"),
    ],
)
def test_numbers_are_read_only_from_a_stated_base(answer: str, base: int, expected: str) -> None:
    found = read_answer(answer, GREEK, base=base)
    assert (found.code if isinstance(found, AnswerFault) else ",".join(found.keys)) == expected


@given(
    keys=st.sets(st.sampled_from(CHOICE_KEYS), min_size=1),
    separator=st.sampled_from([",", ", ", ";", "|", " and ", " ", ""]),
    lower=st.booleans(),
)
def test_any_set_of_letters_survives_any_spelling(keys: set[str], separator: str, lower: bool) -> None:
    written = separator.join(sorted(keys))
    options = [f"option {key}" for key in CHOICE_KEYS]
    assert read_answer(written.lower() if lower else written, options) == AnswerKey(keys=tuple(sorted(keys)))


@given(answer=st.text(max_size=12), options=st.lists(st.text(max_size=4).map(str.strip), max_size=6))
def test_whatever_is_written_only_existing_options_become_correct(answer: str, options: list[str]) -> None:
    found = read_answer(answer, options)
    if isinstance(found, AnswerKey):
        assert found.keys
        assert all(options[CHOICE_KEYS.index(key)] for key in found.keys)
