"""Session limits and groups over HTTP: bodies, refusals, who may ask, and what enforcement ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import PASSWORD, Operation, WholeSite

_NUMBERS = count(1)
GROUPS = "/admin/session-groups"
DEFAULT = {"limit": 3, "whenFull": "evict_oldest"}
_IDS = {
    "userId": "usr_none",
    "groupId": "sgr_none",
    "role": "student",
    "sessionId": "ses_none",
    "invitationId": "inv_none",
}


class Office:
    """An administrator at work on the site, and newcomers to work upon."""

    def __init__(self, site: WholeSite) -> None:
        self.site = site
        self.emails: dict[str, str] = {}

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.site.ask(method, path, "admin", **({} if body is None else {"json": body}), **options)

    async def newcomer(self, sessions: int = 1) -> tuple[str, list[str]]:
        """The id and the access tokens of somebody who has just registered and signed in some more times."""
        email = f"newcomer{next(_NUMBERS)}@example.org"
        who = {"email": email, "password": PASSWORD, "delivery": "body"}
        answers = [await self.site.client.post("/student/auth/register", json=who)]
        assert answers[0].status_code == 201, answers[0].text
        answers += [await self.site.client.post("/student/auth/login", json=who) for _ in range(sessions - 1)]
        user_id = answers[0].json()["user"]["id"]
        self.emails[user_id] = email
        return user_id, [answer.json()["accessToken"] for answer in answers]

    async def opens(self, token: str) -> bool:
        answer = await self.site.client.get("/student/auth/me", headers={"authorization": f"Bearer {token}"})
        return answer.status_code == 200

    async def group(self, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", GROUPS, {"name": f"Group {next(_NUMBERS)}", **body})
        assert answer.status_code == 201, answer.text
        group: dict[str, Any] = answer.json()
        return group

    def audited(self) -> int:
        return self.site.rows()["audit_log"]


@pytest.fixture
async def office(whole_site: WholeSite) -> AsyncIterator[Office]:
    """Roles define no limit afterwards, so that tests do not disturb each other."""
    whole_site.client.cookies.clear()
    yield Office(whole_site)
    whole_site.client.cookies.clear()
    for role in ("student", "instructor", "admin"):
        answer = await whole_site.ask("PUT", f"/admin/session-limits/{role}", "admin", json={"limit": None})
        assert answer.status_code == 200


async def test_who_has_no_limit_of_their_own_has_the_default(office: Office) -> None:
    user_id, _ = await office.newcomer()
    answer = await office.ask("GET", f"/admin/users/{user_id}/session-limit")
    assert answer.status_code == 200
    assert answer.json() == {
        "effective": 3,
        "whenFull": "evict_oldest",
        "source": "default",
        "candidates": {"user": None, "groups": [], "role": None, "default": DEFAULT},
    }


async def test_all_candidates_are_told_and_the_first_defined_counts(office: Office) -> None:
    user_id, _ = await office.newcomer()
    wide, narrow = await office.group(limit=9), await office.group(limit=2, whenFull="deny")
    for group in (wide, narrow):
        await office.ask("POST", f"{GROUPS}/{group['id']}/members", {"userId": user_id})
    await office.ask("PUT", "/admin/session-limits/student", {"limit": 7})
    told = (await office.ask("GET", f"/admin/users/{user_id}/session-limit")).json()
    assert (told["effective"], told["whenFull"], told["source"]) == (2, "deny", "group")
    assert told["candidates"] == {
        "user": None,
        "groups": [
            {"groupId": narrow["id"], "name": narrow["name"], "limit": 2, "whenFull": "deny"},
            {"groupId": wide["id"], "name": wide["name"], "limit": 9, "whenFull": "evict_oldest"},
        ],
        "role": {"limit": 7, "whenFull": "evict_oldest"},
        "default": DEFAULT,
    }
    changed = (await office.ask("PUT", f"/admin/users/{user_id}/session-limit", {"limit": 100})).json()
    assert (changed["effective"], changed["source"], changed["revoked"]) == (100, "user", 0)


async def test_enforcing_a_users_limit_ends_the_oldest_sessions_at_once(office: Office) -> None:
    user_id, tokens = await office.newcomer(sessions=3)
    path, body = f"/admin/users/{user_id}/session-limit", {"limit": 1, "enforceNow": True, "reason": "shared"}
    before = office.audited()
    answer = await office.ask("PUT", path, body)
    assert (answer.status_code, answer.json()["revoked"]) == (200, 2)
    assert [await office.opens(token) for token in tokens] == [False, False, True]
    assert office.audited() == before + 1
    removed = (await office.ask("PUT", path, {"limit": None})).json()
    assert (removed["source"], removed["candidates"]["user"]) == ("default", None)


async def test_a_limit_that_denies_refuses_the_next_sign_in(office: Office) -> None:
    user_id, tokens = await office.newcomer()
    await office.ask("PUT", f"/admin/users/{user_id}/session-limit", {"limit": 1, "whenFull": "deny"})
    who = {"email": office.emails[user_id], "password": PASSWORD}
    refused = await office.site.client.post("/student/auth/login", json=who)
    assert_problem(refused, 403, "auth.session_limit_reached")
    assert await office.opens(tokens[0])


async def test_a_role_limit_is_read_set_and_enforced(office: Office) -> None:
    path = "/admin/session-limits/student"
    assert (await office.ask("GET", path)).json() == {"role": "student", "limit": None, "whenFull": None}
    _, tokens = await office.newcomer(sessions=3)
    own, kept = await office.newcomer(sessions=3)
    await office.ask("PUT", f"/admin/users/{own}/session-limit", {"limit": 3})
    answer = await office.ask("PUT", path, {"limit": 2, "whenFull": "deny", "enforceNow": True})
    body = answer.json()
    assert body.pop("revoked") >= 1
    assert body == {"role": "student", "limit": 2, "whenFull": "deny", "complete": True}
    assert [await office.opens(token) for token in tokens] == [False, True, True]
    assert [await office.opens(token) for token in kept] == [True, True, True]
    assert (await office.ask("GET", path)).json() == {"role": "student", "limit": 2, "whenFull": "deny"}


async def test_the_administrator_who_enforces_stays(office: Office) -> None:
    answer = await office.ask("PUT", "/admin/session-limits/admin", {"limit": 1, "enforceNow": True})
    assert answer.status_code == 200
    assert (await office.ask("GET", "/admin/session-limits/admin")).status_code == 200


@pytest.mark.parametrize("path", ["/admin/users/{user}/session-limit", "/admin/session-limits/instructor"])
@pytest.mark.parametrize("limit", [0, -1, 101, 2**40, "3", 2.5, True])
async def test_a_number_that_is_no_limit_is_refused(office: Office, path: str, limit: Any) -> None:
    user_id = (await office.site.ask("GET", "/student/auth/me", "student")).json()["user"]["id"]
    before = office.site.rows()
    answer = await office.ask("PUT", path.format(user=user_id), {"limit": limit})
    assert assert_problem(answer, 422, "request.invalid")["errors"][0]["pointer"] == "/limit"
    assert office.site.rows() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/limit"),
        ({"limit": 3, "max": 5}, "/max"),
        ({"limit": 3, "whenFull": "explode"}, "/whenFull"),
        ({"limit": 3, "enforceNow": "yes"}, "/enforceNow"),
        ({"limit": 3, "reason": "x" * 501}, "/reason"),
    ],
)
async def test_a_body_that_is_none_is_refused_where_it_is_wrong(
    office: Office, body: dict[str, Any], pointer: str
) -> None:
    answer = await office.ask("PUT", "/admin/session-limits/instructor", body)
    assert assert_problem(answer, 422, "request.invalid")["errors"][0]["pointer"] == pointer


async def test_a_group_is_made_listed_changed_and_deleted(office: Office) -> None:
    group = await office.group(limit=4)
    assert group.pop("createdAt") == group.pop("updatedAt")
    assert group["id"].startswith("sgr_")
    assert (group["limit"], group["whenFull"], group["memberCount"]) == (4, "evict_oldest", 0)
    path = f"{GROUPS}/{group['id']}"
    renamed = (await office.ask("PATCH", path, {"name": "Renamed"})).json()
    assert (renamed["name"], renamed["limit"], renamed["revoked"], renamed["complete"]) == ("Renamed", 4, 0, True)
    denying = (await office.ask("PATCH", path, {"whenFull": "deny"})).json()
    assert (denying["limit"], denying["whenFull"]) == (4, "deny")
    evicting = (await office.ask("PATCH", path, {"whenFull": None})).json()
    assert (evicting["limit"], evicting["whenFull"]) == (4, "evict_oldest")
    without = (await office.ask("PATCH", path, {"limit": None})).json()
    assert (without["name"], without["limit"], without["whenFull"]) == ("Renamed", None, None)
    refused = await office.ask("PATCH", path, {"whenFull": "deny"})
    assert assert_problem(refused, 422, "request.invalid")["errors"][0]["pointer"] == "/whenFull"
    assert (await office.ask("DELETE", f"{path}?reason=over")).status_code == 204
    for method, body in (("DELETE", None), ("PATCH", {"name": "x"})):
        assert_problem(await office.ask(method, path, body), 404, "session_group.not_found")
    listed = [item["id"] for item in (await office.ask("GET", f"{GROUPS}?limit=100")).json()["items"]]
    assert group["id"] not in listed


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": 101}, {"name": ""}, {"name": None}, {"size": 1}, {}])
async def test_a_change_of_a_group_that_cannot_be_is_refused(office: Office, body: dict[str, Any]) -> None:
    path = f"{GROUPS}/{(await office.group())['id']}"
    before = office.audited()
    assert_problem(await office.ask("PATCH", path, body), 422, "request.invalid")
    assert office.audited() == before


async def test_a_name_is_taken_in_any_case(office: Office) -> None:
    name = (await office.group())["name"]
    assert_problem(await office.ask("POST", GROUPS, {"name": name.upper()}), 409, "session_group.name_taken")
    other = await office.group()
    taken = await office.ask("PATCH", f"{GROUPS}/{other['id']}", {"name": name.lower()})
    assert_problem(taken, 409, "session_group.name_taken")


async def test_members_come_and_go(office: Office) -> None:
    user_id, tokens = await office.newcomer(sessions=3)
    group = await office.group()
    members = f"{GROUPS}/{group['id']}/members"
    first = await office.ask("POST", members, {"userId": user_id, "reason": "asked"})
    again = await office.ask("POST", members, {"userId": user_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (await office.ask("GET", members)).json() == {"items": [first.json()], "nextCursor": None}
    (mine,) = (await office.ask("GET", f"/admin/users/{user_id}/session-groups")).json()["items"]
    assert (mine["id"], mine["memberCount"]) == (group["id"], 1)
    enforced = await office.ask("PATCH", f"{GROUPS}/{group['id']}", {"limit": 2, "enforceNow": True})
    assert (enforced.json()["revoked"], enforced.json()["memberCount"]) == (1, 1)
    assert [await office.opens(token) for token in tokens] == [False, True, True]
    assert (await office.ask("DELETE", f"{members}/{user_id}")).status_code == 204
    assert_problem(await office.ask("DELETE", f"{members}/{user_id}"), 404, "session_group.member_not_found")
    assert (await office.ask("GET", members)).json()["items"] == []


async def test_deleted_people_are_not_added(office: Office) -> None:
    user_id, _ = await office.newcomer()
    assert (await office.ask("DELETE", f"/admin/users/{user_id}")).status_code == 204
    added = await office.ask("POST", f"{GROUPS}/{(await office.group())['id']}/members", {"userId": user_id})
    assert_problem(added, 404, "user.not_found")
    assert_problem(
        await office.ask("PUT", f"/admin/users/{user_id}/session-limit", {"limit": 1}), 404, "user.not_found"
    )


async def test_lists_are_read_page_by_page(office: Office) -> None:
    group = await office.group()
    people = [(await office.newcomer())[0] for _ in range(3)]
    for user_id in people:
        await office.ask("POST", f"{GROUPS}/{group['id']}/members", {"userId": user_id})
        await office.group()
    for path, field, least in ((f"{GROUPS}/{group['id']}/members", "userId", 3), (GROUPS, "id", 4)):
        seen, url = [], f"{path}?limit=2"
        while url:
            answer = await office.ask("GET", url)
            seen += [item[field] for item in answer.json()["items"]]
            url = answer.links.get("next", {}).get("url", "")
        assert seen == sorted(set(seen))
        assert len(seen) >= least


async def test_a_repeated_request_with_its_key_is_one_act(office: Office) -> None:
    user_id, _ = await office.newcomer()
    body = {"name": f"Once {next(_NUMBERS)}"}
    first = await office.ask("POST", GROUPS, body, headers={"idempotency-key": "group-once"})
    again = await office.ask("POST", GROUPS, body, headers={"idempotency-key": "group-once"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    members, key = f"{GROUPS}/{first.json()['id']}/members", {"idempotency-key": "member-once"}
    added = await office.ask("POST", members, {"userId": user_id}, headers=key)
    await office.ask("DELETE", f"{members}/{user_id}")
    repeated = await office.ask("POST", members, {"userId": user_id}, headers=key)
    assert (repeated.status_code, repeated.json()) == (201, added.json())
    assert (await office.ask("GET", members)).json()["items"] == []


def _operations(site: WholeSite) -> list[Operation]:
    found = [each for each in site.operations() if "session-limit" in each.path or "session-group" in each.path]
    assert len(found) == 12
    return found


async def test_administrators_only(site: WholeSite) -> None:
    for operation in _operations(site):
        options: dict[str, Any] = {"content": b"{}", "headers": {"content-type": "application/json"}}
        for person in ("student", "instructor"):
            answer = await site.ask(operation.method, operation.at(**_IDS), person, **options)
            assert_problem(answer, 403, "auth.forbidden")
        assert_problem(await site.ask(operation.method, operation.at(**_IDS), **options), 401, "auth.token_missing")


async def test_what_is_unknown_is_not_found(site: WholeSite) -> None:
    bodies = {"PUT": {"limit": 2}, "PATCH": {"name": "x"}, "POST": {"userId": "usr_none"}}
    for operation in _operations(site):
        if operation.path == GROUPS:
            continue
        path = operation.at(**{**_IDS, "role": "teacher"})
        body = bodies.get(operation.method)
        answer = await site.ask(operation.method, path, "admin", **({} if body is None else {"json": body}))
        assert_problem(answer, 404, answer.json()["code"])
        codes = {"request.not_found", "user.not_found", "session_group.not_found"}
        assert answer.json()["code"] in codes, operation.id
