"""What is remembered of requests is small, whoever sends them: strangers can send a great many that are long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from entrypoints.http.authentication import Authentication
from entrypoints.http.middleware.hosts import Hosts


@pytest.mark.parametrize(("length", "is_remembered"), [(12, True), (259, True), (260, False), (60_000, False)])
def test_a_host_that_is_longer_than_a_name_is_not_remembered(length: int, is_remembered: bool) -> None:
    nothing: Any = None
    hosts: Any = Hosts(nothing, allowed=("ace.test",))
    assert not hosts._allows({"headers": [(b"host", b"x" * length)]})
    assert hosts._is_ours.cache_info().currsize == is_remembered


@pytest.mark.parametrize(
    ("authorization", "cookie", "is_remembered"),
    [(600, 0, True), (0, 600, True), (512, 512, True), (512, 513, False), (1_025, 0, False), (0, 60_000, False)],
)
def test_headers_that_are_longer_than_usual_are_not_remembered(
    authorization: int, cookie: int, is_remembered: bool
) -> None:
    unused: Any = SimpleNamespace(claim=str, read=lambda _: None)
    names = ("authenticate", "authenticate_by_secret", "access_tokens", "csrf_tokens", "cookies", "origins", "door")
    parts: dict[str, Any] = dict.fromkeys((*names, "door_pages"), unused)
    layer: Any = Authentication(**parts)
    shown = layer._shown(
        SimpleNamespace(request_headers={b"authorization": b"a" * authorization, b"cookie": b"c" * cookie})
    )
    assert shown.bearer is None
    assert layer._remembered_headers.cache_info().currsize == is_remembered
