"""Conversations about exports: what comes out, what is told beside it, and how an export ends when something breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from adapters.files.jsonl_questions import JsonlWriter
from adapters.files.qti_questions import canvas_writing
from adapters.files.question_writers import QuestionWritersByFormat
from application.ports import AuditEntry, Job, Transaction, Work
from application.question_bank import exporting
from application.question_bank.export_stream import Abandoned, Export
from application.question_bank.exporting import BATCH, ExportOrder, ExportQuestions, LossesTakeTooLong
from application.question_bank.ports.exporting import (
    ExportedBank,
    ExportFormat,
    ExportShape,
    ExportVersions,
    ExportWork,
    Losses,
)
from domain.auth.people import Actor, Role
from domain.errors import InvalidInput
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, Origin
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import BankNotFound

ResultT = TypeVar("ResultT")
BANK = ExportedBank(id="qbk_1", slug="network")
INSTRUCTOR = Actor(user_id="usr_1", session_id="ses_1", role=Role.INSTRUCTOR)


def a_question(number: int, *, stem: str = "Why?") -> ImportedQuestion:
    choices = [
        ImportedChoice(key=key, text=FormattedText(text=f"{key}{number}"), correct=key == "A") for key in ("A", "B")
    ]
    return ImportedQuestion(
        external_id=f"Q{number:06}",
        bank="network",
        domain="",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text=stem),
        choices=tuple(choices),
        explanation=None,
        tags=(),
        points=Decimal(1),
        shuffle=True,
        origin=Origin(format="bank", file="", record=0, line=0),
    )


@dataclass(slots=True)
class Bank(ExportWork, Transaction["Bank"]):
    """One bank, its audit log, and the looks at it that are under way. A look goes on when whoever asked has gone."""

    questions: list[ImportedQuestion]
    breaks_at: str | None = None
    audited: list[AuditEntry] = field(default_factory=list)
    under_way: int = 0
    pause: float = 0
    answers: asyncio.Event | None = None
    asked: list[ExportVersions] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def __call__(self, unit: Callable[[Bank], Awaitable[ResultT]], /) -> ResultT:
        looking = asyncio.ensure_future(self._look(unit))
        looking.add_done_callback(lambda over: over.cancelled() or over.exception())
        return await asyncio.shield(looking)

    async def _look(self, unit: Callable[[Bank], Awaitable[ResultT]]) -> ResultT:
        self.under_way += 1
        try:
            return await unit(self)
        finally:
            self.under_way -= 1

    async def bank(self, bank: str, actor: Actor | None) -> ExportedBank | None:
        return BANK if bank in (BANK.id, BANK.slug) else None

    async def shape(self, bank: ExportedBank, versions: ExportVersions) -> ExportShape:
        return ExportShape(most_choices=max((len(question.choices) for question in self.questions), default=0))

    async def questions_after(
        self, bank: ExportedBank, versions: ExportVersions, after: str, most: int
    ) -> Iterable[ImportedQuestion]:
        self.asked.append(versions)
        await asyncio.sleep(self.pause)
        if self.answers is not None:
            await self.answers.wait()
        if self.breaks_at is not None and after >= self.breaks_at:
            raise OSError("gone")
        return [question for question in self.questions if question.external_id > after][:most]

    async def audit(self, entry: AuditEntry) -> None:
        self.audited.append(entry)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError

    async def enqueue(self, job: Job) -> None:
        raise NotImplementedError


def use_case(bank: Bank) -> ExportQuestions:
    record: Transaction[Work] = bank
    return ExportQuestions(bank, record, QuestionWritersByFormat())


def order(format_: ExportFormat = ExportFormat.JSONL, **changes: object) -> ExportOrder:
    return replace(ExportOrder(bank="qbk_1", format=format_), **changes)  # type: ignore[arg-type]


async def taken(export: Export, into: list[bytes] | None = None) -> bytes:
    """The whole file; `into` has what came before a fault."""
    pieces = [] if into is None else into
    async for piece in export.pieces():
        pieces.append(piece)
    return b"".join(pieces)


async def until_asked(bank: Bank) -> None:
    async with asyncio.timeout(30):
        while not bank.asked:
            await asyncio.sleep(0.005)


async def until_over(bank: Bank) -> None:
    async with asyncio.timeout(30):
        while bank.under_way:
            await asyncio.sleep(0.005)


async def test_every_question_comes_out_once_and_in_order() -> None:
    bank = Bank([a_question(number) for number in range(2 * BATCH + 7)])
    export = await use_case(bank)(INSTRUCTOR, order())
    header, *lines = (await taken(export)).splitlines()
    assert header == b'{"format":"ace-questions","version":1}'
    assert [line.split(b'"externalId":"')[1][:7].decode() for line in lines] == [q.external_id for q in bank.questions]
    assert (export.tally.questions, export.tally.exported, export.tally.losses.counts) == (len(lines), len(lines), {})
    assert (export.file_name, bank.under_way) == ("network.jsonl", 0)


async def test_an_empty_bank_is_an_empty_file() -> None:
    export = await use_case(Bank([]))(None, order(ExportFormat.GIFT))
    assert await taken(export) == b""


async def test_that_keys_leave_the_house_is_on_record_before_they_do() -> None:
    bank = Bank([a_question(1)])
    await use_case(bank)(INSTRUCTOR, order(versions=ExportVersions.PUBLISHED))
    (entry,) = bank.audited
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_1", "question_bank.exported", "bank:network")
    assert entry.after == {"format": "jsonl", "versions": "published"}
    assert bank.asked == [ExportVersions.PUBLISHED]


async def test_losses_are_told_without_anything_leaving_the_house() -> None:
    bank = Bank([a_question(1), replace(a_question(3), points=Decimal(2)), a_question(4, stem=" ")])
    tally = await use_case(bank).losses(INSTRUCTOR, order(ExportFormat.GIFT))
    assert (tally.questions, tally.exported) == (3, 2)
    assert tally.losses.counts == {"points_lost": 1, "incomplete": 1}
    assert bank.audited == []


async def test_a_draft_that_is_not_complete_is_left_out_of_every_format() -> None:
    for format_ in ExportFormat:
        export = await use_case(Bank([a_question(1, stem="")]))(None, order(format_))
        await taken(export)
        assert (export.tally.losses.counts, export.tally.exported) == ({"incomplete": 1}, 0)


async def test_what_can_be_refused_is_refused_before_the_first_byte() -> None:
    bank = Bank([a_question(1)])
    with pytest.raises(BankNotFound):
        await use_case(bank)(INSTRUCTOR, order(bank="qbk_2"))
    with pytest.raises(InvalidInput):
        await use_case(bank)(INSTRUCTOR, order(ExportFormat.GIFT, excel_safe=True))
    with pytest.raises(OSError, match="gone"):
        await use_case(replace(bank, breaks_at=""))(INSTRUCTOR, order())
    assert bank.under_way == 0


async def test_a_fault_on_the_way_is_raised_and_never_ends_the_file_as_if_it_were_whole() -> None:
    bank = Bank([a_question(number, stem="x" * 1_000) for number in range(5 * BATCH)], breaks_at="Q000500")
    export = await use_case(bank)(INSTRUCTOR, order())
    got: list[bytes] = []
    with pytest.raises(OSError, match="gone"):
        await taken(export, got)
    assert got[0].startswith(b'{"format"')
    assert bank.under_way == 0


async def test_when_whoever_reads_leaves_the_writing_ends() -> None:
    bank = Bank([a_question(number, stem="x" * 1_000) for number in range(5 * BATCH)])
    export = await use_case(bank)(INSTRUCTOR, order())
    pieces = export.pieces()
    async for _ in pieces:
        break
    await pieces.aclose()  # type: ignore[attr-defined]
    await until_over(bank)
    assert export.tally.questions < len(bank.questions)


async def test_whoever_stops_reading_is_let_go_and_never_believes_to_have_the_whole_file() -> None:
    async def write(to: Export) -> None:
        for _ in range(9):
            await to.put(b"piece")

    export = Export(QuestionWritersByFormat().writer(ExportFormat.JSONL, excel_safe=False), patience_seconds=0.02)
    await export.start(write)
    assert export._writing is not None
    await asyncio.wait((export._writing,), timeout=30)
    got: list[bytes] = []
    with pytest.raises(Abandoned):
        await taken(export, got)
    assert len(got) < 9


async def test_whoever_goes_away_before_the_first_piece_stops_the_writing() -> None:
    begun = asyncio.Event()

    async def write(to: Export) -> None:
        begun.set()
        await asyncio.sleep(0.02)
        await to.put(b"piece")
        raise AssertionError("nobody reads")

    export = Export(QuestionWritersByFormat().writer(ExportFormat.JSONL, excel_safe=False))
    starting = asyncio.create_task(export.start(write))
    await begun.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert export._writing is not None
    await asyncio.wait((export._writing,), timeout=30)
    assert isinstance(export._fault, Abandoned)


@pytest.mark.parametrize("format_", ExportFormat)
async def test_the_first_piece_comes_long_before_the_last_question_is_read(
    format_: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas_writing, "QUESTIONS_IN_QUIZ", 5)
    bank = Bank([a_question(number, stem=f"Why {number}? " * 20) for number in range(10 * BATCH)])
    export = await use_case(bank)(INSTRUCTOR, order(format_))
    assert export.tally.questions < len(bank.questions) / 2
    await taken(export)
    assert export.tally.questions == len(bank.questions)


class _AllAtOnce(JsonlWriter):
    """Gives nothing before it has read everything."""

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        yield from super().write(list(questions), losses, shape)

    def writer(self, format_: ExportFormat, *, excel_safe: bool) -> _AllAtOnce:
        return self


async def test_whoever_goes_away_before_the_first_piece_stops_the_reading_too() -> None:
    bank = Bank([a_question(number) for number in range(50 * BATCH)], pause=0.01)
    record: Transaction[Work] = bank
    starting = asyncio.create_task(ExportQuestions(bank, record, _AllAtOnce())(None, order()))
    await until_asked(bank)
    starting.cancel()
    await until_over(bank)
    assert 0 < len(bank.asked) < 25


async def test_losses_are_counted_up_to_a_bound_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "LOSSES_LOOKED_AT", 2 * BATCH)
    bank = Bank([a_question(number) for number in range(2 * BATCH)])
    told = await use_case(bank).losses(None, order(ExportFormat.AIKEN))
    assert (told.is_complete, told.questions, told.losses.counts["id_changed"]) == (True, 2 * BATCH, 2 * BATCH)
    bank.questions.append(a_question(2 * BATCH))
    told = await use_case(bank).losses(None, order(ExportFormat.AIKEN))
    assert (told.is_complete, told.questions, told.losses.counts["id_changed"]) == (False, 2 * BATCH, 2 * BATCH)
    export = await use_case(bank)(None, order(ExportFormat.AIKEN))
    await taken(export)
    assert (export.tally.is_complete, export.tally.questions) == (True, 2 * BATCH + 1)


async def test_losses_are_counted_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "LOSSES_SECONDS", 0.05)
    bank = Bank([a_question(number) for number in range(50 * BATCH)], pause=0.02)
    told = await use_case(bank).losses(None, order(ExportFormat.CSV))
    assert (told.is_complete, told.questions % BATCH) == (False, 0)
    assert 0 < told.questions < len(bank.questions) / 2


async def test_losses_of_a_store_that_does_not_answer_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_LOSSES_DEADLINE", 1.0)
    bank = Bank([a_question(number) for number in range(BATCH)], answers=asyncio.Event())
    with pytest.raises(LossesTakeTooLong) as refused:
        await use_case(bank).losses(None, order(ExportFormat.CSV))
    assert refused.value.retry_after_seconds == 5
    assert bank.answers is not None
    bank.answers.set()
    await until_over(bank)
    assert len(bank.asked) == 1


async def test_whoever_asks_for_losses_and_goes_away_stops_the_counting() -> None:
    bank = Bank([a_question(number) for number in range(50 * BATCH)], pause=0.01)
    asking = asyncio.create_task(use_case(bank).losses(None, order(ExportFormat.CSV)))
    await until_asked(bank)
    asking.cancel()
    await until_over(bank)
    assert 0 < len(bank.asked) < 25


def test_the_name_of_the_file_is_safe_in_a_header_and_on_a_disk() -> None:
    export = Export(QuestionWritersByFormat().writer(ExportFormat.CSV, excel_safe=False))
    assert export.file_name == "questions.csv"
    export.bank = ExportedBank(id="qbk_1", slug='../a"b\r\né')
    assert export.file_name == "___a_b___.csv"
