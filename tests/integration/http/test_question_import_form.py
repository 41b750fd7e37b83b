"""What a form asks of an import beside its file, and files that come without a name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import WholeSite, whole_site_of

PATH = "/instructor/question-imports"
CSV = (
    b"question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    b"explanation-a,explanation-b,explanation-c,explanation-d,correct answer\n"
    b"Q1,Ports,Which port is for {HTTPS}?,21,80,443,8080,,,,,%s\n"
)
GOOD = CSV % b"C"
GIFT = b"::Q1:: Which port is for HTTPS? {=443 ~80}\n\n::Q2:: Tell all you know. {}\n"
MOODLE = b"<?xml version='1.0'?><quiz></quiz>"


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database) as site:
        yield site


async def send_form(
    site: WholeSite,
    query: str = "",
    content: bytes = GOOD,
    name: str = "ports.csv",
    person: str = "instructor",
    **parts: Any,
) -> httpx.Response:
    files: dict[str, Any] = {part: (None, value) for part, value in parts.items()}
    return await site.client.post(
        PATH + query, headers=site.speaking(person), files=files | {"file": (name, content, "text/csv")}
    )


async def send(site: WholeSite, query: str, content: bytes, media_type: str) -> httpx.Response:
    headers = {**site.speaking("instructor"), "content-type": media_type}
    return await site.client.post(PATH + query, headers=headers, content=content)


async def test_a_form_that_asks_for_a_trial_changes_nothing(site: WholeSite) -> None:
    before = site.rows()["questions"]

    report = (await send_form(site, mode="dry_run", bank="trial")).json()

    assert (report["mode"], report["bank"], report["created"]) == ("dry_run", "trial", 1)
    assert site.rows()["questions"] == before


async def test_every_parameter_can_be_a_part_of_the_form(site: WholeSite, module_database: ClonedDatabase) -> None:
    content = (CSV % b"2").replace(b",", b"|")
    asked = {
        "bank": "in-the-form",
        "mode": "skip_invalid",
        "publish": "true",
        "fileName": "called/so.txt",
        "format": "csv",
        "encoding": "utf-16",
        "delimiter": "|",
        "answerBase": "0",
    }

    report = (await send_form(site, content=content.decode().encode("utf-16"), person="admin", **asked)).json()

    assert (report["bank"], report["file"], report["format"], report["mode"], report["created"]) == (
        "in-the-form",
        "so.txt",
        "csv",
        "skip_invalid",
        1,
    )
    with psycopg.connect(module_database.urls.app) as connection:
        statuses = connection.execute(
            """
            select v.status from question_versions v join questions q on q.id = v.question_id
            join question_banks b on b.id = q.question_bank_id where b.slug = 'in-the-form'
            """
        ).fetchall()
    assert statuses == [("published",)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "trial"),
        ("mode", ""),
        ("publish", "perhaps"),
        ("bank", "x" * 101),
        ("fileName", "x" * 256),
        ("format", "x" * 21),
        ("encoding", "x" * 41),
        ("delimiter", ";;"),
        ("answerBase", "2"),
        ("bank", b"\xff"),
        ("bank", "x" * 1_025),
        ("dryRun", "true"),
        ("answer_base", "0"),
        ("a/b", "1"),
    ],
)
async def test_a_part_that_means_nothing_is_refused_by_its_name(site: WholeSite, name: str, value: Any) -> None:
    before = site.rows()

    problem = assert_problem(await send_form(site, **{name: value}), 422, "request.invalid")

    assert problem["errors"][0]["pointer"] == "/" + name.replace("/", "~1")
    assert site.rows() == before


async def test_a_form_may_repeat_the_query_but_not_contradict_it(site: WholeSite) -> None:
    same = await send_form(site, "?mode=dry_run&bank=same&answerBase=1", mode="dry_run", bank="same", answerBase="1")
    other = await send_form(site, "?mode=all_or_nothing", mode="dry_run")

    assert same.json()["mode"] == "dry_run", same.text
    assert assert_problem(other, 422, "request.invalid")["errors"][0]["pointer"] == "/mode"


async def test_a_part_that_comes_twice_is_refused(site: WholeSite) -> None:
    files: Any = [("mode", (None, "dry_run")), ("mode", (None, "dry_run")), ("file", ("a.csv", GOOD, "text/csv"))]

    answer = await site.client.post(PATH, headers=site.speaking("instructor"), files=files)

    assert assert_problem(answer, 422, "request.invalid")["errors"][0]["pointer"] == "/mode"


async def test_a_form_publishes_for_nobody_who_may_not(site: WholeSite) -> None:
    assert_problem(await send_form(site, publish="true"), 403, "import.publishing_not_allowed")


@pytest.mark.parametrize("query", ["", "?bank=", "?fileName=/"])
@pytest.mark.parametrize("media_type", ["text/csv", "application/octet-stream"])
async def test_a_file_that_names_no_bank_goes_into_none(site: WholeSite, query: str, media_type: str) -> None:
    before = site.rows()

    problem = assert_problem(await send(site, query, GOOD, media_type), 422, "request.invalid")

    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("?bank", "missing")]
    assert site.rows() == before


async def test_the_name_of_a_body_names_its_bank(site: WholeSite) -> None:
    assert (await send(site, "?fileName=Named%201.csv", GOOD, "text/csv")).json()["bank"] == "named-1"


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("imsmanifest.xml", "<manifest xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "format_"),
    [(GOOD, "csv"), (GIFT, "gift"), (MOODLE, "moodle_xml"), (zipped(), "qti")],
    ids=["csv", "gift", "xml", "zip"],
)
async def test_the_content_of_a_nameless_file_tells_its_format(site: WholeSite, content: bytes, format_: str) -> None:
    answer = await send(site, "?bank=nameless&mode=dry_run", content, "application/octet-stream")

    assert answer.json().get("format") == format_, answer.text


async def test_a_nameless_file_that_shows_nothing_is_in_no_known_format(site: WholeSite) -> None:
    answer = await send(site, "?bank=nameless", b"Dear friend,\n", "application/octet-stream")

    assert_problem(answer, 422, "import.format_unknown")


async def test_a_report_names_what_is_not_supported(site: WholeSite) -> None:
    report = (await send(site, "?bank=details&mode=dry_run&fileName=a.gift", GIFT, "text/plain")).json()

    assert {p["code"]: p["detail"] for p in report["problems"]}["unsupported"] == "essay"
