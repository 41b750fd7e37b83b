"""`ace user`: what the operator does to accounts, on a real database and in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domain.auth.links import link_hash
from entrypoints.cli.user import user
from entrypoints.provisioning import bootstrap
from entrypoints.settings import Account, Settings
from tests.support.auth_builders import SECRET
from tests.support.postgres import ClonedDatabase

Ace = Callable[..., Result]
PASSWORD = "a sentence for the operator"
EMAIL = "grace@example.org"


@pytest.fixture
def ace(cloned: ClonedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ace:
    """The command, which here does not take the signals of the process."""
    monkeypatch.setattr("entrypoints.cli.support.stop_on_signals", lambda: None)
    environ = {
        "DATABASE_URL": cloned.urls.app,
        "ACE_OWNER_DATABASE_URL": cloned.urls.owner,
        "ACE_DATA_DIR": str(tmp_path),
        "ACE_PUBLIC_URL": "https://ace.test",
    }

    def run(*arguments: str) -> Result:
        return CliRunner(env=environ).invoke(user, arguments)

    return run


@pytest.fixture
def grace(ace: Ace) -> str:
    """Grace is an instructor; her id."""
    made = ace("create", EMAIL, "--role", "instructor", "--password", PASSWORD)
    assert made.exit_code == 0, made.output
    return made.output.split()[1]


def row(cloned: ClonedDatabase, query: bytes) -> tuple[Any, ...]:
    found = cloned.keeper.execute(query).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize(("options", "must_change"), [((), False), (("--temporary",), True)])
def test_a_temporary_password_has_to_be_changed(
    ace: Ace, cloned: ClonedDatabase, options: tuple[str, ...], must_change: bool
) -> None:
    made = ace("create", EMAIL, "--role", "admin", "--password", PASSWORD, *options)
    assert made.exit_code == 0, made.output
    assert row(cloned, b"select role, must_change_password from users") == ("admin", must_change)


def test_the_operator_changes_a_role_and_it_is_on_record(ace: Ace, cloned: ClonedDatabase, grace: str) -> None:
    changed = ace("role", EMAIL.upper(), "student")
    assert (changed.exit_code, changed.output) == (0, f"{EMAIL.upper()} is student\n")
    assert row(cloned, b"select role from users") == ("student",)
    recorded = row(cloned, b"select actor_id, subject from audit_log where action = 'user.changed'")
    assert recorded == (None, grace)


def test_the_last_admin_stays_one(ace: Ace, cloned: ClonedDatabase, grace: str) -> None:
    assert ace("role", EMAIL, "admin").exit_code == 0
    refused = ace("role", EMAIL, "student")
    assert refused.exit_code == 1
    assert "admin.last_admin" in refused.output
    assert row(cloned, b"select role from users") == ("admin",)


def test_a_link_to_set_a_password_is_printed_and_no_password(ace: Ace, cloned: ClonedDatabase, grace: str) -> None:
    given = ace("reset-password", EMAIL)
    page, _, token = given.output.strip().partition("#token=")
    assert (given.exit_code, page) == (0, "https://ace.test/instructor/reset-password")
    stored = row(cloned, b"select owner_id, purpose, token_hash from one_time_links")
    assert (stored[0], stored[1], bytes(stored[2])) == (grace, "reset_password", link_hash(token))
    recorded = b"select actor_id, subject, before, after from audit_log where action = 'user.reset_link_given'"
    assert row(cloned, recorded) == (None, grace, None, None)


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("role", "nobody@example.org", "admin"), 1, "user.not_found"),
        (("role", "nobody", "admin"), 1, "request.invalid"),
        (("role", EMAIL, "emperor"), 2, "emperor"),
        (("reset-password", "nobody@example.org"), 1, "user.not_found"),
        (("reset-password", "nobody"), 1, "request.invalid"),
        (("create", "nobody", "--password", PASSWORD), 1, "request.invalid"),
        (("create", "a@example.org", "--password", "short", "--temporary"), 1, "auth.password_refused"),
    ],
)
def test_a_refusal_is_told_with_its_code(ace: Ace, arguments: tuple[str, ...], status: int, code: str) -> None:
    refused = ace(*arguments)
    assert refused.exit_code == status
    assert code in refused.output
    assert "Traceback" not in refused.output


def test_asvs_6_3_2_an_account_that_the_settings_ask_for_has_to_change_its_password(cloned: ClonedDatabase) -> None:
    """It stands in the settings of whoever installs. Asked for again, nothing is changed."""
    account = Account(email=EMAIL, password=PASSWORD)
    settings = Settings(database_url=cloned.urls.app, secret_keys=(SECRET,), bootstrap_admin=account)
    assert bootstrap(settings) == [EMAIL]
    assert row(cloned, b"select role, must_change_password from users") == ("admin", True)
    cloned.keeper.execute("update users set must_change_password = false")
    assert bootstrap(settings) == []
    assert row(cloned, b"select must_change_password from users") == (False,)
