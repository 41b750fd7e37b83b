"""Exports from PostgreSQL: one look at a bank, in the order of the ids; what returns from a file changes nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.files.question_files import QuestionFilesByFormat
from adapters.files.question_writers import QuestionWritersByFormat
from adapters.postgres.database import Database
from adapters.postgres.question_bank.exporting import PostgresExportTransaction, PostgresExportWork
from adapters.postgres.question_bank.imports import PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank import exporting
from application.question_bank.export_stream import Export
from application.question_bank.exporting import ExportOrder, ExportQuestions, ExportsBusy
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.ports.exporting import ExportedBank, ExportFormat, ExportVersions
from application.question_bank.ports.importing import FileOptions, QuestionFile
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import ImportReport
from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    ParsedItem,
    TextFormat,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import BankNotFound
from tests.support.postgres import ClonedDatabase

FORMATS = {
    ExportFormat.CSV: "csv",
    ExportFormat.JSONL: "jsonl",
    ExportFormat.GIFT: "gift",
    ExportFormat.MOODLE_XML: "moodle_xml",
}
ADMIN = Actor(user_id="usr_admin", role=Role.ADMIN, session_id="ses_1")
OWNER = Actor(user_id="usr_owner", role=Role.INSTRUCTOR, session_id="ses_2")
EDITOR = Actor(user_id="usr_editor", role=Role.INSTRUCTOR, session_id="ses_3")
STRANGER = Actor(user_id="usr_stranger", role=Role.INSTRUCTOR, session_id="ses_4")


class Listed(QuestionFile):
    """Questions as if they came from a file."""

    def __init__(self, questions: Sequence[ImportedQuestion]) -> None:
        self._questions = questions

    @property
    def name(self) -> str:
        return "listed.jsonl"

    @property
    def format(self) -> str:
        return "jsonl"

    def read(self, bank: str) -> Iterator[ParsedItem]:
        for record, question in enumerate(self._questions, start=2):
            yield replace(question, bank=bank, origin=Origin(format="jsonl", file="", record=record, line=record))


def a_question(external_id: str, **changes: Any) -> ImportedQuestion:
    """What every format can say: plain, with a domain, one right choice and an explanation."""
    choices = tuple(
        ImportedChoice(
            key=key,
            text=FormattedText(text=f"{key} of {external_id}"),
            correct=key == "B",
            explanation=FormattedText(text="Because."),
        )
        for key in "ABCD"
    )
    plain = ImportedQuestion(
        external_id=external_id,
        bank="network",
        domain="1.1 Ports",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text=f"Which one is {external_id}?\nTake your time."),
        choices=choices,
        explanation=None,
        tags=("net",),
        points=Decimal(1),
        shuffle=True,
        origin=Origin(format="bank", file="", record=0, line=0),
    )
    return replace(plain, **changes)


# Byte order: capitals before small letters, letters before accents; no locale sorts so.
IDS = ("B", "a", "_", "é", "Z-1", "a-2", "10", "9")
QUESTIONS = [a_question(id_) for id_ in IDS]


@pytest.fixture
def import_questions(database: Database, ids: TimeOrderedIds) -> ImportQuestions:
    transact = PostgresTransaction(database, PostgresImportWork, ids, deadline_seconds=60)
    return ImportQuestions(transact, ids, AsyncioThreads())


@pytest.fixture
def look(database: Database, ids: TimeOrderedIds) -> PostgresExportTransaction:
    return PostgresExportTransaction(database, ids, deadline_seconds=60)


@pytest.fixture
def export_questions(
    database: Database, ids: TimeOrderedIds, look: PostgresExportTransaction, monkeypatch: pytest.MonkeyPatch
) -> ExportQuestions:
    """Three questions at a time, so that a bank takes several batches."""
    monkeypatch.setattr(exporting, "BATCH", 3)
    return ExportQuestions(look, PostgresTransaction(database, PostgresWork, ids), QuestionWritersByFormat())


async def fill(
    import_questions: ImportQuestions, questions: Sequence[ImportedQuestion], bank: str = "network", **how: Any
) -> ImportReport:
    report = await import_questions(None, ImportOrder(file=Listed(questions), bank=bank, **how))
    assert report.rejected == 0, report
    return report


async def exported(
    export_questions: ExportQuestions, format_: ExportFormat = ExportFormat.JSONL, bank: str = "network", **how: Any
) -> bytes:
    export = await export_questions(None, ExportOrder(bank=bank, format=format_, **how))
    return b"".join([piece async for piece in export.pieces()])


def written(questions: Sequence[ImportedQuestion], format_: ExportFormat = ExportFormat.JSONL) -> bytes:
    export = Export(QuestionWritersByFormat().writer(format_, excel_safe=False))
    return b"".join(export.writer.write(questions, export.tally.losses))


async def test_a_bank_comes_out_whole_in_the_byte_order_of_its_ids(
    import_questions: ImportQuestions, export_questions: ExportQuestions
) -> None:
    rich = a_question(
        "rich",
        difficulty="hard",
        kind=QuestionKind.MULTIPLE,
        stem=FormattedText(text="<p>Which?</p>", format=TextFormat.HTML),
        explanation=FormattedText(text="*So.*", format=TextFormat.MARKDOWN),
        points=Decimal("2.5"),
        shuffle=False,
    )
    weighed = tuple(
        replace(choice, correct=choice.key in "AB", weight=Decimal("0.5"), pinned=choice.key == "D")
        for choice in rich.choices
    )
    questions = [*QUESTIONS, replace(rich, choices=weighed)]
    await fill(import_questions, questions)
    assert await exported(export_questions) == written(sorted(questions, key=lambda each: each.external_id.encode()))


@pytest.mark.parametrize("format_", FORMATS)
async def test_an_export_that_returns_changes_nothing(
    import_questions: ImportQuestions, export_questions: ExportQuestions, format_: ExportFormat
) -> None:
    await fill(import_questions, QUESTIONS)
    content = await exported(export_questions, format_)
    options = FileOptions(format=FORMATS[format_])
    file = QuestionFilesByFormat().from_file("network", io.BytesIO(content), options)
    report = await import_questions(None, ImportOrder(file=file, bank="network"))
    assert (report.created, report.updated, report.unchanged) == (0, 0, len(QUESTIONS)), report
    assert await exported(export_questions, format_) == content


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.JSONL])
async def test_difficulties_return_as_what_the_bank_made_of_them(
    import_questions: ImportQuestions, export_questions: ExportQuestions, format_: ExportFormat
) -> None:
    said = written([a_question("Q1", difficulty="Easy"), a_question("Q2", difficulty="cosmic")], format_)
    kept = written([a_question("Q1", difficulty="easy"), a_question("Q2")], format_)
    for content, unchanged in ((said, 0), (said, 2), (kept, 2)):
        options = FileOptions(format=FORMATS[format_])
        file = QuestionFilesByFormat().from_file("network", io.BytesIO(content), options)
        report = await import_questions(None, ImportOrder(file=file, bank="network"))
        assert (report.updated, report.unchanged) == (0, unchanged)
        assert await exported(export_questions, format_) == kept


async def test_banks_that_agree_agree_byte_by_byte(
    import_questions: ImportQuestions, export_questions: ExportQuestions
) -> None:
    await fill(import_questions, QUESTIONS)
    content = await exported(export_questions)
    file = QuestionFilesByFormat().from_file("copy.jsonl", io.BytesIO(content), FileOptions())
    report = await import_questions(None, ImportOrder(file=file, bank="copy"))
    assert report.created == len(QUESTIONS)
    assert await exported(export_questions, bank="copy") == content


async def test_published_versions_are_exported_apart_from_the_latest(
    import_questions: ImportQuestions, export_questions: ExportQuestions
) -> None:
    old, new = a_question("Q1"), a_question("Q1", stem=FormattedText(text="Which one now?"))
    draft = a_question("Q2")
    await fill(import_questions, [old], publish=True)
    await fill(import_questions, [new, draft])
    assert await exported(export_questions, versions=ExportVersions.PUBLISHED) == written([old])
    assert await exported(export_questions, versions=ExportVersions.LATEST) == written([new, draft])


def rich(external_id: str, options: str, kind: QuestionKind = QuestionKind.SINGLE) -> ImportedQuestion:
    ordering = kind is QuestionKind.ORDERING
    choices = [
        ImportedChoice(key=key, text=FormattedText(text=f"Option {key}"), correct=ordering or key == "A")
        for key in options
    ]
    return a_question(external_id, kind=kind, choices=tuple(choices))


async def test_csv_has_the_columns_of_the_richest_question_of_choices_that_is_exported(
    import_questions: ImportQuestions, export_questions: ExportQuestions
) -> None:
    await fill(import_questions, [rich("Q1", "ABCDE"), a_question("Q2")], publish=True)
    await fill(import_questions, [rich("elsewhere", "ABCDEFGHI")], bank="other", publish=True)
    await fill(import_questions, [rich("Q1", "ABCDEF"), rich("Q3", "ABCDEFGH", QuestionKind.ORDERING)])
    latest = await exported(export_questions, ExportFormat.CSV)
    published = await exported(export_questions, ExportFormat.CSV, versions=ExportVersions.PUBLISHED)
    assert latest == written([rich("Q1", "ABCDEF"), a_question("Q2")], ExportFormat.CSV)
    assert published == written([rich("Q1", "ABCDE"), a_question("Q2")], ExportFormat.CSV)


@pytest.fixture
async def hidden(cloned: ClonedDatabase, import_questions: ImportQuestions) -> str:
    """The id of a bank that belongs to OWNER and is edited by EDITOR."""
    await fill(import_questions, [a_question("Q1")])
    with cloned.administration() as connection:
        for actor in (OWNER, EDITOR, STRANGER, ADMIN):
            connection.execute(
                "insert into users (id, role, email, name, password_hash, created_at, updated_at)"
                " values (%s, %s, %s, 'Somebody', '!', now(), now())",
                (actor.user_id, actor.role.value, f"{actor.user_id}@example.org"),
            )
        connection.execute("update question_banks set visibility = 'hidden', owner_id = %s", (OWNER.user_id,))
        connection.execute(
            "insert into question_bank_editors (question_bank_id, user_id) select id, %s from question_banks",
            (EDITOR.user_id,),
        )
        row = connection.execute("select id from question_banks").fetchone()
    assert row is not None
    id_: str = row[0]
    return id_


async def test_a_hidden_bank_is_there_for_its_owner_its_editors_and_administrators(
    hidden: str, export_questions: ExportQuestions
) -> None:
    for actor in (OWNER, EDITOR, ADMIN, None):
        for bank in (hidden, "network"):
            tally = await export_questions.losses(actor, ExportOrder(bank=bank, format=ExportFormat.JSONL))
            assert tally.exported == 1
    for bank in (hidden, "network", "nothing"):
        with pytest.raises(BankNotFound):
            await export_questions(STRANGER, ExportOrder(bank=bank, format=ExportFormat.JSONL))


async def test_keys_that_leave_the_house_are_in_the_audit_log(
    hidden: str, cloned: ClonedDatabase, export_questions: ExportQuestions
) -> None:
    export = await export_questions(EDITOR, ExportOrder(bank=hidden, format=ExportFormat.GIFT))
    export.leave()
    with cloned.administration() as connection:
        row = connection.execute(
            "select actor_id, subject, after from audit_log where action = 'question_bank.exported'"
        ).fetchone()
    assert row == (EDITOR.user_id, "bank:network", {"format": "gift", "versions": "latest"})


async def test_an_export_sees_the_bank_as_it_was_when_it_began(
    cloned: ClonedDatabase, import_questions: ImportQuestions, look: PostgresExportTransaction
) -> None:
    await fill(import_questions, [a_question("Q1"), a_question("Q2")])

    async def read(work: PostgresExportWork) -> list[str]:
        bank = await work.bank("network", None)
        assert bank is not None
        first = await _texts(work, bank, "")
        with cloned.administration() as connection:
            connection.execute("update question_versions set stem = 'Changed meanwhile.'")
        return [*first, *await _texts(work, bank, "Q1")]

    assert [text.splitlines()[0] for text in await look(read)] == ["Which one is Q1?", "Which one is Q2?"]


async def _texts(work: PostgresExportWork, bank: ExportedBank, after: str) -> list[str]:
    return [each.stem.text for each in await work.questions_after(bank, ExportVersions.LATEST, after, 1)]


async def test_a_third_export_at_once_is_refused_and_a_place_is_free_again_afterwards(
    import_questions: ImportQuestions, export_questions: ExportQuestions, look: PostgresExportTransaction
) -> None:
    await fill(import_questions, QUESTIONS)

    async def meet(work: PostgresExportWork) -> int:
        async def meet_again(inner: PostgresExportWork) -> int:
            with pytest.raises(ExportsBusy) as refused:
                await export_questions(None, ExportOrder(bank="network", format=ExportFormat.JSONL))
            return refused.value.retry_after_seconds or 0

        return await look(meet_again)

    assert await look(meet) == 5
    assert await exported(export_questions)
