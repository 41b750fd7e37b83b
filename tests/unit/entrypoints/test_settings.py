"""Settings are validated together, and production accepts no default that others know."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.settings import Account, Environment, Settings, SettingsError, load, with_development_secrets

SECRET = "k3J9-d8sPq_72mZx-w01nBvC-yT5uE6rA"
PRODUCTION = {
    "ACE_ENVIRONMENT": "production",
    "ACE_SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://ace_app@127.0.0.1/ace",
}


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    return caught.value.problems


def test_without_any_variable_the_defaults_of_development_hold() -> None:
    settings = load({})

    assert settings == Settings()
    assert settings.embedded
    assert (settings.host, settings.port, settings.environment) == ("127.0.0.1", 8000, Environment.DEVELOPMENT)


def test_every_problem_is_told_at_once() -> None:
    problems = problems_of(
        {"ACE_PORT": "99999", "ACE_WORKERS": "many", "ACE_SECRET_KEY": "short", "DATABASE_URL": "mysql://x"}
    )

    assert [problem.partition(":")[0] for problem in problems] == [
        "DATABASE_URL",
        "ACE_PORT",
        "ACE_WORKERS",
        "ACE_SECRET_KEY",
    ]


def test_a_misspelt_setting_is_a_problem() -> None:
    assert problems_of({"ACE_PROT": "8000"}) == ["ACE_PROT: there is no such setting"]


@pytest.mark.parametrize("missing", ["ACE_SECRET_KEY", "DATABASE_URL"])
def test_production_needs_its_own_secret_and_database(missing: str) -> None:
    assert load(PRODUCTION).environment is Environment.PRODUCTION
    assert problems_of({name: value for name, value in PRODUCTION.items() if name != missing})[0].startswith(missing)


@pytest.mark.parametrize("secret", ["x" * 40, "abcabcabcabcabcabcabcabcabcabcabcabc", "a-short-one", f"{SECRET},short"])
def test_a_weak_secret_is_refused_anywhere_in_the_ring(secret: str) -> None:
    assert problems_of({"ACE_SECRET_KEY": secret})[0].startswith("ACE_SECRET_KEY")


def test_any_origin_together_with_credentials_is_refused_in_production() -> None:
    assert problems_of(PRODUCTION | {"ACE_CORS_ORIGINS": "*"})[0].startswith("ACE_CORS_ORIGINS")


@pytest.mark.parametrize("origin", ["portal.example", "https://portal.example/path", "https://portal.example/"])
def test_what_is_not_an_origin_is_refused(origin: str) -> None:
    assert problems_of({"ACE_CORS_ORIGINS": origin})[0].startswith("ACE_CORS_ORIGINS")


def test_half_a_bootstrap_account_is_a_problem() -> None:
    assert "go together" in problems_of({"ACE_BOOTSTRAP_ADMIN_EMAIL": "admin@school.example"})[0]


def test_a_bootstrap_password_is_never_shown() -> None:
    settings = load({"ACE_BOOTSTRAP_ADMIN_EMAIL": "a@school.example", "ACE_BOOTSTRAP_ADMIN_PASSWORD": "hush-hush-hush"})

    assert settings.bootstrap_admin == Account(email="a@school.example", password="hush-hush-hush")
    assert "hush" not in repr(settings)


def test_settings_that_contradict_each_other_are_refused() -> None:
    assert "ACE_DB_POOL_MIN" in problems_of({"ACE_DB_POOL_MIN": "9", "ACE_DB_POOL_MAX": "3"})[0]
    assert "ACE_REFRESH_TOKEN_SECONDS" in problems_of({"ACE_SESSION_SECONDS": "60"})[0]


@pytest.mark.parametrize("text", ["0", "off", "OFF"])
def test_prepared_statements_can_be_switched_off_for_an_old_pooler(text: str) -> None:
    assert load({"ACE_DB_PREPARE_THRESHOLD": text}).db_prepare_threshold is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ace.json"
    file.write_text(
        json.dumps({"ACE_PORT": 9001, "ACE_WORKERS": 2, "ACE_DOCS": False, "ACE_CORS_ORIGINS": ["https://a.example"]})
    )

    settings = load({"ACE_CONFIG_FILE": str(file), "ACE_PORT": "9002"})

    assert (settings.port, settings.workers, settings.docs) == (9002, 2, False)
    assert settings.cors_origins == ("https://a.example",)


@pytest.mark.parametrize("content", ["not json", "[1, 2]"])
def test_a_file_that_cannot_be_used_is_a_problem(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ace.json"
    file.write_text(content)

    assert problems_of({"ACE_CONFIG_FILE": str(file)})[0].startswith("ACE_CONFIG_FILE")


def test_the_development_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    settings = load({"ACE_DATA_DIR": str(tmp_path / "data")})

    first, second = with_development_secrets(settings), with_development_secrets(settings)

    assert first.secret_keys == second.secret_keys
    assert len(first.secret_keys[0]) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "secret-key").stat().st_mode) == 0o600


@given(
    st.dictionaries(
        st.sampled_from(["ACE_PORT", "ACE_WORKERS", "ACE_DOCS", "ACE_TRUSTED_PROXIES"]), st.text(max_size=20)
    )
)
def test_no_text_breaks_the_reading_of_settings(environ: dict[str, str]) -> None:
    """Whatever stands in a variable, the outcome is settings or a list of problems."""
    try:
        outcome: object = load(environ)
    except SettingsError as error:
        outcome = error.problems

    assert isinstance(outcome, Settings) or outcome
