"""Laws of grades: bounds, exact sums, order, and grading again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.exam.grading import Grade, come_to, grade
from domain.exam.papers import GradedSlot
from domain.exam.results import Score
from domain.exam.sessions import ExamRules, ExamSession, ExamStatus
from domain.exam.voiding import Void
from domain.question_bank.certainty import HIGHEST_FACTOR, Certainty
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.scoring import ScoringPolicy
from tests.support import exam_grading
from tests.support.exam_builders import START, exam_slots, later
from tests.support.exam_grading import handed_in
from tests.support.practice_builders import EVERY_KIND, Offer

ZERO = Decimal(0)


@st.composite
def graded(draw: st.DrawFn) -> tuple[ExamSession, tuple[GradedSlot, ...], tuple[Void, ...], Grade]:
    session, paper = handed_in(draw(exam_grading.exam_rules())), draw(exam_grading.papers())
    voids = draw(exam_grading.voids(paper))
    return session, paper, voids, grade(session, paper, voids, START)


@given(graded())
def test_the_score_is_the_sum_of_the_marks_unless_it_is_raised_to_nothing(
    made: tuple[ExamSession, Sequence[GradedSlot], Sequence[Void], Grade],
) -> None:
    session, _, _, given_ = made
    of = "certainty_mark" if session.rules.cbm_official else "mark"
    summed = sum((Fraction(getattr(each, of)) for each in given_.marks), Fraction(0))
    floored = summed if session.rules.allow_negative_total else max(summed, Fraction(0))
    assert Fraction(given_.mark) == floored
    factor = HIGHEST_FACTOR if session.rules.cbm_official else 1
    assert given_.max_mark == sum((each.max_mark for each in given_.marks), ZERO) * factor


@given(graded())
def test_no_score_leaves_its_bounds_and_no_percentage_leaves_0_to_100_whatever_is_dropped(
    made: tuple[ExamSession, Sequence[GradedSlot], Sequence[Void], Grade],
) -> None:
    session, _, _, given_ = made
    lowest = -6 if session.rules.cbm_official else -1
    worth = sum((each.max_mark for each in given_.marks), ZERO)
    assert lowest * worth <= given_.mark <= given_.max_mark
    for each in given_.marks:
        assert -each.max_mark <= each.mark <= each.max_mark
        if each.certainty_mark is not None:
            assert -6 * each.max_mark <= each.certainty_mark <= HIGHEST_FACTOR * each.max_mark
    score = Score(mark=given_.mark, max_mark=given_.max_mark, passed=given_.passed)
    assert 0 <= score.percent <= 100
    exact = 100 * Fraction(given_.mark) / Fraction(given_.max_mark) if given_.max_mark else Fraction(0)
    assert given_.passed is (exact >= Fraction(session.rules.pass_mark))


@given(graded(), st.randoms(use_true_random=False))
def test_in_which_order_slots_and_voids_stand_changes_no_grade(
    made: tuple[ExamSession, Sequence[GradedSlot], Sequence[Void], Grade], random: object
) -> None:
    session, paper, voids, given_ = made
    slots, others = list(paper), list(voids)
    random.shuffle(slots)  # type: ignore[attr-defined]
    random.shuffle(others)  # type: ignore[attr-defined]
    shuffled = grade(session, slots, others, START)
    marks = tuple(sorted(shuffled.marks, key=lambda each: each.slot))
    assert replace(shuffled, marks=marks) == given_


@given(graded())
def test_grading_again_by_the_same_keys_is_the_next_revision_and_says_the_same(
    made: tuple[ExamSession, Sequence[GradedSlot], Sequence[Void], Grade],
) -> None:
    session, paper, voids, given_ = made
    kept = replace(session, status=ExamStatus.FINISHED, grade_revision=1, mark=given_.mark, max_mark=given_.max_mark)
    again = grade(kept, paper, voids, later(days=1))
    assert replace(again, revision=1, graded_at=START) == given_
    assert again.revision == 2


@given(graded())
def test_a_blank_answer_earns_nothing_and_is_neither_right_nor_wrong(
    made: tuple[ExamSession, Sequence[GradedSlot], Sequence[Void], Grade],
) -> None:
    session, paper, _, _ = made
    blank = [replace(each, slot=replace(each.slot, response=None)) for each in paper]
    given_ = grade(session, blank, (), START)
    assert all((each.mark, each.correct, each.answered) == (ZERO, None, False) for each in given_.marks)
    assert given_.mark == ZERO
    assert {each.certainty_mark for each in given_.marks} == {ZERO if session.rules.certainty else None}


def slot_of(offer: Offer, response: Response | None, **changes: object) -> GradedSlot:
    (slot,) = exam_slots(handed_in(), [offer])
    return GradedSlot(slot=replace(slot, response=response, **changes), question=offer.keyed)  # type: ignore[arg-type]


def test_an_exam_is_passed_at_its_pass_mark_to_the_last_millionth() -> None:
    third = KeyedQuestion(
        kind=QuestionKind.SINGLE,
        choice_ids=("A", "B"),
        key=AnswerKey(correct=("A",), weights={"A": Decimal("0.333333"), "B": ZERO}),
    )
    slot = replace(slot_of(EVERY_KIND[0], Response.choosing("A")), question=third)
    for pass_mark, passed in (("33.3333", True), ("33.33330001", False)):
        session = handed_in(ExamRules(pass_mark=Decimal(pass_mark)))
        assert grade(session, [slot], (), START).passed is passed


def test_penalties_are_what_the_paper_said_when_the_exam_began_and_the_total_is_floored_unless_it_says_otherwise() -> (
    None
):
    slot = slot_of(EVERY_KIND[0], Response.choosing("A"))
    rules = ExamRules(scoring=ScoringPolicy(penalty=Decimal("0.5")))
    floored = grade(handed_in(rules), [slot], (), START)
    assert (floored.mark, floored.marks[0].mark) == (ZERO, Decimal("-0.5"))
    below = grade(handed_in(replace(rules, allow_negative_total=True)), [slot], (), START)
    assert below.mark == Decimal("-0.5")
    assert Score(mark=below.mark, max_mark=below.max_mark, passed=below.passed).percent == 0


def test_the_mark_by_certainty_counts_where_the_paper_says_so_out_of_three_times_the_full_mark() -> None:
    sure = slot_of(EVERY_KIND[0], Response.choosing("B"), certainty=Certainty.HIGH)
    unsure = slot_of(EVERY_KIND[0], Response.choosing("B"), certainty=None)
    rules = ExamRules(certainty=True, cbm_official=True, pass_mark=Decimal(60))
    given_ = grade(handed_in(rules), [sure, unsure], (), START)
    assert (given_.mark, given_.max_mark, given_.certainty_mark, given_.passed) == (
        Decimal(4),
        Decimal(6),
        Decimal(4),
        True,
    )
    beside = grade(handed_in(replace(rules, cbm_official=False)), [sure, unsure], (), START)
    assert (beside.mark, beside.max_mark, beside.certainty_mark) == (Decimal(2), Decimal(2), Decimal(4))


def test_the_marks_of_a_grade_come_to_its_totals() -> None:
    session = handed_in()
    given_ = grade(session, [slot_of(each, None) for each in EVERY_KIND], (), START)
    assert come_to(session, reversed(given_.marks)).max_mark == given_.max_mark == 8
