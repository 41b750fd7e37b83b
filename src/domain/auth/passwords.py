"""Passwords: what may become one, and the form in which every password is compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

MAX_PASSWORD_LENGTH = 128
# NFKC may shorten a text, but never to less than an eighth.
_LONGEST_SPELLING = 8
PRODUCT_NAME = "ace"

# What people type first when a form asks for eight characters. Compared whole and without regard to case: a sentence
# that merely contains one of them is a good password.
_COMMON_WORDS = """
    00000000 11111111 111111111 1111111111 12121212 12312312 123123123 12341234 1234512345 12345678 123456789
    1234567890 123456789a 12345678910 1234qwer 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 22222222 33333333 44444444
    55555555 66666666 77777777 87654321 88888888 987654321 99999999 9876543210 a1b2c3d4 a1234567 aa123456 aaaaaaaa
    abc12345 abcd1234 abcdefgh abcdefghi access14 admin123 admin1234 administrator asdf1234 asdfasdf asdfghjk asdfghjkl
    baseball basketball changeme changeme123 computer corvette default123 football iloveyou iloveyou1 internet
    letmein1 letmein123 liverpool masterkey mustang1 p@ssw0rd p@ssword pa55word passw0rd passwort password password!
    password1 password1! password11 password12 password123 password1234 princess q1w2e3r4 q1w2e3r4t5 qazwsxedc
    qwer1234 qwerasdf qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 secret123 starwars sunshine
    superman superuser testtest test1234 trustno1 welcome1 welcome123 whatever zaq12wsx zxcvbnm1 zxcvbnm123
"""
_COMMON = frozenset(_COMMON_WORDS.split())


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
    folded = password.casefold()
    if folded in _COMMON:
        raise _refused("too_common", "This password is among the first that are guessed")
    known = (email, email.partition("@")[0], name, *name.split(), username or "", PRODUCT_NAME)
    if _core(folded) in _cores(known):
        raise _refused("too_personal", "A password is more than an e-mail address, a name or the product's name")
    return password


def _core(folded: str) -> str:
    """What is left without the digits and signs that people put around a word and within it."""
    return "".join(character for character in folded if character.isalpha())


def _cores(known: Iterable[str]) -> frozenset[str]:
    # Nobody's name is empty: a password of digits alone must not look like one.
    return frozenset(_core(unicodedata.normalize("NFKC", word).casefold()) for word in known) - {""}


def _refused(code: str, message: str) -> PasswordRefused:
    return PasswordRefused(message, problems=(FieldProblem("/password", code, message),))
