"""Importing over HTTP: bodies and forms, who may, and forms that were made to hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from entrypoints.http.uploads import clean_name
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


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database) as site:
        yield site


def raw(content: bytes, media_type: str = "text/csv") -> dict[str, Any]:
    return {"content": content, "headers": {"content-type": media_type}}


def form(*parts: bytes, boundary: str = "line") -> dict[str, Any]:
    """A form from parts as they stand on the wire: headers, a blank line, content."""
    body = b"".join(b"--line\r\n" + part + b"\r\n" for part in parts) + b"--line--\r\n"
    return raw(body, f"multipart/form-data; boundary={boundary}")


def file_part(content: bytes = GOOD, name: bytes = b"ports.csv") -> bytes:
    return b'Content-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n' + content


async def send(site: WholeSite, query: str = "", person: str = "instructor", **body: Any) -> httpx.Response:
    headers = {**site.speaking(person), **body.pop("headers")}
    return await site.client.post(PATH + query, headers=headers, **body)


async def test_a_file_sent_as_the_body_is_imported_and_its_report_can_be_read_again(site: WholeSite) -> None:
    answer = await send(site, "?bank=ports", **raw(GOOD))

    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["bank"], report["status"], report["total"], report["created"]) == ("ports", "succeeded", 1, 1)
    assert (await site.ask("GET", f"{PATH}/{report['id']}", "instructor")).json() == report
    again = (await send(site, "?bank=ports", **raw(GOOD))).json()
    assert (again["created"], again["unchanged"]) == (0, 1)


async def test_a_file_sent_in_a_form_names_its_bank(site: WholeSite) -> None:
    report = (await send(site, **form(file_part(name=b"C:\\exams\\Ports 2.csv")))).json()

    assert (report["bank"], report["file"], report["created"]) == ("ports-2", "Ports 2.csv", 1)


async def test_a_refused_import_says_why_by_record_and_line_and_changes_nothing(site: WholeSite) -> None:
    before = site.rows()["questions"]

    report = (await send(site, "?bank=refused", **raw(WRONG))).json()

    assert (report["status"], report["created"], report["rejected"]) == ("refused", 0, 1)
    problem = report["problems"][0]
    assert (problem["record"], problem["line"], problem["code"]) == (3, 3, "answer_not_an_option")
    assert "detail" in problem
    assert site.rows()["questions"] == before


async def test_a_file_that_is_no_list_of_questions_is_a_problem(site: WholeSite) -> None:
    assert_problem(await send(site, "?bank=x", **raw(b"a,b\n1,2\n")), 422, "import.missing_header")
    assert_problem(await send(site, "?bank=x&format=docx", **raw(GOOD)), 422, "import.format_unknown")
    assert_problem(await send(site, "?bank=No%20Slug", **raw(GOOD)), 422, "request.invalid")
    assert_problem(await send(site, "?bank=x&publish=true", **raw(GOOD)), 403, "import.publishing_not_allowed")


@pytest.mark.parametrize(("person", "status"), [("student", 403), ("admin", 200)])
async def test_only_staff_imports(site: WholeSite, person: str, status: int) -> None:
    assert (await send(site, "?bank=staff", person=person, **raw(GOOD))).status_code == status


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], 422),
        ([b'Content-Disposition: form-data; name="other"\r\n\r\nx'], 422),
        ([file_part(), file_part()], 422),
        ([b'Content-Disposition: form-data; name="bank"\r\n\r\n' + b"x" * 5000, file_part()], 422),
        ([b'Content-Disposition: form-data; name="x"\r\n\r\nx'] * 20, 422),
        ([b"no header at all"], 400),
        ([b'Content-Disposition: form-data; name="' + b"n" * 9000 + b'"\r\n\r\nx'], 400),
        ([b'Content-Disposition: form-data; name="\xff\xfe"\r\n\r\nx', file_part()], 400),
    ],
    ids=["empty", "no file", "two files", "large field", "many fields", "no header", "long header", "no UTF-8"],
)
async def test_a_form_that_is_not_one_file_is_refused(site: WholeSite, parts: list[bytes], status: int) -> None:
    before = site.rows()

    answer = await send(site, "?bank=hostile", **form(*parts))

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.rows() == before


@pytest.mark.parametrize("charset", [b"bogus", b"bz2", b"utf-16"])
async def test_the_charset_that_a_field_names_hurts_nobody(site: WholeSite, charset: bytes) -> None:
    field = b'Content-Disposition: form-data; name="mode"\r\nContent-Type: text/plain; charset=' + charset + b"\r\n\r\n"

    assert (await send(site, "?bank=charsets", **form(field + b"dry_run", file_part()))).status_code == 200
    assert_problem(await send(site, "?bank=charsets", **form(field + b"\xff", file_part())), 422, "request.invalid")


@pytest.mark.parametrize("boundary", ["", "other"])
async def test_a_form_without_its_boundary_cannot_be_read(site: WholeSite, boundary: str) -> None:
    assert (await send(site, **form(file_part(), boundary=boundary))).status_code in {400, 422}


async def test_a_form_that_breaks_off_is_refused(site: WholeSite) -> None:
    whole = form(file_part())

    assert_problem(await send(site, **{**whole, "content": whole["content"][:-20]}), 400, "request.malformed")


async def test_what_is_neither_a_file_nor_a_form_is_refused(site: WholeSite) -> None:
    assert_problem(await send(site, **raw(b"{}", "application/json")), 415, "request.unsupported_media_type")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a.csv", "a.csv"), ("../../etc/a.csv", "a.csv"), ("C:\\x\\a.csv", "a.csv"), ("a\x01\n.csv", "a.csv"), ("/", "")],
)
def test_of_a_file_s_name_only_the_name_is_kept(given: str, kept: str) -> None:
    assert clean_name(given) == kept


async def test_an_import_that_takes_longer_than_a_request_may_is_answered_with_202(
    module_database: ClonedDatabase,
) -> None:
    """The report is found at the address that the answer gives."""
    module_database.empty()
    async with whole_site_of(module_database) as site:
        site.container.import_in_time.add_kwargs(prompt_seconds=0.0)

        answer = await send(site, "?bank=long", **raw(GOOD))
        await site.container.import_in_time().settle()

        assert (answer.status_code, answer.json()["status"]) == (202, "running")
        report = (await site.ask("GET", answer.headers["location"], "instructor")).json()
        assert (report["id"], report["status"], report["created"]) == (answer.json()["id"], "succeeded", 1)
