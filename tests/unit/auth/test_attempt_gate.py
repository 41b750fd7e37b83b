"""Waiting for attempts that are under way: in turn, not in vain, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.system.attempt_gate import LinesOfAttempts
from application.request_context import RequestContext, request_context
from domain.auth.guessing import Judgement
from domain.auth.sessions import Busy
from domain.auth.throttling import Admission, Attempts
from tests.support.auth_builders import NOW

ADMITTED = Judgement(admission=Admission.ADMITTED, by=Attempts.none("a", NOW), at=NOW)
UNDECIDED = Judgement(admission=Admission.UNDECIDED, by=Attempts.none("a", NOW), at=NOW)
ELSEWHERE = Judgement(admission=Admission.UNDECIDED, by=Attempts.none("b", NOW), at=NOW)
NEVER = 1_000.0


def answering(*judgements: Judgement, asked: list[int] | None = None) -> Callable[[], Awaitable[Judgement]]:
    left, notes = list(judgements), asked if asked is not None else []

    async def ask() -> Judgement:
        notes.append(len(left))
        return left.pop(0)

    return ask


async def until(condition: Callable[[], bool]) -> None:
    """Lets the others go on until it holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
async def in_a_request() -> AsyncIterator[None]:
    """The request must be answered at second 100. Asynchronous, so that it is set where the test runs."""
    token = request_context.set(RequestContext(answer_by=100.0))
    yield
    request_context.reset(token)


async def test_whoever_is_first_in_line_asks_again_when_an_attempt_is_settled_here() -> None:
    gate, asked = LinesOfAttempts(ask_again_seconds=NEVER), list[int]()
    waiting = asyncio.create_task(gate.ask_in_turn("a", answering(UNDECIDED, UNDECIDED, ADMITTED, asked=asked)))
    await until(lambda: len(asked) == 1)
    gate.settled(["other", "a"])
    await until(lambda: len(asked) == 2)
    assert gate.waiting == 1
    gate.settled(["other", "a"])
    async with asyncio.timeout(30):
        assert await waiting == ADMITTED
    assert gate.waiting == 0


async def test_those_behind_ask_nothing_and_come_one_after_the_other() -> None:
    gate, order = LinesOfAttempts(ask_again_seconds=NEVER), list[int]()

    async def come(number: int) -> None:
        async def ask() -> Judgement:
            order.append(number)
            return UNDECIDED if order == [0] else ADMITTED

        await gate.ask_in_turn("a", ask)

    line = [asyncio.create_task(come(number)) for number in range(5)]
    await until(lambda: gate.waiting == 5)
    assert order == [0]
    gate.settled(["a"])
    async with asyncio.timeout(30):
        await asyncio.gather(*line)
    assert order == [0, 0, 1, 2, 3, 4]


async def test_what_is_settled_while_one_asks_is_not_missed() -> None:
    gate = LinesOfAttempts(ask_again_seconds=NEVER)
    judgements = [UNDECIDED, ADMITTED]

    async def ask() -> Judgement:
        gate.settled(["a"])
        return judgements.pop(0)

    async with asyncio.timeout(30):
        assert await gate.ask_in_turn("a", ask) == ADMITTED


async def test_what_is_settled_elsewhere_is_noticed_by_asking_again() -> None:
    gate = LinesOfAttempts(ask_again_seconds=0.001)
    async with asyncio.timeout(30):
        assert await gate.ask_in_turn("a", answering(UNDECIDED, UNDECIDED, ADMITTED)) == ADMITTED


async def test_who_has_to_wait_for_another_counter_leaves_the_line() -> None:
    assert await LinesOfAttempts(ask_again_seconds=NEVER).ask_in_turn("a", answering(ELSEWHERE)) == ELSEWHERE


@pytest.mark.usefixtures("in_a_request")
async def test_nobody_waits_longer_than_the_request_may_take() -> None:
    """Two seconds before its end the first in line gives up, and those behind do so without having asked."""
    gate, asked = LinesOfAttempts(ask_again_seconds=0.001, clock=lambda: 97.98), list[int]()
    first = asyncio.create_task(gate.ask_in_turn("a", answering(*[UNDECIDED] * 3, ADMITTED)))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refusal:
        await LinesOfAttempts(ask_again_seconds=0.001, clock=lambda: 98.0).ask_in_turn("a", answering(UNDECIDED))
    assert refusal.value.retry_after_seconds == 2
    assert await first == ADMITTED
    held = asyncio.create_task(gate.ask_in_turn("a", answering(*[UNDECIDED] * 100)))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await gate.ask_in_turn("a", answering(ADMITTED, asked=asked))
    assert asked == []
    held.cancel()
    await asyncio.wait([held])
    assert gate.waiting == 0
