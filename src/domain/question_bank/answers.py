"""The notation of answer keys in files: `A`, `A,C`, `A, C`, `AC`, `a;c`, `A and C`, or the exact text of an option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.question_bank.imported import CHOICE_KEYS, canonical_text, has_too_many_marks, normalized_id, shown

_SEPARATORS = re.compile(r"[\s,;|/&+]+")
_LONGEST = 8 * 1024
"""Characters; no text of an option can be longer."""
_DIGITS = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """The keys of existing options that are correct, in order; `repeated` when the file named one twice."""

    keys: tuple[str, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFault:
    """Why an answer cannot be read; nothing is guessed."""

    code: str
    message: str


_SINGLE = {key: (index, AnswerKey(keys=(key,))) for index, key in enumerate(CHOICE_KEYS)}


def read_answer(answer: str, options: Sequence[str], *, base: int | None = None) -> AnswerKey | AnswerFault:
    """Read an answer against the trimmed texts of the options ("" = not there); `base` is what the first one counts."""
    single = _SINGLE.get(answer)
    if single and single[0] < len(options) and options[single[0]]:
        return single[1]
    if len(answer) > _LONGEST:
        return AnswerFault(code="bad_answer", message=f"{len(answer)} characters are no answer.")
    answer = normalized_id(answer)
    if unread := _unreadable(answer):
        return unread
    tokens = [token for token in _SEPARATORS.split(answer) if token and token.casefold() != "and"]
    if tokens and all(_DIGITS.fullmatch(token) for token in tokens):
        return _numbered(answer, [int(token) for token in tokens], options, base)
    letters = _letters(tokens, options)
    same_text = _options_saying(answer, options)
    if letters and not (len(letters) == 1 and same_text and not _is_option(letters[0], options)):
        return _lettered(answer, letters, options, same_text)
    return _worded(answer, same_text)


def _unreadable(answer: str) -> AnswerFault | None:
    if not answer:
        return AnswerFault(code="missing_answer", message="No correct answer is given.")
    if has_too_many_marks(answer):
        message = f"{shown(answer)} has more combining marks in a row than any text."
        return AnswerFault(code="too_many_combining_marks", message=message)
    return None


def _lettered(
    answer: str, letters: Sequence[str], options: Sequence[str], same_text: Sequence[str]
) -> AnswerKey | AnswerFault:
    if same_text and len(letters) > 1:
        message = f"{shown(answer)} may be letters or the text of option {same_text[0]}: name the letter."
        return AnswerFault(code="ambiguous_answer", message=message)
    absent = [letter for letter in letters if not _is_option(letter, options)]
    if absent:
        return AnswerFault(code="answer_not_an_option", message=f"There is no option {absent[0]}.")
    return AnswerKey(keys=tuple(sorted(set(letters))), repeated=len(set(letters)) < len(letters))


def _numbered(answer: str, numbers: Sequence[int], options: Sequence[str], base: int | None) -> AnswerKey | AnswerFault:
    if base is not None:
        absent = [number for number in numbers if not base <= number < base + len(CHOICE_KEYS)]
        if absent:
            return AnswerFault(code="answer_not_an_option", message=f"There is no option number {absent[0]}.")
        return _lettered(answer, [CHOICE_KEYS[number - base] for number in numbers], options, ())
    # A number too high to count an option by can only be its text.
    if min(numbers) > len(options):
        return _worded(answer, _options_saying(answer, options))
    return AnswerFault(
        code="bad_answer", message=f"{shown(answer)} is a number: name letters, or say what the first option counts."
    )


def _worded(answer: str, same_text: Sequence[str]) -> AnswerKey | AnswerFault:
    if len(same_text) == 1:
        return AnswerKey(keys=(same_text[0],))
    reason = "the text of several options" if same_text else "neither letters nor the text of an option"
    return AnswerFault(code="bad_answer", message=f"{shown(answer)} is {reason}.")


def _letters(tokens: Sequence[str], options: Sequence[str]) -> list[str]:
    """The letters that are named, or none where the answer is not written in letters."""
    if any(not (token.isascii() and token.isalpha()) for token in tokens):
        return []
    if all(len(token) == 1 for token in tokens):
        return [token.upper() for token in tokens]
    if len(tokens) > 1:
        return []
    # One word: letters if all of them are options; `AE` still means letters, `True` and `TRUE` do not.
    letters = list(tokens[0].upper())
    ascending = tokens[0].isupper() and letters == sorted(set(letters))
    return letters if ascending or all(_is_option(letter, options) for letter in letters) else []


def _is_option(letter: str, options: Sequence[str]) -> bool:
    index = CHOICE_KEYS.index(letter)
    return index < len(options) and bool(options[index])


def _options_saying(answer: str, options: Sequence[str]) -> list[str]:
    return [key for key, option in zip(CHOICE_KEYS, options, strict=False) if canonical_text(option) == answer]
