"""Every format there and back again over HTTP, as a body and as a file of a form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from application.question_bank.ports.exporting import ExportFormat
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import QUESTIONS, WholeSite, whole_site_of

IMPORTS, EXPORTS = "/instructor/question-imports", "/instructor/question-exports"
# What each cannot hold of these questions: Aiken has no ids, and only one explanation at most comes back from Canvas.
SAME = {ExportFormat.JSONL, ExportFormat.CSV}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database) as site:
        yield site


async def exported(site: WholeSite, file_format: ExportFormat) -> tuple[bytes, str, str]:
    """The file, its media type and its name."""
    (bank,) = (await site.ask("GET", "/instructor/question-banks?q=sums", "admin")).json()["items"]
    params = {"questionBankId": bank["id"], "format": file_format.value}
    answer = await site.ask("GET", EXPORTS, "admin", params=params)
    assert answer.status_code == 200, answer.text
    name = answer.headers["content-disposition"].partition('filename="')[2].rstrip('"')
    return answer.content, answer.headers["content-type"], name


async def tried(site: WholeSite, bank: str, content: bytes, media_type: str, **query: str) -> dict[str, Any]:
    params = {"bank": bank, "mode": "dry_run", **query}
    sent = {"content-type": media_type}
    answer = await site.ask("POST", IMPORTS, "admin", params=params, content=content, headers=sent)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


@pytest.mark.parametrize("file_format", ExportFormat)
async def test_an_export_is_imported_under_the_media_type_that_it_came_with(
    site: WholeSite, file_format: ExportFormat
) -> None:
    content, media_type, _ = await exported(site, file_format)
    report = await tried(site, "elsewhere", content, media_type)
    assert (report["created"], report["rejected"]) == (QUESTIONS, 0), report["problems"]
    if file_format in SAME:
        back = await tried(site, "sums", content, media_type)
        assert (back["unchanged"], back["created"], back["updated"]) == (QUESTIONS, 0, 0)


@pytest.mark.parametrize("file_format", ExportFormat)
async def test_a_file_of_a_form_tells_its_format_by_its_name(site: WholeSite, file_format: ExportFormat) -> None:
    content, _, name = await exported(site, file_format)
    part = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = b"--line\r\n" + part + content + b"\r\n--line--\r\n"
    report = await tried(site, "elsewhere", body, "multipart/form-data; boundary=line")
    assert (report["created"], report["rejected"]) == (QUESTIONS, 0), report["problems"]


async def test_what_is_no_file_of_questions_is_refused(site: WholeSite) -> None:
    for media_type, content, code in (
        ("text/plain", b"Nothing that anybody would take for a question.\n", "import.format_unknown"),
        ("application/xml", b"<html/>", "import.format_unknown"),
        ("application/xml", b"<quiz><question", "import.malformed_xml"),
        ("application/zip", b"PK nothing", "import.bad_zip"),
        ("application/x-ndjson", b"{}\n", "import.missing_header"),
    ):
        sent = {"content-type": media_type}
        answer = await site.ask("POST", f"{IMPORTS}?bank=x", "admin", content=content, headers=sent)
        assert_problem(answer, 422, code)
    answer = await site.ask("POST", f"{IMPORTS}?bank=x", "admin", content=b"{}", headers={"content-type": "image/png"})
    assert answer.status_code == 415
