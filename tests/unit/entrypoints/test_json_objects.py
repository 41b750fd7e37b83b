"""Objects that clients leave with us: any object as it is, and nothing that would come back as more than was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from entrypoints.http.exam import json_objects
from entrypoints.http.exam.json_objects import json_object
from entrypoints.http.json_text import without_strings

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def read(text: str) -> bytes | None:
    return json_object(msgspec.Raw(text.encode()), "/snapshot")


@given(value=st.dictionaries(st.text(), _VALUES))
def test_every_object_is_taken_letter_by_letter(value: object) -> None:
    text = json.dumps(value)
    assert read(text) == text.encode()


@given(value=_SCALARS.filter(lambda value: value is not None) | st.lists(_VALUES))
def test_nothing_else_is(value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(json.dumps(value))
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/snapshot", "wrong_type")]


def test_nothing_and_null_are_none() -> None:
    assert read("null") is None
    assert json_object(msgspec.Raw(), "/snapshot") is None


@pytest.mark.parametrize(
    "number",
    ["1e309", "1E+309", "-1e400", "1e1000", "2e131071", "1e-325", "1e-16383", "1e0000310", "0e999", "1.5E-999"],
)
def test_a_number_that_would_come_back_as_thousands_of_digits_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(f'{{"a": [{number}]}}')
    assert refusal.value.problems[0].code == "out_of_range"


@pytest.mark.parametrize(
    ("number", "often"), [("1e308", 213), ("5e-324", 203), ("1e99", 662), ("-2.5E+0009", 7282), ("1e-308", 213)]
)
def test_numbers_that_would_come_back_as_very_many_digits_together_are_refused(number: str, often: int) -> None:
    """Each of them is one that any client can write; written out they may have as many zeros as a snapshot letters."""
    most = ", ".join([number] * (often - 1))
    assert read(f'{{"a": [{most}]}}') is not None
    with pytest.raises(InvalidInput) as refusal:
        read(f'{{"a": [{most}, {number}]}}')
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/snapshot", "out_of_range")]


def test_exponents_may_begin_with_any_number_of_zeros() -> None:
    assert read(f'{{"a": [1e{"0" * 9000}, 1e-{"0" * 9000}7]}}') is not None


def test_what_only_looks_like_a_number_is_none() -> None:
    text = '"7e99", ' * 9000
    assert read(f'{{"1e308": [{text}1e308]}}') is not None


@given(
    some=st.lists(st.from_regex(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?[eE][+-]?[0-9]{1,3}", fullmatch=True)),
    times=st.sampled_from([1, 200]),
)
def test_what_is_taken_grows_by_64_kib_at_most_when_it_is_written_out(some: list[str], times: int) -> None:
    numbers = some * times
    text = f'{{"a": [{", ".join(numbers)}]}}'
    try:
        read(text)
    except InvalidInput:
        return
    assert sum(len(f"{Decimal(number):f}") for number in numbers) <= len(text) + 65_536


@pytest.mark.parametrize("inside", ["1e308", "5e-324", "1e00308", "1E+99", '"1e999"', '"\\"1e999"', "[true, 1e5]"])
def test_what_any_client_can_write_is_taken(inside: str) -> None:
    assert read(f'{{"a": {inside}}}') is not None


@pytest.mark.parametrize("number", [f"1.{'0' * 20_000}", f"1.{'1' * 20_000}", f"-0.{'1' * 16_380}e-300"])
def test_a_number_with_more_digits_than_can_be_kept_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(f'{{"a": [{number}]}}')
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/snapshot", "out_of_range")]


@given(
    before=st.text("x", max_size=2_000),
    after=st.sampled_from([16_058, 16_059, 16_060, 16_061]),
    whole=st.sampled_from([1, 16_060, 40_000]),
    exponent=st.sampled_from(["", "e-324", "E+7"]),
)
def test_there_may_be_16059_digits_after_the_point_wherever_they_stand(
    before: str, after: int, whole: int, exponent: str
) -> None:
    text = f'{{"{before}": [{"9" * whole}.{"7" * after}{exponent}]}}'
    if after > 16_059:
        with pytest.raises(InvalidInput):
            read(text)
    else:
        assert read(text) is not None


def test_texts_may_have_any_number_of_digits() -> None:
    assert read(f'{{"1.{"1" * 20_000}": "1.{"1" * 20_000}"}}') is not None


_NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
_LARGE = st.sampled_from(["1e99", "2.5E+98", "7e-99", "1e308", "1e309", "5e-324", "5e-325"])
_STRINGS = st.text('0123456789eE+-."\\ a', max_size=12).map(json.dumps)


@given(
    some=st.lists(_NUMBERS | _LARGE | _STRINGS, max_size=12),
    times=st.sampled_from([1, 30, 300]),
    padding=st.sampled_from([0, 3_000]),
)
def test_what_is_told_at_a_glance_is_what_the_whole_look_says(some: list[str], times: int, padding: int) -> None:
    """Only where nothing can be refused the whole look is saved."""
    text = f'{{"a": [{", ".join(some * times)}]{" " * padding}}}'.encode()
    assert refuses(lambda: json_object(msgspec.Raw(text), "/snapshot")) == refuses(
        lambda: json_objects._refuse_vast(without_strings(text), "/snapshot")
    )


def refuses(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except InvalidInput as refusal:
        return [f"{problem.pointer} {problem.message}" for problem in refusal.problems]
    return []
