"""The better-auth door and browsers: its cookies, the pages that may ask, and the pages that people are sent to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from entrypoints.http.better_auth.endpoint import Guard
from entrypoints.http.better_auth.registry import endpoints_of
from tests.support.doors import BASE, TOKEN, DoorDevice, device_at
from tests.support.postgres import ClonedDatabase
from tests.support.reviewed_door import ANYBODY, BODIES, ENDPOINTS, FRESHLY, SIGNED_IN, UNSAFE
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of

_HOME: Final = "https://ace.test"
_FRIEND: Final = "https://pages.school.test"


@pytest.fixture(scope="module")
async def secured(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """The whole application, reached by https, with one other origin that the door trusts."""
    settings = FROM_ANYWHERE | {"public_url": _HOME, "trusted_origins": (_FRIEND,)}
    async with whole_site_of(module_database, **settings) as site:
        yield site


@pytest.fixture
async def ada(secured: WholeSite) -> AsyncIterator[DoorDevice]:
    """A student who has signed up at the door."""
    async with device_at(secured.app, "better-auth", base_url=_HOME, origin=_HOME) as device:
        registered = await device.register()
        assert registered.status_code == 200, registered.text
        yield device


def without_values(answer: httpx.Response) -> list[str]:
    return [re.sub("=[^;]+", "=…", line, count=1) for line in answer.headers.get_list("set-cookie")]


async def test_asvs_3_3_1_and_3_3_2_and_3_3_4_cookies_of_the_door_under_https(ada: DoorDevice) -> None:
    """Secure, for this host, out of reach of scripts; those that are taken away are named in the same way."""
    entered = await ada.sign_in()
    assert without_values(entered) == [f"__Secure-{TOKEN}=…; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"]
    briefly = await ada.post("/sign-in/email", email=ada.email, password=ada.password, rememberMe=False)
    assert without_values(briefly) == [
        f"__Secure-{TOKEN}=…; Path=/; HttpOnly; Secure; SameSite=Lax",
        "__Secure-better-auth.dont_remember=…; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]
    left = await ada.post("/sign-out")
    assert left.headers.get_list("set-cookie") == [
        f"__Secure-better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
        for name in ("session_token", "session_data", "dont_remember")
    ]


async def test_asvs_3_3_3_a_cookie_of_a_neighbour_without_the_prefix_is_none(ada: DoorDevice) -> None:
    cookie = str(ada.client.cookies[f"__Secure-{TOKEN}"])
    ada.client.cookies.clear()
    for name, seen in ((f"__Secure-{TOKEN}", True), (TOKEN, False)):
        answer = await ada.client.get(f"{BASE}/get-session", headers={"cookie": f"{name}={cookie}"})
        assert (answer.json() is not None) is seen


async def test_asvs_6_3_4_every_endpoint_of_the_door_was_reviewed(secured: WholeSite) -> None:
    """Who may ask it, too: one that lost its guard is in the list of those for anybody, where it was not put."""
    guards = {Guard.FRESH_SESSION: FRESHLY}
    served = {
        (method, endpoint.template): guards.get(endpoint.guard, SIGNED_IN if endpoint.guard.needs_session else ANYBODY)
        for endpoint in endpoints_of(secured.container)
        for method in endpoint.methods
        if method != "HEAD"
    }
    assert served == ENDPOINTS


async def test_asvs_6_3_4_whoever_is_not_signed_in_reaches_the_public_endpoints_only(secured: WholeSite) -> None:
    async with device_at(secured.app, "better-auth", base_url=_HOME, origin=_HOME) as stranger:
        for (method, path), who in ENDPOINTS.items():
            address = path.replace("{token}", "x") + ("?token=x" if path.endswith("delete-user/callback") else "")
            answer = await stranger.client.request(method, address, json=BODIES.get(path, {}), headers=stranger.proof)
            refused = answer.status_code == 401 and "UNAUTHORIZED" in answer.text
            assert refused is (who != ANYBODY), (method, path, answer.text)


_FOREIGN: Final[dict[str, dict[str, str]]] = {
    "nothing said": {},
    "another site": {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
    "another site's referrer": {"referer": "https://evil.test/https://ace.test"},
    "a page that hides": {"origin": "null"},
    "a namesake": {"origin": f"{_HOME}.evil.test"},
    "a prefix": {"origin": "https://ace.tes"},
    "somebody at ours": {"origin": "https://ace.test@evil.test"},
    "ours behind a backslash": {"origin": "https://evil.test\\@ace.test"},
    "without encryption": {"origin": "http://ace.test"},
    "another port": {"origin": f"{_HOME}:8443"},
    "ours, and another": {"origin": f"{_HOME}, https://evil.test"},
}


@pytest.mark.parametrize("page", _FOREIGN.values(), ids=_FOREIGN)
async def test_asvs_3_5_1_and_3_5_2_no_foreign_page_reaches_an_endpoint_that_changes_anything(
    secured: WholeSite, ada: DoorDevice, page: dict[str, str]
) -> None:
    """With the cookies that a browser sends along, of this door or of any other."""
    before = secured.rows()
    for path in UNSAFE:
        for cookies in ({}, {"cookie": "theme=dark"}):
            answer = await ada.client.post(path, json=BODIES.get(path, {}), headers=page | cookies)
            expected = "INVALID_ORIGIN" if page.get("origin", page.get("referer", "null")) != "null" else None
            assert answer.status_code == 403, (path, answer.text)
            assert answer.json()["code"] == (expected or "MISSING_OR_NULL_ORIGIN")
    assert await ada.session() is not None
    assert secured.rows() == before


async def test_asvs_3_5_2_no_foreign_form_signs_anybody_in_who_has_no_cookie_yet(
    secured: WholeSite, ada: DoorDevice
) -> None:
    """Neither as a script of its page nor by sending the whole window."""
    form = {"email": ada.email, "password": ada.password, "name": "Ada"}
    ada.client.cookies.clear()
    before = secured.rows()
    for path in ("/sign-in/email", "/sign-up/email"):
        for headers in (
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": "https://evil.test"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "https://evil.test"},
            {"sec-fetch-mode": "no-cors"},
            {"origin": "https://evil.test"},
            {"referer": "https://evil.test/"},
        ):
            answer = await ada.client.post(f"{BASE}{path}", data=form, headers=headers)
            assert answer.status_code == 403, (path, headers, answer.text)
            assert "set-cookie" not in answer.headers
    assert secured.rows() == before


async def test_asvs_3_5_3_nothing_changes_by_get(secured: WholeSite, ada: DoorDevice) -> None:
    before = secured.rows()
    for path in UNSAFE:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            answer = await ada.client.request(method, path, headers={**ada.proof, "x-http-method-override": "POST"})
            served = (method, path) in ENDPOINTS or (method == "HEAD" and ("GET", path) in ENDPOINTS)
            assert served or (answer.status_code, answer.content) == (404, b""), (method, path)
    assert secured.rows() == before
    assert await ada.session() is not None


_EVIL: Final = (
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/%2fevil.test",
    "/%2Fevil.test",
    "/%5cevil.test",
    "/%5Cevil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/a\r\nset-cookie: a=b",
    "/\x00/evil.test",
    "/ /evil.test",
    " //evil.test",
    "https://evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "HTTPS://EVIL.TEST",
    "ht\ttps://evil.test",
    "https://evil.test/https://ace.test",
    "https://evil.test?https://ace.test",
    "https://evil.test#https://ace.test",
    "https://ace.test.evil.test",
    "https://ace.test@evil.test",
    "https://ace.test:443@evil.test",
    "https://evil.test@ace.test",
    "https://evil.test\\@ace.test",
    "https://evil.test%2f@ace.test",
    "https://ace.test%2eevil.test",
    "https://ace.test%00.evil.test",
    "https://ace.test\u3002evil.test",
    "https://ace.tes\u0301t",
    "https://ace.test:8443/",
    "http://ace.test/",
    "ftp://ace.test/",
    "evil.test",
    "ace.test",
    "../evil",
    "?next=//evil.test",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://ace.test/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://ace.test/1",
)
_PARAMETERS: Final = {
    "callbackURL": "INVALID_CALLBACK_URL",
    "redirectTo": "INVALID_REDIRECT_URL",
    "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL",
    "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL",
}


@pytest.mark.parametrize("parameter", _PARAMETERS)
async def test_asvs_3_7_2_nobody_is_sent_to_a_page_that_is_not_trusted(
    secured: WholeSite, ada: DoorDevice, parameter: str
) -> None:
    """Whichever endpoint is asked, signed in or not: the page is looked at before anything else of the request."""
    before = secured.rows()
    for number, evil in enumerate(_EVIL):
        for path in UNSAFE if number == 0 else ("/api/auth/sign-in/email", "/api/auth/change-email"):
            body = {**BODIES.get(path, {}), parameter: evil}
            answer = await ada.client.post(path, json=body, headers=ada.proof)
            told = (answer.status_code, answer.json().get("code"))
            assert told == (403, _PARAMETERS[parameter]), (path, evil)
            assert "location" not in answer.headers
    assert secured.rows() == before


@pytest.mark.parametrize("path", ["/reset-password/x", "/verify-email", "/verify-email?token=x"])
async def test_asvs_3_7_2_no_link_leads_to_a_page_that_is_not_trusted(ada: DoorDevice, path: str) -> None:
    for evil in _EVIL:
        answer = await ada.client.get(f"{BASE}{path}", params={"token": "x", "callbackURL": evil})
        expected = (400, "VALIDATION_ERROR") if "\0" in evil else (403, "INVALID_CALLBACK_URL")
        assert (answer.status_code, answer.json()["code"]) == expected, evil
        assert "location" not in answer.headers


async def test_asvs_3_7_2_a_parameter_that_comes_twice_hides_no_page(ada: DoorDevice) -> None:
    for pair in (("/home", "//evil.test"), ("//evil.test", "/home")):
        query = "&".join(f"callbackURL={each}" for each in pair)
        answer = await ada.client.get(f"{BASE}/reset-password/x?{query}")
        assert "evil" not in answer.headers.get("location", "")
        assert answer.status_code in {400, 403}


@pytest.mark.parametrize("good", ["/", "/home", "/a/b.html?tab=1&x=2", f"{_HOME}/x", f"{_FRIEND}/welcome?a=b"])
async def test_pages_of_ours_and_of_those_we_trust_are_led_to(ada: DoorDevice, good: str) -> None:
    entered = await ada.post("/sign-in/email", email=ada.email, password=ada.password, callbackURL=good)
    assert (entered.status_code, entered.json()["url"]) == (200, good)
    broken = await ada.client.get(f"{BASE}/reset-password/x", params={"callbackURL": good})
    assert broken.status_code == 302
    assert broken.headers["location"].startswith(good if good.startswith("https") else f"{_HOME}{good}")
