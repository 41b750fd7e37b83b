"""How alike two questions are, and how those that might be alike are found without comparing each with each.

A question is taken for the set of its shingles: runs of three words, of the stem and of every choice by itself, so that
the order of the choices does not matter. Two questions are as alike as their sets: |A ∩ B| / |A ∪ B| (Jaccard 1901).

Whose four smallest shingle hashes have none in common are not compared at all: the smallest elements of two sets are a
fair sample of both (bottom-k sketches; Broder 1997, "On the resemblance and containment of documents"), so a pair of
resemblance r shares one of them with a probability of about 1 − (1 − r)⁴: 99.8 % at 0.8, all of them at 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from hashlib import blake2b
from typing import Final

from domain.question_bank.imported import ImportedQuestion, has_too_many_marks

ALIKE: Final = Fraction(4, 5)
"""From here on two questions are reported as near duplicates."""
SKETCH: Final = 4
WIDTH: Final = 3
MOST_SHINGLES: Final = 5_000
"""Of a longer text only the beginning is compared; no question of that length is a near duplicate by accident."""
_WORD: Final = re.compile(r"[^\W_]+")
_MARKUP: Final = re.compile(r"<[^<>]{1,1000}>")


def shingles(question: ImportedQuestion) -> frozenset[int]:
    """The shingles of a question as 63-bit hashes. Case, punctuation, markup and composition make no difference."""
    texts = (question.stem.text, *(choice.text.text for choice in question.choices), *question.accepted)
    found: set[int] = set()
    for text in texts:
        for shingle in _runs(_words(text)):
            found.add(_hash(shingle))
            if len(found) >= MOST_SHINGLES:
                return frozenset(found)
    return frozenset(found)


def sketch(of: frozenset[int]) -> tuple[int, ...]:
    """The smallest hashes of a set: what two questions must share some of before they are compared."""
    return tuple(sorted(of)[:SKETCH])


def resemblance(one: frozenset[int], other: frozenset[int]) -> Fraction:
    """From 0 (nothing in common) to 1 (the same words in the same order); nothing is not like nothing."""
    together = len(one | other)
    return Fraction(len(one & other), together) if together else Fraction(0)


def _words(text: str) -> list[str]:
    if not text.isascii() and not has_too_many_marks(text):
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(_MARKUP.sub(" ", text).casefold())


def _runs(words: list[str]) -> Iterator[str]:
    """Every three words in a row; a shorter text is one shingle as a whole."""
    if words and len(words) < WIDTH:
        yield " ".join(words)
    for start in range(len(words) - WIDTH + 1):
        yield " ".join(words[start : start + WIDTH])


def _hash(shingle: str) -> int:
    return int.from_bytes(blake2b(shingle.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
