"""Which passwords may be used."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.common_passwords import listed
from domain.auth.passwords import PasswordRefused, canonical_password, check_password
from domain.errors import InvalidInput

SENTENCE = "quiet rivers bend past seven mills and an old stone bridge, twice"


def check(password: str, *, min_length: int = 8, name: str = "Ada Lovelace", username: str | None = "countess") -> str:
    return check_password(password, min_length=min_length, email="ada.l@example.org", name=name, username=username)


def code_of(password: str, **values: str) -> str:
    with pytest.raises(PasswordRefused) as refused:
        check(password, **values)  # type: ignore[arg-type]
    assert [problem.pointer for problem in refused.value.problems] == ["/password"]
    return refused.value.problems[0].code


@pytest.mark.parametrize(
    "password",
    [
        "all lower case",
        "x" * 64,
        "y" * 128,
        "日本語の合言葉です",
        "🔑🐎🔋📎🔑🐎🔋📎",
        "        spaces",
        "73914620583",
        "password of mine",
    ],
)
def test_any_alphabet_and_every_length_up_to_128_is_accepted(password: str) -> None:
    assert check(password) == canonical_password(password)


@pytest.mark.parametrize("minimum", [8, 12, 15, 64])
def test_one_character_below_the_minimum_is_refused_and_the_minimum_accepted(minimum: int) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check(SENTENCE[: minimum - 1], min_length=minimum)
    assert refused.value.problems[0].code == "too_short"
    assert check(SENTENCE[:minimum], min_length=minimum) == SENTENCE[:minimum]


def test_129_characters_are_refused_rather_than_cut() -> None:
    assert code_of("z" * 129) == "too_long"


def test_a_password_of_a_million_marks_is_refused_before_it_is_composed() -> None:
    """Composing it would take minutes."""
    assert code_of("a" + "\u0301\u0316" * 500_000) == "too_long"


def test_length_counts_code_points_of_the_canonical_form() -> None:
    """One emoji is one code point; a ligature is the letters it stands for."""
    assert code_of("🔑" * 7) == "too_short"
    assert check("🔑" * 8)
    assert check("ﬃ" * 3 + "zz") == "ffi" * 3 + "zz"


@pytest.mark.parametrize("password", ["password", "Password1", "12345678", "QWERTY123", "ｐａｓｓｗｏｒｄ"])
def test_what_is_guessed_first_is_refused_in_any_case_and_width(password: str) -> None:
    assert code_of(password) == "too_common"


def test_each_of_the_3000_most_common_passwords_is_refused() -> None:
    """None of them comes into use by being typed in capitals."""
    for common in listed()[:3_000]:
        for typed in (common, common.upper()):
            assert code_of(typed) == "too_common"


@pytest.mark.parametrize(
    "password",
    [
        "Password1!",
        "password2024!!!",
        "1997 baseball",
        "p@ssw0rd!",
        "1qaz2wsx!!",
        "12-34-56-78-90",
        "i love you",
        "pass-word-1",
        "pass4word",
        "p-r-i-n-c-e-s-s-2026",
        "P.A.S.S.W.O.R.D",
    ],
)
def test_digits_and_signs_do_not_make_a_common_password_a_good_one(password: str) -> None:
    assert code_of(password) == "too_common"


@pytest.mark.parametrize(
    "password",
    ["password of mine", "my baseball is blue", "i love you and me", "sunshine over staines", "tearfully basebally"],
)
def test_a_sentence_that_contains_a_common_password_is_accepted(password: str) -> None:
    assert check(password)


@pytest.mark.parametrize(
    "password",
    ["aceexams", "Ace-Exam-2026", "acepassword", "ace4students", "exam-2026-exam", "adminace1", "ada@ace.2026"],
)
def test_words_that_everybody_here_knows_are_refused_however_they_are_put_together(password: str) -> None:
    assert code_of(password) == "too_personal"


@pytest.mark.parametrize(
    "password",
    ["acexams1", "ace!!!xams", "AcePassword1", "ace-football-9", "lovelacex1", "countess of x", "1Countess-42x"],
)
def test_what_begins_with_such_a_word_goes_on_with_what_could_be_a_password(password: str) -> None:
    assert code_of(password) == "too_personal"


@pytest.mark.parametrize("password", ["ace of spades", "countess of mercia", "surface tension", "an ace up my sleeve"])
def test_such_a_word_within_a_longer_password_is_fine(password: str) -> None:
    assert check(password)


def test_the_domain_of_an_address_is_refused_and_does_not_forbid_what_begins_like_it() -> None:
    assert code_of("example.org 2026") == code_of("org-example-ada") == "too_personal"
    assert check("organic4")


def test_a_short_name_does_not_forbid_what_begins_like_it() -> None:
    assert check("almanac7", name="Al", username=None)


@given(
    st.sampled_from(["ace", "Ada", "ada.l@example.org", "ADA.L", "Lovelace", "countess", "exam"]),
    st.text("0123456789!-_. ", min_size=8, max_size=20),
    st.integers(0, 20),
)
def test_no_digits_and_signs_make_a_known_word_a_password(word: str, padding: str, place: int) -> None:
    assert code_of(padding[:place] + word + padding[place:]) in {"too_personal", "too_common"}


def test_a_long_name_of_tiny_words_is_compared_quickly() -> None:
    """Every way to put the words together is tried at once, not one after the other."""
    assert check("a" * 127 + "b", name="a aa aaa " * 20, username=None)


@pytest.mark.parametrize(
    "password",
    [
        "ace12345",
        "ACE!!!!!2026",
        "ada.l@example.org",
        "Ada.L-1815",
        "ada-lovelace",
        "lovelace1815",
        "Ada Lovelace!",
        "countess#1",
        "1-2-3-A-d-a",
    ],
)
def test_the_product_and_ones_own_names_are_refused_whatever_digits_surround_them(password: str) -> None:
    assert code_of(password) == "too_personal"


def test_a_name_within_a_longer_password_is_fine() -> None:
    assert check("ada builds engines")
    assert check("73-91-46-20-58", name="", username=None)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=160))
def test_a_password_is_accepted_as_its_canonical_form_or_refused(password: str) -> None:
    """It never becomes another password: accepting it twice gives the same, and every accepted length is in bounds."""
    try:
        accepted = check(password)
    except PasswordRefused:
        return
    assert 8 <= len(accepted) <= 128
    assert accepted == canonical_password(password) == canonical_password(accepted) == check(accepted)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_every_spelling_of_a_password_has_one_canonical_form(text: str) -> None:
    """What NFKC holds for the same: composed or decomposed, full or half width."""
    canonical = canonical_password(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert canonical_password(unicodedata.normalize(form, text)) == canonical


def test_case_is_part_of_the_canonical_form() -> None:
    assert canonical_password("A Password ") == "A Password "


@pytest.mark.parametrize("password", ["nul\0in the middle", "lone \ud83d surrogate"])
def test_what_cannot_be_written_down_is_refused_before_it_reaches_the_hasher(password: str) -> None:
    with pytest.raises(InvalidInput):
        canonical_password(password)
