"""The house keeps its own rules: layers, purity, sizes, and a vocabulary that is the same in every layer."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CORE = [path for path in SOURCES if path.relative_to(ROOT / "src").parts[0] in ("domain", "application")]
OUR_PACKAGES = {"domain", "application"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def test_the_import_contracts_hold() -> None:
    """Layers, purity of the core, one composition root, independent adapters, one order of areas."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_nothing_but_the_standard_library(path: Path) -> None:
    foreign = _imported(path) - set(sys.stdlib_module_names) - OUR_PACKAGES

    assert not foreign


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_reads_no_clock_and_rolls_no_dice(path: Path) -> None:
    """Time and identifiers come in through ports."""
    called = {ast.unparse(node.func) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)}
    forbidden = {
        "datetime.now",
        "datetime.utcnow",
        "date.today",
        "time.time",
        "uuid4",
        "uuid.uuid4",
        "secrets.token_bytes",
    }

    assert not called & forbidden
    assert not _imported(path) & {"random", "secrets", "uuid"}


def test_no_file_is_longer_than_400_lines() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    long = {
        str(path): count for path in SOURCES + tests if (count := len(path.read_text().splitlines())) > MAX_FILE_LINES
    }

    assert not long


def test_no_function_is_longer_than_40_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length
        for path in SOURCES
        for node in _functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    }

    assert not long


@pytest.mark.parametrize("area", ["auth", "enrollment", "question_bank", "practice", "admin"])
def test_an_area_has_the_same_name_in_every_layer(area: str) -> None:
    places = [
        f"src/domain/{area}",
        f"src/application/{area}",
        f"src/adapters/postgres/{area}",
        f"src/adapters/memory/{area}",
        f"src/entrypoints/http/{area}",
        f"sql/queries/{area}",
        f"tests/unit/{area}",
    ]
    missing = [
        place for place in places if not any((ROOT / f"{place}{suffix}").exists() for suffix in ("", ".py", ".sql"))
    ]

    assert not missing


def test_every_module_says_what_lives_in_it() -> None:
    silent = [str(path) for path in SOURCES if path.read_text().strip() and not ast.get_docstring(_tree(path))]

    assert not silent


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
