"""What changed between two versions: complete, in words, and within bounds whatever the texts are."""

from __future__ import annotations

from dataclasses import Field, fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.content import QuestionContent
from domain.question_bank.differences import MOST_CHARACTERS, Change, Edit, Part, Stretch, compare, compare_words
from domain.question_bank.imported import FormattedText, ImportedChoice, NumericBand, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.support.content_strategies import choices, contents

_WORDS = st.lists(st.sampled_from(["a", "b", "cc", " ", "\n", ",", "\N{PILE OF POO}"]), max_size=40).map("".join)


def choice(key: str, text: str, **differences: object) -> ImportedChoice:
    plain = ImportedChoice(key=key, text=FormattedText(text=text), correct=False)
    return replace(plain, **differences)  # type: ignore[arg-type]


A_QUESTION = QuestionContent(
    kind=QuestionKind.SINGLE,
    stem=FormattedText(text="Which port does HTTPS use?"),
    choices=(choice("A", "80"), choice("B", "443", correct=True), choice("C", "22")),
    explanation=FormattedText(text="443 since RFC 2818."),
    topic_id="top_1",
    tags=("ports", "tls"),
)


def unordered(content: QuestionContent) -> tuple[object, ...]:
    plain = replace(content, tags=(), bands=(), accepted=())
    return plain, set(content.tags), set(content.bands), set(content.accepted)


def told(before: QuestionContent, after: QuestionContent) -> list[tuple[Part, str | None, str | None]]:
    return [(change.part, change.before, change.after) for change in compare(before, after)]


@given(_WORDS, _WORDS)
def test_the_words_spell_both_texts(before: str, after: str) -> None:
    stretches = compare_words(before, after)
    assert "".join(each.text for each in stretches if each.edit is not Edit.ADDED) == before
    assert "".join(each.text for each in stretches if each.edit is not Edit.REMOVED) == after
    assert all(each.text for each in stretches)


@given(_WORDS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert {each.edit for each in compare_words(text, text)} <= {Edit.SAME}


@given(contents())
def test_a_version_does_not_differ_from_itself(content: QuestionContent) -> None:
    assert compare(content, content) == ()


@given(contents(), contents(), st.sampled_from(fields(QuestionContent)))
def test_whatever_differs_is_told(one: QuestionContent, other: QuestionContent, field: Field[object]) -> None:
    """One field at a time; of tags, bands and accepted texts the order says nothing."""
    mixed = replace(one, **{field.name: getattr(other, field.name)})
    assert bool(compare(one, mixed)) == (unordered(one) != unordered(mixed))


@given(choices(most=2), choices(most=2))
def test_whatever_differs_between_choices_is_told(
    one: tuple[ImportedChoice, ...], other: tuple[ImportedChoice, ...]
) -> None:
    before, after = (replace(A_QUESTION, choices=each) for each in (one, other))
    assert bool(compare(before, after)) == (one != other)


@given(contents(), contents())
def test_what_was_added_is_what_would_be_removed_the_other_way_round(
    one: QuestionContent, other: QuestionContent
) -> None:
    there = sorted((change.part, change.before or "", change.after or "") for change in compare(one, other))
    back = sorted((change.part, change.after or "", change.before or "") for change in compare(other, one))
    kinds = [Part.STEM, Part.EXPLANATION, Part.TOPIC, Part.DIFFICULTY, Part.TAG, Part.POINTS, Part.SHUFFLE, Part.BAND]
    assert [each for each in there if each[0] in kinds] == [each for each in back if each[0] in kinds]


def test_a_changed_word_stands_out_among_those_that_stayed() -> None:
    after = replace(A_QUESTION, stem=FormattedText(text="Which port does plain HTTP use?"))
    (change,) = compare(A_QUESTION, after)
    assert change == Change(
        part=Part.STEM,
        before=A_QUESTION.stem.text,
        after=after.stem.text,
        words=(
            Stretch(edit=Edit.SAME, text="Which port does "),
            Stretch(edit=Edit.REMOVED, text="HTTPS "),
            Stretch(edit=Edit.ADDED, text="plain HTTP "),
            Stretch(edit=Edit.SAME, text="use?"),
        ),
    )


def test_each_field_is_told_by_its_name() -> None:
    after = replace(
        A_QUESTION,
        kind=QuestionKind.MULTIPLE,
        stem=replace(A_QUESTION.stem, format=TextFormat.MARKDOWN),
        explanation=None,
        topic_id="top_2",
        difficulty_id="dif_hard",
        tags=("tls", "web"),
        points=Decimal("2.50"),
        shuffle=False,
    )
    assert told(A_QUESTION, after) == [
        (Part.KIND, "single", "multiple"),
        (Part.STEM_FORMAT, "plain", "markdown"),
        (Part.EXPLANATION, "443 since RFC 2818.", None),
        (Part.TOPIC, "top_1", "top_2"),
        (Part.DIFFICULTY, None, "dif_hard"),
        (Part.POINTS, "1", "2.5"),
        (Part.SHUFFLE, "true", "false"),
        (Part.TAG, "ports", None),
        (Part.TAG, None, "web"),
    ]


def test_a_choice_is_told_by_where_it_stood_and_stands() -> None:
    """One went, one came before the others; the right one moved and says the same."""
    after = replace(A_QUESTION, choices=(choice("A", "21"), choice("B", "80"), choice("C", "443", correct=True)))
    changes = compare(A_QUESTION, after)
    assert [(each.part, each.before_id, each.after_id, each.before, each.after) for each in changes] == [
        (Part.CHOICE, None, "A", None, "21"),
        (Part.CHOICE_CORRECT, None, "A", None, "false"),
        (Part.CHOICE_PLACE, "A", "B", "A", "B"),
        (Part.CHOICE_PLACE, "B", "C", "B", "C"),
        (Part.CHOICE, "C", None, "22", None),
        (Part.CHOICE_CORRECT, "C", None, "false", None),
    ]


def test_another_key_is_told_at_the_choices_it_is_about() -> None:
    because = FormattedText(text="It is SSH.")
    after = replace(
        A_QUESTION,
        choices=(
            choice("A", "80", correct=True, weight=Decimal("0.5"), pinned=True),
            choice("B", "443"),
            choice("C", "22", explanation=because),
        ),
    )
    assert told(A_QUESTION, after) == [
        (Part.CHOICE_PINNED, "false", "true"),
        (Part.CHOICE_CORRECT, "false", "true"),
        (Part.CHOICE_WEIGHT, None, "0.5"),
        (Part.CHOICE_CORRECT, "true", "false"),
        (Part.CHOICE_EXPLANATION, None, "It is SSH."),
    ]


def test_bands_and_accepted_texts_are_told_one_by_one() -> None:
    before = replace(
        A_QUESTION, bands=(NumericBand(answer=Decimal("3.14"), tol_abs=Decimal("0.01")),), accepted=("pi", "Pi")
    )
    after = replace(
        A_QUESTION, bands=(NumericBand(answer=Decimal("3.14"), tol_rel=Decimal("0.05")),), accepted=("Pi", "π")
    )
    assert told(before, after) == [
        (Part.BAND, "3.14 ± 0.01 ± 0 % → 1", None),
        (Part.BAND, None, "3.14 ± 0 ± 5 % → 1"),
        (Part.ACCEPTED, "pi", None),
        (Part.ACCEPTED, None, "π"),
    ]


def test_a_prompt_keeps_its_answer_where_the_choice_only_moved() -> None:
    one, two = (FormattedText(text=text) for text in ("secure", "insecure"))
    before = replace(A_QUESTION, prompts=(Prompt(text=one, choice="B"), Prompt(text=two, choice="A")))
    after = replace(
        A_QUESTION,
        choices=(choice("A", "443", correct=True), choice("B", "80"), choice("C", "22")),
        prompts=(Prompt(text=one, choice="A"), Prompt(text=two, choice="C")),
    )
    prompts = [change for change in compare(before, after) if change.part in {Part.PROMPT, Part.PROMPT_CHOICE}]
    assert prompts == [Change(part=Part.PROMPT_CHOICE, before_id="2", after_id="2", before="A", after="C")]


@pytest.mark.parametrize("words", [20_000, 400])
def test_what_is_too_much_to_compare_is_told_as_a_whole(words: int) -> None:
    """The ends that agree are still told apart from what was written anew."""
    old, new = (f"Start {' '.join([letter] * words)} end" for letter in "xy")
    assert [(each.edit, len(each.text.split())) for each in compare_words(old, new)] == [
        (Edit.SAME, 1),
        (Edit.REMOVED, words),
        (Edit.ADDED, words),
        (Edit.SAME, 1),
    ]


def test_a_change_to_a_long_text_is_told_word_by_word() -> None:
    prose = [f"word{at * at % 701}" for at in range(2000)]
    before, after = (" ".join([*prose[:900], word, *prose[900:1100], word, *prose[1100:]]) for word in ("old", "new"))
    edits = [each.edit for each in compare_words(before, after)]
    assert edits == [Edit.SAME, *[Edit.REMOVED, Edit.ADDED, Edit.SAME] * 2]


def test_more_text_than_can_be_taken_apart_is_told_as_a_whole() -> None:
    old, new = (f"Start {letter} {'z' * MOST_CHARACTERS} end" for letter in "xy")
    assert [each.edit for each in compare_words(old, new)] == [Edit.REMOVED, Edit.ADDED]


def test_many_long_texts_share_one_budget() -> None:
    """Each alone could be compared; seven times 119 words by 119 words are as many as there is time for."""

    def long(key: str, sign: int) -> ImportedChoice:
        return choice(key, " ".join(key if at % 2 else str(sign * at) for at in range(1, 120)))

    keys = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    before, after = (replace(A_QUESTION, choices=tuple(long(key, sign) for key in keys)) for sign in (1, -1))
    changes = [change for change in compare(before, after) if change.part is Part.CHOICE]
    assert len(changes) == 26
    compared = [change for change in changes if len(change.words) > 4]
    assert len(compared) == 7
