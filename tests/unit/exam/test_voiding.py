"""Laws of questions that are declared void: nobody loses by what is credited or accepted as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exam.grading import grade, slot_grade
from domain.exam.papers import GradedSlot
from domain.exam.refusals import VoidNotApplicable
from domain.exam.sessions import ExamRules
from domain.exam.voiding import VoidMode, counting, refuse_inapplicable, voids_of, widened
from domain.question_bank.certainty import Certainty
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.scoring import MultiplePolicy, ScoringPolicy, score
from tests.support import exam_grading
from tests.support.exam_builders import START, exam_slots, later
from tests.support.exam_grading import LETTERS, handed_in, void_of
from tests.support.practice_builders import EVERY_KIND, NUMBER, Offer

SINGLE, MULTIPLE = EVERY_KIND[0], EVERY_KIND[1]
ZERO, ONE = Decimal(0), Decimal(1)


def slot_of(offer: Offer, response: Response | None, **changes: object) -> GradedSlot:
    (slot,) = exam_slots(handed_in(), [offer])
    return GradedSlot(slot=replace(slot, response=response, **changes), question=offer.keyed)  # type: ignore[arg-type]


def subsets(letters: str) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(letters, size) for size in range(len(letters) + 1)))


@given(st.data())
def test_crediting_and_accepting_take_nothing_from_anybody(data: st.DataObject) -> None:
    rules, slot = data.draw(exam_grading.exam_rules()), data.draw(exam_grading.graded_slots(1))
    session = handed_in(rules)
    plain = slot_grade(session, slot, None)
    mode = data.draw(st.sampled_from([VoidMode.CREDIT_ALL, VoidMode.ACCEPT_ALSO]))
    accepted = data.draw(st.sets(st.sampled_from(LETTERS), min_size=1))
    void = slot_grade(session, slot, void_of(slot, mode, accepted))
    assert void.mark >= plain.mark
    assert void.max_mark == plain.max_mark
    if rules.certainty:
        assert void.certainty_mark is not None
        assert plain.certainty_mark is not None
        assert void.certainty_mark >= plain.certainty_mark
    assert void.answered is plain.answered


@pytest.mark.parametrize("policy", MultiplePolicy)
def test_of_several_choices_the_response_is_marked_by_the_best_key_that_the_accepted_ones_allow(
    policy: MultiplePolicy,
) -> None:
    """Every key, response and set of accepted choices, up to four options; of five, up to two accepted ones."""
    scoring = ScoringPolicy(multiple=policy, none_allowed=True)
    for size in (2, 3, 4, 5):
        letters = LETTERS[:size]
        for right, made, accepted in product(subsets(letters)[1:], subsets(letters), subsets(letters)[1:]):
            if size == 5 and len(accepted) > 2:
                continue
            question = KeyedQuestion(
                kind=QuestionKind.MULTIPLE, choice_ids=tuple(letters), key=AnswerKey(correct=right)
            )
            response = Response.choosing(made)
            slot = replace(slot_of(MULTIPLE, response), question=question)
            void = void_of(slot, VoidMode.ACCEPT_ALSO, set(accepted))
            got = score(widened(question, response, void), response, scoring)
            spare = "".join(choice for choice in accepted if choice not in right)
            keys = [AnswerKey(correct=(*right, *more)) for more in subsets(spare)]
            best = max(score(replace(question, key=key), response, scoring).fraction for key in keys)
            assert got.fraction == best
            assert got.correct is (set(made) - set(spare) == set(right))


def test_of_a_single_choice_every_accepted_one_is_fully_right_also_where_it_weighed_less() -> None:
    weighed = replace(SINGLE.keyed, key=AnswerKey(correct=("B",), weights={"B": Decimal(1), "C": Decimal("-0.25")}))
    for question in (SINGLE.keyed, weighed):
        for chosen, earned, correct in (("B", ONE, True), ("C", ONE, True), ("A", ZERO, False)):
            slot = replace(slot_of(SINGLE, Response.choosing(chosen)), question=question)
            void = slot_grade(handed_in(), slot, void_of(slot, VoidMode.ACCEPT_ALSO, {"C"}))
            assert (void.mark, void.correct, void.void) == (earned, correct, VoidMode.ACCEPT_ALSO)


@pytest.mark.parametrize(("made", "earned"), [("AC", 1), ("ABC", 1), ("AB", 0), ("B", 0), ("ACD", 0), ("ABCD", 0)])
def test_of_several_choices_an_accepted_one_may_be_made_or_not_beside_all_that_are_due(made: str, earned: int) -> None:
    slot = slot_of(MULTIPLE, Response.choosing(made))
    assert slot_grade(handed_in(), slot, void_of(slot, VoidMode.ACCEPT_ALSO, {"B"})).mark == earned


@given(st.data())
def test_what_is_dropped_is_out_of_the_mark_and_out_of_the_most(data: st.DataObject) -> None:
    session, paper = handed_in(data.draw(exam_grading.exam_rules())), data.draw(exam_grading.papers())
    dropped = data.draw(st.sampled_from(paper))
    given_ = grade(session, paper, [void_of(dropped, VoidMode.DROP)], START)
    without = grade(session, [each for each in paper if each is not dropped], (), START)
    zero = ZERO if session.rules.certainty else None
    (gone,) = [each for each in given_.marks if each.slot == dropped.slot.slot]
    assert (gone.mark, gone.max_mark, gone.certainty_mark, gone.correct, gone.void) == (
        ZERO,
        ZERO,
        zero,
        None,
        VoidMode.DROP,
    )
    assert (given_.mark, given_.max_mark, given_.passed) == (without.mark, without.max_mark, without.passed)


def test_where_everything_is_dropped_nothing_out_of_nothing_is_no_pass() -> None:
    slot = slot_of(SINGLE, Response.choosing("B"))
    given_ = grade(handed_in(), [slot], [void_of(slot, VoidMode.DROP)], START)
    assert (given_.mark, given_.max_mark, given_.passed) == (ZERO, ZERO, False)


@pytest.mark.parametrize("certainty", [None, *Certainty])
@pytest.mark.parametrize("made", [None, "A", "B"])
def test_what_is_credited_is_the_most_there_is_whoever_answered_and_however_sure(
    certainty: Certainty | None, made: str | None
) -> None:
    response = None if made is None else Response.choosing(made)
    slot = slot_of(SINGLE, response, certainty=certainty, max_mark=Decimal("1.5"))
    void = slot_grade(handed_in(ExamRules(certainty=True)), slot, void_of(slot, VoidMode.CREDIT_ALL))
    assert (void.mark, void.max_mark, void.certainty_mark, void.correct) == (
        Decimal("1.5"),
        Decimal("1.5"),
        Decimal("4.5"),
        None,
    )
    assert void.answered is (response is not None)


def test_the_latest_declaration_about_a_version_counts_and_takes_the_place_of_those_before() -> None:
    slot = slot_of(SINGLE, Response.choosing("A"))
    first = void_of(slot, VoidMode.DROP, number=1)
    second = void_of(slot, VoidMode.ACCEPT_ALSO, {"A"}, number=2)
    other = replace(first, id="vod_9", version=2, created_at=later(days=1))
    for voids in ([first, second, other], [other, second, first]):
        given_ = grade(handed_in(), [slot], voids, START)
        assert (given_.mark, given_.max_mark, given_.voids) == (ONE, ONE, (second.id,))
    asked = (slot.slot.question_id, slot.slot.version)
    assert counting([second, first])[asked] == second
    assert voids_of([first, other], [asked]) == (first.id,)


def test_a_void_of_another_version_or_question_touches_nothing() -> None:
    slot = slot_of(SINGLE, Response.choosing("B"))
    for void in (
        replace(void_of(slot, VoidMode.DROP), version=2),
        replace(void_of(slot, VoidMode.DROP), question_id="qst_other"),
    ):
        given_ = grade(handed_in(), [slot], [void], START)
        assert (given_.mark, given_.max_mark, given_.voids) == (ONE, ONE, ())


@pytest.mark.parametrize(
    ("mode", "accepted", "offer", "code"),
    [
        (VoidMode.ACCEPT_ALSO, (), SINGLE, "required"),
        (VoidMode.ACCEPT_ALSO, ("Z",), SINGLE, "unknown_choice"),
        (VoidMode.ACCEPT_ALSO, ("B",), SINGLE, "right_already"),
        (VoidMode.ACCEPT_ALSO, ("A",), NUMBER, "not_a_choice"),
        (VoidMode.ACCEPT_ALSO, ("A",), EVERY_KIND[5], "not_a_choice"),
        (VoidMode.DROP, ("A",), SINGLE, "not_asked"),
        (VoidMode.CREDIT_ALL, ("A",), SINGLE, "not_asked"),
    ],
)
def test_choices_are_accepted_where_there_are_choices_and_only_those_that_change_something(
    mode: VoidMode, accepted: tuple[str, ...], offer: Offer, code: str
) -> None:
    with pytest.raises(VoidNotApplicable) as refused:
        refuse_inapplicable(mode, accepted, offer.keyed)
    assert [(each.pointer, each.code) for each in refused.value.problems] == [("/acceptedChoiceIds", code)]


@pytest.mark.parametrize(
    ("mode", "accepted", "offer"),
    [
        (VoidMode.ACCEPT_ALSO, ("A", "B"), SINGLE),
        (VoidMode.ACCEPT_ALSO, ("B",), MULTIPLE),
        (VoidMode.DROP, (), NUMBER),
        (VoidMode.CREDIT_ALL, (), NUMBER),
    ],
)
def test_any_question_can_be_dropped_or_credited(mode: VoidMode, accepted: Sequence[str], offer: Offer) -> None:
    refuse_inapplicable(mode, tuple(accepted), offer.keyed)
