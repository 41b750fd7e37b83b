"""Which passwords may be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.passwords import PasswordRefused, canonical_password, check_password
from domain.errors import InvalidInput


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
        check("z" * (minimum - 1), min_length=minimum)
    assert refused.value.problems[0].code == "too_short"
    assert check("z" * minimum, min_length=minimum)


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
    assert check("12-34-56-78-90", name="", username=None)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=160))
def test_a_password_is_accepted_as_its_canonical_form_or_refused(password: str) -> None:
    """It never becomes another password: accepting it twice gives the same, and every accepted length is in bounds."""
    try:
        accepted = check(password)
    except PasswordRefused:
        return
    assert 8 <= len(accepted) <= 128
    assert accepted == canonical_password(password) == canonical_password(accepted)


@pytest.mark.parametrize("password", ["nul\0in the middle", "lone \ud83d surrogate"])
def test_what_cannot_be_written_down_is_refused_before_it_reaches_the_hasher(password: str) -> None:
    with pytest.raises(InvalidInput):
        canonical_password(password)
