"""Registration, sign-in and sessions over HTTP, through the whole application on PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from application.auth.registering import NewUser
from domain.auth.people import Role
from entrypoints.http.app import Application
from tests.support.auth_builders import EMAIL, PASSWORD
from tests.support.auth_http import ADA, PORTALS, bearer, browser, code, provided
from tests.support.postgres import ClonedDatabase


async def test_registering_answers_with_tokens_cookies_and_the_person(client: httpx.AsyncClient) -> None:
    answer = await client.post("/student/auth/register", json=ADA | {"name": "Ada"})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["tokenType"], body["expiresIn"], body["evictedSessions"]) == ("Bearer", 900, 0)
    assert set(body["user"]) == {
        "id", "email", "username", "name", "role", "emailVerified", "mustChangePassword", "createdAt", "updatedAt",
    }  # fmt: skip
    assert (body["user"]["email"], body["user"]["role"], body["user"]["username"]) == (EMAIL, "student", None)
    assert body["user"]["id"].startswith("usr_")
    assert body["user"]["createdAt"].endswith("Z")
    assert "refreshToken" not in body
    assert answer.headers["cache-control"] == "no-store"
    cookies = {line.split("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert set(cookies) == {"ace_access", "ace_refresh", "ace_csrf"}
    assert [name for name, line in cookies.items() if "HttpOnly" in line] == ["ace_access", "ace_refresh"]
    assert all("SameSite=Lax" in line and "Path=/" in line for line in cookies.values())
    assert body["csrfToken"] == client.cookies["ace_csrf"]


async def test_the_access_token_says_what_is_promised(ada: httpx.AsyncClient) -> None:
    token = ada.cookies["ace_access"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert set(claims) == {"iss", "aud", "sub", "sid", "role", "auth_time", "iat", "nbf", "exp", "jti"}
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("student", 900)


async def test_one_sees_oneself_by_cookie_and_by_bearer(ada: httpx.AsyncClient, app: Application) -> None:
    by_cookie = await ada.get("/student/auth/me")
    async with browser(app) as other:
        by_bearer = await other.get("/student/auth/me", headers=bearer(ada.cookies["ace_access"]))
    assert by_cookie.status_code == by_bearer.status_code == 200
    assert by_cookie.json() == by_bearer.json()
    assert set(by_cookie.json()) == {"user", "session"}
    assert set(by_cookie.json()["session"]) == {"id", "createdAt", "expiresAt"}
    assert (await ada.head("/student/auth/me")).status_code == 200


@pytest.mark.parametrize("portal", PORTALS)
async def test_every_role_signs_in_at_its_portal_and_opens_nothing_at_another(
    ada: httpx.AsyncClient, app: Application, portal: str
) -> None:
    email = EMAIL
    if portal != "student":
        email = f"{portal}@example.org"
        await provided(app, "ensure_user")(NewUser(role=Role(portal), email=email, password=PASSWORD))
    async with browser(app) as client:
        answer = await client.post(f"/{portal}/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["user"]["role"] == portal
        for other in PORTALS:
            me = await client.get(f"/{other}/auth/me")
            assert (me.status_code == 200) if other == portal else (me.status_code, code(me)) == (403, "auth.forbidden")
            if other != portal:
                login = await client.post(f"/{other}/auth/login", json={"email": email, "password": PASSWORD})
                assert (login.status_code, code(login)) == (403, "auth.wrong_portal")


@pytest.mark.parametrize("portal", ["instructor", "admin"])
async def test_staff_do_not_register_without_an_invitation(client: httpx.AsyncClient, portal: str) -> None:
    answer = await client.post(f"/{portal}/auth/register", json=ADA)
    assert (answer.status_code, code(answer)) == (403, "auth.invitation_required")


@pytest.mark.parametrize(
    ("change", "status", "problem", "pointer"),
    [
        ({"email": "nobody"}, 422, "request.invalid", "/email"),
        ({"password": "short"}, 422, "auth.password_refused", "/password"),
        ({"password": "x" * 129}, 422, "auth.password_refused", "/password"),
        ({"password": "password1"}, 422, "auth.password_refused", "/password"),
        ({"password": "ace-12345"}, 422, "auth.password_refused", "/password"),
        ({"username": "?"}, 422, "request.invalid", "/username"),
        ({"role": "admin"}, 422, "request.invalid", "/role"),
        ({"emailVerified": True}, 422, "request.invalid", "/emailVerified"),
        ({"email": 7}, 422, "request.invalid", "/email"),
        ({"delivery": "pigeon"}, 422, "request.invalid", "/delivery"),
    ],
)
async def test_a_registration_that_breaks_a_rule_names_the_field(
    client: httpx.AsyncClient, change: dict[str, Any], status: int, problem: str, pointer: str
) -> None:
    answer = await client.post("/student/auth/register", json=ADA | change)
    assert (answer.status_code, code(answer)) == (status, problem)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert PASSWORD not in answer.text


async def test_an_address_or_username_in_use_is_a_conflict(ada: httpx.AsyncClient) -> None:
    taken = await ada.post("/student/auth/register", json=ADA | {"email": "ADA@Example.ORG"})
    assert (taken.status_code, code(taken)) == (409, "user.email_taken")
    taken = await ada.post("/student/auth/register", json=ADA | {"email": "b@example.org", "username": "Ada"})
    assert (taken.status_code, code(taken)) == (409, "user.username_taken")


async def test_every_failed_sign_in_gets_one_answer(ada: httpx.AsyncClient, cloned: ClonedDatabase) -> None:
    wrong = ({"password": "wrong"}, {"email": "x@example.org"}, {"email": "nonsense"})
    answers = [await ada.post("/student/auth/login", json=ADA | change) for change in wrong]
    for change in ("status = 'disabled'", "deleted_at = now()"):
        with cloned.administration() as connection:
            connection.execute(f"update users set {change} where email = %s", (EMAIL,))
        answers.append(await ada.post("/student/auth/login", json=ADA))
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert len({tuple(sorted((answer.json() | {"instance": ""}).items())) for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_remembering_keeps_the_cookies_beyond_the_window(ada: httpx.AsyncClient) -> None:
    for remember, ages in ((True, ["Max-Age=900", "Max-Age=604800", "Max-Age=604800"]), (False, ["", "", ""])):
        answer = await ada.post("/student/auth/login", json=ADA | {"rememberMe": remember})
        lines = answer.headers.get_list("set-cookie")
        assert [next((part for part in line.split("; ") if "Max-Age" in part), "") for line in lines] == ages


async def test_signing_in_with_a_live_cookie_ends_the_old_session(ada: httpx.AsyncClient) -> None:
    before = dict(ada.cookies)
    answer = await ada.post("/student/auth/login", json=ADA)
    assert answer.json()["csrfToken"] != before["ace_csrf"]
    old = await ada.get("/student/auth/me", headers=bearer(before["ace_access"]))
    assert (old.status_code, code(old)) == (401, "auth.session_ended")
    assert (await ada.get("/student/auth/me")).status_code == 200


async def test_refreshing_by_cookie_sets_the_next_cookies_and_keeps_the_csrf_token(ada: httpx.AsyncClient) -> None:
    before = dict(ada.cookies)
    answer = await ada.post("/student/auth/refresh")
    assert answer.status_code == 200
    assert set(answer.json()) == {"accessToken", "tokenType", "expiresIn", "csrfToken"}
    assert answer.json()["csrfToken"] == before["ace_csrf"]
    assert ada.cookies["ace_refresh"] != before["ace_refresh"]
    assert (await ada.get("/student/auth/me")).status_code == 200


async def test_a_csrf_token_of_another_session_is_replaced_at_the_next_refresh(ada: httpx.AsyncClient) -> None:
    ada.cookies.set("ace_csrf", "planted", domain="ace.test")
    answer = await ada.post("/student/auth/refresh")
    assert answer.json()["csrfToken"] != "planted"


async def test_clients_that_ask_for_it_get_the_refresh_token_in_the_body_and_no_cookie(
    ada: httpx.AsyncClient, app: Application
) -> None:
    async with browser(app) as client:
        login = await client.post("/student/auth/login", json=ADA | {"delivery": "body"})
        assert login.status_code == 200
        refreshed = await client.post("/student/auth/refresh", json={"refreshToken": login.json()["refreshToken"]})
        assert refreshed.status_code == 200
        assert refreshed.json()["refreshToken"] not in (None, login.json()["refreshToken"])
        assert not client.cookies
        me = await client.get("/student/auth/me", headers=bearer(refreshed.json()["accessToken"]))
        assert me.status_code == 200
        out = await client.post("/student/auth/logout", headers=bearer(refreshed.json()["accessToken"]))
        assert out.status_code == 204
        me = await client.get("/student/auth/me", headers=bearer(refreshed.json()["accessToken"]))
        assert (me.status_code, code(me)) == (401, "auth.session_ended")


async def test_twelve_tabs_that_refresh_at_once_go_on_with_one_token(ada: httpx.AsyncClient, app: Application) -> None:
    async def tab() -> httpx.Response:
        async with browser(app) as one:
            one.cookies.update(ada.cookies)
            return await one.post("/student/auth/refresh")

    answers = await asyncio.gather(*(tab() for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.cookies["ace_refresh"] for answer in answers}) == 1


async def test_a_refresh_token_used_again_later_ends_the_session_for_both_holders(
    ada: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    stolen = ada.cookies["ace_refresh"]
    await ada.post("/student/auth/refresh")
    with cloned.administration() as connection:
        connection.execute("update auth_refresh_tokens set used_at = used_at - interval '11 seconds'")
    thief = await ada.post("/student/auth/refresh", json={"refreshToken": stolen})
    assert (thief.status_code, code(thief)) == (401, "auth.refresh_reused")
    owner = await ada.post("/student/auth/refresh")
    assert (owner.status_code, code(owner)) == (401, "auth.session_ended")
    assert code(await ada.get("/student/auth/me")) == "auth.session_ended"
    with cloned.administration() as connection:
        rows = connection.execute("select action, request_id from audit_log where action like 'session.%'").fetchall()
    assert rows == [("session.refresh_reused", thief.headers["x-request-id"])]


@pytest.mark.parametrize(
    ("cookie", "status", "problem"),
    [
        (None, 401, "auth.token_missing"),
        ("nonsense", 401, "auth.refresh_invalid"),
        ("A" * 43, 401, "auth.refresh_invalid"),
    ],
)
async def test_refreshing_without_a_token_of_ours_is_refused(
    client: httpx.AsyncClient, cookie: str | None, status: int, problem: str
) -> None:
    if cookie is not None:
        client.cookies.set("ace_refresh", cookie)
    answer = await client.post("/student/auth/refresh")
    assert (answer.status_code, code(answer)) == (status, problem)


async def test_a_refresh_token_is_good_at_its_own_portal_only(ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/admin/auth/refresh")
    assert (answer.status_code, code(answer)) == (401, "auth.refresh_invalid")
    assert (await ada.post("/student/auth/refresh")).status_code == 200


async def test_signing_out_ends_the_session_at_once_and_clears_everything(ada: httpx.AsyncClient) -> None:
    token = ada.cookies["ace_access"]
    answer = await ada.post("/student/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert not ada.cookies
    again = await ada.get("/student/auth/me", headers=bearer(token))
    assert (again.status_code, code(again)) == (401, "auth.session_ended")
    assert (await ada.post("/student/auth/logout")).status_code == 204


async def test_signing_out_works_when_only_the_refresh_cookie_is_left(ada: httpx.AsyncClient) -> None:
    token = ada.cookies["ace_access"]
    ada.cookies.delete("ace_access")
    assert (await ada.post("/student/auth/logout")).status_code == 204
    assert code(await ada.get("/student/auth/me", headers=bearer(token))) == "auth.session_ended"


async def test_signing_out_everywhere_ends_every_session(ada: httpx.AsyncClient, app: Application) -> None:
    async with browser(app) as other:
        await other.post("/student/auth/login", json=ADA)
        answer = await ada.post("/student/auth/logout-all")
        assert (answer.status_code, answer.json()) == (200, {"revoked": 2})
        assert not ada.cookies
        assert code(await other.get("/student/auth/me")) == "auth.session_ended"


async def test_an_expired_access_token_says_so(ada: httpx.AsyncClient, app: Application) -> None:
    tokens = provided(app, "access_tokens")
    claims = tokens.read(ada.cookies["ace_access"])
    expired = tokens.sign(replace(claims, expires_at=claims.issued_at - 6))
    answer = await ada.get("/student/auth/me", headers=bearer(expired))
    assert (answer.status_code, code(answer)) == (401, "auth.token_expired")


async def test_the_old_paths_work_and_say_what_replaces_them(client: httpx.AsyncClient) -> None:
    registered = await client.post("/auth/register", json=ADA)
    assert registered.status_code == 201
    answers = [await client.get("/auth/me"), await client.post("/auth/login", json=ADA | {"password": "wrong"})]
    assert [answer.status_code for answer in answers] == [200, 401]
    for answer, route in zip(answers, ("me", "login"), strict=True):
        assert answer.headers["deprecation"].startswith("@")
        assert answer.headers["link"] == f'</student/auth/{route}>; rel="successor-version"'
    assert "deprecation" not in (await client.get("/student/auth/me")).headers


async def test_when_too_many_passwords_wait_one_is_told_when_to_come_back(
    client: httpx.AsyncClient, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher, release = provided(app, "password_hasher"), threading.Event()
    monkeypatch.setattr(hasher, "_queue", 1)
    hasher._thread.submit(release.wait)
    try:
        answers = asyncio.as_completed([client.post("/student/auth/login", json=ADA) for _ in range(4)])
        refused = [await next(answers) for _ in range(3)]
    finally:
        release.set()
    for busy in refused:
        assert (busy.status_code, code(busy), busy.headers["retry-after"]) == (503, "auth.busy", "2")
    assert (await next(answers)).status_code == 401


async def test_neither_password_nor_token_nor_address_is_logged(
    ada: httpx.AsyncClient, app: Application, log: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app.log.flush()
    log.clear()
    secrets = [PASSWORD, EMAIL, *ada.cookies.values()]
    await ada.post("/student/auth/login", json=ADA | {"password": PASSWORD + "!"})
    await ada.post("/student/auth/refresh")
    await ada.post("/student/auth/logout", headers={"x-csrf-token": "nonsense"})
    await ada.get("/student/auth/me", headers=bearer("nonsense-token"))
    app.log.flush()
    told = b"".join(log).decode() + caplog.text
    assert "/student/auth/refresh" in told
    assert not [secret for secret in (*secrets, "nonsense-token") if secret in told]


async def test_every_operation_has_its_own_name_and_says_who_may_call_it(app: Application) -> None:
    async with browser(app) as client:
        document = (await client.get("/openapi.json")).json()
    found = {
        (path, operation["operationId"]): operation["security"]
        for path, methods in document["paths"].items()
        if "/auth/" in path and not path.startswith("/api/")
        for operation in methods.values()
    }
    assert len(found) == len({name for _, name in found}) == 56
    public = {name for (_, name), security in found.items() if {} in security}
    assert public == {
        f"{verb}{portal}"
        for verb in (
            *("register", "login", "refresh", "logout"),
            *("verifyEmail", "resendVerification", "requestPasswordReset", "resetPassword"),
        )
        for portal in ("Student", "Instructor", "Admin", "Legacy")
    }


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("route", ["refresh", "logout"])
async def test_a_form_without_a_body_is_a_form_all_the_same(
    client: httpx.AsyncClient, route: str, media_type: str
) -> None:
    """A refresh and a sign-out need no body, and a foreign page may send such a form without being asked."""
    signed_in = await client.post("/student/auth/register", json=ADA)
    page = {"x-csrf-token": signed_in.json()["csrfToken"]}
    refused = await client.post(f"/student/auth/{route}", headers=page | {"content-type": media_type})
    assert (refused.status_code, code(refused)) == (415, "request.unsupported_media_type")
    assert (await client.get("/student/auth/me")).status_code == 200
    assert (await client.post(f"/student/auth/{route}", headers=page)).is_success
