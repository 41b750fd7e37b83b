"""Answers in an exam: revisions, refusals in their order, and what a flag is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import Navigation
from domain.errors import DomainError
from domain.exam.answers import Given, Saved, fit, own_response, placed, save_answer
from domain.exam.moves import pause, submit
from domain.exam.papers import AskedQuestion, AskedSlot
from domain.exam.record import EntryKind, EntrySource, first_broken
from domain.exam.refusals import ExamAlreadySubmitted, ExamPaused, ExamSlotNotFound, NoReturn, StaleWrite
from domain.exam.sessions import ExamSession
from domain.question_bank.certainty import Certainty
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerInvalid, Response
from tests.support.exam_builders import START, exam_rules, exam_session, exam_slots, later

A, B = Response.choosing("A"), Response.choosing("B")
SURELY = exam_rules(certainty=True)


def asked(number: int = 1, **changes: object) -> AskedSlot:
    """A question with the options A to D, in a slot of its own."""
    slot = replace(exam_slots(exam_session())[number - 1], choice_order=tuple("ABCD"), **changes)  # type: ignore[arg-type]
    return AskedSlot(slot=slot, question=AskedQuestion(kind=QuestionKind.SINGLE, choice_ids=tuple("ABCD")))


def answer(response: Response | None, base: int = 0, **more: object) -> Given:
    return Given(response=response, base_revision=base, **more)  # type: ignore[arg-type]


def test_an_answer_is_a_revision_with_an_entry_of_its_own() -> None:
    saved = save_answer(exam_session(), asked(2), answer(A, autosave=True), later(minutes=5))
    assert (saved.slot.response, saved.slot.revision, saved.slot.answered_at) == (A, 1, later(minutes=5))
    assert (saved.changed, saved.stale) == (True, False)
    assert (saved.session.record_count, saved.session.furthest_slot) == (1, 2)
    entry = saved.entry
    assert entry is not None
    assert (entry.kind, entry.source, entry.slot, entry.revision) == (EntryKind.ANSWER, EntrySource.STUDENT, 2, 1)
    assert (entry.autosave, entry.at, entry.effective_at) == (True, later(minutes=5), later(minutes=5))
    assert json.loads(entry.content) == {"choiceIds": ["A"]}
    assert saved.session.record_hash == entry.hash
    assert first_broken([entry]) is None


@given(st.integers(0, 3660))
def test_what_arrives_after_the_deadline_counts_for_the_deadline(seconds: int) -> None:
    saved = save_answer(exam_session(), asked(), answer(A), later(seconds=seconds))
    assert saved.entry is not None
    assert (saved.entry.at, saved.entry.effective_at) == (later(seconds=seconds), later(seconds=min(seconds, 3600)))
    assert saved.slot.answered_at == saved.entry.effective_at


def test_an_answer_is_taken_back_by_a_revision_without_one() -> None:
    first = save_answer(exam_session(rules=SURELY), asked(), answer(A, certainty=Certainty.HIGH), START)
    back = save_answer(first.session, replace(asked(), slot=first.slot), answer(None, 1), later(seconds=1))
    assert (back.slot.response, back.slot.certainty, back.slot.revision) == (None, None, 2)
    assert back.slot.answered_at == later(seconds=1)
    assert back.entry is not None
    assert back.entry.content == "{}"


def test_the_same_again_changes_nothing_and_a_flag_is_no_answer() -> None:
    first = save_answer(exam_session(), asked(), answer(A), START)
    slot = replace(asked(), slot=first.slot)
    again = save_answer(first.session, slot, answer(A, 1), later(seconds=9))
    assert again == Saved(session=first.session, slot=first.slot)
    flagged = save_answer(first.session, slot, answer(A, 1, flagged=True), later(seconds=9))
    assert flagged == Saved(session=first.session, slot=replace(first.slot, flagged=True), changed=True)
    kept = save_answer(first.session, replace(slot, slot=flagged.slot), answer(B, 1), later(seconds=9))
    assert kept.slot.flagged
    blank = save_answer(exam_session(), asked(), answer(None), START)
    assert not blank.changed


@pytest.mark.parametrize("autosave", [False, True])
def test_a_save_whose_reply_was_lost_is_known_when_it_comes_again(autosave: bool) -> None:
    first = save_answer(exam_session(rules=SURELY), asked(), answer(A, autosave=autosave, flagged=True), START)
    slot = replace(asked(), slot=replace(first.slot, flagged=False))
    again = save_answer(first.session, slot, answer(A, autosave=autosave, flagged=True), later(seconds=9))
    assert again == Saved(session=first.session, slot=slot.slot), "what came after it stands, be it a flag"
    back = save_answer(first.session, slot, answer(None, 1, autosave=autosave), START)
    repeated = save_answer(back.session, replace(slot, slot=back.slot), answer(None, 1, autosave=autosave), START)
    assert repeated == Saved(session=back.session, slot=back.slot)


@pytest.mark.parametrize(
    "other", [answer(A, 1), answer(A, 4), answer(B, 2), answer(A, 2, certainty=Certainty.HIGH), answer(None, 2)]
)
def test_only_what_made_the_revision_that_stands_is_the_same_again(other: Given) -> None:
    slot = asked(revision=3, response=A, certainty=Certainty.LOW, answered_at=START)
    with pytest.raises(StaleWrite):
        save_answer(exam_session(rules=SURELY), slot, other, START)
    assert save_answer(exam_session(rules=SURELY), slot, replace(other, autosave=True), START).stale


def test_another_certainty_is_another_answer() -> None:
    first = save_answer(exam_session(rules=SURELY), asked(), answer(A), START)
    assert first.slot.certainty is Certainty.LOW
    slot = replace(asked(), slot=first.slot)
    assert not save_answer(first.session, slot, answer(A, 1, certainty=Certainty.LOW), START).changed
    surer = save_answer(first.session, slot, answer(A, 1, certainty=Certainty.MID), START)
    assert (surer.slot.revision, surer.slot.certainty) == (2, Certainty.MID)


def test_an_answer_that_was_overtaken_is_refused_and_an_autosave_gives_way() -> None:
    slot = asked(revision=3, response=A, answered_at=START)
    for base in (2, 4):
        with pytest.raises(StaleWrite) as refused:
            save_answer(exam_session(), slot, answer(B, base), START)
        assert refused.value.facts == {"currentRevision": 3}
        gone = save_answer(exam_session(), slot, answer(B, base, autosave=True, flagged=True), START)
        assert gone == Saved(session=exam_session(), slot=slot.slot, stale=True)


def test_in_a_linear_exam_what_was_passed_stays() -> None:
    linear = exam_session(rules=exam_rules(navigation=Navigation.LINEAR), furthest_slot=3)
    with pytest.raises(NoReturn):
        save_answer(linear, asked(2), answer(A), START)
    assert save_answer(linear, asked(3), answer(A), START).session.furthest_slot == 3
    assert save_answer(linear, asked(5), answer(A), START).session.furthest_slot == 5
    free = exam_session(furthest_slot=3)
    assert save_answer(free, asked(2), answer(A), START).session.furthest_slot == 3


# What is refused, and in which order.


@dataclass(frozen=True)
class Wrong:
    """One thing that can be wrong with an answer."""

    over: bool
    missing: bool
    unfit: bool
    passed: bool
    overtaken: bool


@given(st.builds(Wrong, *[st.booleans()] * 5))
def test_the_first_thing_that_is_wrong_is_told(wrong: Wrong) -> None:
    session = exam_session(
        rules=exam_rules(navigation=Navigation.LINEAR), furthest_slot=4 if wrong.passed else 1, record_count=7
    )
    if wrong.over:
        session = submit(session, later(minutes=1))
    slot = None if wrong.missing else asked(2)
    given_answer = answer(Response.choosing("Z") if wrong.unfit else A, 5 if wrong.overtaken else 0)
    refusals: list[tuple[bool, type[DomainError]]] = [
        (wrong.over, ExamAlreadySubmitted),
        (wrong.missing, ExamSlotNotFound),
        (wrong.unfit, AnswerInvalid),
        (wrong.passed, NoReturn),
        (wrong.overtaken, StaleWrite),
    ]
    expected = next((refusal for applies, refusal in refusals if applies), None)
    if expected is None:
        assert save_answer(session, slot, given_answer, later(minutes=2)).changed
        return
    with pytest.raises(expected):
        save_answer(session, slot, given_answer, later(minutes=2))


def test_a_pause_takes_no_answers() -> None:
    with pytest.raises(ExamPaused):
        save_answer(pause(exam_session(), START, by_staff=True), asked(), answer(A), START)


def test_a_refusal_says_where_the_answer_is_wrong() -> None:
    with pytest.raises(AnswerInvalid) as unfit:
        fit(exam_rules(), asked(), answer(Response.choosing("AB")))
    assert [problem.pointer for problem in unfit.value.problems] == ["/response/choiceIds"]
    with pytest.raises(AnswerInvalid) as unasked:
        fit(exam_rules(), asked(), answer(A, certainty=Certainty.LOW))
    assert [problem.pointer for problem in unasked.value.problems] == ["/certainty"]
    stale = StaleWrite("overtaken", facts={"currentRevision": 3}, retry_after_seconds=1)
    there = placed(unfit.value, "/answers/2")
    assert (type(there), [problem.pointer for problem in there.problems]) == (
        AnswerInvalid,
        ["/answers/2/response/choiceIds"],
    )
    moved = placed(stale, "/answers/2")
    assert (moved.detail, moved.facts, moved.retry_after_seconds) == ("overtaken", {"currentRevision": 3}, 1)


def test_answers_are_kept_by_the_questions_own_names() -> None:
    ordering = AskedSlot(
        slot=replace(asked().slot, choice_order=("C", "A", "B")),
        question=AskedQuestion(kind=QuestionKind.ORDERING, choice_ids=("A", "B", "C")),
    )
    # Shown from top to bottom as A, B, C.
    assert own_response(ordering, Response.arranging("BCA")) == Response.arranging("ABC")
    assert own_response(asked(), A) == A
    assert own_response(asked(), Response()) is None
    assert own_response(asked(), None) is None


# Any order of delivery.


@dataclass(frozen=True)
class Message:
    """A save on its way: which slot, what, and upon which revision."""

    slot: int
    letter: str
    base: int
    autosave: bool


def _deliver(messages: Sequence[Message]) -> tuple[ExamSession, dict[int, AskedSlot], list[Message]]:
    session, slots, accepted = exam_session(), {number: asked(number) for number in (1, 2)}, []
    for step, message in enumerate(messages):
        given_answer = answer(Response.choosing(message.letter), message.base, autosave=message.autosave)
        try:
            saved = save_answer(session, slots[message.slot], given_answer, START + timedelta(seconds=step))
        except StaleWrite:
            continue
        session, slots[message.slot] = saved.session, replace(slots[message.slot], slot=saved.slot)
        if saved.entry is not None:
            accepted.append(message)
    return session, slots, accepted


messages = st.lists(
    st.builds(Message, st.sampled_from([1, 2]), st.sampled_from("ABCD"), st.integers(0, 3), st.booleans()), max_size=8
)


@given(messages.flatmap(lambda sent: st.tuples(st.just(sent), st.permutations(sent + sent))))
def test_any_order_of_delivery_comes_to_what_the_accepted_ones_come_to_in_order(
    sent: tuple[list[Message], list[Message]],
) -> None:
    """Lost, doubled or overtaken: each revision is made once, upon the one before it."""
    _, arrived = sent
    session, slots, accepted = _deliver(arrived)
    for number, slot in slots.items():
        mine = [message for message in accepted if message.slot == number]
        assert [message.base for message in mine] == list(range(slot.slot.revision))
        last = None if not mine else Response.choosing(mine[-1].letter)
        assert slot.slot.response == last
    in_order = sorted(accepted, key=lambda message: message.base)
    assert {n: s.slot.response for n, s in _deliver(in_order)[1].items()} == {
        n: s.slot.response for n, s in slots.items()
    }
    assert session.record_count == len(accepted)
