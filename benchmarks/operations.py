"""The operations that are measured: what the client sends for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg

from benchmarks import scripts
from benchmarks.client import Chain, Load
from benchmarks.content import PAPER, STUDENTS, VISITORS, Login, credentials, snapshot
from benchmarks.limit import Script
from benchmarks.site import HOST

_WARM_UP = 0.4  # of the time that is measured, a second at most
_WARM_UP_ANSWERS = 30
_HEARTBEATS = 40
_REVISIONS = 60
# Passwords are checked one after the other, 20 ms each: more people at once would only wait longer.
_DOORS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the table. The script is made after the product was measured."""

    name: str
    warm_up: Load
    load: Load
    script: Callable[[psycopg.Connection], Script]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who asks, for how long; `sessions` are there to be answered, as many again for pgbench."""

    port: int
    logins: Sequence[Login]
    other_logins: Sequence[Login]
    seconds: float
    sessions: int

    @property
    def warm_up_seconds(self) -> float:
        """Long enough for every connection of the pool to have prepared its statements."""
        return min(1.0, self.seconds * _WARM_UP)

    def operations(self) -> Iterator[Operation]:
        yield self.read_paper("read, session of 1 question", "one", STUDENTS)
        yield self.read_paper(f"read, session of {PAPER} questions", "long", STUDENTS)
        yield self._answer()
        yield self._refresh()
        yield self._repeated("list of practice sessions", self._list_papers, scripts.list_papers)
        yield self._repeated("list of packages, public", _list_packages, scripts.list_packages)
        yield self._repeated(f"login, {_DOORS} connections", _log_in, scripts.login, connections=_DOORS)

    def exam_operations(self) -> Iterator[Operation]:
        """Apart from practice, which looks closer while its student sits an exam."""
        yield self._repeated("exam heartbeat, 1 KiB", self._heartbeats, scripts.heartbeat)
        yield self._exam_answer()

    def read_paper(self, name: str, label: str, sessions: int) -> Operation:
        """Students read their practice sessions in turn."""

        def write(student: int) -> list[bytes]:
            numbers = range(student, sessions, STUDENTS)
            return [self._get(f"/practice-sessions/prs_{label}_{number}", student) for number in numbers]

        return self._repeated(name, write, lambda: scripts.read_paper(label, sessions))

    def calm_readers(self, connections: int, seconds: float) -> Load:
        """Students who read their papers one after the other, few at once."""
        streams = [[self._get(f"/practice-sessions/prs_one_{number}", number)] for number in range(connections)]
        return self._load(streams, seconds=seconds, repeat=True)

    def flood(self, seconds: float) -> Load:
        """Visitors who sign in again and again, all at once."""
        return self._load([_log_in(visitor) for visitor in range(VISITORS)], seconds=seconds, repeat=True)

    def _repeated(
        self,
        name: str,
        write: Callable[[int], list[bytes]],
        script: Callable[[], Script],
        connections: int = STUDENTS,
    ) -> Operation:
        streams = [write(student) for student in range(connections)]
        return Operation(
            name=name,
            warm_up=self._load(streams, seconds=self.warm_up_seconds, repeat=True),
            load=self._load(streams, seconds=self.seconds, repeat=True),
            script=lambda _: script(),
        )

    def _answer(self) -> Operation:
        """Each answer is the first to its slot; whose paper is full goes on with the next."""
        streams = [self._answers(student) for student in range(STUDENTS)]
        return Operation(
            name="practice answer",
            warm_up=self._load([stream[:_WARM_UP_ANSWERS] for stream in streams], seconds=self.seconds),
            load=self._load([stream[_WARM_UP_ANSWERS:] for stream in streams], seconds=self.seconds),
            script=lambda connection: scripts.answer(connection, self.sessions),
        )

    def _exam_answer(self) -> Operation:
        """Slot after slot, and then again with another choice: each is a revision, which builds on the one before."""
        other_exams = [self._exam_answers("warm", student)[:_WARM_UP_ANSWERS] for student in range(STUDENTS)]
        return Operation(
            name="exam answer",
            warm_up=self._load(other_exams, seconds=self.seconds),
            load=self._load([self._exam_answers("app", student) for student in range(STUDENTS)], seconds=self.seconds),
            script=lambda _: scripts.exam_answer(),
        )

    def _refresh(self) -> Operation:
        """Each request brings the token that the last one was answered with."""
        return Operation(
            name="refresh rotation",
            warm_up=self._rotations(self.other_logins, seconds=self.warm_up_seconds),
            load=self._rotations(self.logins, seconds=self.seconds),
            script=lambda _: scripts.refresh(),
        )

    def _answers(self, student: int) -> list[bytes]:
        head = self._writing(student)
        return [
            _post(f"/practice-sessions/prs_app_{number}/answers", b'{"slot":%d,"choiceIds":["A"]}' % slot, head)
            for number in range(student, self.sessions, STUDENTS)
            for slot in range(1, PAPER + 1)
        ]

    def _heartbeats(self, student: int) -> list[bytes]:
        """Without numbers, so that they can be sent again and again: each counts as the next one."""
        path, head = f"/exam-sessions/exs_app_{student}/heartbeat", self._writing(student)
        return [_post(path, b'{"snapshot":%s}' % snapshot(turn), head) for turn in range(_HEARTBEATS)]

    def _exam_answers(self, label: str, student: int) -> list[bytes]:
        head = self._writing(student)
        return [
            _put(
                f"/exam-sessions/exs_{label}_{student}/answers/{slot}",
                b'{"response":{"choiceIds":["%c"]},"baseRevision":%d}' % (b"AB"[revision % 2], revision),
                head,
            )
            for revision in range(_REVISIONS)
            for slot in range(1, PAPER + 1)
        ]

    def _writing(self, student: int) -> str:
        login = self.logins[student]
        return f"{_cookies(login)}x-csrf-token: {login.csrf}\r\n"

    def _rotations(self, logins: Sequence[Login], *, seconds: float) -> Load:
        placeholder = "?" * len(logins[0].refresh)
        chain = Chain(
            request=_rotation(placeholder), placeholder=placeholder.encode(), before=b'"refreshToken":"', after=b'"'
        )
        return self._load([[_rotation(each.refresh)] for each in logins], seconds=seconds, chain=chain)

    def _list_papers(self, student: int) -> list[bytes]:
        return [self._get("/practice-sessions?limit=20", student)]

    def _get(self, path: str, student: int) -> bytes:
        return _request("GET", path, _cookies(self.logins[student]))

    def _load(
        self, streams: list[list[bytes]], *, seconds: float, repeat: bool = False, chain: Chain | None = None
    ) -> Load:
        return Load(host=HOST, port=self.port, seconds=seconds, streams=streams, repeat=repeat, chain=chain)


def _list_packages(_: int) -> list[bytes]:
    return [_request("GET", "/exam-packages")]


def _log_in(visitor: int) -> list[bytes]:
    return [_post("/student/auth/login", credentials(STUDENTS + visitor))]


def _rotation(token: str) -> bytes:
    return _post("/student/auth/refresh", f'{{"refreshToken":"{token}"}}'.encode())


def _cookies(login: Login) -> str:
    """As a page of our own sends them."""
    return f"cookie: ace_access={login.access}; ace_csrf={login.csrf}\r\nsec-fetch-site: same-origin\r\n"


def _post(path: str, body: bytes, head: str = "") -> bytes:
    return _with_body("POST", path, body, head)


def _put(path: str, body: bytes, head: str = "") -> bytes:
    return _with_body("PUT", path, body, head)


def _with_body(method: str, path: str, body: bytes, head: str) -> bytes:
    return _request(method, path, f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n") + body


def _request(method: str, path: str, head: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\naccept: application/json\r\n{head}\r\n".encode()
