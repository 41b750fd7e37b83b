"""Following imports over HTTP: their list, what they rejected, cancelling, the same again; and large files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import WholeSite, whole_site_of

PATH = "/instructor/question-imports"
HEADER = (
    b"question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    b"explanation-a,explanation-b,explanation-c,explanation-d,correct answer\n"
)
GOOD = HEADER + b"Q1,Ports,Which port is for HTTPS?,21,80,443,8080,,,,,C\n"
WRONG = GOOD + b"Q2,Ports,Which port is for SSH?,21,22,23,24,,,,,Z\n"


@pytest.fixture
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """One for each test: a person may only import so often."""
    module_database.empty()
    async with whole_site_of(module_database) as site:
        yield site


def raw(content: bytes, **headers: str) -> dict[str, Any]:
    return {"content": content, "headers": {"content-type": "text/csv", **headers}}


async def send(site: WholeSite, query: str = "", person: str = "instructor", **body: Any) -> httpx.Response:
    headers = {**site.speaking(person), **body.pop("headers")}
    return await site.client.post(PATH + query, headers=headers, **body)


async def test_imports_are_listed_page_by_page_and_by_bank(site: WholeSite) -> None:
    for bank in ("listed", "other", "listed"):
        await send(site, f"?bank={bank}", **raw(GOOD))

    first = (await site.ask("GET", f"{PATH}?bank=listed&limit=1", "instructor")).json()
    rest = (await site.ask("GET", f"{PATH}?bank=listed&cursor={first['nextCursor']}", "instructor")).json()

    assert [(item["bank"], item["unchanged"]) for item in [*first["items"], *rest["items"]]] == [
        ("listed", 1),
        ("listed", 0),
    ]
    assert rest["nextCursor"] is None
    assert first["items"][0]["progress"] == {"bytesRead": len(GOOD), "bytesTotal": len(GOOD), "records": 1}


async def test_rejected_records_are_sent_as_a_file(site: WholeSite) -> None:
    wrong = HEADER + b"Q2,Ports,=1+1,21,22,23,24,,,,,Z\n"
    report = (await send(site, "?bank=rejects", **raw(wrong))).json()

    answer = await site.ask("GET", f"{PATH}/{report['id']}/rejects.csv", "instructor")
    safe = await site.ask("GET", f"{PATH}/{report['id']}/rejects.csv?excelSafe=true", "instructor")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{report["id"]}-rejects.csv"'
    header, row = answer.text.splitlines()
    assert header.startswith("problem-record,problem-line,problem-codes,problem-messages,question-id,")
    assert row == "2,2,answer_not_an_option,There is no option Z.,Q2,Ports,=1+1,21,22,23,24,,,,,Z"
    assert "Ports,'=1+1,21" in safe.text
    nothing = (await send(site, "?bank=rejects", **raw(GOOD))).json()
    assert (await site.ask("GET", f"{PATH}/{nothing['id']}/rejects.csv", "instructor")).text == ""
    assert_problem(await site.ask("GET", f"{PATH}/imp_none/rejects.csv", "instructor"), 404, "import.not_found")


async def test_an_import_is_repeated_safely(site: WholeSite) -> None:
    """The same file under the same key is one import; another file is refused."""

    def keyed(content: bytes) -> dict[str, Any]:
        return raw(content, **{"idempotency-key": "import-1"})

    first, again = [await send(site, "?bank=once", **keyed(GOOD)) for _ in range(2)]

    assert again.json() == first.json()
    assert again.json()["created"] == 1
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert_problem(await send(site, "?bank=once", **keyed(WRONG)), 422, "idempotency.key_reused")
    assert_problem(await send(site, "?bank=twice", **keyed(GOOD)), 422, "idempotency.key_reused")


async def test_what_has_ended_is_not_cancelled(site: WholeSite) -> None:
    report = (await send(site, "?bank=ended", **raw(GOOD))).json()

    assert_problem(await site.ask("POST", f"{PATH}/{report['id']}/cancel", "instructor"), 409, "import.ended")
    assert_problem(await site.ask("POST", f"{PATH}/imp_none/cancel", "instructor"), 404, "import.not_found")


WAYS = (("GET", ""), ("GET", "/rejects.csv"), ("POST", "/cancel"), ("GET", "/near-duplicates"))


async def test_imports_into_a_hidden_bank_are_not_there_for_others(site: WholeSite) -> None:
    """Neither their reports and rejected records nor the wish to stop them, under any name of the bank."""
    report = (await send(site, "?bank=secret&mode=skip_invalid", "admin", **raw(WRONG))).json()
    assert await statuses(site, report["id"], "instructor") == [200, 200, 403, 200]

    site.database.keeper.execute("update question_banks set visibility = 'hidden' where slug = 'secret'")
    await assert_hidden(site, report["id"])

    site.database.keeper.execute("update question_banks set slug = 'moved' where slug = 'secret'")
    await send(site, "?bank=secret", "admin", **raw(GOOD))
    await assert_hidden(site, report["id"])
    assert await statuses(site, report["id"], "admin") == [200, 200, 409, 200]


async def statuses(site: WholeSite, import_id: str, person: str) -> list[int]:
    return [(await site.ask(method, f"{PATH}/{import_id}{way}", person)).status_code for method, way in WAYS]


async def assert_hidden(site: WholeSite, import_id: str) -> None:
    for method, way in WAYS:
        code = "import.comparison_not_found" if way == "/near-duplicates" else "import.not_found"
        assert_problem(await site.ask(method, f"{PATH}/{import_id}{way}", "instructor"), 404, code)
    for query in ("", "?bank=secret", "?bank=moved"):
        listed = (await site.ask("GET", f"{PATH}{query}", "instructor")).json()["items"]
        assert import_id not in [item["id"] for item in listed]


async def test_a_large_file_is_read_by_a_process_of_its_own(site: WholeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent is an open file without a name; the outcome is the same, a refusal comes back as itself."""
    started, start = [], asyncio.create_subprocess_exec

    async def counted(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        started.append(await start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    site.container.import_in_time.add_kwargs(prompt_seconds=30.0)
    rows = b"".join(b"L%d,Ports,Which port is for HTTPS?,21,80,443,8080,,,,,C\n" % number for number in range(20_000))
    assert len(rows) > 1024 * 1024

    report = (await send(site, "?bank=large", **raw(HEADER + rows + WRONG.splitlines()[-1]))).json()
    headless = await send(site, "?bank=large", **raw(rows))

    assert (report["total"], report["rejected"], report["warnings"]) == (20_001, 1, {"same_content_as": 19_999})
    assert "answer_not_an_option" in {problem["code"] for problem in report["problems"]}
    assert_problem(headless, 422, "import.missing_header")
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)
