"""Every route of the API, times the ways in which the better-auth door's session may be shown to it.

Who is refused asks the whole application, which then must be as it was before; who is let in asks one that ends where
the handlers begin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import unquote

import pytest

from domain.auth.people import Role
from tests.support.callers import ADMITTED, Route, Wire, doorstep
from tests.support.doors import AT_HOME, SITE, TOKEN, DoorDevice, devices_of
from tests.support.postgres import ClonedDatabase
from tests.support.reviewed_routes import BEARER_ONLY, PROTECTED_WHERE_SIGNED_IN, ROUTES
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of

_STUDENTS: Final = [route for route, callers in ROUTES.items() if Role.STUDENT in callers]
_STAFF: Final = [route for route, callers in ROUTES.items() if callers and Role.STUDENT not in callers]
_OWN: Final = {"origin": SITE}
_FOREIGN: Final[Mapping[str, dict[str, str]]] = {
    "nothing said": {},
    "another site": {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
    "a page that hides": {"origin": "null"},
    "a namesake": {"origin": f"{SITE}.evil.test"},
    "only what kind of site": {"sec-fetch-site": "same-origin"},
}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE, **AT_HOME) as site:
        yield site


@pytest.fixture(scope="module")
async def threshold(site: WholeSite) -> AsyncIterator[Wire]:
    """The same application on the same database, ending where its handlers begin."""
    async with doorstep(site.database, **AT_HOME) as door:
        yield door


@pytest.fixture
async def ada(site: WholeSite) -> AsyncIterator[DoorDevice]:
    async with devices_of(site.app, "better-auth") as (device,):
        yield device


def by_cookie(device: DoorDevice) -> dict[str, str]:
    return {"cookie": f"{TOKEN}={device.cookie}"}


def by_bearer(device: DoorDevice) -> dict[str, str]:
    return {"authorization": f"Bearer {unquote(device.cookie)}"}


def takes_cookies(route: Route) -> bool:
    return route not in BEARER_ONLY


async def test_the_session_opens_every_route_of_students(threshold: Wire, ada: DoorDevice) -> None:
    found = {}
    for route in _STUDENTS:
        found["cookie", str(route)] = await threshold.outcome(route, by_cookie(ada) | _OWN)
        found["bearer", str(route)] = await threshold.outcome(route, by_bearer(ada))
        if not takes_cookies(route):
            assert found.pop(("cookie", str(route))) == "auth.token_missing"
    assert len(found) > len(_STUDENTS)
    assert found == dict.fromkeys(found, ADMITTED)


async def test_the_document_names_the_session_where_it_opens_a_route(
    site: WholeSite, threshold: Wire, ada: DoorDevice
) -> None:
    named, opened = {}, {}
    for operation in site.operations():
        route = Route(operation.method, operation.path)
        if ROUTES[route]:
            security = operation.described["security"]
            named[str(route)] = [{scheme: []} in security for scheme in ("betterAuthCookie", "betterAuthBearer")]
            shown = (by_cookie(ada) | _OWN, by_bearer(ada))
            opened[str(route)] = [await threshold.outcome(route, headers) == ADMITTED for headers in shown]
    assert named == opened


@pytest.mark.parametrize("route", sorted(PROTECTED_WHERE_SIGNED_IN, key=str), ids=str)
async def test_the_session_ends_at_every_sign_out(site: WholeSite, ada: DoorDevice, route: Route) -> None:
    operations = {Route(each.method, each.path): each.described for each in site.operations()}
    assert {"betterAuthCookie": []} in operations[route]["security"]
    assert (await ada.client.post(route.template, headers=by_cookie(ada) | _OWN)).status_code == 204
    assert not await ada.is_known_at_its_door()


async def test_the_session_opens_no_route_of_staff(site: WholeSite, ada: DoorDevice) -> None:
    found = {}
    for route in _STAFF:
        for headers in (by_cookie(ada) | _OWN, by_bearer(ada)):
            found[str(route), len(headers)] = await Wire(site.app).outcome(route, headers)
    assert found
    assert found == dict.fromkeys(found, "auth.forbidden")


@pytest.mark.parametrize("page", _FOREIGN.values(), ids=_FOREIGN)
async def test_asvs_3_5_1_under_the_doors_cookie_no_foreign_page_changes_anything(
    site: WholeSite, ada: DoorDevice, page: dict[str, str]
) -> None:
    before, found = site.rows(), {}
    for route in _STUDENTS:
        if route.changes and takes_cookies(route):
            found[str(route)] = await Wire(site.app).outcome(route, by_cookie(ada) | page)
    assert found
    assert found == dict.fromkeys(found, "auth.origin_refused")
    assert site.rows() == before


_STATES: Final[Mapping[str, str]] = {
    "revoked session": "update auth_sessions set revoked_at = now(), revoke_reason = 'revoked' where user_id = %s",
    "idle for too long": ("update auth_sessions set idle_expires_at = now() - interval '1 second' where user_id = %s"),
    "session past its end": (
        "update auth_sessions set idle_expires_at = created_at, absolute_expires_at = created_at where user_id = %s"
    ),
    "disabled": "update users set status = 'disabled' where id = %s",
    "deleted": "update users set deleted_at = now() where id = %s",
    "another role by now": "update users set role = 'instructor' where id = %s",
}


@pytest.mark.parametrize("state", _STATES)
async def test_asvs_8_3_1_what_the_database_says_decides_at_every_route(
    site: WholeSite, ada: DoorDevice, state: str
) -> None:
    site.database.keeper.execute(_STATES[state].encode(), (await ada.user_id(),))
    before, found = site.rows(), {}
    for route in _STUDENTS:
        found["bearer", str(route)] = await Wire(site.app).outcome(route, by_bearer(ada))
        if takes_cookies(route):
            found["cookie", str(route)] = await Wire(site.app).outcome(route, by_cookie(ada) | _OWN)
    assert found == dict.fromkeys(found, "auth.session_ended")
    assert site.rows() == before
