"""What every imported question must satisfy, whatever its kind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.question_bank.completeness import refuse_shapeless
from domain.question_bank.content import QuestionContent
from domain.question_bank.import_checks import difficulty_code, examine
from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    NumericBand,
    Origin,
    Prompt,
    Severity,
    canonical_number,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.wording import LONGEST_ANSWER

CHOICES = tuple(ImportedChoice(key=key, text=FormattedText(text=f"option {key}"), correct=True) for key in "ABC")
PLAIN = ImportedQuestion(
    external_id="Q1",
    bank="network",
    domain="Routing",
    difficulty=None,
    kind=QuestionKind.SHORT_TEXT,
    stem=FormattedText(text="What is it?"),
    choices=(),
    explanation=None,
    tags=(),
    points=Decimal(1),
    shuffle=True,
    accepted=("Paris",),
    origin=Origin(format="jsonl", file="a.jsonl", record=3, line=3),
)
MATCHING = replace(
    PLAIN,
    kind=QuestionKind.MATCHING,
    accepted=(),
    choices=CHOICES,
    prompts=(Prompt(text=FormattedText(text="one"), choice="B"), Prompt(text=FormattedText(text="two"), choice="A")),
)
NUMERIC = replace(PLAIN, kind=QuestionKind.NUMERIC, accepted=(), bands=(NumericBand(answer=Decimal("3.14")),))
WEIGHED = replace(PLAIN, kind=QuestionKind.MULTIPLE, accepted=(), choices=CHOICES)
ORDERING = replace(PLAIN, kind=QuestionKind.ORDERING, accepted=(), choices=CHOICES)


def choices(*texts: str) -> tuple[ImportedChoice, ...]:
    return tuple(
        ImportedChoice(key=key, text=FormattedText(text=text), correct=True)
        for key, text in zip("ABC", texts, strict=False)
    )


def prompts(*texts: str) -> tuple[Prompt, ...]:
    return tuple(Prompt(text=FormattedText(text=text), choice="A") for text in texts)


@pytest.mark.parametrize("question", [PLAIN, MATCHING, NUMERIC, ORDERING], ids=lambda question: question.kind)
def test_questions_of_every_kind_come_in(question: ImportedQuestion) -> None:
    assert examine(question) == []


@pytest.mark.parametrize(
    ("question", "wrong", "code"),
    [
        (PLAIN, {"accepted": ()}, "missing_answer"),
        (PLAIN, {"accepted": tuple(map(str, range(51)))}, "too_many"),
        (NUMERIC, {"bands": (NumericBand(answer=Decimal(1)),) * 21}, "too_many"),
        (MATCHING, {"prompts": prompts(*map(str, range(27)))}, "too_many"),
        (PLAIN, {"accepted": ("Paris", " ")}, "missing_answer"),
        (PLAIN, {"accepted": ("Pa\x01ris",)}, "control_character"),
        (PLAIN, {"accepted": ("x" * 9_000,)}, "field_too_long"),
        (PLAIN, {"accepted": ("Paris", "x" * (LONGEST_ANSWER + 1))}, "field_too_long"),
        (NUMERIC, {"bands": ()}, "missing_answer"),
        (NUMERIC, {"bands": (NumericBand(answer=Decimal("NaN")),)}, "bad_answer"),
        (NUMERIC, {"bands": (NumericBand(answer=Decimal(1), tol_abs=Decimal(-1)),)}, "bad_answer"),
        (NUMERIC, {"bands": (NumericBand(answer=Decimal(1), fraction=Decimal(2)),)}, "bad_answer"),
        *[
            (NUMERIC, {"bands": (NumericBand(answer=Decimal(1)), band)}, "bad_answer")
            for band in (
                NumericBand(answer=Decimal("1." + "1" * 28)),
                NumericBand(answer=Decimal("1E+40")),
                NumericBand(answer=Decimal("1E-41")),
                NumericBand(answer=Decimal(1), tol_abs=Decimal("1E+40")),
                NumericBand(answer=Decimal(1), tol_rel=Decimal("1.1")),
                NumericBand(answer=Decimal(1), fraction=Decimal(0)),
                NumericBand(answer=Decimal(1), fraction=Decimal("0." + "3" * 29)),
            )
        ],
        *[
            (WEIGHED, {"choices": (CHOICES[0], replace(CHOICES[1], weight=Decimal(weight)))}, "bad_weight")
            for weight in ("1.1", "-1.1", "NaN", "0.12345678901", "1E-999999")
        ],
        *[
            (question, {"points": Decimal(points)}, "bad_points")
            for question in (PLAIN, WEIGHED)
            for points in ("0", "-1", "10000", "1.00001", "NaN", "1E-999999")
        ],
        (MATCHING, {"prompts": ()}, "missing_answer"),
        (MATCHING, {"choices": CHOICES[:1]}, "too_few_options"),
        (MATCHING, {"prompts": (Prompt(text=FormattedText(text="one"), choice="Z"),)}, "answer_not_an_option"),
        (MATCHING, {"prompts": (Prompt(text=FormattedText(text=" "), choice="A"),)}, "missing_text"),
        (MATCHING, {"prompts": (Prompt(text=FormattedText(text="o\x00"), choice="A"),)}, "control_character"),
        (MATCHING, {"prompts": prompts("one", "two", "o\u0301 ne", "\u00f3\n ne")}, "duplicate_prompt_text"),
        (MATCHING, {"choices": choices("one", "two", "one ")}, "duplicate_option_text"),
        (ORDERING, {"choices": CHOICES[:1]}, "too_few_options"),
        (ORDERING, {"choices": choices("a b", "c", "a  b")}, "duplicate_option_text"),
        (ORDERING, {"stem": FormattedText(text="")}, "missing_text"),
    ],
)
def test_what_a_kind_lacks_is_an_error(question: ImportedQuestion, wrong: dict[str, Any], code: str) -> None:
    found = examine(replace(question, **wrong))
    assert code in [problem.code for problem in found if problem.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "question",
    [
        replace(PLAIN, accepted=("x" * LONGEST_ANSWER,)),
        replace(ORDERING, choices=choices("co", "CO", "c o")),
        replace(MATCHING, choices=choices("one", "two"), prompts=prompts("one", "two", "One")),
    ],
    ids=lambda question: question.kind,
)
def test_what_students_can_answer_and_tell_apart_is_sound(question: ImportedQuestion) -> None:
    assert examine(question) == []


NUMBERS = (
    st.decimals(allow_nan=True, allow_infinity=True)
    | st.decimals(min_value=-2, max_value=2, places=4)
    | st.builds(Decimal, st.from_regex(r"-?[0-9]{1,42}(\.[0-9]{1,42})?", fullmatch=True))
)


@given(answer=NUMBERS, tolerance=NUMBERS, weight=st.none() | NUMBERS, points=NUMBERS)
def test_a_question_comes_in_exactly_if_an_author_may_keep_its_numbers(
    answer: Decimal, tolerance: Decimal, weight: Decimal | None, points: Decimal
) -> None:
    """Whatever a file brings can be edited afterwards, what was written comes in again, and its hash tells it apart."""
    weighed = tuple(replace(choice, weight=weight) for choice in CHOICES)
    for question in (
        replace(NUMERIC, bands=(NumericBand(answer=answer),)),
        replace(NUMERIC, bands=(NumericBand(answer=answer, tol_abs=tolerance),)),
        replace(WEIGHED, choices=weighed),
        replace(WEIGHED, points=points),
    ):
        content = QuestionContent(
            kind=question.kind,
            stem=question.stem,
            choices=question.choices,
            bands=question.bands,
            points=question.points,
        )
        comes_in = not any(problem.severity is Severity.ERROR for problem in examine(question))
        assert comes_in is may_be_kept(content)
        for band in question.bands if comes_in else ():
            assert Decimal(canonical_number(band.answer).strip('"')) == band.answer


def may_be_kept(content: QuestionContent) -> bool:
    try:
        refuse_shapeless(content)
    except InvalidInput:
        return False
    return True


def test_where_one_option_is_chosen_two_that_say_the_same_are_a_remark() -> None:
    """Real files hold such questions, and they can be answered."""
    (found,) = examine(replace(PLAIN, kind=QuestionKind.MULTIPLE, accepted=(), choices=choices("one", "two", "one")))
    assert (found.code, found.severity, found.field) == ("duplicate_option_text", Severity.WARNING, "option-c")


def test_a_difficulty_has_one_spelling_and_what_is_none_has_no_other() -> None:
    said = ("easy", "Medium", "HARD", "cosmic", " easy", "", None)
    assert [difficulty_code(one) for one in said] == ["easy", "medium", "hard", None, None, None, None]
