"""The better-auth door in the OpenAPI document: every endpoint, with the fields that its shape has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.better_auth.document import _TOLD, door_document
from entrypoints.http.better_auth.registry import endpoints_of
from entrypoints.settings import BetterAuthSettings, Settings
from tests.support.reviewed_door import ANYBODY, ENDPOINTS

# They only ever refuse.
_UNTOLD = {("POST", "/api/auth/get-session"), ("GET", "/api/auth/delete-user/callback")}


def container_of(**door: Any) -> Container:
    return Container(settings=Settings(secret_keys=("signs nothing here" * 3,), better_auth=BetterAuthSettings(**door)))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(container_of()).document()


def told(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "better-auth" in operation["tags"]:
                yield method.upper(), path, operation


def schemes(document: dict[str, Any]) -> set[str]:
    """What shows a session, by what there is and by what operations name, which is the same."""
    there = set(document["components"]["securitySchemes"])
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert {name for operation in operations for way in operation["security"] for name in way} == there
    return there


def test_bearers_are_told_where_they_are_taken(document: dict[str, Any]) -> None:
    assert schemes(document) == {"bearer", "cookie", "betterAuthCookie", "betterAuthBearer"}
    assert schemes(create_app(container_of(bearer=False)).document()) == {"bearer", "cookie", "betterAuthCookie"}


def test_every_endpoint_is_told_and_whether_one_must_be_signed_in(document: dict[str, Any]) -> None:
    found = {(method, path): operation["security"] for method, path, operation in told(document)}
    assert set(found) == set(ENDPOINTS) - _UNTOLD
    for endpoint, security in found.items():
        assert ({} in security) is (ENDPOINTS[endpoint] == ANYBODY), endpoint
        assert all(set(way) <= set(document["components"]["securitySchemes"]) for way in security)


def test_the_fields_that_are_told_are_those_that_are_read() -> None:
    """By their names in the order of the protocol, and which of them may be absent."""
    for endpoint in endpoints_of(container_of()):
        if endpoint.path in _TOLD and _TOLD[endpoint.path].request is not None:
            fields = msgspec.structs.fields(_TOLD[endpoint.path].request)
            assert endpoint.body is not None
            read = {each.name: each.optional for each in endpoint.body.fields}
            if endpoint.path == "/update-user":
                assert read.pop("email"), "it is read to be refused"
            assert [(each.encode_name, not each.required) for each in fields] == [*read.items()], endpoint.path


def test_where_the_door_is_closed_nothing_of_it_is_told() -> None:
    assert door_document(container_of(served=False)) is None
    closed = create_app(container_of(served=False)).document()
    assert [*told(closed)] == []
    assert schemes(closed) == {"bearer", "cookie"}
    assert not [name for name in closed["components"]["schemas"] if name.startswith("BetterAuth")]
