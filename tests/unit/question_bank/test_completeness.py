"""What a question must hold before it is handed in, and what not even a draft may hold."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.question_bank.completeness import (
    belongs,
    missing,
    refuse_incomplete,
    refuse_shapeless,
    refuse_unsound,
    settled,
)
from domain.question_bank.content import QuestionContent
from domain.question_bank.import_checks import MOST_ACCEPTED, MOST_BANDS
from domain.question_bank.imported import FormattedText, ImportedChoice, NumericBand, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle_refusals import QuestionIncomplete
from domain.question_bank.questions import AnswerInvalid, Response
from domain.question_bank.wording import LONGEST_ANSWER
from tests.support.authoring_builders import COMPLETE, choices, text

SINGLE, MULTIPLE = COMPLETE[QuestionKind.SINGLE], COMPLETE[QuestionKind.MULTIPLE]
TRUE_FALSE, NUMERIC = COMPLETE[QuestionKind.TRUE_FALSE], COMPLETE[QuestionKind.NUMERIC]
SHORT, MATCHING = COMPLETE[QuestionKind.SHORT_TEXT], COMPLETE[QuestionKind.MATCHING]
ORDERING = COMPLETE[QuestionKind.ORDERING]


def html(said: str) -> FormattedText:
    return FormattedText(text=said, format=TextFormat.HTML)


def saying(*texts: FormattedText, correct: str = "A") -> tuple[ImportedChoice, ...]:
    return tuple(
        ImportedChoice(key=key, text=said, correct=key in correct)
        for key, said in zip("ABCDEFGHIJ", texts, strict=False)
    )


def weighing(correct: str, *weights: str | None) -> tuple[ImportedChoice, ...]:
    return tuple(
        replace(choice, weight=None if weight is None else Decimal(weight))
        for choice, weight in zip(choices(correct), weights, strict=False)
    )


def lacks(content: QuestionContent) -> set[tuple[str, str]]:
    return {(found.pointer, found.code) for found in missing(content)}


def shape(content: QuestionContent) -> set[tuple[str, str]]:
    try:
        refuse_shapeless(content)
    except InvalidInput as refused:
        return {(found.pointer, found.code) for found in refused.problems}
    return set()


@pytest.mark.parametrize("kind", QuestionKind)
def test_a_complete_question_lacks_nothing(kind: QuestionKind) -> None:
    refuse_incomplete(COMPLETE[kind])
    assert shape(COMPLETE[kind]) == set()


@pytest.mark.parametrize(
    ("content", "changes", "found"),
    [
        (SINGLE, {"stem": text(" \n")}, {("/stem", "required")}),
        (SINGLE, {"stem": html("<p>&nbsp; </p>")}, {("/stem", "required")}),
        (SINGLE, {"stem": html('<p><img src="https://x.y/z.png"></p>')}, set()),
        (SINGLE, {"stem": text("<p></p>")}, set()),
        (SINGLE, {"topic_id": None}, {("/topicId", "required")}),
        (SINGLE, {"difficulty_id": None}, {("/difficultyId", "required")}),
        (SINGLE, {"choices": ()}, {("/choices", "too_few"), ("/choices", "one_correct")}),
        (SINGLE, {"choices": choices("A", "X")}, {("/choices", "too_few")}),
        (SINGLE, {"choices": choices("J", "ABCDEFGHIJ")}, set()),
        (SINGLE, {"choices": choices("J", "ABCDEFGHIJK")}, {("/choices", "too_many")}),
        (SINGLE, {"choices": choices("")}, {("/choices", "one_correct")}),
        (SINGLE, {"choices": choices("AB")}, {("/choices", "one_correct")}),
        (SINGLE, {"choices": saying(text("a"), text(" "))}, {("/choices/1", "required")}),
        (SINGLE, {"choices": saying(text("Å  b"), text("A\u030a b"))}, {("/choices/1", "duplicate")}),
        (SINGLE, {"choices": saying(text("Co"), text("CO"))}, set()),
        (SINGLE, {"choices": weighing("B", None, "1", "0.5", "-1")}, set()),
        (SINGLE, {"choices": weighing("B", "0.5", None)}, set()),
        (SINGLE, {"choices": weighing("B", "1", "0.5")}, {("/choices", "weights")}),
        (TRUE_FALSE, {"choices": choices("A", "TFX")}, {("/choices", "too_many")}),
        (TRUE_FALSE, {"choices": choices("AB", "TF")}, {("/choices", "one_correct")}),
        (MULTIPLE, {"choices": choices("A")}, set()),
        (MULTIPLE, {"choices": choices("ABC")}, set()),
        (MULTIPLE, {"choices": choices("")}, {("/choices", "none_correct")}),
        (MULTIPLE, {"choices": choices("ABCD")}, {("/choices", "all_correct")}),
        (MULTIPLE, {"choices": weighing("AC", "0.5", "-0.5", "0.5", None)}, set()),
        (MULTIPLE, {"choices": weighing("ABC", *["0.3333333"] * 3, "-1")}, set()),
        (MULTIPLE, {"choices": weighing("AC", "0.5", "0.5", "0.5", None)}, {("/choices/1/weight", "weight")}),
        (MULTIPLE, {"choices": weighing("AC", "1", "0", "-0.5", "0")}, {("/choices/2/weight", "weight")}),
        (MULTIPLE, {"choices": weighing("AC", "0.4", "0", "0.5", "0")}, {("/choices", "weights")}),
        (NUMERIC, {"bands": ()}, {("/bands", "required")}),
        (NUMERIC, {"bands": (NumericBand(answer=Decimal(3), fraction=Decimal("0.5")),)}, {("/bands", "required")}),
        (SHORT, {"accepted": ()}, {("/accepted", "required")}),
        (SHORT, {"accepted": ("RIP", " ", "RIP ")}, {("/accepted/1", "required"), ("/accepted/2", "duplicate")}),
        (SHORT, {"accepted": ("RIP", "x" * LONGEST_ANSWER)}, set()),
        (SHORT, {"accepted": ("RIP", "x" * (LONGEST_ANSWER + 1))}, {("/accepted/1", "field_too_long")}),
        (MATCHING, {"prompts": MATCHING.prompts[:1]}, {("/prompts", "too_few")}),
        (
            MATCHING,
            {"choices": saying(text("\u00e9 b"), text("x"), text("e\u0301\n b "))},
            {("/choices/2", "duplicate")},
        ),
        (
            MATCHING,
            {"prompts": (*MATCHING.prompts, Prompt(text=text("one"), choice="D"))},
            {("/prompts/2", "duplicate"), ("/prompts/2/choiceId", "unknown_choice")},
        ),
        (ORDERING, {"choices": choices("AB", "123")}, {("/choices", "order")}),
        (ORDERING, {"choices": saying(text("a"), text("b"), text("a "), correct="ABC")}, {("/choices/2", "duplicate")}),
        (ORDERING, {"choices": saying(text("a"), text("A"), correct="AB")}, set()),
        (ORDERING, {"choices": choices("A", "1")}, {("/choices", "too_few")}),
    ],
)
def test_what_is_missing_is_told_by_its_place(
    content: QuestionContent, changes: dict[str, Any], found: set[tuple[str, str]]
) -> None:
    assert lacks(replace(content, **changes)) == found


def test_everything_is_told_at_once() -> None:
    with pytest.raises(QuestionIncomplete) as refused:
        refuse_incomplete(QuestionContent(kind=QuestionKind.SINGLE, stem=text("")))
    assert [found.pointer for found in refused.value.problems] == [
        "/stem",
        "/topicId",
        "/difficultyId",
        "/choices",
        "/choices",
    ]


@pytest.mark.parametrize(
    ("without", "told"),
    [(("stem",), "One thing is to be put right."), (("stem", "topic_id"), "2 things are to be put right.")],
)
def test_how_much_is_missing_is_told_in_words(without: tuple[str, ...], told: str) -> None:
    blank: dict[str, Any] = {"stem": text(""), "topic_id": None}
    with pytest.raises(QuestionIncomplete, match=f"^{re.escape(told)}$"):
        refuse_incomplete(replace(SINGLE, **{name: blank[name] for name in without}))


@pytest.mark.parametrize("kind", QuestionKind)
def test_tags_are_kept_trimmed_and_each_once(kind: QuestionKind) -> None:
    """As files bring them, so that what is exported comes back unchanged."""
    tags = ("ospf", " ospf\n", "", " ", "OSPF", "bgp", "ospf")
    assert settled(replace(COMPLETE[kind], tags=tags)) == replace(COMPLETE[kind], tags=("ospf", "OSPF", "bgp"))


@pytest.mark.parametrize(
    ("content", "changes", "found"),
    [
        (SINGLE, {"points": Decimal("0.0001")}, set()),
        (SINGLE, {"points": Decimal("9999.9999")}, set()),
        *[
            (SINGLE, {"points": Decimal(points)}, {("/points", "points")})
            for points in ("0", "-1", "10000", "1.00001", "NaN", "sNaN", "Infinity", "1E+999999", "1E-999999")
        ],
        (SINGLE, {"choices": weighing("B", "1.0000", "-1", "0E-40")}, set()),
        *[
            (SINGLE, {"choices": weighing("B", None, weight)}, {("/choices/1/weight", "weight")})
            for weight in ("1.1", "-1.1", "NaN", "1E-999999", "0.12345678901")
        ],
        *[
            (NUMERIC, {"bands": (NumericBand(answer=Decimal(answer)),)}, set())
            for answer in ("-6.02214076E+23", "1E+39", "1E-40", "1" + "0" * 39, "0." + "1" * 28 + "0" * 12)
        ],
        *[
            (NUMERIC, {"bands": (NumericBand(answer=Decimal(1)), band)}, {("/bands/1", "band")})
            for band in (
                NumericBand(answer=Decimal("NaN")),
                NumericBand(answer=Decimal("1E+40")),
                NumericBand(answer=Decimal("1E-41")),
                NumericBand(answer=Decimal("0E-999999")),
                NumericBand(answer=Decimal("1." + "1" * 28)),
                NumericBand(answer=Decimal(1), tol_abs=Decimal("-0.1")),
                NumericBand(answer=Decimal(1), tol_rel=Decimal("-0.1")),
                NumericBand(answer=Decimal(1), tol_rel=Decimal("1.1")),
                NumericBand(answer=Decimal(1), fraction=Decimal(0)),
                NumericBand(answer=Decimal(1), fraction=Decimal("1.1")),
            )
        ],
        (NUMERIC, {"bands": (NumericBand(answer=Decimal(1)),) * (MOST_BANDS + 1)}, {("/bands", "too_many")}),
        (SHORT, {"accepted": tuple(map(str, range(MOST_ACCEPTED + 1)))}, {("/accepted", "too_many")}),
        (SINGLE, {"tags": tuple(map(str, range(51)))}, {("/tags", "too_many")}),
        (SINGLE, {"choices": tuple(reversed(choices("A")))}, {("/choices", "keys")}),
        (SINGLE, {"choices": choices("A", "x" * 26)}, set()),
        (SINGLE, {"bands": NUMERIC.bands}, {("/bands", "not_of_kind")}),
        (NUMERIC, {"choices": choices("A")}, {("/choices", "not_of_kind")}),
        (SINGLE, {"prompts": MATCHING.prompts}, {("/prompts", "not_of_kind")}),
        (ORDERING, {"accepted": SHORT.accepted}, {("/accepted", "not_of_kind")}),
    ],
)
def test_not_even_a_draft_has_what_cannot_be_kept(
    content: QuestionContent, changes: dict[str, Any], found: set[tuple[str, str]]
) -> None:
    assert shape(replace(content, **changes)) == found


def unsound(content: QuestionContent, *, external_id: str = "N-1", topic: str = "Routing") -> set[tuple[str, str]]:
    try:
        refuse_unsound(content.canonical(external_id=external_id, bank="network", topic=topic, difficulty="easy"))
    except InvalidInput as refused:
        return {(found.pointer, found.code) for found in refused.problems}
    return set()


LONG, MARKED = "x" * 32_769, "e" + "\u0301" * 31


@pytest.mark.parametrize(
    ("content", "changes", "found"),
    [
        (SINGLE, {"stem": text("x" * 32_768)}, set()),
        (SINGLE, {"stem": text(LONG)}, {("/stem", "field_too_long")}),
        (SINGLE, {"stem": text("a\x00b")}, {("/stem", "control_character")}),
        (SINGLE, {"stem": text("a\ud800b")}, {("/stem", "undecodable")}),
        (SINGLE, {"stem": text(MARKED)}, {("/stem", "too_many_combining_marks")}),
        (SINGLE, {"choices": saying(text("a"), text("x" * 8_193))}, {("/choices/1", "field_too_long")}),
        (SINGLE, {"explanation": text(LONG)}, {("/explanation", "field_too_long")}),
        (
            SINGLE,
            {"choices": (*choices("A")[:1], replace(choices("")[1], explanation=text("\x01")))},
            {("/choices/1/explanation", "control_character")},
        ),
        (SINGLE, {"tags": ("x" * 513,)}, {("/tags", "field_too_long")}),
        (SHORT, {"accepted": ("ok", "a\x00b", MARKED)}, {("/accepted/1", "control_character"),
                                                         ("/accepted/2", "too_many_combining_marks")}),
        (SHORT, {"accepted": ("x" * 1_000, "x" * 1_001, "ok")}, {("/accepted/1", "field_too_long")}),
        (MATCHING, {"prompts": (*MATCHING.prompts, Prompt(text=text(LONG), choice="A"))},
         {("/prompts/2", "field_too_long")}),
        (SINGLE, {"stem": text(""), "choices": (), "topic_id": None}, set()),
    ],
)  # fmt: skip
def test_texts_are_held_to_the_rules_of_files(
    content: QuestionContent, changes: dict[str, Any], found: set[tuple[str, str]]
) -> None:
    assert unsound(replace(content, **changes)) == found


def test_the_longest_text_that_is_accepted_can_be_answered() -> None:
    longest = "x" * LONGEST_ANSWER
    assert lacks(replace(SHORT, accepted=(longest,))) == set()
    assert Response.writing(longest).text == longest
    with pytest.raises(AnswerInvalid):
        Response.writing(longest + "x")


def test_ids_are_texts_too() -> None:
    assert unsound(SINGLE, external_id="x" * 513) == {("/externalId", "field_too_long")}


def test_a_part_belongs_to_its_kinds() -> None:
    assert {kind for kind in QuestionKind if belongs("choices", kind)} == {
        QuestionKind.SINGLE,
        QuestionKind.MULTIPLE,
        QuestionKind.TRUE_FALSE,
        QuestionKind.MATCHING,
        QuestionKind.ORDERING,
    }


NUMBERS = st.decimals(allow_nan=True, allow_infinity=True) | st.integers(-3, 3).map(Decimal)
SAID = st.builds(FormattedText, text=st.text(max_size=5), format=st.sampled_from(TextFormat))
ANY_CONTENT = st.builds(
    QuestionContent,
    kind=st.sampled_from(QuestionKind),
    stem=SAID,
    choices=st.lists(
        st.builds(
            ImportedChoice,
            key=st.sampled_from("ABC"),
            text=SAID,
            correct=st.booleans(),
            weight=st.none() | NUMBERS,
            explanation=st.none() | SAID,
        ),
        max_size=4,
    ).map(tuple),
    bands=st.lists(
        st.builds(NumericBand, answer=NUMBERS, tol_abs=NUMBERS, tol_rel=NUMBERS, fraction=NUMBERS), max_size=2
    ).map(tuple),
    accepted=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    prompts=st.lists(st.builds(Prompt, text=SAID, choice=st.sampled_from("ABC")), max_size=3).map(tuple),
    points=NUMBERS,
    tags=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)


@given(ANY_CONTENT)
def test_whatever_is_written_is_judged_and_nothing_breaks(content: QuestionContent) -> None:
    """What is kept can be hashed and compared with what the database gives back of it."""
    if shape(content) == set():
        refuse = unsound(content)
        lacks(content)
        said = content.canonical(external_id="N-1", bank="network", topic=None, difficulty=None)
        assert refuse or len(said.content_hash) == 32
        assert content == replace(content, points=Decimal(f"{content.points:.4f}"))


@given(ANY_CONTENT, st.permutations(range(4)))
def test_what_is_complete_stays_complete_in_another_order(content: QuestionContent, order: list[int]) -> None:
    """Nothing depends on which choice stands first."""
    some = [content.choices[index] for index in order if index < len(content.choices)]
    moved = tuple(replace(choice, key="ABCD"[index]) for index, choice in enumerate(some))
    first = replace(content, choices=tuple(replace(c, key="ABCD"[i]) for i, c in enumerate(content.choices)))
    if not (shape(first) or content.prompts):
        codes = sorted(found.code for found in missing(first))
        assert sorted(found.code for found in missing(replace(content, choices=moved))) == codes
