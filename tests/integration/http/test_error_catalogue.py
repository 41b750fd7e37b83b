"""docs/errors.md lists every code that a client can meet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from entrypoints.http.error_catalogue import every_refusal, render_error_catalogue
from entrypoints.http.problems import status_of

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"


def test_the_committed_page_is_current() -> None:
    """`make openapi` writes it anew."""
    assert PAGE.read_text() == render_error_catalogue()


def test_codes_are_unique() -> None:
    counted = Counter(found.code for found in every_refusal())
    assert [code for code, count in counted.items() if count > 1] == []


def test_every_refusal_tells_its_rule_and_has_an_error_status() -> None:
    for refusal in every_refusal():
        assert refusal.__doc__, refusal
        assert refusal.title, refusal
        assert 400 <= status_of(refusal) < 600


def test_the_page_has_a_row_for_each_code_in_order() -> None:
    rows = [line.split("`")[1] for line in render_error_catalogue().splitlines() if line.startswith("| `")]
    assert rows == sorted(rows)
    assert {"request.malformed", "request.not_found", "service.internal", "idempotency.key_reused"} <= set(rows)
