"""The languages that a bank may be written in, by the names that PostgreSQL gives the rules for taking texts apart."""

from __future__ import annotations

from typing import Final

from domain.errors import FieldProblem, InvalidInput

# What every server from PostgreSQL 15 on knows; `simple` takes words as they are.
LANGUAGES: Final = frozenset(
    {
        "arabic",
        "armenian",
        "basque",
        "catalan",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hindi",
        "hungarian",
        "indonesian",
        "irish",
        "italian",
        "lithuanian",
        "nepali",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "serbian",
        "simple",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
        "yiddish",
    }
)


def check_language(language: str) -> None:
    """Refuses what no server could take texts apart by."""
    if language not in LANGUAGES:
        message = f"one of {', '.join(sorted(LANGUAGES))}"
        raise InvalidInput(
            f"The language is not known: {message}", problems=(FieldProblem("/language", "unknown_language", message),)
        )
