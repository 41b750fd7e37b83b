"""The rule of refresh tokens as a pure function: laws of the decision, of the mask and of the spelling."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.refresh import (
    Decision,
    RefreshToken,
    decide,
    decode_token,
    digest,
    encode_token,
    mask,
)
from domain.auth.sessions import RefreshInvalid, SessionLife
from tests.support.auth_builders import NOW, a_session

GRACE = timedelta(seconds=10)
TOKENS = st.binary(min_size=32, max_size=32)
SECONDS = st.integers(-3, 40).map(lambda seconds: timedelta(seconds=seconds))
SESSION = a_session()


def a_link(generation: int = 0, *, used_ago: timedelta | None = None) -> RefreshToken:
    link = replace(RefreshToken.first(SESSION, bytes(32)), generation=generation)
    return link if used_ago is None else link.spent(NOW - used_ago, bytes(32))


def test_an_unused_token_rotates() -> None:
    assert decide(SESSION, a_link(3), a_link(3), NOW, GRACE) is Decision.ROTATE


@pytest.mark.parametrize(
    "ended",
    [
        a_session(revoked_at=NOW, revoke_reason="logout"),
        a_session(idle_expires_at=NOW),
        a_session(idle_expires_at=NOW, absolute_expires_at=NOW),
    ],
)
@given(used_ago=st.none() | SECONDS, behind=st.integers(0, 3))
def test_an_ended_session_gives_nothing_whatever_is_presented(
    ended: object, used_ago: timedelta | None, behind: int
) -> None:
    assert decide(ended, a_link(used_ago=used_ago), a_link(behind), NOW, GRACE) is Decision.ENDED  # type: ignore[arg-type]


@given(ago=SECONDS, behind=st.integers(0, 4), latest_used_ago=st.none() | SECONDS)
def test_a_used_token_is_replayed_only_just_after_and_only_while_its_successor_is_unused(
    ago: timedelta, behind: int, latest_used_ago: timedelta | None
) -> None:
    latest = a_link(behind, used_ago=latest_used_ago)
    decision = decide(SESSION, a_link(0, used_ago=ago), latest, NOW, GRACE)
    allowed = behind == 1 and latest_used_ago is None and ago <= GRACE
    assert decision is (Decision.REPLAY if allowed else Decision.REUSE)


def test_the_grace_ends_after_its_last_instant() -> None:
    just, late = a_link(0, used_ago=GRACE), a_link(0, used_ago=GRACE + timedelta(microseconds=1))
    assert decide(SESSION, just, a_link(1), NOW, GRACE) is Decision.REPLAY
    assert decide(SESSION, late, a_link(1), NOW, GRACE) is Decision.REUSE


@given(used=TOKENS, successor=TOKENS)
def test_only_the_used_token_takes_the_mask_off_its_successor(used: bytes, successor: bytes) -> None:
    masked = mask(used, successor)
    assert mask(used, masked) == successor
    assert a_link().spent(NOW, masked).successor_under(used) == successor
    assert mask(bytes(byte ^ 1 for byte in used), masked) != successor


def test_the_mask_is_the_documented_one() -> None:
    """HMAC-SHA256 with the used token as key over the label, XOR the successor; the value was computed elsewhere."""
    pad = bytes.fromhex("8d9a5aae0bb1f913436a3d000e96ae6b2c7ea0751e389256718355385e1aece3")
    assert mask(b"\x01" * 32, bytes(32)) == pad
    assert mask(b"\x01" * 32, pad) == bytes(32)


def test_a_link_without_a_mask_gives_no_successor() -> None:
    with pytest.raises(RefreshInvalid):
        a_link(0, used_ago=None).successor_under(bytes(32))


@given(TOKENS)
def test_a_token_has_exactly_one_spelling(token: bytes) -> None:
    text = encode_token(token)
    assert decode_token(text) == token
    assert len(text) == 43
    twin = text[:-1] + chr(ord(text[-1]) + 1)
    with pytest.raises(RefreshInvalid):
        decode_token(twin)


@pytest.mark.parametrize(
    "text", ["", "x" * 42, "x" * 44, "+" * 43, "é" * 43, "a" * 42 + "=", " " * 43, "a" * 42 + "\n"]
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(RefreshInvalid):
        decode_token(text)


@given(token=TOKENS)
def test_nothing_that_is_kept_or_shown_is_the_token(token: bytes) -> None:
    link = RefreshToken.first(SESSION, token)
    assert link.token_hash == digest(token) != token
    assert link.token_hash.hex() not in repr(link)


@given(at=st.integers(0, 40).map(lambda days: timedelta(days=days)))
def test_prolonging_slides_the_idle_end_and_never_passes_the_absolute_end(at: timedelta) -> None:
    life = SessionLife(idle=timedelta(days=7), absolute=timedelta(days=30))
    prolonged = SESSION.prolonged(NOW + at, life)
    assert prolonged.absolute_expires_at == SESSION.absolute_expires_at
    assert prolonged.idle_expires_at == min(NOW + at + life.idle, SESSION.absolute_expires_at)
