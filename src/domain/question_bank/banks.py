"""Banks: where questions live. A bank is named by its slug, which is also the exam type of the files imported."""

from __future__ import annotations

import re
from enum import StrEnum

from domain.errors import FieldProblem, InvalidInput

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_SLUG = 100


class BankVisibility(StrEnum):
    """A hidden bank is seen by its owner, its co-editors and administrators; nothing new is drawn from it."""

    VISIBLE = "visible"
    HIDDEN = "hidden"


def check_bank_slug(slug: str, pointer: str = "/bank") -> None:
    """Refuses what cannot name a bank: up to 100 lower-case letters and digits, in groups joined by single hyphens.

    `pointer` is where the slug was given.
    """
    if len(slug) > _MAX_SLUG or not _SLUG.fullmatch(slug):
        message = "lower-case letters and digits, in groups joined by single hyphens, at most 100 characters"
        raise InvalidInput(
            f"The bank cannot be named so: {message}", problems=(FieldProblem(pointer, "invalid_slug", message),)
        )


def bank_slug(file_name: str) -> str:
    """The bank that a file names by itself: `A1101 Core.csv` goes into `a1101-core`."""
    stem = file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    words = re.findall(r"[a-z0-9]+", stem.lower())
    return "-".join(words)[:_MAX_SLUG].strip("-") or "questions"


def bank_title(slug: str) -> str:
    """A first title for a bank that was made by an import."""
    return slug.replace("-", " ").capitalize()
