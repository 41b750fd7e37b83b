"""docs/security.md says what the code does: each number, each key, each place where cryptography is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from argon2 import extract_parameters

from adapters.security import csrf_tokens
from adapters.security.keys import MINIMAL_SECRET_BYTES
from adapters.security.passwords import ArgonPasswordHasher
from application.auth import mailed_links
from application.auth.mailing import PER_PERSON_AND_KIND
from application.auth.policy import AuthPolicy
from domain.auth.common_passwords import listed
from domain.auth.cookie_sessions import SECRET_LENGTH
from domain.auth.guessing import GuessingRules
from domain.auth.limits import DEFAULT_LIMIT, MAX_LIMIT
from domain.auth.links import DOOR_TOKEN_LENGTH, LinkPurpose
from domain.auth.passwords import CONTEXT_WORDS, MAX_PASSWORD_LENGTH
from domain.auth.refresh import TOKEN_BYTES
from domain.auth.throttling import UNSETTLED
from entrypoints import setting_values
from entrypoints.container import Container
from entrypoints.http.areas import AREAS
from entrypoints.http.auth import Portal
from entrypoints.http.auth_bodies import Delivery
from entrypoints.http.better_auth.rate_limit import burst_of
from entrypoints.quotas import guessing_rules, quotas_of
from entrypoints.settings import Settings

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "docs" / "security.md").read_text()


# What the document calls the ways in which tokens travel.
_TRAVELS = {Delivery.COOKIE: "cookies", Delivery.BODY: "bearer"}


def rows(*columns: str) -> Iterator[list[str]]:
    """The rows of every table with these columns."""
    head = "| " + " | ".join(columns) + " |\n"
    for table in _TEXT.split(head)[1:]:
        for line in table.split("\n\n")[0].splitlines()[1:]:
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def stated() -> dict[str, int]:
    """The numbers of the document by name."""
    found = list(rows("Name", "Value", "Meaning"))
    values = {row[0].strip("`"): int(row[1]) for row in found}
    assert len(values) == len(found), "a name stands twice"
    return values


@pytest.fixture(scope="module")
def actual() -> Mapping[str, int]:
    """The same numbers, from where they are decided."""
    settings = Settings(secret_keys=("signs nothing here" * 3,))
    container = Container(settings=settings)
    policy: AuthPolicy = container.auth_policy()
    rules, quotas = guessing_rules(settings), quotas_of(settings)
    hasher: ArgonPasswordHasher = container.password_hasher()
    argon2 = extract_parameters(hasher._decoy)
    hasher.close()
    assert quotas["registration"].window.total_seconds() == quotas["mail-request"].window.total_seconds() == 600
    assert {quotas[name].window.total_seconds() for name in ("link", "import")} == {60}
    assert rules.address.window.total_seconds() == 60
    assert PER_PERSON_AND_KIND.window.total_seconds() == 3600
    assert rules.account == GuessingRules().account
    return _of_the_door(container) | {
        "ACE_ACCESS_TOKEN_SECONDS": policy.access_seconds,
        "ACE_REFRESH_TOKEN_SECONDS": policy.refresh_idle_seconds,
        "ACE_SESSION_SECONDS": policy.session_seconds,
        "AuthPolicy.grace_seconds": policy.grace_seconds,
        "AuthPolicy.leeway_seconds": policy.leeway_seconds,
        "ACE_FRESH_SECONDS": policy.fresh_seconds,
        **{f"LinkPurpose.{purpose.name}": int(purpose.life.total_seconds()) for purpose in LinkPurpose},
        "ACE_PASSWORD_MIN_LENGTH": policy.student_min_length,
        "ACE_STAFF_PASSWORD_MIN_LENGTH": policy.staff_min_length,
        "MAX_PASSWORD_LENGTH": MAX_PASSWORD_LENGTH,
        "common passwords": len(listed()),
        "ACE_ARGON2_MEMORY_KIB": argon2.memory_cost,
        "ACE_ARGON2_PASSES": argon2.time_cost,
        "ACE_ARGON2_LANES": argon2.parallelism,
        "argon2 salt bytes": argon2.salt_len,
        "argon2 hash bytes": argon2.hash_len,
        "Lockout.free": rules.account.free,
        "Lockout.first_pause": int(rules.account.first_pause.total_seconds()),
        "Lockout.longest_pause": int(rules.account.longest_pause.total_seconds()),
        "Lockout.stop": rules.account.stop,
        "pair failures": rules.pair.limit,
        "pair window": int(rules.pair.window.total_seconds()),
        "ACE_SIGN_IN_FAILURES_PER_MINUTE": rules.address.limit,
        "ACE_REGISTRATIONS_PER_TEN_MINUTES": quotas["registration"].limit,
        "ACE_MAIL_REQUESTS_PER_TEN_MINUTES": quotas["mail-request"].limit,
        "mails per hour": PER_PERSON_AND_KIND.limit,
        "links per minute": quotas["link"].limit,
        "imports per minute": quotas["import"].limit,
        "seconds until an attempt counts as failed": int(UNSETTLED.total_seconds()),
        "DEFAULT_LIMIT": DEFAULT_LIMIT,
        "MAX_LIMIT": MAX_LIMIT,
        "secret bytes": MINIMAL_SECRET_BYTES,
        "token bytes": TOKEN_BYTES,
        "csrf bytes": csrf_tokens._RANDOM_BYTES,
    }


def _of_the_door(container: Container) -> dict[str, int]:
    """The numbers of the better-auth door."""
    life, door = container.auth_policy().cookie_life, container.settings().better_auth
    bursts = {path: burst_of(path) for path in ("/get-session", "/sign-in/email", "/request-password-reset")}
    assert [burst.window.total_seconds() for burst in bursts.values()] == [10, 10, 60]
    return {
        "ACE_BETTER_AUTH_SESSION_SECONDS": int(life.lasts.total_seconds()),
        "ACE_BETTER_AUTH_UPDATE_AGE_SECONDS": int(life.renewed_after.total_seconds()),
        "ACE_BETTER_AUTH_FRESH_AGE_SECONDS": int(life.fresh_for.total_seconds()),
        "CookieLife.unremembered": int(life.unremembered.total_seconds()),
        "ACE_BETTER_AUTH_COOKIE_CACHE_SECONDS": door.cookie_cache_seconds,
        "ACE_BETTER_AUTH_MIN_PASSWORD_LENGTH": container.door_policy().student_min_length,
        "verification token seconds": int(mailed_links._VERIFIED_WITHIN.total_seconds()),
        "door requests per 10 seconds": bursts["/get-session"].limit,
        "door credentials per 10 seconds": bursts["/sign-in/email"].limit,
        "door mails per minute": bursts["/request-password-reset"].limit,
        "door token letters": SECRET_LENGTH,
        "door link letters": DOOR_TOKEN_LENGTH,
    }


def test_asvs_6_1_1_and_7_1_1_and_7_1_2_every_stated_value_is_the_default(actual: Mapping[str, int]) -> None:
    assert stated() == actual


def test_every_quota_of_a_route_is_stated() -> None:
    assert set(quotas_of(Settings())) == {"registration", "mail-request", "link", "import"}


def test_asvs_6_1_2_the_words_that_make_no_password_are_told() -> None:
    told = re.search(r"nothing but the words(.*?)\. Passwords", _TEXT, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == CONTEXT_WORDS


def test_asvs_6_1_3_and_7_1_3_every_way_in_is_told() -> None:
    """Each portal that is served, and every way in which its tokens travel."""
    told = re.search(r"one portal \((.*?)\)", _TEXT)
    assert told is not None
    handlers = [handler for area in AREAS for handler in area.handlers]
    served = {handler.portal.value for handler in handlers if isinstance(handler, type) and issubclass(handler, Portal)}
    assert set(told[1].split(", ")) == served
    ways = [row[0] for row in rows("Way", "Who uses it", "How")]
    door, platform = Settings().better_auth.served, Settings().practice_platform
    assert ways == [
        *(f"Portal, by {_TRAVELS[delivery]}" for delivery in Delivery),
        *(f"better-auth door, by {way}" for way in ("cookie", "bearer") if door),
        *("Practice platform, by bearer" for _ in range(platform)),
    ]


def test_asvs_11_1_1_every_key_and_every_secret_setting_is_told() -> None:
    told = "\n".join(" ".join(row) for row in rows("Secret", "What it does", "Where it is kept"))
    sources = "\n".join(path.read_text() for path in (_ROOT / "src").rglob("*.py"))
    purposes = re.findall(r'key_ring\(\w+, "([\w-]+)"\)', sources)
    assert purposes
    assert [purpose for purpose in purposes if f"`{purpose}`" not in told] == []
    for name in ("ACE_SECRET_KEY", "ACE_BETTER_AUTH_SECRET", "DATABASE_URL", "ACE_OWNER_DATABASE_URL", "ACE_SMTP_URL"):
        assert f"`{name}`" in told
    assert setting_values.MINIMAL_SECRET_BYTES == MINIMAL_SECRET_BYTES


def test_asvs_11_1_2_every_use_of_cryptography_is_told() -> None:
    told = {path for row in rows("Module", "What for") for path in re.findall(r"`(src/[\w/.]+)`", row[0])}
    uses = re.compile(
        r"^(?:import|from) (?:hashlib|hmac|secrets|random|ssl|bcrypt|argon2|jwt|cryptography)\b", re.MULTILINE
    )
    used = {
        path.relative_to(_ROOT).as_posix() for path in (_ROOT / "src").rglob("*.py") if uses.search(path.read_text())
    }
    assert told == used


def test_every_promise_names_a_test_that_is_there() -> None:
    named = [path for row in rows("Promise", "Kept by") for path in re.findall(r"`(tests/[\w/.]+)`", row[1])]
    assert named
    assert [path for path in named if not (_ROOT / path).exists()] == []


def test_every_setting_that_is_named_exists(actual: Mapping[str, Any]) -> None:
    settings = (_ROOT / "src" / "entrypoints" / "settings.py").read_text()
    named = set(re.findall(r"ACE_[A-Z_0-9]+", _TEXT))
    bootstrap = {name for name in named if name.startswith("ACE_BOOTSTRAP_")}
    assert [name for name in named - bootstrap if f'"{name}"' not in settings] == []
