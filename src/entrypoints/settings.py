"""Settings: environment variables over an optional JSON file, validated together, all problems told at once."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from entrypoints import setting_values as values

T = TypeVar("T")


class Environment(StrEnum):
    """Where the server runs; `production` allows no default that is known to others."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """One or more settings are wrong; `problems` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person to be created once at migration. The password is never shown."""

    email: str
    password: str

    def __repr__(self) -> str:
        return f"Account(email={self.email!r})"


class BetterAuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The better-auth door. Where None stands, the default depends on other settings: `secrets` are those of the
    server, the door counts requests in production only, and takes bearer tokens anywhere else.
    """

    served: bool = True
    secrets: tuple[str, ...] = ()
    bearer: bool | None = None
    rate_limit: bool | None = None
    session_seconds: int = 7 * 86_400
    update_age_seconds: int = 86_400
    fresh_age_seconds: int = 86_400
    cookie_cache_seconds: int = 0
    require_email_verification: bool = False
    send_on_sign_in: bool = False
    auto_sign_in_after_verification: bool = False
    revoke_sessions_on_reset: bool = True
    delete_user: bool = True
    min_password_length: int = 8


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Durations are seconds; see docs/operations.md for the meaning of each."""

    environment: Environment = Environment.DEVELOPMENT
    database_url: str | None = None
    owner_database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    data_dir: Path = Path(".data")
    secret_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    trusted_origins: tuple[str, ...] = ()
    public_url: str | None = None
    mail_server: values.MailServer | None = None
    mail_from: str | None = None
    access_token_seconds: int = 900
    refresh_token_seconds: int = 7 * 86_400
    session_seconds: int = 30 * 86_400
    fresh_seconds: int = 3_600
    password_min_length: int = 8
    staff_password_min_length: int = 15
    argon2_memory_kib: int = 19_456
    argon2_passes: int = 2
    argon2_lanes: int = 1
    sign_in_failures_per_minute: int = 30
    registrations_per_ten_minutes: int = 300
    mail_requests_per_ten_minutes: int = 60
    auto_enroll_packages: tuple[str, ...] = ()
    better_auth: BetterAuthSettings = BetterAuthSettings()
    practice_platform: bool = True
    bootstrap_admin: Account | None = None
    bootstrap_instructor: Account | None = None
    db_pool_min: int = 2
    db_pool_max: int = 10
    db_prepare_threshold: int | None = 5
    db_multiplex: bool = True
    job_worker: bool = True
    docs: bool = True
    metrics: bool = True

    @property
    def embedded(self) -> bool:
        """Whether the server brings its own PostgreSQL."""
        return self.database_url is None

    @property
    def secure(self) -> bool:
        """Whether clients reach the server by https, so that cookies must be Secure."""
        return (self.public_url or "").startswith("https://")

    @property
    def base_url(self) -> str:
        """What every link begins with that is sent to people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def sender(self) -> str:
        """Whom mail comes from."""
        host = values.host_of(self.base_url)
        return self.mail_from or f"Ace <no-reply@{'localhost' if host.startswith('[') else host}>"

    @property
    def outbox(self) -> Path:
        """Where mail is put as files if there is no mail server."""
        return self.data_dir / "outbox"

    @property
    def takes_door_bearer(self) -> bool:
        """Whether the token of the better-auth door opens anything outside of its cookie."""
        bearer = self.better_auth.bearer
        return self.environment is not Environment.PRODUCTION if bearer is None else bearer

    @property
    def counts_door_requests(self) -> bool:
        """Whether the better-auth door bounds how often anybody asks."""
        counts = self.better_auth.rate_limit
        return self.environment is Environment.PRODUCTION if counts is None else counts

    @property
    def keeps_mail_secret(self) -> bool:
        """In production a connection to another machine must not be read, whatever the mail server offers."""
        server = self.mail_server
        if server is None or server.is_here:
            return False
        return self.environment is Environment.PRODUCTION or server.credentials is not None


_Field = tuple[str, str, Callable[[str], Any], str]
_YEAR = 31_536_000
_FIELDS: tuple[_Field, ...] = (
    ("environment", "ACE_ENVIRONMENT", Environment, f"one of {', '.join(Environment)}"),
    ("database_url", "DATABASE_URL", values.postgres_url, "a postgresql:// address"),
    ("owner_database_url", "ACE_OWNER_DATABASE_URL", values.postgres_url, "a postgresql:// address"),
    ("host", "ACE_HOST", str, "a host name or address"),
    ("port", "ACE_PORT", values.between(0, 65_535), "a port from 0 to 65535"),
    ("workers", "ACE_WORKERS", values.between(1, 64), "a number from 1 to 64"),
    ("data_dir", "ACE_DATA_DIR", Path, "a folder"),
    ("secret_keys", "ACE_SECRET_KEY", values.secret_keys, "random keys of at least 32 bytes, separated by commas"),
    ("cors_origins", "ACE_CORS_ORIGINS", values.origins, "a comma-separated list of origins, or *"),
    ("allowed_hosts", "ACE_ALLOWED_HOSTS", values.items, "a comma-separated list of host names"),
    ("trusted_proxies", "ACE_TRUSTED_PROXIES", values.networks, "a comma-separated list of addresses or networks"),
    (
        "trusted_origins",
        "ACE_TRUSTED_ORIGINS",
        values.trusted_origins,
        "a comma-separated list of origins, also https://*.example.org or myapp://",
    ),
    ("public_url", "ACE_PUBLIC_URL", values.http_url, "an http:// or https:// address"),
    ("mail_server", "ACE_SMTP_URL", values.mail_server, "smtp:// or smtps://, user:password@ if need be, host, port"),
    ("mail_from", "ACE_MAIL_FROM", values.mail_from, "an e-mail address, or a name and <address>"),
    ("access_token_seconds", "ACE_ACCESS_TOKEN_SECONDS", values.between(60, 86_400), "60 to 86400"),
    ("refresh_token_seconds", "ACE_REFRESH_TOKEN_SECONDS", values.between(60, 31_536_000), "60 to 31536000"),
    ("session_seconds", "ACE_SESSION_SECONDS", values.between(60, 31_536_000), "60 to 31536000"),
    ("fresh_seconds", "ACE_FRESH_SECONDS", values.between(60, 86_400), "60 to 86400"),
    ("password_min_length", "ACE_PASSWORD_MIN_LENGTH", values.between(8, 64), "8 to 64"),
    ("staff_password_min_length", "ACE_STAFF_PASSWORD_MIN_LENGTH", values.between(8, 64), "8 to 64"),
    ("argon2_memory_kib", "ACE_ARGON2_MEMORY_KIB", values.between(19_456, 1_048_576), "19456 to 1048576"),
    ("argon2_passes", "ACE_ARGON2_PASSES", values.between(2, 20), "2 to 20"),
    ("argon2_lanes", "ACE_ARGON2_LANES", values.between(1, 8), "1 to 8"),
    ("sign_in_failures_per_minute", "ACE_SIGN_IN_FAILURES_PER_MINUTE", values.between(1, 1_000_000), "1 to 1000000"),
    (
        "registrations_per_ten_minutes",
        "ACE_REGISTRATIONS_PER_TEN_MINUTES",
        values.between(1, 1_000_000),
        "1 to 1000000",
    ),
    (
        "mail_requests_per_ten_minutes",
        "ACE_MAIL_REQUESTS_PER_TEN_MINUTES",
        values.between(1, 1_000_000),
        "1 to 1000000",
    ),
    ("auto_enroll_packages", "ACE_AUTO_ENROLL_PACKAGES", values.packages, "a comma-separated list of slugs or ids"),
    ("practice_platform", "ACE_PRACTICE_PLATFORM", values.switch, "on or off"),
    ("db_pool_min", "ACE_DB_POOL_MIN", values.between(1, 200), "1 to 200"),
    ("db_pool_max", "ACE_DB_POOL_MAX", values.between(1, 200), "1 to 200"),
    ("db_prepare_threshold", "ACE_DB_PREPARE_THRESHOLD", values.threshold, "a number, or 0 or off"),
    ("db_multiplex", "ACE_DB_MULTIPLEX", values.switch, "on or off"),
    ("job_worker", "ACE_JOB_WORKER", values.switch, "on or off"),
    ("docs", "ACE_DOCS", values.switch, "on or off"),
    ("metrics", "ACE_METRICS", values.switch, "on or off"),
)
_BETTER_AUTH_FIELDS: tuple[_Field, ...] = (
    ("served", "ACE_BETTER_AUTH", values.switch, "on or off"),
    ("secrets", "ACE_BETTER_AUTH_SECRET", values.given_secrets, "secrets of at least 32 bytes, separated by commas"),
    ("bearer", "ACE_BETTER_AUTH_BEARER", values.switch, "on or off"),
    ("rate_limit", "ACE_BETTER_AUTH_RATE_LIMIT", values.switch, "on or off"),
    ("session_seconds", "ACE_BETTER_AUTH_SESSION_SECONDS", values.between(1, _YEAR), f"1 to {_YEAR}"),
    ("update_age_seconds", "ACE_BETTER_AUTH_UPDATE_AGE_SECONDS", values.between(0, _YEAR), f"0 to {_YEAR}"),
    ("fresh_age_seconds", "ACE_BETTER_AUTH_FRESH_AGE_SECONDS", values.between(0, _YEAR), f"0 to {_YEAR}"),
    ("cookie_cache_seconds", "ACE_BETTER_AUTH_COOKIE_CACHE_SECONDS", values.between(0, 3_600), "0 to 3600"),
    ("require_email_verification", "ACE_BETTER_AUTH_REQUIRE_EMAIL_VERIFICATION", values.switch, "on or off"),
    ("send_on_sign_in", "ACE_BETTER_AUTH_SEND_ON_SIGN_IN", values.switch, "on or off"),
    ("auto_sign_in_after_verification", "ACE_BETTER_AUTH_AUTO_SIGN_IN_AFTER_VERIFICATION", values.switch, "on or off"),
    ("revoke_sessions_on_reset", "ACE_BETTER_AUTH_REVOKE_SESSIONS_ON_RESET", values.switch, "on or off"),
    ("delete_user", "ACE_BETTER_AUTH_DELETE_USER", values.switch, "on or off"),
    ("min_password_length", "ACE_BETTER_AUTH_MIN_PASSWORD_LENGTH", values.between(8, 64), "8 to 64"),
)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises `SettingsError` with every problem found."""
    reader = _Reader(os.environ if environ is None else environ)
    given = reader.read_all(_FIELDS)
    given["better_auth"] = BetterAuthSettings(**reader.read_all(_BETTER_AUTH_FIELDS))
    for field in ("bootstrap_admin", "bootstrap_instructor"):
        given[field] = reader.account(f"ACE_{field.upper()}")
    settings = Settings(**given)
    problems = reader.problems + reader.unknown() + _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return _with_own_host(settings)


def with_development_secrets(settings: Settings) -> Settings:
    """Outside production a missing secret is generated once and kept in the data folder, readable by its owner only."""
    if settings.secret_keys or settings.environment is Environment.PRODUCTION:
        return settings
    path = settings.data_dir / "secret-key"
    try:
        secret = _kept_secret(path)
    except OSError as error:
        raise SettingsError([f"ACE_DATA_DIR: {path} cannot be used ({error.strerror})"]) from None
    except ValueError:
        reason = "holds no fit secret; remove the file, and the next start makes a new one"
        raise SettingsError([f"ACE_SECRET_KEY: {path} {reason}"]) from None
    return msgspec.structs.replace(settings, secret_keys=(secret,))


def _kept_secret(path: Path) -> str:
    """The secret in this file, which is there as a whole or not at all, however many start at once or are cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _place_secret(path, os.link)
    if len(path.read_bytes().strip()) < values.MINIMAL_SECRET_BYTES:
        # Cut off by a crash or a full disk: nothing that matters was ever signed with it.
        _place_secret(path, os.replace)
    secret = path.read_text().strip()
    if values.secret_keys(secret) != (secret,):
        raise ValueError("expected one key")
    return secret


def _place_secret(path: Path, place: Callable[[str, Path], None]) -> None:
    """A new secret gets its name when it is on the disk. Linked into place, whoever came first wins."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            place(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _with_own_host(settings: Settings) -> Settings:
    """In production no other host name is answered than the public one, unless others are named."""
    if settings.environment is not Environment.PRODUCTION or settings.allowed_hosts or settings.public_url is None:
        return settings
    host = values.host_of(settings.public_url)
    return msgspec.structs.replace(settings, allowed_hosts=(host,))


class _Reader:
    """Reads one setting after the other and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ
        self._known = {"ACE_CONFIG_FILE"}
        self._file = self._read_file(environ.get("ACE_CONFIG_FILE"))

    def read(self, name: str, parse: Callable[[str], T], expected: str) -> tuple[T] | None:
        """The value in a tuple of one, or None where the setting is absent or wrong (and then noted)."""
        self._known.add(name)
        text = self._environ.get(name) or self._file.get(name)
        if not text:
            return None
        try:
            return (parse(text),)
        except ValueError as error:
            self.problems.append(f"{name}: expected {expected}" + (f" ({error})" if str(error) else ""))
            return None

    def read_all(self, fields: Iterable[_Field]) -> dict[str, Any]:
        """What is given of these, by the name of the field."""
        found = {field: self.read(name, parse, expected) for field, name, parse, expected in fields}
        return {field: value[0] for field, value in found.items() if value is not None}

    def account(self, prefix: str) -> Account | None:
        email = self.read(f"{prefix}_EMAIL", str, "an e-mail address")
        password = self.read(f"{prefix}_PASSWORD", str, "a password")
        if email and password:
            return Account(email=email[0], password=password[0])
        if email or password:
            self.problems.append(f"{prefix}_EMAIL and {prefix}_PASSWORD go together: one of them is missing")
        return None

    def unknown(self) -> list[str]:
        """A misspelt setting is a problem, not a silent default."""
        names = [name for name in (*self._environ, *self._file) if name.startswith("ACE_")]
        return [f"{name}: there is no such setting" for name in sorted(set(names) - self._known)]

    def _read_file(self, path: str | None) -> dict[str, str]:
        if not path:
            return {}
        try:
            content: Any = json.loads(Path(path).read_text())
        except (OSError, ValueError) as error:
            self.problems.append(f"ACE_CONFIG_FILE: {path} cannot be read ({error})")
            return {}
        if not isinstance(content, dict):
            self.problems.append("ACE_CONFIG_FILE: expected a JSON object of setting names and values")
            return {}
        return {name: _as_text(value) for name, value in content.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)


def _contradictions(settings: Settings) -> list[str]:
    """What is wrong about several settings together, and what production does not allow."""
    problems = []
    if settings.db_pool_min > settings.db_pool_max:
        problems.append("ACE_DB_POOL_MIN: must not be above ACE_DB_POOL_MAX")
    if settings.refresh_token_seconds > settings.session_seconds:
        problems.append("ACE_REFRESH_TOKEN_SECONDS: must not be above ACE_SESSION_SECONDS")
    if settings.access_token_seconds > settings.refresh_token_seconds:
        problems.append("ACE_ACCESS_TOKEN_SECONDS: must not be above ACE_REFRESH_TOKEN_SECONDS")
    if settings.environment is Environment.PRODUCTION:
        problems += _production_contradictions(settings)
    return problems


def _production_contradictions(settings: Settings) -> list[str]:
    problems = []
    if not settings.secret_keys:
        problems.append("ACE_SECRET_KEY: production needs its own secret of at least 32 bytes")
    if settings.database_url is None:
        problems.append("DATABASE_URL: production needs its own PostgreSQL")
    if not settings.secure:
        problems.append(
            "ACE_PUBLIC_URL: production needs the https:// address of the server, so that cookies are Secure"
        )
    problems += _weak_secrets(settings)
    if "*" in settings.cors_origins:
        problems.append("ACE_CORS_ORIGINS: * is not allowed in production, because answers carry credentials")
    return problems


def _weak_secrets(settings: Settings) -> list[str]:
    try:
        for secret in settings.better_auth.secrets:
            values.refuse_weak(secret)
    except ValueError as error:
        return [f"ACE_BETTER_AUTH_SECRET: production needs random secrets ({error})"]
    return []
