"""docs/operations.md tells every setting that there is, no other, and the default that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

from entrypoints import settings as loading
from entrypoints.settings import Environment, Settings, load

_TEXT: Final = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
# Told together with others, by the part in which they differ.
_ACCOUNTS: Final = {
    f"ACE_BOOTSTRAP_{role}_{part}" for role in ("ADMIN", "INSTRUCTOR") for part in ("EMAIL", "PASSWORD")
}


def told() -> dict[str, str]:
    """The defaults of the table, by name; of a row about several, each its own."""
    table = _TEXT.split("| Name | Default | Meaning |\n")[1].split("\n\n")[0]
    found: dict[str, str] = {}
    for line in table.splitlines()[1:]:
        names, default, _ = (cell.strip() for cell in line.strip("| ").split(" | ", 2))
        known = re.findall(r"`([A-Z][A-Z_0-9]+)`", names)
        defaults = default.split(", ") if len(known) > 1 else [default]
        found |= dict(zip(known, defaults if len(defaults) == len(known) else [default] * len(known), strict=True))
    return found


def fields() -> dict[str, tuple[Any, str]]:
    """The field of each setting: where it stands, and what it is called."""
    whole = Settings()
    return {name: (whole, field) for field, name, *_ in loading._FIELDS} | {
        name: (whole.better_auth, field) for field, name, *_ in loading._BETTER_AUTH_FIELDS
    }


def test_every_setting_is_told_and_no_other() -> None:
    assert {name for name in told() if name not in _ACCOUNTS} == set(fields())


@pytest.mark.parametrize("name", sorted(name for name in told() if name not in _ACCOUNTS))
def test_the_default_that_is_told_is_the_default(name: str) -> None:
    """Where the default is a plain number or switch; the others are told in words."""
    holder, field = fields()[name]
    value, default = getattr(holder, field), told()[name]
    if isinstance(value, bool):
        assert default == ("on" if value else "off")
    elif isinstance(value, int):
        assert default.replace(",", "") == str(value)
    else:
        assert default.partition(";")[0] not in {"", "0"}


def test_what_differs_in_production_is_told() -> None:
    development = load({})
    production = Settings(environment=Environment.PRODUCTION)
    assert (development.takes_door_bearer, production.takes_door_bearer) == (True, False)
    assert (development.counts_door_requests, production.counts_door_requests) == (False, True)
    assert told()["ACE_BETTER_AUTH_BEARER"] == "on; in production off"
    assert told()["ACE_BETTER_AUTH_RATE_LIMIT"] == "off; in production on"


def test_a_setting_that_is_named_anywhere_in_the_documents_exists() -> None:
    known = {*fields(), *_ACCOUNTS, "ACE_CONFIG_FILE"}
    named = {
        (path.name, name)
        for path in sorted((Path(__file__).parents[2] / "docs").rglob("*.md"))
        for name in re.findall(r"\bACE_[A-Z_0-9]+[A-Z0-9]\b", path.read_text())
    }
    assert {(document, name) for document, name in named if name not in known} - _FAMILIES == set()


# The beginning of several names, written so.
_FAMILIES: Final = {("operations.md", "ACE_BOOTSTRAP_INSTRUCTOR")}
