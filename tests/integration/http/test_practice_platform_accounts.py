"""The practice platform's door: accounts and sessions, as its clients know them and under our rules."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.areas import AREAS
from entrypoints.http.logs import AccessLog
from entrypoints.settings import Settings
from tests.support.auth_http import EVIL, browser
from tests.support.http import LogLines, assert_problem, told_in_detail
from tests.support.platform_site import API, PlatformClient, platform_client
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE, visitor
from tests.support.whole_site import PASSWORD, SECRET, WholeSite, whole_site_of


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE) as site:
        yield site


@pytest.fixture
async def pat(site: WholeSite) -> AsyncIterator[PlatformClient]:
    async with platform_client(site) as person:
        yield person


async def test_signing_up_answers_what_the_original_answers(pat: PlatformClient) -> None:
    assert list(pat.tokens) == ["access_token", "token_type", "refresh_token", "user"]
    assert pat.tokens["token_type"] == "bearer"
    user = pat.tokens["user"]
    assert list(user) == ["id", "email", "username", "is_verified"]
    assert (user["email"], user["username"], user["is_verified"]) == (pat.email, pat.name, False)


async def test_who_signs_up_has_a_name_everywhere_else(pat: PlatformClient) -> None:
    """This door asks for a username only, so that is what people are called."""
    me = (await pat.client.get("/student/auth/me", headers=pat.bearer)).json()["user"]
    assert (me["name"], me["username"]) == (pat.name, pat.name)


async def test_what_is_taken_is_400_in_the_words_that_clients_know(pat: PlatformClient) -> None:
    body = {"email": pat.email.upper(), "password": PASSWORD, "username": "somebody-else"}
    taken = await pat.ask("POST", "/auth/signup", json=body)
    assert (taken.status_code, taken.json()) == (400, {"detail": "Email already registered."})
    body = {"email": "somebody@example.org", "password": PASSWORD, "username": pat.name.upper()}
    taken = await pat.ask("POST", "/auth/signup", json=body)
    assert (taken.status_code, taken.json()) == (400, {"detail": "Username already taken."})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"email": None}, (["body", "email"], "type_error")),
        ({"email": "nobody"}, (["body", "email"], "invalid_email")),
        ({"email": ...}, (["body", "email"], "missing")),
        ({"password": "short"}, (["body", "password"], "string_too_short")),
        ({"password": "password1"}, (["body", "password"], "too_common")),
        ({"username": "a b"}, (["body", "username"], "invalid_username")),
        ({"username": "   "}, (["body", "username"], "string_too_short")),
        ({"username": 5}, (["body", "username"], "type_error")),
    ],
)
async def test_what_is_invalid_is_422_with_the_place(
    site: WholeSite, pat: PlatformClient, changes: dict[str, Any], fault: tuple[list[str], str]
) -> None:
    before = site.rows()
    body = {"email": "new@example.org", "password": PASSWORD, "username": "newcomer"} | changes
    answer = await pat.ask("POST", "/auth/signup", json={name: each for name, each in body.items() if each is not ...})
    assert answer.status_code == 422, answer.text
    (told,) = answer.json()["detail"]
    assert list(told) == ["loc", "msg", "type"]
    assert (told["loc"], told["type"]) == fault
    assert site.rows() == before


async def test_a_body_that_is_no_json_is_422_too(pat: PlatformClient) -> None:
    headers = {"content-type": "application/json"}
    answer = await pat.client.post(f"{API}/auth/login", content=b'{"email": ', headers=headers)
    assert answer.status_code == 422
    assert [(each["loc"], each["type"]) for each in answer.json()["detail"]] == [(["body"], "json_invalid")]


async def test_what_is_sent_besides_is_not_looked_at(pat: PlatformClient) -> None:
    body = {"email": pat.email, "password": PASSWORD, "remember": True, "role": "admin", "is_admin": True}
    assert (await pat.ask("POST", "/auth/login", json=body)).status_code == 200
    assert (await pat.get("/auth/me"))["is_admin"] is False


async def test_one_signs_in_by_address_or_username_in_any_case(pat: PlatformClient) -> None:
    for named in (pat.email, pat.email.upper(), pat.name, pat.name.upper(), f" {pat.name} "):
        await pat.sign_in(named)
        assert pat.tokens["user"]["email"] == pat.email


async def test_wrong_credentials_are_one_answer(pat: PlatformClient) -> None:
    for named in (pat.email, pat.name, "nobody@example.org", "nobody", "", "no body"):
        answer = await pat.client.post(f"{API}/auth/login", json={"email": named or "x", "password": "not it at all"})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid credentials."})
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_attempts_count_for_the_account_however_it_is_named(site: WholeSite, pat: PlatformClient) -> None:
    """Five wrong passwords in whatever spelling lock it, at every door."""
    for named in (pat.email, pat.name, pat.name.upper(), pat.email, pat.name):
        await pat.client.post(f"{API}/auth/login", json={"email": named, "password": "not it at all"})
    for named in (pat.email, pat.name):
        locked = await pat.client.post(f"{API}/auth/login", json={"email": named, "password": PASSWORD})
        assert (locked.status_code, locked.json()) == (401, {"detail": "Invalid credentials."})
    body = {"email": pat.email, "password": PASSWORD}
    assert_problem(await pat.client.post("/student/auth/login", json=body), 401, "auth.invalid_credentials")


async def test_the_door_is_for_students(site: WholeSite, pat: PlatformClient) -> None:
    body = {"email": "admin@example.org", "password": PASSWORD}
    answer = await pat.client.post(f"{API}/auth/login", json=body)
    assert (answer.status_code, told_in_detail(answer)) == (403, "auth.wrong_portal")
    answer = await site.client.get(f"{API}/auth/me", headers=site.speaking("admin"))
    assert (answer.status_code, told_in_detail(answer)) == (403, "auth.forbidden")


async def test_the_profile_has_every_field_that_clients_know(pat: PlatformClient) -> None:
    answer = await pat.ask("PATCH", "/auth/profile", json={"bio": "Counting on it.", "email": pat.email})
    assert answer.json() == {"message": "Profile updated successfully"}
    profile = await pat.get("/auth/me")
    created_at = profile.pop("created_at")
    assert created_at.endswith("Z")
    assert profile == {
        **pat.tokens["user"],
        "is_active": True,
        "is_admin": False,
        "bio": "Counting on it.",
        "avatar_url": None,
        "study_streak_current": 0,
        "study_streak_longest": 0,
        "total_exams_taken": 0,
        "total_questions_answered": 0,
        "last_activity_date": None,
    }


async def test_a_username_moves_and_is_nobody_elses(site: WholeSite, pat: PlatformClient) -> None:
    async with platform_client(site) as other:
        taken = await other.ask("PATCH", "/auth/profile", json={"username": pat.name})
        assert (taken.status_code, taken.json()) == (400, {"detail": "Username already taken."})
    assert (await pat.ask("PATCH", "/auth/profile", json={"username": f"{pat.name}-the-second"})).status_code == 200
    await pat.sign_in(f"{pat.name}-the-second")
    assert await pat.refused("POST", "/auth/login", json={"email": pat.name, "password": PASSWORD}) == (
        401,
        "auth.invalid_credentials",
    )


async def test_an_address_is_not_changed_by_a_profile(pat: PlatformClient) -> None:
    answer = await pat.ask("PATCH", "/auth/profile", json={"email": "mine@example.org", "bio": "x"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "email"]
    assert (await pat.get("/auth/me"))["bio"] is None
    assert (await pat.ask("PATCH", "/auth/profile", json={"email": pat.email})).status_code == 200


async def test_tokens_are_renewed_and_an_old_one_ends_the_session(site: WholeSite, pat: PlatformClient) -> None:
    first = pat.tokens["refresh_token"]
    renewed = await pat.post("/auth/refresh", refresh_token=first)
    assert list(renewed) == ["access_token", "token_type", "refresh_token"]
    pat.tokens |= renewed
    assert (await pat.get("/auth/me"))["email"] == pat.email
    site.database.keeper.execute("update auth_refresh_tokens set used_at = used_at - interval '1 hour'")
    assert await pat.refused("POST", "/auth/refresh", json={"refresh_token": first}) == (401, "auth.refresh_reused")
    assert await pat.refused("GET", "/auth/me") == (401, "auth.session_ended")


async def test_signing_out_ends_the_session_at_once(pat: PlatformClient) -> None:
    refresh = pat.tokens["refresh_token"]
    assert await pat.post("/auth/logout", refresh_token=refresh) == {"message": "Logged out successfully"}
    answer = await pat.ask("GET", "/auth/me")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid or expired token"})
    assert await pat.refused("POST", "/auth/refresh", json={"refresh_token": refresh}) == (401, "auth.session_ended")


async def test_signing_out_everywhere_ends_the_sessions_of_every_door(site: WholeSite, pat: PlatformClient) -> None:
    async with visitor(site, pat.email) as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 200
        assert await pat.post("/auth/logout-all") == {"message": "Logged out from all devices"}
        assert (await elsewhere.me()).status_code == 401
    assert await pat.refused("GET", "/auth/me") == (401, "auth.session_ended")


async def test_a_session_of_this_door_is_seen_and_ended_at_the_portal(site: WholeSite, pat: PlatformClient) -> None:
    async with visitor(site, pat.email) as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 200
        listed = (await elsewhere.client.get("/student/auth/sessions")).json()["items"]
        here = await pat.get("/auth/sessions")
        assert {each["id"] for each in listed} == {each["id"] for each in here}
        (own,) = [each for each in here if each["is_current"]]
        assert list(own) == [
            *("id", "user_id", "created_at", "last_active", "expires_at", "ip_address", "user_agent", "is_current")
        ]
        assert own["user_id"] == pat.tokens["user"]["id"]
        assert (await elsewhere.delete(f"sessions/{own['id']}")).status_code == 204
    assert await pat.refused("GET", "/auth/me") == (401, "auth.session_ended")


async def test_a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions(
    site: WholeSite, pat: PlatformClient
) -> None:
    first = pat.tokens
    await pat.sign_in()
    wrong = {"old_password": "not it at all", "new_password": "quite another sentence"}
    answer = await pat.ask("POST", "/auth/change-password", json=wrong)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Incorrect current password"})
    weak = await pat.ask("POST", "/auth/change-password", json={"old_password": PASSWORD, "new_password": "short"})
    assert [each["loc"] for each in weak.json()["detail"]] == [["body", "new_password"]]
    changed = await pat.post("/auth/change-password", old_password=PASSWORD, new_password="quite another sentence")
    assert changed == {"message": "Password changed successfully"}
    assert (await pat.get("/auth/me"))["email"] == pat.email
    pat.tokens = first
    assert await pat.refused("GET", "/auth/me") == (401, "auth.session_ended")


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "Token", "ACCESS_TOKEN", "jwt", "accessToken", "access-token", "token[]", " token"),
        *("session_token", "refreshToken", "id_token", "bearer_token", "t", "domain"),
    ],
)
async def test_a_token_in_the_address_is_refused_in_clear_words(pat: PlatformClient, name: str) -> None:
    """Whoever asks and with whatever else, before anybody is recognised. An access token is known by its shape, too."""
    token = pat.tokens["access_token"]
    for tokens in ({}, pat.tokens):
        pat.tokens = tokens
        answer = await pat.ask("GET", "/auth/me", params={name: token})
        assert (answer.status_code, told_in_detail(answer)) == (400, "request.token_in_address")
        assert "Authorization: Bearer" in answer.json()["detail"]
        assert token not in answer.text


@pytest.mark.parametrize(
    "query", ["token", "refresh-token=", "a=1&Session_Token=x", "t=Bearer%20eyJhbGciOiJub25lIn0.e30."]
)
async def test_what_would_carry_a_token_is_refused_whatever_it_holds(pat: PlatformClient, query: str) -> None:
    assert await pat.refused("GET", f"/questions/exams?{query}") == (400, "request.token_in_address")


@pytest.mark.parametrize("query", ["tokens=3", "t=eyJ.and.so.on", "t=" + "eyJ" * 2_000, "t=a.b.c"])
async def test_what_only_resembles_a_token_is_let_through(pat: PlatformClient, query: str) -> None:
    assert (await pat.ask("GET", f"/questions/exams?{query}")).status_code == 200


async def test_a_token_in_the_address_is_never_logged(site: WholeSite, pat: PlatformClient) -> None:
    lines = LogLines()
    site.app.log.flush()
    log, site.app.log._write = site.app.log._write, lines.write
    try:
        await pat.ask("GET", "/auth/me", params={"token": pat.tokens["access_token"]})
        site.app.log.flush()
    finally:
        site.app.log._write = log
    assert [(line["route"], line["status"]) for line in lines.lines()] == [(f"{API}/auth/me", 400)]
    assert pat.tokens["access_token"].encode() not in lines.text


async def test_cookies_are_neither_set_nor_read(site: WholeSite, pat: PlatformClient) -> None:
    assert not pat.client.cookies
    async with visitor(site, pat.email) as elsewhere:
        await elsewhere.sign_in()
        answer = await elsewhere.client.get(f"{API}/auth/me")
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
        body = {"email": pat.email, "password": PASSWORD}
        signed_in = await elsewhere.client.post(f"{API}/auth/login", json=body)
        assert "set-cookie" not in signed_in.headers
        assert (await elsewhere.me()).status_code == 200, "the cookie's own session is not replaced"


async def test_a_foreign_page_registers_nobody(pat: PlatformClient) -> None:
    body = {"email": "victim@example.org", "password": PASSWORD, "username": "victim"}
    for path in ("/auth/signup", "/auth/login", "/auth/refresh"):
        answer = await pat.client.post(f"{API}{path}", json=body | {"refresh_token": "x"}, headers=EVIL)
        assert (answer.status_code, told_in_detail(answer)) == (403, "auth.origin_refused")


async def test_below_the_door_every_error_has_its_form(pat: PlatformClient) -> None:
    nothing = await pat.ask("GET", "/nothing")
    assert (nothing.status_code, nothing.json()) == (404, {"detail": "Not Found"})
    method = await pat.ask("PUT", "/auth/me")
    assert (method.status_code, method.json()) == (405, {"detail": "Method Not Allowed"})
    assert set(method.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert (await pat.ask("GET", "/auth%2fme")).json() == {"detail": "Not Found"}
    assert (await pat.client.get("/api/v1")).json() == {"detail": "Not Found"}
    assert_problem(await pat.client.get("/api/v10/auth/me"), 404, "request.not_found")
    media = await pat.client.post(f"{API}/auth/login", content=b"email=a", headers={"content-type": "text/plain"})
    assert (media.status_code, told_in_detail(media)) == (415, "request.unsupported_media_type")


async def test_the_door_can_be_closed(module_database: ClonedDatabase) -> None:
    settings = Settings(database_url=module_database.urls.app, secret_keys=(SECRET,), practice_platform=False)
    app = create_app(Container(settings=settings), AREAS, log=AccessLog(LogLines().write))
    async with app.lifespan(), browser(app) as client:
        assert_problem(await client.get(f"{API}/questions/exams"), 404, "request.not_found")
        assert API not in json.dumps(list(app.document()["paths"]))
