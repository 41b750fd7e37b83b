"""What a version of a question may say, of every kind, for laws."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import CHOICE_KEYS, FormattedText, ImportedChoice, NumericBand, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
decimals = st.decimals(min_value=-1000, max_value=1000, places=4)
texts = st.builds(FormattedText, text=st.text(_CHARACTERS, min_size=1, max_size=30), format=st.sampled_from(TextFormat))
_small = st.decimals(min_value=0, max_value=1, places=4)
_bands = st.builds(NumericBand, answer=decimals, tol_abs=_small, tol_rel=_small, fraction=_small)


@st.composite
def choices(draw: st.DrawFn, *, most: int = 5) -> tuple[ImportedChoice, ...]:
    """Choices that are keyed in their order."""
    count = draw(st.integers(0, most))
    return tuple(
        ImportedChoice(
            key=key,
            text=draw(texts),
            correct=draw(st.booleans()),
            weight=draw(st.none() | st.decimals(min_value=-1, max_value=1, places=2)),
            explanation=draw(st.none() | texts),
            pinned=draw(st.booleans()),
        )
        for key in CHOICE_KEYS[:count]
    )


@st.composite
def contents(draw: st.DrawFn) -> QuestionContent:
    """A version of any kind that says what its kind can say; it need not be complete."""
    kind = draw(st.sampled_from(QuestionKind))
    written = draw(choices())
    keys = [choice.key for choice in written]
    is_matching = kind is QuestionKind.MATCHING and keys
    prompts = st.lists(st.builds(Prompt, text=texts, choice=st.sampled_from(keys or ["A"])), max_size=4)
    return QuestionContent(
        kind=kind,
        stem=draw(texts),
        choices=written,
        bands=tuple(draw(st.lists(_bands, max_size=3))) if kind is QuestionKind.NUMERIC else (),
        accepted=tuple(draw(st.lists(st.text(_CHARACTERS, max_size=9), max_size=3, unique=True)))
        if kind is QuestionKind.SHORT_TEXT
        else (),
        prompts=tuple(draw(prompts)) if is_matching else (),
        explanation=draw(st.none() | texts),
        topic_id=draw(st.sampled_from([None, "top_1", "top_2"])),
        difficulty_id=draw(st.sampled_from([None, "dif_easy", "dif_hard"])),
        tags=tuple(draw(st.lists(st.text(_CHARACTERS, min_size=1, max_size=5), max_size=3, unique=True))),
        points=draw(st.decimals(min_value=Decimal("0.0001"), max_value=9999, places=4)),
        shuffle=draw(st.booleans()),
    )
