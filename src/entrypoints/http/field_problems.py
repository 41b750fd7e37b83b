"""From what the decoder says about a value to the field it is about: pointer, code, message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar.exceptions import ValidationException

from domain.errors import FieldProblem, InvalidInput
from entrypoints.http.decimals import SENTENCES
from entrypoints.http.fields import SLUG_IN_WORDS, SLUG_PATTERN

_PLACE = re.compile(r"^(?P<what>.*) - at (?:`key` in )?`\$(?P<path>.*?)`$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|(?P<unknown>\[\.\.\.\])")
_NAMED = re.compile(r"field `(?P<name>.*)`$", re.DOTALL)
_MISSING = re.compile(r"Missing required \w+ parameter '(?P<name>[^']+)'")
_NAME_LIMIT = 100
# The decoder shows patterns as Python would.
_IN_WORDS: Final = {repr(pattern): sentence for pattern, sentence in {**SENTENCES, SLUG_PATTERN: SLUG_IN_WORDS}.items()}
# The decoder tells its reasons in words only; the order matters, the first that occurs decides.
_CODES: Final[tuple[tuple[str, str], ...]] = (
    ("missing required field", "required"),
    ("unknown field", "unknown_field"),
    ("Invalid enum value", "not_one_of"),
    ("of length <=", "too_long"),
    ("of length >=", "too_short"),
    ("matching regex", "wrong_format"),
    ("out of range", "out_of_range"),
    ("<=", "out_of_range"),
    (">=", "out_of_range"),
    (", got `", "wrong_type"),
)


def pointer_token(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def of_body(error: msgspec.ValidationError) -> InvalidInput:
    """The refusal of a body that is JSON but not what is due."""
    text = str(error)
    place = _PLACE.match(text)
    what, pointer = (place["what"], _pointer(place["path"])) if place else (text, "")
    named = _NAMED.search(what)
    if named:
        pointer += pointer_token(named["name"][:_NAME_LIMIT])
        what = what[: named.end("name")][: named.start("name") + _NAME_LIMIT] + "`"
    code, what = _code(what), _in_words(what)
    problem = FieldProblem(pointer, code, what)
    return InvalidInput(f"{pointer or 'body'}: {what}", problems=(problem,))


def of_parameters(error: ValidationException, names: Mapping[str, str]) -> tuple[FieldProblem, ...]:
    """What is wrong with query parameters, by the names that clients use, and with a body that is absent."""
    if isinstance(error.extra, list):
        return tuple(_of_parameter(item, names) for item in error.extra)
    missing = _MISSING.match(error.detail)
    return (FieldProblem(f"?{missing['name']}", "required", "The parameter is required"),) if missing else ()


def _of_parameter(item: Mapping[str, Any], names: Mapping[str, str]) -> FieldProblem:
    name, message = str(item.get("key", "")), str(item["message"])
    if name == "data":
        return FieldProblem("", "required", "A JSON body is required")
    return FieldProblem(f"?{names.get(name, name)}", _code(message), message)


def _pointer(path: str) -> str:
    """`.a[0].b` → `/a/0/b`; it ends at a key of a map, which the decoder does not name."""
    tokens = []
    for step in _STEP.finditer(path):
        if step["unknown"]:
            break
        tokens.append(pointer_token(step["name"] or step["index"]))
    return "".join(tokens)


def _in_words(message: str) -> str:
    """People are told what is due, not the pattern that it has to match."""
    return _IN_WORDS.get(message.rpartition("matching regex ")[2], message)


def _code(message: str) -> str:
    return next((code for words, code in _CODES if words in message), "invalid")
