"""Requests that bring no id get one that nobody else has and nobody can guess."""

from __future__ import annotations

import re

from entrypoints.http.request_ids import RequestIds


def test_every_id_is_its_own_and_unlike_the_others() -> None:
    one, other = RequestIds(), RequestIds()
    ids = [each() for each in (one, other) for _ in range(1_000)]
    assert len(set(ids)) == 2_000
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    # Chance differs everywhere: no digit is the same in all, and no half of an id comes twice.
    assert all(len(set(digits)) == 16 for digits in zip(*ids, strict=True))
    assert len({half for each in ids for half in (each[:16], each[16:])}) == 4_000
