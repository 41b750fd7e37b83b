"""Conversations about statistics: who waits for what, and for how long an answer holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.exam import statistics
from application.exam.ports.statistics import SampledPackage
from application.exam.statistics import Computed, ReadStatistics, StatisticsMemory, StatisticsNotReady
from application.request_context import RequestContext, request_context
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import PackageNotFound
from domain.exam.item_report import Report
from domain.exam.sampling import AttemptRule
from tests.support.exam_samples import NOW, SampledExams

STAFF = Actor(user_id="usr_staff", role=Role.INSTRUCTOR, session_id="ses_staff")
FIRST = AttemptRule.FIRST


@pytest.fixture
def papers() -> SampledExams:
    return SampledExams()


@pytest.fixture
def read(papers: SampledExams) -> ReadStatistics:
    return ReadStatistics(reader=papers, memory=StatisticsMemory(), patience_seconds=5)


async def test_staff_are_told_of_a_package_and_of_the_questions_that_they_may_see(read: ReadStatistics) -> None:
    found = await read(STAFF, "pkg_1", FIRST)
    assert (found.exam_package_id, found.title, found.rule, found.finished) == ("pkg_1", "Sums", FIRST, 12)
    assert (found.report.attempts, found.complete, found.computed_at) == (12, True, NOW)
    assert [item.question_id for item in found.report.items] == ["qst_a", "qst_b"]
    assert list(found.labels) == ["qst_a"]


async def test_a_package_that_there_is_not(read: ReadStatistics) -> None:
    with pytest.raises(PackageNotFound):
        await read(STAFF, "nothing", FIRST)


async def test_of_an_exam_that_nobody_has_sat_nothing_is_told(papers: SampledExams, read: ReadStatistics) -> None:
    papers.count = 0
    found = await read(STAFF, "pkg_1", FIRST)
    assert (found.report, found.labels) == (Report(attempts=0), {})


async def test_what_was_computed_holds_for_a_quarter_of_an_hour(papers: SampledExams, read: ReadStatistics) -> None:
    await read(STAFF, "pkg_1", FIRST)
    papers.now = NOW + timedelta(minutes=14, seconds=59)
    assert (await read(STAFF, "pkg_1", FIRST)).computed_at == NOW
    papers.now = NOW + timedelta(minutes=15)
    assert (await read(STAFF, "pkg_1", FIRST)).computed_at == papers.now
    assert len(papers.asked) == 2


@pytest.mark.parametrize("change", [{"changed_at": NOW + timedelta(seconds=1)}, {"count": 13}])
async def test_a_new_grade_is_told_at_once(
    papers: SampledExams, read: ReadStatistics, change: dict[str, object]
) -> None:
    await read(STAFF, "pkg_1", FIRST)
    for name, value in change.items():
        setattr(papers, name, value)
    papers.now = NOW + timedelta(seconds=2)
    assert (await read(STAFF, "pkg_1", FIRST)).computed_at == papers.now


@pytest.mark.parametrize(
    ("seconds", "age", "holds"),
    [
        (0.4, 0, False),
        (0.5, 29, True),
        (0.5, 30, False),
        (4, 239, True),
        (4, 240, False),
        (60, 899, True),
        (60, 900, False),
    ],
)
def test_what_takes_long_rests_for_a_while_whatever_changes(seconds: float, age: int, holds: bool) -> None:
    package = SampledPackage(id="pkg_1", title="", draws=False, finished=10, changed_at=NOW, now=NOW)
    found = Computed(package=package, report=Report(attempts=10), complete=True, seconds=seconds)
    assert found.still_holds(replace(package, finished=11, now=NOW + timedelta(seconds=age))) is holds


async def test_each_rule_and_package_is_computed_by_itself(papers: SampledExams, read: ReadStatistics) -> None:
    for name, rule in (("pkg_1", FIRST), ("pkg_1", AttemptRule.ALL), ("pkg_2", FIRST), ("pkg_1", FIRST)):
        await read(STAFF, name, rule)
    assert papers.asked == [FIRST, AttemptRule.ALL, FIRST]


async def test_those_who_ask_at_once_wait_for_one_computation(papers: SampledExams, read: ReadStatistics) -> None:
    papers.gate = asyncio.Event()
    waiting = [asyncio.create_task(read(STAFF, "pkg_1", FIRST)) for _ in range(5)]
    await asyncio.sleep(0)
    papers.gate.set()
    assert len({id((await each).report) for each in waiting}) == 1
    assert papers.asked == [FIRST]


async def test_computations_take_turns_and_not_many_wait(papers: SampledExams, read: ReadStatistics) -> None:
    papers.gate = asyncio.Event()
    waiting = [asyncio.create_task(read(STAFF, f"pkg_{n}", FIRST)) for n in range(4)]
    for _ in range(5):
        await asyncio.sleep(0)
    with pytest.raises(StatisticsNotReady) as refused:
        await read(STAFF, "pkg_9", FIRST)
    assert refused.value.retry_after_seconds
    papers.gate.set()
    await asyncio.gather(*waiting)
    assert papers.most_at_work == 1
    await read(STAFF, "pkg_9", FIRST)


async def test_whoever_waits_too_long_comes_back_and_finds_it(papers: SampledExams, read: ReadStatistics) -> None:
    papers.gate = asyncio.Event()
    impatient = replace(read, patience_seconds=0)
    with pytest.raises(StatisticsNotReady):
        await impatient(STAFF, "pkg_1", FIRST)
    papers.gate.set()
    assert (await read(STAFF, "pkg_1", FIRST)).report.attempts == 12
    assert (await impatient(STAFF, "pkg_1", FIRST)).report.attempts == 12
    assert papers.asked == [FIRST]


async def test_a_computation_is_not_bound_to_the_time_of_whoever_asked_first(
    papers: SampledExams, read: ReadStatistics
) -> None:
    token = request_context.set(RequestContext(request_id="req_1", answer_by=1.0))
    try:
        await read(STAFF, "pkg_1", FIRST)
    finally:
        request_context.reset(token)
    assert papers.contexts == [RequestContext()]


async def test_what_fails_is_told_and_tried_again(papers: SampledExams, read: ReadStatistics) -> None:
    papers.fault = RuntimeError("gone")
    with pytest.raises(RuntimeError, match="gone"):
        await read(STAFF, "pkg_1", FIRST)
    papers.fault = None
    assert (await read(STAFF, "pkg_1", FIRST)).report.attempts == 12
    assert not read.memory.running


async def test_little_is_remembered(read: ReadStatistics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_MOST_ENTRIES", 2)
    for n in range(4):
        await read(STAFF, f"pkg_{n}", FIRST)
    assert list(read.memory.entries) == [("pkg_2", FIRST), ("pkg_3", FIRST)]


async def test_of_very_many_attempts_the_latest_are_looked_at(
    papers: SampledExams, read: ReadStatistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MOST_ATTEMPTS", 11)
    found = await read(STAFF, "pkg_1", FIRST)
    assert (found.report.attempts, found.finished, found.complete) == (11, 12, False)


async def test_of_very_long_papers_fewer_attempts_are_looked_at(
    papers: SampledExams, read: ReadStatistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more pieces are read once there are so many marks."""
    papers.count = 450
    monkeypatch.setattr(statistics, "MOST_MARKS", 600)
    found = await read(STAFF, "pkg_1", FIRST)
    assert (found.report.attempts, found.complete) == (300, False)


async def test_a_computation_that_is_cut_off_is_begun_anew(papers: SampledExams, read: ReadStatistics) -> None:
    papers.gate = asyncio.Event()
    waiting = asyncio.create_task(read(STAFF, "pkg_1", FIRST))
    while not papers.asked:
        await asyncio.sleep(0)
    (task,) = read.memory.running.values()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    papers.gate.set()
    assert (await read(STAFF, "pkg_1", FIRST)).report.attempts == 12
