"""How numbers are written in bodies: decimal strings, by their patterns and, for those who miss one, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entrypoints.http.fields import NO_BREAK_AFTER

NOT_NEGATIVE: Final = rf"^[0-9]{{1,40}}(\.[0-9]{{1,40}})?${NO_BREAK_AFTER}"
FRACTION: Final = rf"^(0(\.[0-9]{{1,40}})?|1(\.0{{1,40}})?)${NO_BREAK_AFTER}"
WEIGHT: Final = rf"^-?(0(\.[0-9]{{1,10}})?|1(\.0{{1,10}})?)${NO_BREAK_AFTER}"
POINTS: Final = rf"^[0-9]{{1,4}}(\.[0-9]{{1,4}})?${NO_BREAK_AFTER}"
PERCENT: Final = rf"^(100(\.0{{1,2}})?|[0-9]{{1,2}}(\.[0-9]{{1,2}})?)${NO_BREAK_AFTER}"
MULTIPLIER: Final = rf"^(10(\.0{{1,3}})?|[1-9](\.[0-9]{{1,3}})?)${NO_BREAK_AFTER}"
NUMBER: Final = r"^[-+\u2212]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+\u2212]?[0-9]{1,4})?$"
"""What `read_number` of the domain reads; for the document only, as it is not held to this pattern but read."""

SENTENCES: Final[Mapping[str, str]] = {
    NOT_NEGATIVE: (
        "Expected a decimal number from 0 on such as `0.05`, with at most 40 digits before and 40 behind the point"
    ),
    FRACTION: "Expected a decimal number from 0 to 1 such as `0.25`, with at most 40 decimals",
    PERCENT: "Expected a percentage from 0 to 100 such as `72.5`, with at most 2 decimals",
    WEIGHT: "Expected a decimal number from -1 to 1 such as `-0.25`, with at most 10 decimals",
    MULTIPLIER: "Expected a decimal number from 1 to 10 such as `1.25`, with at most 3 decimals",
    POINTS: "Expected a decimal number such as `2.5`, with at most 4 digits before and 4 behind the point",
}
"""What is said in place of a pattern."""
