"""Named statements: those of an area stand in `sql/queries/<area>.sql`, each under its name and its reason.

An area with many has a folder instead: `sql/queries/<area>/<part>.sql`, which is `load("<area>/<part>")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import LiteralString, cast

from adapters.postgres.files import sql_folder

_HEADING = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)


class Statements(Mapping[str, LiteralString]):
    """The statements of one area by name."""

    def __init__(self, area: str, text: str) -> None:
        preamble, *parts = _HEADING.split(text)
        if _COMMENT.sub("", preamble).strip():
            raise ValueError(f"{area}.sql begins with SQL that has no name")
        self._area = area
        self._statements: dict[str, LiteralString] = {}
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if name in self._statements:
                raise ValueError(f"{area}.sql has two statements named {name}")
            statement = _COMMENT.sub("", body).strip().removesuffix(";")
            # The text is ours, shipped with the code, and nothing of a request is ever put into it.
            self._statements[name] = cast(LiteralString, statement)  # type: ignore[redundant-cast]

    def __getitem__(self, name: str) -> LiteralString:
        try:
            return self._statements[name]
        except KeyError:
            raise KeyError(f"{self._area}.sql has no statement named {name}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


@cache
def load(area: str) -> Statements:
    """The statements of `sql/queries/<area>.sql`; `area` may be `<area>/<part>`."""
    return Statements(area, (sql_folder() / "queries" / f"{area}.sql").read_text(encoding="utf-8"))
