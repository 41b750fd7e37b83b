"""Signatures of texts that clients keep, and the keys of the better-auth door."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.keys import WeakSecret, door_keys, key_ring
from adapters.security.signatures import HmacSignatures

OWN, OTHER = "o" * 32, "p" * 40
INSTALLATION = ("i" * 32, "j" * 32)
TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS, TEXTS)
def test_a_signature_belongs_to_its_text_alone(text: str, other: str) -> None:
    signatures = HmacSignatures([OWN.encode()])
    signature = signatures.sign(text)
    assert len(signature) == 32
    assert signatures.belongs(signature, text)
    assert signatures.belongs(signature, other) is (text == other)
    assert not signatures.belongs(signature[:-1], text)
    assert not signatures.belongs(b"", text)


def test_the_newest_key_signs_and_all_verify() -> None:
    before, after = HmacSignatures([OWN.encode()]), HmacSignatures([OTHER.encode(), OWN.encode()])
    assert after.sign("text") == HmacSignatures([OTHER.encode()]).sign("text") != before.sign("text")
    assert after.belongs(before.sign("text"), "text")
    assert not before.belongs(after.sign("text"), "text")


def test_the_door_signs_with_its_own_secrets_as_they_are() -> None:
    """So that an application that moves here keeps the secret that it signed with."""
    assert door_keys((OWN, OTHER), INSTALLATION) == (OWN.encode(), OTHER.encode())


def test_without_own_secrets_the_door_has_keys_of_its_own_purpose() -> None:
    keys = door_keys((), INSTALLATION)
    assert keys == tuple(key.bytes for key in key_ring(INSTALLATION, "better-auth"))
    assert not {key.bytes for purpose in ("access-token", "csrf") for key in key_ring(INSTALLATION, purpose)} & set(
        keys
    )
    with pytest.raises(WeakSecret):
        door_keys((), ())
