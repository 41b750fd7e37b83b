"""Shapes of bodies and queries, judged as the door's clients know it: every fault is told, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from entrypoints.http.better_auth.errors import Refused
from entrypoints.http.json_text import storable


class Undefined:
    """What a request does not have at all, where it could have had null."""


UNDEFINED: Final = Undefined()
_EMAIL: Final = re.compile(
    r"(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}"
)
_LONGEST_EMAIL = 1_000
_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (Undefined, "undefined"),
    (type(None), "null"),
    (bool, "boolean"),
    (int, "number"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
)
Judge = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Field:
    """One field, and what is wrong with a value of it, if anything is."""

    name: str
    fault: Judge
    optional: bool = False
    make: Callable[[Any], Any] | None = None


def text(name: str) -> Field:
    """Any text that can be stored."""
    return Field(name, _text_fault)


def shown(name: str) -> Field:
    """A text that is compared with what is known and kept nowhere, so any will do."""
    return Field(name, lambda value: None if isinstance(value, str) else _expected("string", value))


def filled(name: str) -> Field:
    """The same of one character at least."""
    return Field(name, lambda value: shown(name).fault(value) or (None if value else _EMPTY))


def email(name: str) -> Field:
    """An e-mail address, not trimmed and not changed."""
    return Field(name, _email_fault)


def switch(name: str) -> Field:
    """True or false."""
    return Field(name, lambda value: None if isinstance(value, bool) else _expected("boolean", value))


def flag(name: str) -> Field:
    """Anything, taken for true unless it is an empty text."""
    return Field(name, lambda _: None, optional=True, make=lambda value: value not in ("", None, False, 0))


def anything(name: str) -> Field:
    """Any value; the endpoint judges it, once it knows who asks."""
    return Field(name, lambda value: _expected("nonoptional", value) if value is UNDEFINED else None)


def optional(field: Field) -> Field:
    """The same, which may be absent; null is not absent."""
    return replace(field, optional=True)


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with these fields; others are passed over. `optional`: the whole may be absent. `kinds` are the names
    by which a value that is no object is told what was expected.
    """

    fields: tuple[Field, ...]
    optional: bool = False
    kinds: tuple[str, ...] = ("object",)

    def read(self, place: str, value: object) -> dict[str, Any]:
        """The fields that are there. `place` is `body` or `query`. Refuses everything that is wrong at once."""
        if value is UNDEFINED and self.optional:
            return {}
        if not isinstance(value, dict):
            raise _invalid(f"[{place}] {_expected(kind, value)}" for kind in self.kinds)
        found = {field.name: value.get(field.name, UNDEFINED) for field in self.fields}
        faults = list(self._faults(place, found))
        if faults:
            raise _invalid(faults)
        return {
            field.name: field.make(found[field.name]) if field.make else found[field.name]
            for field in self.fields
            if found[field.name] is not UNDEFINED
        }

    def _faults(self, place: str, found: Mapping[str, Any]) -> Iterator[str]:
        for field in self.fields:
            value = found[field.name]
            fault = None if value is UNDEFINED and field.optional else field.fault(value)
            if fault is not None:
                yield f"[{place}.{field.name}] {fault}"


def shape(*fields: Field) -> Shape:
    """An object that has to be there."""
    return Shape(fields)


def record(*fields: Field) -> Shape:
    """An object of anything, of which these fields are read."""
    return Shape(fields, kinds=("record",))


def is_email(value: str) -> bool:
    """Whether the door takes a text for an address."""
    return len(value) <= _LONGEST_EMAIL and _EMAIL.fullmatch(value) is not None


def _text_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return _expected("string", value)
    return None if storable(value) else _UNSTORABLE


def _email_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return _expected("string", value)
    return None if is_email(value) else "Invalid email address"


def _expected(kind: str, value: object) -> str:
    received = next((name for type_, name in _TYPES if isinstance(value, type_)), "object")
    return f"Invalid input: expected {kind}, received {received}"


def _invalid(faults: Any) -> Refused:
    return Refused(400, "; ".join(faults), "VALIDATION_ERROR")


_EMPTY: Final = "Too small: expected string to have >=1 characters"
_UNSTORABLE: Final = "Invalid input: NUL characters and lone surrogates are not allowed"
