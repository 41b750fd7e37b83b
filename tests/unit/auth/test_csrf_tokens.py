"""CSRF tokens belong to one session."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.csrf_tokens import HmacCsrfTokens
from adapters.security.keys import key_ring
from tests.support.auth_builders import SECRET

OTHER_SECRET = "another secret of a test, just as long as it must be"
TOKENS = HmacCsrfTokens((SECRET,))
SESSIONS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(session=SESSIONS, other=SESSIONS)
def test_a_token_belongs_to_its_session_and_to_no_other(session: str, other: str) -> None:
    assert TOKENS.belongs(TOKENS.issue(session), other) == (session == other)


def test_the_token_is_the_documented_one() -> None:
    random, seal = (base64.urlsafe_b64decode(part + "==") for part in TOKENS.issue("ses_ada").split("."))
    key = key_ring((SECRET,), "csrf")[0].bytes
    message = b"ace/csrf/v1\0" + b"\0\0\0\x07" + b"ses_ada" + random
    assert len(random) == 16
    assert seal == hmac.new(key, message, hashlib.sha256).digest()


def test_every_token_is_another_one() -> None:
    assert len({TOKENS.issue("ses_ada") for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "a.b.c", "x" * 66, "é" * 22 + "." + "é" * 43, "A" * 22 + "." + "A" * 43]
)
def test_nonsense_belongs_to_nobody(token: str) -> None:
    assert not TOKENS.belongs(token, "ses_ada")


@given(place=st.integers(0, 65), character=st.sampled_from("AZaz09-_.+/= é"))
def test_a_changed_token_belongs_to_nobody(place: int, character: str) -> None:
    token = TOKENS.issue("ses_ada")
    changed = token[:place] + character + token[place + 1 :]
    assert TOKENS.belongs(changed, "ses_ada") == (changed == token)


def test_the_key_can_be_changed_while_pages_are_open() -> None:
    rotated = HmacCsrfTokens((OTHER_SECRET, SECRET))
    assert rotated.belongs(TOKENS.issue("ses_ada"), "ses_ada")
    assert not TOKENS.belongs(rotated.issue("ses_ada"), "ses_ada")
