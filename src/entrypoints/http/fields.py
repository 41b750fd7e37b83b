"""What bodies are made of: base classes that fix the conventions, and field types that all have bounds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

# `$` of the engine that checks also matches before a last line break, hence what follows it; readers of the document
# often have an engine that cannot look ahead, and a `$` that needs none.
NO_BREAK_AFTER: Final = "(?!\n)"
ID_PATTERN: Final = f"^[A-Za-z0-9_-]+${NO_BREAK_AFTER}"
PUBLISHED_ID_PATTERN: Final = "^[A-Za-z0-9_-]{1,64}$"

SLUG_PATTERN: Final = f"^[a-z0-9]+(-[a-z0-9]+)*${NO_BREAK_AFTER}"
# No longer than an identifier, in whose place it may stand.
MAX_SLUG: Final = 64
SLUG_IN_WORDS: Final = (
    f"Expected lower-case letters and digits in groups joined by single hyphens, at most {MAX_SLUG} characters"
)

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=ID_PATTERN)]
ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=10_000)]
SmallCount = Annotated[int, Meta(ge=0, le=2**31 - 1)]
BigCount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True, description="A time from 2000 to 2100, with its zone")]


# Of answers.
When = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]
Mark = Annotated[Decimal, Meta(description="Marks, as a decimal string")]
MaxMark = Annotated[Decimal, Meta(description="The marks that can be had, as a decimal string")]


class RequestBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What a client sends: camelCase, nothing unknown, times only from 2000 to 2100. `example` is shown to readers."""

    example: ClassVar[Mapping[str, Any]]

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime) and not EARLIEST <= value < LATEST:
                raise ValueError(f"Expected a time from 2000 to 2100 in field `{_camel(name)}`")


class ResponseBody(msgspec.Struct, rename="camel", kw_only=True):
    """What we answer: camelCase, every field present (null where there is nothing to tell). `example` is shown."""

    example: ClassVar[Mapping[str, Any]]


class MarkedBody(ResponseBody):
    """A body with marks, written as short as they can be and without exponents: `0.75`, not `0.750000` or `75E-2`."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                # As text, because a Decimal is encoded with an exponent from some length on.
                setattr(self, name, _shortened(value))


def _shortened(value: Decimal) -> str:
    """To the last digit: `Decimal.normalize` would round to the precision of its context."""
    text = format(value or Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class PageBody(ResponseBody, kw_only=True):
    """One page of a list; subclasses add `items`. `nextCursor` is null on the last page."""

    next_cursor: Annotated[str | None, Meta(description="To be sent as `cursor` for the next page; null on the last")]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
