"""A data folder with the demo, made once; copies of it for tests that break things, one server for the others."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.process import Ace, Process, copy_of


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket must fit into a hundred bytes."""
    folder = Path(tempfile.mkdtemp(prefix="ace-process-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo(ground: Path) -> Ace:
    """An installation in which `ace demo load` was run; nobody starts anything in it, so that it can be copied."""
    folder = ground / "demo"
    folder.mkdir()
    ace = Ace(folder)
    loaded = ace.run("demo", "load")
    assert loaded.returncode == 0, loaded.stderr
    return ace


@pytest.fixture(scope="session")
def installed(demo: Ace, ground: Path) -> Callable[[], Ace]:
    """Makes an installation of the test's own."""
    numbers = count(1)
    return lambda: copy_of(demo, ground / str(next(numbers)))


@pytest.fixture(scope="session")
def ace(installed: Callable[[], Ace]) -> Ace:
    """The installation of the server that tests share."""
    return installed()


@pytest.fixture(scope="session")
def served(ace: Ace) -> Iterator[Process]:
    """A server that tests share: none of them stops it."""
    with ace.serving() as process:
        yield process
