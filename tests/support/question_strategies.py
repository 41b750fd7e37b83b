"""Whole questions of every kind, as a bank holds them when they are complete, for laws about files."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import strategies as st

from adapters.files.safe_html import sanitised
from domain.question_bank.import_checks import as_seen
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    NumericBand,
    Origin,
    Prompt,
    TextFormat,
    normalized_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

OF_CHOICES = (QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE)
# What some format takes for a sign of its own, besides letters of several planes and blanks of several kinds.
_MARKS = "~=#{}:\\%[]()<>&\"'`,;|/$*_.!?-+@aAzZ019 \t\n\r\xa0\u2003\u2028\u00e9\u0645\u4e2d\U0001f642"
_WORDS = (
    "ANSWER: A", "A. ", "b) ", "// x", "::t::", "->", "%50%", "[html]", "[plain]", "####", "{T}", "\\n", "\\", "]]>",
    "<b>x</b>", "&amp;", "$CATEGORY: x", "\r\n\r\n", "\n\n", "=1+1", "sep=,", "_____", "[ace:multiple]", "[id:x]",
)  # fmt: skip

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_pieces = st.sampled_from(_WORDS) | st.text(st.sampled_from(_MARKS), max_size=6)
words = st.lists(_pieces, min_size=1, max_size=4).map("".join).filter(lambda text: trimmed(text) != "")
_names = words.filter(lambda name: len(name.encode()) <= 200)
ids = _names.map(normalized_id).filter(bool)


def _formatted(text: str, format_: TextFormat) -> FormattedText:
    return FormattedText(text=sanitised(text) if format_ is TextFormat.HTML else text, format=format_)


def _is_text(text: FormattedText) -> bool:
    """HTML can name by number what no text may hold: `&#1;` is U+0001, which every examination refuses."""
    return trimmed(text.text) != "" and not _CONTROL.search(text.text)


texts = st.builds(_formatted, words, st.sampled_from(TextFormat)).filter(_is_text)


def _as_seen(text: FormattedText) -> str:
    return as_seen(text.text)


_small = st.decimals(min_value=0, max_value=1, places=4)
_weights = st.none() | st.decimals(min_value=-1, max_value=1, places=7) | st.sampled_from([Decimal(1), Decimal("0.5")])


@st.composite
def _choices(draw: st.DrawFn, kind: QuestionKind) -> tuple[ImportedChoice, ...]:
    if kind in (QuestionKind.NUMERIC, QuestionKind.SHORT_TEXT):
        return ()
    count = 2 if kind is QuestionKind.TRUE_FALSE else draw(st.integers(2, 7))
    keys = CHOICE_KEYS[:count]
    correct = {draw(st.sampled_from(keys))}
    if kind is QuestionKind.MULTIPLE:
        correct |= draw(st.sets(st.sampled_from(keys)))
    if kind is QuestionKind.ORDERING:
        correct = set(keys)
    is_told_apart = kind in (QuestionKind.MATCHING, QuestionKind.ORDERING)
    said = draw(st.lists(texts, min_size=count, max_size=count, unique_by=_as_seen if is_told_apart else None))
    is_plain_truth = kind is QuestionKind.TRUE_FALSE and draw(st.booleans())
    return tuple(
        ImportedChoice(
            key=key,
            text=FormattedText(text=("True", "False")[place]) if is_plain_truth else said[place],
            correct=key in correct and kind is not QuestionKind.MATCHING,
            weight=_of_sign(draw(_weights), positive=key in correct) if kind in OF_CHOICES else None,
            explanation=draw(st.none() | texts),
            pinned=draw(st.booleans()),
        )
        for place, key in enumerate(keys)
    )


def _of_sign(weight: Decimal | None, *, positive: bool) -> Decimal | None:
    """A right choice weighs at least nothing and a wrong one at most nothing."""
    if weight is None:
        return None
    return abs(weight) if positive else -abs(weight)


@st.composite
def complete_questions(
    draw: st.DrawFn, *, kinds: tuple[QuestionKind, ...] = tuple(QuestionKind), bank: str = "bank"
) -> ImportedQuestion:
    """A question that nothing is missing from and that no examination refuses."""
    kind = draw(st.sampled_from(kinds))
    choices = draw(_choices(kind))
    prompts = st.builds(Prompt, text=texts, choice=st.sampled_from([choice.key for choice in choices] or ["A"]))
    bands = st.builds(
        NumericBand,
        answer=st.decimals(min_value=-1000, max_value=1000, places=3),
        tol_abs=_small,
        tol_rel=_small,
        fraction=st.just(Decimal(1)),
    )
    return ImportedQuestion(
        external_id=draw(ids),
        bank=bank,
        domain=draw(st.just("") | _names.map(trimmed)),
        difficulty=draw(st.sampled_from([None, "easy", "medium", "hard"])),
        kind=kind,
        stem=draw(texts),
        choices=choices,
        explanation=draw(st.none() | texts),
        tags=tuple(draw(st.lists(_names.map(trimmed), max_size=3, unique=True))),
        points=draw(st.decimals(min_value=Decimal("0.0001"), max_value=9999, places=4)),
        shuffle=draw(st.booleans()),
        bands=tuple(draw(st.lists(bands, min_size=1, max_size=3))) if kind is QuestionKind.NUMERIC else (),
        accepted=tuple(draw(st.lists(words, min_size=1, max_size=3, unique=True)))
        if kind is QuestionKind.SHORT_TEXT
        else (),
        prompts=tuple(draw(st.lists(prompts, min_size=2, max_size=4, unique_by=lambda prompt: _as_seen(prompt.text))))
        if kind is QuestionKind.MATCHING
        else (),
        origin=Origin(format="bank", file="", record=0, line=0),
    )
