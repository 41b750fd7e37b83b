"""What bodies at this door are made of: snake_case, numbers as numbers, and nothing unknown refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, ClassVar, Final

from litestar.params import QueryParameter
from msgspec import Meta

from entrypoints.http.fields import NO_BREAK_AFTER, RequestBody, ResponseBody

LONGEST_NAME: Final = 200
SESSION_ID: Final = "prs_01m7y0w5089re0wwbvvzgw20sf"
QUESTION_ID: Final = "qst_01m7y0w5089re0wwbvvzgw20sg"
_HUNDREDTHS: Final = Decimal("0.01")
# What stands between two letters can be read in one way only: of two ways for each, refusing a text tries all together.
_LETTERS: Final = f"^[A-Za-z](( {{1,2}}| ?, ?)?[A-Za-z])*${NO_BREAK_AFTER}"

ExamType = Annotated[str, Meta(min_length=1, max_length=64, description="The slug of an exam package, or its id")]
WantedExam = Annotated[
    str,
    QueryParameter(name="exam_type", min_length=1, max_length=64, description="The slug of an exam package, or its id"),
]
Domain = Annotated[
    Annotated[str, Meta(max_length=LONGEST_NAME)] | None,
    Meta(description="Only questions of the topic of this name; absent or null: of all"),
]
Letters = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=_LETTERS,
        description="The letter of the option that is chosen; where several are, all of them, as `AC` or `A,C`",
    ),
]
Percent = Annotated[float, Meta(description="0 to 100, to two decimals")]


class PlatformRequest(RequestBody, rename={}, forbid_unknown_fields=False, kw_only=True):
    """What a client of the platform sends. It may send more than is asked for, which is not looked at."""


class PlatformBody(ResponseBody, rename={}, kw_only=True):
    """What a client of the platform is answered."""


class MessageBody(PlatformBody):
    """Done, in a sentence for people."""

    message: str

    example: ClassVar[Mapping[str, Any]] = {"message": "Logged out successfully"}


def percent(share: Decimal | None) -> float:
    """A percent as clients calculate with it; nothing yet is none."""
    return 0.0 if share is None else float(share.quantize(_HUNDREDTHS, ROUND_HALF_UP))


def share_of(correct: int, questions: int) -> float:
    """How many of the questions were answered rightly, in percent."""
    return percent(Decimal(100 * correct) / questions) if questions else 0.0
