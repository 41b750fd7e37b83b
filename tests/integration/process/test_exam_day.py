"""An exam day in short: nothing that was acknowledged is lost, and a build that loses something is found out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.exam_day.broken import DEFECTS
from tests.exam_day.day import Plan, hold
from tests.exam_day.site import installed

_SHORT = Plan(candidates=200, rounds=("server", "database"), round_seconds=6.0, pause_seconds=1.0, answer_within=15.0)
_GLANCE = Plan(candidates=12, rounds=("nothing",), round_seconds=2.0, pause_seconds=0.05, disappear=0.25)


def test_two_hundred_candidates_lose_nothing_while_server_and_database_are_killed(ground: Path) -> None:
    with installed(ground / "exam-day") as site:
        day = asyncio.run(hold(site, _SHORT))
    assert day.complaints == [], "\n".join(day.told())


_CONDEMNED_FOR = {
    "acknowledge-before-commit": "acknowledged",
    "forget-quick-statements": "acknowledged",
    "grade-twice": "it has the grades [1, 2]",
}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_broken_build_is_condemned(defect: str, ground: Path) -> None:
    with installed(ground / f"broken-{defect}"[:20], defect) as site:
        day = asyncio.run(hold(site, _GLANCE))
    assert any(_CONDEMNED_FOR[defect] in complaint for complaint in day.complaints), "\n".join(day.told())
