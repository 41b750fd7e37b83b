"""Every named statement plans against the migrated schema, is used somewhere, and every name in use exists."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.files import sql_folder
from adapters.postgres.statements import Statements, load
from tests.support.postgres import ClonedDatabase

QUERIES = sql_folder() / "queries"
AREAS = sorted(str(path.relative_to(QUERIES).with_suffix("")) for path in QUERIES.rglob("*.sql"))
SOURCES = Path(__file__).parents[3] / "src"
_PARAMETER = re.compile(r"%\((\w+)\)s")
_NOT_PLANNED = re.compile(r"\s*(copy|set|begin|commit)\b", re.IGNORECASE)


def numbered(statement: str) -> str:
    """The statement as PostgreSQL gets it: named parameters by number."""
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")


@pytest.mark.parametrize("area", AREAS)
def test_every_statement_plans(area: str, module_database: ClonedDatabase) -> None:
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        for name, statement in load(area).items():
            if _NOT_PLANNED.match(statement):
                continue
            try:
                connection.execute(f"explain (generic_plan) {numbered(statement)}".encode())
            except psycopg.Error as error:
                pytest.fail(f"{area}.sql: {name}: {error}")


@pytest.mark.parametrize("name", ["purge_idempotency_keys", "purge_sessions", "purge_attempts", "purge_imports"])
def test_no_step_of_a_purge_reads_a_whole_table(name: str, module_database: ClonedDatabase) -> None:
    """However many rows there are of which none is old enough."""
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        found = connection.execute(f"explain (generic_plan) {numbered(load('operations')[name])}".encode()).fetchall()
    plan = "\n".join(line for (line,) in found)
    assert "Index" in plan
    assert "Seq Scan" not in plan


def used_names() -> dict[str, set[str]]:
    """Area → names, as the sources say `NAME = load("area")` and `NAME["statement"]`."""
    used: dict[str, set[str]] = {area: set() for area in AREAS}
    for path in SOURCES.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for variable, area in re.findall(r"^(\w+)(?:: [^=\n]+)? = load\(\"([\w/]+)\"\)", text, re.MULTILINE):
            used.setdefault(area, set()).update(re.findall(rf"\b{variable}\[\"(\w+)\"\]", text))
    return used


@pytest.mark.parametrize("area", AREAS)
def test_every_statement_is_used_and_every_used_one_exists(area: str) -> None:
    assert used_names()[area] == set(load(area))


def test_no_source_loads_an_area_without_a_file() -> None:
    assert sorted(used_names()) == AREAS


def test_comments_are_reasons_for_readers_and_are_not_sent() -> None:
    text = "-- about\n\n-- name: one\n-- 100 % of it\nselect 1;\n\n-- name: two\nselect\n  -- inside\n  2;\n"
    statements = Statements("x", text)
    assert len(statements) == 2
    assert dict(statements) == {"one": "select 1", "two": "select\n  2"}


def test_a_name_may_stand_only_once() -> None:
    with pytest.raises(ValueError, match="two statements named one"):
        Statements("x", "-- name: one\nselect 1;\n-- name: one\nselect 2;")


def test_sql_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no name"):
        Statements("x", "select 0;\n-- name: one\nselect 1;")


def test_an_unknown_name_says_in_which_file() -> None:
    with pytest.raises(KeyError, match=r"operations\.sql has no statement named nonsense"):
        load("operations")["nonsense"]
