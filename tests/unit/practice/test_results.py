"""What may be told about a session, and its numbers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.practice.views import SessionView
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import ExamUnderWay, ReviewNotAvailable
from domain.practice.results import SlotResult, may_review, refuse_during_exam, refuse_early_review, summarise
from domain.practice.sessions import PracticeSession, PracticeStatus
from domain.question_bank.certainty import Certainty, Judgement
from tests.support.practice_builders import START, session

DEFERRED = FeedbackMode.DEFERRED
ACTIVE, OVER = session(), session(status=PracticeStatus.FINISHED, finished_at=START)
SILENT = session(feedback=DEFERRED)
SPOKEN = session(feedback=DEFERRED, status=PracticeStatus.FINISHED, finished_at=START)
VOID = session(feedback=DEFERRED, status=PracticeStatus.INVALIDATED, finished_at=START)
SURE, LATER = session(certainty=True), session(certainty=True, feedback=DEFERRED)


def result(topic: str | None, mark: str | None, *, points: str = "1", seconds: int = 10) -> SlotResult:
    return SlotResult(
        topic_id=topic,
        topic_name=topic and topic.title(),
        max_mark=Decimal(points),
        mark=None if mark is None else Decimal(mark),
        correct=None if mark is None else mark == points,
        time_spent_seconds=seconds,
    )


def test_while_an_exam_asks_one_of_its_questions_a_session_tells_no_result() -> None:
    """Whatever it may tell otherwise; and no fact of the exam is told with the refusal."""
    for told in (ACTIVE, OVER, SPOKEN):
        assert SessionView.of(told, START).correct_count is not None
        assert SessionView.of(told, START, under_exam=True).correct_count is None
    refuse_during_exam(False)
    with pytest.raises(ExamUnderWay) as refusal:
        refuse_during_exam(True)
    assert refusal.value.facts == {}


def test_a_deferred_session_is_reviewed_when_it_is_over() -> None:
    for closed in (SILENT, VOID):
        with pytest.raises(ReviewNotAvailable):
            refuse_early_review(closed)
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
        (VOID, True, False),
        (VOID, False, False),
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


def test_a_session_without_answers_stands_at_nothing_out_of_nothing() -> None:
    overall = summarise(ACTIVE, [result(None, None)]).overall
    assert (overall.answered, overall.correct) == (0, 0)
    assert (overall.mark, overall.max_mark, overall.percent) == (Decimal(0), Decimal(0), None)
    sure = summarise(SURE, [result(None, None)]).overall
    assert (sure.certainty_mark, sure.certainty_max_mark) == (Decimal(0), Decimal(0))


def test_a_deferred_session_counts_without_judging_until_it_is_over() -> None:
    early = summarise(SILENT, [result("risk", "1"), result("risk", "0")])
    for tally in (early.overall, early.topics[0].tally):
        assert (tally.answered, tally.correct, tally.mark, tally.percent) == (2, None, None, None)
    assert summarise(SPOKEN, [result("risk", "1"), result("risk", "0")]).overall.percent == 50


def surely(certainty: Certainty | None, mark: str, earned: str, points: str = "1") -> SlotResult:
    return replace(result("risk", mark, points=points), certainty=certainty, certainty_mark=Decimal(earned))


def test_certainty_adds_up_and_is_held_against_what_was_right() -> None:
    """Three were said to be certain, of which two are right: that is too sure."""
    given = [surely(Certainty.HIGH, "1", "3"), surely(Certainty.HIGH, "1", "3"), surely(Certainty.HIGH, "0", "-6")]
    given += [surely(None, "1", "1", points="2"), result("risk", None)]
    summary = summarise(SURE, given)
    assert summary.overall.certainty_mark == summary.topics[0].tally.certainty_mark == Decimal(1)
    assert summary.calibration is not None
    low, mid, high = summary.calibration
    assert (high.answered, high.right, high.right_share) == (3, 2, Fraction(2, 3))
    assert high.judgement is Judgement.OVERCONFIDENT
    assert (low.answered, low.right_share, mid.answered) == (1, Fraction(1, 2), 0)


def test_certainty_is_told_where_it_was_asked_for_and_when_it_may_be() -> None:
    given = [surely(Certainty.MID, "1", "2")]
    for silent in (ACTIVE, LATER):
        early = summarise(silent, given)
        assert (early.overall.certainty_mark, early.topics[0].tally.certainty_mark, early.calibration) == (None,) * 3
    assert summarise(ACTIVE, given).overall.certainty_max_mark is None
    late = summarise(replace(LATER, status=PracticeStatus.FINISHED, finished_at=START), given)
    assert late.overall.certainty_mark == Decimal(2)
    assert late.calibration is not None


def test_an_answer_for_no_marks_earns_no_share_of_them() -> None:
    summary = summarise(SURE, [surely(Certainty.LOW, "0", "0", points="0")])
    assert summary.calibration is not None
    assert summary.calibration[0].right_share == 0


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([None, "0", "0.5", "1"]))))
def test_topics_add_up_to_the_whole(slots: list[tuple[str | None, str | None]]) -> None:
    summary = summarise(ACTIVE, [result(topic, mark) for topic, mark in slots])
    tallies = [topic.tally for topic in summary.topics]
    assert sum(tally.served for tally in tallies) == summary.overall.served == len(slots)
    assert sum(tally.answered for tally in tallies) == summary.overall.answered
    assert sum((tally.mark or Decimal(0) for tally in tallies), Decimal(0)) == summary.overall.mark
    assert (summary.overall.percent is None) == (summary.overall.answered == 0)
    assert 0 <= (summary.overall.percent or 0) <= 100


MARKS = st.integers(-24, 4).map(lambda quarters: Decimal(quarters) / 4)
GIVEN = st.tuples(st.sampled_from(["a", "b", None]), MARKS, MARKS).map(
    lambda said: replace(result(said[0], "0"), mark=said[1], certainty_mark=said[2])
)


@given(st.lists(GIVEN))
def test_no_total_is_below_zero_and_losses_are_forgiven_at_the_end_only(slots: list[SlotResult]) -> None:
    """In all and of each topic, by certainty as well: what is lost on one question is taken from what others earned."""
    summary = summarise(SURE, slots)
    groups = [(summary.overall, slots)]
    groups += [(topic.tally, [each for each in slots if each.topic_id == topic.topic_id]) for topic in summary.topics]
    for tally, members in groups:
        assert tally.mark == max(Decimal(0), sum((each.mark or Decimal(0) for each in members), Decimal(0)))
        by_certainty = sum((each.certainty_mark or Decimal(0) for each in members), Decimal(0))
        assert tally.certainty_mark == max(Decimal(0), by_certainty)
        assert tally.certainty_max_mark == 3 * len(members)
        assert tally.percent is None or 0 <= tally.percent <= 100
