"""Making many questions searchable, outside the request that changed them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from application.jobs import JobName, Payload
from application.ports import Job, Transaction
from application.question_bank.ports.indexing import IndexingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingOrder:
    """Which questions: those of a bank (id or slug) that changed since an instant (all of them without one)."""

    bank: str
    changed_since: datetime | None = None
    after: str = ""

    @property
    def job(self) -> Job:
        since = None if self.changed_since is None else self.changed_since.isoformat()
        payload = {"bank": self.bank, "since": since, "after": self.after}
        return Job(name=JobName.INDEX_QUESTIONS, payload=payload)

    @classmethod
    def of(cls, payload: Payload) -> IndexingOrder:
        since = payload.get("since")
        return cls(
            bank=str(payload["bank"]),
            changed_since=None if since is None else datetime.fromisoformat(str(since)),
            after=str(payload.get("after") or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuestions:
    """A large import is found by its words soon after it, not within it.

    Step by step, each a unit of work of its own that keeps its questions from being changed meanwhile: whoever changes
    one indexes it again. After a number of steps the rest becomes a job of its own, in the unit of the last step, so
    that a worker that dies does little of it twice.
    """

    transact: Transaction[IndexingWork]
    batch: int = 500
    steps: int = 20

    async def __call__(self, payload: Payload) -> None:
        order: IndexingOrder | None = IndexingOrder.of(payload)
        for left in reversed(range(self.steps)):
            if order is None:
                return
            order = await self._step(order, hand_over=left == 0)

    async def _step(self, order: IndexingOrder, *, hand_over: bool) -> IndexingOrder | None:
        """What is left afterwards. With `hand_over` it is left to a job."""

        async def index(work: IndexingWork) -> IndexingOrder | None:
            step = await work.hold_questions(
                order.bank, changed_since=order.changed_since, after=order.after, limit=self.batch
            )
            if step.question_ids:
                await work.index_questions(step.question_ids)
            rest = None if step.reached is None else replace(order, after=step.reached)
            if rest is not None and hand_over:
                await work.enqueue(rest.job)
            return rest

        return await self.transact(index)
