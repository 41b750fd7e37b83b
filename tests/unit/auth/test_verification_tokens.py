"""Verification tokens: how they are spelt, that nobody else makes one, and that keys change while mail is under way."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.opening import IssueAccess
from application.auth.policy import AuthPolicy
from application.auth.ports import VerificationClaims
from domain.auth.links import LinkInvalid, link_hash
from tests.support.auth_builders import NOW, SECRET, CountedTokens, a_session, auth_in_memory

OLD, NEW = b"a key of the door that was newest", b"a key of the door that is newest"
TOKENS = JwtVerificationTokens((NEW, OLD))
MOVE = VerificationClaims(
    email="ada@example.org",
    update_to="countess@lovelace.example",
    request_type="change-email-verification",
    issued_at=1_767_268_800,
    expires_at=1_767_272_400,
)
_TEXTS = st.text(max_size=60).filter(lambda text: not any("\ud800" <= each <= "\udfff" for each in text))
_CLAIMS = st.builds(
    VerificationClaims,
    email=_TEXTS,
    update_to=st.none() | _TEXTS,
    request_type=st.none() | _TEXTS,
    issued_at=st.integers(0, 2**40),
    expires_at=st.integers(0, 2**40),
)


def sealed(header: object, payload: object, key: bytes = NEW, digest: str = "sha256") -> str:
    """A token made by hand."""
    parts = [_spelt(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload)]
    signed = ".".join(parts)
    return f"{signed}.{_spelt(hmac.new(key, signed.encode(), digest).digest())}"


def _spelt(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def said(**changes: Any) -> dict[str, Any]:
    return {"email": "ada@example.org", "iat": 1_767_268_800, "exp": 1_767_272_400} | changes


@given(claims=_CLAIMS)
def test_a_token_says_what_was_signed(claims: VerificationClaims) -> None:
    assert TOKENS.read(TOKENS.sign(claims)) == claims


def test_a_token_is_spelt_as_clients_of_the_protocol_spell_it() -> None:
    """Byte for byte: no `typ` in its header, and what is not said is left out."""
    change = said(updateTo="countess@lovelace.example", requestType="change-email-verification")
    in_order = {name: change[name] for name in ("email", "updateTo", "requestType", "iat", "exp")}
    assert TOKENS.sign(MOVE) == sealed({"alg": "HS256"}, in_order)
    plain = VerificationClaims(email="ada@example.org", issued_at=1_767_268_800, expires_at=1_767_272_400)
    assert TOKENS.sign(plain) == sealed({"alg": "HS256"}, said())


def test_a_token_of_the_key_before_is_read_and_none_is_signed_with_it() -> None:
    assert TOKENS.read(JwtVerificationTokens((OLD,)).sign(MOVE)) == MOVE
    with pytest.raises(LinkInvalid):
        JwtVerificationTokens((OLD,)).read(TOKENS.sign(MOVE))


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "a.b.c",
        "é.é.é",
        sealed({"alg": "HS256"}, said(), key=b"a key that somebody else has made up"),
        sealed({"alg": "HS512"}, said(), digest="sha512"),
        sealed({"alg": "none"}, said()),
        sealed({"alg": "none"}, said()).rpartition(".")[0] + ".",
        sealed({"alg": "HS256", "crit": ["exp"], "exp": 1}, said()),
        sealed({"alg": "HS256"}, ["ada@example.org"]),
        sealed({"alg": "HS256"}, said(email=None)),
        sealed({"alg": "HS256"}, said(email=["ada@example.org"])),
        sealed({"alg": "HS256"}, said(exp="1767272400")),
        sealed({"alg": "HS256"}, said(updateTo=1)),
        sealed({"alg": "HS256"}, {"email": "ada@example.org", "iat": 1}),
        sealed({"alg": "HS256"}, said(email="a" * 4_096)),
    ],
)
def test_what_is_not_ours_in_every_respect_is_refused(forged: str) -> None:
    with pytest.raises(LinkInvalid):
        TOKENS.read(forged)


@given(place=st.integers(0, 200), letter=st.sampled_from("AZaz09-_."))
def test_a_token_that_was_changed_anywhere_is_another_one(place: int, letter: str) -> None:
    """Its last letter has spare bits: such a spelling may be read, but nobody was ever given it."""
    token = TOKENS.sign(MOVE)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed == token:
        return
    if place == len(token) - 1 and letter != ".":
        assert link_hash(changed) != link_hash(token)
        return
    with pytest.raises(LinkInvalid):
        TOKENS.read(changed)


def test_neither_kind_of_token_passes_for_the_other() -> None:
    auth = auth_in_memory(source=CountedTokens())
    issue = IssueAccess(tokens=JwtAccessTokens((SECRET,)), ids=auth.ids, policy=AuthPolicy())
    with pytest.raises(LinkInvalid):
        JwtVerificationTokens((SECRET.encode(),)).read(issue(a_session(), NOW))
