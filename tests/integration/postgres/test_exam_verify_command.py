"""What `ace exam verify` refuses: a choice that is none, and what there is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli.exam import exam
from tests.support.postgres import ClonedDatabase

Ace = Callable[..., Awaitable[Result]]


@pytest.fixture
def ace(cloned: ClonedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ace:
    """The command, in a thread because it has its own event loop. It does not take the signals of the process."""
    monkeypatch.setattr("entrypoints.cli.support.stop_on_signals", lambda: None)
    urls = {"DATABASE_URL": cloned.urls.app, "ACE_OWNER_DATABASE_URL": cloned.urls.owner}

    async def run(*arguments: str) -> Result:
        runner = CliRunner(env={**urls, "ACE_DATA_DIR": str(tmp_path)})
        return await asyncio.to_thread(runner.invoke, exam, arguments)

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--all", "--package", "x"),
        ("--session", "a/b", "--all"),
        ("--session", "exs_none"),
        ("--session", "usr_ada/"),
        ("--session", "/exs_none"),
    ],
)
async def test_the_operator_names_one_choice(ace: Ace, arguments: tuple[str, ...]) -> None:
    assert (await ace("verify", *arguments)).exit_code == 2


async def test_a_session_that_there_is_not_is_told_by_its_code(ace: Ace) -> None:
    refused = await ace("verify", "--session", "usr_ada/exs_none")
    assert (refused.exit_code, refused.stderr.split(":")[0]) == (1, "exam.session_not_found")


async def test_nothing_is_verified_of_a_package_that_there_is_not(ace: Ace) -> None:
    """Who mistypes its name is not told that all is well."""
    refused = await ace("verify", "--package", "nope")
    assert (refused.exit_code, refused.stdout, refused.stderr.split(":")[0]) == (1, "", "package.not_found")
