"""Who may call what: every route that is served, times everybody who could ask for it.

What is expected stands in `tests/support/reviewed_routes.py`, by hand. Who is refused asks the whole application, which
then must be as it was before; who is let in asks one that ends where the handlers begin. The tokens here are honest;
`test_forged_tokens.py` has the others.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
from litestar.routes import HTTPRoute

from domain.auth.people import Role
from tests.support.auth_http import bearer
from tests.support.callers import ADMITTED, Caller, Route, Wire, doorstep, outcome, settle
from tests.support.reviewed_routes import (
    BEARER_ONLY,
    PROTECTED_WHERE_SIGNED_IN,
    ROUTES,
    SERVED_BEFORE_A_PASSWORD_CHANGE,
)
from tests.support.whole_site import WholeSite

Outcomes = dict[str, str]
_PROTECTED = {route: callers for route, callers in ROUTES.items() if callers}


@pytest.fixture(scope="module")
async def door(whole_site: WholeSite) -> AsyncIterator[Wire]:
    """The same application on the same database, ending where its handlers begin."""
    async with doorstep(whole_site.database) as door:
        yield door


async def outcomes(site: WholeSite, door: Wire, expected: Mapping[Route, str], headers: Mapping[str, str]) -> Outcomes:
    """What becomes of each route's request; one that is expected to be refused is made in earnest."""
    return {
        str(route): await (door if code == ADMITTED else Wire(site.app)).outcome(route, headers)
        for route, code in expected.items()
    }


def told(expected: Mapping[Route, str]) -> Outcomes:
    return {str(route): code for route, code in expected.items()}


async def test_asvs_6_3_4_and_8_1_1_every_route_that_is_served_was_reviewed(site: WholeSite) -> None:
    """One without a place in the list is open to nobody knows whom; one without a route is a promise not kept."""

    def public(template: str) -> str:
        return re.sub(r"_([a-z])", lambda found: found[1].upper(), template)

    served = {
        str(Route(method, public(route.path_format)))
        for route in site.app.litestar.routes
        if isinstance(route, HTTPRoute)
        for method in route.route_handler_map
        if method != "OPTIONS" and not route.path_format.startswith("/docs/")
    }
    documented = {f"{operation.method} {operation.path}" for operation in site.operations()}
    reviewed = {str(route) for route in ROUTES}
    assert served - reviewed == set(), "place me in tests/support/reviewed_routes.py"
    assert reviewed - served == set()
    assert documented <= reviewed


async def test_the_document_tells_for_each_route_whether_one_must_be_signed_in(site: WholeSite) -> None:
    found = {
        Route(operation.method, operation.path): operation.described["security"] for operation in site.operations()
    }
    assert found == {route: [{name: []} if name else {} for name in _ways(route)] for route in found}


def _ways(route: Route) -> tuple[str, ...]:
    """The security schemes by which somebody may come; an empty name is nobody in particular."""
    of_students = ("bearer", "cookie", "betterAuthCookie", "betterAuthBearer")
    if route in BEARER_ONLY and ROUTES[route]:
        return ("bearer", "betterAuthBearer")
    if ROUTES[route]:
        return of_students if Role.STUDENT in ROUTES[route] else of_students[:2]
    return ("", *of_students) if route in PROTECTED_WHERE_SIGNED_IN else ("",)


_STATES: Final[Mapping[str, tuple[dict[str, Any], str]]] = {
    "signed in": ({}, ADMITTED),
    "another one signed in": ({}, ADMITTED),
    "revoked session": ({"session": "revoked_at = now(), revoke_reason = 'revoked'"}, "auth.session_ended"),
    "idle for too long": ({"session": "idle_expires_at = now() - interval '1 second'"}, "auth.session_ended"),
    "session past its end": (
        {"session": "idle_expires_at = created_at, absolute_expires_at = created_at"},
        "auth.session_ended",
    ),
    "session deleted": ({"session": "id = id || '_gone'"}, "auth.session_ended"),
    "disabled": ({"user": "status = 'disabled'"}, "auth.session_ended"),
    "deleted": ({"user": "deleted_at = now()"}, "auth.session_ended"),
    "another role by now": (
        {"user": "role = case role when 'student' then 'instructor' else 'student' end"},
        "auth.session_ended",
    ),
    "session of another portal": (
        {"session": "audience = case audience when 'student' then 'admin' else 'student' end"},
        "auth.session_ended",
    ),
    "first password": ({"user": "must_change_password = true"}, "auth.password_change_required"),
}


@pytest.fixture(scope="module")
def people(whole_site: WholeSite) -> dict[tuple[str, Role], Caller]:
    """One person of each role in each state."""
    keeper = whole_site.database.keeper
    return {
        (state, role): settle(keeper, role, f"state{number}", **differences)
        for number, (state, (differences, _)) in enumerate(_STATES.items())
        for role in Role
    }


@pytest.mark.parametrize("role", Role)
async def test_asvs_8_2_1_each_role_reaches_its_own_routes_and_no_others(
    site: WholeSite, door: Wire, people: dict[tuple[str, Role], Caller], role: Role
) -> None:
    expected = {
        route: ADMITTED if role in callers or not callers else "auth.forbidden" for route, callers in ROUTES.items()
    }
    for state in ("signed in", "another one signed in"):
        token = people[state, role].token
        assert await outcomes(site, door, expected, bearer(token)) == told(expected)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Basic c3R1ZGVudDpwYXNz"}, {"cookie": "ace_access="}, {"cookie": "other=x"}],
    ids=["nothing", "basic", "empty cookie", "other cookie"],
)
async def test_whoever_is_not_signed_in_reaches_public_routes_only(
    site: WholeSite, door: Wire, headers: dict[str, str]
) -> None:
    expected = {route: "auth.token_missing" if callers else ADMITTED for route, callers in ROUTES.items()}
    assert await outcomes(site, door, expected, headers) == told(expected)


@pytest.mark.parametrize("state", _STATES)
async def test_asvs_8_3_1_what_the_database_says_of_a_person_decides_at_every_route(
    site: WholeSite, door: Wire, people: dict[tuple[str, Role], Caller], state: str
) -> None:
    refusal = _STATES[state][1]
    for role in Role:
        token = people[state, role].token
        expected = {
            route: ADMITTED if state == "first password" and route in SERVED_BEFORE_A_PASSWORD_CHANGE else refusal
            for route, callers in _PROTECTED.items()
            if role in callers
        }
        for headers in (bearer(token), {"cookie": f"ace_access={token}"}):
            by_cookie = "cookie" in headers
            wanted = {
                route: "auth.token_missing"
                if by_cookie and route in BEARER_ONLY
                else "auth.csrf"
                if by_cookie and route.changes and code != "auth.session_ended"
                else code
                for route, code in expected.items()
            }
            found = await outcomes(site, door, wanted, headers)
            assert found == told(wanted)


async def test_a_token_in_the_address_is_none(site: WholeSite, people: dict[tuple[str, Role], Caller]) -> None:
    for route, (role, *_) in _PROTECTED.items():
        token = people["signed in", role].token
        path = f"{route.path}?access_token={token}&token={token}&ace_access={token}"
        refused = "request.token_in_address" if route in BEARER_ONLY else "auth.token_missing"
        assert (str(route), await Wire(site.app).outcome(route, {}, path)) == (str(route), refused)


# Things that are nobody's in particular: their identifiers are no secret, and who may see them is a matter of role.
_NOBODYS: Final = (
    "{examPackageId}",
    "{importId}",
    "{questionId}",
    "{questionBankId}",
    "{topicId}",
    "{difficultyId}",
    "{templateId}",
)
_BODY = {"slot": 1, "choiceIds": ["A"]}
# By the end of a route's template, where it takes another one.
_BODIES: Final[Mapping[str, Any]] = {
    "/pause": {},
    "/resume": {},
    "/heartbeat": {},
    "/events": {"type": "focus_lost"},
    "/answers/{slot}": {"response": {"choiceIds": ["B"]}, "baseRevision": 0},
    "/submit": {},
}


async def test_asvs_8_2_2_what_belongs_to_another_does_not_exist(
    whole_site: WholeSite, people: dict[tuple[str, Role], Caller]
) -> None:
    """The same words as for an identifier of nothing, so that nothing can be learnt from them; nothing changes."""
    practice = await whole_site.practice()
    begun = await whole_site.ask("POST", "/exam-sessions", "student", json={"examPackageId": whole_site.package})
    exam = begun.json()
    mine = (f"/practice-sessions/{practice['id']}", f"/exam-sessions/{exam['id']}")
    before = whole_site.rows(), await _seen_by_their_owner(whole_site, *mine)
    for route, callers in _PROTECTED.items():
        if "{" not in route.template or callers == (Role.ADMIN,) or any(name in route.template for name in _NOBODYS):
            continue
        for role in callers:
            owned = {
                "/practice-sessions/{sessionId}": practice["id"],
                "/quiz/review/{attemptId}": practice["id"],
                "/exam-sessions/{sessionId}": exam["id"],
                "/auth/sessions/{sessionId}": people["another one signed in", role].session_id,
            }
            (template,) = (each for each in owned if each in route.template)
            told = []
            for thing in (owned[template], "none_1"):
                path = re.sub(r"\{(sessionId|attemptId)\}", thing, route.template).replace("{slot}", "1")
                body = next((each for end, each in _BODIES.items() if route.template.endswith(end)), _BODY)
                sent = bearer(people["signed in", role].token)
                answer = await whole_site.client.request(route.method, path, json=body, headers=sent)
                assert answer.status_code == 404, (str(route), answer.text)
                told.append(answer.json() | {"instance": "", "code": outcome(answer)})
            assert told[0] == told[1]
            assert told[0]["code"] != "request.not_found"
    after = whole_site.rows(), await _seen_by_their_owner(whole_site, *mine)
    assert after == before
    ended = "select count(*) from auth_sessions where revoked_at is not null and revoke_reason <> 'revoked'"
    assert whole_site.database.keeper.execute(ended).fetchone() == (0,)


async def _seen_by_their_owner(site: WholeSite, *paths: str) -> Any:
    return [(await site.ask("GET", path, "student")).json() for path in paths]


async def test_leaving_a_package_leaves_the_others_in_it(whole_site: WholeSite) -> None:
    left = await whole_site.ask("DELETE", f"/student/enrollments/{whole_site.package}", "stranger")
    assert left.status_code == 204
    again = await whole_site.ask("DELETE", f"/student/enrollments/{whole_site.package}", "stranger")
    assert (again.status_code, outcome(again)) == (404, "enrollment.not_found")
    mine = (await whole_site.ask("GET", "/student/enrollments", "student")).json()["items"]
    assert [item["status"] for item in mine] == ["active"]
    refused = await whole_site.ask("POST", "/practice-sessions", "stranger", json={"examPackageId": whole_site.package})
    assert (refused.status_code, outcome(refused)) == (403, "enrollment.required")
