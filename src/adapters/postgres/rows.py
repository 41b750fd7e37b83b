"""Rows to entities and entities to parameters, each in one line at the caller.

A column is named as its field. Arrays are tuples of plain values; anything with a shape of its own is jsonb.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from psycopg.types.json import Jsonb

T = TypeVar("T")
_Writers = tuple[tuple[str, Callable[[Any], Any]], ...]
_WRITERS: dict[type[Any], _Writers] = {}
_PLAIN = (str, int, float, bool, bytes, Decimal, datetime, date, time, timedelta)


def entity(row: Mapping[str, Any], type_: type[T]) -> T:
    """The entity that a row spells; columns without a field are ignored."""
    return msgspec.convert(row, type_)


def entities(rows: Iterable[Mapping[str, Any]], type_: type[T]) -> tuple[T, ...]:
    """One entity per row, in the rows' order."""
    return tuple(msgspec.convert(row, type_) for row in rows)


def record(entity: Any) -> dict[str, Any]:
    """The parameters that spell an entity, by field; nested values become jsonb, tuples of plain values arrays."""
    return {name: write(getattr(entity, name)) for name, write in _writers_of(type(entity))}


def _writers_of(type_: type[Any]) -> _Writers:
    known = _WRITERS.get(type_)
    if known is None:
        hints = get_type_hints(type_)
        known = _WRITERS[type_] = tuple((field.name, _writer(hints[field.name])) for field in fields(type_))
    return known


def _writer(hint: Any) -> Callable[[Any], Any]:
    """Chosen by the declared type, because an empty tuple does not say whether it is an array or a document."""
    members = [member for member in _members(hint) if member is not type(None)]
    if all(_is_plain(member) for member in members):
        return _plain
    if all(_is_array(member) for member in members):
        return _array
    return _document


def _members(hint: Any) -> tuple[Any, ...]:
    origin = get_origin(hint)
    return get_args(hint) if origin is Union or getattr(origin, "__name__", "") == "UnionType" else (hint,)


def _is_plain(hint: Any) -> bool:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return isinstance(hint, type) and not is_dataclass(hint) and issubclass(hint, (*_PLAIN, Enum))


def _is_array(hint: Any) -> bool:
    items = [argument for argument in get_args(hint) if argument is not ...]
    return get_origin(hint) in (tuple, list, set, frozenset) and all(_is_plain(item) for item in items)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _array(value: Any) -> Any:
    if value is None:
        return None
    plain = [_plain(item) for item in value]
    return sorted(plain) if isinstance(value, set | frozenset) else plain


def _document(value: Any) -> Any:
    return None if value is None else Jsonb(value)
