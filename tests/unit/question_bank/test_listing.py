"""Excerpts, languages, and the job that makes questions searchable, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.jobs import MemoryJobRunner
from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from application.jobs import JobName
from application.question_bank.indexing import IndexingOrder, IndexQuestions
from application.question_bank.ports.indexing import IndexingStep, IndexingWork
from domain.errors import InvalidInput
from domain.question_bank.imported import TextFormat
from domain.question_bank.languages import LANGUAGES, check_language
from domain.question_bank.listing import LONGEST_EXCERPT, excerpt
from tests.support.postgres import SettableClock

NOON = datetime(2030, 1, 15, 12, tzinfo=UTC)


@given(text=st.text(max_size=3000), text_format=st.sampled_from(TextFormat))
def test_an_excerpt_is_one_line_of_at_most_200_characters(text: str, text_format: TextFormat) -> None:
    shown = excerpt(text, text_format)
    assert len(shown) <= LONGEST_EXCERPT
    assert shown == " ".join(shown.split())


@given(text=st.text(max_size=LONGEST_EXCERPT))
def test_a_short_text_is_its_own_excerpt(text: str) -> None:
    assert excerpt(text, TextFormat.PLAIN) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>Which <b>one</b>?</p>", "Which one ?"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("<p>" + "a" * 300 + "</p>", "a" * 199 + "…"),
        ("a <img src='" + "x" * 5000, "a…"),
    ],
)
def test_an_excerpt_of_html_is_what_would_be_read(text: str, shown: str) -> None:
    assert excerpt(text, TextFormat.HTML) == shown


def test_plain_text_is_never_taken_for_html() -> None:
    assert excerpt("a <b> &amp; c", TextFormat.PLAIN) == "a <b> &amp; c"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_known_language_is_allowed(language: str) -> None:
    check_language(language)


@pytest.mark.parametrize("language", ["", "English", "klingon", "pg_catalog.english", "english; drop table x"])
def test_an_unknown_language_is_refused_at_its_field(language: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_language(language)
    assert [(problem.pointer, problem.code) for problem in refused.value.problems] == [
        ("/language", "unknown_language")
    ]


class Shelved(MemoryWork, IndexingWork):
    """Questions by id with the bank that each is in; indexed ones are counted."""

    async def hold_questions(
        self, bank: str, *, changed_since: datetime | None, after: str, limit: int
    ) -> IndexingStep:
        rows = sorted(id_ for id_ in self._tables["shelf"] if id_ > after)[:limit]
        wanted = [
            id_
            for id_ in rows
            if self._tables["shelf"][id_][0] == bank
            and (changed_since is None or self._tables["shelf"][id_][1] >= changed_since)
        ]
        return IndexingStep(question_ids=wanted, reached=rows[-1] if len(rows) == limit else None)

    async def index_questions(self, question_ids: object) -> None:
        assert isinstance(question_ids, list)
        for id_ in question_ids:
            self._tables["indexed"][id_] = self._tables["indexed"].get(id_, 0) + 1


@dataclass(slots=True)
class Indexing:
    """The job on dictionaries."""

    store: MemoryStore = field(default_factory=MemoryStore)

    def job(self, *, batch: int, steps: int) -> IndexQuestions:
        transact = MemoryTransaction(self.store, Shelved, SettableClock())
        return IndexQuestions(transact=transact, batch=batch, steps=steps)

    async def run(self, order: IndexingOrder, *, batch: int, steps: int) -> int:
        """How many jobs it took."""
        job = self.job(batch=batch, steps=steps)
        await job(order.job.payload)
        return await MemoryJobRunner(self.store, {JobName.INDEX_QUESTIONS: job}).run_pending() + 1


@given(count=st.integers(0, 30), batch=st.integers(1, 7), steps=st.integers(1, 4))
async def test_every_question_of_the_bank_is_indexed_once_however_the_work_is_cut(
    count: int, batch: int, steps: int
) -> None:
    indexing = Indexing()
    for number in range(count):
        indexing.store.tables["shelf"][f"qst_{number:02}"] = (("nets", "keys")[number % 2], NOON)
    await indexing.run(IndexingOrder(bank="nets"), batch=batch, steps=steps)
    assert indexing.store.tables["indexed"] == {f"qst_{number:02}": 1 for number in range(0, count, 2)}


async def test_only_what_changed_since_is_indexed() -> None:
    indexing = Indexing()
    for hour in (11, 12, 13):
        indexing.store.tables["shelf"][f"qst_{hour}"] = ("nets", NOON.replace(hour=hour))
    await indexing.run(IndexingOrder(bank="nets", changed_since=NOON), batch=10, steps=1)
    assert sorted(indexing.store.tables["indexed"]) == ["qst_12", "qst_13"]


async def test_the_rest_becomes_a_job_with_the_last_step_and_not_before() -> None:
    """A worker that dies repeats the steps of one job at most."""
    indexing = Indexing()
    for number in range(10):
        indexing.store.tables["shelf"][f"qst_{number}"] = ("nets", NOON)
    await indexing.job(batch=2, steps=3)(IndexingOrder(bank="nets").job.payload)
    (left,) = indexing.store.jobs
    assert IndexingOrder.of(left.payload) == IndexingOrder(bank="nets", after="qst_5")
    assert len(indexing.store.tables["indexed"]) == 6


@pytest.mark.parametrize(
    "order",
    [IndexingOrder(bank="nets"), IndexingOrder(bank="qbk_1", changed_since=NOON, after="qst_1")],
)
def test_an_order_is_read_from_its_own_job(order: IndexingOrder) -> None:
    assert IndexingOrder.of(order.job.payload) == order
