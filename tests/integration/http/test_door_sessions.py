"""The session of the better-auth door at the API's own routes: what shows one, what does not, and from which pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx
import pytest

from entrypoints.http.better_auth.cookies import DoorCookies
from tests.support.auth_http import EVIL, browser, code, serving
from tests.support.doors import AT_HOME, SITE, TOKEN, DoorDevice, device_at, devices_of
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of

_FRIEND: Final = "https://pages.school.test"
_PROFILE: Final = "/student/profile"
_CHANGE: Final[dict[str, Any]] = {"bio": "Reads a lot"}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    settings = FROM_ANYWHERE | AT_HOME | {"trusted_origins": (_FRIEND, "https://*.school.test")}
    async with whole_site_of(module_database, **settings) as site:
        yield site


@pytest.fixture
async def ada(site: WholeSite) -> AsyncIterator[DoorDevice]:
    """A student who has signed up at the door."""
    async with devices_of(site.app, "better-auth") as (device,):
        yield device


async def seen(client: httpx.AsyncClient, **headers: str) -> str:
    """What the API says to a request with these headers and without cookies of its own."""
    client.cookies.clear()
    answer = await client.get("/student/auth/me", headers=headers)
    return "known" if answer.status_code == 200 else code(answer)


def one_letter_off(text: str) -> str:
    return text[:5] + ("A" if text[5] != "A" else "B") + text[6:]


async def test_the_signed_cookie_shows_the_session_in_either_spelling(ada: DoorDevice) -> None:
    cookie = ada.cookie
    for spelling in (cookie, unquote(cookie), quote(unquote(cookie), safe="")):
        assert await seen(ada.client, cookie=f"{TOKEN}={spelling}") == "known"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cookie: cookie.partition(".")[0],
        lambda cookie: cookie.partition(".")[0] + ".",
        one_letter_off,
        lambda cookie: cookie[:-12] + one_letter_off(cookie[-12:]),
        lambda cookie: cookie[:-3],
        lambda _: "",
        lambda _: "." * 40,
        lambda _: "%00%ff",
    ],
    ids=["unsigned", "no signature", "another token", "another signature", "cut off", "empty", "dots", "garbage"],
)
async def test_a_cookie_that_we_did_not_sign_is_none(ada: DoorDevice, spoil: Any) -> None:
    assert await seen(ada.client, cookie=f"{TOKEN}={spoil(ada.cookie)}") == "auth.token_missing"


async def test_a_cached_copy_of_a_session_opens_nothing_at_the_api(module_database: ClonedDatabase) -> None:
    """At the door a revoked session stays readable until its copy expires; here the store is asked every time."""
    settings = FROM_ANYWHERE | AT_HOME | {"better_auth": {"cookie_cache_seconds": 300}}
    async with door_with(module_database, **settings) as app, devices_of(app, "better-auth") as (ada,):
        assert await ada.ask("GET", "/student/auth/me")
        copy = {name: value for name, value in ada.client.cookies.items() if "session_data" in name}
        assert copy
        only_copies = "; ".join(f"{name}={value}" for name, value in copy.items())
        assert await seen(ada.client, cookie=only_copies) == "auth.token_missing"


def door_with(database: ClonedDatabase, **settings: Any) -> Any:
    """The auth area with these settings of the door."""
    from entrypoints.settings import BetterAuthSettings

    return serving(database, [], **settings | {"better_auth": BetterAuthSettings(**settings.get("better_auth", {}))})


_MAY_CHANGE: Final[Mapping[str, dict[str, str]]] = {
    "our own page": {"origin": SITE, "sec-fetch-site": "same-origin"},
    "an older browser": {"origin": SITE},
    "a referrer": {"referer": f"{SITE}/exam/page?question=1"},
    "a page that is trusted": {"origin": _FRIEND, "sec-fetch-site": "cross-site"},
    "a page of a trusted family": {"origin": "https://maths.school.test", "sec-fetch-site": "cross-site"},
}
_MAY_NOT: Final[Mapping[str, dict[str, str]]] = {
    "nothing said": {},
    "only what kind of site": {"sec-fetch-site": "same-origin"},
    "the address bar": {"sec-fetch-site": "none"},
    "another site": EVIL,
    "another site, an older browser": {"origin": "https://evil.test"},
    "a page that hides": {"origin": "null"},
    "another site's referrer": {"referer": "https://evil.test/http://ace.test/"},
    "a namesake": {"origin": f"{SITE}.evil.test"},
    "somebody at ours": {"origin": "http://ace.test@evil.test"},
    "another port": {"origin": f"{SITE}:8443"},
    "another scheme": {"origin": "https://ace.test"},
    "a neighbour of the family": {"origin": "https://school.test.evil.test"},
}


@pytest.mark.parametrize("page", _MAY_CHANGE.values(), ids=_MAY_CHANGE)
async def test_under_the_cookie_a_trusted_page_changes_things_without_a_csrf_token(
    ada: DoorDevice, page: dict[str, str]
) -> None:
    answer = await ada.client.patch(_PROFILE, json=_CHANGE, headers=page)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("page", _MAY_NOT.values(), ids=_MAY_NOT)
async def test_under_the_cookie_no_other_page_changes_anything(ada: DoorDevice, page: dict[str, str]) -> None:
    for method, path in (("PATCH", _PROFILE), ("POST", "/student/auth/logout"), ("POST", "/student/auth/logout-all")):
        refused = await ada.client.request(method, path, json={}, headers=page)
        assert (refused.status_code, code(refused)) == (403, "auth.origin_refused"), path
    assert await ada.is_in()
    assert (await ada.client.get(_PROFILE, headers=page)).status_code == 200, "reading changes nothing"


@pytest.mark.parametrize("page", _MAY_NOT.values(), ids=_MAY_NOT)
async def test_a_bearer_needs_no_page(ada: DoorDevice, page: dict[str, str]) -> None:
    bearer = {"authorization": f"Bearer {unquote(ada.cookie)}"}
    answer = await ada.client.patch(_PROFILE, json=_CHANGE, headers=page | bearer)
    assert answer.status_code == 200, answer.text


async def test_a_bearer_is_the_token_with_its_signature_or_without(ada: DoorDevice) -> None:
    signed = unquote(ada.cookie)
    token = signed.partition(".")[0]
    for shown in (token, signed, ada.cookie):
        assert await seen(ada.client, authorization=f"bearer {shown}") == "known"
    for shown in (one_letter_off(token), one_letter_off(signed), f"{token}.", f"{token}.{'A' * 43}=", "x", f".{token}"):
        assert await seen(ada.client, authorization=f"Bearer {shown}") in {"auth.token_invalid", "auth.session_ended"}


async def test_a_bearer_speaks_alone_whatever_cookies_come_along(ada: DoorDevice) -> None:
    cookie = f"{TOKEN}={ada.cookie}"
    assert await seen(ada.client, authorization="Bearer x.y.z", cookie=cookie) == "auth.token_invalid"


async def test_where_bearers_are_off_the_token_opens_nothing_outside_of_its_cookie(
    module_database: ClonedDatabase,
) -> None:
    settings = FROM_ANYWHERE | AT_HOME | {"better_auth": {"bearer": False}}
    async with door_with(module_database, **settings) as app, devices_of(app, "better-auth") as (ada,):
        cookie = ada.cookie
        for shown in (unquote(cookie), unquote(cookie).partition(".")[0]):
            assert await seen(ada.client, authorization=f"Bearer {shown}") == "auth.token_invalid"
        assert await seen(ada.client, cookie=f"{TOKEN}={cookie}") == "known"


async def test_where_the_door_is_closed_its_sessions_open_nothing(
    site: WholeSite, ada: DoorDevice, module_database: ClonedDatabase
) -> None:
    """Sessions of before it was closed; they are there again when it is opened."""
    cookie = ada.cookie
    async with (
        door_with(module_database, **AT_HOME, better_auth={"served": False}) as closed,
        browser(closed) as client,
    ):
        assert await seen(client, cookie=f"{TOKEN}={cookie}") == "auth.token_missing"
        assert await seen(client, authorization=f"Bearer {unquote(cookie)}") == "auth.token_invalid"
        left = await client.post("/student/auth/logout", headers={"cookie": f"{TOKEN}={cookie}"})
        assert left.status_code == 204
        assert TOKEN not in str(left.headers.get_list("set-cookie"))
    async with browser(site.app) as client:
        assert await seen(client, cookie=f"{TOKEN}={cookie}") == "known"


async def test_asvs_3_3_3_under_https_the_cookie_counts_with_its_prefix_only(module_database: ClonedDatabase) -> None:
    home = {"public_url": "https://ace.test"}
    async with (
        door_with(module_database, **FROM_ANYWHERE, **home) as app,
        device_at(app, "better-auth", base_url="https://ace.test", origin="https://ace.test") as ada,
    ):
        assert (await ada.register()).status_code == 200
        cookie = str(ada.client.cookies[f"__Secure-{TOKEN}"])
        assert await seen(ada.client, cookie=f"__Secure-{TOKEN}={cookie}") == "known"
        assert await seen(ada.client, cookie=f"{TOKEN}={cookie}") == "auth.token_missing"
        assert await seen(ada.client, cookie=f"__Host-{TOKEN}={cookie}") == "auth.token_missing"


async def test_where_both_are_there_the_portals_cookie_decides(site: WholeSite, ada: DoorDevice) -> None:
    async with devices_of(site.app, "portal") as (grace,):
        mine, hers = await ada.user_id(), await grace.user_id()
        ada.client.cookies.update(grace.client.cookies)
        assert mine != hers == await ada.user_id()
        without_token = await ada.client.patch(_PROFILE, json=_CHANGE, headers={"origin": SITE})
        assert code(without_token) == "auth.csrf", "an origin is not enough under the portal's cookie"
        ada.client.cookies.delete("ace_access")
        assert await ada.user_id() == mine


async def test_signing_out_at_the_portal_ends_the_doors_session_and_clears_its_cookies(ada: DoorDevice) -> None:
    cookie = f"{TOKEN}={ada.cookie}"
    left = await ada.ask("POST", "/student/auth/logout")
    assert left.status_code == 204
    assert [line for line in left.headers.get_list("set-cookie") if "better-auth" in line] == [
        f"better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
        for name in ("session_token", "session_data", "dont_remember")
    ]
    assert await seen(ada.client, cookie=cookie) == "auth.session_ended"
    again = await ada.client.get("/api/auth/get-session", headers={"cookie": cookie})
    assert (again.status_code, again.json()) == (200, None)


async def test_signing_out_ends_both_sessions_of_a_browser_that_has_two(site: WholeSite, ada: DoorDevice) -> None:
    cookie = f"{TOKEN}={ada.cookie}"
    async with devices_of(site.app, "portal") as (grace,):
        grace.client.cookies.update(ada.client.cookies)
        left = await grace.ask("POST", "/student/auth/logout")
        assert left.status_code == 204
        assert len(left.headers.get_list("set-cookie")) == 6
    assert await seen(ada.client, cookie=cookie) == "auth.session_ended"


async def test_signing_out_by_the_portals_cookies_alone_says_nothing_of_the_door(site: WholeSite) -> None:
    async with devices_of(site.app, "portal") as (grace,):
        left = await grace.ask("POST", "/student/auth/logout")
        assert [line.partition("=")[0] for line in left.headers.get_list("set-cookie")] == [
            "ace_access",
            "ace_refresh",
            "ace_csrf",
        ]


async def test_signing_out_everywhere_clears_the_doors_cookies(ada: DoorDevice) -> None:
    left = await ada.ask("POST", "/student/auth/logout-all")
    assert (left.status_code, left.json()["revoked"]) == (200, 1)
    assert TOKEN not in ada.client.cookies
    assert await ada.session() is None


async def test_a_bearer_signs_out_its_own_session_and_leaves_the_cookies_alone(
    site: WholeSite, ada: DoorDevice
) -> None:
    async with device_at(site.app, "better-auth", ada.email) as other:
        assert (await other.sign_in()).status_code == 200
        bearer = {"authorization": f"Bearer {unquote(other.cookie)}"}
        left = await ada.client.post("/student/auth/logout", headers=bearer)
        assert left.status_code == 204
        assert TOKEN not in str(left.headers.get_list("set-cookie"))
        assert await ada.is_in()
        assert not await other.is_in()


async def test_ending_the_own_session_by_its_identifier_clears_the_cookies_of_its_door_only(
    site: WholeSite, ada: DoorDevice
) -> None:
    async with devices_of(site.app, "portal") as (grace,):
        grace.client.cookies.update(ada.client.cookies)
        ended = await grace.ask("DELETE", f"/student/auth/sessions/{await grace.session_id()}")
        assert ended.status_code == 204
        assert TOKEN not in str(ended.headers.get_list("set-cookie"))
    ended = await ada.ask("DELETE", f"/student/auth/sessions/{await ada.session_id()}")
    assert ended.status_code == 204
    assert TOKEN in str(ended.headers.get_list("set-cookie"))
    assert TOKEN not in ada.client.cookies


async def test_the_door_opens_no_route_of_staff(site: WholeSite, ada: DoorDevice) -> None:
    for path in ("/admin/users", "/instructor/auth/me", "/admin/auth/me"):
        assert code(await ada.ask("GET", path)) == "auth.forbidden"


async def test_whoever_shows_an_access_token_pays_nothing_for_the_door(
    site: WholeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a cookie nor a bearer of the door is looked for, be there a cookie of the door or not."""
    async with devices_of(site.app, "portal", "practice platform", "better-auth") as (page, app, door):
        page.client.cookies.update(door.client.cookies)
        looked: list[object] = []
        for name in ("read", "bearer"):
            monkeypatch.setattr(DoorCookies, name, lambda *_, **__: looked.append(1))
        assert (await page.ask("GET", "/student/auth/me")).status_code == 200
        assert (await app.ask("GET", "/student/auth/me")).status_code == 200
        assert not looked
