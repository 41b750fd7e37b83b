"""Passwords: what may become one, and the form in which every password is compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from domain.auth.common_passwords import folded, is_common
from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

SHORTEST_PASSWORD = 8  # an installation may ask for more, never for less
MAX_PASSWORD_LENGTH = 128
# NFKC may shorten a text, but never to less than an eighth.
_LONGEST_SPELLING = 8
PRODUCT_NAME = "ace"

# What a guesser tries here and nowhere else, beside the person's own names: what the product is called, what it is for,
# and who uses it. A password of nothing but these, whatever digits and signs are put around them, is refused.
CONTEXT_WORDS = frozenset(
    {PRODUCT_NAME, "exam", "exams", "practice", "prep", "password", "student", "students", "instructor", "admin"}
)
# A shorter name begins too many words to say anything about a password that begins with it.
_TELLING_LENGTH = 3


class PasswordRefused(DomainError):
    """A password is refused for its length, or because it is what a guesser tries first; never for its alphabet."""

    code = "auth.password_refused"
    kind = Kind.INVALID
    title = "This password cannot be used"


def canonical_password(text: str) -> str:
    """The form (NFKC) that is hashed and compared, so that every keyboard spells the same password."""
    if len(text) > _LONGEST_SPELLING * MAX_PASSWORD_LENGTH:
        raise _refused("too_long", f"A password has at most {MAX_PASSWORD_LENGTH} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "A password consists of characters that can be written down"
        raise InvalidInput(message, problems=(FieldProblem("/password", "invalid_text", message),))
    return unicodedata.normalize("NFKC", text)


def check_password(text: str, *, min_length: int, email: str, name: str = "", username: str | None = None) -> str:
    """The canonical form of a password that may be used. Lengths count code points of that form."""
    password = canonical_password(text)
    if len(password) < min_length:
        raise _refused("too_short", f"A password has at least {min_length} characters")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise _refused("too_long", f"A password has at most {MAX_PASSWORD_LENGTH} characters")
    compared = folded(password)
    if _is_guessed_first(compared):
        raise _refused("too_common", "This password is among the first that are guessed")
    if _is_personal(compared, email, name, username or ""):
        raise _refused("too_personal", "A password is more than an e-mail address, a name or the product's name")
    return password


def _is_guessed_first(text: str) -> bool:
    """Whether it is a common password, or one with digits and signs put around it or between its characters.

    It is always compared as a whole: a sentence that merely contains a common password is a good one.
    """
    characters = "".join(filter(str.isalnum, text))
    return any(map(is_common, (text, characters, _letters(text), _trimmed(text))))


def _is_personal(text: str, email: str, name: str, username: str) -> bool:
    """Whether it is no more than what is known about a person here, or begins with a name and adds little to it."""
    local, _, domain = email.partition("@")
    names = _compared((local, *local.split("."), name, *name.split(), username))
    known = names | _compared((email, domain, *domain.split(".")))
    letters = _letters(text)
    if letters and _consists_of(letters, frozenset(map(_letters, known)) | CONTEXT_WORDS):
        return True
    return any(_leans_on(text, word) for word in names | {PRODUCT_NAME} if len(word) >= _TELLING_LENGTH)


def _leans_on(text: str, word: str) -> bool:
    """Whether it begins with this word, and what follows could not be a password by itself."""
    start, begins, rest = _trimmed(text).partition(word)
    if start or not begins:
        return False
    rest = _trimmed(rest)
    return len(rest) < SHORTEST_PASSWORD or is_common(rest)


def _consists_of(letters: str, words: frozenset[str]) -> bool:
    """Whether it is some of these words, one after the other."""
    ends = {0}
    for start in range(len(letters)):
        if start in ends:
            ends |= {start + len(word) for word in words if letters.startswith(word, start)}
    return len(letters) in ends


def _compared(words: Iterable[str]) -> frozenset[str]:
    return frozenset(_trimmed(folded(word)) for word in words)


def _letters(text: str) -> str:
    """What is left without the digits and signs that people put around a word and within it."""
    return "".join(filter(str.isalpha, text))


def _trimmed(text: str) -> str:
    """From the first letter to the last."""
    places = [place for place, character in enumerate(text) if character.isalpha()]
    return text[places[0] : places[-1] + 1] if places else ""


def _refused(code: str, message: str) -> PasswordRefused:
    return PasswordRefused(message, problems=(FieldProblem("/password", code, message),))
