"""The operations that are measured: what the client sends for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg

from benchmarks import scripts
from benchmarks.client import Chain, Load
from benchmarks.content import PAPER, QUESTIONS, snapshot
from benchmarks.limit import Script
from benchmarks.people import STUDENTS, VISITORS, credentials_of
from benchmarks.requests import Login, get, post, put, rotation, sign_in
from benchmarks.site import HOST

ROUNDS = 5
_HEARTBEATS = 40
_REVISIONS = 100
_QUESTIONS_EACH = 25
# Passwords are checked one after the other, 20 ms each: more people at once would only wait longer.
_DOORS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the table. The script is made after the product was measured.

    `seconds` are those of a round, unless nothing is left to be sent before. `goal` is the ratio that is hoped for,
    `may_refuse` the part of the requests that may be told to come back later.
    """

    name: str
    load: Load
    script: Callable[[psycopg.Connection], Script]
    rounds: int = ROUNDS
    seconds: float = 2.0
    goal: float | None = None
    may_refuse: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who asks; `papers` are there to be answered, and in each round `limit_papers` for pgbench."""

    port: int
    logins: Sequence[Login]
    admins: Sequence[Login]
    papers: int
    limit_papers: int

    def operations(self) -> Iterator[Operation]:
        yield self._repeated("question read", self._questions, scripts.read_question, goal=2.3)
        yield self._answer()
        yield self._refresh()
        yield self.read_paper("practice read, 1 question", "one", STUDENTS)
        yield self.read_paper(f"practice read, {PAPER} questions", "long", STUDENTS)
        yield self._repeated("practice sessions, a page", self._list_papers, scripts.list_papers, rounds=2)
        yield self._logins()

    def exam_operations(self) -> Iterator[Operation]:
        """Apart from practice, which looks closer while its student sits an exam."""
        yield self._repeated("exam heartbeat, 1 KiB", self._heartbeats, scripts.heartbeat, goal=1.4)
        yield self._exam_answer()

    def grown_operations(self, sessions: int, rows: int) -> Iterator[Operation]:
        """Once there is much of everything."""
        yield self.read_paper(f"practice read of {sessions:,}", "grown", sessions)
        yield self._list_of_all(f"questions, a page of {rows:,}", "/instructor/questions", scripts.list_questions)
        yield self._list_of_all(f"people, a page of {rows:,}", "/admin/users", scripts.list_people)

    def read_paper(self, name: str, label: str, sessions: int) -> Operation:
        """Students read their practice sessions in turn."""

        def write(student: int) -> list[bytes]:
            head = self.logins[student].reading
            return [
                get(f"/practice-sessions/prs_{label}_{number}", head) for number in range(student, sessions, STUDENTS)
            ]

        return self._repeated(name, write, lambda: scripts.read_paper(label, sessions), rounds=2)

    def one_read(self) -> bytes:
        """A question, as a student asks for it."""
        return get("/questions/qst_bench_1", self.logins[0].reading)

    def calm_readers(self, connections: int) -> Load:
        """Students who read their papers one after the other, few at once."""
        streams = [
            [get(f"/practice-sessions/prs_one_{number}", self.logins[number].reading)] for number in range(connections)
        ]
        return self._load(streams, repeat=True)

    def flood(self) -> Load:
        """Visitors who sign in again and again, all at once."""
        return self._load([_log_in(visitor) for visitor in range(VISITORS)], repeat=True)

    def _repeated(
        self,
        name: str,
        write: Callable[[int], list[bytes]],
        script: Callable[[], Script],
        *,
        connections: int = STUDENTS,
        rounds: int = ROUNDS,
        goal: float | None = None,
    ) -> Operation:
        return Operation(
            name=name,
            load=self._load([write(number) for number in range(connections)], repeat=True),
            script=lambda _: script(),
            rounds=rounds,
            goal=goal,
        )

    def _logins(self) -> Operation:
        """On a busy machine passwords are checked more slowly than people come, and some are told to wait."""
        return Operation(
            name=f"login, {_DOORS} connections",
            load=self._load([_log_in(visitor) for visitor in range(_DOORS)], repeat=True),
            script=lambda _: scripts.login(),
            rounds=2,
            may_refuse=0.5,
        )

    def _questions(self, student: int) -> list[bytes]:
        numbers = range(1 + student * _QUESTIONS_EACH, 1 + (student + 1) * _QUESTIONS_EACH)
        return [
            get(f"/questions/qst_bench_{1 + number % QUESTIONS}", self.logins[student].reading) for number in numbers
        ]

    def _answer(self) -> Operation:
        """Each answer is the first to its slot; whose paper is full goes on with the next."""
        return Operation(
            name="practice answer",
            load=self._load([self._answers(student) for student in range(STUDENTS)]),
            script=lambda connection: scripts.answer(connection, self.limit_papers),
            goal=1.4,
        )

    def _exam_answer(self) -> Operation:
        """Slot after slot, and then again with another choice: each is a revision, which builds on the one before."""
        return Operation(
            name="exam answer",
            load=self._load([self._exam_answers(student) for student in range(STUDENTS)]),
            script=lambda _: scripts.exam_answer(),
            goal=1.4,
        )

    def _refresh(self) -> Operation:
        """Each request brings the token that the last one was answered with."""
        placeholder = "?" * len(self.logins[0].refresh)
        chain = Chain(
            request=rotation(placeholder), placeholder=placeholder.encode(), before=b'"refreshToken":"', after=b'"'
        )
        return Operation(
            name="refresh rotation",
            load=self._load([[rotation(each.refresh)] for each in self.logins], chain=chain),
            script=lambda _: scripts.refresh(),
            goal=1.6,
        )

    def _answers(self, student: int) -> list[bytes]:
        head = self.logins[student].writing
        return [
            post(f"/practice-sessions/prs_app_{number}/answers", b'{"slot":%d,"choiceIds":["A"]}' % slot, head)
            for number in range(student, self.papers, STUDENTS)
            for slot in range(1, PAPER)
        ]

    def _heartbeats(self, student: int) -> list[bytes]:
        """Without numbers, so that they can be sent again and again: each counts as the next one."""
        path, head = f"/exam-sessions/exs_app_{student}/heartbeat", self.logins[student].writing
        return [post(path, b'{"snapshot":%s}' % snapshot(turn), head) for turn in range(_HEARTBEATS)]

    def _exam_answers(self, student: int) -> list[bytes]:
        head = self.logins[student].writing
        return [
            put(
                f"/exam-sessions/exs_app_{student}/answers/{slot}",
                b'{"response":{"choiceIds":["%c"]},"baseRevision":%d}' % (b"AB"[revision % 2], revision),
                head,
            )
            for revision in range(_REVISIONS)
            for slot in range(1, PAPER + 1)
        ]

    def _list_papers(self, student: int) -> list[bytes]:
        return [get("/practice-sessions?limit=20", self.logins[student].reading)]

    def _list_of_all(self, name: str, path: str, script: Callable[[], Script]) -> Operation:
        def write(number: int) -> list[bytes]:
            return [get(f"{path}?limit={scripts.PAGE}", self.admins[number].reading)]

        return self._repeated(name, write, script, connections=_DOORS, rounds=2)

    def _load(self, streams: list[list[bytes]], *, repeat: bool = False, chain: Chain | None = None) -> Load:
        return Load(host=HOST, port=self.port, streams=streams, repeat=repeat, chain=chain)


def _log_in(visitor: int) -> list[bytes]:
    return [sign_in(credentials_of(STUDENTS + visitor))]
