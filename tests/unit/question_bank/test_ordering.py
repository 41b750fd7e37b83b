"""In which order choices are shown, and that neither their order nor their names tell the key."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import choice_order, shown_ids
from domain.question_bank.questions import Choice, PublicQuestion

seeds = st.integers(0, 10**9).map(lambda number: f"prs_{number}")
texts = st.lists(
    st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text), min_size=2, max_size=6, unique=True
)
OPEN_KINDS = [QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE]
SECRET_KINDS = [QuestionKind.ORDERING, QuestionKind.MATCHING]


def question(
    written: list[str], kind: QuestionKind = QuestionKind.SINGLE, *, shuffle: bool = True, pinned: str = ""
) -> PublicQuestion:
    """Choices A, B, C… in the order in which they were written."""
    choices = tuple(
        Choice(id=letter, text=text, pinned=letter in pinned) for letter, text in zip("ABCDEF", written, strict=False)
    )
    return PublicQuestion(question_id="qst_1", version=1, kind=kind, stem="?", choices=choices, shuffle=shuffle)


def shown(seed: str, asked: PublicQuestion) -> list[tuple[str, str]]:
    """Names and texts as somebody sees them."""
    text_of = {choice.id: choice.text for choice in asked.choices}
    names = shown_ids(asked.kind, choice_order(seed, asked))
    return [(name, text_of[choice]) for choice, name in names.items()]


@given(seeds, texts, st.sampled_from(QuestionKind))
def test_every_choice_is_shown_once_and_the_same_way_again(seed: str, written: list[str], kind: QuestionKind) -> None:
    asked = question(written, kind)
    assert sorted(choice_order(seed, asked)) == [choice.id for choice in asked.choices]
    assert choice_order(seed, asked) == choice_order(seed, asked)


@given(seeds, texts, st.sets(st.sampled_from("ABCDEF")), st.sampled_from(OPEN_KINDS))
def test_a_pinned_choice_keeps_its_place(seed: str, written: list[str], pinned: set[str], kind: QuestionKind) -> None:
    asked = question(written, kind, pinned="".join(pinned))
    order = choice_order(seed, asked)
    assert all(order[place] == choice.id for place, choice in enumerate(asked.choices) if choice.pinned)


def test_the_choices_around_a_pinned_one_are_shuffled_evenly() -> None:
    asked = question(["a", "b", "c", "none of these"], pinned="D")
    orders = Counter(choice_order(f"prs_{number}", asked) for number in range(1200))
    assert len(orders) == 6
    assert all(140 < count < 260 for count in orders.values())
    assert {order[3] for order in orders} == {"D"}


@pytest.mark.parametrize("kind", OPEN_KINDS)
def test_a_question_that_keeps_its_order_keeps_it(kind: QuestionKind) -> None:
    asked = question(["a", "b", "c", "d"], kind, shuffle=False)
    assert {choice_order(f"prs_{number}", asked) for number in range(50)} == {("A", "B", "C", "D")}


@pytest.mark.parametrize("kind", SECRET_KINDS)
@pytest.mark.parametrize("pinned", ["", "A", "ABCD"])
def test_what_is_to_be_ordered_or_matched_is_shuffled_even_if_it_says_no(kind: QuestionKind, pinned: str) -> None:
    asked = question(["a", "b", "c", "d"], kind, shuffle=False, pinned=pinned)
    orders = Counter(choice_order(f"prs_{number}", asked) for number in range(2400))
    assert len(orders) == 24
    assert all(60 < count < 150 for count in orders.values()), "the right order is as likely as any other"


@given(st.data(), seeds, texts, st.sampled_from(SECRET_KINDS))
def test_what_is_shown_does_not_depend_on_the_right_order(
    data: st.DataObject, seed: str, written: list[str], kind: QuestionKind
) -> None:
    """So nothing that is shown, and nothing that can be computed from the seed and from it, tells the right order."""
    otherwise = data.draw(st.permutations(written))
    assert shown(seed, question(written, kind)) == shown(seed, question(otherwise, kind))


@given(seeds, texts, st.sampled_from(SECRET_KINDS))
def test_secret_names_run_in_the_order_shown(seed: str, written: list[str], kind: QuestionKind) -> None:
    names = [name for name, _ in shown(seed, question(written, kind))]
    assert names == sorted(names)


@given(seeds, texts, st.sampled_from(OPEN_KINDS))
def test_other_choices_keep_their_own_names(seed: str, written: list[str], kind: QuestionKind) -> None:
    asked = question(written, kind)
    assert dict(shown(seed, asked)) == {choice.id: choice.text for choice in asked.choices}
