"""Cookies as bytes, and which origins may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pytest
from litestar.types import Scope

from domain.auth.people import Actor, Role
from domain.auth.sessions import TokenMissing
from entrypoints.http.authentication import OriginRefused, Origins, provide_actor
from entrypoints.http.exchange import Exchange
from entrypoints.http.session_cookies import ReceivedCookies, SessionCookies, bearer_token, cookies_of


@dataclass
class Settings:
    public_url: str | None = None
    cors_origins: tuple[str, ...] = ()


def an_exchange(headers: Mapping[str, str] | None = None, *, https: bool = False) -> Exchange:
    named = {name.encode(): value.encode() for name, value in (headers or {}).items()}
    return Exchange(
        request_id="r", ip="", https=https, method="POST", started=0.0, request_headers={b"host": b"ace.test"} | named
    )


def granted(cookies: SessionCookies, session_seconds: int | None) -> list[bytes]:
    headers = cookies.granted(access="A", refresh="R", csrf="C", access_seconds=900, session_seconds=session_seconds)
    assert {name for name, _ in headers} == {b"set-cookie"}
    return [value for _, value in headers]


def test_under_https_cookies_are_bound_to_the_host_and_only_the_csrf_token_is_readable() -> None:
    assert granted(cookies_of(Settings("https://ace.test")), 60) == [
        b"__Host-ace_access=A; Max-Age=900; Path=/; SameSite=Lax; Secure; HttpOnly",
        b"__Host-ace_refresh=R; Max-Age=60; Path=/; SameSite=Lax; Secure; HttpOnly",
        b"__Host-ace_csrf=C; Max-Age=60; Path=/; SameSite=Lax; Secure",
    ]


def test_without_https_and_without_being_remembered_they_are_plain_and_last_until_the_browser_is_closed() -> None:
    assert granted(cookies_of(Settings("http://ace.test")), None) == [
        b"ace_access=A; Path=/; SameSite=Lax; HttpOnly",
        b"ace_refresh=R; Path=/; SameSite=Lax; HttpOnly",
        b"ace_csrf=C; Path=/; SameSite=Lax",
    ]


def test_clearing_names_every_cookie_and_the_pages_storage() -> None:
    assert SessionCookies(secure=True).cleared() == [
        (b"set-cookie", b"__Host-ace_access=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly"),
        (b"set-cookie", b"__Host-ace_refresh=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly"),
        (b"set-cookie", b"__Host-ace_csrf=; Max-Age=0; Path=/; SameSite=Lax; Secure"),
        (b"clear-site-data", b'"storage"'),
    ]


@pytest.mark.parametrize(
    ("header", "received"),
    [
        (None, ReceivedCookies()),
        (b"", ReceivedCookies()),
        (
            b"theme=dark; ace_access=A;ace_csrf=x.y ; ace_refresh=R",
            ReceivedCookies(access="A", refresh="R", csrf="x.y"),
        ),
        (b"ace_access=first; ace_access=second", ReceivedCookies(access="first")),
        (b"ace_access=; ace_refresh; =; ;;", ReceivedCookies()),
        (b"__Host-ace_access=A; access=B; xace_access=C", ReceivedCookies()),
        (b"ace_access=\xff\xfe", ReceivedCookies(access="ÿþ")),
    ],
)
def test_cookies_are_read_by_their_exact_names(header: bytes | None, received: ReceivedCookies) -> None:
    assert SessionCookies(secure=False).read(header) == received


def test_under_https_an_unprefixed_cookie_is_not_ours() -> None:
    """Any page of a neighbouring host could have planted it."""
    cookies = SessionCookies(secure=True)
    assert cookies.read(b"ace_access=planted; __Host-ace_access=ours") == ReceivedCookies(access="ours")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("", None),
        ("Bearer", ""),
        ("Bearerabc", None),
    ],
)
def test_a_bearer_is_named_by_its_scheme(header: str, token: str | None) -> None:
    assert bearer_token(an_exchange({"authorization": header})) == token


OWN = Settings("https://ace.test/app", cors_origins=("https://pages.test", "*"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "https://ace.test"},
        {"origin": "https://ace.test"},
        {"origin": "https://pages.test"},
        {"sec-fetch-site": "cross-site", "origin": "https://pages.test"},
    ],
)
def test_our_own_pages_allowed_ones_and_clients_that_are_no_browsers_may_ask(headers: dict[str, str]) -> None:
    Origins(OWN).check(an_exchange(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://ace.test"},
        {"origin": "https://ace.test.evil.test"},
        {"origin": "https://ace.test:8443"},
        {"origin": "*"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-site", "origin": "https://neighbour.ace.test"},
        {"sec-fetch-site": "nonsense"},
        {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
    ],
)
def test_foreign_pages_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(OriginRefused):
        Origins(OWN).check(an_exchange(headers))


def test_without_a_public_address_the_host_that_was_asked_is_our_own() -> None:
    origins = Origins(Settings())
    origins.check(an_exchange({"origin": "http://ace.test"}))
    origins.check(an_exchange({"origin": "https://ace.test"}, https=True))
    for foreign in ("https://ace.test", "http://evil.test"):
        with pytest.raises(OriginRefused):
            origins.check(an_exchange({"origin": foreign}))
    hostless = an_exchange({"origin": "http://ace.test"})
    del hostless.request_headers[b"host"]
    with pytest.raises(OriginRefused):
        origins.check(hostless)


def test_a_route_that_asks_for_the_actor_without_naming_its_callers_refuses_everybody() -> None:
    with pytest.raises(TokenMissing):
        provide_actor(cast("Scope", {"type": "http"}))
    actor = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
    assert provide_actor(cast("Scope", {"type": "http", "user": actor})) is actor
