"""Who asks without a right to: no token, a forged one, one of another portal, somebody else's identifiers, odd headers.

Every protected route of the API's document is asked, so that none is forgotten.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import PASSWORD, Operation, WholeSite

_IDS = {"sessionId": "prs_none", "examPackageId": "pkg_none", "importId": "imp_none"}
_JSON = {"content-type": "application/json"}
_PORTALS = {"student", "instructor", "admin"}


def protected(site: WholeSite) -> list[Operation]:
    return [operation for operation in site.operations() if operation.protected]


async def ask(site: WholeSite, operation: Operation, headers: dict[str, str]) -> httpx.Response:
    return await site.ask(operation.method, operation.at(**_IDS), content=b"{}", headers=_JSON | headers)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_part(header)}.{_part(claims)}."


def _resigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "a key that somebody made up by themselves", algorithm="HS256", headers=header)


def _grafted(signed: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Other content under an honest signature."""
    return f"{_part(header)}.{_part(claims)}.{signed.rpartition('.')[2]}"


Forgery = Callable[[str, dict[str, Any], dict[str, Any]], str]
_FORGERIES: dict[str, Forgery] = {
    "empty": lambda token, header, claims: "",
    "a word": lambda token, header, claims: "token",
    "dots": lambda token, header, claims: "..",
    "no signature": lambda token, header, claims: token.rpartition(".")[0] + ".",
    "cut short": lambda token, header, claims: token[:-4],
    "other signature": lambda token, header, claims: token[:-6] + "AAAAAA",
    "alg none": lambda token, header, claims: _unsigned(header | {"alg": "none"}, claims),
    "alg None": lambda token, header, claims: _unsigned(header | {"alg": "None"}, claims),
    "alg none under a signature": lambda token, header, claims: _grafted(token, header | {"alg": "none"}, claims),
    "alg HS512": lambda token, header, claims: _grafted(token, header | {"alg": "HS512"}, claims),
    "own key": lambda token, header, claims: _resigned(header, claims),
    "own key, no kid": lambda token, header, claims: _resigned({"typ": "at+jwt"}, claims),
    "key brought along": lambda token, header, claims: _resigned(header | {"jwk": {"kty": "oct", "k": "AAAA"}}, claims),
    "kid is a path": lambda token, header, claims: _grafted(token, header | {"kid": "../../../dev/null"}, claims),
    "kid is an object": lambda token, header, claims: _grafted(token, header | {"kid": {}}, claims),
    "promoted": lambda token, header, claims: _grafted(token, header, claims | {"aud": "admin", "role": "admin"}),
    "prolonged": lambda token, header, claims: _grafted(token, header, claims | {"exp": int(time.time()) + 10**6}),
    "deep": lambda token, header, claims: "[" * 5000 + "." + "[" * 5000 + ".x",
    "huge": lambda token, header, claims: token + "A" * 100_000,
    "not ASCII": lambda token, header, claims: token + "\xe9",
    "two tokens": lambda token, header, claims: f"{token} {token}",
    "spaces": lambda token, header, claims: "   ",
}


@pytest.mark.parametrize("forge", _FORGERIES.values(), ids=_FORGERIES.keys())
async def test_a_forged_token_opens_nothing(site: WholeSite, forge: Forgery) -> None:
    for operation in protected(site):
        token = site.tokens[operation.person]
        forged = forge(token, jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False}))
        for headers in ({"authorization": f"Bearer {forged}"}, {"cookie": f"ace_access={forged}"}):
            bytes_headers = {name: value.encode("latin-1") for name, value in headers.items()}
            answer = await ask(site, operation, bytes_headers)  # type: ignore[arg-type]
            assert answer.status_code == 401, (operation.id, answer.text)
            assert_problem(answer, 401, answer.json()["code"])
            assert answer.json()["code"] in {"auth.token_invalid", "auth.token_missing"}
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Basic c3R1ZGVudDpwYXNz"}, {"authorization": "Bearer"}, {"cookie": "ace_access="}],
    ids=["nothing", "basic", "scheme alone", "empty cookie"],
)
async def test_without_a_token_nothing_opens(site: WholeSite, headers: dict[str, str]) -> None:
    for operation in protected(site):
        answer = await ask(site, operation, headers)
        assert answer.status_code == 401, (operation.id, answer.text)
        assert answer.json()["code"] in {"auth.token_missing", "auth.token_invalid"}


async def test_a_token_in_the_address_is_none(site: WholeSite) -> None:
    for operation in protected(site):
        path = f"{operation.at(**_IDS)}?access_token={site.tokens[operation.person]}"
        answer = await site.ask(operation.method, path, content=b"{}", headers=_JSON)
        assert_problem(answer, 401, "auth.token_missing")


async def test_a_token_of_another_portal_is_refused(site: WholeSite) -> None:
    """Three portals, one of which serves the operation; staff share some of theirs."""
    for operation in protected(site):
        served = {operation.person} | (
            {"admin"} if operation.path.startswith("/instructor/question-imports") else set()
        )
        for person in _PORTALS - served:
            answer = await ask(site, operation, site.speaking(person))
            assert answer.status_code in {401, 403}, (operation.id, person, answer.text)
            assert answer.json()["code"] in {"auth.forbidden", "auth.token_invalid", "auth.wrong_portal"}


async def test_under_cookies_a_change_needs_the_token_of_the_page(site: WholeSite) -> None:
    for operation in protected(site):
        if operation.method == "GET":
            continue
        cookie = f"ace_access={site.tokens[operation.person]}"
        for headers in (
            {},
            {"x-csrf-token": "made.up"},
            {"cookie": f"{cookie}; ace_csrf=made.up", "x-csrf-token": "made.up"},
        ):
            answer = await ask(site, operation, {"cookie": cookie} | headers)
            assert_problem(answer, 403, "auth.csrf")
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
            answer = await ask(site, operation, {"cookie": cookie} | headers)
            assert answer.status_code == 403, (operation.id, answer.text)
            assert answer.json()["code"] in {"auth.origin_refused", "auth.csrf"}


async def test_what_belongs_to_another_student_does_not_exist(whole_site: WholeSite) -> None:
    """The same words as for an identifier of nothing, so that nothing can be learnt from them; nothing changes."""
    session = await whole_site.practice()
    before = whole_site.rows(), (await whole_site.ask("GET", f"/practice-sessions/{session['id']}", "student")).json()
    body = json.dumps({"slot": 1, "choiceIds": ["A"]}).encode()
    for operation in protected(whole_site):
        if "{sessionId}" not in operation.path:
            continue
        told = [
            await whole_site.ask(
                operation.method, operation.at(sessionId=session_id), "stranger", content=body, headers=_JSON
            )
            for session_id in (session["id"], "prs_none")
        ]
        for answer in told:
            assert_problem(answer, 404, "practice.session_not_found")
        foreign, missing = ({**answer.json(), "instance": None} for answer in told)
        assert foreign == missing
    after = (await whole_site.ask("GET", f"/practice-sessions/{session['id']}", "student")).json()
    assert (whole_site.rows(), after) == before
    listed = await whole_site.ask("GET", "/practice-sessions", "stranger")
    assert listed.json()["items"] == []


async def test_leaving_a_package_leaves_the_others_in_it(whole_site: WholeSite) -> None:
    left = await whole_site.ask("DELETE", f"/student/enrollments/{whole_site.package}", "stranger")
    assert left.status_code == 204
    again = await whole_site.ask("DELETE", f"/student/enrollments/{whole_site.package}", "stranger")
    assert_problem(again, 404, "enrollment.not_found")
    mine = (await whole_site.ask("GET", "/student/enrollments", "student")).json()["items"]
    assert [item["status"] for item in mine] == ["active"]
    refused = await whole_site.ask("POST", "/practice-sessions", "stranger", json={"examPackageId": whole_site.package})
    assert_problem(refused, 403, "enrollment.required")


_ODD_HEADERS: dict[str, tuple[bytes, bytes]] = {
    "long request id": (b"x-request-id", b"a" * 60_000),
    "request id with a line": (b"x-request-id", b"a\tb: c"),
    "broken trace": (b"traceparent", b"00-zz-zz-01"),
    "long trace": (b"traceparent", b"0" * 60_000),
    "latin-1 browser": (b"user-agent", b"\xff\xfe\xe9"),
    "long browser": (b"user-agent", b"a" * 60_000),
    "control characters": (b"user-agent", b"a\x01\x1b[31m\x7f"),
    "long cookie": (b"cookie", b"ace_access=" + b"a" * 60_000),
    "many cookies": (b"cookie", b"; ".join(b"ace_csrf=%d" % number for number in range(5_000))),
    "odd cookies": (b"cookie", b"=;;=x; ace_access; \xff=\xff; ace_refresh=\xff"),
    "forwarded from anywhere": (b"x-forwarded-for", b"1.2.3.4, unknown, '; drop table users"),
    "odd scheme": (b"x-forwarded-proto", b"\xff"),
    "tags": (b"if-none-match", b'"' * 60_000),
    "odd tags": (b"if-none-match", b"\xff\xfe"),
    "odd range": (b"range", b"bytes=99999999999999999999-"),
    "odd encoding": (b"content-encoding", b"gzip"),
    "odd acceptance": (b"accept", b"\xff/\xff;q=nine"),
    "odd language": (b"accept-language", b"*" * 60_000),
    "override": (b"x-http-method-override", b"DELETE"),
    "other host": (b"host", b"evil.example:99999"),
}


@pytest.mark.parametrize("header", _ODD_HEADERS.values(), ids=_ODD_HEADERS.keys())
async def test_an_odd_header_breaks_nothing(site: WholeSite, header: tuple[bytes, bytes]) -> None:
    """Reading goes on, and signing in is refused for its password and nothing else."""
    own = {b"host": b"ace.test", header[0]: header[1]}
    listed = await site.client.get("/exam-packages", headers=list(own.items()))
    assert listed.status_code == 200, listed.text
    assert len(listed.headers["x-request-id"]) <= 128
    body = {"email": "student@example.org", "password": "not the password"}
    refused = await site.client.post("/student/auth/login", json=body, headers=list(own.items()))
    assert_problem(refused, 401, "auth.invalid_credentials")


@pytest.mark.parametrize("header", _ODD_HEADERS.values(), ids=_ODD_HEADERS.keys())
async def test_signing_in_with_an_odd_header_works(whole_site: WholeSite, header: tuple[bytes, bytes]) -> None:
    """What a session keeps of its browser can be kept."""
    body = {"email": "stranger@example.org", "password": PASSWORD, "delivery": "body"}
    own = {b"host": b"ace.test", header[0]: header[1]}
    answer = await whole_site.client.post("/student/auth/login", json=body, headers=list(own.items()))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("host", [b"\xff", b"a b", b"[::1", b"a:b:c", b"evil.example\xff:1", b"a" * 60_000])
async def test_a_host_that_is_none_breaks_nothing(site: WholeSite, host: bytes) -> None:
    answer = await site.client.get("/exam-packages?limit=1", headers=[(b"host", host)])
    if answer.status_code != 200:
        assert_problem(answer, 400, answer.json()["code"])


@pytest.mark.parametrize("length", ["abc", "-1", "+1", "1e3", "9" * 30, "1_0", "\u0663".encode().decode("latin-1"), ""])
async def test_a_length_that_is_no_number_is_refused(site: WholeSite, length: str) -> None:
    answer = await site.client.post(
        "/student/auth/login",
        content=b"{}",
        headers=[(b"content-type", b"application/json"), (b"content-length", length.encode("latin-1"))],
    )
    assert answer.status_code in {400, 413, 422}, answer.text
    assert_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("key", [b"", b" ", b"a" * 256, b"\xff", b"a b", b"\x01", b"a" * 60_000])
async def test_an_idempotency_key_that_cannot_be_kept_is_refused(site: WholeSite, key: bytes) -> None:
    package = {"examPackageId": site.package}
    bodies: dict[str, dict[str, Any]] = {
        "createPracticeSession": package,
        "enroll": package,
        "answerPracticeQuestion": {"slot": 1, "choiceIds": ["A"]},
    }
    for operation in protected(site):
        names = {found["name"] for found in operation.described.get("parameters", ())}
        if "Idempotency-Key" not in names:
            continue
        headers = [(b"idempotency-key", key), (b"authorization", f"Bearer {site.tokens[operation.person]}".encode())]
        content = json.dumps(bodies.get(operation.id, {})).encode()
        answer = await site.client.request(
            operation.method,
            operation.at(**_IDS),
            content=content,
            headers=[(b"content-type", b"application/json"), *headers],
        )
        assert_problem(answer, 422, "request.invalid")


async def test_an_ended_session_opens_nothing(whole_site: WholeSite) -> None:
    """At once, at every route, though the token has not expired. The last of this file: it signs the admin out."""
    speaking = whole_site.speaking("admin")
    assert (await whole_site.ask("POST", "/admin/auth/logout", "admin")).status_code == 204
    for operation in protected(whole_site):
        if operation.person == "admin":
            assert_problem(await ask(whole_site, operation, speaking), 401, "auth.session_ended")
