"""What changed between two versions of a question: field by field, and word by word where texts differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice, NumericBand, Prompt, canonical_text

T = TypeVar("T")
_Ids: TypeAlias = tuple[str | None, str | None]
_Numbered: TypeAlias = tuple[str, Prompt]

MOST_CELLS: Final = 100_000
"""Pairs of words that one comparison may look at, some 50 ms at worst. What is over it is told as a whole."""
MOST_CHARACTERS: Final = 200_000
"""Characters that one comparison may take apart; four texts of the greatest length and some."""

_WORD = re.compile(r"\s+|\S+\s*")


class Edit(StrEnum):
    """What became of a stretch of words."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Part(StrEnum):
    """Which part of a question a change is about."""

    KIND = "kind"
    STEM = "stem"
    STEM_FORMAT = "stem_format"
    CHOICE = "choice"
    CHOICE_FORMAT = "choice_format"
    CHOICE_CORRECT = "choice_correct"
    CHOICE_WEIGHT = "choice_weight"
    CHOICE_EXPLANATION = "choice_explanation"
    CHOICE_EXPLANATION_FORMAT = "choice_explanation_format"
    CHOICE_PINNED = "choice_pinned"
    CHOICE_PLACE = "choice_place"
    PROMPT = "prompt"
    PROMPT_FORMAT = "prompt_format"
    PROMPT_PLACE = "prompt_place"
    PROMPT_CHOICE = "prompt_choice"
    BAND = "band"
    ACCEPTED = "accepted"
    EXPLANATION = "explanation"
    EXPLANATION_FORMAT = "explanation_format"
    TOPIC = "topic"
    DIFFICULTY = "difficulty"
    TAG = "tag"
    POINTS = "points"
    SHUFFLE = "shuffle"


_Facts: TypeAlias = Mapping[Part, str | None]
_TEXTS: Final = frozenset({Part.STEM, Part.CHOICE, Part.CHOICE_EXPLANATION, Part.PROMPT, Part.EXPLANATION})
# Of something that came or went these are not told one by one.
_ASIDES: Final = frozenset(
    {
        Part.STEM_FORMAT,
        Part.CHOICE_FORMAT,
        Part.CHOICE_EXPLANATION_FORMAT,
        Part.CHOICE_PINNED,
        Part.CHOICE_PLACE,
        Part.PROMPT_FORMAT,
        Part.PROMPT_PLACE,
        Part.EXPLANATION_FORMAT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Words that follow each other and share one fate; all stretches but the added ones spell the text before."""

    edit: Edit
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `before` None: it was not there; `after` None: it is there no more. `words` only where texts differ.

    The ids are those of a choice or prompt in either version; what says the same is the same wherever it stands.
    """

    part: Part
    before_id: str | None = None
    after_id: str | None = None
    before: str | None
    after: str | None
    words: tuple[Stretch, ...] = ()


def compare(before: QuestionContent, after: QuestionContent) -> tuple[Change, ...]:
    """Every difference, in the order in which a reader meets the parts."""
    return tuple(_Comparison().changes(before, after))


def compare_words(before: str, after: str) -> tuple[Stretch, ...]:
    """The words that were kept, removed and added."""
    return _Comparison().words(before, after)


class _Comparison:
    """Compares within one budget, so that many long texts together cost no more than one."""

    def __init__(self) -> None:
        self._cells = MOST_CELLS
        self._characters = MOST_CHARACTERS

    def changes(self, before: QuestionContent, after: QuestionContent) -> Iterator[Change]:
        yield from self._facts(_question(before), _question(after))
        pairs = _pairs(before.choices, after.choices, _choice_text)
        for old, new in pairs:
            ids = (None if old is None else old.key, None if new is None else new.key)
            yield from self._facts(_choice(old), _choice(new), ids)
        kept = {old.key: new.key for old, new in pairs if old is not None and new is not None}
        for was, now in _pairs(_numbered(before.prompts), _numbered(after.prompts), _prompt_text):
            yield from self._prompt(was, now, kept)
        yield from _members(Part.BAND, map(_band, before.bands), map(_band, after.bands))
        yield from _members(Part.ACCEPTED, before.accepted, after.accepted)
        yield from self._facts(_surroundings(before), _surroundings(after))
        yield from _members(Part.TAG, before.tags, after.tags)

    def words(self, before: str, after: str) -> tuple[Stretch, ...]:
        old, new = self._apart(before), self._apart(after)
        start = _shared(old, new)
        end = _shared(old[start:][::-1], new[start:][::-1])
        rest = old[start : len(old) - end], new[start : len(new) - end]
        found = [(Edit.SAME, old[:start]), *self._between(*rest), (Edit.SAME, old[len(old) - end :])]
        return tuple(Stretch(edit=edit, text="".join(words)) for edit, words in found if words)

    def _apart(self, text: str) -> list[str]:
        self._characters -= len(text)
        return [text] if self._characters < 0 else _WORD.findall(text)

    def _between(self, old: list[str], new: list[str]) -> Iterator[tuple[Edit, list[str]]]:
        cells = len(old) * len(new)
        if cells > self._cells:
            yield from ((Edit.REMOVED, old), (Edit.ADDED, new))
            return
        self._cells -= cells
        # From 200 words on, the matcher leaves very frequent ones aside, which bounds its time for long texts.
        for tag, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
            if tag == "equal":
                yield Edit.SAME, old[i:j]
            else:
                yield from ((Edit.REMOVED, old[i:j]), (Edit.ADDED, new[k:m]))

    def _facts(self, before: _Facts, after: _Facts, ids: _Ids = (None, None)) -> Iterator[Change]:
        for part in dict.fromkeys([*before, *after]):
            old, new = before.get(part), after.get(part)
            came_or_went = old is None or new is None
            if old == new or (came_or_went and part in _ASIDES):
                continue
            words = self.words(old, new) if part in _TEXTS and old is not None and new is not None else ()
            yield Change(part=part, before_id=ids[0], after_id=ids[1], before=old, after=new, words=words)

    def _prompt(self, old: _Numbered | None, new: _Numbered | None, kept: Mapping[str, str]) -> Iterator[Change]:
        """A prompt whose choice only stands elsewhere by now has not changed its answer."""
        was, now = _matched(old), _matched(new)
        if old and new and kept.get(old[1].choice) == new[1].choice:
            was[Part.PROMPT_CHOICE] = now[Part.PROMPT_CHOICE]
        yield from self._facts(was, now, (was.get(Part.PROMPT_PLACE), now.get(Part.PROMPT_PLACE)))


def _question(content: QuestionContent) -> _Facts:
    return {Part.KIND: content.kind.value, **_text(content.stem, Part.STEM, Part.STEM_FORMAT)}


def _surroundings(content: QuestionContent) -> _Facts:
    return {
        **_text(content.explanation, Part.EXPLANATION, Part.EXPLANATION_FORMAT),
        Part.TOPIC: content.topic_id,
        Part.DIFFICULTY: content.difficulty_id,
        Part.POINTS: _number(content.points),
        Part.SHUFFLE: _flag(content.shuffle),
    }


def _choice(choice: ImportedChoice | None) -> _Facts:
    if choice is None:
        return {}
    return {
        **_text(choice.text, Part.CHOICE, Part.CHOICE_FORMAT),
        Part.CHOICE_PLACE: choice.key,
        Part.CHOICE_PINNED: _flag(choice.pinned),
        Part.CHOICE_CORRECT: _flag(choice.correct),
        Part.CHOICE_WEIGHT: _number(choice.weight),
        **_text(choice.explanation, Part.CHOICE_EXPLANATION, Part.CHOICE_EXPLANATION_FORMAT),
    }


def _matched(numbered: _Numbered | None) -> dict[Part, str | None]:
    if numbered is None:
        return {}
    place, prompt = numbered
    told = _text(prompt.text, Part.PROMPT, Part.PROMPT_FORMAT)
    return {**told, Part.PROMPT_PLACE: place, Part.PROMPT_CHOICE: prompt.choice}


def _text(text: FormattedText | None, part: Part, format_part: Part) -> _Facts:
    return {} if text is None else {part: text.text, format_part: text.format.value}


def _pairs(before: Sequence[T], after: Sequence[T], text: Callable[[T], str]) -> list[tuple[T | None, T | None]]:
    """What belongs together: first what says the same, then of the rest what stands at the same place."""
    left = dict(enumerate(before))
    said = list(map(text, before))
    found: dict[int, T] = {}
    for place, new in enumerate(map(text, after)):
        same = next((at for at in left if said[at] == new), None)
        if same is not None:
            found[place] = left.pop(same)
    pairs: list[tuple[T | None, T | None]] = [
        (found[place] if place in found else left.pop(place, None), new) for place, new in enumerate(after)
    ]
    return [*pairs, *((old, None) for old in left.values())]


def _members(part: Part, before: Iterable[str], after: Iterable[str]) -> Iterator[Change]:
    """Of what has no order: each that is there no more, then each that is new."""
    old, new = list(before), list(after)
    yield from (Change(part=part, before=each, after=None) for each in old if each not in new)
    yield from (Change(part=part, before=None, after=each) for each in new if each not in old)


def _numbered(prompts: Sequence[Prompt]) -> list[_Numbered]:
    return [(str(number), prompt) for number, prompt in enumerate(prompts, 1)]


def _choice_text(choice: ImportedChoice) -> str:
    return canonical_text(choice.text.text)


def _prompt_text(prompt: _Numbered) -> str:
    return canonical_text(prompt[1].text.text)


def _band(band: NumericBand) -> str:
    """As `3.14 ± 0.01 ± 0 % → 1`: the answer, its absolute and relative tolerance, the fraction that it earns."""
    percent = _number(band.tol_rel * 100)
    return f"{_number(band.answer)} ± {_number(band.tol_abs)} ± {percent} % → {_number(band.fraction)}"


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words the two begin with in common."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (was, now) in pairs if was != now), min(len(old), len(new)))


def _number(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")


def _flag(value: bool) -> str:
    return "true" if value else "false"
