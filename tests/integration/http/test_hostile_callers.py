"""Whoever asks may send headers that nobody should: they break nothing and change nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import PASSWORD, WholeSite

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
    for operation in site.operations():
        names = {found["name"] for found in operation.described.get("parameters", ())}
        if "Idempotency-Key" not in names:
            continue
        headers = [(b"idempotency-key", key), (b"authorization", f"Bearer {site.tokens[operation.person]}".encode())]
        content = json.dumps(bodies.get(operation.id, {})).encode()
        answer = await site.client.request(
            operation.method,
            operation.at(),
            content=content,
            headers=[(b"content-type", b"application/json"), *headers],
        )
        assert_problem(answer, 422, "request.invalid")
