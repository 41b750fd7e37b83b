"""What answers hold and what they do not, and what is made of what is sent: at every operation of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from entrypoints.settings import Settings
from tests.support.callers import doorstep
from tests.support.http import assert_problem
from tests.support.whole_site import PASSWORD, Operation, WholeSite

_JSON = {"content-type": "application/json"}
_SECRET = re.compile("password|hash|masked|answer_?key|secret|salt", re.IGNORECASE)
# Fields with such a name that tell no secret.
_TELLING_NOTHING = {"mustChangePassword"}
# The last link of the chain of an exam's record, which administrators compare with what they kept. It opens nothing.
_CHECK_SUMS = {"ExamSessionDetail.recordHash"}


async def everything_that_reads(site: WholeSite) -> list[httpx.Response]:
    """What every GET answers to the people it serves, and to nobody."""
    return [
        await site.ask("GET", operation.at(), person)
        for operation in site.operations()
        if operation.method == "GET"
        for person in {None, operation.person}
    ]


async def test_asvs_4_1_1_every_answer_with_a_body_says_what_it_is(site: WholeSite) -> None:
    kinds = set()
    for operation in site.operations():
        path = operation.at()
        for person in (None, operation.person) if operation.method == "GET" else (None,):
            answer = await site.ask(operation.method, path, person)
            if answer.content:
                kinds.add(answer.headers["content-type"])
                assert answer.headers["content-type"].partition(";")[0].endswith("json") == _is_json(answer), path
    assert kinds <= {
        "application/json",
        "application/problem+json",
        "text/event-stream",
        "text/plain; version=0.0.4; charset=utf-8",
    }


def _is_json(answer: httpx.Response) -> bool:
    return answer.content[:1] in b"{["


async def test_asvs_14_3_2_nothing_personal_is_kept_by_caches(site: WholeSite) -> None:
    answers = await everything_that_reads(site)
    kept = {answer.url.path for answer in answers if answer.headers["cache-control"] != "no-store"}
    assert kept == {"/exam-packages"}, "what everybody may choose from"


async def test_asvs_14_2_1_no_secret_travels_in_an_address(site: WholeSite) -> None:
    """No operation has a parameter for one, and one that comes there opens nothing."""
    named = [
        (operation.id, each["name"])
        for operation in site.operations()
        for each in operation.described.get("parameters", ())
        if each["in"] in ("query", "path")
        and re.search("token|secret|password|session_?key", each["name"], re.IGNORECASE)
    ]
    assert named == []
    for name in ("access_token", "token", "ace_access", "jwt", "authorization"):
        answer = await site.client.get("/student/auth/me", params={name: site.tokens["student"]})
        assert_problem(answer, 401, "auth.token_missing")


async def test_asvs_15_3_1_no_answer_has_a_field_for_a_secret(site: WholeSite) -> None:
    document = site.app.document()
    bodies = {
        reference
        for operation in site.operations()
        for status, answer in operation.described["responses"].items()
        for reference in _references(answer, document)
    }
    fields = {
        f"{name}.{field}"
        for name in bodies
        for field in document["components"]["schemas"][name].get("properties", ())
        if _SECRET.search(field) and field not in _TELLING_NOTHING
    }
    assert bodies
    assert fields == _CHECK_SUMS
    hashes = [row[0] for row in site.database.keeper.execute("select password_hash from users").fetchall()]
    for answer in await everything_that_reads(site):
        assert "$argon2" not in answer.text
        assert not [each for each in hashes if len(each) > 1 and each in answer.text]


def _references(value: Any, document: dict[str, Any], known: set[str] | None = None) -> set[str]:
    """The schemas that a part of the document leads to."""
    known = set() if known is None else known
    if isinstance(value, dict):
        name = str(value.get("$ref", "")).removeprefix("#/components/schemas/")
        if "$ref" in value and name in document["components"]["schemas"] and name not in known:
            known.add(name)
            _references(document["components"]["schemas"][name], document, known)
        for each in value.values():
            _references(each, document, known)
    elif isinstance(value, list):
        for each in value:
            _references(each, document, known)
    return known


def taking_json(site: WholeSite) -> Iterator[tuple[Operation, dict[str, Any]]]:
    """Every operation with a JSON body, and the schema of that body."""
    schemas = site.app.document()["components"]["schemas"]
    for operation in site.operations():
        if operation.takes_json:
            schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
            options = schema.get("anyOf", [schema])
            (name,) = (option["$ref"].rpartition("/")[2] for option in options if "$ref" in option)
            yield operation, schemas[name]


async def send(
    site: WholeSite, operation: Operation, text: str, media_type: str = "application/json"
) -> httpx.Response:
    person = operation.person if operation.protected else None
    headers = {"content-type": media_type}
    return await site.ask(operation.method, operation.at(), person, content=text.encode(), headers=headers)


# A door whose clients send more than is read.
_PASSING_OVER = "/api/v1/"
# What an account has and nobody sets by asking.
_PROTECTED_FIELDS = (
    "id", "userId", "role", "status", "emailVerified", "emailVerifiedAt", "passwordHash", "mustChangePassword",
    "createdAt", "updatedAt", "deletedAt", "sessionId", "actorId", "mark", "correct", "isAdmin", "__proto__",
)  # fmt: skip


async def test_asvs_8_1_2_and_8_2_3_and_15_3_3_a_field_that_is_not_the_callers_to_write_is_refused(
    site: WholeSite,
) -> None:
    """The document tells every field that may be written; any other is refused by its name and changes nothing."""
    tried = 0
    for operation, schema in taking_json(site):
        passes_over = operation.path.startswith(_PASSING_OVER)
        assert schema["additionalProperties"] is passes_over, operation.id
        for field in set() if passes_over else set(_PROTECTED_FIELDS) - set(schema["properties"]):
            tried += 1
            answer = await send(site, operation, json.dumps({field: "admin"}))
            problem = assert_problem(answer, 422, "request.invalid")
            assert f"/{field}" in {error["pointer"] for error in problem["errors"]}, operation.id
    assert tried


async def test_asvs_8_2_3_and_15_3_3_where_other_fields_are_passed_over_they_change_nothing(
    whole_site: WholeSite,
) -> None:
    """What is read of such a body is written, and of what it claims besides nothing is."""
    claims = dict.fromkeys((*_PROTECTED_FIELDS, "is_verified", "is_admin", "is_active", "email_verified_at"), "admin")
    new = {"email": "claims@example.org", "password": PASSWORD, "username": "claims"}
    made = await whole_site.client.post("/api/v1/auth/signup", json=claims | new)
    assert made.status_code == 200, made.text
    before = _account(whole_site, "claims")
    assert (before["role"], before["status"], before["email_verified_at"]) == ("student", "active", None)
    speaking = {"authorization": f"Bearer {made.json()['access_token']}"}
    changed = await whole_site.client.patch(
        "/api/v1/auth/profile", json=claims | {"username": "claimed"}, headers=speaking
    )
    assert changed.status_code == 200, changed.text
    assert _account(whole_site, "claimed") == before | {"username": "claimed"}


def _account(site: WholeSite, username: str) -> dict[str, Any]:
    told = b"select to_jsonb(u) - 'updated_at' from users u where username = %s"
    row = site.database.keeper.execute(told, (username,)).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


async def test_asvs_8_2_3_whoever_registers_is_what_the_portal_makes_of_them(site: WholeSite) -> None:
    for operation, schema in taking_json(site):
        if operation.id.startswith("register"):
            invited = set() if operation.person == "student" else {"invitation"}
            assert set(schema["properties"]) == {"email", "password", "name", "username", "delivery"} | invited


_OTHER_TYPES = {"string": 7, "integer": "7", "boolean": "true", "array": {}, "object": [], "number": "1"}


async def test_asvs_15_3_5_a_value_of_another_type_is_refused(site: WholeSite) -> None:
    for operation, schema in taking_json(site):
        for field, described in schema["properties"].items():
            kinds = _types_of(site, described)
            other = True if kinds >= {"string", "integer"} else _OTHER_TYPES[min(kinds)]
            answer = await send(site, operation, json.dumps({field: other}))
            assert (answer.status_code, operation.id, field) == (422, operation.id, field), answer.text


def _types_of(site: WholeSite, described: dict[str, Any]) -> set[str]:
    """What a value may be beside null; numbers of authors may be decimal strings or whole numbers."""
    found: set[str] = set()
    for option in described.get("anyOf", [described]):
        if "$ref" in option:
            found |= _types_of(site, site.app.document()["components"]["schemas"][option["$ref"].rpartition("/")[2]])
        elif "anyOf" in option:
            found |= _types_of(site, option)
        else:
            found.add("string" if "enum" in option else str(option["type"]))
    return found - {"null"}


_FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")


@pytest.mark.parametrize("media_type", _FORMS)
async def test_asvs_3_5_2_and_4_1_1_a_body_is_json_and_says_so(site: WholeSite, media_type: str) -> None:
    """What a foreign form can send without asking first is never read, from whomever it comes."""
    for operation, _ in taking_json(site):
        answer = await send(site, operation, '{"a": 1}', media_type)
        assert_problem(answer, 415, "request.unsupported_media_type")


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "7", "{", '{"email"', "{'email': 1}", "NaN", "\ufeff{}"])
async def test_asvs_15_3_5_a_body_that_is_no_object_is_refused(site: WholeSite, text: str) -> None:
    for operation, _ in taking_json(site):
        if operation.described["requestBody"]["required"]:
            answer = await send(site, operation, text)
            assert answer.status_code in {400, 422}, (operation.id, answer.text)


async def test_asvs_15_3_7_a_parameter_from_elsewhere_does_not_change_the_meaning(site: WholeSite) -> None:
    """What belongs into the body counts in the body only; of what comes twice the last one counts, checked as ever."""
    credentials = {"email": "student@example.org", "password": PASSWORD}
    elsewhere = await site.client.post("/student/auth/login", params=credentials, json={})
    assert_problem(elsewhere, 422, "request.invalid")
    twice = await site.ask("GET", "/practice-sessions?limit=1&limit=1000", "student")
    assert_problem(twice, 422, "request.invalid")
    other = await site.client.post(
        "/student/auth/login",
        content=json.dumps(credentials)[:-1] + ', "password": "not the password"}',
        headers=_JSON,
    )
    assert_problem(other, 401, "auth.invalid_credentials")


async def test_asvs_13_4_5_the_page_and_the_figures_are_off_by_setting(site: WholeSite) -> None:
    paths = ("/docs", "/redoc", "/openapi.json", "/openapi.yaml", "/metrics")
    assert (Settings().docs, Settings().metrics) == (True, True)
    async with doorstep(site.database, docs=False, metrics=False) as door:
        found = {path: (await door.ask("GET", path, {})).status_code for path in paths}
    assert found == dict.fromkeys(paths, 404)
