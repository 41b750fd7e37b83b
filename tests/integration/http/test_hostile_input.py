"""Whatever is sent to any route: a problem document with the right code, never a 500, and not one row more or less.

The routes are those of the API's own document, so that a new one is attacked from the day it is there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem, code_of, faults_of
from tests.support.request_bodies import BODIES
from tests.support.whole_site import Operation, WholeSite

_JSON = {"content-type": "application/json"}
_SESSION = "prs_00000000000000000000000000"
_IDS = {
    "sessionId": _SESSION,
    "attemptId": _SESSION,
    "examPackageId": "pkg_none",
    "tierId": "tier_none",
    "importId": "imp_none",
    "questionId": "qst_none",
    "version": "1",
    "userId": "usr_none",
    "invitationId": "inv_none",
    "groupId": "sgr_none",
    "role": "student",
    "questionBankId": "qbk_none",
    "topicId": "top_none",
    "difficultyId": "dif_none",
    "templateId": "tpl_none",
    "slot": "1",
    "flagId": "flg_none",
}
_LEAVING = "platformLogout"
# What its clients send besides is not looked at there.
_LENIENT_DOOR = "/api/v1/"
_DEEP = 100_000
_OVERSIZE = 2 * 1024 * 1024


def body_of(operation: Operation) -> dict[str, Any]:
    """A body that the operation takes."""
    return BODIES[_verb(operation)]


def with_json(site: WholeSite) -> list[Operation]:
    """One operation for each kind of body: the portals share theirs. Not the one that signs out whoever asks, also
    without a body.
    """
    every = (operation for operation in site.operations() if operation.takes_json and operation.id != _LEAVING)
    return list({_verb(operation): operation for operation in every}.values())


def _verb(operation: Operation) -> str:
    return max((name for name in BODIES if operation.id.startswith(name)), key=len, default=operation.id)


async def send(site: WholeSite, operation: Operation, content: bytes, **headers: str) -> httpx.Response:
    person = operation.person if operation.protected else None
    return await site.ask(operation.method, operation.at(**_IDS), person, content=content, headers=_JSON | headers)


def assert_refused(answer: httpx.Response, *codes: str) -> None:
    """A problem document of the client's making, with one of these codes."""
    assert 400 <= answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text}"
    code = code_of(answer)
    assert code in codes, f"{answer.request.method} {answer.request.url}: {answer.text}"
    assert_problem(answer, answer.status_code, code)


async def test_every_operation_with_a_body_has_one_to_be_spoilt(site: WholeSite) -> None:
    for operation in with_json(site):
        body = body_of(operation)
        schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
        assert set(properties(site, schema)) == set(body), operation.id


def properties(site: WholeSite, schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body's schema, which may be behind a reference or a choice of one."""
    for option in schema.get("anyOf", [schema]):
        name = option.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = site.app.document()["components"]["schemas"][name] if name else option
        if "properties" in found:
            fields: dict[str, Any] = found["properties"]
            return fields
    return {}


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/",
        "//",
        "//exam-packages",
        "/exam-packages//",
        "/Practice-Sessions",
        "/.git/config",
        "/static/../etc/passwd",
        "/%e2%82",
        "/a%00b",
        "/a%2fb",
        "/practice-sessions/x/y/z",
        "/student",
        "/student/auth",
        "/%F0%9F%92%A3",
        "/*",
        "/{path}",
    ],
)
async def test_an_address_where_nothing_is(site: WholeSite, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "PATCH"):
        for person in (None, "student"):
            answer = await site.ask(method, path, person)
            assert_problem(answer, 404, "request.not_found")


async def test_a_method_that_an_address_does_not_have(site: WholeSite) -> None:
    methods: dict[str, set[str]] = {}
    for operation in site.operations():
        methods.setdefault(operation.path, set()).add(operation.method)
    for path, own in methods.items():
        allowed = own | {"OPTIONS"} | ({"HEAD"} if "GET" in own else set())
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - allowed:
            answer = await site.ask(method, Operation(method, path, {}).at(**_IDS), content=b"{", headers=_JSON)
            assert_problem(answer, 405, "request.method_not_allowed")
            assert set(answer.headers["allow"].split(", ")) == allowed, path


_UNREADABLE = {
    "cut short": b'{"email": "a',
    "not JSON": b"email=a&password=b",
    "invalid UTF-8": b'{"email": "\xff\xfe"}',
    "overlong UTF-8": b'{"email": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "UTF-16": '{"email": "a"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"count": NaN}',
    "deep lists": b"[" * _DEEP,
    "deep and closed": b"[" * _DEEP + b"]" * _DEEP,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep in a field": b'{"email": ' + b"[" * 40 + b"]" * 40 + b"}",
    "control character": b'{"email": "\x01"}',
    "two documents": b"{}{}",
    "NUL bytes": b"\x00" * 64,
    "number without end": b'{"count": 1e',
}


@pytest.mark.parametrize("content", _UNREADABLE.values(), ids=_UNREADABLE.keys())
async def test_a_body_that_is_no_json(site: WholeSite, content: bytes) -> None:
    """It is read once, from its start: what is wrong with a field may be told before what is wrong behind it."""
    for operation in with_json(site):
        assert_refused(await send(site, operation, content), "request.malformed", "request.invalid")


@pytest.mark.parametrize("content", [b"{", b"}", b"{]", b'{"', b"\xff", b"\x00{}", b"[" * _DEEP, b"nul"])
async def test_a_body_of_which_nothing_can_be_read(site: WholeSite, content: bytes) -> None:
    for operation in with_json(site):
        assert_problem(await send(site, operation, content), 400, "request.malformed")


# Where none is needed, what is asked about is missing.
_WITHOUT_A_BODY = [
    "auth.token_missing",
    "user.not_found",
    "auth.session_not_found",
    "question.not_found",
    "paper.source_not_found",
    "template.not_found",
    "exam.session_not_found",
    "review_suggestion.not_found",
]
# Whoever is enrolled in one package begins its exam by a sign of life under any id, which may say nothing at all.
_BEGINNING = "sendExamHeartbeat"
# Says what a decision is about where no body does; what is wrong with a body is told first.
_READ = {"if-match": '"1000001"'}


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"1", b"true", b"-1e999", b"[{}]", b"{} "])
async def test_a_body_of_the_wrong_shape(site: WholeSite, content: bytes) -> None:
    for operation in with_json(site):
        codes = ["request.invalid", "request.malformed", "exam.reason_required"]
        if content.strip() == b"{}" and operation.id == _BEGINNING:
            continue
        if content.strip() == b"{}" and not operation.described["requestBody"]["required"]:
            codes = _WITHOUT_A_BODY
        assert_refused(await send(site, operation, content, **_READ), *codes)


@pytest.mark.parametrize("content", [b"", b"null"])
async def test_no_body_at_all(site: WholeSite, content: bytes) -> None:
    for operation in with_json(site):
        required = operation.described["requestBody"]["required"]
        codes = ["request.invalid"] if required else _WITHOUT_A_BODY
        assert_refused(await send(site, operation, content, **_READ), *codes)


@pytest.mark.parametrize("name", ["unknown", "Email", "exam_package_id", "__proto__", "role", "userId", ""])
async def test_a_field_that_nobody_asked_for(site: WholeSite, name: str) -> None:
    for operation in with_json(site):
        if name in body_of(operation) or operation.path.startswith(_LENIENT_DOOR):
            continue
        content = json.dumps(body_of(operation) | {name: "admin"}).encode()
        answer = await send(site, operation, content)
        assert_refused(answer, "request.invalid")
        assert [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]] == [
            ("unknown_field", f"/{name}")
        ]


_WRONG: dict[str, Any] = {
    "object": {"a": 1},
    "list of lists": [[["A"]]],
    "fraction": 1.5,
    "beyond int4": 2**31,
    "beyond int8": 2**63,
    "beyond any": 10**400,
    "negative": -1,
    "far below": -(2**63) - 1,
    "NUL": "a\x00b",
    "lone surrogate": "\ud800",
    "low surrogate": "x\udfff",
    "too long": "x" * 100_000,
    "many": ["A"] * 5_000,
    "NUL in a list": ["\x00"],
    "number in a list": [1],
    "null in a list": [None],
}


# What is left with us as it is may be any object, and what counts without end is larger than most.
_TAKEN_HERE = {("object", "snapshot"), ("object", "payload"), ("beyond int4", "seq"), ("negative", "seconds")}


@pytest.mark.parametrize("kind", _WRONG)
async def test_a_value_that_no_field_takes(site: WholeSite, kind: str) -> None:
    """Each field of each body in turn: the refusal names that field."""
    for operation in with_json(site):
        for name in body_of(operation):
            if (kind, name) in _TAKEN_HERE:
                continue
            content = json.dumps(body_of(operation) | {name: _WRONG[kind]}).encode()
            answer = await send(site, operation, content)
            assert_refused(answer, "request.invalid")
            pointers = [pointer for _, pointer in faults_of(answer)]
            assert all(pointer.split("/")[1] == name for pointer in pointers), (operation.id, name, pointers)


async def test_an_identifier_that_cannot_be(site: WholeSite) -> None:
    """In a body it is a value that breaks a rule."""
    for operation in with_json(site):
        for name in {"examPackageId", "tierId", "questionId", "choiceId"} & set(body_of(operation)):
            for wrong in ("", "a" * 65, "a b", "../a", "a'--", "\N{ARABIC-INDIC DIGIT ONE}", "a\n", "%00", "a.b"):
                content = json.dumps(body_of(operation) | {name: wrong}).encode()
                assert_refused(await send(site, operation, content), "request.invalid")


async def test_too_large_a_body(site: WholeSite) -> None:
    """Said by the announced length, and by the bytes where no length is announced."""
    text = json.dumps({"email": "x" * _OVERSIZE}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(text), 65_536):
            yield text[start : start + 65_536]

    for operation in with_json(site):
        assert_problem(await send(site, operation, text), 413, "request.too_large")
        person = operation.person if operation.protected else None
        answer = await site.ask(operation.method, operation.at(**_IDS), person, content=in_pieces(), headers=_JSON)
        assert_problem(answer, 413, "request.too_large")


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        *[
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonp",
            "*/*",
            "text/json",
        ],
    ],
)
async def test_a_body_that_does_not_say_it_is_json(site: WholeSite, media_type: str | None) -> None:
    """The simple types are those that a foreign page may send without being asked."""
    for operation in with_json(site):
        content = json.dumps(body_of(operation)).encode()
        headers = {} if media_type is None else {"content-type": media_type}
        person = operation.person if operation.protected else None
        answer = await site.ask(operation.method, operation.at(**_IDS), person, content=content, headers=headers)
        assert_problem(answer, 415, "request.unsupported_media_type")


_IMPOSSIBLE_IDS = [
    "%00",
    "a" * 65,
    "%D9%A1%D9%A2",
    "%2e%2e",
    "a%2fb",
    "%ff",
    "%20",
    "a.b",
    "a%0ab",
    "a:b",
    "a'--",
    "%C2%A0",
]


@pytest.mark.parametrize("shape", _IMPOSSIBLE_IDS)
async def test_an_identifier_of_impossible_shape_is_of_nothing(site: WholeSite, shape: str) -> None:
    for operation in site.operations():
        if "{" in operation.path:
            path = operation.at(**dict.fromkeys(_IDS, shape))
            answer = await site.ask(operation.method, path, operation.person, content=b"{}", headers=_JSON)
            assert_problem(answer, 404, "request.not_found")


# Of two ways to say the same, one.
_TAKEN = {"answerPracticeQuestion": {"slot": 1, "choiceIds": ["A"]}}


_OF_NOTHING = ["1_000", "0", "-1", "9" * 64, "null", "NaN", "__proto__", "prs_" + "z" * 26]


@pytest.mark.parametrize("shape", _OF_NOTHING)
async def test_an_identifier_of_nothing_is_not_found(site: WholeSite, shape: str) -> None:
    for operation in site.operations():
        if "{" in operation.path and operation.id != _BEGINNING:
            body = json.dumps(_TAKEN.get(operation.id) or body_of(operation)).encode() if operation.takes_json else b""
            path = operation.at(**dict.fromkeys(_IDS, shape))
            answer = await site.ask(operation.method, path, operation.person, content=body, headers=_JSON)
            assert code_of(answer).endswith("not_found"), answer.text
            assert_problem(answer, 404, code_of(answer))


async def test_a_sign_of_life_under_an_identifier_of_nothing_begins_no_exam_of_another_package(
    whole_site: WholeSite,
) -> None:
    before = whole_site.rows()
    for shape in _OF_NOTHING:
        answer = await whole_site.ask("POST", f"/exam-sessions/{shape}/heartbeat", "student", json=BODIES[_BEGINNING])
        assert_problem(answer, 403, "exam.enrollment_required")
    # Whoever asks for an exam has a row of their own to take turns at.
    assert whole_site.rows() == before | {"student_progress": before["student_progress"] + 1}


async def test_enrolling_twice_is_answered_as_the_document_says(whole_site: WholeSite) -> None:
    """200 with the enrolment there is; the document must tell this answer besides 201."""
    answer = await whole_site.ask("POST", "/student/enrollments", "student", json={"examPackageId": whole_site.package})
    assert answer.status_code == 200
    (told,) = [operation.described["responses"] for operation in whole_site.operations() if operation.id == "enroll"]
    assert told["200"]["content"] == told["201"]["content"]
