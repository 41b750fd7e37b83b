"""Statements as a pipeline sends them: numbered parameters, values as text, rows by loaders that are chosen once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult
from psycopg.rows import DictRow

from adapters.postgres.connections import Connection

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|(%)|)")


class Statement:
    """A statement with `$1` for `%(name)s`, and how its parameters are written: as text, their types being its own."""

    __slots__ = ("_formats", "_names", "text")

    def __init__(self, query: str, *, has_params: bool) -> None:
        names: dict[str, int] = {}
        text = _PLACEHOLDER.sub(lambda found: _numbered(found, names), query) if has_params else query
        self.text = text.encode()
        self._names = tuple(names)
        self._formats = (PyFormat.TEXT,) * len(names)

    def values(self, params: Mapping[str, Any], transformer: abc.Transformer) -> Sequence[Any]:
        return transformer.dump_sequence([params[name] for name in self._names], self._formats)


def _numbered(found: re.Match[str], names: dict[str, int]) -> str:
    if found[2]:
        return "%"
    if found[1] is None:
        raise ValueError("only %(name)s stands for a parameter here")
    return f"${names.setdefault(found[1], len(names) + 1)}"


@lru_cache(1024)
def statement_of(query: str, *, has_params: bool = True) -> Statement:
    """Refuses placeholders of another kind than `%(name)s`. Without parameters a `%` is a `%`, with them it is `%%`."""
    return Statement(query, has_params=has_params)


class Prepared:
    """A statement as one connection knows it; what its columns are is learnt from the first result."""

    __slots__ = ("_columns", "_transformer", "name", "statement")

    def __init__(self, name: bytes, statement: Statement, connection: Connection) -> None:
        self.name = name
        self.statement = statement
        self._transformer = Transformer(connection)
        self._columns: tuple[str, ...] | None = None

    def first_row(self, result: PGresult) -> DictRow | None:
        if not result.ntuples:
            return None
        known = self._columns is not None
        self._transformer.set_pgresult(result, set_loaders=not known)
        if not known:
            names = (result.fname(number) or b"" for number in range(result.nfields))
            self._columns = tuple(name.decode() for name in names)
        return self._transformer.load_row(0, self._named)

    def _named(self, values: Sequence[Any]) -> DictRow:
        return dict(zip(self._columns or (), values, strict=True))
