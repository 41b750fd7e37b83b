"""Builds that are broken on purpose: a judge that condemns nobody proves nothing.

Run as a script: the name of a defect, then what `ace` is called with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial, partialmethod
from itertools import count
from typing import Any

from adapters.postgres.connections import Connection
from adapters.postgres.database import Database, Lease
from adapters.postgres.transaction import PostgresTransaction
from application.exam import settling
from entrypoints.cli import main

_EVERY = 7


def _acknowledge_before_commit() -> None:
    """Now and then what became of an exam is answered and rolled back."""
    whole, numbers = PostgresTransaction._attempt, count(1)

    async def attempt(self: Any, connection: Connection, lease: Lease, unit: Any, memory: Any) -> Any:
        if ".exam." not in self._work_type.__module__ or next(numbers) % _EVERY:
            return await whole(self, connection, lease, unit, memory)
        work = self._work_type(connection, await self._begin(connection), self._ids)
        try:
            return await unit(work)
        finally:
            await connection.rollback()

    PostgresTransaction._attempt = attempt  # type: ignore[method-assign]


def _forget_quick_statements() -> None:
    """Now and then what commits by itself does not."""
    numbers = count(1)

    async def run(whole: Any, self: Database, query: Any, params: Any = None, **how: Any) -> Any:
        if b"update exam_s" not in str(query).encode() or next(numbers) % _EVERY:
            return await whole(self, query, params, **how)

        async def forget(connection: Connection, lease: Lease) -> Any:
            await connection.execute("begin")
            try:
                return await (await connection.execute(query, params)).fetchone()
            finally:
                await connection.rollback()

        return await self.run(forget)

    for name in ("fetch_one", "write_one"):
        setattr(Database, name, partialmethod(partial(run, getattr(Database, name))))


def _grade_twice() -> None:
    """What is handed in is graded, and graded again."""
    whole = settling.complete_grading

    async def twice(work: Any, new_id: Any, session: Any) -> Any:
        return await whole(work, new_id, await whole(work, new_id, session))

    settling.complete_grading = twice


DEFECTS: Mapping[str, Callable[[], None]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "forget-quick-statements": _forget_quick_statements,
    "grade-twice": _grade_twice,
}

if __name__ == "__main__":
    DEFECTS[sys.argv.pop(1)]()
    main()
