"""Cookies of the better-auth door: the same bytes as the original's, and nothing believed that is not signed.

`cookie_vectors.json` has what better-auth 1.7.1 computes for the same values, secret and time; a long line is told by
its beginning and its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.signatures import HmacSignatures
from domain.auth.cookie_sessions import ALPHABET
from entrypoints.http.better_auth.cookie_text import decoded, encoded, first_of_each, set_cookie
from entrypoints.http.better_auth.cookies import DoorCookies
from entrypoints.http.better_auth.jar import SessionJar
from tests.support.door_samples import NOW, TOKEN, a_person, a_session

VECTORS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "cookie_vectors.json").read_text())
SECRET: Final[str] = VECTORS["secret"]
TOKENS: Final = st.text(ALPHABET, min_size=32, max_size=32)
WEEK: Final = 604_800


def cookies(*secrets: str, secure: bool = False, cache: int = 0, bearer: bool = False) -> DoorCookies:
    keys = [secret.encode() for secret in secrets or (SECRET,)]
    return DoorCookies(
        HmacSignatures(keys),
        secure=secure,
        max_age=WEEK,
        cache_seconds=cache,
        takes_bearer=bearer,
        now=lambda: NOW,
    )


def jar(door: DoorCookies, header: str = "") -> SessionJar:
    return SessionJar(door, door.read(header))


def lines(of: SessionJar) -> list[str]:
    return [value.decode() for name, value in of.headers() if name == b"set-cookie"]


def name_of(vector: dict[str, Any]) -> str:
    name = vector["name"]
    return name if isinstance(name, str) else str(name[0]) * int(name[1])


def told(line: str) -> str | dict[str, str]:
    if len(line) < 900:
        return line
    return {"head": line[:48], "sha256": hashlib.sha256(line.encode()).hexdigest()}


@pytest.mark.parametrize(("text", "value"), VECTORS["signed"])
def test_a_value_is_signed_and_spelt_as_the_original_does(text: str, value: str) -> None:
    assert encoded(cookies().signed(text)) == value


@pytest.mark.parametrize(("header", "values"), VECTORS["parsed"])
def test_a_header_is_read_as_the_original_reads_it(header: str, values: dict[str, str]) -> None:
    assert first_of_each(header) == values


@pytest.mark.parametrize("vector", VECTORS["copies"], ids=lambda vector: str(vector["name"])[:20])
def test_a_session_is_handed_out_and_taken_back_in_the_original_s_bytes(vector: dict[str, Any]) -> None:
    """With a copy in one cookie, in pieces, over pieces of an older one, and left out because it is too long."""
    door = cookies(secure=vector["secure"], cache=300)
    given_out = jar(door, vector["cookie"])
    given_out.grant(a_session(), a_person(name_of(vector)), TOKEN, remember=vector["remember"])
    assert [told(line) for line in lines(given_out)] == vector["granted"]
    given_out.forget()
    assert lines(given_out) == vector["cleared"]


def test_there_is_no_copy_of_somebody_whose_password_must_be_changed() -> None:
    handed_out = jar(cookies(cache=300))
    handed_out.grant(a_session(), replace(a_person(), must_change_password=True), TOKEN, remember=True)
    assert [line.partition("=")[0] for line in lines(handed_out)] == ["better-auth.session_token"]


def test_without_copies_only_the_session_is_handed_out() -> None:
    remembered, until_closed = jar(cookies()), jar(cookies())
    remembered.grant(a_session(), a_person(), TOKEN, remember=True)
    until_closed.grant(a_session(), a_person(), TOKEN, remember=False)
    (line,) = lines(remembered)
    assert line == (
        f"better-auth.session_token={TOKEN}.r4WT94I1bpyvMn4y5L903xL0WbFu0j6h1W4lzIDib8g%3D"
        "; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    )
    assert [entry.split("=")[0] for entry in lines(until_closed)] == [
        "better-auth.session_token",
        "better-auth.dont_remember",
    ]
    assert not any("Max-Age" in entry for entry in lines(until_closed))


@given(TOKENS, st.booleans())
def test_what_was_handed_out_is_read_again_encoded_or_not(token: str, secure: bool) -> None:
    door = cookies(secure=secure)
    value = door.signed(token)
    for spelt in (value, encoded(value), f'"{value}"'):
        assert door.read(f"x=1; {door.token}={spelt}").secret == token


@given(TOKENS, st.data())
def test_a_value_that_was_changed_anywhere_is_nobody_s(token: str, data: st.DataObject) -> None:
    door = cookies()
    value = door.signed(token)
    # The last digit before the padding has four bits more than the signature.
    position = data.draw(st.integers(0, len(value) - 3))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda character: character != value[position]))
    changed = value[:position] + other + value[position + 1 :]
    assert door.read(f"{door.token}={changed}").secret is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        TOKEN,
        f"{TOKEN}.",
        f".{'A' * 43}=",
        f"{TOKEN}.{'A' * 43}=",
        f"{TOKEN}.{'é' * 43}=",
        "%",
        "true",
        f"{TOKEN}.=",
    ],
)
def test_a_value_without_a_good_signature_is_nobody_s(value: str) -> None:
    assert cookies().read(f"better-auth.session_token={value}").secret is None


def test_a_signature_has_one_padding_and_a_text_before_it() -> None:
    door = cookies()
    for value in (door.signed(TOKEN)[:-1], f"{door.signed(TOKEN)}=", door.signed("")):
        assert door.read(f"{door.token}={value}").secret is None


def test_of_several_cookies_with_one_name_the_first_counts() -> None:
    door = cookies()
    good = f"{door.token}={door.signed(TOKEN)}"
    assert door.read(f"{good}; {door.token}=x").secret == TOKEN
    assert door.read(f"{door.token}=x; {good}").secret is None


def test_under_https_only_the_prefixed_name_counts_and_elsewhere_only_the_plain_one() -> None:
    plain, secure = cookies(), cookies(secure=True)
    assert secure.token == "__Secure-better-auth.session_token"
    assert secure.read(f"{plain.token}={plain.signed(TOKEN)}").secret is None
    assert plain.read(f"{secure.token}={plain.signed(TOKEN)}").secret is None


def test_a_new_key_signs_and_the_one_before_it_still_verifies() -> None:
    before, after, without = cookies("a" * 32), cookies("b" * 32, "a" * 32), cookies("b" * 32)
    value = f"{before.token}={before.signed(TOKEN)}"
    assert after.read(value).secret == TOKEN
    assert without.read(value).secret is None
    assert after.signed(TOKEN) == without.signed(TOKEN) != before.signed(TOKEN)


def test_that_a_session_is_not_to_be_remembered_must_be_signed() -> None:
    door = cookies()
    assert door.read(f"{door.dont_remember}={encoded(door.signed('true'))}").dont_remember
    assert not door.read(f"{door.dont_remember}=true").dont_remember
    assert not door.read("").dont_remember


@pytest.mark.parametrize("spelt", ["{t}", "  {t}  ", "{s}", "{e}"])
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "bEARER "])
def test_a_bearer_is_the_token_alone_or_with_its_signature(scheme: str, spelt: str) -> None:
    door = cookies(bearer=True)
    value = spelt.format(t=TOKEN, s=door.signed(TOKEN), e=encoded(door.signed(TOKEN)))
    assert door.read("", scheme + value).secret == door.bearer(scheme + value) == TOKEN
    assert cookies().read("", scheme + value).secret is None
    assert cookies().bearer(scheme + value) is None


@pytest.mark.parametrize(
    "value", ["Bearer ", "Bearer", "Basic abc", "Bearer a.b", f"Bearer {TOKEN}.{'A' * 43}=", "Bearer .", ""]
)
def test_a_bearer_that_is_none_leaves_the_cookie_as_it_is(value: str) -> None:
    door = cookies(bearer=True)
    assert door.read(f"{door.token}={door.signed(TOKEN)}", value).secret == TOKEN
    assert door.bearer(value) is None


def test_an_unsigned_bearer_takes_the_place_of_the_cookie_whatever_it_says() -> None:
    door = cookies(bearer=True)
    assert door.read(f"{door.token}={door.signed(TOKEN)}", "Bearer garbage").secret == "garbage"


def test_where_bearers_are_taken_a_session_that_is_handed_out_is_told_in_a_header() -> None:
    by_bearer, by_cookie = jar(cookies(bearer=True)), jar(cookies())
    for each in (by_bearer, by_cookie):
        each.grant(a_session(), a_person(), TOKEN, remember=True)
    assert by_bearer.headers()[1:] == [
        (b"set-auth-token", cookies().signed(TOKEN).encode()),
        (b"access-control-expose-headers", b"set-auth-token"),
    ]
    assert len(by_cookie.headers()) == 1
    by_bearer.forget()
    assert {name for name, _ in by_bearer.headers()} == {b"set-cookie"}


def test_what_an_answer_hands_out_is_told_from_its_other_headers() -> None:
    door = cookies(cache=300, bearer=True)
    handed_out = jar(door, f"{door.data}.0=a")
    handed_out.grant(a_session(), a_person(), TOKEN, remember=False)
    assert len(handed_out.headers()) == 6
    assert all(map(door.hands_out, handed_out.headers()))
    for other in (
        (b"pragma", b"no-cache"),
        (b"set-cookie", b"ace_access=x"),
        (b"location", b"better-auth.session_token="),
    ):
        assert not door.hands_out(other)


def test_the_three_cookies_are_cleared_with_the_attributes_that_they_were_set_with() -> None:
    expected = [
        f"__Secure-better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
        for name in ("session_token", "session_data", "dont_remember")
    ]
    assert [value.decode() for _, value in cookies(secure=True).cleared()] == expected


@given(st.text())
def test_every_text_survives_its_spelling_in_a_cookie(text: str) -> None:
    storable = text.encode("utf-8", "ignore").decode()
    assert decoded(encoded(storable)) == storable
    line = set_cookie("name", storable, secure=True)
    assert line.isascii()
    assert ";" not in line.removeprefix("name=").partition("; ")[0]


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_header_makes_reading_fail(header: str, authorization: str) -> None:
    door = cookies(cache=300, bearer=True)
    door.read(header, authorization)
    door.read(f"{door.token}={header}; {door.data}={header}; {door.data}.1={header}", f"Bearer {authorization}")


@pytest.mark.parametrize("name", ["\xb2", ".\xb2", ".é", "2", ".x", ".", "x.0", ".01", ".100"])
def test_a_cookie_whose_name_only_begins_like_a_copy_s_is_let_be(name: str) -> None:
    """No answer names it, whatever is in its name; pieces of a copy are cleared."""
    door = cookies(cache=300)
    each = jar(door, f"{door.data}{name}=z; {door.data}.7=a")
    each.grant(a_session(), a_person(), TOKEN, remember=True)
    each.forget()
    assert [line.partition("=")[0] for line in lines(each)] == [
        "better-auth.session_token",
        "better-auth.session_data",
        "better-auth.session_data.7",
        "better-auth.dont_remember",
    ]


@given(TOKENS)
def test_a_bearer_that_is_spelt_for_addresses_takes_the_place_of_the_cookie_and_opens_nothing(token: str) -> None:
    door = cookies(bearer=True)
    signed = door.signed(token)
    respelt = signed.translate(str.maketrans("+/", "-_"))
    opens = token if respelt == signed else None
    assert door.bearer(f"Bearer {respelt}") == opens
    assert door.read(f"{door.token}={respelt}").secret == opens
    assert door.read(f"{door.token}={signed}", f"Bearer {respelt}").secret == opens
