"""One connection in libpq's pipeline mode: groups of statements go out together, each group ends with one Sync.

What a group did is committed when its Sync comes back, or none of it is. Nothing here waits: the event loop says when
there is something to read or room to write.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import DictRow

from adapters.postgres.connections import Connection
from adapters.postgres.errors import refusal_for
from adapters.postgres.prepared import Prepared, Statement

_TUPLES, _DONE = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)
_SYNC, _FAILED = int(ExecStatus.PIPELINE_SYNC), int(ExecStatus.FATAL_ERROR)

# The plan does not fit the schema any more; there is no such prepared statement.
_OUTDATED = frozenset({b"0A000", b"26000"})

_log = logging.getLogger(__name__)


class Member:
    """One caller's statement. Whoever waits for `answer` may go away at any time."""

    __slots__ = ("answer", "deadline", "failed", "key", "outcome", "params", "statement", "values")

    def __init__(
        self, statement: Statement, params: Mapping[str, Any], key: str, deadline: float, answer: asyncio.Future[Any]
    ) -> None:
        self.statement = statement
        self.params = params
        self.values: Sequence[Any] = ()
        self.key = key
        self.deadline = deadline
        self.answer = answer
        self.failed = False
        self.outcome: DictRow | Exception | None = None

    def encode(self, transformer: abc.Transformer) -> None:
        self.values = self.statement.values(self.params, transformer)

    def tell(self, outcome: object) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Group:
    """Members between two Syncs."""

    __slots__ = ("broken", "members")

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.broken = False


class Pipeline:
    """`settled` is told each group whose Sync came back; `lost` comes true, with all groups that were out, at the end.

    With `at_once` a member's row is told when it comes, not when its group is committed: for statements that read.
    """

    def __init__(self, connection: Connection, settled: Callable[[Group], None], *, at_once: bool) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._socket = connection.pgconn.socket
        self._settled = settled
        self._at_once = at_once
        self._loop = asyncio.get_running_loop()
        self._prepared: dict[Statement, Prepared] = {}
        self._numbered = 0
        self._groups: deque[Group] = deque()
        # What results are due for, in their order; a group itself stands for its Sync.
        self._due: deque[tuple[Prepared, Member | None] | Group] = deque()
        self.moved_at = 0.0
        self.lost: asyncio.Future[Sequence[Group]] = self._loop.create_future()
        self.transformer = Transformer(connection)
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._receive)

    @property
    def idle(self) -> bool:
        """Whether it may be sent to. The loop reads before it sends: the server's goodbye has been heard by then."""
        return not self._groups and not self.lost.done()

    @property
    def groups(self) -> Sequence[Group]:
        """Those whose Sync has not come back."""
        return self._groups

    def send(self, groups: Sequence[Group]) -> None:
        """Everything in one go, each group with a Sync of its own."""
        self.moved_at = time.monotonic()
        self._groups.extend(groups)
        try:
            for group in groups:
                for member in group.members:
                    self._send_member(member)
                self._pgconn.pipeline_sync()
                self._due.append(group)
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._write)
        except Exception as error:
            self._fail(error)

    def lose(self) -> None:
        """Lets the connection go, whatever is out on it; the server ends what had not reached its commit."""
        if self.lost.done():
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        self.lost.set_result(tuple(self._groups))

    def _send_member(self, member: Member) -> None:
        prepared = self._prepared.get(member.statement)
        if prepared is None:
            prepared = self._prepare(member.statement)
        self._pgconn.send_query_prepared(prepared.name, member.values)
        self._due.append((prepared, member))

    def _prepare(self, statement: Statement) -> Prepared:
        self._numbered += 1
        prepared = Prepared(b"ace_%d" % self._numbered, statement, self._connection)
        self._pgconn.send_prepare(prepared.name, statement.text)
        self._prepared[statement] = prepared
        self._due.append((prepared, None))
        return prepared

    def _fail(self, error: Exception) -> None:
        """Whatever it was, nobody knows any more what the connection has been told and what is due from it."""
        if not isinstance(error, psycopg.Error):
            _log.error("a shared connection is let go", exc_info=error)
        self.lose()

    def _write(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except Exception as error:
            self._fail(error)

    def _receive(self) -> None:
        try:
            self._pgconn.consume_input()
            self._take_what_came()
        except Exception as error:
            self._fail(error)

    def _take_what_came(self) -> None:
        """Ends also where what is due will never come: libpq gives nothing, for ever, of a connection that is gone."""
        ended = False
        while self._due and not self.lost.done() and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is not None:
                self._take(result)
            elif ended:  # once it ends the results of one statement; again, and libpq waits for nothing more
                self.lose()
            ended = result is None

    def _take(self, result: PGresult) -> None:
        status, due = result.status, self._due[0]
        if isinstance(due, Group):
            due.broken |= status != _SYNC  # else an error of the commit; the Sync is still to come
            if status == _SYNC:
                self._due.popleft()
                self._groups.popleft()
                self.moved_at = time.monotonic()
                self._settled(due)
            return
        self._due.popleft()
        prepared, member = due
        if status in (_TUPLES, _DONE):
            if member is not None:
                self._keep(member, prepared, result)
            return
        self._groups[0].broken = True
        if member is not None:
            member.failed = status == _FAILED  # else rolled back, or never begun, because of another one
        if member is None or result.error_field(DiagnosticField.SQLSTATE) in _OUTDATED:
            self._forget(prepared)

    def _forget(self, prepared: Prepared) -> None:
        """It is prepared anew, under another name, when it is needed again."""
        if self._prepared.get(prepared.statement) is prepared:
            del self._prepared[prepared.statement]

    def _keep(self, member: Member, prepared: Prepared, result: PGresult) -> None:
        try:
            member.outcome = prepared.first_row(result)
        except Exception as error:  # what was stored cannot be represented; it is that member's alone
            member.outcome = refusal_for(error, {}) or error
        if self._at_once:
            member.tell(member.outcome)
