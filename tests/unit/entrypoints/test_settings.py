"""Settings are validated together, and production accepts no default that others know."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entrypoints.cli.documents
from entrypoints.container import Container
from entrypoints.settings import Account, Environment, Settings, SettingsError, load, with_development_secrets

SECRET = "k3J9-d8sPq_72mZx-w01nBvC-yT5uE6rA"
PRODUCTION = {
    "ACE_ENVIRONMENT": "production",
    "ACE_SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://ace_app@127.0.0.1/ace",
    "ACE_PUBLIC_URL": "https://exams.school.test",
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


@pytest.mark.parametrize("missing", ["ACE_SECRET_KEY", "DATABASE_URL", "ACE_PUBLIC_URL"])
def test_production_needs_its_own_secret_database_and_address(missing: str) -> None:
    assert load(PRODUCTION).environment is Environment.PRODUCTION
    problems = problems_of({name: value for name, value in PRODUCTION.items() if name != missing})
    assert [problem.partition(":")[0] for problem in problems] == [missing]


def test_production_is_reached_by_https_because_cookies_must_be_secure() -> None:
    assert load(PRODUCTION).secure
    assert problems_of(PRODUCTION | {"ACE_PUBLIC_URL": "http://exams.school.test"})[0].startswith("ACE_PUBLIC_URL")
    assert not load({"ACE_PUBLIC_URL": "http://exams.school.test"}).secure


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Exams.School.test:8443/", "exams.school.test"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]"),
        ("https://192.0.2.7", "192.0.2.7"),
    ],
)
def test_production_answers_the_public_host_only_unless_others_are_named(url: str, host: str) -> None:
    environ = PRODUCTION | {"ACE_PUBLIC_URL": url}
    assert load(environ).allowed_hosts == (host,)
    assert load(environ | {"ACE_ALLOWED_HOSTS": "a.test, b.test"}).allowed_hosts == ("a.test", "b.test")
    assert load(environ | {"ACE_ENVIRONMENT": "development"}).allowed_hosts == ()


@pytest.mark.parametrize(
    "secret",
    [
        "x" * 40,
        "abcabcabcabcabcabcabcabcabcabcabcabc",
        "a-short-one",
        f"{SECRET},short",
        "01234567890123456789012345678901234567890",
        "k3J9-d8sPq_72mZx" * 2,
        "k3J9-d8sPq_72mZx" * 2 + "k3J9",
        "ChangeMe-please-ChangeMe-0123456789-ChangeMe",
        "change_me_before_you_go_live_0123456789",
        "this-is-the-default-key-of-the-installation-guide",
        "please-use-your-own-SECRET-key-in-production-0123456789",
        "an.example.with.enough.characters.to.be.long",
        "correct-horse-battery-staple-Password-1234567890",
    ],
)
def test_a_weak_secret_is_refused_anywhere_in_the_ring(secret: str) -> None:
    assert problems_of({"ACE_SECRET_KEY": secret})[0].startswith("ACE_SECRET_KEY")
    assert problems_of({"ACE_SECRET_KEY": f"{SECRET},{secret}"})[0].startswith("ACE_SECRET_KEY")


def test_the_secret_of_an_application_that_moves_in_is_taken_as_it_is() -> None:
    """How it came about matters where something is at stake, its length everywhere."""
    chosen = "the-secret-that-the-application-had"
    assert load({"ACE_BETTER_AUTH_SECRET": f"{chosen},{SECRET}"}).better_auth.secrets == (chosen, SECRET)
    assert problems_of({"ACE_BETTER_AUTH_SECRET": chosen[:31]})[0].startswith("ACE_BETTER_AUTH_SECRET")
    assert problems_of({**PRODUCTION, "ACE_BETTER_AUTH_SECRET": chosen})[0].startswith("ACE_BETTER_AUTH_SECRET")
    assert load({**PRODUCTION, "ACE_BETTER_AUTH_SECRET": secrets.token_urlsafe(48)}).better_auth.secrets


def test_the_secret_that_documents_are_rendered_with_is_refused() -> None:
    source = Path(entrypoints.cli.documents.__file__).read_text()
    written = re.findall(r'secret_keys=\("([^"]+)"', source)
    assert written
    for secret in written:
        assert problems_of({"ACE_SECRET_KEY": secret})[0].startswith("ACE_SECRET_KEY")


def test_a_random_secret_is_always_accepted() -> None:
    for _ in range(2_000):
        secret = secrets.token_urlsafe(48)
        assert load({"ACE_SECRET_KEY": secret}).secret_keys == (secret,)


@given(
    word=st.sampled_from(["secret", "CHANGE-ME", "password", "Example", "default", "changeme"]),
    place=st.integers(0, 56),
)
def test_a_random_secret_in_which_chance_wrote_a_word_is_accepted(word: str, place: int) -> None:
    chance = secrets.token_urlsafe(48)
    secret = chance[:place] + word + chance[place + len(word) :]
    assert load({"ACE_SECRET_KEY": secret}).secret_keys == (secret,)


def test_any_origin_together_with_credentials_is_refused_in_production() -> None:
    assert problems_of(PRODUCTION | {"ACE_CORS_ORIGINS": "*"})[0].startswith("ACE_CORS_ORIGINS")


NO_ADDRESSES = [
    "portal.example",
    "ftp://portal.example",
    "http://",
    "https:///",
    "https:portal.example",
    "https://:8000",
    "https://portal.example:",
    "https://portal.example:0",
    "https://portal.example:65536",
    "https://portal.example:1_0",
    "https://portal.example:\u0663",
    "https://portal.example:port",
    "https://portal.example/path",
    "https://portal.example//",
    "https://portal.example?",
    "https://portal.example?query",
    "https://portal.example#part",
    "https://user@portal.example",
    "https://user:word@portal.example",
    "https://portal example",
    "https://portal\t.example",
    "https://portal.example\\@other.example",
    "https://portal..example",
    "https://-.example",
    "https://*.example",
    "https://b\u00fccher.example",
    "https://256.0.0.1",
    "https://[::1",
    "https://[nonsense]",
]


@pytest.mark.parametrize("origin", [*NO_ADDRESSES, "https://portal.example/", "null"])
def test_what_is_not_an_origin_is_refused(origin: str) -> None:
    assert problems_of({"ACE_CORS_ORIGINS": origin})[0].startswith("ACE_CORS_ORIGINS")


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_a_public_address_is_a_scheme_a_host_and_a_port(url: str) -> None:
    assert problems_of({"ACE_PUBLIC_URL": url})[0].startswith("ACE_PUBLIC_URL")


def test_addresses_are_kept_as_browsers_write_them() -> None:
    """A browser's `Origin` is in lower case and without the port that the scheme implies."""
    settings = load(
        {"ACE_CORS_ORIGINS": "HTTPS://Portal.Example:443, http://a_b:8080", "ACE_PUBLIC_URL": "https://Ace.test/"}
    )
    assert settings.cors_origins == ("https://portal.example", "http://a_b:8080")
    assert settings.public_url == "https://ace.test"


def test_packages_for_new_students_are_named_by_slug_or_id_each_once() -> None:
    assert load({}).auto_enroll_packages == ()
    names = "network, pkg_01m7y0w5089re0wwbvvzgw20sf,web-2,network ,"
    assert load({"ACE_AUTO_ENROLL_PACKAGES": names}).auto_enroll_packages == (
        "network",
        "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "web-2",
    )


@pytest.mark.parametrize("names", ["Network", "net work", "network;web", "-a", "a--b", "network,\u00fc", "a\nb"])
def test_what_can_be_no_package_is_refused(names: str) -> None:
    assert problems_of({"ACE_AUTO_ENROLL_PACKAGES": names})[0].startswith("ACE_AUTO_ENROLL_PACKAGES")


@given(st.text(max_size=30))
def test_whatever_follows_the_scheme_gives_an_address_or_a_problem(rest: str) -> None:
    try:
        outcome = str(load({"ACE_PUBLIC_URL": "https://" + rest}).public_url)
    except SettingsError as error:
        outcome = error.problems[0]

    assert re.fullmatch(
        r"ACE_PUBLIC_URL: .*|https://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?", outcome, re.DOTALL
    )


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0"])
def test_nobody_trusts_the_whole_world_as_a_proxy(networks: str) -> None:
    assert problems_of({"ACE_TRUSTED_PROXIES": networks})[0].startswith("ACE_TRUSTED_PROXIES")
    assert load({"ACE_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}).trusted_proxies == ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize("number", ["1_0", "+10", "-1", " 10", "10 ", "\u0661\u0660", "\u00b2", "1e1", "0x10", "10.0"])
@pytest.mark.parametrize("name", ["ACE_WORKERS", "ACE_PORT", "ACE_DB_PREPARE_THRESHOLD"])
def test_numbers_are_plain_digits(name: str, number: str) -> None:
    assert problems_of({name: number})[0].startswith(name)


def test_how_long_a_sign_in_is_fresh_is_set_within_bounds_and_handed_on() -> None:
    for seconds in ("60", "86400"):
        settings = load({"ACE_FRESH_SECONDS": seconds, "ACE_SECRET_KEY": SECRET})
        assert Container(settings=settings).auth_policy().freshness == timedelta(seconds=int(seconds))
    for seconds in ("59", "86401"):
        assert problems_of({"ACE_FRESH_SECONDS": seconds})[0].startswith("ACE_FRESH_SECONDS")


def test_half_a_bootstrap_account_is_a_problem() -> None:
    assert "go together" in problems_of({"ACE_BOOTSTRAP_ADMIN_EMAIL": "admin@school.example"})[0]


def test_a_bootstrap_password_is_never_shown() -> None:
    settings = load({"ACE_BOOTSTRAP_ADMIN_EMAIL": "a@school.example", "ACE_BOOTSTRAP_ADMIN_PASSWORD": "hush-hush-hush"})

    assert settings.bootstrap_admin == Account(email="a@school.example", password="hush-hush-hush")
    assert "hush" not in repr(settings)


def test_settings_that_contradict_each_other_are_refused() -> None:
    assert "ACE_DB_POOL_MIN" in problems_of({"ACE_DB_POOL_MIN": "9", "ACE_DB_POOL_MAX": "3"})[0]
    assert "ACE_REFRESH_TOKEN_SECONDS" in problems_of({"ACE_SESSION_SECONDS": "60"})[0]
    assert problems_of({"ACE_REFRESH_TOKEN_SECONDS": "600"})[0].startswith("ACE_ACCESS_TOKEN_SECONDS")


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


def test_the_development_secret_can_be_handed_on_to_server_processes(tmp_path: Path) -> None:
    settled = with_development_secrets(load({"ACE_DATA_DIR": str(tmp_path)}))

    assert load({"ACE_SECRET_KEY": ",".join(settled.secret_keys)}).secret_keys == settled.secret_keys


def test_first_starters_that_race_agree_on_one_secret_and_leave_nothing_else(tmp_path: Path) -> None:
    starters = 8
    for number in range(20):
        settings, barrier = load({"ACE_DATA_DIR": str(tmp_path / str(number))}), Barrier(starters)

        def start(settings: Settings = settings, barrier: Barrier = barrier) -> tuple[str, ...]:
            barrier.wait(60)
            return with_development_secrets(settings).secret_keys

        with ThreadPoolExecutor(starters) as pool:
            kept = {each.result() for each in [pool.submit(start) for _ in range(starters)]}
        assert len(kept) == 1
        assert [entry.name for entry in settings.data_dir.iterdir()] == ["secret-key"]


def test_a_start_that_is_cut_off_leaves_no_half_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has its name only when all of it is on the disk."""
    settings = load({"ACE_DATA_DIR": str(tmp_path)})

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SettingsError) as caught:
            with_development_secrets(settings)
    assert "No space left" in caught.value.problems[0]
    assert list(tmp_path.iterdir()) == []
    assert with_development_secrets(settings).secret_keys


@pytest.mark.parametrize("left", ["", "\n", "cut-off"])
def test_a_secret_that_was_cut_off_is_replaced(tmp_path: Path, left: str) -> None:
    file = tmp_path / "secret-key"
    file.write_text(left)
    settings = load({"ACE_DATA_DIR": str(tmp_path)})

    first, second = with_development_secrets(settings), with_development_secrets(settings)

    assert first.secret_keys == second.secret_keys == (file.read_text(),)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret-key"]


@pytest.mark.parametrize("left", [b"x" * 40, b"\xff" * 40, f"{SECRET},{SECRET}".encode()])
def test_a_file_that_holds_something_else_is_left_alone_and_named(tmp_path: Path, left: bytes) -> None:
    file = tmp_path / "secret-key"
    file.write_bytes(left)

    with pytest.raises(SettingsError) as caught:
        with_development_secrets(load({"ACE_DATA_DIR": str(tmp_path)}))

    assert str(file) in caught.value.problems[0]
    assert file.read_bytes() == left


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
