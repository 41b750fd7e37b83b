"""Records that were rejected, as they stood in their file: what somebody corrects and imports again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROBLEM_COLUMNS = ("problem-record", "problem-line", "problem-codes", "problem-messages")
"""Stand in front of the file's own columns; an import passes over them."""
REJECTS_LIMIT = 64 * 1024 * 1024
"""Bytes of rejected records that are kept of one import."""
EXCERPT_COLUMNS = ("record",)
"""Of a format whose records have no cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """The cells of a record; comes right after its problems. The header, where there is one, comes first."""

    record: int
    line: int
    cells: Sequence[str]
    is_header: bool = False
