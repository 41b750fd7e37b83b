"""Writing down what time has ended."""

from __future__ import annotations

from dataclasses import dataclass

from application.enrollment.ports.enrolling import ExpiringWork
from application.jobs import Payload
from application.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireEnrollments:
    """Enrolments past their time have ended already for everybody; this only writes it down, as whoever touches one of
    them does. In batches, each a unit of work of its own, so that nobody waits for it.
    """

    transact: Transaction[ExpiringWork]
    batch: int = 500

    async def __call__(self, _: Payload) -> None:
        while await self.transact(self._some) == self.batch:
            pass

    async def _some(self, work: ExpiringWork) -> int:
        return await work.end_expired(self.batch)
