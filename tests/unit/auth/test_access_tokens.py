"""Access tokens: what is signed, and everything that is not accepted."""

import base64
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.keys import WeakSecret, key_ring
from application.auth.ports import AccessClaims
from domain.auth.people import Role
from domain.auth.sessions import TokenInvalid
from tests.support.auth_builders import SECRET

OTHER_SECRET = "another secret of a test, just as long as it must be"
CLAIMS = AccessClaims(
    audience=Role.STUDENT,
    role=Role.STUDENT,
    user_id="usr_ada",
    session_id="ses_ada",
    token_id="jti_1",
    auth_time=1_900_000_000,
    issued_at=1_900_000_100,
    not_before=1_900_000_100,
    expires_at=1_900_001_000,
)
KEY = key_ring((SECRET,), "access-token")[0]
PAYLOAD: dict[str, Any] = {
    "iss": "ace",
    "aud": "student",
    "sub": "usr_ada",
    "sid": "ses_ada",
    "role": "student",
    "auth_time": 1_900_000_000,
    "iat": 1_900_000_100,
    "nbf": 1_900_000_100,
    "exp": 1_900_001_000,
    "jti": "jti_1",
}


def forged(
    payload: dict[str, Any] | None = None,
    *,
    without: str | None = None,
    key: Any = KEY.bytes,
    algorithm: str = "HS256",
    **headers: Any,
) -> str:
    """A token made by hand with our own key, so that nothing but the difference can be the reason to refuse it."""
    content = {name: value for name, value in (PAYLOAD | (payload or {})).items() if name != without}
    return jwt.encode(content, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": KEY.id} | headers)


def test_a_token_made_by_hand_with_our_key_is_read() -> None:
    """Without this every refusal below would prove nothing."""
    assert JwtAccessTokens((SECRET,)).read(forged()) == CLAIMS


def test_a_token_says_what_was_signed_and_in_which_form() -> None:
    tokens = JwtAccessTokens((SECRET,))
    token = tokens.sign(CLAIMS)
    assert tokens.read(token) == CLAIMS
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": KEY.id}
    assert jwt.decode(token, options={"verify_signature": False}) == PAYLOAD


FORGED = {
    "algorithm none": forged(key=None, algorithm="none"),
    "algorithm HS512": forged(algorithm="HS512", key=KEY.bytes * 2),
    "another key": forged(key=b"x" * 32),
    "type JWT": forged(typ="JWT"),
    "no type": forged(typ=None),
    "unknown kid": forged(kid="retired"),
    "key by address": forged(jku="https://example.org/keys"),
    "key by value": forged(jwk={"kty": "oct", "k": "AAAA"}),
    "certificate by address": forged(x5u="https://example.org/cert"),
    "certificate": forged(x5c=["AAAA"]),
    "extension": forged(crit=["b64"], b64=True),
    "list of audiences": forged({"aud": ["student"]}),
    "unknown audience": forged({"aud": "everybody"}),
    "unknown role": forged({"role": "root"}),
    "another issuer": forged({"iss": "elsewhere"}),
    "number as subject": forged({"sub": 7}),
    "number as session": forged({"sid": 7}),
    "text as time": forged({"exp": "1900001000"}),
    "fraction as time": forged({"exp": 1_900_001_000.5}),
    "truth as time": forged({"nbf": True}),
    **{f"no {name}": forged(without=name) for name in PAYLOAD},
    "empty": "",
    "not a token": "nonsense",
    "two parts": forged().rpartition(".")[0],
    "no signature": forged().rpartition(".")[0] + ".",
    "too long": forged({"sub": "x" * 5_000}),
    "not ASCII": "é.é.é",
    "deep": "e30." + base64.urlsafe_b64encode(b"[" * 2_000).decode() + ".e30",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_no_forged_token_is_read(token: str) -> None:
    with pytest.raises(TokenInvalid):
        JwtAccessTokens((SECRET,)).read(token)


@given(place=st.integers(0, 10_000), by=st.integers(1, 63))
def test_no_changed_token_is_read(place: int, by: int) -> None:
    """One character becomes another, anywhere; what still decodes to the same bytes is the same token."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = JwtAccessTokens((SECRET,)).sign(CLAIMS)
    place %= len(token)
    if token[place] == ".":
        return
    changed = token[:place] + alphabet[(alphabet.index(token[place]) + by) % 64] + token[place + 1 :]
    if [_bytes(part) for part in changed.split(".")] == [_bytes(part) for part in token.split(".")]:
        return
    with pytest.raises(TokenInvalid):
        JwtAccessTokens((SECRET,)).read(changed)


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_new_secret_in_front_signs_while_the_old_one_still_verifies() -> None:
    old = JwtAccessTokens((SECRET,))
    rotated = JwtAccessTokens((OTHER_SECRET, SECRET))
    after = JwtAccessTokens((OTHER_SECRET,))
    assert rotated.read(old.sign(CLAIMS)) == CLAIMS
    assert after.read(rotated.sign(CLAIMS)) == CLAIMS
    for tokens, token in ((after, old.sign(CLAIMS)), (old, rotated.sign(CLAIMS))):
        with pytest.raises(TokenInvalid):
            tokens.read(token)


def test_remembered_tokens_are_bounded_and_forgetting_one_changes_nothing() -> None:
    tokens = JwtAccessTokens((SECRET,), remembered=3)
    signed = [tokens.sign(replace(CLAIMS, token_id=f"jti_{number}")) for number in range(10)]
    for _ in range(2):
        assert [tokens.read(token).token_id for token in signed] == [f"jti_{number}" for number in range(10)]
    assert len(tokens._remembered) == 3


def test_a_refused_token_is_not_remembered() -> None:
    tokens = JwtAccessTokens((SECRET,))
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            tokens.read(FORGED["another key"])
    assert not tokens._remembered


@pytest.mark.parametrize("secrets", [(), ("short",), (SECRET, "x" * 31)])
def test_short_or_missing_secrets_are_refused_at_start(secrets: tuple[str, ...]) -> None:
    with pytest.raises(WeakSecret):
        JwtAccessTokens(secrets)


def test_each_purpose_has_its_own_key_and_no_key_is_shown() -> None:
    access, csrf = key_ring((SECRET,), "access-token")[0], key_ring((SECRET,), "csrf")[0]
    assert access.bytes != csrf.bytes != SECRET.encode()
    assert repr(access.bytes) not in repr(access)
    assert access.bytes.hex()[:8] not in json.dumps(access.id)
