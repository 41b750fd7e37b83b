"""By which keys an exam is graded again: those of other versions count only where they ask the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.exam.grading import SlotGrade
from domain.exam.papers import GradedSlot
from domain.exam.regrading import KeyedContent, asks_the_same, latest_keys, same_keys
from domain.question_bank.imported import NumericBand, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey
from tests.support.exam_builders import exam_session, exam_slots
from tests.support.practice_builders import EVERY_KIND, MATCH, NUMBER, Offer

SINGLE = EVERY_KIND[0]


def content(offer: Offer) -> KeyedContent:
    return KeyedContent(question=offer.keyed, choices=offer.public.choices, prompts=offer.public.prompts)


def anew(offer: Offer) -> KeyedContent:
    """With another key."""
    keyed = replace(offer.keyed, key=AnswerKey(correct=("A",), bands=(NumericBand(answer=1),)))  # type: ignore[arg-type]
    return replace(content(offer), question=keyed)


@pytest.mark.parametrize("offer", EVERY_KIND, ids=lambda offer: offer.kind)
def test_another_key_or_order_of_the_options_asks_the_same(offer: Offer) -> None:
    turned = replace(anew(offer), choices=tuple(reversed(offer.public.choices)))
    assert asks_the_same(content(offer), turned)


def test_another_kind_option_text_or_prompt_does_not() -> None:
    asked, choices = content(SINGLE), SINGLE.public.choices
    for other in (
        replace(asked, question=replace(asked.question, kind=QuestionKind.MULTIPLE)),
        replace(asked, choices=choices[1:]),
        replace(asked, choices=(replace(choices[0], text="else"), *choices[1:])),
        replace(asked, choices=(replace(choices[0], id="Z"), *choices[1:])),
    ):
        assert not asks_the_same(asked, other)
    assert asks_the_same(asked, replace(asked, choices=(replace(choices[0], format=TextFormat.HTML), *choices[1:])))
    matched = content(MATCH)
    assert not asks_the_same(matched, replace(matched, prompts=matched.prompts[1:]))


def slots(*offers: Offer) -> tuple[GradedSlot, ...]:
    session = exam_session()
    return tuple(
        GradedSlot(slot=slot, question=offer.keyed)
        for slot, offer in zip(exam_slots(session, offers), offers, strict=True)
    )


def test_a_slot_takes_the_latest_key_where_there_is_one_that_asks_the_same_and_stays_as_asked_elsewhere() -> None:
    other = replace(anew(MATCH), prompts=())
    contents = {
        (SINGLE.id, 1): content(SINGLE),
        (SINGLE.id, 2): anew(SINGLE),
        (MATCH.id, 1): content(MATCH),
        (MATCH.id, 3): other,
        (NUMBER.id, 1): content(NUMBER),
    }
    paper = slots(SINGLE, MATCH, NUMBER, EVERY_KIND[2])
    published = {SINGLE.id: 2, MATCH.id: 3, NUMBER.id: 1}
    latest = latest_keys(paper, contents, published)
    assert [each.key_version for each in latest] == [2, None, None, None]
    assert latest[0].question == anew(SINGLE).question
    assert latest[1:] == paper[1:]


def test_a_version_that_is_gone_leaves_the_slot_as_asked() -> None:
    paper = slots(SINGLE)
    assert latest_keys(paper, {(SINGLE.id, 1): content(SINGLE)}, {SINGLE.id: 2}) == paper


def test_the_keys_of_a_grade_are_found_again() -> None:
    paper = slots(SINGLE, NUMBER)
    zero = EVERY_KIND[0].points * 0
    marks = [
        SlotGrade(slot=1, mark=zero, max_mark=zero, key_version=2),
        SlotGrade(slot=2, mark=zero, max_mark=zero),
    ]
    found = same_keys(paper, {(SINGLE.id, 2): anew(SINGLE)}, marks)
    assert [each.key_version for each in found] == [2, None]
    assert found[0].question == anew(SINGLE).question
    assert found[1] == paper[1]
