"""Whether our own page asked: every route that changes something, times every way in which a foreign page could ask.

A browser sends its cookies along by itself, whoever made it send the request. Who is refused here asks the whole
application, which then must be as it was; who is let in asks one that ends where the handlers begin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from domain.auth.people import Role
from tests.support.callers import ADMITTED, Caller, Route, Wire, doorstep, settle
from tests.support.reviewed_routes import BEARER_ONLY, PROTECTED_WHERE_SIGNED_IN, ROUTES
from tests.support.whole_site import WholeSite

_FRIEND = "https://pages.school.test"
_UNSAFE: Final = {route: callers for route, callers in ROUTES.items() if route.changes}
_PUBLIC: Final = [route for route, callers in _UNSAFE.items() if not callers]
# Whoever may call it, as one who is signed in, where cookies are looked at.
_UNDER_COOKIES: Final = {
    route: callers[0] for route, callers in _UNSAFE.items() if callers and route not in BEARER_ONLY
} | dict.fromkeys(PROTECTED_WHERE_SIGNED_IN, Role.STUDENT)
# Schemes differ in how cookies are called and what our own origin is, so that under https a few routes will do.
_FEW: Final = [*{role: route for route, role in _UNDER_COOKIES.items()}.values(), Route("POST", "/student/auth/logout")]

Headers = dict[str, str]
_OWN: Final[Mapping[str, Headers]] = {
    "a browser's own page": {"origin": "{own}", "sec-fetch-site": "same-origin"},
    "an older browser's own page": {"origin": "{own}"},
    "the address bar": {"sec-fetch-site": "none"},
    "no browser": {},
    "a page that is allowed": {"origin": _FRIEND, "sec-fetch-site": "cross-site"},
}
_FOREIGN: Final[Mapping[str, Headers]] = {
    "another site": {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
    "another site, an older browser": {"origin": "https://evil.test"},
    "another site that hides": {"origin": "null", "sec-fetch-site": "cross-site"},
    "another site without a name": {"sec-fetch-site": "cross-site"},
    "a neighbour": {"origin": "https://blog.ace.test", "sec-fetch-site": "same-site"},
    "a namesake": {"origin": "{own}.evil.test"},
    "another port": {"origin": "{own}:8443"},
    "a prefix": {"origin": "{own}/"},
    "another scheme": {"origin": "ftp://ace.test"},
    "an unknown kind of site": {"sec-fetch-site": "ours, honestly"},
}


@dataclass(frozen=True)
class Site:
    """The application under one scheme: `whole` under http, and up to its handlers under both."""

    door: Wire
    own: str
    prefix: str
    whole: WholeSite
    people: Mapping[Role, Caller]

    @property
    def under_cookies(self) -> dict[Route, Role]:
        return {route: role for route, role in _UNDER_COOKIES.items() if not self.prefix or route in _FEW}

    def issue(self, role: Role) -> str:
        token: str = self.whole.container.csrf_tokens().issue(self.people[role].session_id)
        return token

    def cookies(self, role: Role, csrf: str | None) -> Headers:
        cookies = f"{self.prefix}ace_access={self.people[role].token}"
        return {"cookie": cookies if csrf is None else f"{cookies}; {self.prefix}ace_csrf={csrf}"}

    def from_page(self, headers: Headers) -> Headers:
        return {name: value.format(own=self.own) for name, value in headers.items()}

    async def ask(self, route: Route, headers: Headers, *, refused: bool = True) -> str:
        """A request that is to be refused is made in earnest under http."""
        asked = Wire(self.whole.app) if refused and not self.prefix else self.door
        return await asked.outcome(route, headers)


@pytest.fixture(scope="module")
async def doors(whole_site: WholeSite) -> AsyncIterator[dict[str, Wire]]:
    settings: dict[str, Any] = {"cors_origins": (_FRIEND,)}
    secure = settings | {"public_url": "https://ace.test"}
    async with (
        doorstep(whole_site.database, **settings) as plain,
        doorstep(whole_site.database, "https", **secure) as encrypted,
    ):
        yield {"http": plain, "https": encrypted}


@pytest.fixture(scope="module")
def people(whole_site: WholeSite) -> dict[Role, Caller]:
    return {role: settle(whole_site.database.keeper, role, "page") for role in Role}


@pytest.fixture(scope="module")
def others(whole_site: WholeSite) -> dict[Role, Caller]:
    return {role: settle(whole_site.database.keeper, role, "other_page") for role in Role}


@pytest.fixture(params=["http", "https"])
def asked(
    request: pytest.FixtureRequest,
    site: WholeSite,
    doors: dict[str, Wire],
    people: dict[Role, Caller],
) -> Site:
    scheme: str = request.param
    prefix = "__Host-" if scheme == "https" else ""
    return Site(door=doors[scheme], own=f"{scheme}://ace.test", prefix=prefix, whole=site, people=people)


@pytest.mark.parametrize("page", _OWN.values(), ids=_OWN)
async def test_our_own_page_with_its_token_is_let_in(asked: Site, page: Headers) -> None:
    found = {}
    for route, role in asked.under_cookies.items():
        csrf = asked.issue(role)
        headers = asked.cookies(role, csrf) | {"x-csrf-token": csrf} | asked.from_page(page)
        found[str(route)] = await asked.ask(route, headers, refused=False)
    assert found == dict.fromkeys(found, ADMITTED)


_SHOWN: Final[Mapping[str, tuple[str | None, str | None]]] = {
    "nothing": ("own", None),
    "nothing at all": (None, None),
    "an empty text": ("own", ""),
    "a token without its cookie": (None, "own"),
    "another token of ours": ("own", "own again"),
    "made up, in both places": ("made.up", "made.up"),
    "another session's, in both places": ("other", "other"),
    "another session's": ("own", "other"),
    "under another session's cookie": ("other", "own"),
    "another case": ("own", "OWN"),
}


@pytest.mark.parametrize("names", _SHOWN.values(), ids=_SHOWN)
async def test_asvs_3_5_1_under_cookies_every_change_needs_the_token_of_this_session(
    asked: Site, others: dict[Role, Caller], names: tuple[str | None, str | None]
) -> None:
    """In the header as in the cookie, and made for this very session."""
    found = {}
    for route, role in asked.under_cookies.items():
        own = asked.issue(role)
        tokens = {
            "own": own,
            "OWN": own.swapcase(),
            "own again": asked.issue(role),
            "other": asked.whole.container.csrf_tokens().issue(others[role].session_id),
        }
        cookie, shown = (None if name is None else tokens.get(name, name) for name in names)
        headers = asked.cookies(role, cookie) | ({} if shown is None else {"x-csrf-token": shown})
        found[str(route)] = await asked.ask(route, headers)
    assert found == dict.fromkeys(found, "auth.csrf")


@pytest.mark.parametrize("page", _FOREIGN.values(), ids=_FOREIGN)
async def test_asvs_3_5_1_and_3_5_2_no_foreign_page_changes_anything_even_with_the_token(
    asked: Site, page: Headers
) -> None:
    found = {}
    for route, role in asked.under_cookies.items():
        csrf = asked.issue(role)
        headers = asked.cookies(role, csrf) | {"x-csrf-token": csrf} | asked.from_page(page)
        found[str(route)] = await asked.ask(route, headers)
    assert found == dict.fromkeys(found, "auth.origin_refused")


@pytest.mark.parametrize("page", _FOREIGN.values(), ids=_FOREIGN)
async def test_asvs_3_5_2_no_foreign_page_signs_anybody_in_or_asks_for_mail(asked: Site, page: Headers) -> None:
    found = {str(route): await asked.ask(route, asked.from_page(page)) for route in _PUBLIC}
    assert found == dict.fromkeys(found, "auth.origin_refused")


@pytest.mark.parametrize("page", _OWN.values(), ids=_OWN)
async def test_without_a_session_our_own_page_needs_no_token(asked: Site, page: Headers) -> None:
    found = {str(route): await asked.ask(route, asked.from_page(page), refused=False) for route in _PUBLIC}
    assert found == dict.fromkeys(found, ADMITTED)


async def test_a_bearer_is_no_browser_and_needs_neither(asked: Site) -> None:
    """A foreign page cannot send the header, so nothing has to be proved; the cookies beside it count for nothing."""
    found = {}
    for route, role in asked.under_cookies.items():
        bearer = {"authorization": f"Bearer {asked.people[role].token}"}
        headers = asked.cookies(role, None) | bearer | _FOREIGN["another site"]
        found[str(route)] = await asked.ask(route, headers, refused=False)
    assert found == dict.fromkeys(found, ADMITTED)


async def test_asvs_3_3_3_under_https_a_cookie_without_the_prefix_is_none(asked: Site) -> None:
    """A neighbouring host can set a cookie for us, but never one with the prefix."""
    plain = Site(asked.door, asked.own, "", asked.whole, asked.people)
    found = {}
    for route, role in asked.under_cookies.items():
        csrf = asked.issue(role)
        headers = plain.cookies(role, csrf) | {"x-csrf-token": csrf}
        found[str(route)] = await asked.ask(route, headers, refused=False)
    expected = {
        str(route): "auth.token_missing" if asked.prefix and ROUTES[route] else ADMITTED
        for route in asked.under_cookies
    }
    assert found == expected


@pytest.mark.parametrize("override", [{}, {"x-http-method-override": "POST"}, {"x-method-override": "DELETE"}])
async def test_asvs_3_5_3_nothing_changes_by_get(
    site: WholeSite, people: dict[Role, Caller], override: Headers
) -> None:
    """Where there is a GET at the same address it is a route of its own, which reads."""
    here, found = Site(Wire(site.app), "http://ace.test", "", site, people), {}
    for route in _UNSAFE:
        for method in ("GET", "HEAD") if Route("GET", route.template) not in ROUTES else ():
            role = _UNDER_COOKIES.get(route, Role.STUDENT)
            csrf = here.issue(role)
            headers = here.cookies(role, csrf) | {"x-csrf-token": csrf} | override
            answer = await here.door.ask(method, route.path, headers)
            found[method, str(route)] = answer.status_code
            assert route.method in answer.headers["allow"]
    assert found
    assert found == dict.fromkeys(found, 405)
