"""Exporting over HTTP: the file, who may have it, what is told about losses, and an end that is never mistaken."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from dependency_injector import providers
from litestar.exceptions import LitestarException

from adapters.files.jsonl_questions import JsonlWriter
from adapters.files.question_files import QuestionFilesByFormat
from application.question_bank import exporting
from application.question_bank.exporting import ExportQuestions, ExportsBusy
from application.question_bank.ports.exporting import ExportFormat, ExportShape, Losses
from application.question_bank.ports.importing import FileOptions
from domain.question_bank.imported import ImportedQuestion, ImportProblem, Severity
from entrypoints.http.app import create_app
from entrypoints.http.logs import AccessLog
from tests.support.http import LogLines, assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import QUESTIONS, SENTINEL, WholeSite, whole_site_of

PATH = "/instructor/question-exports"
READ_AS = {ExportFormat.CANVAS_QTI: "qti", ExportFormat.QTI3: "qti"}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database) as site:
        yield site


@pytest.fixture(scope="module")
def bank(site: WholeSite) -> str:
    row = site.database.keeper.execute("select id from question_banks where slug = 'sums'").fetchone()
    assert row is not None
    id_: str = row[0]
    return id_


async def ask(site: WholeSite, path: str = PATH, person: str = "instructor", **params: Any) -> httpx.Response:
    return await site.ask("GET", path, person, params=params)


@pytest.mark.parametrize("file_format", ExportFormat)
async def test_the_bank_comes_as_a_file_that_can_be_imported_again(
    site: WholeSite, bank: str, file_format: ExportFormat
) -> None:
    answer = await ask(site, questionBankId=bank, format=file_format.value)
    assert answer.status_code == 200, answer.text
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="sums.')
    assert answer.headers["cache-control"] == "no-store"
    options = FileOptions(format=READ_AS.get(file_format, file_format.value))
    items = list(QuestionFilesByFormat().from_file("sums", io.BytesIO(answer.content), options).read("sums"))
    assert [item for item in items if isinstance(item, ImportProblem) and item.severity is Severity.ERROR] == []
    questions = [item for item in items if isinstance(item, ImportedQuestion)]
    assert len(questions) == QUESTIONS
    assert {question.answer for question in questions} == {"B"}


async def test_the_same_questions_are_the_same_bytes(site: WholeSite, bank: str) -> None:
    first, second = [await ask(site, questionBankId=bank, format="csv", versions="published") for _ in range(2)]
    assert first.content == second.content
    assert SENTINEL.encode() in first.content
    assert first.headers["content-type"] == "text/csv; charset=utf-8"


async def test_what_would_be_lost_is_told_and_no_key_with_it(site: WholeSite, bank: str) -> None:
    answer = await ask(site, f"{PATH}/losses", questionBankId=bank, format="aiken")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["complete"] is True
    assert (told["format"], told["questions"], told["exported"]) == ("aiken", QUESTIONS, QUESTIONS)
    assert told["losses"]["explanations_lost"] == QUESTIONS
    assert {"externalId", "code", "message"} == set(told["problems"][0])
    assert SENTINEL not in answer.text
    lossless = (await ask(site, f"{PATH}/losses", questionBankId=bank, format="jsonl")).json()
    assert (lossless["losses"], lossless["problems"]) == ({}, [])


async def test_what_a_large_bank_would_lose_is_told_of_its_first_questions(
    site: WholeSite, bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 3)
    monkeypatch.setattr(exporting, "LOSSES_LOOKED_AT", 2)
    answer = await ask(site, f"{PATH}/losses", questionBankId=bank, format="aiken")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["complete"], told["questions"], told["losses"]["id_changed"]) == (False, 3, 3)


async def test_exports_are_in_the_audit_log_and_losses_are_not(site: WholeSite, bank: str) -> None:
    def recorded() -> int:
        row = site.database.keeper.execute(
            "select count(*) from audit_log where action = 'question_bank.exported'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    before = recorded()
    await ask(site, f"{PATH}/losses", questionBankId=bank, format="csv")
    assert recorded() == before
    await ask(site, questionBankId=bank, format="csv")
    assert recorded() == before + 1


@pytest.mark.parametrize("path", [PATH, f"{PATH}/losses"])
async def test_what_is_wrong_is_a_problem_before_the_first_byte(site: WholeSite, bank: str, path: str) -> None:
    assert_problem(await ask(site, path, questionBankId="qbk_none", format="csv"), 404, "question_bank.not_found")
    assert_problem(await ask(site, path, questionBankId=bank, format="docx"), 422, "request.invalid")
    assert_problem(await ask(site, path, questionBankId=bank), 422, "request.invalid")
    assert_problem(await ask(site, path, questionBankId=bank, format="gift", excelSafe="true"), 422, "request.invalid")
    assert (await ask(site, path, "student", questionBankId=bank, format="csv")).status_code == 403


async def test_a_hidden_bank_is_not_there_for_other_instructors(site: WholeSite, bank: str) -> None:
    site.database.keeper.execute("update question_banks set visibility = 'hidden' where id = %s", (bank,))
    try:
        assert_problem(await ask(site, questionBankId=bank, format="csv"), 404, "question_bank.not_found")
        assert (await ask(site, person="admin", questionBankId=bank, format="csv")).status_code == 200
    finally:
        site.database.keeper.execute("update question_banks set visibility = 'visible' where id = %s", (bank,))


class _Failing(JsonlWriter):
    """Breaks off: before the first byte, or after a piece that is on its way already."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        if not self._at_once:
            yield b"x" * 1_000_000
        raise OSError("the disk is gone")


class _Writers:
    def __init__(self, writer: JsonlWriter) -> None:
        self._writer = writer

    def writer(self, format_: ExportFormat, *, excel_safe: bool) -> JsonlWriter:
        return self._writer


async def test_a_fault_in_the_middle_breaks_the_transfer_instead_of_ending_the_file(
    module_database: ClonedDatabase, site: WholeSite, bank: str
) -> None:
    export_questions: ExportQuestions = site.container.export_questions()
    broken = ExportQuestions(export_questions.look, export_questions.transact, _Writers(_Failing(at_once=False)))
    sent = await _messages(site, broken, bank)
    bodies = [message for message in sent if message["type"] == "http.response.body"]
    assert sent[0]["status"] == 200
    assert bodies
    assert all(message["more_body"] for message in bodies)


async def test_a_fault_before_the_first_byte_is_a_problem_document(site: WholeSite, bank: str) -> None:
    export_questions: ExportQuestions = site.container.export_questions()
    broken = ExportQuestions(export_questions.look, export_questions.transact, _Writers(_Failing(at_once=True)))
    sent = await _messages(site, broken, bank)
    assert sent[0]["status"] == 500
    assert (b"content-type", b"application/problem+json") in sent[0]["headers"]


async def test_an_export_too_many_says_when_to_ask_again(site: WholeSite, bank: str) -> None:
    async def busy(actor: object, order: object) -> None:
        raise ExportsBusy(retry_after_seconds=5)

    sent = await _messages(site, busy, bank)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]


async def _messages(site: WholeSite, export_questions: Any, bank: str) -> list[dict[str, Any]]:
    """What an application with this use case puts on the wire, message by message."""
    with site.container.export_questions.override(providers.Object(export_questions)):
        app = create_app(site.container, log=AccessLog(LogLines().write))
        sent: list[dict[str, Any]] = []
        asked = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            while not any(message.get("more_body") is False for message in sent):
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = _scope(site, f"questionBankId={bank}&format=jsonl")
        # The server breaks the connection when the application fails after it has begun to answer.
        with suppress(LitestarException):
            await app(scope, receive, send)  # type: ignore[arg-type]
    return sent


def _scope(site: WholeSite, query: str) -> dict[str, Any]:
    headers = [(name.encode(), value.encode()) for name, value in site.speaking("admin").items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"ace.test"), *headers],
        "client": ("192.0.2.1", 1),
        "server": ("ace.test", 443),
        "extensions": {},
    }
