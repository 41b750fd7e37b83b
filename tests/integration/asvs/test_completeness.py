"""No requirement without a test, and no test of a requirement that is not promised."""

from __future__ import annotations

import re
from pathlib import Path

_TESTS = Path(__file__).parents[2]
_PROMISED = Path(__file__).with_name("release_1.md")


def test_every_promised_requirement_has_a_test_by_its_number() -> None:
    promised = re.findall(r"^\| (\d+\.\d+\.\d+) \|", _PROMISED.read_text(), re.MULTILINE)
    named = re.findall(
        r"def test_asvs_((?:\d+_)+(?:and_(?:\d+_)+)*)",
        "".join(path.read_text() for path in sorted(_TESTS.rglob("test_*.py"))),
    )
    tested = {number.replace("_", ".") for name in named for number in re.findall(r"\d+_\d+_\d+", name)}
    assert len(promised) == len(set(promised))
    assert set(promised) - tested == set(), "promised and not tested"
    assert tested - set(promised) == set(), "tested and not promised"
