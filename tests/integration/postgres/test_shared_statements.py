"""Every statement that is sent over shared connections is fit for them: its types are clear and it is planned once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg.pq import ExecStatus

from adapters.postgres.prepared import statement_of
from adapters.postgres.statements import load
from tests.support.postgres import ClonedDatabase

_ADAPTERS: Final = Path(__file__).parents[3] / "src" / "adapters" / "postgres"
_LOADED: Final = re.compile(r"^(\w+)(?:: [^=\n]+)? = load\(\"([\w/]+)\"\)", re.MULTILINE)
_PLANS: Final = "select parameter_types::text[], generic_plans from pg_prepared_statements where name = 'shared'"
# Some value of each type, since what is null lets a plan shrink to nothing.
_SAMPLES: Final = {
    "bigint": b"1",
    "boolean": b"false",
    "bytea": b"\\x00",
    "date": b"2030-01-15",
    "integer": b"1",
    "integer[]": b"{1}",
    "interval": b"1 second",
    "json": b"{}",
    "jsonb": b"{}",
    "numeric": b"1",
    "smallint": b"1",
    "text": b"x",
    "text[]": b"{x}",
    "timestamp with time zone": b"2030-01-15 09:00:00+00",
}


def shared() -> Iterator[tuple[str, str, str]]:
    """(`read_one` or `write_one`, area, name), as the adapters say `await self._database.read_one(SQL["name"], …)`."""
    for path in sorted(_ADAPTERS.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for variable, area in _LOADED.findall(text):
            for way, name in re.findall(rf"\b(read_one|write_one)\(\s*{variable}\[\"(\w+)\"\]", text):
                yield way, area, name


SHARED: Final = sorted(set(shared()))


def test_the_busiest_statements_are_among_them() -> None:
    assert {("read_one", "auth", "read_standing"), ("write_one", "exam/quick", "keep_heartbeat")} <= set(SHARED)


@pytest.mark.parametrize(("way", "area", "name"), SHARED)
def test_it_is_understood_without_types_and_planned_once(
    way: str, area: str, name: str, module_database: ClonedDatabase
) -> None:
    """A plan of its own for each execution would cost more than the statement."""
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        prepared = connection.pgconn.prepare(b"shared", statement_of(load(area)[name]).text)
        assert prepared.status == ExecStatus.COMMAND_OK, prepared.error_message
        (types, _) = connection.execute(_PLANS).fetchone() or ((), 0)
        for _ in range(7):
            result = connection.pgconn.exec_prepared(b"shared", [_SAMPLES[type_] for type_ in types])
            assert result.status == ExecStatus.TUPLES_OK, result.error_message
        (_, generic) = connection.execute(_PLANS).fetchone() or ((), 0)
    assert generic >= 1


@pytest.mark.parametrize(("area", "name"), [(area, name) for way, area, name in SHARED if way == "read_one"])
def test_what_is_read_is_not_held(area: str, name: str) -> None:
    """Rows of readers are told before anything is committed."""
    holding = r"\b(insert|update|delete|merge|for\s+(key\s+)?share)\b"
    assert not re.search(holding, load(area)[name], re.IGNORECASE)
