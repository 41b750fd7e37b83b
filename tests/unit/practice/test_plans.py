"""What a session begins with: its paper, and the order of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.practice.judging import FeedbackMode
from domain.practice.paper import DrawnQuestion, arranged, begin
from domain.practice.plans import PracticePlan, Source, TemplateReference, refuse_unsound
from domain.practice.refusals import NoQuestions
from domain.practice.sessions import PracticeStatus
from domain.question_bank.ordering import choice_order
from domain.question_bank.scoring import STANDARD, ScoringPolicy
from domain.question_bank.seeds import draw_start
from tests.support.practice_builders import PACKAGE, START, Offer, offers


def drawn(*offers: Offer) -> list[DrawnQuestion]:
    return [DrawnQuestion(question=offer.public, topic_id=offer.topic_id) for offer in offers]


session_ids = st.integers(0, 10**9).map(lambda number: f"prs_{number}")


@given(session_ids, st.permutations(drawn(*offers(8))))
def test_the_order_follows_from_the_session_and_not_from_the_draw(
    session_id: str, shuffled: list[DrawnQuestion]
) -> None:
    plain = drawn(*offers(8))
    assert arranged(session_id, shuffled) == arranged(session_id, plain)
    assert sorted(each.question.question_id for each in arranged(session_id, plain)) == [
        each.question.question_id for each in plain
    ]


@given(session_ids)
def test_choices_are_shuffled_within_their_question_only(session_id: str) -> None:
    question = Offer(id="qst_1").public
    assert sorted(choice_order(session_id, question)) == ["A", "B", "C", "D"]
    assert choice_order(session_id, question) == choice_order(session_id, question)


def test_every_choice_comes_first_about_as_often_as_any_other() -> None:
    question = Offer(id="qst_1").public
    first = Counter(choice_order(f"prs_{number}", question)[0] for number in range(2000))
    assert all(400 < first[letter] < 600 for letter in "ABCD")


def test_two_questions_of_a_session_are_shuffled_differently() -> None:
    orders = {choice_order("prs_1", offer.public) for offer in offers(30)}
    assert len(orders) > 10


@given(session_ids)
def test_a_draw_starts_on_the_circle(session_id: str) -> None:
    assert 0 <= draw_start(session_id) < 1


def test_draws_start_all_around_the_circle() -> None:
    quarters = Counter(int(draw_start(f"prs_{number}") * 4) for number in range(2000))
    assert all(400 < quarters[quarter] < 600 for quarter in range(4))


def test_a_session_begins_with_what_was_drawn() -> None:
    plan = PracticePlan(exam_package_id=PACKAGE, count=5, feedback=FeedbackMode.DEFERRED, time_limit_seconds=600)
    questions = drawn(Offer(id="qst_1", points=Decimal("2.5"), topic_id="top_risk"), Offer(id="qst_2"))
    paper = begin(plan, "prs_1", "usr_ada", questions, START)
    assert (paper.session.requested, paper.session.served) == (5, 2)
    assert (paper.session.status, paper.session.feedback) == (PracticeStatus.ACTIVE, FeedbackMode.DEFERRED)
    assert paper.session.deadline == START + timedelta(seconds=600)
    assert [slot.slot for slot in paper.slots] == [1, 2]
    assert [slot.question_id for slot in paper.slots] == [question.question_id for question in paper.questions]
    assert {slot.question_id: (slot.max_mark, slot.topic_id) for slot in paper.slots} == {
        "qst_1": (Decimal("2.5"), "top_risk"),
        "qst_2": (Decimal(1), None),
    }


def test_a_session_keeps_what_it_was_begun_with() -> None:
    template, strict = TemplateReference(id="tpl_1", version=3), ScoringPolicy(penalty=Decimal("0.25"))
    plan = PracticePlan(exam_package_id=PACKAGE, source=Source.UNSEEN, certainty=True, policy=strict, template=template)
    kept = begin(plan, "prs_1", "usr_ada", drawn(Offer(id="qst_1")), START, policy=STANDARD).session
    assert (kept.source, kept.certainty, kept.policy) == (Source.UNSEEN, True, strict)
    assert (kept.template_id, kept.template_version) == ("tpl_1", 3)


def test_a_plan_without_rules_of_marking_takes_those_of_the_package() -> None:
    strict = ScoringPolicy(penalty=Decimal("0.25"))
    paper = begin(PracticePlan(exam_package_id=PACKAGE), "prs_1", "usr_ada", drawn(*offers(1)), START, policy=strict)
    assert paper.session.policy == strict
    assert (paper.session.template_id, paper.session.template_version) == (None, None)


def test_a_session_without_questions_is_refused() -> None:
    with pytest.raises(NoQuestions):
        begin(PracticePlan(exam_package_id=PACKAGE), "prs_1", "usr_ada", [], START)


@pytest.mark.parametrize(
    ("plan", "pointer"),
    [
        (PracticePlan(exam_package_id=PACKAGE, count=0), "/count"),
        (PracticePlan(exam_package_id=PACKAGE, count=201), "/count"),
        (PracticePlan(exam_package_id=PACKAGE, topic_ids=("top_1",) * 51), "/topicIds"),
        (PracticePlan(exam_package_id=PACKAGE, difficulty_ids=("dif_1",) * 51), "/difficultyIds"),
        (PracticePlan(exam_package_id=PACKAGE, time_limit_seconds=0), "/timeLimitSeconds"),
        (PracticePlan(exam_package_id=PACKAGE, time_limit_seconds=86_401), "/timeLimitSeconds"),
    ],
)
def test_a_plan_out_of_bounds_is_refused_by_field(plan: PracticePlan, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        refuse_unsound(plan)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]


@pytest.mark.parametrize("count", [1, 200])
def test_a_plan_within_bounds_is_sound(count: int) -> None:
    refuse_unsound(PracticePlan(exam_package_id=PACKAGE, count=count, time_limit_seconds=86_400))
