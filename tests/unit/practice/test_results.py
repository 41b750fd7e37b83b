"""What may be told about a session, and its numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.practice.refusals import ReviewNotAvailable
from domain.practice.results import SlotResult, may_review, refuse_early_review, summarise
from domain.practice.sessions import FeedbackMode, PracticeSession, PracticeStatus
from tests.support.practice_builders import START, session

DEFERRED = FeedbackMode.DEFERRED
ACTIVE, OVER = session(), session(status=PracticeStatus.FINISHED, finished_at=START)
SILENT = session(feedback=DEFERRED)
SPOKEN = session(feedback=DEFERRED, status=PracticeStatus.FINISHED, finished_at=START)


def result(topic: str | None, mark: str | None, *, points: str = "1", seconds: int = 10) -> SlotResult:
    return SlotResult(
        topic_id=topic,
        topic_name=topic and topic.title(),
        max_mark=Decimal(points),
        mark=None if mark is None else Decimal(mark),
        correct=None if mark is None else mark == points,
        time_spent_seconds=seconds,
    )


def test_a_deferred_session_is_reviewed_when_it_is_over() -> None:
    with pytest.raises(ReviewNotAvailable):
        refuse_early_review(SILENT)
    for open_session in (ACTIVE, OVER, SPOKEN):
        refuse_early_review(open_session)


@pytest.mark.parametrize(
    ("state", "answered", "shown"),
    [
        (ACTIVE, True, True),
        (ACTIVE, False, False),
        (OVER, True, True),
        (OVER, False, False),
        (SILENT, True, False),
        (SILENT, False, False),
        (SPOKEN, True, True),
        (SPOKEN, False, True),
    ],
)
def test_a_key_is_shown_for_an_answer_or_after_a_deferred_session(
    state: PracticeSession, answered: bool, shown: bool
) -> None:
    assert may_review(state, answered=answered) is shown


def test_the_summary_counts_what_was_answered_in_all_and_by_topic() -> None:
    results = [result("risk", "1"), result("crypto", "0"), result("crypto", "2", points="2"), result("risk", None)]
    summary = summarise(ACTIVE, results)
    overall = summary.overall
    assert (overall.served, overall.answered, overall.correct) == (4, 3, 2)
    assert (overall.mark, overall.max_mark, overall.percent) == (Decimal(3), Decimal(4), Decimal(75))
    assert overall.time_spent_seconds == 40
    assert [(topic.name, topic.tally.answered, topic.tally.percent) for topic in summary.topics] == [
        ("Crypto", 2, Decimal("66.67")),
        ("Risk", 1, 100),
    ]


def test_a_session_without_answers_stands_at_nothing() -> None:
    overall = summarise(ACTIVE, [result(None, None)]).overall
    assert (overall.answered, overall.correct) == (0, 0)
    assert (overall.mark, overall.max_mark, overall.percent) == (Decimal(0), Decimal(0), Decimal(0))


def test_a_deferred_session_counts_without_judging_until_it_is_over() -> None:
    early = summarise(SILENT, [result("risk", "1"), result("risk", "0")])
    for tally in (early.overall, early.topics[0].tally):
        assert (tally.answered, tally.correct, tally.mark, tally.percent) == (2, None, None, None)
    assert summarise(SPOKEN, [result("risk", "1"), result("risk", "0")]).overall.percent == 50


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([None, "0", "0.5", "1"]))))
def test_topics_add_up_to_the_whole(slots: list[tuple[str | None, str | None]]) -> None:
    summary = summarise(ACTIVE, [result(topic, mark) for topic, mark in slots])
    tallies = [topic.tally for topic in summary.topics]
    assert sum(tally.served for tally in tallies) == summary.overall.served == len(slots)
    assert sum(tally.answered for tally in tallies) == summary.overall.answered
    assert sum((tally.mark or Decimal(0) for tally in tallies), Decimal(0)) == summary.overall.mark
    assert summary.overall.percent is not None
    assert 0 <= summary.overall.percent <= 100
