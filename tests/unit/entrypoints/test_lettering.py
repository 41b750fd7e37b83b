"""Options by letters: places, and never the names that a question gives its options."""

from __future__ import annotations

import time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.practice.views import QuestionView
from domain.errors import InvalidInput
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerInvalid, Choice
from entrypoints.http.practice_platform.fields import Letters
from entrypoints.http.practice_platform.lettering import answer_by, by_letter, letters_of

_LETTERS = "ABCDEFGHI"
_BETWEEN = ["", " ", "  ", ",", " ,", ", ", " , "]
_ORDERS = st.integers(2, 8).flatmap(lambda size: st.permutations(_LETTERS[:size]))


def shown(kind: QuestionKind, ids: str) -> QuestionView:
    """A question with these choices in this order."""
    return QuestionView(
        slot=1,
        question_id="qst_1",
        version=1,
        kind=kind,
        stem="Why?",
        stem_format=TextFormat.PLAIN,
        choices=tuple(Choice(id=each, text=f"text {each}") for each in ids),
        prompts=(),
        max_mark=Decimal(1),
        response=None,
        certainty=None,
        answered_at=None,
        flagged=False,
    )


@given(order=_ORDERS, data=st.data())
def test_letters_name_places_and_lead_back_to_the_same_choices(order: list[str], data: st.DataObject) -> None:
    question = shown(QuestionKind.MULTIPLE, "".join(order))
    chosen = data.draw(st.lists(st.sampled_from(order), min_size=1, unique=True))
    letters = letters_of(question, chosen)
    assert letters == "".join(_LETTERS[place] for place in sorted(order.index(each) for each in chosen))
    for spelt in (letters, letters.lower(), ",".join(letters), ", ".join(reversed(letters))):
        assert answer_by(question, spelt, "/x").response.choice_ids == tuple(sorted(chosen))
    assert [choice.id for choice in by_letter(question).values()] == order


@given(order=_ORDERS)
def test_a_letter_that_no_place_has_is_refused_where_it_stands(order: list[str]) -> None:
    question = shown(QuestionKind.MULTIPLE, "".join(order))
    with pytest.raises(InvalidInput) as refused:
        answer_by(question, f"A{_LETTERS[len(order)]}", "/answers/2/user_answer")
    assert [problem.pointer for problem in refused.value.problems] == ["/answers/2/user_answer"]


@pytest.mark.parametrize("kind", [QuestionKind.SINGLE, QuestionKind.TRUE_FALSE])
def test_how_many_letters_there_may_be_is_said_by_the_rule_of_the_kind(kind: QuestionKind) -> None:
    question = shown(kind, "BA")
    with pytest.raises(AnswerInvalid) as refused:
        answer_by(question, "AB", "/user_answer")
    assert [problem.pointer for problem in refused.value.problems] == ["/user_answer"]
    assert answer_by(question, "AA", "/user_answer").response.choice_ids == ("B",)


def is_taken(text: str) -> bool:
    try:
        msgspec.convert(text, Letters)
    except msgspec.ValidationError:
        return False
    return True


@given(letters=st.text("aBz", min_size=1, max_size=15), data=st.data())
def test_letters_are_taken_with_a_comma_and_blanks_between(letters: str, data: st.DataObject) -> None:
    between = [data.draw(st.sampled_from(_BETWEEN)) for _ in letters[1:]]
    text = letters[0] + "".join(gap + letter for gap, letter in zip(between, letters[1:], strict=True))
    assert is_taken(text)
    spoilt = data.draw(st.sampled_from([f" {text}", f"{text} ", f"{text},", f"{text}\n", f"{text}1", f"{text},,A"]))
    assert not is_taken(spoilt)


@pytest.mark.parametrize("gap", _BETWEEN)
def test_no_text_takes_long_to_refuse(gap: str) -> None:
    """Whoever may try each blank in two ways tries for minutes, and nobody else is answered meanwhile."""
    text = (f"A{gap}" * 50)[:47] + "!"
    began = time.thread_time()
    assert not is_taken(text)
    assert time.thread_time() - began < 0.1
