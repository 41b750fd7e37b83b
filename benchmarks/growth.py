"""`python -m benchmarks.growth`: what the hot operations take among a thousand sessions and questions, and a million.

The same database grows from one size to the other. Each session is used a few times in a row and then another one, far
from it; the first few of them only warm up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click
import psycopg

from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.csrf_tokens import HmacCsrfTokens
from application.auth.ports import AccessClaims
from benchmarks import growth_content
from benchmarks.client import Load
from benchmarks.content import snapshot
from benchmarks.driver import Driver, accepted
from benchmarks.growth_content import SESSIONS_EACH, SLOTS, first_token, owner_of
from benchmarks.requests import Login, get, post, put, rotation
from benchmarks.site import HOST, Site, running_site
from domain.auth.people import Role
from entrypoints.cli.support import stop_on_signals

_CONNECTIONS = 50
_TURNS = 3
_MOST = 12_000
_WARM = 0.1
_LEAST = 2_000
_ROUNDS = 10
_TOKEN_SECONDS = 3_600
_HEADER = f"{'':16}{'requests':>18}{'app':>13}{'PG':>13}{'sum':>13}{'factor':>9}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Microseconds of CPU for each request."""

    requests: int
    server_us: float
    postgres_us: float

    @property
    def total(self) -> float:
        return self.server_us + self.postgres_us


class Sample:
    """Sessions that were added last to a database of this size, in no order, and what a client sends for each."""

    def __init__(self, site: Site, first: int, size: int) -> None:
        self._access, self._csrf = JwtAccessTokens([site.secret]), HmacCsrfTokens([site.secret])
        self._size, self._now = size, int(time.time())
        added = range(first, size)
        self._numbers = random.Random(size).sample(added, min(len(added), _MOST))  # noqa: S311

    def loads(self, port: int, write: Callable[[int, Login], Sequence[bytes]]) -> tuple[Load, Load]:
        """What warms up, and what is measured."""
        warm = max(1, round(len(self._numbers) * _WARM))
        parts = self._numbers[:warm], self._numbers[warm:]
        return _load(port, parts[0], self._written(write)), _load(port, parts[1], self._written(write))

    def question(self, number: int, login: Login) -> list[bytes]:
        numbers = [1 + (number + turn * 7) % self._size for turn in range(_TURNS)]
        return [get(f"/questions/qst_bench_{each}", login.reading) for each in numbers]

    def practice_answer(self, number: int, login: Login) -> list[bytes]:
        """The last question of a paper stays open, because its answer ends the session."""
        path = f"/practice-sessions/prs_grow_{number}/answers"
        return [post(path, b'{"slot":%d,"choiceIds":["A"]}' % slot, login.writing) for slot in range(1, SLOTS)]

    def refresh(self, number: int, _: Login) -> list[bytes]:
        return [rotation(first_token(number))]

    def heartbeat(self, number: int, login: Login) -> list[bytes]:
        path = f"/exam-sessions/exs_grow_{number}/heartbeat"
        return [post(path, b'{"snapshot":%s}' % snapshot(turn), login.writing) for turn in range(_TURNS)]

    def exam_answer(self, number: int, login: Login) -> list[bytes]:
        path = f"/exam-sessions/exs_grow_{number}/answers/1"
        return [
            put(path, b'{"response":{"choiceIds":["%c"]},"baseRevision":%d}' % (b"AB"[turn % 2], turn), login.writing)
            for turn in range(_TURNS)
        ]

    def _written(self, write: Callable[[int, Login], Sequence[bytes]]) -> Callable[[int], Sequence[bytes]]:
        return lambda number: write(number, self._login(number))

    def _login(self, number: int) -> Login:
        session_id, role = f"ses_grow_{number}", Role.STUDENT
        claims = AccessClaims(
            audience=role,
            role=role,
            user_id=owner_of(number),
            session_id=session_id,
            token_id=f"tok_{number}",
            auth_time=self._now,
            issued_at=self._now,
            not_before=self._now,
            expires_at=self._now + _TOKEN_SECONDS,
        )
        return Login(access=self._access.sign(claims), csrf=self._csrf.issue(session_id))


def _whole(_: click.Context, option: click.Parameter, size: int) -> int:
    """As every person has so many sessions."""
    if size <= 0 or size % SESSIONS_EACH:
        raise click.BadParameter(f"a multiple of {SESSIONS_EACH} is needed", param=option)
    return size


@click.command()
@click.option("--small", default=1_000, show_default=True, callback=_whole, help="Sessions and questions at first.")
@click.option("--large", default=1_000_000, show_default=True, callback=_whole, help="So many in the end, 5 GB.")
@click.option("--seconds", default=2.0, show_default=True, help="How long each operation is measured at most.")
@click.option("--bound", default=4.0, show_default=True, help="How many times the cost an operation may come to.")
def main(small: int, large: int, seconds: float, bound: float) -> None:
    """Compare the cost of the hot operations in a small database with that in a large one."""
    stop_on_signals()
    with running_site() as site, growth_content.filling(site) as connection:
        growth_content.begin(connection)
        before = _measured(site, connection, 0, small, seconds)
        after = _measured(site, connection, small, large, seconds)
    click.echo(f"\nMicroseconds of CPU for each request among {small:,} sessions and questions, and among {large:,}.")
    for line in compared(before, after):
        click.echo(line)
    worst = most_growth(before, after)
    click.echo(f"At most {worst:.1f} times as much; the bound is {bound:g}.")
    if worst > bound:
        raise SystemExit(1)


def most_growth(before: Mapping[str, Cost], after: Mapping[str, Cost]) -> float:
    """How many times as much the operation takes that has grown the most."""
    return max(after[name].total / cost.total for name, cost in before.items())


def compared(before: Mapping[str, Cost], after: Mapping[str, Cost]) -> Iterator[str]:
    """A table of what each operation took and takes."""
    yield _HEADER
    for name, cost in before.items():
        yield _told(name, cost, after[name])


def _measured(site: Site, connection: psycopg.Connection, first: int, last: int, seconds: float) -> dict[str, Cost]:
    """Practice before exams, which it looks closer during."""
    growth_content.forget_exams(connection)
    _timed(f"{last:,} sessions and questions", lambda: growth_content.grow(connection, first, last))
    sample, found = Sample(site, first, last), {}
    for name, write in {
        "question read": sample.question,
        "practice answer": sample.practice_answer,
        "refresh": sample.refresh,
    }.items():
        found[name] = _cost(site, name, sample.loads(site.port, write), seconds)
    _timed(f"{last:,} exams", lambda: growth_content.add_exams(connection, last))
    for name, write in {"exam heartbeat": sample.heartbeat, "exam answer": sample.exam_answer}.items():
        found[name] = _cost(site, name, sample.loads(site.port, write), seconds)
    return found


def _cost(site: Site, name: str, loads: tuple[Load, Load], seconds: float) -> Cost:
    warm, measured = loads
    _driven(site, name, warm, seconds)
    return _driven(site, name, measured, seconds)


def _driven(site: Site, name: str, load: Load, seconds: float) -> Cost:
    """For so many seconds, and longer where that is too few requests to tell what one of them costs."""
    there, count = sum(map(len, load.streams)), 0
    with Driver(load) as driver:
        server, postgres = site.server_seconds(), site.postgres_seconds()
        for _ in range(_ROUNDS):
            count += len(accepted(driver.run(seconds), name).latencies)
            if count >= min(there, _LEAST):
                break
        server, postgres = site.server_seconds() - server, site.postgres_seconds() - postgres
    return Cost(requests=count, server_us=server / count * 1e6, postgres_us=postgres / count * 1e6)


def _load(port: int, numbers: Sequence[int], write: Callable[[int], Sequence[bytes]]) -> Load:
    """Every connection has sessions of its own."""
    shares = [numbers[place::_CONNECTIONS] for place in range(min(_CONNECTIONS, len(numbers)))]
    streams = [[request for number in share for request in write(number)] for share in shares]
    return Load(host=HOST, port=port, streams=streams)


def _timed(what: str, add: Callable[[], None]) -> None:
    started = time.perf_counter()
    add()
    click.echo(f"Added: {what}, in {time.perf_counter() - started:.1f} s")


def _told(name: str, before: Cost, after: Cost) -> str:
    pairs = [
        (before.requests, after.requests),
        (before.server_us, after.server_us),
        (before.postgres_us, after.postgres_us),
        (before.total, after.total),
    ]
    columns = [f"{small:,.0f} / {large:,.0f}" for small, large in pairs]
    return (
        f"{name:16}{columns[0]:>18}"
        + "".join(f"{each:>13}" for each in columns[1:])
        + (f"{after.total / before.total:9.1f}")
    )


if __name__ == "__main__":
    main()
