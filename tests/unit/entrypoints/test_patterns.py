"""No text keeps a pattern busy: one that reads a part in two ways tries all of them before it refuses, for years."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

import adapters
import application
import domain
import entrypoints
from tests.support.time_limit import ended_after

_DOCUMENT = Path(__file__).parents[3] / "openapi" / "openapi.json"
_USUAL = "aA1 ,.-_/\u00e9"
_TIMES = 40
_ENDINGS = ("!", "\n")
_CPU_SECONDS = 5.0


def _published(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(pattern := node.get("pattern"), str):
            yield pattern
        for value in node.values():
            yield from _published(value)
    elif isinstance(node, list):
        for value in node:
            yield from _published(value)


def _compiled() -> Iterator[re.Pattern[str] | re.Pattern[bytes]]:
    """Those that a module keeps."""
    for package in (domain, application, adapters, entrypoints):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield from (
                    value
                    for value in vars(importlib.import_module(found.name)).values()
                    if isinstance(value, re.Pattern)
                )


_PATTERNS = {(pattern, re.compile(pattern)) for pattern in _published(msgspec.json.decode(_DOCUMENT.read_bytes()))} | {
    (str(pattern.pattern), pattern) for pattern in _compiled()
}


def _texts(pattern: str) -> Iterator[str]:
    alphabet = sorted({*_USUAL, *(character for character in pattern if not character.isspace())})
    for pair in {first + second for first, second in product(alphabet, repeat=2)}:
        for ending in _ENDINGS:
            yield pair * _TIMES + ending
            yield "a" + pair * _TIMES + ending


def is_quick(pattern: re.Pattern[Any], seconds: float = _CPU_SECONDS) -> bool:
    texts = list(_texts(str(pattern.pattern)))
    subjects: list[Any] = texts if isinstance(pattern.pattern, str) else [text.encode() for text in texts]
    try:
        with ended_after(seconds, of_cpu=True):
            for subject in subjects:
                pattern.search(subject)
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "pattern", [pattern for _, pattern in sorted(_PATTERNS, key=str)], ids=lambda each: each.pattern
)
def test_a_pattern_refuses_any_text_at_once(pattern: re.Pattern[Any]) -> None:
    assert is_quick(pattern)


@pytest.mark.parametrize("pattern", ["^[A-Z]( ?,? ?[A-Z])*$", "^(a+)+$", "^(a|aa)+$"])
def test_a_pattern_that_reads_in_two_ways_is_found(pattern: str) -> None:
    assert not is_quick(re.compile(pattern), seconds=1)
