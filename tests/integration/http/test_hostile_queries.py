"""Queries as nobody should write them, at every list of the API: refused with a problem, or harmless."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import Operation, WholeSite

_IDS = {"userId": "usr_none", "groupId": "sgr_none"}


def lists(site: WholeSite) -> list[Operation]:
    """The operations that answer page by page."""
    return [
        operation
        for operation in site.operations()
        if any(found["name"] == "cursor" for found in operation.described.get("parameters", ()))
    ]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=abc",
        "limit=",
        "limit=1_0",
        "limit=0x1",
        "limit=%D9%A3",
        "limit=1.5",
        "limit=1%00",
        "limit=NaN",
        "limit=99999999999999999999999",
        "limit=null",
        "limit=%201",
    ],
)
async def test_a_limit_that_is_none(site: WholeSite, query: str) -> None:
    for operation in lists(site):
        answer = await site.ask("GET", f"{operation.at(**_IDS)}?{query}", operation.person)
        assert_problem(answer, 422, "request.invalid")


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "a" * 900, "%ff", "Ä", "AQ==", "..", quote("' or 1=1 --"), "AQAAAAAAAACRAQ", "null"]
)
async def test_a_cursor_that_no_list_made(site: WholeSite, cursor: str) -> None:
    for operation in lists(site):
        answer = await site.ask("GET", f"{operation.at(**_IDS)}?cursor={cursor}", operation.person)
        assert_problem(answer, 422, "request.invalid_cursor")


async def test_a_cursor_of_another_list(whole_site: WholeSite) -> None:
    for _ in range(2):
        await whole_site.practice()
    first = await whole_site.ask("GET", "/practice-sessions?limit=1", "student")
    cursor = first.json()["nextCursor"]
    assert cursor
    for path in ("/exam-packages", "/student/enrollments"):
        answer = await whole_site.ask("GET", f"{path}?cursor={cursor}", "student")
        assert_problem(answer, 422, "request.invalid_cursor")
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    answer = await whole_site.ask("GET", f"/practice-sessions?cursor={changed}", "student")
    assert_problem(answer, 422, "request.invalid_cursor")


@pytest.mark.parametrize(
    "query",
    ["limit=1&limit=2", "limit=2&limit=abc", "cursor=a&cursor=b", "limit=1&limit=", "&&=&", "limit=1e1", "limit=1.0"],
)
async def test_a_parameter_that_is_written_oddly_breaks_nothing(site: WholeSite, query: str) -> None:
    for operation in lists(site):
        answer = await site.ask("GET", f"{operation.at(**_IDS)}?{query}", operation.person)
        if answer.status_code != 200:
            problem = answer.json()
            assert_problem(answer, 404 if problem["code"].endswith("not_found") else 422, problem["code"])


@pytest.mark.parametrize("query", ["q=" + "a" * 201, "q=%00", "q=" + "a" * 9000, "limit=1&" + "a=b&" * 3000])
async def test_a_query_that_is_too_much(site: WholeSite, query: str) -> None:
    answer = await site.client.get(f"/exam-packages?{query}")
    assert answer.status_code in {400, 422}
    assert_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    "text", ["%", "_", "\\", "%25%25", "'; drop table users; --", "\N{PILE OF POO}", "\u202e", "%ed%a0%80"]
)
async def test_a_search_for_anything_searches(site: WholeSite, text: str) -> None:
    """Wildcards stand for themselves."""
    answer = await site.client.get(f"/exam-packages?q={text if text.startswith('%ed') else quote(text)}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == []
