"""A candidate of an exam day tells of whatever is not as it must be."""

from __future__ import annotations

import asyncio
import math
import random

import httpx
import pytest

from tests.exam_day.candidate import Candidate
from tests.exam_day.ledger import Ledger, Tally


def _nobody(code: str) -> httpx.MockTransport:
    """A server that lets nobody in, and says why."""
    return httpx.MockTransport(lambda _: httpx.Response(409, json={"code": code}))


@pytest.mark.parametrize("code", ["exam.not_active", "exam.already_submitted", "exam.attempts_used_up"])
async def test_a_day_on_which_nobody_is_let_in_is_condemned(code: str) -> None:
    """Whatever the reason is called, and however often each start was sent."""
    tally, stop = Tally(), asyncio.Event()
    stop.set()
    async with httpx.AsyncClient(transport=_nobody(code), base_url="http://exam") as client:
        for number in range(30):
            candidate = Candidate(
                client=client,
                ledger=Ledger(number=number, headers={}, user_id=f"usr_{number}"),
                tally=tally,
                chance=random.Random(number),
                pause_seconds=0.0,
            )
            await candidate.start("pkg_1")
            await candidate.sit(stop)
            await candidate.submit()
            await candidate.look()

    complaining = {told.partition(":")[0].removesuffix(" was not let in") for told in tally.complaints}
    assert {f"candidate {number}" for number in range(30)} <= complaining


def test_an_answer_is_late_by_its_request_and_by_the_server_that_is_there() -> None:
    tally = Tally()
    tally.took("before the kill", 1.0, 4.0)
    assert tally.slowest_seconds == 3.0
    tally.served_since = math.inf
    tally.took("while it is started", 10.0, 29.0)
    assert tally.slowest_seconds == 3.0
    tally.served_since = 30.0
    tally.took("taken in while it was started", 20.0, 38.0)
    assert tally.slowest_seconds == 8.0
    tally.took("later", 40.0, 60.0)
    assert (tally.slowest_seconds, tally.slowest) == (20.0, "later")
