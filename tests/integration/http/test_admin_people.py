"""Administration of people over HTTP, down to the database: what is answered, who may ask, and what the log tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.request_bodies import BODIES
from tests.support.whole_site import PASSWORD, Operation, WholeSite

ME = "/admin/auth/me"
_NUMBERS = count(1)
_USER_FIELDS = {
    *("id", "email", "username", "name", "role", "emailVerified", "createdAt", "updatedAt"),
    *("status", "emailVerifiedAt", "mustChangePassword", "deletedAt", "lastSeenAt"),
}
_PLACES = ("/admin/users", "/admin/auth-sessions", "/admin/invitations", "/admin/audit-log")
_OTHERS = ("session-limit", "session-groups")
_IDS = {"userId": "usr_none", "sessionId": "ses_none", "invitationId": "inv_none"}


async def ask(site: WholeSite, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
    """What the admin asks."""
    return await site.ask(method, path, "admin", **({} if body is None else {"json": body}), **options)


async def student(site: WholeSite) -> tuple[str, dict[str, str]]:
    """A new student: the id, and the header of the session that registration opened."""
    email = f"person{next(_NUMBERS)}@example.org"
    body = {"email": email, "password": PASSWORD, "name": "Grace Hopper", "delivery": "body"}
    answer = await site.client.post("/student/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["user"]["id"], {"authorization": f"Bearer {answer.json()['accessToken']}"}


async def log_of(site: WholeSite, subject: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await ask(site, "GET", f"/admin/audit-log?subject={subject}")).json()["items"]
    return items


async def who_am_i(site: WholeSite, header: dict[str, str], portal: str = "student") -> httpx.Response:
    return await site.client.get(f"/{portal}/auth/me", headers=header)


async def test_an_account_is_made_once_for_one_key(whole_site: WholeSite) -> None:
    body = {"email": "new@example.org", "role": "instructor", "name": "New", "username": "newcomer", "reason": "Joins"}
    first, again = [
        await ask(whole_site, "POST", "/admin/users", body, headers={"idempotency-key": "make"}) for _ in range(2)
    ]
    made = first.json()
    assert (first.status_code, set(made)) == (201, _USER_FIELDS)
    assert (made["role"], made["status"], made["emailVerified"], made["lastSeenAt"]) == (
        "instructor",
        "active",
        False,
        None,
    )
    assert first.headers["location"] == f"/admin/users/{made['id']}"
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, made, "true")
    (entry,) = await log_of(whole_site, made["id"])
    assert (entry["action"], entry["reason"], entry["before"]) == ("user.created", "Joins", None)
    refused = await ask(whole_site, "POST", "/admin/users", body | {"username": None})
    assert_problem(refused, 409, "user.email_taken")
    refused = await ask(whole_site, "POST", "/admin/users", body | {"email": "other@example.org"})
    assert_problem(refused, 409, "user.username_taken")


async def test_the_log_tells_who_did_what_why_and_through_which_request(whole_site: WholeSite) -> None:
    user_id, _ = await student(whole_site)
    change = {"role": "instructor", "reason": "Teaches now"}
    answer = await ask(whole_site, "PATCH", f"/admin/users/{user_id}", change, headers={"x-request-id": "req-of-test"})
    me = (await ask(whole_site, "GET", ME)).json()["user"]["id"]
    (entry,) = await log_of(whole_site, user_id)
    assert entry.pop("id").startswith("aud_")
    assert entry.pop("at") == answer.json()["updatedAt"]
    assert entry == {
        "actorId": me,
        "action": "user.changed",
        "subject": user_id,
        "before": {"role": "student"},
        "after": {"role": "instructor"},
        "reason": "Teaches now",
        "requestId": "req-of-test",
        "ip": "127.0.0.1",
    }


@pytest.mark.parametrize("change", [{"role": "instructor"}, {"status": "disabled"}, None])
async def test_the_next_request_with_an_old_token_is_refused(
    whole_site: WholeSite, change: dict[str, str] | None
) -> None:
    user_id, header = await student(whole_site)
    assert (await who_am_i(whole_site, header)).status_code == 200
    answer = await ask(whole_site, "PATCH" if change else "DELETE", f"/admin/users/{user_id}", change)
    assert answer.status_code == (200 if change else 204)
    assert_problem(await who_am_i(whole_site, header), 401, "auth.session_ended")
    listed = (await ask(whole_site, "GET", f"/admin/users/{user_id}/auth-sessions?state=all")).json()["items"]
    assert [session["state"] for session in listed] == ["revoked"]
    assert len(await log_of(whole_site, user_id)) == 1


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, None, None),
        ({"reason": "for nothing"}, None, None),
        ({"id": "usr_other"}, "/id", "unknown_field"),
        ({"passwordHash": "x"}, "/passwordHash", "unknown_field"),
        ({"emailVerifiedAt": "2026-01-01T00:00:00Z"}, "/emailVerifiedAt", "unknown_field"),
        ({"deletedAt": None}, "/deletedAt", "unknown_field"),
        ({"email": None}, "/email", "wrong_type"),
        ({"role": None}, "/role", "wrong_type"),
        ({"role": "root"}, "/role", "not_one_of"),
        ({"status": "deleted"}, "/status", "not_one_of"),
        ({"email": "nobody"}, "/email", "invalid_email"),
        ({"username": "?"}, "/username", "invalid_username"),
        ({"name": "x" * 201}, "/name", "invalid_name"),
        ({"name": "Ada", "reason": "x" * 501}, "/reason", "too_long"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_by_its_field(
    whole_site: WholeSite, body: dict[str, Any], pointer: str | None, code: str | None
) -> None:
    me = (await ask(whole_site, "GET", ME)).json()["user"]["id"]
    problem = assert_problem(await ask(whole_site, "PATCH", f"/admin/users/{me}", body), 422, "request.invalid")
    told = [(each["pointer"], each["code"]) for each in problem.get("errors", ())]
    assert told == ([] if pointer is None else [(pointer, code)])


async def test_absent_stays_null_takes_away_and_the_same_is_no_act(whole_site: WholeSite) -> None:
    user_id, _ = await student(whole_site)
    named = await ask(whole_site, "PATCH", f"/admin/users/{user_id}", {"username": f"u{user_id[-8:]}"})
    assert (named.json()["name"], named.json()["username"]) == ("Grace Hopper", f"u{user_id[-8:]}")
    cleared = await ask(whole_site, "PATCH", f"/admin/users/{user_id}", {"username": None, "name": None})
    assert (cleared.json()["name"], cleared.json()["username"]) == ("", None)
    same = await ask(whole_site, "PATCH", f"/admin/users/{user_id}", {"name": " ", "role": "student", "reason": "?"})
    assert (same.status_code, same.json()) == (200, cleared.json())
    assert len(await log_of(whole_site, user_id)) == 2


async def test_a_new_address_is_unverified_and_free_only_once(whole_site: WholeSite) -> None:
    (first, _), (second, header) = await student(whole_site), await student(whole_site)
    taken = (await ask(whole_site, "GET", f"/admin/users/{first}")).json()["email"]
    refused = await ask(whole_site, "PATCH", f"/admin/users/{second}", {"email": taken.upper()})
    assert_problem(refused, 409, "user.email_taken")
    changed = await ask(whole_site, "PATCH", f"/admin/users/{second}", {"email": f"moved-{taken}"})
    assert (changed.json()["email"], changed.json()["emailVerified"]) == (f"moved-{taken}", False)
    assert (await who_am_i(whole_site, header)).status_code == 200


async def test_a_deleted_person_is_seen_not_changed_and_comes_back_signed_out(whole_site: WholeSite) -> None:
    user_id, header = await student(whole_site)
    assert (await ask(whole_site, "DELETE", f"/admin/users/{user_id}?reason=Asked+for+it")).status_code == 204
    seen = (await ask(whole_site, "GET", f"/admin/users/{user_id}")).json()
    assert seen["deletedAt"].endswith("Z")
    for method, path, body in (
        ("PATCH", "", {"name": "Ada"}),
        ("DELETE", "", None),
        ("POST", "/unlock", None),
        ("POST", "/password-reset", None),
        ("POST", "/auth-sessions/revoke-all", None),
    ):
        refused = await ask(whole_site, method, f"/admin/users/{user_id}{path}", body)
        assert_problem(refused, 404, "user.not_found")
    listed = (await ask(whole_site, "GET", "/admin/users?limit=100")).json()["items"]
    assert user_id not in {user["id"] for user in listed}
    deleted = (await ask(whole_site, "GET", "/admin/users?status=deleted")).json()["items"]
    assert user_id in {user["id"] for user in deleted}
    restored = await ask(whole_site, "POST", f"/admin/users/{user_id}/restore", {"reason": "A mistake"})
    assert (restored.status_code, restored.json()["deletedAt"]) == (200, None)
    assert_problem(await who_am_i(whole_site, header), 401, "auth.session_ended")
    assert (await ask(whole_site, "POST", f"/admin/users/{user_id}/restore")).json() == restored.json()
    log = [(entry["action"], entry["reason"]) for entry in await log_of(whole_site, user_id)]
    assert log == [("user.restored", "A mistake"), ("user.deleted", "Asked for it")]


async def test_nobody_is_restored_to_an_address_that_is_in_use_again(whole_site: WholeSite) -> None:
    user_id, _ = await student(whole_site)
    email = (await ask(whole_site, "GET", f"/admin/users/{user_id}")).json()["email"]
    await ask(whole_site, "DELETE", f"/admin/users/{user_id}")
    await whole_site.client.post("/student/auth/register", json={"email": email, "password": PASSWORD})
    refused = await ask(whole_site, "POST", f"/admin/users/{user_id}/restore")
    assert_problem(refused, 409, "user.email_taken")


@pytest.mark.parametrize("change", [{"role": "student"}, {"status": "disabled"}, None])
async def test_the_last_admin_stays_and_stays_signed_in(whole_site: WholeSite, change: dict[str, str] | None) -> None:
    me = (await ask(whole_site, "GET", ME)).json()["user"]["id"]
    refused = await ask(whole_site, "PATCH" if change else "DELETE", f"/admin/users/{me}", change)
    assert_problem(refused, 409, "admin.last_admin")
    assert (await ask(whole_site, "GET", ME)).status_code == 200


async def test_an_admin_who_steps_down_is_out_at_once(whole_site: WholeSite) -> None:
    deputy = {"email": "deputy@example.org", "role": "student", "password": PASSWORD}
    made = await whole_site.client.post(
        "/student/auth/register", json={"email": deputy["email"], "password": PASSWORD, "delivery": "body"}
    )
    user_id = made.json()["user"]["id"]
    await ask(whole_site, "PATCH", f"/admin/users/{user_id}", {"role": "admin"})
    entered = await whole_site.client.post(
        "/admin/auth/login", json={"email": deputy["email"], "password": PASSWORD, "delivery": "body"}
    )
    header = {"authorization": f"Bearer {entered.json()['accessToken']}"}
    down = await whole_site.client.patch(f"/admin/users/{user_id}", json={"role": "student"}, headers=header)
    assert (down.status_code, down.json()["role"]) == (200, "student")
    assert_problem(await whole_site.client.get("/admin/users", headers=header), 401, "auth.session_ended")


async def test_people_are_found_and_read_page_by_page(whole_site: WholeSite) -> None:
    made = []
    for number in range(3):
        body = {"email": f"pager{number}@example.org", "role": "student", "name": "Zacharias Page"}
        made.append((await ask(whole_site, "POST", "/admin/users", body)).json()["id"])
    first = await ask(whole_site, "GET", "/admin/users?q=PAGE+zach&role=student&limit=2")
    rest = await ask(whole_site, "GET", first.links["next"]["url"])
    found = [user["id"] for user in (*first.json()["items"], *rest.json()["items"])]
    assert (found, rest.json()["nextCursor"]) == (made[::-1], None)
    assert (await ask(whole_site, "GET", "/admin/users?q=zacharias&role=admin")).json()["items"] == []
    by_address = (await ask(whole_site, "GET", "/admin/users?q=pager1@example.org&status=active")).json()["items"]
    assert [set(user) for user in by_address] == [_USER_FIELDS]


@pytest.mark.parametrize(
    "query",
    [
        "users?role=root",
        "users?status=gone",
        "users?q=" + "x" * 201,
        "users?q=%00",
        "users?cursor=x",
        "users/usr_x/auth-sessions?state=x",
        "invitations?state=gone",
        "invitations?role=root",
        "audit-log?from=yesterday",
        "audit-log?to=2026-01-01T00:00:00",
        "audit-log?to=9999-01-01T00:00:00Z",
        "audit-log?from=0001-01-01T00:00:00Z",
        "audit-log?cursor=x",
    ],
)
async def test_a_query_that_cannot_be_is_refused(whole_site: WholeSite, query: str) -> None:
    refused = await ask(whole_site, "GET", f"/admin/{query}")
    assert refused.status_code == 422, refused.text
    assert_problem(refused, 422, refused.json()["code"])


async def test_one_session_is_ended_and_the_others_go_on(whole_site: WholeSite) -> None:
    user_id, header = await student(whole_site)
    (session,) = (await ask(whole_site, "GET", f"/admin/users/{user_id}/auth-sessions")).json()["items"]
    assert (session["state"], session["audience"], session["userId"]) == ("live", "student", user_id)
    ended = await ask(whole_site, "POST", f"/admin/users/{user_id}/auth-sessions/{session['id']}/revoke", {})
    assert ended.json() == session | {
        "state": "revoked",
        "revokedAt": ended.json()["revokedAt"],
        "revokeReason": "admin_revoked",
    }
    assert_problem(await who_am_i(whole_site, header), 401, "auth.session_ended")
    assert (await ask(whole_site, "GET", f"/admin/users/{user_id}/auth-sessions")).json()["items"] == []
    assert len(await log_of(whole_site, session["id"])) == 1
    foreign = await ask(whole_site, "POST", f"/admin/users/usr_none/auth-sessions/{session['id']}/revoke")
    assert_problem(foreign, 404, "auth.session_not_found")


async def test_all_sessions_of_one_person_end(whole_site: WholeSite) -> None:
    user_id, header = await student(whole_site)
    answer = await ask(whole_site, "POST", f"/admin/users/{user_id}/auth-sessions/revoke-all", {"reason": "Stolen"})
    assert (answer.status_code, answer.json()) == (200, {"revoked": 1})
    assert_problem(await who_am_i(whole_site, header), 401, "auth.session_ended")
    (entry,) = await log_of(whole_site, user_id)
    assert (entry["action"], entry["after"], entry["reason"]) == ("sessions.revoked", {"revoked": 1}, "Stolen")


async def test_somebody_is_helped_without_a_password_being_known(whole_site: WholeSite) -> None:
    user_id, header = await student(whole_site)
    email = (await ask(whole_site, "GET", f"/admin/users/{user_id}")).json()["email"]
    await whole_site.client.post("/student/auth/login", json={"email": email, "password": f"not {PASSWORD}"})
    for _ in range(2):
        unlocked = await ask(whole_site, "POST", f"/admin/users/{user_id}/unlock")
        assert (unlocked.status_code, unlocked.content) == (204, b"")
    sent = [
        await ask(whole_site, "POST", f"/admin/users/{user_id}/password-reset", headers={"idempotency-key": "help"})
        for _ in range(2)
    ]
    assert [(each.status_code, each.content) for each in sent] == [(202, b"")] * 2
    assert not any("content-type" in each.headers for each in sent), "a type of nothing"
    assert (await who_am_i(whole_site, header)).status_code == 200
    assert [entry["action"] for entry in await log_of(whole_site, user_id)] == [
        "user.password_link_sent",
        "user.unlocked",
    ]


async def test_an_invitation_is_made_replaced_listed_and_taken_back(whole_site: WholeSite) -> None:
    body = {"email": "Guest@Example.org", "role": "instructor"}
    first = await ask(whole_site, "POST", "/admin/invitations", body, headers={"idempotency-key": "invite"})
    assert (first.status_code, first.json()["state"], first.json()["email"]) == (201, "open", "guest@example.org")
    second = (await ask(whole_site, "POST", "/admin/invitations", body | {"role": "admin"})).json()
    listed = (await ask(whole_site, "GET", "/admin/invitations?email=guest@example.org")).json()["items"]
    assert [(each["id"], each["state"]) for each in listed] == [
        (second["id"], "open"),
        (first.json()["id"], "revoked"),
    ]
    for status in (204, 404):
        assert (await ask(whole_site, "DELETE", f"/admin/invitations/{second['id']}")).status_code == status
    assert (await ask(whole_site, "GET", "/admin/invitations?state=open&role=admin")).json()["items"] == []
    for wrong in ({"role": "student"}, {"email": "nobody"}, {"invitedBy": "usr_1"}):
        assert_problem(await ask(whole_site, "POST", "/admin/invitations", body | wrong), 422, "request.invalid")
    refused = await ask(whole_site, "POST", "/admin/invitations", body | {"email": "student@example.org"})
    assert_problem(refused, 409, "user.email_taken")


async def test_the_log_is_read_between_two_times_and_page_by_page(whole_site: WholeSite) -> None:
    user_id, _ = await student(whole_site)
    for number in range(3):
        await ask(whole_site, "PATCH", f"/admin/users/{user_id}", {"name": f"Name {number}"})
    url = f"/admin/audit-log?subject={user_id}&action=user.changed&limit=2"
    first = await ask(whole_site, "GET", url)
    rest = await ask(whole_site, "GET", first.links["next"]["url"])
    entries = [*first.json()["items"], *rest.json()["items"]]
    assert [entry["after"]["name"] for entry in entries] == ["Name 2", "Name 1", "Name 0"]
    since = httpx.URL("/admin/audit-log", params={"subject": user_id, "from": entries[1]["at"], "to": entries[0]["at"]})
    between = (await ask(whole_site, "GET", str(since))).json()["items"]
    assert [entry["id"] for entry in between] == [entries[1]["id"]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = httpx.URL("/admin/audit-log", params={"from": tomorrow})
    assert (await ask(whole_site, "GET", str(later))).json()["items"] == []


async def test_nothing_that_lets_anybody_in_is_ever_shown(whole_site: WholeSite) -> None:
    for path in ("/admin/users?limit=100", "/admin/audit-log?limit=100", "/admin/invitations?limit=100"):
        text = (await ask(whole_site, "GET", path)).text
        for word in ("argon2", "$2b$", "hash", "token", "eyJ"):
            assert word not in text.lower(), (path, word)


def operations(site: WholeSite) -> list[Operation]:
    """The operations of this file."""
    here = [operation for operation in site.operations() if operation.path.startswith(_PLACES)]
    return [operation for operation in here if not any(other in operation.path for other in _OTHERS)]


async def test_nobody_but_admins_is_served(site: WholeSite) -> None:
    asked = operations(site)
    assert len(asked) == 23
    for operation in asked:
        for person, status in ((None, 401), ("student", 403), ("instructor", 403)):
            answer = await site.ask(operation.method, operation.at(**_IDS), person, json={})
            assert answer.status_code == status, (operation.id, person, answer.text)


async def test_what_nobody_has_is_not_found(site: WholeSite) -> None:
    for operation in operations(site):
        if "{" not in operation.path:
            continue
        body = {"json": BODIES.get(operation.id, {})} if operation.takes_json else {}
        for ids in (_IDS, dict.fromkeys(_IDS, "%00"), dict.fromkeys(_IDS, "x" * 65)):
            answer = await site.ask(operation.method, operation.at(**ids), "admin", **body)
            assert answer.status_code == 404, (operation.id, ids, answer.text)


async def test_everybody_is_signed_out_but_the_one_who_says_so(whole_site: WholeSite) -> None:
    """The last of this file: whoever was signed in is not any more."""
    _, header = await student(whole_site)
    refused = await ask(whole_site, "POST", "/admin/auth-sessions/revoke-all", {})
    assert_problem(refused, 422, "request.invalid")
    answer = await ask(whole_site, "POST", "/admin/auth-sessions/revoke-all", {"reason": "A key was lost"})
    assert answer.json()["revoked"] > 2
    assert answer.json()["complete"] is True
    assert_problem(await who_am_i(whole_site, header), 401, "auth.session_ended")
    assert_problem(await who_am_i(whole_site, whole_site.speaking("student")), 401, "auth.session_ended")
    assert (await ask(whole_site, "GET", ME)).status_code == 200
    (entry,) = await log_of(whole_site, "everybody")
    assert (entry["reason"], list(entry["after"])) == ("A key was lost", ["opened_until"])
